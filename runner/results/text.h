// SPDX-License-Identifier: GPL-2.0-only
// A growing text, for what writes tables and summaries.
#ifndef ESXNF_TEXT_H
#define ESXNF_TEXT_H

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace esxnf
{

using Text = fmt::memory_buffer;

template <typename... Args>
void
Append(Text& text, fmt::format_string<Args...> format, Args&&... args)
{
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
}

/// "a, b and 7 more": of many items the first ones.
inline std::string
JoinSome(const std::vector<std::string>& items, std::size_t most = 5)
{
    const std::size_t named = std::min(items.size(), most);
    std::string text;
    for (std::size_t i = 0; i < named; ++i)
    {
        text += (i > 0 ? ", " : "") + items[i];
    }
    return items.size() > named ? fmt::format("{} and {} more", text, items.size() - named) : text;
}

} // namespace esxnf

#endif // ESXNF_TEXT_H
