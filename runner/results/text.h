// SPDX-License-Identifier: GPL-2.0-only
// A growing text, for what writes tables and summaries.
#ifndef ESXNF_TEXT_H
#define ESXNF_TEXT_H

#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace esxnf
{

using Text = fmt::memory_buffer;

template <typename... Args>
void
Append(Text& text, fmt::format_string<Args...> format, Args&&... args)
{
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
}

} // namespace esxnf

#endif // ESXNF_TEXT_H
