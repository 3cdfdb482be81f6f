// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-scalar.h"

#include <charconv>
#include <cstdint>
#include <locale>
#include <regex>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

namespace esxnf
{

namespace
{

template <typename T>
bool
ParseWhole(std::string_view text, T& value, int base)
{
    text.remove_prefix(text.front() == '+');
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc() && end == text.data() + text.size();
}

} // namespace

Json
ResolvePlain(const std::string& text)
{
    static const std::set<std::string> nulls{"", "~", "null", "Null", "NULL"};
    static const std::set<std::string> trues{"true", "True", "TRUE"};
    static const std::set<std::string> falses{"false", "False", "FALSE"};
    static const std::regex decimal("[-+]?[0-9]{1,40}");
    static const std::regex real(
        R"([-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,4})?)");
    if (nulls.count(text))
    {
        return nullptr;
    }
    if (trues.count(text) || falses.count(text))
    {
        return trues.count(text) > 0;
    }
    if (std::string_view("+-.0123456789").find(text.front()) == std::string_view::npos)
    {
        return text; // most are
    }
    int64_t whole = 0;
    if (std::regex_match(text, decimal) && ParseWhole(text, whole, 10))
    {
        return whole;
    }
    const std::string prefix = text.substr(0, 2);
    if ((prefix == "0x" || prefix == "0o") && text.size() > 2 && text[2] != '-' && text[2] != '+' &&
        ParseWhole(std::string_view(text).substr(2), whole, prefix == "0x" ? 16 : 8))
    {
        return whole;
    }
    double number = 0;
    if (std::regex_match(text, real))
    {
        std::istringstream digits(text); // libstdc++ 10's from_chars reads integers only
        digits.imbue(std::locale::classic());
        if (digits >> number)
        {
            return number;
        }
    }
    return text;
}

} // namespace esxnf
