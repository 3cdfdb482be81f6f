// SPDX-License-Identifier: GPL-2.0-only
#include "esx-icmp-echo.h"

#include "model/host/esx-socket-tools.h"

#include "ns3/icmpv4.h"
#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-raw-socket-factory.h"
#include "ns3/log.h"
#include "ns3/simulator.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/uinteger.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxIcmpEcho");
NS_OBJECT_ENSURE_REGISTERED(EsxIcmpEcho);

TypeId
EsxIcmpEcho::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxIcmpEcho")
            .SetParent<Application>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxIcmpEcho>()
            .AddAttribute("Remote",
                          "Whom to ask. No default.",
                          Ipv4AddressValue(),
                          MakeIpv4AddressAccessor(&EsxIcmpEcho::m_remote),
                          MakeIpv4AddressChecker())
            .AddAttribute("Interval",
                          "Time between requests.",
                          TimeValue(Seconds(1)),
                          MakeTimeAccessor(&EsxIcmpEcho::m_interval),
                          MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("Size",
                          "Octets of data in a request, 0 to 65507.",
                          UintegerValue(56),
                          MakeUintegerAccessor(&EsxIcmpEcho::m_size),
                          MakeUintegerChecker<uint32_t>(0, 65507))
            .AddAttribute("Dscp",
                          "Differentiated services code point, 0 to 63; answers have 0.",
                          UintegerValue(0),
                          MakeUintegerAccessor(&EsxIcmpEcho::m_dscp),
                          MakeUintegerChecker<uint8_t>(0, 63))
            .AddTraceSource("Tx",
                            "A request was handed to the stack.",
                            MakeTraceSourceAccessor(&EsxIcmpEcho::m_txTrace),
                            "ns3::Packet::TracedCallback");
    return tid;
}

uint64_t
EsxIcmpEcho::GetSent() const
{
    return m_sent;
}

Ptr<Packet>
EsxIcmpEcho::MakeRequest(uint16_t identifier, uint16_t sequence, uint32_t octets)
{
    Icmpv4Echo echo;
    echo.SetIdentifier(identifier);
    echo.SetSequenceNumber(sequence);
    echo.SetData(Create<Packet>(octets));
    const Ptr<Packet> packet = Create<Packet>();
    packet->AddHeader(echo);
    Icmpv4Header header;
    header.SetType(Icmpv4Header::ICMPV4_ECHO);
    header.SetCode(0);
    if (Node::ChecksumEnabled())
    {
        header.EnableChecksum();
    }
    packet->AddHeader(header);
    return packet;
}

void
EsxIcmpEcho::DoDispose()
{
    StopApplication();
    Application::DoDispose();
}

void
EsxIcmpEcho::StartApplication()
{
    NS_ABORT_MSG_IF(m_remote == Ipv4Address() || m_remote.IsLocalMulticast(),
                    "EsxIcmpEcho: Remote is not set, or an address that ns-3 has no route to");
    m_socket = Socket::CreateSocket(GetNode(), Ipv4RawSocketFactory::GetTypeId());
    m_socket->SetAttribute("Protocol", UintegerValue(1));
    m_socket->Bind();
    m_socket->ShutdownRecv();
    m_socket->Connect(InetSocketAddress(m_remote, 0));
    m_socket->SetIpTos(m_dscp << 2);
    NS_LOG_INFO("node " << GetNode()->GetId() << " asks " << m_remote << " every "
                        << m_interval.As(Time::MS));
    Send();
}

void
EsxIcmpEcho::StopApplication()
{
    m_next.Cancel();
    if (m_socket)
    {
        m_socket->Close();
        m_socket = nullptr;
    }
}

void
EsxIcmpEcho::Send()
{
    const auto request =
        MakeRequest(static_cast<uint16_t>(GetNode()->GetId()), m_sequence++, m_size);
    m_next = Simulator::Schedule(m_interval, &EsxIcmpEcho::Send, this);
    if (EsxRouteTo(GetNode(), m_remote) && m_socket->Send(request) >= 0)
    {
        ++m_sent;
        m_txTrace(request);
    }
}

} // namespace ns3
