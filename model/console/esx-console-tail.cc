// SPDX-License-Identifier: GPL-2.0-only
#include "model/console/esx-console-tail.h"

#include "ns3/esx-vmkernel-log.h"
#include "ns3/simulator.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxConsoleTail);

TypeId
EsxConsoleTail::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxConsoleTail")
                            .SetParent<EsxConsoleProcess>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxConsoleTail>();
    return tid;
}

EsxConsoleTail::~EsxConsoleTail() = default;

void
EsxConsoleTail::Follow(const Ptr<EsxVmkernelLog>& log)
{
    m_log = log;
    log->TraceConnectWithoutContext("Line", MakeCallback(&EsxConsoleTail::Logged, this));
}

void
EsxConsoleTail::Signal(EsxSignal signal)
{
    // By an event, as it may be the log that calls: a trace cannot lose a listener while it calls
    // it. Nothing is printed any more after Exit().
    Simulator::ScheduleNow(&EsxConsoleTail::Leave, Ptr<EsxConsoleTail>(this));
    Exit(EsxStatusOfSignal(signal));
}

void
EsxConsoleTail::Logged(const std::string& line)
{
    Print(line);
}

void
EsxConsoleTail::Leave()
{
    if (m_log)
    {
        m_log->TraceDisconnectWithoutContext("Line", MakeCallback(&EsxConsoleTail::Logged, this));
        m_log = nullptr;
    }
}

void
EsxConsoleTail::DoDispose()
{
    Leave();
    EsxConsoleProcess::DoDispose();
}

} // namespace ns3
