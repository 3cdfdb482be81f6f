// SPDX-License-Identifier: GPL-2.0-only
#include "model/netflow/esx-net-netflow-process.h"

#include "esx-net-netflow.h"

#include "ns3/simulator.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxNetNetflowProcess);

namespace
{

/// Keeps a process alive until the event that calls this.
void
Hold(Ptr<EsxNetNetflowProcess> /* process */)
{
}

} // namespace

TypeId
EsxNetNetflowProcess::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxNetNetflowProcess")
                            .SetParent<EsxConsoleProcess>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxNetNetflowProcess>();
    return tid;
}

EsxNetNetflowProcess::~EsxNetNetflowProcess() = default;

void
EsxNetNetflowProcess::Run(const Ptr<EsxNetNetflow>& program)
{
    m_program = program;
    program->TraceConnectWithoutContext("Output",
                                        MakeCallback(&EsxNetNetflowProcess::Printed, this));
    program->TraceConnectWithoutContext("Ended", MakeCallback(&EsxNetNetflowProcess::Ended, this));
}

void
EsxNetNetflowProcess::Signal(EsxSignal signal)
{
    if (m_program)
    {
        m_status = EsxStatusOfSignal(signal);
        m_program->Terminate();
    }
}

void
EsxNetNetflowProcess::Printed(const std::string& line)
{
    Print(line);
}

void
EsxNetNetflowProcess::Ended()
{
    // The console forgets the process in Exit(); it must not die inside the trace that calls it.
    Simulator::ScheduleNow(&Hold, Ptr<EsxNetNetflowProcess>(this));
    Exit(m_status);
}

void
EsxNetNetflowProcess::DoDispose()
{
    if (m_program)
    {
        m_program->TraceDisconnectWithoutContext(
            "Output",
            MakeCallback(&EsxNetNetflowProcess::Printed, this));
        m_program->TraceDisconnectWithoutContext("Ended",
                                                 MakeCallback(&EsxNetNetflowProcess::Ended, this));
        m_program = nullptr;
    }
    EsxConsoleProcess::DoDispose();
}

} // namespace ns3
