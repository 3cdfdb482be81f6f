// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Writes a table row by row, as CSV or as JSON lines (one object a line). The commands probe and
 * collect use it; columns and values are theirs.
 */
#ifndef ESXNF_ROW_WRITER_H
#define ESXNF_ROW_WRITER_H

#include "runner/base/output-file.h"

#include <cstdint>
#include <fmt/format.h>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace esxnf
{

enum class RowFormat : uint8_t
{
    CSV,       //!< one header line, LF, nothing is quoted
    JSON_LINES //!< numbers are numbers; an empty text is left out
};

/// A table on its way to a file.
class RowWriter
{
  public:
    /**
     * Throws UserError if the file cannot be written.
     * \param path "-": standard output
     * \param columns names of letters, digits and '_'
     */
    RowWriter(const std::string& path,
              RowFormat format,
              std::vector<const char*> columns,
              OutputKind kind = OutputKind::STREAM);

    /// The value of the next column. \param text without commas, quotes, line breaks
    void Add(std::string_view text);

    /// The value of the next column.
    template <typename Integer>
    void AddNumber(Integer number)
    {
        BeginValue();
        fmt::format_to(std::back_inserter(m_line), "{}", number);
    }

    /// After the last column; throws as above.
    void EndRow();

    /// Writes what is buffered; throws as above.
    void Flush();

    /// The last call; throws as above.
    void Close();

  private:
    void BeginValue();
    void WriteLine();

    const RowFormat m_format;
    const std::vector<const char*> m_columns;
    OutputFile m_file;
    fmt::memory_buffer m_line;
    std::size_t m_column{0};
};

} // namespace esxnf

#endif // ESXNF_ROW_WRITER_H
