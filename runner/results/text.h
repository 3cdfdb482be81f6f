// SPDX-License-Identifier: GPL-2.0-only
// Text for people: a growing text, numbers in the one format that all tables and summaries have,
// and tables whose columns are as wide as what is in them.
#ifndef ESXNF_TEXT_H
#define ESXNF_TEXT_H

#include <algorithm>
#include <cstdint>
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

/// "181 204"
std::string Grouped(uint64_t number);

/// "1 record", "2 records"
std::string Counted(uint64_t number, const char* noun);

/// "83.4%" of a whole; "-" if there is nothing of it
std::string Share(uint64_t part, uint64_t whole);

/// Rows of cells in columns.
class TextTable
{
  public:
    /// \param alignment of each column: '<' or '>' \param indent before each row
    explicit TextTable(std::string alignment, std::string indent = "");

    /// Adds a row; cells that are not given are empty.
    void Add(std::vector<std::string> cells);

    /// Two blanks between columns, and none at the end of a row.
    std::string ToText() const;

  private:
    std::string m_alignment;
    std::string m_indent;
    std::vector<std::vector<std::string>> m_rows;
};

} // namespace esxnf

#endif // ESXNF_TEXT_H
