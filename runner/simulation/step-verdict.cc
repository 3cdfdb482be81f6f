// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/step-verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

namespace
{

/// On one line, in quotes.
std::string
Quoted(const std::string& text)
{
    std::string quoted = "'";
    for (const char c : text)
    {
        quoted += c == '\n' ? "\\n" : std::string(1, c);
    }
    return quoted + "'";
}

std::string
ExitText(const std::optional<int>& exit)
{
    return exit ? fmt::format("exit status {}", *exit) : "no exit status: it has not ended";
}

void
JudgeExit(const StepExpectation& wanted, const LineOutcome& line, StepVerdict& verdict)
{
    if (wanted.exit && line.exit != wanted.exit)
    {
        verdict.missed.push_back(fmt::format("{}, wanted {}", ExitText(line.exit), *wanted.exit));
    }
    if (wanted.exitIsNonzero && line.exit.value_or(0) == 0)
    {
        verdict.missed.push_back(fmt::format("{}, wanted any but 0", ExitText(line.exit)));
    }
}

void
JudgeText(const std::vector<std::string>& wanted,
          const std::string& printed,
          const char* where,
          StepVerdict& verdict)
{
    for (const std::string& text : wanted)
    {
        if (text.empty() && !printed.empty())
        {
            verdict.missed.push_back(fmt::format("{} is not empty", where));
        }
        if (printed.find(text) == std::string::npos)
        {
            verdict.missed.push_back(fmt::format("{} lacks {}", where, Quoted(text)));
        }
    }
}

} // namespace

bool
StepVerdict::Passes() const
{
    return missed.empty();
}

std::string
StepVerdict::Explain() const
{
    std::string text = fmt::format("{}", fmt::join(missed, "; "));
    text += printed.output.empty() && printed.errors.empty() ? "; nothing was printed" : "";
    text += printed.output.empty() ? "" : "; standard output: " + Quoted(printed.output);
    text += printed.errors.empty() ? "" : "; standard error: " + Quoted(printed.errors);
    return text;
}

StepVerdict
Judge(const StepOutcome& outcome)
{
    const TimelineStep& step = *outcome.step;
    const StepExpectation& wanted = *step.expect;
    StepVerdict verdict;
    verdict.at = step.at;
    verdict.host = step.host;
    verdict.command = step.command;
    verdict.printed = outcome.line;
    JudgeExit(wanted, outcome.line, verdict);
    JudgeText(wanted.output, outcome.line.output, "standard output", verdict);
    JudgeText(wanted.errors, outcome.line.errors, "standard error", verdict);
    if (wanted.running && *wanted.running != outcome.line.running)
    {
        verdict.missed.emplace_back(*wanted.running ? "nothing runs on, wanted something that does"
                                                    : "something runs on, wanted nothing");
    }
    return verdict;
}

} // namespace esxnf
