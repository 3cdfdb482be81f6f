// SPDX-License-Identifier: GPL-2.0-only
// Where the tracker listens: the traces of hosts, switches, IP stacks, devices and collectors, and
// which cause each one tells.
#include "esx-export-tracker.h"
#include "netflow/exporter.h"

#include "ns3/arp-cache.h"
#include "ns3/arp-l3-protocol.h"
#include "ns3/boolean.h"
#include "ns3/channel.h"
#include "ns3/csma-channel.h"
#include "ns3/csma-net-device.h"
#include "ns3/esx-ethernet-net-device.h"
#include "ns3/esx-host.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-router.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/names.h"
#include "ns3/node-list.h"
#include "ns3/pointer.h"
#include "ns3/queue-disc.h"
#include "ns3/traffic-control-layer.h"

namespace ns3
{

namespace
{

constexpr uint8_t PROTOCOL_UDP = 17;

using PacketCallback = Callback<void, Ptr<const Packet>>;

/// Whether the frame that a device drops died of a cut link. An EsxEthernetNetDevice says so;
/// others are off their link: the link is down, CSMA's sender or receiver is switched off
/// (\p direction: the attribute that says so), or the device was detached from its CSMA channel.
bool
IsCutOff(NetDevice& device, const char* direction)
{
    if (const auto* ethernet = dynamic_cast<const EsxEthernetNetDevice*>(&device))
    {
        return ethernet->GetDropCause() == EsxEthernetDrop::LINK_DOWN;
    }
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

netflow::Move
CauseOf(Ipv4L3Protocol::DropReason reason)
{
    switch (reason)
    {
    case Ipv4L3Protocol::DROP_NO_ROUTE:
    case Ipv4L3Protocol::DROP_ROUTE_ERROR: // of a node that may not forward
        return netflow::Move::LOST_NO_ROUTE;
    case Ipv4L3Protocol::DROP_TTL_EXPIRED:
        return netflow::Move::LOST_TTL;
    default: // the list differs between releases of ns-3
        return netflow::Move::LOST_NETWORK;
    }
}

/// Where a device is: its node, and its own name if a script gave it one.
std::string
PlaceOf(const Ptr<NetDevice>& device, const std::string& node)
{
    const std::string own = Names::FindName(device);
    return own.empty() ? node : node + "/" + own;
}

} // namespace

bool
EsxExportTracker::IsNew(const Ptr<const Object>& object)
{
    return m_watched.insert(object).second;
}

void
EsxExportTracker::WatchAll()
{
    for (auto node = NodeList::Begin(); node != NodeList::End(); ++node)
    {
        Watch(*node);
    }
}

void
EsxExportTracker::Watch(const Ptr<Node>& node)
{
    const std::string name = EsxNodeName(node);
    if (const Ptr<EsxHost> host = node->GetObject<EsxHost>())
    {
        WatchHost(host);
    }
    if (const Ptr<EsxNetflow> module = node->GetObject<EsxNetflow>(); module && IsNew(module))
    {
        WatchModule(node->GetId(), module);
    }
    WatchIp(node, name);
    WatchSwitch(node, name);
    WatchDevices(node, name);
    for (uint32_t i = 0; i < node->GetNApplications(); ++i)
    {
        const auto collector = DynamicCast<EsxNetflowCollector>(node->GetApplication(i));
        if (collector && IsNew(collector))
        {
            WatchCollector(collector, name);
        }
    }
}

void
EsxExportTracker::WatchModule(uint32_t exporter, const Ptr<EsxNetflow>& module)
{
    m_exporters[exporter].module = module;
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
        if (m_vmknics.insert(PeekPointer(vmknic.device)).second)
        {
            vmknic.device->TraceConnectWithoutContext(
                "MacTx",
                MakeCallback(&EsxExportTracker::Exported, this));
        }
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
        if (!IsNew(vSwitch))
        {
            continue;
        }
        const std::string place = host->GetName() + "/" + vSwitch->GetName();
        vSwitch->TraceConnectWithoutContext(
            "Drop",
            Callback<void, Ptr<const Packet>, uint16_t, EsxDropCause>(
                [this, place](Ptr<const Packet> packet, uint16_t, EsxDropCause cause) {
                    const EsxDropCauseInfo& info = EsxGetInfo(cause);
                    Lost(packet, info.move, place, info.Has(EsxDropCauseInfo::UNWANTED_COPY));
                }));
    }
}

void
EsxExportTracker::WatchQueueDisc(const Ptr<QueueDisc>& disc, const std::string& place)
{
    if (!IsNew(disc))
    {
        return;
    }
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
    const PacketCallback arpDrop(
        [this, name](Ptr<const Packet> packet) { Lost(packet, netflow::Move::LOST_ARP, name); });
    for (uint32_t i = 0; i < ipv4->GetNInterfaces(); ++i)
    {
        const Ptr<ArpCache> cache = ipv4->GetInterface(i)->GetArpCache();
        if (cache && IsNew(cache))
        {
            cache->TraceConnectWithoutContext("Drop", arpDrop);
        }
    }
    if (node->GetObject<EsxHost>())
    {
        WatchSending(ipv4, name);
    }
    if (!IsNew(ipv4))
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
    if (const auto router = DynamicCast<EsxRouter>(ipv4->GetRoutingProtocol()))
    {
        router->TraceConnectWithoutContext(
            "Drop",
            Callback<void, const Ipv4Header&, Ptr<const Packet>, netflow::Move>(
                [this, name](const Ipv4Header&, Ptr<const Packet> packet, netflow::Move cause) {
                    Lost(packet, cause, name);
                }));
    }
    ipv4->TraceConnectWithoutContext(
        "UnicastForward",
        Callback<void, const Ipv4Header&, Ptr<const Packet>, uint32_t>(
            [this, raw = PeekPointer(ipv4), name](const Ipv4Header&,
                                                  Ptr<const Packet> packet,
                                                  uint32_t interface) {
                if (Find(packet))
                {
                    WatchSending(raw, name);
                    LostIfDown(*raw, interface, packet, name);
                }
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
    if (const Ptr<ArpL3Protocol> arp = node->GetObject<ArpL3Protocol>())
    {
        arp->TraceConnectWithoutContext("Drop", arpDrop);
    }
}

/// Watches the datagrams that a node sends or forwards. Most nodes never do, and pay nothing.
void
EsxExportTracker::WatchSending(const Ptr<Ipv4L3Protocol>& ipv4, const std::string& name)
{
    for (uint32_t i = 0; i < ipv4->GetNInterfaces(); ++i)
    {
        if (!IsNew(ipv4->GetInterface(i)))
        {
            continue;
        }
        WatchArp(ipv4->GetNetDevice(i), name);
        if (i != 0)
        {
            continue;
        }
        ipv4->TraceConnectWithoutContext(
            "SendOutgoing",
            Callback<void, const Ipv4Header&, Ptr<const Packet>, uint32_t>(
                [this, raw = PeekPointer(ipv4), name](const Ipv4Header&,
                                                      Ptr<const Packet> packet,
                                                      uint32_t interface) {
                    LostIfDown(*raw, interface, packet, name);
                }));
        ipv4->TraceConnectWithoutContext(
            "Tx",
            Callback<void, Ptr<const Packet>, Ptr<Ipv4>, uint32_t>(
                [this, raw = PeekPointer(ipv4)](Ptr<const Packet> packet, Ptr<Ipv4>, uint32_t out) {
                    if (const EsxExportDatagram* datagram = Find(packet))
                    {
                        m_waiting[PeekPointer(raw->GetNetDevice(out))]
                                 [{datagram->exporter, datagram->number}] = packet;
                    }
                }));
    }
}

/// Where a route outlives its interface, ns-3 drops without a word.
void
EsxExportTracker::LostIfDown(const Ipv4L3Protocol& ipv4,
                             uint32_t interface,
                             const Ptr<const Packet>& packet,
                             const std::string& name)
{
    if (!ipv4.IsUp(interface))
    {
        Lost(packet, CauseOf(Ipv4L3Protocol::DROP_INTERFACE_DOWN), name);
    }
}

void
EsxExportTracker::WatchSwitch(const Ptr<Node>& node, const std::string& name)
{
    const Ptr<EsxPhysicalSwitch> physicalSwitch = node->GetObject<EsxPhysicalSwitch>();
    if (!physicalSwitch || !IsNew(physicalSwitch))
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
    if (control && IsNew(control))
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
        if (const Ptr<QueueDisc> root =
                control ? control->GetRootQueueDiscOnDevice(device) : nullptr)
        {
            WatchQueueDisc(root, PlaceOf(device, name));
        }
        if (IsNew(device))
        {
            WatchDevice(device, PlaceOf(device, name));
        }
    }
}

/// Between IP and its device packets wait for ARP. ns-3 forgets them, without a word, when the link
/// goes down or comes back.
void
EsxExportTracker::WatchArp(const Ptr<NetDevice>& device, const std::string& name)
{
    const NetDevice* raw = PeekPointer(device);
    device->TraceConnectWithoutContext(
        "MacTx",
        PacketCallback([this, raw](Ptr<const Packet> packet) {
            if (const EsxExportDatagram* datagram = Find(packet))
            {
                m_waiting[raw].erase({datagram->exporter, datagram->number});
            }
        }));
    device->AddLinkChangeCallback(Callback<void>([this, raw, name] {
        for (const auto& [number, packet] : std::exchange(m_waiting[raw], {}))
        {
            if (Find(packet)->fate == netflow::Move::SENT)
            {
                Lost(packet, netflow::Move::LOST_NETWORK, name);
            }
        }
    }));
}

void
EsxExportTracker::WatchDevice(const Ptr<NetDevice>& device, const std::string& place)
{
    NetDevice* raw = PeekPointer(device); // the device holds the callback: no cycle of references
    const auto lostHere = [this, place, raw](netflow::Move cause, const char* direction) {
        return PacketCallback([this, place, raw, cause, direction](Ptr<const Packet> packet) {
            const bool cut = IsCutOff(*raw, direction);
            if (cut || cause != netflow::Move::LOST_CHANNEL_ERROR ||
                !EsxLinkImpairment::IsHeldBackBy(*raw))
            {
                Lost(packet, cut ? netflow::Move::LOST_LINK_DOWN : cause, place);
            }
        });
    };
    // A device has those of these traces that make sense for it; connecting to others fails and
    // does nothing.
    device->TraceConnectWithoutContext("MacTxDrop",
                                       lostHere(netflow::Move::LOST_DEVICE_QUEUE, "SendEnable"));
    device->TraceConnectWithoutContext("PhyTxDrop",
                                       lostHere(netflow::Move::LOST_CHANNEL_ERROR, "SendEnable"));
    device->TraceConnectWithoutContext(
        "PhyRxDrop",
        lostHere(netflow::Move::LOST_CHANNEL_ERROR, "ReceiveEnable"));
    if (!DynamicCast<EsxEthernetNetDevice>(device)) // its far end tells
    {
        device->TraceConnectWithoutContext(
            "PhyTxEnd", // the far ends of a channel that was cut get nothing
            PacketCallback([this, place, raw](Ptr<const Packet> packet) {
                if (IsAlone(*raw))
                {
                    Lost(packet, netflow::Move::LOST_LINK_DOWN, place);
                }
            }));
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

} // namespace ns3
