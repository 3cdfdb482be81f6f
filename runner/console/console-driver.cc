// SPDX-License-Identifier: GPL-2.0-only
#include "runner/console/console-driver.h"

#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <regex>
#include <sstream>

namespace esxnf
{

namespace
{

constexpr int64_t NS_PER_SECOND = 1'000'000'000;

/// "run 30s" -> "30s"; false if the line is no 'run'
bool
IsRun(const std::string& line, std::string& time)
{
    std::istringstream words(line);
    std::string word;
    std::string more;
    words >> word;
    words >> time;
    return word == "run" && !(words >> more);
}

/// As in scenarios.
bool
IsTime(const std::string& text)
{
    static const std::regex TIME("[0-9]{1,9}(\\.[0-9]{1,9})?(ns|us|ms|s)|"
                                 "[0-9]{1,6}(\\.[0-9]{1,9})?(min|h)");
    return text.size() < 30 && std::regex_match(text, TIME);
}

} // namespace

ConsoleDriver::ConsoleDriver(Simulation& simulation,
                             const ns3::Ptr<ns3::EsxHost>& host,
                             ConsoleInput& input,
                             KeyCatcher& keys,
                             const Options& options)
    : m_simulation(simulation),
      m_host(host),
      m_input(input),
      m_keys(keys),
      m_options(options),
      m_window(host->GetObject<ns3::EsxConsole>())
{
    m_window.GetSession()->TraceConnectWithoutContext(
        "Output",
        ns3::Callback<void, const std::string&, bool>(
            [this](const std::string& line, bool error) { m_input.Print(line, error); }));
}

void
ConsoleDriver::Run()
{
    m_simulation.RunTo(ns3::Time(0));
    m_clock.Start(ns3::Time(0));
    ConsoleInput::Idle idle;
    if (m_options.realTime)
    {
        idle = [this] {
            const bool wasBusy = IsBusy();
            CatchUp();
            return IsBusy() != wasBusy;
        };
    }
    while (m_window.GetSession()->IsOpen())
    {
        const Typed typed = m_input.Read(Prompt(), idle);
        if (m_options.realTime)
        {
            CatchUp(); // it is typed now
        }
        Take(typed);
    }
    if (m_simulation.Now().IsZero())
    {
        m_simulation.RunTo(ns3::NanoSeconds(1)); // no scenario is shorter
    }
    m_simulation.Finish();
}

const std::deque<TypedStep>&
ConsoleDriver::GetTyped() const
{
    return m_typed;
}

bool
ConsoleDriver::IsBusy() const
{
    return m_window.GetSession()->IsBusy();
}

std::string
ConsoleDriver::Prompt() const
{
    if (!m_begun.empty())
    {
        return "> ";
    }
    if (m_options.realTime)
    {
        return IsBusy() ? "" : m_window.GetSession()->GetPrompt();
    }
    return fmt::format("{}s {}",
                       m_simulation.Now().GetSeconds(),
                       IsBusy() ? "(running) > " : m_window.GetSession()->GetPrompt());
}

/// "at 30s: 2008-10-26 00:00:30 UTC"
std::string
ConsoleDriver::Clock() const
{
    const auto seconds = static_cast<std::time_t>(m_host->GetUnixTimeNs() / NS_PER_SECOND);
    return fmt::format("at {}s: {:%Y-%m-%d %H:%M:%S} UTC",
                       m_simulation.Now().GetSeconds(),
                       fmt::gmtime(seconds));
}

/// Real time: to what the clock shows.
void
ConsoleDriver::CatchUp()
{
    const ns3::Time now = m_clock.Read();
    if (now > m_simulation.Now())
    {
        m_simulation.RunTo(now);
    }
}

void
ConsoleDriver::Take(const Typed& typed)
{
    switch (typed.kind)
    {
    case Typed::Kind::LINE:
        TakeLine(typed.line);
        break;
    case Typed::Kind::INTERRUPT:
        TakeInterrupt();
        break;
    case Typed::Kind::END:
        Close();
        break;
    case Typed::Kind::WAKE:
        break;
    }
}

void
ConsoleDriver::TakeLine(const std::string& line)
{
    std::string time;
    if (m_begun.empty() && IsRun(line, time))
    {
        RunFor(time);
        return;
    }
    m_begun += line;
    if (ns3::EsxConsoleSession::NeedsMore(m_begun))
    {
        m_begun += '\n';
        return;
    }
    const std::string whole = m_begun.empty() ? " " : m_begun; // a bare Return is a line, too
    m_begun.clear();
    Type(whole);
}

void
ConsoleDriver::Type(const std::string& line)
{
    if (m_options.onlyRecordable && !IsRecordable(line))
    {
        m_input.Print(
            "esx-netflow: not run: a record holds lines of up to 4000 characters of UTF-8",
            true);
        return;
    }
    m_typed.push_back({m_simulation.Now(), line, "", {}});
    LineOutcome& outcome = m_typed.back().outcome;
    const bool wasBusy = IsBusy();
    m_window.Type(line, outcome);
    if (IsBusy() && !wasBusy && !m_options.realTime && m_input.IsTerminal())
    {
        m_input.Print("(it runs in the foreground, and time stands still until you let it pass: "
                      "'run 30s'; Ctrl-C ends it)",
                      false);
    }
}

void
ConsoleDriver::TakeInterrupt()
{
    m_begun.clear();
    m_typed.push_back({m_simulation.Now(), "", "ctrl-c", {}});
    m_window.Interrupt();
}

void
ConsoleDriver::Close()
{
    if (!m_begun.empty())
    {
        Type(m_begun);
        m_begun.clear();
    }
    m_typed.push_back({m_simulation.Now(), "", "ctrl-d", {}});
    m_window.Close();
}

void
ConsoleDriver::RunFor(const std::string& time)
{
    if (!IsTime(time))
    {
        m_input.Print("run: how long? A time with its unit (ns, us, ms, s, min, h) such as run 30s",
                      true);
        return;
    }
    const bool arrived = AdvanceTo(m_simulation.Now() + ns3::Time(time));
    if (!arrived && m_keys.TakeInterrupt() && m_input.IsTerminal())
    {
        m_input.Print("^C", false);
        if (IsBusy())
        {
            TakeInterrupt();
        }
    }
    m_input.Print(Clock(), false);
}

/// \return false if a key or a signal ended it earlier
bool
ConsoleDriver::AdvanceTo(ns3::Time instant)
{
    if (!m_options.realTime)
    {
        return m_simulation.RunTo(instant);
    }
    constexpr int64_t SLICE_MS = 20;
    while (!m_keys.IsPending() && m_simulation.Now() < instant)
    {
        m_clock.WaitUntil(std::min(instant, m_simulation.Now() + ns3::MilliSeconds(SLICE_MS)));
        m_simulation.RunTo(std::max(m_simulation.Now(), std::min(instant, m_clock.Read())));
    }
    return !m_keys.IsPending();
}

} // namespace esxnf
