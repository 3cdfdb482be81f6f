// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-table.h"

#include "netflow/time.h"

#include "ns3/assert.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace ns3
{

namespace
{

using netflow::NS_PER_MS;

constexpr std::size_t DIGITS = 24; // of a number, an address or milliseconds: at most

// Each writes where it is told, in memory that has room, and returns the end.

char*
Put(char* at, std::string_view piece)
{
    return std::copy(piece.begin(), piece.end(), at);
}

template <typename Number>
char*
PutNumber(char* at, Number number)
{
    return std::to_chars(at, at + DIGITS, number).ptr;
}

char*
PutDotted(char* at, uint32_t address)
{
    for (unsigned shift : {24U, 16U, 8U})
    {
        at = PutNumber(at, address >> shift & 0xff);
        *at++ = '.';
    }
    return PutNumber(at, address & 0xff);
}

char*
PutMilliseconds(char* at, int64_t nanoseconds)
{
    at = PutNumber(at, nanoseconds / NS_PER_MS);
    *at++ = '.';
    for (int64_t unit = NS_PER_MS / 10; unit > 0; unit /= 10)
    {
        *at++ = static_cast<char>('0' + nanoseconds / unit % 10);
    }
    return at;
}

/// \param value a present one
char*
PutValue(char* at, EsxColumnType type, const EsxValue& value)
{
    switch (type)
    {
    case EsxColumnType::NAME:
        return Put(at, value.text);
    case EsxColumnType::ADDRESS:
        return PutDotted(at, static_cast<uint32_t>(value.number));
    case EsxColumnType::INSTANT_MS:
        return PutMilliseconds(at, static_cast<int64_t>(value.number));
    case EsxColumnType::I32:
    case EsxColumnType::I64:
    case EsxColumnType::INSTANT_NS:
    case EsxColumnType::UPTIME_MS:
        return PutNumber(at, static_cast<int64_t>(value.number));
    case EsxColumnType::U8:
    case EsxColumnType::U16:
    case EsxColumnType::U32:
    case EsxColumnType::U64:
    case EsxColumnType::EMPTY:
        break;
    }
    return PutNumber(at, value.number);
}

/// A member of an object. \param value a present one
char*
PutMember(char* at, const EsxColumn& column, const EsxValue& value)
{
    const bool isText = column.type == EsxColumnType::NAME || column.type == EsxColumnType::ADDRESS;
    const std::string_view quote = isText ? "\"" : "";
    at = Put(Put(Put(at, "\""), column.name), "\":");
    return Put(PutValue(Put(at, quote), column.type, value), quote);
}

} // namespace

std::string
EsxDotted(uint32_t address)
{
    char text[DIGITS];
    return {text, PutDotted(text, address)};
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
    for (const EsxColumn& column : m_columns)
    {
        m_most += DIGITS + (m_format == CSV ? 1 : column.name.size() + 6);
    }
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
    std::size_t most = begin + m_most;
    for (const EsxValue& value : values)
    {
        most += value.text.size();
    }
    text.resize(most);
    char* at = text.data() + begin;
    for (std::size_t i = 0; i < values.size(); ++i)
    {
        if (m_format == CSV)
        {
            at = values[i].isAbsent ? at : PutValue(at, m_columns[i].type, values[i]);
            *at++ = ',';
        }
        else if (!values[i].isAbsent)
        {
            at = Put(at, at == text.data() + begin ? "{" : ",");
            at = PutMember(at, m_columns[i], values[i]);
        }
    }
    at = m_format == CSV ? at - 1 : Put(at, at == text.data() + begin ? "{}" : "}");
    *at++ = '\n';
    text.resize(at - text.data());
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
