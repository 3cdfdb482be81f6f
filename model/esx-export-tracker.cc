// SPDX-License-Identifier: GPL-2.0-only
#include "esx-export-tracker.h"

#include "esx-export-tag.h"
#include "esx-host.h"
#include "esx-link-impairment.h"
#include "esx-netflow-collector.h"
#include "esx-netflow.h"
#include "esx-physical-switch.h"
#include "netflow/exporter.h"

#include "ns3/arp-cache.h"
#include "ns3/arp-l3-protocol.h"
#include "ns3/boolean.h"
#include "ns3/csma-channel.h"
#include "ns3/csma-net-device.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/log.h"
#include "ns3/names.h"
#include "ns3/node-list.h"
#include "ns3/pointer.h"
#include "ns3/queue-disc.h"
#include "ns3/simulator.h"
#include "ns3/traffic-control-layer.h"
#include "ns3/udp-header.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxExportTracker");
NS_OBJECT_ENSURE_REGISTERED(EsxExportTracker);

namespace
{

constexpr uint8_t PROTOCOL_UDP = 17;

using PacketCallback = Callback<void, Ptr<const Packet>>;

/// Whether a device is off its link: the link is down, CSMA's sender or receiver is switched off
/// (\p direction: the attribute that says so), or the device was detached from its CSMA channel.
bool
IsCutOff(NetDevice& device, const char* direction)
{
    BooleanValue enabled(true);
    device.GetAttributeFailSafe(direction, enabled);
    const auto csma = DynamicCast<CsmaNetDevice>(Ptr<NetDevice>(&device));
    const auto channel = DynamicCast<CsmaChannel>(device.GetChannel());
    return !device.IsLinkUp() || !enabled.Get() ||
           (csma && channel && channel->GetDeviceNum(csma) < 0);
}

/// Whether nobody is left on a device's channel to hear it.
bool
IsAlone(NetDevice& device)
{
    const auto channel = DynamicCast<CsmaChannel>(device.GetChannel());
    const uint32_t self = IsCutOff(device, "SendEnable") ? 0 : 1;
    return channel ? channel->GetNumActDevices() <= self : !device.IsLinkUp();
}

/// Whether a frame that a device drops on reception is only delayed by its error model.
bool
IsHeldBack(NetDevice& device)
{
    PointerValue model;
    const auto impairment = device.GetAttributeFailSafe("ReceiveErrorModel", model)
                                ? DynamicCast<EsxLinkImpairment>(model.GetObject())
                                : nullptr;
    return impairment && impairment->IsHoldingBack();
}

netflow::Move
CauseOf(EsxDropCause cause)
{
    switch (cause)
    {
    case EsxDropCause::DISCONNECTED:
    case EsxDropCause::LINK_DOWN:
    case EsxDropCause::NO_UPLINK:
        return netflow::Move::LOST_LINK_DOWN;
    case EsxDropCause::UPLINK_REFUSED:
        return netflow::Move::LOST_DEVICE_QUEUE;
    case EsxDropCause::VLAN:
        return netflow::Move::LOST_VLAN;
    default:
        return netflow::Move::LOST_PORT;
    }
}

/// Whether a vSwitch drops what another switch flooded: no loss where it is not wanted.
bool
IsUnwantedCopy(EsxDropCause cause)
{
    return cause == EsxDropCause::UNKNOWN_UNICAST || cause == EsxDropCause::VLAN ||
           cause == EsxDropCause::REVERSE_FILTER || cause == EsxDropCause::INACTIVE_UPLINK;
}

netflow::Move
CauseOf(Ipv4L3Protocol::DropReason reason)
{
    // ROUTE_ERROR is what a router says that has no route, or is not allowed to forward.
    return reason == Ipv4L3Protocol::DROP_NO_ROUTE || reason == Ipv4L3Protocol::DROP_ROUTE_ERROR
               ? netflow::Move::LOST_NO_ROUTE
               : netflow::Move::LOST_NETWORK;
}

} // namespace

std::string
EsxNodeName(const Ptr<const Node>& node)
{
    const std::string name = Names::FindName(ConstCast<Node>(node));
    return name.empty() ? "node" + std::to_string(node->GetId()) : name;
}

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

void
EsxExportTracker::WatchAll()
{
    for (auto node = NodeList::Begin(); node != NodeList::End(); ++node)
    {
        Watch(*node);
    }
}

const std::vector<EsxExportDatagram>&
EsxExportTracker::GetDatagrams(uint32_t exporter) const
{
    static const std::vector<EsxExportDatagram> NONE;
    const auto datagrams = m_datagrams.find(exporter);
    return datagrams == m_datagrams.end() ? NONE : datagrams->second;
}

uint64_t
EsxExportTracker::GetAmbiguousInterfaces(uint32_t exporter) const
{
    const auto interfaces = m_interfaces.find(exporter);
    if (interfaces == m_interfaces.end())
    {
        return 0;
    }
    uint64_t ambiguous = 0;
    for (const auto& [number, ports] : interfaces->second)
    {
        ambiguous += ports.size() > 1 ? 1 : 0;
    }
    return ambiguous;
}

void
EsxExportTracker::DoDispose()
{
    m_modules.clear();
    m_datagrams.clear();
    m_interfaces.clear();
    m_inFlight.clear();
    Object::DoDispose();
}

void
EsxExportTracker::Watch(const Ptr<Node>& node)
{
    const std::string name = EsxNodeName(node);
    if (const Ptr<EsxHost> host = node->GetObject<EsxHost>())
    {
        WatchHost(host);
    }
    if (const Ptr<EsxNetflow> module = node->GetObject<EsxNetflow>())
    {
        WatchModule(node->GetId(), module);
    }
    WatchIp(node, name);
    WatchSwitch(node, name);
    WatchDevices(node, name);
    for (uint32_t i = 0; i < node->GetNApplications(); ++i)
    {
        if (const auto collector = DynamicCast<EsxNetflowCollector>(node->GetApplication(i)))
        {
            WatchCollector(collector, name);
        }
    }
}

void
EsxExportTracker::WatchModule(uint32_t exporter, const Ptr<EsxNetflow>& module)
{
    m_modules[exporter] = module;
    module->TraceConnectWithoutContext(
        "Datagram",
        Callback<void, const netflow::Datagram&, Ipv4Address>(
            [this, exporter](const netflow::Datagram& datagram, Ipv4Address collector) {
                Sending(exporter, datagram, collector);
            }));
    module->TraceConnectWithoutContext("SendFailed",
                                       Callback<void, const netflow::Datagram&>(
                                           [this, exporter](const netflow::Datagram& datagram) {
                                               SendFailed(exporter, datagram);
                                           }));
}

void
EsxExportTracker::WatchHost(const Ptr<EsxHost>& host)
{
    for (const EsxHost::Vmknic& vmknic : host->GetVmknics())
    {
        vmknic.device->TraceConnectWithoutContext("MacTx",
                                                  MakeCallback(&EsxExportTracker::Exported, this));
    }
    for (const Ptr<EsxUplink>& uplink : host->GetUplinks())
    {
        if (const Ptr<QueueDisc> disc = uplink->GetQueueDisc())
        {
            WatchQueueDisc(disc, host->GetName() + "/" + uplink->GetName());
        }
    }
    for (const Ptr<EsxVSwitch>& vSwitch : host->GetVSwitches())
    {
        const std::string place = host->GetName() + "/" + vSwitch->GetName();
        vSwitch->TraceConnectWithoutContext(
            "Drop",
            Callback<void, Ptr<const Packet>, uint16_t, EsxDropCause>(
                [this, place](Ptr<const Packet> packet, uint16_t, EsxDropCause cause) {
                    Lost(packet, CauseOf(cause), place, IsUnwantedCopy(cause));
                }));
    }
}

void
EsxExportTracker::WatchQueueDisc(const Ptr<QueueDisc>& disc, const std::string& place)
{
    disc->TraceConnectWithoutContext(
        "Drop",
        Callback<void, Ptr<const QueueDiscItem>>([this, place](Ptr<const QueueDiscItem> item) {
            Lost(item->GetPacket(), netflow::Move::LOST_QUEUE_DISC, place);
        }));
}

void
EsxExportTracker::WatchIp(const Ptr<Node>& node, const std::string& name)
{
    const Ptr<Ipv4L3Protocol> ipv4 = node->GetObject<Ipv4L3Protocol>();
    if (!ipv4)
    {
        return;
    }
    ipv4->TraceConnectWithoutContext(
        "Drop",
        Callback<void,
                 const Ipv4Header&,
                 Ptr<const Packet>,
                 Ipv4L3Protocol::DropReason,
                 Ptr<Ipv4>,
                 uint32_t>([this, name](const Ipv4Header&,
                                        Ptr<const Packet> packet,
                                        Ipv4L3Protocol::DropReason reason,
                                        Ptr<Ipv4>,
                                        uint32_t) {
            // A reassembly that times out follows from the loss of a fragment elsewhere.
            const bool follows = reason == Ipv4L3Protocol::DROP_FRAGMENT_TIMEOUT;
            Lost(packet, CauseOf(reason), name, follows);
        }));
    ipv4->TraceConnectWithoutContext(
        "LocalDeliver",
        Callback<void, const Ipv4Header&, Ptr<const Packet>, uint32_t>(
            [this, raw = PeekPointer(node), name](const Ipv4Header& header,
                                                  Ptr<const Packet> segment,
                                                  uint32_t) {
                if (header.GetProtocol() == PROTOCOL_UDP)
                {
                    Arrived(raw, name, segment);
                }
            }));
    const PacketCallback arpDrop(
        [this, name](Ptr<const Packet> packet) { Lost(packet, netflow::Move::LOST_ARP, name); });
    if (const Ptr<ArpL3Protocol> arp = node->GetObject<ArpL3Protocol>())
    {
        arp->TraceConnectWithoutContext("Drop", arpDrop);
    }
    for (uint32_t i = 0; i < ipv4->GetNInterfaces(); ++i)
    {
        if (const Ptr<ArpCache> cache = ipv4->GetInterface(i)->GetArpCache())
        {
            cache->TraceConnectWithoutContext("Drop", arpDrop);
        }
    }
}

void
EsxExportTracker::WatchSwitch(const Ptr<Node>& node, const std::string& name)
{
    const Ptr<EsxPhysicalSwitch> physicalSwitch = node->GetObject<EsxPhysicalSwitch>();
    if (!physicalSwitch)
    {
        return;
    }
    physicalSwitch->TraceConnectWithoutContext(
        "Drop",
        Callback<void, Ptr<const Packet>, uint16_t, EsxPhysicalSwitchDrop>(
            [this, name](Ptr<const Packet> packet, uint16_t, EsxPhysicalSwitchDrop cause) {
                // It may be one of several copies: if another one dies elsewhere, that counts.
                const bool vlan =
                    cause == EsxPhysicalSwitchDrop::VLAN || cause == EsxPhysicalSwitchDrop::NO_PORT;
                const bool down = cause == EsxPhysicalSwitchDrop::PORT_DOWN;
                Lost(packet,
                     vlan   ? netflow::Move::LOST_VLAN
                     : down ? netflow::Move::LOST_LINK_DOWN
                            : netflow::Move::LOST_NETWORK,
                     name,
                     !down);
            }));
}

void
EsxExportTracker::WatchDevices(const Ptr<Node>& node, const std::string& name)
{
    const Ptr<TrafficControlLayer> control = node->GetObject<TrafficControlLayer>();
    if (control)
    {
        control->TraceConnectWithoutContext(
            "TcDrop",
            PacketCallback([this, name](Ptr<const Packet> packet) {
                Lost(packet, netflow::Move::LOST_DEVICE_QUEUE, name);
            }));
    }
    for (uint32_t i = 0; i < node->GetNDevices(); ++i)
    {
        const Ptr<NetDevice> device = node->GetDevice(i);
        const std::string own =
            Names::FindName(device); // a script may name what it is plugged into
        std::string place = name;
        if (!own.empty())
        {
            place.append("/").append(own);
        }
        NetDevice* raw =
            PeekPointer(device); // the device holds the callback: no cycle of references
        const auto lostHere = [this, name = place, raw](netflow::Move cause,
                                                        const char* direction) {
            return PacketCallback([this, name, raw, cause, direction](Ptr<const Packet> packet) {
                const bool cut = IsCutOff(*raw, direction);
                if (cut || cause != netflow::Move::LOST_CHANNEL_ERROR || !IsHeldBack(*raw))
                {
                    Lost(packet, cut ? netflow::Move::LOST_LINK_DOWN : cause, name);
                }
            });
        };
        // A device has those of these traces that make sense for it; connecting to others fails and
        // does nothing.
        device->TraceConnectWithoutContext(
            "MacTxDrop",
            lostHere(netflow::Move::LOST_DEVICE_QUEUE, "SendEnable"));
        device->TraceConnectWithoutContext(
            "PhyTxDrop",
            lostHere(netflow::Move::LOST_CHANNEL_ERROR, "SendEnable"));
        device->TraceConnectWithoutContext(
            "PhyRxDrop",
            lostHere(netflow::Move::LOST_CHANNEL_ERROR, "ReceiveEnable"));
        device->TraceConnectWithoutContext(
            "PhyTxEnd", // the far ends of a channel that was cut get nothing
            PacketCallback([this, name = place, raw](Ptr<const Packet> packet) {
                if (IsAlone(*raw))
                {
                    Lost(packet, netflow::Move::LOST_LINK_DOWN, name);
                }
            }));
        if (const Ptr<QueueDisc> root =
                control ? control->GetRootQueueDiscOnDevice(device) : nullptr)
        {
            WatchQueueDisc(root, place);
        }
    }
}

void
EsxExportTracker::WatchCollector(const Ptr<EsxNetflowCollector>& collector, const std::string& name)
{
    collector->TraceConnectWithoutContext(
        "Rx",
        Callback<void, Ptr<const Packet>, const Address&, const std::string&>(
            [this, name](Ptr<const Packet> packet, const Address&, const std::string& error) {
                if (error.empty())
                {
                    Received(packet, name);
                }
                else
                {
                    Lost(packet, netflow::Move::LOST_NOT_DECODED, name);
                }
            }));
    collector->TraceConnectWithoutContext("Drop",
                                          PacketCallback([this, name](Ptr<const Packet> packet) {
                                              Lost(packet, netflow::Move::LOST_SOCKET_BUFFER, name);
                                          }));
}

/// Which ports the interface numbers of a datagram stand for. 0 is no interface.
void
EsxExportTracker::NoteInterfaces(uint32_t exporter, const netflow::Datagram& datagram)
{
    constexpr std::size_t INPUT = 12; // octets into a record of NetFlow v5
    constexpr std::size_t OUTPUT = 14;
    const uint8_t* octets = datagram.data + netflow::V5_HEADER_OCTETS;
    auto& interfaces = m_interfaces[exporter];
    const auto note = [&](std::size_t at, uint16_t port) {
        if (port != 0)
        {
            const auto number = static_cast<uint16_t>(octets[at] << 8 | octets[at + 1]);
            interfaces[number].emplace(datagram.vSwitch, port);
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
    std::vector<EsxExportDatagram>& datagrams = m_datagrams[exporter];
    EsxExportDatagram datagram;
    datagram.exporter = exporter;
    datagram.number = sent.number;
    datagram.vSwitch = sent.vSwitch;
    datagram.flowSequence = sent.flowSequence;
    datagram.collector = collector;
    datagram.packets = sent.counts.packets;
    datagram.octets = sent.counts.octets;
    datagram.records = sent.counts.records;
    datagram.sentAt = Simulator::Now();
    datagram.fate = netflow::Move::SENT;
    datagram.session = m_modules[exporter]->GetRegistrations(sent.vSwitch);
    NoteInterfaces(exporter, sent);
    NS_ABORT_MSG_UNLESS(sent.number == datagrams.size(),
                        "export datagrams are followed from the start of the run or not at all");
    datagrams.push_back(datagram);
    m_inFlight[exporter] += datagram.records;
}

void
EsxExportTracker::SendFailed(uint32_t exporter, const netflow::Datagram& datagram)
{
    EsxExportDatagram& failed = m_datagrams[exporter][datagram.number];
    if (failed.fate != netflow::Move::SENT)
    {
        Book(failed, failed.fate, true); // it died inside Send(), which says so too
    }
    m_inFlight[exporter] -= failed.records;
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
    Lost(segment, netflow::Move::LOST_REFUSED, place);
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
        const bool atSocket = cause >= netflow::Move::LOST_REFUSED;
        if (tentative || !(datagram->tentative || later || atSocket))
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
    const netflow::Counts contents{datagram.packets, datagram.octets, datagram.records};
    undo ? counts -= contents : counts += contents;
    m_inFlight[datagram.exporter] += undo ? datagram.records : -datagram.records;
    m_modules[datagram.exporter]->GetLedger().GetAccount(datagram.vSwitch).Book(move, counts);
}

/// Law L5, in debug builds: what was sealed and has no fate yet is at the socket or in the network.
void
EsxExportTracker::AssertInFlight([[maybe_unused]] uint32_t exporter) const
{
#ifdef NS3_ASSERT_ENABLE
    const netflow::Account total = m_modules.at(exporter)->GetLedger().GetTotal();
    NS_ASSERT_MSG(total.GetBalance(netflow::Place::SOCKET).records +
                          total.GetBalance(netflow::Place::NETWORK).records ==
                      m_inFlight.at(exporter),
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
    const auto datagrams = m_datagrams.find(tag.GetExporter());
    if (datagrams == m_datagrams.end() || tag.GetNumber() >= datagrams->second.size())
    {
        return nullptr;
    }
    return &datagrams->second[tag.GetNumber()];
}

} // namespace ns3
