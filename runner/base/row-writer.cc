// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/row-writer.h"

#include <cassert>
#include <utility>

namespace esxnf
{

RowWriter::RowWriter(const std::string& path,
                     RowFormat format,
                     std::vector<const char*> columns,
                     OutputKind kind)
    : m_format(format),
      m_columns(std::move(columns)),
      m_file(path, kind)
{
    if (format == RowFormat::CSV)
    {
        for (const char* column : m_columns)
        {
            fmt::format_to(std::back_inserter(m_line), "{}{}", m_line.size() ? "," : "", column);
        }
        WriteLine();
    }
}

void
RowWriter::Add(std::string_view text)
{
    if (m_format == RowFormat::JSON_LINES && text.empty())
    {
        ++m_column;
        return;
    }
    const char* const quote = m_format == RowFormat::JSON_LINES ? "\"" : "";
    BeginValue();
    fmt::format_to(std::back_inserter(m_line), "{}{}{}", quote, text, quote);
}

void
RowWriter::EndRow()
{
    assert(m_column == m_columns.size());
    m_column = 0;
    if (m_format == RowFormat::JSON_LINES)
    {
        m_line.push_back('}');
    }
    WriteLine();
}

void
RowWriter::Flush()
{
    m_file.Flush();
}

void
RowWriter::Close()
{
    m_file.Close();
}

/// What stands before a value.
void
RowWriter::BeginValue()
{
    assert(m_column < m_columns.size());
    const bool first = m_line.size() == 0;
    if (m_format == RowFormat::CSV)
    {
        fmt::format_to(std::back_inserter(m_line), "{}", m_column == 0 ? "" : ",");
    }
    else
    {
        fmt::format_to(std::back_inserter(m_line),
                       "{}\"{}\":",
                       first ? "{" : ",",
                       m_columns[m_column]);
    }
    ++m_column;
}

void
RowWriter::WriteLine()
{
    m_line.push_back('\n');
    m_file.Write({m_line.data(), m_line.size()});
    m_line.clear();
}

} // namespace esxnf
