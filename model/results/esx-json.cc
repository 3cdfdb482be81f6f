// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-json.h"

#include <cmath>
#include <cstdio>
#include <locale>
#include <sstream>

namespace ns3
{

namespace
{

/// As few as read back as the number: libstdc++ 10's to_chars knows integers only.
std::string
Digits(double number)
{
    std::string text;
    double back = number - 1;
    for (int precision = 15; precision <= 17 && back != number; ++precision)
    {
        std::stringstream digits;
        digits.imbue(std::locale::classic());
        digits.precision(precision);
        digits << number;
        text = digits.str();
        digits >> back;
    }
    return text;
}

} // namespace

EsxJson&
EsxJson::BeginObject()
{
    Begin('{');
    return *this;
}

EsxJson&
EsxJson::EndObject()
{
    End('}');
    return *this;
}

EsxJson&
EsxJson::BeginArray()
{
    Begin('[');
    return *this;
}

EsxJson&
EsxJson::EndArray()
{
    End(']');
    return *this;
}

EsxJson&
EsxJson::Key(std::string_view key)
{
    Place();
    Quote(key);
    m_text += ": ";
    m_hasKey = true;
    return *this;
}

EsxJson&
EsxJson::Text(std::string_view text)
{
    Place();
    Quote(text);
    return *this;
}

EsxJson&
EsxJson::Number(uint64_t number)
{
    Place();
    m_text += std::to_string(number);
    return *this;
}

EsxJson&
EsxJson::Number(int64_t number)
{
    Place();
    m_text += std::to_string(number);
    return *this;
}

EsxJson&
EsxJson::Number(double number)
{
    constexpr double EXACT = 9007199254740992; // 2^53: below, a double holds every integer
    if (std::trunc(number) == number && std::abs(number) < EXACT)
    {
        return Number(static_cast<int64_t>(number)); // 5, not 5.0
    }
    Place();
    m_text += std::isfinite(number) ? Digits(number) : "null";
    return *this;
}

EsxJson&
EsxJson::Bool(bool value)
{
    Place();
    m_text += value ? "true" : "false";
    return *this;
}

EsxJson&
EsxJson::Text(std::string_view key, std::string_view text)
{
    return Key(key).Text(text);
}

EsxJson&
EsxJson::Number(std::string_view key, uint64_t number)
{
    return Key(key).Number(number);
}

EsxJson&
EsxJson::Bool(std::string_view key, bool value)
{
    return Key(key).Bool(value);
}

std::string
EsxJson::Take()
{
    return std::move(m_text) + "\n";
}

void
EsxJson::Begin(char bracket)
{
    Place();
    m_text += bracket;
    ++m_depth;
    m_first = true;
}

void
EsxJson::End(char bracket)
{
    --m_depth;
    if (!m_first)
    {
        m_text.append(1, '\n').append(2 * m_depth, ' ');
    }
    m_text += bracket;
    m_first = false;
}

/// Writes the comma and the line break that stand before a key or a value.
void
EsxJson::Place()
{
    if (m_depth > 0 && !m_hasKey)
    {
        m_text.append(m_first ? "\n" : ",\n").append(2 * m_depth, ' ');
    }
    m_hasKey = false;
    m_first = false;
}

void
EsxJson::Quote(std::string_view text)
{
    m_text += '"';
    for (const char c : text)
    {
        if (static_cast<unsigned char>(c) < 0x20)
        {
            char escape[8];
            std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
            m_text += escape;
            continue;
        }
        m_text.append(c == '"' || c == '\\' ? 1 : 0, '\\').append(1, c);
    }
    m_text += '"';
}

} // namespace ns3
