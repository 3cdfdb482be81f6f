// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/csv-table.h"

#include "runner/base/user-error.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace esxnf
{

namespace
{

/// Cuts off and returns what stands before the first \p separator.
std::string_view
Take(std::string_view& text, char separator)
{
    const std::size_t at = std::min(text.find(separator), text.size());
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return taken;
}

std::vector<std::string_view>
CellsOf(std::string_view line)
{
    std::vector<std::string_view> cells;
    bool more = true;
    while (more)
    {
        more = line.find(',') != std::string_view::npos;
        cells.push_back(Take(line, ','));
    }
    return cells;
}

template <typename Number>
bool
Parse(std::string_view text, Number& number)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

} // namespace

CsvTable::Row::Row(const CsvTable& table, std::size_t number)
    : m_table(table),
      m_number(number)
{
}

std::string_view
CsvTable::Row::Text(std::size_t column) const
{
    return m_table.m_cells[m_number * m_table.m_header.size() + column];
}

uint64_t
CsvTable::Row::Unsigned(std::size_t column) const
{
    uint64_t number = 0;
    if (!Parse(Text(column), number))
    {
        m_table.Refuse(m_number, fmt::format("'{}' is no whole number", Text(column)));
    }
    return number;
}

int64_t
CsvTable::Row::Signed(std::size_t column) const
{
    int64_t number = 0;
    if (!Parse(Text(column), number))
    {
        m_table.Refuse(m_number, fmt::format("'{}' is no whole number", Text(column)));
    }
    return number;
}

CsvTable::CsvTable(const std::string& folder, const std::string& name)
    : m_path(folder + "/" + name)
{
    std::ifstream file(m_path, std::ios::binary);
    if (!file)
    {
        throw UserError(fmt::format("{} cannot be read: is {} a result folder of this version, "
                                    "without 'outputs.flows: false'?",
                                    m_path,
                                    folder));
    }
    m_text.assign(std::istreambuf_iterator<char>(file), {});
    std::string_view rest = m_text;
    m_header = CellsOf(Take(rest, '\n'));
    for (std::size_t row = 0; !rest.empty(); ++row)
    {
        const std::vector<std::string_view> cells = CellsOf(Take(rest, '\n'));
        if (cells.size() != m_header.size())
        {
            Refuse(row, fmt::format("{} cells under {} columns", cells.size(), m_header.size()));
        }
        m_cells.insert(m_cells.end(), cells.begin(), cells.end());
    }
}

std::size_t
CsvTable::GetSize() const
{
    return m_cells.size() / m_header.size();
}

CsvTable::Row
CsvTable::operator[](std::size_t number) const
{
    return {*this, number};
}

std::size_t
CsvTable::Column(const std::string& name) const
{
    const auto found = std::find(m_header.begin(), m_header.end(), name);
    if (found == m_header.end())
    {
        throw UserError(fmt::format("{} has no column {}", m_path, name));
    }
    return static_cast<std::size_t>(found - m_header.begin());
}

void
CsvTable::Refuse(std::size_t row, const std::string& why) const
{
    throw UserError(fmt::format("{}:{}: {}", m_path, row + 2, why));
}

} // namespace esxnf
