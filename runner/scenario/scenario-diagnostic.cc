// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-diagnostic.h"

#include "model/console/esx-suggestion.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

std::string
JoinLines(const Diagnostics& diagnostics)
{
    std::string text;
    for (const auto& diagnostic : diagnostics)
    {
        text += (text.empty() ? "" : "\n") + diagnostic.ToString();
    }
    return text;
}

/// A text of a scenario, without characters that break the line or steer a terminal.
std::string
Printable(const std::string& text)
{
    std::string printable;
    for (const char letter : text)
    {
        const auto code = static_cast<unsigned char>(letter);
        printable +=
            code < ' ' || code == 0x7f ? fmt::format("\\x{:02x}", code) : std::string(1, letter);
    }
    return printable;
}

} // namespace

std::string
Diagnostic::ToString() const
{
    std::string text = place.file;
    if (place.line > 0)
    {
        text += fmt::format(":{}:{}", place.line, place.column);
    }
    const char* const words[] = {"info: ", "warning: ", ""};
    return Printable(
        fmt::format("{}: {}{}: {}", text, words[static_cast<int>(severity)], where, what));
}

bool
HasErrors(const Diagnostics& diagnostics)
{
    return std::any_of(diagnostics.begin(), diagnostics.end(), [](const auto& d) {
        return d.severity == Severity::Error;
    });
}

ScenarioError::ScenarioError(Diagnostics diagnostics)
    : std::runtime_error(JoinLines(diagnostics)),
      m_diagnostics(std::move(diagnostics))
{
}

const Diagnostics&
ScenarioError::GetDiagnostics() const
{
    return m_diagnostics;
}

std::string
Suggest(const std::string& word, const std::vector<std::string>& allowed)
{
    return ns3::EsxSuggest(word, allowed);
}

} // namespace esxnf
