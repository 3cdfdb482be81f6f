// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Tables, each described once: name, type, unit, meaning and getter of every column. CSV files,
 * JSON lines, the arrays of Python and docs/tables.md are made from this description.
 */
#ifndef ESX_TABLE_H
#define ESX_TABLE_H

#include "ns3/ipv4-address.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ns3
{

/// The kind of values that a column has.
enum class EsxColumnType : uint8_t
{
    U8, //!< whole numbers
    U16,
    U32,
    U64,
    I32, //!< the same with a sign; an absent one is -1 in Python
    I64,
    INSTANT_NS, //!< as I64: nanoseconds of simulated time. A duration is a number with a unit
    INSTANT_MS, //!< the same, printed as milliseconds with six decimals
    UPTIME_MS,  //!< as I64, an instant, too: milliseconds of the exporter's uptime
    NAME,       //!< a text without comma, quote and line break; an absent one is empty
    ADDRESS,    //!< IPv4, host order; printed with dots
    EMPTY,      //!< always absent: the column is there for tables that are read together
};

/// Description of a column: name, type, unit and meaning.
struct EsxColumn
{
    std::string name; //!< letters, digits and '_'
    EsxColumnType type;
    std::string unit; //!< empty: none
    std::string meaning;
};

/// A cell. Texts are views: they live as long as the row.
struct EsxValue
{
    /// An absent value.
    EsxValue() = default;

    template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer>>>
    EsxValue(Integer value)
        : number(static_cast<uint64_t>(value)),
          isAbsent(false)
    {
    }

    template <typename Integer>
    EsxValue(const std::optional<Integer>& value)
        : number(value ? static_cast<uint64_t>(*value) : 0),
          isAbsent(!value)
    {
    }

    EsxValue(std::string_view value)
        : text(value),
          isAbsent(value.empty())
    {
    }

    EsxValue(const char* value)
        : EsxValue(std::string_view(value))
    {
    }

    EsxValue(const std::string& value)
        : EsxValue(std::string_view(value))
    {
    }

    EsxValue(std::string&&) = delete; // it would be gone

    uint64_t number{0}; //!< two's complement in columns with a sign
    std::string_view text;
    bool isAbsent{true};
};

/// A column and how its value is read from a row.
template <typename Row>
struct EsxColumnOf
{
    EsxColumn column;
    std::function<EsxValue(const Row&)> get;
};

/// The columns of a table, in order.
template <typename Row>
using EsxColumns = std::vector<EsxColumnOf<Row>>;

/// "10.6.125.11": an address for people and in results.
std::string EsxDotted(uint32_t address);
std::string EsxDotted(Ipv4Address address);

/// "10.6.125.11": an address as sockets, scenarios and lab.json spell it, however people see it.
std::string EsxAddressKey(Ipv4Address address);

/// Prints rows as CSV or as JSON lines.
class EsxRowPrinter
{
  public:
    enum Format : uint8_t
    {
        CSV,       //!< one header line, LF; nothing is quoted; an absent value is an empty cell
        JSON_LINES //!< one object a line; numbers are numbers; an absent value is left out
    };

    EsxRowPrinter(Format format, std::vector<EsxColumn> columns);

    const std::vector<EsxColumn>& GetColumns() const;
    /// Appends what comes before the first row.
    void AppendHeader(std::string& text) const;
    /// Appends a row. \param values one for each column
    void AppendRow(std::string& text, const std::vector<EsxValue>& values) const;

  private:
    const Format m_format;
    const std::vector<EsxColumn> m_columns;
    std::size_t m_most{3}; //!< octets of a row without its texts
};

/// The values of a row, read again and again into the same place.
template <typename Row>
class EsxRowReader
{
  public:
    explicit EsxRowReader(EsxColumns<Row> columns)
        : m_columns(std::move(columns)),
          m_values(m_columns.size())
    {
    }

    std::vector<EsxColumn> GetColumns() const
    {
        std::vector<EsxColumn> columns;
        for (const EsxColumnOf<Row>& of : m_columns)
        {
            columns.push_back(of.column);
        }
        return columns;
    }

    /// \return valid until the next call, and as long as the row
    const std::vector<EsxValue>& Read(const Row& row)
    {
        for (std::size_t i = 0; i < m_columns.size(); ++i)
        {
            m_values[i] = m_columns[i].get(row);
        }
        return m_values;
    }

  private:
    EsxColumns<Row> m_columns;
    std::vector<EsxValue> m_values;
};

/// A table of a run: its description, and its rows, made one by one while they are visited.
class EsxTable
{
  public:
    using Visitor = std::function<void(const std::vector<EsxValue>&)>;

    /**
     * \param name as in Python
     * \param file as in a result folder
     * \param meaning one sentence
     * \param rows hands every row to its argument
     */
    template <typename Row>
    EsxTable(const char* name,
             const char* file,
             const char* meaning,
             const EsxColumns<Row>& columns,
             std::function<void(const std::function<void(const Row&)>&)> rows)
        : m_name(name),
          m_file(file),
          m_meaning(meaning),
          m_columns(EsxRowReader<Row>(columns).GetColumns()),
          m_visit([columns, rows = std::move(rows)](const Visitor& visit) {
              EsxRowReader<Row> reader(columns);
              rows([&](const Row& row) { visit(reader.Read(row)); });
          })
    {
    }

    const std::string& GetName() const;
    const std::string& GetFile() const;
    const std::string& GetMeaning() const;
    const std::vector<EsxColumn>& GetColumns() const;
    /// Whether its rows are samples: series and links.
    bool IsOverTime() const;
    void ForEachRow(const Visitor& visit) const;
    /// \param write takes the file piece by piece, whatever its size
    void WriteCsv(const std::function<void(std::string_view piece)>& write) const;

  private:
    std::string m_name;
    std::string m_file;
    std::string m_meaning;
    std::vector<EsxColumn> m_columns;
    std::function<void(const Visitor&)> m_visit;
};

} // namespace ns3

#endif // ESX_TABLE_H
