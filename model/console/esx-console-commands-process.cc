// SPDX-License-Identifier: GPL-2.0-only
// Commands about processes: ps, kill, jobs, fg.

#include "esx-console-commands.h"

#include "ns3/esx-host.h"
#include "ns3/esx-vmkernel-log.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <cstdio>

namespace ns3
{

namespace esxconsole
{

namespace
{

/// One line of ps.
struct PsLine
{
    uint32_t pid;
    uint32_t parent;
    std::string terminal; //!< "pts/0", "?"
    Time since;
    std::string command; //!< with arguments
    std::string name;
};

std::string
TerminalOf(const EsxConsoleSession& session)
{
    return "pts/" + std::to_string(session.GetTerminal());
}

/// The open sessions' shells, the programs that run, and ps itself: a console host has many more
/// processes, which are not modelled.
std::vector<PsLine>
ListProcesses(Context& context, const std::string& psLine)
{
    std::vector<PsLine> lines;
    for (const Ptr<EsxConsoleSession>& session : context.console.GetSessions())
    {
        if (session->IsOpen())
        {
            lines.push_back({session->GetShellPid(),
                             1,
                             TerminalOf(*session),
                             session->GetOpenedAt(),
                             "-bash",
                             "bash"});
        }
    }
    for (const EsxConsole::Running& running : context.console.GetRunning())
    {
        const std::string& command = running.process->GetCommandLine();
        const std::string first = command.substr(0, command.find(' '));
        lines.push_back({running.process->GetPid(),
                         running.owner ? running.owner->GetShellPid() : 1,
                         running.owner ? TerminalOf(*running.owner) : "?",
                         running.since,
                         command,
                         first.substr(first.rfind('/') + 1)});
    }
    lines.push_back({context.console.AllocateShellPid(),
                     context.session.GetShellPid(),
                     TerminalOf(context.session),
                     Simulator::Now(),
                     psLine,
                     "ps"});
    return lines;
}

/// "01:15"
std::string
ClockOf(const EsxHost& host, Time since)
{
    const uint64_t then =
        host.GetUnixTimeNs() - static_cast<uint64_t>((Simulator::Now() - since).GetNanoSeconds());
    return EsxVmkernelLog::FormatDate(then).substr(7, 5);
}

template <typename... Values>
std::string
Format(const char* format, Values... values)
{
    char text[160];
    std::snprintf(text, sizeof(text), format, values...);
    return text;
}

/// \return false if it is none of the signals that end a process; 0 is "does it exist?"
bool
ParseSignal(std::string text, int& number)
{
    if (text.compare(0, 3, "SIG") == 0)
    {
        text.erase(0, 3);
    }
    for (const EsxSignal signal :
         {EsxSignal::HUP, EsxSignal::INT, EsxSignal::KILL, EsxSignal::TERM})
    {
        number = static_cast<int>(signal);
        if (text == ToString(signal) || text == std::to_string(number))
        {
            return true;
        }
    }
    number = 0;
    return text == "0";
}

/// A signal to a session's shell: an interactive shell ignores SIGTERM and SIGINT.
bool
SignalShell(Context& context, uint32_t pid, int signal)
{
    for (const Ptr<EsxConsoleSession>& session : context.console.GetSessions())
    {
        if (!session->IsOpen() || session->GetShellPid() != pid)
        {
            continue;
        }
        const bool ends = signal == static_cast<int>(EsxSignal::HUP) ||
                          signal == static_cast<int>(EsxSignal::KILL);
        if (PeekPointer(session) == &context.session)
        {
            context.exit = context.exit || ends;
        }
        else if (ends)
        {
            session->End();
        }
        return true;
    }
    return false;
}

/// \return exit status
int
KillOne(Context& context, const std::string& target, int signal)
{
    uint64_t pid = 0;
    if (target[0] == '%')
    {
        uint64_t number = 0;
        const bool isNumber = ParseNumber(target.substr(1), 1, UINT32_MAX, number);
        for (const EsxConsoleJob& job : context.session.GetJobs().GetAll())
        {
            pid = isNumber && job.number == number && !job.HasEnded() ? job.pid : pid;
        }
        if (pid == 0)
        {
            return context.Fail(EXIT_FAILED, "-bash: kill: " + target + ": no such job");
        }
    }
    else if (!ParseNumber(target, 1, UINT32_MAX, pid))
    {
        return context.Fail(EXIT_FAILED,
                            "-bash: kill: " + target + ": arguments must be process or job IDs");
    }
    const auto& running = context.console.GetRunning();
    const bool exists =
        std::any_of(running.begin(), running.end(), [pid](const EsxConsole::Running& process) {
            return process.process->GetPid() == pid;
        });
    if (exists && signal != 0)
    {
        context.console.Kill(static_cast<uint32_t>(pid), static_cast<EsxSignal>(signal));
    }
    if (exists || SignalShell(context, static_cast<uint32_t>(pid), signal))
    {
        return EXIT_GOOD;
    }
    return context.Fail(EXIT_FAILED, "-bash: kill: (" + target + ") - No such process");
}

} // namespace

int
Ps(Context& context, const EsxWords& words)
{
    std::string form;
    for (std::size_t i = 1; i < words.size(); ++i)
    {
        for (char c : words[i])
        {
            form += c;
        }
    }
    const bool isKnown = form.find_first_not_of("-aAefuxwl") == std::string::npos;
    if (!isKnown)
    {
        context.err("ps: unknown option in '" + Join(words, 1) + "'");
        return context.Fail(EXIT_USAGE, UsageOf("ps"));
    }
    const bool full = form.find('f') != std::string::npos;
    const bool user = form.find('u') != std::string::npos;
    context.out(full   ? "UID        PID  PPID  C STIME TTY          TIME CMD"
                : user ? "USER       PID %CPU %MEM   VSZ  RSS TTY      STAT START   TIME COMMAND"
                       : "  PID TTY          TIME CMD");
    for (const PsLine& line : ListProcesses(context, Join(words)))
    {
        const std::string clock = ClockOf(context.host, line.since);
        const char* terminal = line.terminal.c_str();
        if (full)
        {
            context.out(Format("%-8s %5u %5u  0 %s %-8s 00:00:00 ",
                               "root",
                               line.pid,
                               line.parent,
                               clock.c_str(),
                               terminal) +
                        line.command);
        }
        else if (user)
        {
            context.out(Format("%-8s %5u  0.0  0.0     0    0 %-8s S    %s   0:00 ",
                               "root",
                               line.pid,
                               terminal,
                               clock.c_str()) +
                        line.command);
        }
        else
        {
            context.out(Format("%5u %-8s 00:00:00 ", line.pid, terminal) +
                        (line.name == "vmkload_app" ? line.command : line.name));
        }
    }
    return EXIT_GOOD;
}

int
Kill(Context& context, const EsxWords& words)
{
    std::size_t at = 1;
    int signal = static_cast<int>(EsxSignal::TERM);
    if (words.size() > 1 && words[1] == "-l")
    {
        context.out(" 1) SIGHUP\t 2) SIGINT\t 9) SIGKILL\t15) SIGTERM");
        return EXIT_GOOD;
    }
    if (words.size() > 1 && words[1].size() > 1 && words[1][0] == '-')
    {
        const bool separate = words[1] == "-s" || words[1] == "-n";
        const std::string text = separate ? (words.size() > 2 ? words[2] : "") : words[1].substr(1);
        if (!ParseSignal(text, signal))
        {
            return context.Fail(EXIT_FAILED,
                                "-bash: kill: " + text +
                                    ": invalid signal specification "
                                    "(there are HUP, INT, KILL and TERM)");
        }
        at += separate ? 2 : 1;
    }
    if (at >= words.size())
    {
        return context.Fail(EXIT_USAGE, UsageOf("kill"));
    }
    int status = EXIT_GOOD;
    for (; at < words.size(); ++at)
    {
        status = std::max(status, KillOne(context, words[at], signal));
    }
    return status;
}

int
Jobs(Context& context, const EsxWords& words)
{
    if (words.size() > 1)
    {
        return context.Fail(EXIT_USAGE, UsageOf("jobs"));
    }
    for (const EsxConsoleJob& job : context.session.GetJobs().GetAll())
    {
        context.out(context.session.GetJobs().Describe(job));
    }
    return EXIT_GOOD;
}

int
Foreground(Context& context, const EsxWords& words)
{
    const auto& jobs = context.session.GetJobs().GetAll();
    uint64_t number = jobs.empty() ? 0 : jobs.back().number;
    const std::string target = words.size() > 1 ? words[1] : "current";
    if (words.size() > 2)
    {
        return context.Fail(EXIT_USAGE, UsageOf("fg"));
    }
    if (words.size() == 2)
    {
        const std::string text = target[0] == '%' ? target.substr(1) : target;
        number = ParseNumber(text, 1, UINT32_MAX, number) ? number : 0;
    }
    for (const EsxConsoleJob& job : jobs)
    {
        if (job.number == number && !job.HasEnded())
        {
            context.out(job.text);
            context.session.BringToForeground(job.number);
            return EXIT_GOOD;
        }
    }
    return context.Fail(EXIT_FAILED, "-bash: fg: " + target + ": no such job");
}

} // namespace esxconsole

} // namespace ns3
