// SPDX-License-Identifier: GPL-2.0-only
#include "model/console/esx-console-top.h"

#include "ns3/esx-vmkernel-log.h"
#include "ns3/simulator.h"

#include <sstream>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxConsoleTop);

TypeId
EsxConsoleTop::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxConsoleTop")
                            .SetParent<EsxConsoleProcess>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxConsoleTop>();
    return tid;
}

EsxConsoleTop::~EsxConsoleTop() = default;

void
EsxConsoleTop::Run(const Ptr<EsxHost>& host, Time delay, uint64_t screens)
{
    m_host = host;
    m_top = std::make_unique<EsxTop>(*host);
    m_top->Sample(); // rates count from here
    m_delay = delay;
    m_left = screens;
    m_event = Simulator::Schedule(delay, &EsxConsoleTop::Show, this);
}

void
EsxConsoleTop::Show()
{
    const Ptr<EsxConsoleTop> self(this); // what is printed can make somebody end it
    Print(EsxVmkernelLog::FormatDate(m_host->GetUnixTimeNs()) + " up " +
          EsxVmkernelLog::FormatUptime(m_host->GetUptime()) + ", rates over " +
          std::to_string(m_delay.GetMilliSeconds() / 1000) + " s");
    std::istringstream lines(EsxTop::Format(m_top->Sample()) + "\n");
    for (std::string line; !HasExited() && std::getline(lines, line);)
    {
        Print(line);
    }
    if (HasExited())
    {
        return;
    }
    if (m_left == 1)
    {
        Exit(0);
        return;
    }
    m_left -= m_left == 0 ? 0 : 1;
    m_event = Simulator::Schedule(m_delay, &EsxConsoleTop::Show, this);
}

void
EsxConsoleTop::Signal(EsxSignal signal)
{
    m_event.Cancel();
    Exit(EsxStatusOfSignal(signal));
}

void
EsxConsoleTop::DoDispose()
{
    m_event.Cancel();
    m_top.reset();
    m_host = nullptr;
    EsxConsoleProcess::DoDispose();
}

} // namespace ns3
