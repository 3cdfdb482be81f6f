// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-diagnostic.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <numeric>

namespace esxnf
{

namespace
{

// More than this many candidates are neither compared nor listed: nobody reads them.
constexpr std::size_t MAX_CANDIDATES = 2000;
constexpr std::size_t MAX_LISTED = 12;

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

/// What a scenario holds, without what would break the line or steer a terminal.
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

/// Levenshtein's distance: insertions, deletions and replacements.
std::size_t
EditDistance(const std::string& a, const std::string& b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i)
    {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j)
        {
            const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
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
    if (allowed.empty())
    {
        return "there are none";
    }
    // A third of the word may be wrong, at least two letters: "lsiten" is near "listen", "colour"
    // is not near "queue".
    std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
    const std::string* nearest = nullptr;
    for (std::size_t i = 0; i < std::min(allowed.size(), MAX_CANDIDATES); ++i)
    {
        const auto distance = EditDistance(word, allowed[i]);
        if (distance < best && distance < allowed[i].size())
        {
            best = distance;
            nearest = &allowed[i];
        }
    }
    if (nearest)
    {
        return fmt::format("did you mean '{}'?", *nearest);
    }
    const auto end = allowed.begin() + std::min(allowed.size(), MAX_LISTED);
    return fmt::format("allowed: {}{}",
                       fmt::join(allowed.begin(), end, ", "),
                       allowed.size() > MAX_LISTED ? ", …" : "");
}

} // namespace esxnf
