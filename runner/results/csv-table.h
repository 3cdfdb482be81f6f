// SPDX-License-Identifier: GPL-2.0-only
// A table of a result folder, read back. Names in our tables hold no comma, quote or line break, so
// a row is what stands between commas; anything else is refused with file and line.
#ifndef ESXNF_CSV_TABLE_H
#define ESXNF_CSV_TABLE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace esxnf
{

class CsvTable
{
  public:
    /// One row. Valid as long as its table.
    class Row
    {
      public:
        Row(const CsvTable& table, std::size_t number);

        /// \param column from CsvTable::Column()
        std::string_view Text(std::size_t column) const;
        /// Throws UserError if the cell is no whole number that fits.
        uint64_t Unsigned(std::size_t column) const;
        int64_t Signed(std::size_t column) const;

      private:
        const CsvTable& m_table;
        std::size_t m_number;
    };

    /// Reads DIR/NAME. Throws UserError if it is not there or no such table.
    CsvTable(const std::string& folder, const std::string& name);
    CsvTable(const CsvTable&) = delete; // cells are views of its text
    CsvTable& operator=(const CsvTable&) = delete;

    std::size_t GetSize() const;
    Row operator[](std::size_t number) const;

    /// The index of a column. Throws UserError if there is none of that name.
    std::size_t Column(const std::string& name) const;

  private:
    [[noreturn]] void Refuse(std::size_t row, const std::string& why) const;

    std::string m_path;
    std::string m_text;
    std::vector<std::string_view> m_header;
    std::vector<std::string_view> m_cells; // row by row
};

} // namespace esxnf

#endif // ESXNF_CSV_TABLE_H
