// SPDX-License-Identifier: GPL-2.0-only
#include "esx-export-tracker.h"

#include "netflow/exporter.h"

#include "ns3/esx-export-tag.h"
#include "ns3/esx-host.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow.h"
#include "ns3/inet-socket-address.h"
#include "ns3/log.h"
#include "ns3/names.h"
#include "ns3/object-vector.h"
#include "ns3/simulator.h"
#include "ns3/socket.h"
#include "ns3/udp-header.h"
#include "ns3/udp-l4-protocol.h"

#include <algorithm>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxExportTracker");
NS_OBJECT_ENSURE_REGISTERED(EsxExportTracker);

std::string
EsxNodeName(const Ptr<const Node>& node)
{
    const std::string name = Names::FindName(ConstCast<Node>(node));
    return name.empty() ? "node" + std::to_string(node->GetId()) : name;
}

namespace
{

/// \return a UDP socket of a node that is bound to a port, nullptr if there is none
Ptr<Socket>
SocketOn(const Ptr<Node>& node, uint16_t port)
{
    const auto udp = node->GetObject<UdpL4Protocol>();
    ObjectVectorValue sockets;
    if (!udp || !udp->GetAttributeFailSafe("SocketList", sockets))
    {
        return nullptr;
    }
    for (auto it = sockets.Begin(); it != sockets.End(); ++it)
    {
        Address local;
        const auto socket = DynamicCast<Socket>(it->second);
        if (socket && socket->GetSockName(local) == 0 && InetSocketAddress::IsMatchingType(local) &&
            InetSocketAddress::ConvertFrom(local).GetPort() == port)
        {
            return socket;
        }
    }
    return nullptr;
}

} // namespace

TypeId
EsxExportTracker::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxExportTracker")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxExportTracker>()
            .AddTraceSource("Exported",
                            "A datagram was handed to a vmknic",
                            MakeTraceSourceAccessor(&EsxExportTracker::m_exportedTrace),
                            "ns3::EsxExportTracker::ExportedTracedCallback")
            .AddTraceSource("Concluded",
                            "A datagram was received or lost",
                            MakeTraceSourceAccessor(&EsxExportTracker::m_concludedTrace),
                            "ns3::EsxExportTracker::ConcludedTracedCallback");
    return tid;
}

EsxExportTracker::EsxExportTracker() = default;
EsxExportTracker::~EsxExportTracker() = default;

const std::vector<EsxExportDatagram>&
EsxExportTracker::GetDatagrams(uint32_t exporter) const
{
    static const std::vector<EsxExportDatagram> NONE;
    const auto found = m_exporters.find(exporter);
    return found == m_exporters.end() ? NONE : found->second.datagrams;
}

uint64_t
EsxExportTracker::GetAmbiguousInterfaces(uint32_t exporter) const
{
    const auto found = m_exporters.find(exporter);
    if (found == m_exporters.end())
    {
        return 0;
    }
    std::map<uint16_t, unsigned> ports; // by interface number
    for (const uint64_t interface : found->second.interfaces)
    {
        ++ports[interface >> 32];
    }
    return std::count_if(ports.begin(), ports.end(), [](const auto& of) { return of.second > 1; });
}

void
EsxExportTracker::DoDispose()
{
    m_exporters.clear();
    m_waiting.clear();
    m_watched.clear();
    m_vmknics.clear();
    Object::DoDispose();
}

/// Notes the ports that the interface numbers of a datagram stand for. 0 is no interface.
void
EsxExportTracker::NoteInterfaces(Exporter& exporter, const netflow::Datagram& datagram)
{
    constexpr std::size_t INPUT = 12; // octets into a record of NetFlow v5
    constexpr std::size_t OUTPUT = 14;
    const uint8_t* octets = datagram.data + netflow::V5_HEADER_OCTETS;
    const auto note = [&](std::size_t at, uint16_t port) {
        if (port != 0)
        {
            const uint64_t number = octets[at] << 8 | octets[at + 1];
            exporter.interfaces.insert(number << 32 | uint64_t{datagram.vSwitch} << 16 | port);
        }
    };
    for (const netflow::QueuedRecord* queued : datagram.records)
    {
        note(INPUT, queued->record.key.input);
        note(OUTPUT, queued->record.output);
        octets += netflow::V5_RECORD_OCTETS;
    }
}

void
EsxExportTracker::Sending(uint32_t exporter, const netflow::Datagram& sent, Ipv4Address collector)
{
    Exporter& host = m_exporters[exporter];
    EsxExportDatagram& datagram = host.datagrams.emplace_back();
    datagram.exporter = exporter;
    datagram.number = sent.number;
    datagram.vSwitch = sent.vSwitch;
    datagram.flowSequence = sent.flowSequence;
    datagram.collector = collector;
    datagram.counts = sent.counts;
    datagram.sentAt = Simulator::Now();
    datagram.fate = netflow::Move::SENT;
    datagram.session = host.module->GetRegistrations(sent.vSwitch);
    NoteInterfaces(host, sent);
    NS_ABORT_MSG_UNLESS(sent.number + 1 == host.datagrams.size(),
                        "export datagrams are followed from the start of the run or not at all");
    host.inFlight += datagram.counts.records;
}

void
EsxExportTracker::SendFailed(uint32_t exporter, const netflow::Datagram& datagram)
{
    Exporter& host = m_exporters[exporter];
    EsxExportDatagram& failed = host.datagrams[datagram.number];
    if (failed.fate != netflow::Move::SENT)
    {
        Book(failed, failed.fate, true); // it died inside Send(), which says so too
    }
    host.inFlight -= failed.counts.records;
    NS_LOG_LOGIC("datagram " << datagram.number << " of node " << exporter << ": send_failed");
    failed.fate = netflow::Move::SEND_FAILED;
    failed.concludedAt = Simulator::Now();
}

void
EsxExportTracker::Exported(Ptr<const Packet> packet)
{
    EsxExportDatagram* datagram = Find(packet);
    if (datagram && datagram->exportedAt.IsStrictlyNegative())
    {
        datagram->exportedAt = Simulator::Now();
        m_exportedTrace(*datagram, packet);
    }
}

/// A datagram came to a node's UDP layer. If no collector listens there, nobody will ever read it.
void
EsxExportTracker::Arrived(const Ptr<Node>& node,
                          const std::string& place,
                          const Ptr<const Packet>& segment)
{
    EsxExportTag tag;
    if (!segment->PeekPacketTag(tag))
    {
        return;
    }
    UdpHeader udp;
    segment->PeekHeader(udp);
    for (uint32_t i = 0; i < node->GetNApplications(); ++i)
    {
        const auto collector = DynamicCast<EsxNetflowCollector>(node->GetApplication(i));
        if (collector && collector->IsListening() &&
            collector->GetPort() == udp.GetDestinationPort())
        {
            return;
        }
    }
    if (const Ptr<Socket> socket = SocketOn(node, udp.GetDestinationPort()))
    {
        ArrivedElsewhere(socket, place, segment);
        return;
    }
    Lost(segment, netflow::Move::LOST_REFUSED, place);
}

/// Another application than EsxNetflowCollector collects: what its socket takes is received.
void
EsxExportTracker::ArrivedElsewhere(const Ptr<Socket>& socket,
                                   const std::string& place,
                                   const Ptr<const Packet>& segment)
{
    if (IsNew(socket))
    {
        socket->TraceConnectWithoutContext(
            "Drop",
            Callback<void, Ptr<const Packet>>([this, place](Ptr<const Packet> packet) {
                Lost(packet, netflow::Move::LOST_SOCKET_BUFFER, place);
            }));
    }
    const EsxExportDatagram* const datagram = Find(segment);
    const Time before = datagram ? datagram->concludedAt : Time();
    // The socket gets it in this instant, after this trace.
    Simulator::ScheduleNow(Callback<void>([this, datagram, before, place, segment] {
        if (datagram && datagram->concludedAt == before)
        {
            Received(segment, place);
        }
    }));
}

/**
 * A copy of a datagram died. Copies can die in several places: a switch floods, and a medium has
 * many stations. The datagram died where its last copy did; of several deaths in one instant the
 * first one told counts, as a device tells before who handed to it, unless one is at the
 * collector's socket. \p tentative if another place will tell, if there is another copy
 */
void
EsxExportTracker::Lost(const Ptr<const Packet>& packet,
                       netflow::Move cause,
                       const std::string& place,
                       bool tentative)
{
    EsxExportDatagram* datagram = Find(packet);
    if (!datagram || datagram->copies > 0 || datagram->fate == netflow::Move::SEND_FAILED)
    {
        return;
    }
    if (datagram->fate != netflow::Move::SENT)
    {
        const bool later = datagram->concludedAt < Simulator::Now();
        const bool atCollector = netflow::GetInfo(cause).isAtCollector;
        if (tentative || !(datagram->tentative || later || atCollector))
        {
            return;
        }
        Book(*datagram, datagram->fate, true);
    }
    datagram->tentative = tentative;
    Conclude(*datagram, cause, place);
}

void
EsxExportTracker::Received(const Ptr<const Packet>& packet, const std::string& place)
{
    EsxExportDatagram* datagram = Find(packet);
    if (!datagram || ++datagram->copies > 1)
    {
        return;
    }
    if (datagram->fate != netflow::Move::SENT)
    {
        Book(*datagram, datagram->fate, true); // what died was another copy
    }
    Conclude(*datagram, netflow::Move::RECEIVED, place);
}

void
EsxExportTracker::Conclude(EsxExportDatagram& datagram,
                           netflow::Move fate,
                           const std::string& place)
{
    Book(datagram, fate, false);
    NS_LOG_LOGIC("datagram " << datagram.number << " of node " << datagram.exporter << ": "
                             << netflow::GetInfo(fate).name << " at " << place);
    datagram.fate = fate;
    datagram.place = place;
    datagram.concludedAt = Simulator::Now();
    AssertInFlight(datagram.exporter);
    m_concludedTrace(datagram);
}

void
EsxExportTracker::Book(const EsxExportDatagram& datagram, netflow::Move move, bool undo)
{
    netflow::Counts counts;
    undo ? counts -= datagram.counts : counts += datagram.counts;
    Exporter& host = m_exporters[datagram.exporter];
    host.inFlight -= counts.records;
    host.module->GetLedgerToBook().GetAccount(datagram.vSwitch).Book(move, counts);
}

/// Law L5, in debug builds: what was sealed and has no fate yet is at the socket or in the network.
void
EsxExportTracker::AssertInFlight([[maybe_unused]] uint32_t exporter) const
{
#ifdef NS3_ASSERT_ENABLE
    const netflow::Account total = m_exporters.at(exporter).module->GetLedgerToBook().GetTotal();
    NS_ASSERT_MSG(total.GetBalance(netflow::Place::SOCKET).records +
                          total.GetBalance(netflow::Place::NETWORK).records ==
                      m_exporters.at(exporter).inFlight,
                  "law L5");
#endif
}

EsxExportDatagram*
EsxExportTracker::Find(const Ptr<const Packet>& packet)
{
    EsxExportTag tag;
    if (!packet->PeekPacketTag(tag))
    {
        return nullptr;
    }
    const auto found = m_exporters.find(tag.GetExporter());
    return found == m_exporters.end() || tag.GetNumber() >= found->second.datagrams.size()
               ? nullptr
               : &found->second.datagrams[tag.GetNumber()];
}

} // namespace ns3
