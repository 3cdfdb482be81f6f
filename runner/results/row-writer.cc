// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/row-writer.h"

#include "runner/commands/cli.h"

#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace esxnf
{

void
RowWriter::Closer::operator()(std::FILE* file) const
{
    if (file != stdout)
    {
        std::fclose(file);
    }
}

RowWriter::RowWriter(const std::string& path, RowFormat format, std::vector<const char*> columns)
    : m_path(path),
      m_format(format),
      m_columns(std::move(columns)),
      m_file(path == "-" ? stdout : std::fopen(path.c_str(), "wb"))
{
    if (!m_file)
    {
        throw CommandError(EXIT_USAGE,
                           fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
    }
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
    if (std::fflush(m_file.get()) != 0)
    {
        throw CommandError(EXIT_USAGE,
                           fmt::format("{}: cannot be written: {}", m_path, std::strerror(errno)));
    }
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
    if (std::fwrite(m_line.data(), m_line.size(), 1, m_file.get()) != 1)
    {
        throw CommandError(EXIT_USAGE,
                           fmt::format("{}: cannot be written: {}", m_path, std::strerror(errno)));
    }
    m_line.clear();
}

} // namespace esxnf
