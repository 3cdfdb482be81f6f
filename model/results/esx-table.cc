// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-table.h"

#include "netflow/time.h"

#include "ns3/assert.h"

#include <charconv>
#include <sstream>

namespace ns3
{

namespace
{

using netflow::NS_PER_MS;

template <typename Number>
void
Append(std::string& text, Number number)
{
    char digits[24];
    text.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

void
AppendDotted(std::string& text, uint32_t address)
{
    for (unsigned shift : {24U, 16U, 8U})
    {
        Append(text, address >> shift & 0xff);
        text += '.';
    }
    Append(text, address & 0xff);
}

void
AppendMilliseconds(std::string& text, int64_t nanoseconds)
{
    constexpr std::size_t DECIMALS = 6;
    Append(text, nanoseconds / NS_PER_MS);
    const std::string rest = std::to_string(nanoseconds % NS_PER_MS);
    text.append(1, '.').append(DECIMALS - rest.size(), '0').append(rest);
}

bool
IsText(EsxColumnType type)
{
    return type == EsxColumnType::NAME || type == EsxColumnType::ADDRESS;
}

} // namespace

std::string
EsxDotted(uint32_t address)
{
    std::string text;
    AppendDotted(text, address);
    return text;
}

std::string
EsxDotted(Ipv4Address address)
{
    return EsxDotted(address.Get());
}

std::string
EsxAddressKey(Ipv4Address address)
{
    std::ostringstream text;
    text << address;
    return text.str();
}

EsxRowPrinter::EsxRowPrinter(Format format, std::vector<EsxColumn> columns)
    : m_format(format),
      m_columns(std::move(columns))
{
}

const std::vector<EsxColumn>&
EsxRowPrinter::GetColumns() const
{
    return m_columns;
}

void
EsxRowPrinter::AppendHeader(std::string& text) const
{
    for (std::size_t i = 0; m_format == CSV && i < m_columns.size(); ++i)
    {
        text += m_columns[i].name;
        text += i + 1 < m_columns.size() ? ',' : '\n';
    }
}

void
EsxRowPrinter::AppendRow(std::string& text, const std::vector<EsxValue>& values) const
{
    NS_ASSERT(values.size() == m_columns.size());
    const std::size_t begin = text.size();
    for (std::size_t i = 0; i < values.size(); ++i)
    {
        if (m_format == CSV)
        {
            if (i > 0)
            {
                text += ',';
            }
        }
        else if (!values[i].isAbsent)
        {
            text.append(text.size() == begin ? "{\"" : ",\"").append(m_columns[i].name);
            text.append("\":");
        }
        AppendCell(text, m_columns[i].type, values[i]);
    }
    text += m_format == CSV ? "\n" : text.size() == begin ? "{}\n" : "}\n";
}

void
EsxRowPrinter::AppendCell(std::string& text, EsxColumnType type, const EsxValue& value) const
{
    if (value.isAbsent)
    {
        return;
    }
    const bool isQuoted = m_format == JSON_LINES && IsText(type);
    if (isQuoted)
    {
        text += '"';
    }
    switch (type)
    {
    case EsxColumnType::NAME:
        text += value.text;
        break;
    case EsxColumnType::ADDRESS:
        AppendDotted(text, static_cast<uint32_t>(value.number));
        break;
    case EsxColumnType::INSTANT_MS:
        AppendMilliseconds(text, static_cast<int64_t>(value.number));
        break;
    case EsxColumnType::I32:
    case EsxColumnType::I64:
    case EsxColumnType::INSTANT_NS:
    case EsxColumnType::UPTIME_MS:
        Append(text, static_cast<int64_t>(value.number));
        break;
    case EsxColumnType::U8:
    case EsxColumnType::U16:
    case EsxColumnType::U32:
    case EsxColumnType::U64:
    case EsxColumnType::EMPTY:
        Append(text, value.number);
    }
    if (isQuoted)
    {
        text += '"';
    }
}

const std::string&
EsxTable::GetName() const
{
    return m_name;
}

const std::string&
EsxTable::GetFile() const
{
    return m_file;
}

const std::string&
EsxTable::GetMeaning() const
{
    return m_meaning;
}

const std::vector<EsxColumn>&
EsxTable::GetColumns() const
{
    return m_columns;
}

bool
EsxTable::IsOverTime() const
{
    return m_columns.front().type == EsxColumnType::INSTANT_MS;
}

void
EsxTable::ForEachRow(const Visitor& visit) const
{
    m_visit(visit);
}

void
EsxTable::WriteCsv(const std::function<void(std::string_view piece)>& write) const
{
    constexpr std::size_t PIECE = 1 << 16;
    const EsxRowPrinter printer(EsxRowPrinter::CSV, m_columns);
    std::string text;
    printer.AppendHeader(text);
    ForEachRow([&](const std::vector<EsxValue>& values) {
        printer.AppendRow(text, values);
        if (text.size() >= PIECE)
        {
            write(text);
            text.clear();
        }
    });
    write(text);
}

} // namespace ns3
