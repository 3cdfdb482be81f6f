// SPDX-License-Identifier: GPL-2.0-only
#include "esx-tcp-syn-scan.h"

#include "model/host/esx-socket-tools.h"

#include "ns3/abort.h"
#include "ns3/boolean.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/packet.h"
#include "ns3/simulator.h"
#include "ns3/tcp-header.h"
#include "ns3/tcp-l4-protocol.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/uinteger.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxTcpSynScan");
NS_OBJECT_ENSURE_REGISTERED(EsxTcpSynScan);

TypeId
EsxTcpSynScan::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxTcpSynScan")
            .SetParent<Application>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxTcpSynScan>()
            .AddAttribute("Remote",
                          "IPv4 address of the first target. No default.",
                          Ipv4AddressValue(Ipv4Address::GetAny()),
                          MakeIpv4AddressAccessor(&EsxTcpSynScan::m_remote),
                          MakeIpv4AddressChecker())
            .AddAttribute("FirstPort",
                          "Lowest destination port.",
                          UintegerValue(1),
                          MakeUintegerAccessor(&EsxTcpSynScan::m_firstPort),
                          MakeUintegerChecker<uint16_t>(1))
            .AddAttribute("LastPort",
                          "Highest destination port; the scan ends after it.",
                          UintegerValue(1024),
                          MakeUintegerAccessor(&EsxTcpSynScan::m_lastPort),
                          MakeUintegerChecker<uint16_t>(1))
            .AddAttribute("Interval",
                          "Time from one SYN to the next, more than 0.",
                          TimeValue(MilliSeconds(1)),
                          MakeTimeAccessor(&EsxTcpSynScan::m_interval),
                          MakeTimeChecker(TimeStep(1)))
            .AddAttribute("SourcePort",
                          "Source port of the first SYN. The default is below ns-3's ephemeral "
                          "ports (49152 up).",
                          UintegerValue(40000),
                          MakeUintegerAccessor(&EsxTcpSynScan::m_firstSourcePort),
                          MakeUintegerChecker<uint16_t>(1))
            .AddAttribute("SourcePortRises",
                          "Each SYN takes the next higher source port (65535 is followed by "
                          "SourcePort) instead of "
                          "the same one.",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxTcpSynScan::m_sourcePortRises),
                          MakeBooleanChecker())
            .AddTraceSource("Tx",
                            "A SYN was handed to the stack: target, port, source port.",
                            MakeTraceSourceAccessor(&EsxTcpSynScan::m_txTrace),
                            "ns3::EsxTcpSynScan::TxCallback");
    return tid;
}

void
EsxTcpSynScan::AddRemote(Ipv4Address target)
{
    m_further.push_back(target);
}

uint64_t
EsxTcpSynScan::GetSent() const
{
    return m_sent;
}

uint64_t
EsxTcpSynScan::GetUnroutable() const
{
    return m_unroutable;
}

void
EsxTcpSynScan::DoDispose()
{
    m_next.Cancel();
    Application::DoDispose();
}

void
EsxTcpSynScan::StartApplication()
{
    NS_ABORT_MSG_IF(m_remote.IsAny(), "EsxTcpSynScan: Remote is not set");
    NS_ABORT_MSG_IF(m_firstPort > m_lastPort, "EsxTcpSynScan: FirstPort is higher than LastPort");
    NS_ABORT_MSG_IF(!GetNode()->GetObject<TcpL4Protocol>(),
                    "EsxTcpSynScan: node " << GetNode()->GetId() << " has no TCP stack");
    NS_LOG_INFO("node " << GetNode()->GetId() << " scans ports " << m_firstPort << " to "
                        << m_lastPort << " of " << m_remote);
    m_port = m_firstPort;
    m_sourcePort = m_firstSourcePort;
    Probe();
}

void
EsxTcpSynScan::StopApplication()
{
    m_next.Cancel();
}

void
EsxTcpSynScan::Probe()
{
    SendSyn(m_target == 0 ? m_remote : m_further[m_target - 1]);
    if (m_sourcePortRises)
    {
        m_sourcePort = m_sourcePort == UINT16_MAX ? m_firstSourcePort : m_sourcePort + 1;
    }
    if (m_port < m_lastPort)
    {
        ++m_port;
    }
    else if (m_target < m_further.size())
    {
        ++m_target;
        m_port = m_firstPort;
    }
    else
    {
        return;
    }
    m_next = Simulator::Schedule(m_interval, &EsxTcpSynScan::Probe, this);
}

void
EsxTcpSynScan::SendSyn(Ipv4Address target)
{
    const auto route = EsxRouteTo(GetNode(), target);
    if (!route)
    {
        ++m_unroutable;
        return;
    }
    TcpHeader header;
    header.SetFlags(TcpHeader::SYN);
    header.SetSourcePort(m_sourcePort);
    header.SetDestinationPort(m_port);
    header.SetWindowSize(1024); // what common scanners announce; no data ever follows
    const auto tcp = GetNode()->GetObject<TcpL4Protocol>();
    tcp->SendPacket(Create<Packet>(),
                    header,
                    route->GetSource(),
                    target); // checksum as ChecksumEnabled says
    ++m_sent;
    m_txTrace(target, m_port, m_sourcePort);
}

} // namespace ns3
