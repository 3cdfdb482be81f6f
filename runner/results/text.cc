// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/text.h"

#include <algorithm>
#include <cstddef>

namespace esxnf
{

namespace
{

/// Characters of UTF-8.
std::size_t
WidthOf(const std::string& text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

} // namespace

std::string
Grouped(uint64_t number)
{
    std::string digits = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    {
        digits.insert(static_cast<std::size_t>(at), " ");
    }
    return digits;
}

std::string
Counted(uint64_t number, const char* noun)
{
    return fmt::format("{} {}{}", Grouped(number), noun, number == 1 ? "" : "s");
}

std::string
Share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? "-"
                      : fmt::format("{:.1f}%",
                                    100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

TextTable::TextTable(std::string alignment, std::string indent)
    : m_alignment(std::move(alignment)),
      m_indent(std::move(indent))
{
}

void
TextTable::Add(std::vector<std::string> cells)
{
    cells.resize(m_alignment.size());
    m_rows.push_back(std::move(cells));
}

std::string
TextTable::ToText() const
{
    std::vector<std::size_t> widths(m_alignment.size(), 0);
    for (const auto& row : m_rows)
    {
        for (std::size_t i = 0; i < row.size(); ++i)
        {
            widths[i] = std::max(widths[i], WidthOf(row[i]));
        }
    }
    std::string text;
    for (const auto& row : m_rows)
    {
        std::string line = m_indent;
        for (std::size_t i = 0; i < row.size(); ++i)
        {
            const std::string padding(widths[i] - WidthOf(row[i]), ' ');
            line += i == 0 ? "" : "  ";
            line += m_alignment[i] == '>' ? padding + row[i] : row[i] + padding;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

} // namespace esxnf
