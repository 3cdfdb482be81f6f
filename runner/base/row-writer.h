// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Writes a table row by row to a file, as CSV or as JSON lines. The commands probe, collect and
 * compare use it; columns are theirs.
 */
#ifndef ESXNF_ROW_WRITER_H
#define ESXNF_ROW_WRITER_H

#include "runner/base/output-file.h"

#include "ns3/esx-table.h"

#include <string>
#include <utility>

namespace esxnf
{

/// A table on its way to a file.
template <typename Row>
class RowWriter
{
  public:
    /**
     * Throws UserError if the file cannot be written.
     * \param path "-": standard output
     */
    RowWriter(const std::string& path,
              ns3::EsxRowPrinter::Format format,
              ns3::EsxColumns<Row> columns,
              OutputKind kind = OutputKind::STREAM)
        : m_reader(std::move(columns)),
          m_printer(format, m_reader.GetColumns()),
          m_file(path, kind)
    {
        m_printer.AppendHeader(m_line);
        m_file.Write(m_line);
    }

    /// Throws as above.
    void Write(const Row& row)
    {
        m_line.clear();
        m_printer.AppendRow(m_line, m_reader.Read(row));
        m_file.Write(m_line);
    }

    /// Writes what is buffered; throws as above.
    void Flush()
    {
        m_file.Flush();
    }

    /// The last call; throws as above.
    void Close()
    {
        m_file.Close();
    }

  private:
    ns3::EsxRowReader<Row> m_reader;
    const ns3::EsxRowPrinter m_printer;
    OutputFile m_file;
    std::string m_line;
};

} // namespace esxnf

#endif // ESXNF_ROW_WRITER_H
