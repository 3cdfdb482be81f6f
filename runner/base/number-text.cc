// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/number-text.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <locale>
#include <sstream>
#include <utility>

namespace esxnf
{

namespace
{

constexpr std::pair<std::string_view, int64_t> DURATION_UNITS[] = {{"ns", 1},
                                                                   {"us", 1'000},
                                                                   {"ms", 1'000'000},
                                                                   {"s", 1'000'000'000},
                                                                   {"min", 60'000'000'000},
                                                                   {"h", 3'600'000'000'000}};

bool
IsDigits(std::string_view text)
{
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Fraction behind the point, in ns of a unit. Below 1 ns nothing counts.
int64_t
FractionOf(std::string_view digits, int64_t unit)
{
    int64_t sum = 0;
    int64_t remainder = unit;
    for (const char digit : digits) // 0.25 h = 2 * unit / 10 + 5 * unit / 100, without a rounding
    {
        sum += (digit - '0') * remainder / 10;
        remainder /= 10;
    }
    return sum;
}

} // namespace

std::optional<uint64_t>
ReadWhole(std::string_view text, uint64_t low, uint64_t high)
{
    uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    const bool isOne = error == std::errc() && rest == end && number >= low && number <= high;
    return isOne ? std::optional(number) : std::nullopt;
}

std::optional<double>
ReadReal(std::string_view text, double low, double high)
{
    std::istringstream digits{std::string(text)}; // libstdc++ 10's from_chars reads integers only
    digits.imbue(std::locale::classic());
    double number = 0;
    const bool begins = text.find_first_of("0123456789.") == 0; // no blank, no sign
    const bool isOne =
        begins && digits >> number && digits.eof() && number >= low && number <= high;
    return isOne ? std::optional(number) : std::nullopt;
}

std::optional<int64_t>
ReadDuration(std::string_view text)
{
    const std::size_t unitAt = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view number = text.substr(0, unitAt);
    const auto unit =
        std::find_if(std::begin(DURATION_UNITS), std::end(DURATION_UNITS), [&](const auto& known) {
            return known.first == text.substr(unitAt);
        });
    const std::size_t point = std::min(number.find('.'), number.size());
    const std::string_view fraction = number.substr(std::min(point + 1, number.size()));
    if (unit == std::end(DURATION_UNITS) || !IsDigits(number.substr(0, point)) ||
        (point < number.size() && !IsDigits(fraction)))
    {
        return std::nullopt;
    }
    const auto most = static_cast<uint64_t>(std::numeric_limits<int64_t>::max() / unit->second - 1);
    const std::optional<uint64_t> whole = ReadWhole(number.substr(0, point), 0, most);
    if (!whole)
    {
        return std::nullopt;
    }
    return static_cast<int64_t>(*whole) * unit->second + FractionOf(fraction, unit->second);
}

std::string
DurationToText(int64_t ns)
{
    constexpr std::pair<const char*, int64_t> SHOWN[] = {{"s", 1'000'000'000},
                                                         {"ms", 1'000'000},
                                                         {"us", 1'000}};
    const char* const sign = ns < 0 ? "-" : "";
    const uint64_t size = ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
    for (const auto& [unit, length] : SHOWN)
    {
        const auto whole = static_cast<uint64_t>(length);
        if (size >= whole || size == 0)
        {
            std::string fraction =
                fmt::format("{:0{}}", size % whole, fmt::formatted_size("{}", whole) - 1);
            fraction.erase(fraction.find_last_not_of('0') + 1);
            return fmt::format("{}{}{}{}{}",
                               sign,
                               size / whole,
                               fraction.empty() ? "" : ".",
                               fraction,
                               unit);
        }
    }
    return fmt::format("{}{}ns", sign, size);
}

} // namespace esxnf
