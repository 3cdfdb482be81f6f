// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/console-window.h"

#include <algorithm>

namespace esxnf
{

using namespace ns3;

ConsoleWindow::ConsoleWindow(const Ptr<EsxConsole>& console)
    : m_session(console->OpenSession())
{
    m_session->TraceConnectWithoutContext("Output", MakeCallback(&ConsoleWindow::Appeared, this));
    m_session->TraceConnectWithoutContext("Finished", MakeCallback(&ConsoleWindow::Finished, this));
}

ConsoleWindow::~ConsoleWindow()
{
    m_session->TraceDisconnectWithoutContext("Output",
                                             MakeCallback(&ConsoleWindow::Appeared, this));
    m_session->TraceDisconnectWithoutContext("Finished",
                                             MakeCallback(&ConsoleWindow::Finished, this));
}

void
ConsoleWindow::Type(const std::string& line, LineOutcome& outcome)
{
    const bool waits = !m_lines.empty();
    m_lines.push_back(&outcome);
    const EsxConsoleResult result = m_session->Execute(line);
    outcome.pid = result.pid;
    outcome.running = result.running || result.pid != 0;
    outcome.waits = result.queued;
    if (result.queued || result.running)
    {
        return;
    }
    if (!m_lines.empty() && m_lines.back() == &outcome)
    {
        m_lines.pop_back();
    }
    outcome.exit = result.exitStatus;
    if (waits || outcome.errors.empty())
    {
        outcome.errors =
            result.errors; // said to who typed, not on the terminal: the session is over
    }
}

void
ConsoleWindow::Interrupt()
{
    Forget();
    m_session->Interrupt();
}

void
ConsoleWindow::Close()
{
    Forget();
    m_session->End();
}

const Ptr<EsxConsoleSession>&
ConsoleWindow::GetSession() const
{
    return m_session;
}

void
ConsoleWindow::Appeared(const std::string& line, bool error)
{
    if (!m_lines.empty())
    {
        (error ? m_lines.front()->errors : m_lines.front()->output) += line + "\n";
    }
}

void
ConsoleWindow::Finished(int status)
{
    if (!m_lines.empty())
    {
        m_lines.front()->exit = status;
        m_lines.pop_front();
    }
    if (!m_lines.empty() && m_session->IsOpen())
    {
        m_lines.front()->waits = false;
    }
}

/// Ends the line that runs; lines that were typed ahead never run.
void
ConsoleWindow::Forget()
{
    for (LineOutcome* line : m_lines)
    {
        line->stopped = true;
    }
    if (m_lines.size() > 1)
    {
        m_lines.resize(1);
    }
}

ConsoleWindow&
ConsoleWindows::GetNamed(const Ptr<EsxConsole>& console, const std::string& name)
{
    std::unique_ptr<ConsoleWindow>& window = m_hosts[PeekPointer(console)].named[name];
    if (!window)
    {
        window = std::make_unique<ConsoleWindow>(console);
    }
    return *window;
}

ConsoleWindow&
ConsoleWindows::GetFree(const Ptr<EsxConsole>& console)
{
    OfHost& host = m_hosts[PeekPointer(console)];
    for (const std::unique_ptr<ConsoleWindow>& window : host.others)
    {
        if (window->GetSession()->IsOpen() && !window->GetSession()->IsBusy())
        {
            host.latest = window.get();
            return *window;
        }
    }
    host.others.push_back(std::make_unique<ConsoleWindow>(console));
    host.latest = host.others.back().get();
    return *host.latest;
}

ConsoleWindow&
ConsoleWindows::GetLatest(const Ptr<EsxConsole>& console)
{
    OfHost& host = m_hosts[PeekPointer(console)];
    return host.latest ? *host.latest : GetFree(console);
}

} // namespace esxnf
