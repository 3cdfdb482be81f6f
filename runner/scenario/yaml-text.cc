// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-text.h"

#include "runner/scenario/scenario-diagnostic.h"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>

namespace esxnf
{

namespace
{

/// Length of the UTF-8 sequence at text[i], or 0 if there is none (overlong forms and surrogates
/// count as none).
std::size_t
Utf8Length(const std::string& text, std::size_t i)
{
    const auto byte = [&](std::size_t k) {
        return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u;
    };
    const auto lead = byte(i);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    for (std::size_t k = 1; k < length; ++k)
    {
        if ((byte(i + k) & 0xc0) != 0x80)
        {
            return 0;
        }
    }
    const bool overlong =
        (lead == 0xe0 && byte(i + 1) < 0xa0) || (lead == 0xf0 && byte(i + 1) < 0x90);
    const bool outside =
        (lead == 0xed && byte(i + 1) > 0x9f) || (lead == 0xf4 && byte(i + 1) > 0x8f);
    return overlong || outside ? 0 : length;
}

} // namespace

void
FailYaml(const std::string& file, int line, int column, const std::string& what)
{
    const TextPosition place{file, std::max(line + 1, 1), std::max(column + 1, 1)};
    throw ScenarioError({{Severity::Error, place, "YAML", what}});
}

void
RefuseForeignBytes(const std::string& text, const std::string& file)
{
    int line = 0;
    int column = 0;
    for (std::size_t i = 0; i < text.size();)
    {
        const auto c = static_cast<unsigned char>(text[i]);
        const auto length = Utf8Length(text, i);
        if (length == 0)
        {
            FailYaml(file, line, column, fmt::format("byte 0x{:02x} is not UTF-8", c));
        }
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
        {
            FailYaml(file,
                     line,
                     column,
                     fmt::format("control character 0x{:02x} is not allowed", c));
        }
        i += length;
        column = c == '\n' ? 0 : column + 1;
        line += c == '\n';
    }
}

bool
IsIndentedByTab(const std::string& text, int line)
{
    std::istringstream lines(text);
    std::string found;
    for (int number = 0; number <= line && std::getline(lines, found); ++number)
    {
    }
    const std::size_t content = std::min(found.find_first_not_of(" \t"), found.size());
    return line >= 0 && found.find('\t') < content;
}

bool
RefuseSecondDocument(const std::string& text, const std::string& file)
{
    bool begun = false;
    bool ended = false;
    std::istringstream lines(text);
    int number = 0;
    for (std::string line; std::getline(lines, line); ++number)
    {
        const auto start = line.substr(0, line.find_first_of(" \t\r"));
        const auto content = line.find_first_not_of(" \t\r");
        if (content == std::string::npos || line[content] == '#' || line[content] == '%')
        {
            continue;
        }
        if (ended || (begun && start == "---"))
        {
            FailYaml(file, number, 0, "a second document ('---'): one file holds one scenario");
        }
        ended = start == "...";
        begun = true;
    }
    return begun;
}

} // namespace esxnf
