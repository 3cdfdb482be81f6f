// SPDX-License-Identifier: GPL-2.0-only
#include "esx-console-process.h"

#include "ns3/assert.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxConsoleProcess);

const char*
ToString(EsxSignal signal)
{
    switch (signal)
    {
    case EsxSignal::HUP:
        return "HUP";
    case EsxSignal::INT:
        return "INT";
    case EsxSignal::KILL:
        return "KILL";
    case EsxSignal::PIPE:
        return "PIPE";
    case EsxSignal::TERM:
        break;
    }
    return "TERM";
}

TypeId
EsxConsoleProcess::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxConsoleProcess").SetParent<Object>().SetGroupName("EsxNetflow");
    return tid;
}

EsxConsoleProcess::~EsxConsoleProcess() = default;

void
EsxConsoleProcess::Attach(uint32_t pid, const std::string& commandLine)
{
    m_pid = pid;
    m_commandLine = commandLine;
}

void
EsxConsoleProcess::SetOutput(OutputCallback output)
{
    m_output = std::move(output);
}

void
EsxConsoleProcess::AddExitListener(ExitCallback listener)
{
    m_exitListeners.push_back(std::move(listener));
}

uint32_t
EsxConsoleProcess::GetPid() const
{
    return m_pid;
}

const std::string&
EsxConsoleProcess::GetCommandLine() const
{
    return m_commandLine;
}

bool
EsxConsoleProcess::HasExited() const
{
    return m_exited;
}

int
EsxConsoleProcess::GetExitStatus() const
{
    return m_exitStatus;
}

void
EsxConsoleProcess::Print(const std::string& line, bool error)
{
    if (m_output && !m_exited)
    {
        m_output(line, error);
    }
}

void
EsxConsoleProcess::Exit(int status)
{
    if (m_exited)
    {
        return;
    }
    const Ptr<EsxConsoleProcess> self(this); // the console forgets it
    m_exited = true;
    m_exitStatus = status;
    const auto listeners = std::move(m_exitListeners); // one may dispose of this process
    m_exitListeners.clear();
    for (const ExitCallback& listener : listeners)
    {
        listener(status);
    }
}

void
EsxConsoleProcess::DoDispose()
{
    m_output = nullptr;
    m_exitListeners.clear();
    Object::DoDispose();
}

} // namespace ns3
