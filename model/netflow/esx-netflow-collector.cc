// SPDX-License-Identifier: GPL-2.0-only
#include "esx-netflow-collector.h"

#include "esx-net-netflow.h"
#include "netflow/sequence-tracker.h"
#include "netflow/time.h"

#include "ns3/boolean.h"
#include "ns3/esx-export-tracker.h"
#include "ns3/esx-ledger.h"
#include "ns3/inet-socket-address.h"
#include "ns3/ipv4.h"
#include "ns3/log.h"
#include "ns3/packet.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/udp-socket-factory.h"
#include "ns3/udp-socket.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <numeric>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxNetflowCollector");
NS_OBJECT_ENSURE_REGISTERED(EsxNetflowCollector);

TypeId
EsxNetflowCollector::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxNetflowCollector")
            .SetParent<Application>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxNetflowCollector>()
            .AddAttribute("Port",
                          "UDP port to listen on",
                          UintegerValue(EsxNetNetflow::DEFAULT_PORT),
                          MakeUintegerAccessor(&EsxNetflowCollector::m_port),
                          MakeUintegerChecker<uint16_t>(1))
            .AddAttribute("SocketBuffer",
                          "Receive buffer of the socket in octets of UDP payload",
                          UintegerValue(131072),
                          MakeUintegerAccessor(&EsxNetflowCollector::m_bufferOctets),
                          MakeUintegerChecker<uint32_t>(1))
            .AddAttribute(
                "ServiceTime",
                "Seconds that the collector takes over each datagram before it reads the next one, "
                "drawn for each",
                StringValue("ns3::ConstantRandomVariable[Constant=0]"),
                MakePointerAccessor(&EsxNetflowCollector::m_serviceTime),
                MakePointerChecker<RandomVariableStream>())
            .AddAttribute(
                "IgnoreEngine",
                "Do not tell engines of one exporter apart, as most collectors do (documented)",
                BooleanValue(false),
                MakeBooleanAccessor(&EsxNetflowCollector::m_ignoreEngine),
                MakeBooleanChecker())
            .AddAttribute("LateRecords",
                          "How many records before the highest flow_sequence a datagram may begin "
                          "to be late; if it begins earlier, the exporter restarted",
                          UintegerValue(netflow::SequenceTracker::DEFAULT_LATE_RECORDS),
                          MakeUintegerAccessor(&EsxNetflowCollector::m_lateRecords),
                          MakeUintegerChecker<uint32_t>())
            .AddTraceSource("Rx",
                            "A datagram was read",
                            MakeTraceSourceAccessor(&EsxNetflowCollector::m_rxTrace),
                            "ns3::EsxNetflowCollector::RxTracedCallback")
            .AddTraceSource(
                "Drop",
                "A datagram found no room in the socket buffer, or nobody read it there",
                MakeTraceSourceAccessor(&EsxNetflowCollector::m_dropTrace),
                "ns3::Packet::TracedCallback");
    return tid;
}

EsxNetflowCollector::EsxNetflowCollector() = default;
EsxNetflowCollector::~EsxNetflowCollector() = default;

uint16_t
EsxNetflowCollector::GetPort() const
{
    return m_port;
}

bool
EsxNetflowCollector::IsListening() const
{
    return m_socket != nullptr;
}

std::string
EsxNetflowCollector::GetNodeName() const
{
    return GetNode() ? EsxNodeName(GetNode()) : m_nodeName;
}

bool
EsxNetflowCollector::HasAddress(Ipv4Address address) const
{
    const auto ipv4 = GetNode() ? GetNode()->GetObject<Ipv4>() : nullptr;
    return ipv4 ? ipv4->GetInterfaceForAddress(address) >= 0 : m_addresses.count(address) > 0;
}

void
EsxNetflowCollector::NoteAddresses()
{
    const auto ipv4 = GetNode()->GetObject<Ipv4>();
    for (uint32_t i = 0; ipv4 && i < ipv4->GetNInterfaces(); ++i)
    {
        for (uint32_t j = 0; j < ipv4->GetNAddresses(i); ++j)
        {
            m_addresses.insert(ipv4->GetAddress(i, j).GetLocal());
        }
    }
}

void
EsxNetflowCollector::SetDown(bool down)
{
    if (down)
    {
        StopApplication();
        return;
    }
    for (auto& [key, sequence] : m_sequences)
    {
        sequence.Forget();
    }
    if (!m_socket)
    {
        StartApplication();
    }
}

const std::map<EsxNetflowCollector::EngineKey, EsxNetflowCollector::EngineStats>&
EsxNetflowCollector::GetEngines() const
{
    return m_engines;
}

EsxNetflowCollector::EngineStats
EsxNetflowCollector::GetTotals() const
{
    EngineStats totals;
    for (const auto& [key, stats] : m_engines)
    {
        totals.datagrams += stats.datagrams;
        totals.records += stats.records;
        totals.packets += stats.packets;
        totals.octets += stats.octets;
        totals.sequenceFailures += stats.sequenceFailures;
        totals.missing += stats.missing;
        totals.late += stats.late;
        totals.duplicates += stats.duplicates;
        totals.restarts += stats.restarts;
        totals.wrapped += stats.wrapped;
    }
    return totals;
}

int64_t
EsxNetflowCollector::GetClockSpread() const
{
    int64_t most = 0;
    for (const auto& [key, stats] : m_engines)
    {
        most = std::max(most, stats.datagrams > 0 ? stats.bootHigh - stats.bootLow : 0);
    }
    return most;
}

uint64_t
EsxNetflowCollector::GetInterfaces() const
{
    return std::accumulate(
        m_engines.begin(),
        m_engines.end(),
        uint64_t{0},
        [](uint64_t sum, const auto& engine) { return sum + engine.second.interfaces.size(); });
}

uint64_t
EsxNetflowCollector::GetRefused() const
{
    return m_refused;
}

uint64_t
EsxNetflowCollector::GetBufferDrops() const
{
    return m_bufferDrops;
}

void
EsxNetflowCollector::DoDispose()
{
    m_nodeName = GetNodeName();
    m_service.Cancel();
    m_socket = nullptr;
    Application::DoDispose();
}

void
EsxNetflowCollector::StartApplication()
{
    NS_ABORT_MSG_UNLESS(GetNode()->GetObject<Ipv4>(),
                        "the collector's node " << GetNodeName() << " has no IPv4 stack");
    EsxLedger::Refresh(GetNode()); // it may have been installed before this collector was
    NoteAddresses();
    m_socket = Socket::CreateSocket(GetNode(), UdpSocketFactory::GetTypeId());
    m_socket->SetAttribute("RcvBufSize", UintegerValue(m_bufferOctets));
    const int bound = m_socket->Bind(InetSocketAddress(Ipv4Address::GetAny(), m_port));
    NS_ABORT_MSG_IF(bound != 0, "UDP port " << m_port << " is in use on this node");
    m_socket->SetRecvCallback(MakeCallback(&EsxNetflowCollector::Readable, this));
    m_socket->TraceConnectWithoutContext("Drop",
                                         MakeCallback(&EsxNetflowCollector::LoseBuffered, this));
}

void
EsxNetflowCollector::StopApplication()
{
    m_service.Cancel();
    if (m_socket)
    {
        m_socket->SetRecvCallback(MakeNullCallback<void, Ptr<Socket>>());
        while (const Ptr<Packet> unread = m_socket->Recv())
        {
            LoseBuffered(unread); // a process that ends takes its socket's buffer along
        }
        m_socket->Close();
        m_socket = nullptr;
    }
}

int64_t
EsxNetflowCollector::AssignStreams(int64_t stream)
{
    if (DynamicCast<ConstantRandomVariable>(m_serviceTime))
    {
        return 0;
    }
    m_serviceTime->SetStream(stream);
    return 1;
}

void
EsxNetflowCollector::Readable(Ptr<Socket>)
{
    if (m_service.IsExpired())
    {
        ReadOne();
    }
}

void
EsxNetflowCollector::ReadOne()
{
    Address from;
    while (Ptr<Packet> packet = m_socket->RecvFrom(from))
    {
        Decode(packet, from);
        const Time service = Seconds(m_serviceTime->GetValue());
        if (service.IsStrictlyPositive())
        {
            m_service = Simulator::Schedule(service, &EsxNetflowCollector::ReadOne, this);
            return;
        }
    }
}

void
EsxNetflowCollector::Decode(const Ptr<Packet>& packet, const Address& from)
{
    std::vector<uint8_t> octets(packet->GetSize());
    packet->CopyData(octets.data(), packet->GetSize());
    netflow::V5Header header;
    std::vector<netflow::V5Record> records;
    const netflow::V5Error error = netflow::DecodeV5(octets.data(), octets.size(), header, records);
    if (error != netflow::V5Error::NONE)
    {
        ++m_refused;
        NS_LOG_WARN(GetNodeName() << ": refused a datagram: " << netflow::ToString(error));
        m_rxTrace(packet, from, netflow::ToString(error));
        return;
    }
    const auto engine =
        static_cast<uint16_t>(m_ignoreEngine ? 0 : header.engineType << 8 | header.engineId);
    const EngineKey key{InetSocketAddress::ConvertFrom(from).GetIpv4(), engine};
    EngineStats& stats = m_engines[key];
    NS_LOG_INFO(GetNodeName() << ": read " << records.size() << " records of engine " << engine
                              << " of " << key.first << ", sequence " << header.flowSequence);
    FollowSequence(key, header, stats);
    ++stats.datagrams;
    stats.records += records.size();
    for (const netflow::V5Record& record : records)
    {
        stats.packets += record.dPkts;
        stats.octets += record.dOctets;
        stats.interfaces.insert(record.input);
        stats.wrapped += record.first > record.last;
    }
    const int64_t boot = netflow::UnixNs(header) - header.sysUptime * netflow::NS_PER_MS;
    stats.bootLow = std::min(stats.bootLow, boot);
    stats.bootHigh = std::max(stats.bootHigh, boot);
    m_rxTrace(packet, from, "");
}

void
EsxNetflowCollector::FollowSequence(const EngineKey& key,
                                    const netflow::V5Header& header,
                                    EngineStats& stats)
{
    netflow::SequenceTracker& sequence = m_sequences.try_emplace(key, m_lateRecords).first->second;
    sequence.Take(header);
    const netflow::SequenceCounts& counts = sequence.GetCounts();
    stats.sequenceFailures = counts.failures;
    stats.missing = counts.missing;
    stats.late = counts.late;
    stats.duplicates = counts.duplicates;
    stats.restarts = counts.restarts;
    stats.nextSequence = sequence.GetExpected();
}

void
EsxNetflowCollector::LoseBuffered(Ptr<const Packet> packet)
{
    ++m_bufferDrops;
    NS_LOG_LOGIC(GetNodeName() << ": a datagram dropped: socket_buffer");
    m_dropTrace(packet);
}

} // namespace ns3
