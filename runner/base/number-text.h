// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Numbers and durations in texts of the user: the one way in which options of all commands read
 * them. Nothing but digits is a number: no blanks, no nan, no inf, no 0x10, no 010 that is 8.
 */
#ifndef ESXNF_NUMBER_TEXT_H
#define ESXNF_NUMBER_TEXT_H

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace esxnf
{

/// \return nothing if the text is no whole decimal number from low to high
std::optional<uint64_t> ReadWhole(std::string_view text,
                                  uint64_t low = 0,
                                  uint64_t high = std::numeric_limits<uint64_t>::max());

/// \return nothing if the text is no decimal number from low to high: "2", "0.5", "1e3"
std::optional<double> ReadReal(std::string_view text, double low, double high);

/// "1.5s" in ns, exactly: a number that is not negative, and its unit. \return nothing if the text
/// is none, or more than 292 years
std::optional<int64_t> ReadDuration(std::string_view text);

/// The form that ReadDuration() takes, in words.
constexpr const char* DURATION_FORM = "a time with its unit (ns, us, ms, s, min, h) such as 1.5s";

/// The shortest text that ReadDuration() takes for the same: "1ns", "1.5s", "-2ms".
std::string DurationToText(int64_t ns);

} // namespace esxnf

#endif // ESXNF_NUMBER_TEXT_H
