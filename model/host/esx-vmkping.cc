// SPDX-License-Identifier: GPL-2.0-only
#include "model/host/esx-vmkping.h"

#include "model/host/esx-socket-tools.h"

#include "ns3/esx-icmp-echo.h"
#include "ns3/esx-table.h"
#include "ns3/icmpv4.h"
#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-raw-socket-factory.h"
#include "ns3/node.h"
#include "ns3/simulator.h"
#include "ns3/socket.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxVmkping);

namespace
{

constexpr uint8_t PROTOCOL_ICMP = 1;
constexpr uint32_t ICMP_HEADERS = 8; // of an echo message

/// Milliseconds with three digits: "0.435". Integers only: printf's %f follows the locale.
std::string
Milliseconds(Time time)
{
    const int64_t us = time.GetMicroSeconds();
    char text[48];
    std::snprintf(text, sizeof(text), "%" PRId64 ".%03d", us / 1000, static_cast<int>(us % 1000));
    return text;
}

} // namespace

TypeId
EsxVmkping::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxVmkping")
            .SetParent<EsxConsoleProcess>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxVmkping>()
            .AddAttribute("Wait",
                          "How long the last request waits for its answer (our choice)",
                          TimeValue(Seconds(2)),
                          MakeTimeAccessor(&EsxVmkping::m_wait),
                          MakeTimeChecker(Time(0)));
    return tid;
}

EsxVmkping::EsxVmkping() = default;
EsxVmkping::~EsxVmkping() = default;

void
EsxVmkping::Run(const Ptr<Node>& node, const EsxVmkpingOptions& options)
{
    m_node = node;
    m_options = options;
    m_event = Simulator::ScheduleNow(&EsxVmkping::Start, this);
}

void
EsxVmkping::Start()
{
    const Ptr<EsxVmkping> self(this); // what is printed can make somebody end it
    Print("PING " + m_options.host + " (" + EsxDotted(m_options.address) +
          "): " + std::to_string(m_options.size) + " data bytes");
    if (HasExited())
    {
        return; // who reads the output had enough
    }
    m_socket = Socket::CreateSocket(m_node, Ipv4RawSocketFactory::GetTypeId());
    m_socket->SetAttribute("Protocol", UintegerValue(PROTOCOL_ICMP));
    m_socket->ShutdownRecv(); // it would give fragments: answers are heard where they are whole
    m_node->GetObject<Ipv4L3Protocol>()->TraceConnectWithoutContext(
        "LocalDeliver",
        MakeCallback(&EsxVmkping::Receive, this));
    m_socket->Bind();
    m_socket->Connect(InetSocketAddress(m_options.address, 0));
    Send();
}

void
EsxVmkping::Send()
{
    const Ptr<EsxVmkping> self(this); // what is printed can make somebody end it
    const auto sequence = static_cast<uint16_t>(m_sent);
    const Ptr<Packet> packet =
        EsxIcmpEcho::MakeRequest(static_cast<uint16_t>(GetPid()), sequence, m_options.size);
    ++m_sent;
    m_waiting[sequence] = Simulator::Now();
    const bool last = m_sent == m_options.count;
    m_event = last ? Simulator::Schedule(m_wait, &EsxVmkping::Finish, this)
                   : Simulator::Schedule(m_interval, &EsxVmkping::Send, this);
    if (!EsxRouteTo(m_node, m_options.address) || m_socket->Send(packet) < 0)
    {
        Print("ping: sendto: No route to host", true);
    }
}

/// Hears of every message that came whole to the node, also after the end in the same instant.
void
EsxVmkping::Receive(const Ipv4Header& ip, Ptr<const Packet> message, uint32_t)
{
    const Ptr<EsxVmkping> self(this); // what is printed can make somebody end it
    if (!m_socket || ip.GetProtocol() != PROTOCOL_ICMP || message->GetSize() < ICMP_HEADERS)
    {
        return;
    }
    const Ptr<Packet> packet = message->Copy();
    Icmpv4Header header;
    Icmpv4Echo echo;
    packet->RemoveHeader(header);
    if (header.GetType() != Icmpv4Header::ICMPV4_ECHO_REPLY)
    {
        return;
    }
    packet->RemoveHeader(echo);
    const auto request = m_waiting.find(echo.GetSequenceNumber());
    if (echo.GetIdentifier() != static_cast<uint16_t>(GetPid()) || request == m_waiting.end())
    {
        return;
    }
    const Time trip = Simulator::Now() - request->second;
    m_waiting.erase(request);
    m_least = m_received == 0 ? trip : std::min(m_least, trip);
    m_most = std::max(m_most, trip);
    m_total += trip;
    ++m_received;
    Print(std::to_string(echo.GetDataSize() + ICMP_HEADERS) + " bytes from " +
          EsxDotted(ip.GetSource()) + ": icmp_seq=" + std::to_string(echo.GetSequenceNumber()) +
          " ttl=" + std::to_string(ip.GetTtl()) + " time=" + Milliseconds(trip) + " ms");
    if (!HasExited() && m_sent == m_options.count && m_waiting.empty())
    {
        Finish();
    }
}

void
EsxVmkping::Finish()
{
    Close();
    Statistics();
    Exit(m_received > 0 ? 0 : 1);
}

void
EsxVmkping::Statistics()
{
    Print("");
    Print("--- " + m_options.host + " ping statistics ---");
    const uint32_t lost = m_sent == 0 ? 0 : (m_sent - m_received) * 100ULL / m_sent;
    Print(std::to_string(m_sent) + " packets transmitted, " + std::to_string(m_received) +
          " packets received, " + std::to_string(lost) + "% packet loss");
    if (m_received > 0)
    {
        const Time average = NanoSeconds(m_total.GetNanoSeconds() / m_received);
        Print("round-trip min/avg/max = " + Milliseconds(m_least) + "/" + Milliseconds(average) +
              "/" + Milliseconds(m_most) + " ms");
    }
}

void
EsxVmkping::Signal(EsxSignal signal)
{
    Close();
    if (signal == EsxSignal::INT)
    {
        Statistics();
    }
    Exit(EsxStatusOfSignal(signal));
}

void
EsxVmkping::Close()
{
    m_event.Cancel();
    if (m_socket)
    {
        // Not now: the node may be handing a packet to its sockets and listeners, one by one.
        Simulator::ScheduleNow(&EsxVmkping::StopListening, Ptr<EsxVmkping>(this), m_socket);
        m_socket = nullptr;
    }
}

void
EsxVmkping::StopListening(Ptr<Socket> socket)
{
    socket->Close();
    if (const auto ipv4 = m_node ? m_node->GetObject<Ipv4L3Protocol>() : nullptr)
    {
        ipv4->TraceDisconnectWithoutContext("LocalDeliver",
                                            MakeCallback(&EsxVmkping::Receive, this));
    }
}

void
EsxVmkping::DoDispose()
{
    m_event.Cancel();
    if (m_socket)
    {
        StopListening(m_socket);
        m_socket = nullptr;
    }
    m_node = nullptr;
    EsxConsoleProcess::DoDispose();
}

} // namespace ns3
