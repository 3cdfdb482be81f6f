// SPDX-License-Identifier: GPL-2.0-only
#include "esx-udp-cbr.h"

#include "ns3/abort.h"
#include "ns3/log.h"
#include "ns3/simulator.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/udp-socket-factory.h"
#include "ns3/uinteger.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxUdpCbr");
NS_OBJECT_ENSURE_REGISTERED(EsxUdpCbr);

TypeId
EsxUdpCbr::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxUdpCbr")
            .SetParent<Application>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxUdpCbr>()
            .AddAttribute("Remote",
                          "Where to send: an InetSocketAddress. No default.",
                          AddressValue(),
                          MakeAddressAccessor(&EsxUdpCbr::m_remote),
                          MakeAddressChecker())
            .AddAttribute("DataRate",
                          "UDP payload in bit/s.",
                          DataRateValue(DataRate("512kb/s")),
                          MakeDataRateAccessor(&EsxUdpCbr::m_rate),
                          MakeDataRateChecker())
            .AddAttribute("PacketSize",
                          "UDP payload of one packet in bytes, 1 to 65507.",
                          UintegerValue(512),
                          MakeUintegerAccessor(&EsxUdpCbr::m_packetSize),
                          MakeUintegerChecker<uint32_t>(1, 65507))
            .AddAttribute(
                "Dscp",
                "Differentiated services code point, 0 to 63: the upper six bits of the ToS byte.",
                UintegerValue(0),
                MakeUintegerAccessor(&EsxUdpCbr::m_dscp),
                MakeUintegerChecker<uint8_t>(0, 63))
            .AddTraceSource("Tx",
                            "A packet was handed to the stack.",
                            MakeTraceSourceAccessor(&EsxUdpCbr::m_txTrace),
                            "ns3::Packet::TracedCallback");
    return tid;
}

uint64_t
EsxUdpCbr::GetSent() const
{
    return m_sent;
}

uint64_t
EsxUdpCbr::GetRefused() const
{
    return m_refused;
}

void
EsxUdpCbr::DoDispose()
{
    m_next.Cancel();
    m_socket = nullptr;
    Application::DoDispose();
}

void
EsxUdpCbr::StartApplication()
{
    NS_ABORT_MSG_IF(m_remote.IsInvalid(), "EsxUdpCbr: Remote is not set");
    NS_ABORT_MSG_IF(InetSocketAddress::IsMatchingType(m_remote) &&
                        InetSocketAddress::ConvertFrom(m_remote).GetIpv4().IsLocalMulticast(),
                    "EsxUdpCbr: ns-3 has no route to 224.0.0.0/24");
    NS_ABORT_MSG_IF(m_rate.GetBitRate() == 0, "EsxUdpCbr: DataRate must be more than 0");
    m_interval = m_rate.CalculateBytesTxTime(m_packetSize);
    NS_LOG_INFO("node " << GetNode()->GetId() << " sends " << m_packetSize << " octets every "
                        << m_interval.As(Time::US));
    NS_ABORT_MSG_IF(!m_interval.IsStrictlyPositive(), "EsxUdpCbr: DataRate is out of range");
    m_socket = Socket::CreateSocket(GetNode(), UdpSocketFactory::GetTypeId());
    NS_ABORT_MSG_IF(m_socket->Bind() == -1, "EsxUdpCbr: no free UDP port");
    m_socket->ShutdownRecv();
    m_socket->Connect(m_remote);
    m_socket->SetIpTos(m_dscp << 2); // after Connect, which resets it in ns-3 up to 3.41
    Send();
}

void
EsxUdpCbr::StopApplication()
{
    m_next.Cancel();
    if (m_socket)
    {
        m_socket->Close();
        m_socket = nullptr;
    }
}

void
EsxUdpCbr::Send()
{
    const auto packet = Create<Packet>(m_packetSize);
    m_next = Simulator::Schedule(m_interval, &EsxUdpCbr::Send, this);
    if (m_socket->Send(packet) < 0)
    {
        ++m_refused;
        NS_LOG_LOGIC("node " << GetNode()->GetId() << ": the stack refused a datagram");
        return;
    }
    ++m_sent;
    m_txTrace(packet);
}

} // namespace ns3
