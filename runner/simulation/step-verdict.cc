// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/step-verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

namespace
{

constexpr int SIGINT_STATUS = 128 + 2;
constexpr int SIGKILL_STATUS = 128 + 9;
constexpr int SIGTERM_STATUS = 128 + 15;

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

/// Whether a signal that only a scenario sends ended the line: its own key or signal step, or a
/// kill typed elsewhere.
bool
WasStopped(const LineOutcome& line)
{
    return line.stopped || line.exit == SIGINT_STATUS || line.exit == SIGKILL_STATUS ||
           line.exit == SIGTERM_STATUS;
}

void
JudgeExit(const StepExpectation& wanted, const LineOutcome& line, StepVerdict& verdict)
{
    if (wanted.exitIsAny)
    {
        return;
    }
    if (wanted.exitIsNonzero)
    {
        if (line.exit.value_or(0) == 0)
        {
            verdict.missed.push_back(fmt::format("{}, wanted any but 0", ExitText(line.exit)));
        }
        return;
    }
    const bool mayLack = !wanted.exit && (!line.exit || WasStopped(line)); // it runs on
    if (!mayLack && line.exit != wanted.exit.value_or(0))
    {
        verdict.missed.push_back(
            fmt::format("{}, wanted {}", ExitText(line.exit), wanted.exit.value_or(0)));
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

/// When, where and what: "esx1", "vmkload_mod netflow"; "nf1", "signal TERM"; "web1", "power on".
StepVerdict
Describe(const TimelineStep& step)
{
    StepVerdict verdict;
    verdict.path = step.path + (step.expect ? "/expect" : "");
    verdict.at = step.at;
    verdict.host = step.kind == StepKind::Console  ? step.host
                   : step.kind == StepKind::Signal ? step.process
                                                   : step.vm;
    verdict.command = step.kind == StepKind::Console   ? step.command
                      : step.kind == StepKind::Signal  ? "signal " + step.signal
                      : step.kind == StepKind::Vmotion ? "vmotion to " + step.vmotionTo
                      : step.kind == StepKind::Power   ? (step.on ? "power on" : "power off")
                                                       : (step.on ? "connect" : "disconnect");
    return verdict;
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
JudgeMissing(const TimelineStep& step)
{
    StepVerdict verdict = Describe(step);
    verdict.missed.emplace_back("it never happened: the run ended before");
    return verdict;
}

StepVerdict
Judge(const StepOutcome& outcome)
{
    const TimelineStep& step = *outcome.step;
    const StepExpectation wanted = step.expect.value_or(StepExpectation());
    StepVerdict verdict = Describe(step);
    verdict.printed = outcome.line;
    if (outcome.line.waits && !outcome.line.stopped && !wanted.exitIsAny)
    {
        verdict.missed.emplace_back("it never ran: its session was busy, or over");
        return verdict;
    }
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
