// SPDX-License-Identifier: GPL-2.0-only
#include "esx-console-session.h"

#include "esx-console-commands.h"
#include "esx-console.h"

#include "ns3/esx-host.h"
#include "ns3/log.h"
#include "ns3/simulator.h"

#include <sstream>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxConsoleSession");
NS_OBJECT_ENSURE_REGISTERED(EsxConsoleSession);

using namespace esxconsole;

/// The first command of a pipeline writes into it; what comes out at its end is printed.
struct EsxConsoleSession::Pipe
{
    void Line(std::size_t at, const std::string& line)
    {
        if (at == filters.size())
        {
            session->Print(line, false);
        }
        else if (left[at] || filters[at]->HasLeft())
        {
            Break(at);
        }
        else
        {
            filters[at]->Line(line, SinkAt(at + 1));
        }
    }

    /// Whoever writes to a filter that has left gets SIGPIPE.
    void Break(std::size_t at)
    {
        if (at > 0)
        {
            left[at - 1] = true;
        }
        else if (writer)
        {
            writer->Signal(EsxSignal::PIPE);
        }
    }

    EsxLineFilter::Sink SinkAt(std::size_t at)
    {
        return [this, at](const std::string& line) { Line(at, line); };
    }

    /// The first command ended. \return exit status of the last one
    int End(int status)
    {
        for (std::size_t i = 0; i < filters.size(); ++i)
        {
            status = filters[i]->End(SinkAt(i + 1));
        }
        return status;
    }

    EsxConsoleSession* session;
    std::vector<std::unique_ptr<EsxLineFilter>> filters; // behind the first command
    std::vector<bool> left;                              // filters that SIGPIPE ended
    EsxConsoleProcess* writer{nullptr}; // the first command, if it takes time; it outlives us
};

TypeId
EsxConsoleSession::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxConsoleSession")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddTraceSource("Output",
                            "A line appeared on the terminal (what is typed does not count)",
                            MakeTraceSourceAccessor(&EsxConsoleSession::m_outputTrace),
                            "ns3::EsxConsoleSession::OutputTracedCallback")
            .AddTraceSource("Finished",
                            "A line that had run on after Execute(), or was typed ahead, has ended",
                            MakeTraceSourceAccessor(&EsxConsoleSession::m_finishedTrace),
                            "ns3::EsxConsoleSession::FinishedTracedCallback");
    return tid;
}

EsxConsoleSession::~EsxConsoleSession() = default;

void
EsxConsoleSession::Open(EsxConsole* console, uint32_t terminal)
{
    m_console = console;
    m_terminal = terminal;
    m_openedAt = Simulator::Now();
    m_open = true;
}

EsxConsoleResult
EsxConsoleSession::Execute(const std::string& line)
{
    EsxConsoleResult result;
    if (!m_open)
    {
        const bool halted = m_console->GetHost()->GetState() == EsxHost::HALTED;
        return {EXIT_FAILED,
                "",
                halted ? m_console->GetHost()->GetName() + " has halted\n"
                       : "the session is over\n"};
    }
    if (m_running)
    {
        if (m_typedAhead.size() >= MAX_TYPED_AHEAD)
        {
            return {EXIT_FAILED, "", "the session is busy, and too much was typed ahead\n"};
        }
        m_typedAhead.push_back(line);
        result.queued = true;
        return result;
    }
    m_result = &result;
    RunLine(line);
    m_result = nullptr;
    result.running = m_running;
    result.exitStatus = m_running || m_ranNothing ? 0 : m_lastStatus;
    RunTypedAhead();
    return result;
}

/// Lines that were typed while the session was busy.
void
EsxConsoleSession::RunTypedAhead()
{
    while (m_open && !m_running && !m_typedAhead.empty())
    {
        const std::string line = m_typedAhead.front();
        m_typedAhead.pop_front();
        RunLine(line);
        if (!m_running)
        {
            m_finishedTrace(m_lastStatus);
        }
    }
}

void
EsxConsoleSession::RunLine(const std::string& line)
{
    std::istringstream typed(line);
    std::string prompt = GetPrompt();
    NS_LOG_INFO(prompt << line);
    for (std::string part; std::getline(typed, part); prompt = "> ")
    {
        m_console->Print(prompt + part);
    }
    EsxShellLine parsed = EsxShellLine::Parse(line);
    if (!parsed.error.empty())
    {
        Print(parsed.error, true);
        m_lastStatus = EXIT_USAGE;
        m_ranNothing = false;
        return;
    }
    m_ranNothing = parsed.pipelines.empty();
    m_pipelines = std::move(parsed.pipelines);
    m_next = 0;
    m_running = true;
    Continue();
}

/// Runs what is left of the line, up to a command that takes time.
void
EsxConsoleSession::Continue()
{
    while (m_next < m_pipelines.size() && !m_foreground && !m_exiting)
    {
        const EsxShellLine::Pipeline pipeline = m_pipelines[m_next++];
        const bool good = m_lastStatus == 0;
        if (pipeline.when == EsxShellLine::When::ALWAYS ||
            good == (pipeline.when == EsxShellLine::When::IF_GOOD))
        {
            m_lastStatus = RunPipeline(pipeline);
        }
    }
    if (m_foreground)
    {
        return;
    }
    m_running = false;
    m_pipelines.clear();
    m_next = 0;
    for (const std::string& line : m_jobs.TakeEnded())
    {
        Print(line, true); // as shells do before a prompt
    }
    if (m_exiting)
    {
        End();
    }
}

/// The commands behind "|". A bad one keeps the first one from running (our choice).
/// \return 0, or the exit status if one of them is bad
int
EsxConsoleSession::AddFilters(const EsxShellLine::Pipeline& pipeline, Pipe& pipe)
{
    for (std::size_t i = 1; i < pipeline.commands.size(); ++i)
    {
        const EsxWords words = Expand(pipeline.commands[i]);
        std::string error;
        const Command* command = FindCommand(words[0], error);
        if (!command)
        {
            Print(error, true);
            return EXIT_NOT_FOUND;
        }
        EsxFilterCommand filter = command->filter ? command->filter(words) : EsxFilterCommand{};
        if (!filter.filter || !filter.files.empty())
        {
            const std::string why = !command->filter       ? "reads nothing that comes through |"
                                    : filter.error.empty() ? "behind | it takes no file"
                                                           : filter.error;
            Print(std::string(command->name) + ": " + why, true);
            return EXIT_USAGE;
        }
        pipe.filters.push_back(std::move(filter.filter));
        pipe.left.push_back(false);
    }
    return 0;
}

/// \return exit status; of a pipeline that runs on: 0
int
EsxConsoleSession::RunPipeline(const EsxShellLine::Pipeline& pipeline)
{
    const auto pipe = std::make_shared<Pipe>();
    pipe->session = this;
    const int bad = AddFilters(pipeline, *pipe);
    if (bad != 0)
    {
        return bad;
    }
    const EsxWords words = Expand(pipeline.commands[0]);
    std::string error;
    const Command* command = FindCommand(words[0], error);
    if (!command)
    {
        Print(error, true);
        return EXIT_NOT_FOUND;
    }
    Context context{*m_console,
                    *this,
                    *m_console->GetHost(),
                    Join(words),
                    pipe->SinkAt(0),
                    [this](const std::string& line) { Print(line, true); }};
    return Finish(pipeline, context, RunCommand(*command, context, words), pipe);
}

/// The first command of a pipeline has run, or runs on.
int
EsxConsoleSession::Finish(const EsxShellLine::Pipeline& pipeline,
                          const esxconsole::Context& context,
                          int status,
                          const std::shared_ptr<Pipe>& pipe)
{
    m_exiting = m_exiting || (context.exit && !pipeline.background);
    if (m_result && context.pid != 0)
    {
        m_result->pid = context.pid;
    }
    const Ptr<EsxConsoleProcess> process = context.process;
    const bool runs = process && !process->HasExited();
    if (runs)
    {
        const uint32_t pid = process->GetPid();
        pipe->writer = PeekPointer(process);
        process->SetOutput([this, pipe](const std::string& line, bool error) {
            error ? Print(line, true) : pipe->Line(0, line);
        });
        process->AddExitListener(
            [this, pipe, pid](int ended) { ProcessExited(pid, ended, pipe->End(ended)); });
        if (!pipeline.background)
        {
            m_foreground = process;
            return 0;
        }
    }
    else
    {
        status = pipe->End(status);
    }
    if (!pipeline.background)
    {
        return status;
    }
    m_lastBackground = runs ? process->GetPid() : m_console->AllocateShellPid();
    const EsxConsoleJob& job =
        m_jobs.Add(m_lastBackground, pipeline.text, runs ? process : nullptr, status);
    Print("[" + std::to_string(job.number) + "] " + std::to_string(job.pid), true);
    return 0;
}

void
EsxConsoleSession::ProcessExited(uint32_t pid, int ended, int status)
{
    if (m_foreground && m_foreground->GetPid() == pid)
    {
        m_foreground = nullptr;
        if (!m_open)
        {
            return;
        }
        m_lastStatus = status;
        const std::string word = EsxConsoleJobs::WordOfEnd(ended);
        if (!word.empty())
        {
            Print(word, true);
        }
        Continue();
        if (!m_running)
        {
            m_finishedTrace(m_lastStatus);
            RunTypedAhead();
        }
        return;
    }
    m_jobs.NoteEnd(pid, ended);
}

void
EsxConsoleSession::Interrupt()
{
    if (!m_open)
    {
        return;
    }
    m_console->Print((m_foreground ? "" : GetPrompt()) + "^C");
    if (!m_foreground)
    {
        m_lastStatus = EsxStatusOfSignal(EsxSignal::INT);
        return;
    }
    m_typedAhead.clear();
    m_pipelines.clear();
    m_next = 0;
    const Ptr<EsxConsoleProcess> process = m_foreground;
    process->Signal(EsxSignal::INT);
}

void
EsxConsoleSession::End()
{
    if (!m_open)
    {
        return;
    }
    m_open = false;
    m_typedAhead.clear();
    m_pipelines.clear();
    m_next = 0;
    const Ptr<EsxConsoleProcess> foreground = m_foreground;
    if (foreground)
    {
        foreground->Signal(EsxSignal::HUP);
    }
    m_jobs.HangUp();
    if (m_running)
    {
        m_running = false;
        m_lastStatus = EsxStatusOfSignal(EsxSignal::HUP);
        m_finishedTrace(m_lastStatus);
    }
}

bool
EsxConsoleSession::IsOpen() const
{
    return m_open;
}

bool
EsxConsoleSession::IsBusy() const
{
    return m_running;
}

int
EsxConsoleSession::GetLastStatus() const
{
    return m_lastStatus;
}

std::string
EsxConsoleSession::GetPrompt() const
{
    return "[root@" + m_console->GetHost()->GetName() + " root]# ";
}

uint32_t
EsxConsoleSession::GetTerminal() const
{
    return m_terminal;
}

Time
EsxConsoleSession::GetOpenedAt() const
{
    return m_openedAt;
}

uint32_t
EsxConsoleSession::GetShellPid()
{
    if (m_shellPid == 0)
    {
        m_shellPid = m_console->AllocateShellPid();
    }
    return m_shellPid;
}

bool
EsxConsoleSession::NeedsMore(const std::string& text)
{
    return EsxShellLine::Parse(text).incomplete;
}

const EsxConsoleJobs&
EsxConsoleSession::GetJobs() const
{
    return m_jobs;
}

bool
EsxConsoleSession::BringToForeground(uint32_t number)
{
    m_foreground = m_jobs.Take(number);
    return m_foreground != nullptr;
}

void
EsxConsoleSession::Print(const std::string& line, bool error)
{
    if (!m_open)
    {
        return;
    }
    const std::string printable = EsxConsole::MakePrintable(line);
    m_console->Print(printable);
    if (m_result)
    {
        (error ? m_result->errors : m_result->output) += printable + "\n";
    }
    m_outputTrace(printable, error);
}

/// \return the words as a command gets them now
std::vector<std::string>
EsxConsoleSession::Expand(const EsxShellLine::Command& command)
{
    return EsxShellLine::Expand(command, [this](const std::string& parameter) {
        return parameter == "?"       ? std::to_string(m_lastStatus)
               : parameter == "$"     ? std::to_string(GetShellPid())
               : m_lastBackground > 0 ? std::to_string(m_lastBackground)
                                      : "";
    });
}

void
EsxConsoleSession::DoDispose()
{
    m_open = false;
    m_foreground = nullptr;
    m_jobs.Clear();
    m_console = nullptr;
    Object::DoDispose();
}

} // namespace ns3
