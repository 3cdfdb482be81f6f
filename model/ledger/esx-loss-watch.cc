// SPDX-License-Identifier: GPL-2.0-only
#include "model/ledger/esx-loss-watch.h"

#include "model/host/esx-socket-tools.h"
#include "netflow/enum-table.h"

#include "ns3/arp-cache.h"
#include "ns3/arp-l3-protocol.h"
#include "ns3/boolean.h"
#include "ns3/esx-export-tag.h"
#include "ns3/esx-host.h"
#include "ns3/ipv4-interface.h"
#include "ns3/log.h"
#include "ns3/queue-disc.h"
#include "ns3/traffic-control-layer.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxLossWatch");
NS_OBJECT_ENSURE_REGISTERED(EsxLossWatch);

const char*
ToString(EsxLossCause cause)
{
    static constexpr netflow::EnumName<EsxLossCause> NAMES[] = {
        {EsxLossCause::NO_ROUTE, "no route"},
        {EsxLossCause::NO_ARP_ANSWER, "no ARP answer"},
        {EsxLossCause::ARP_QUEUE_FULL, "ARP queue full"},
        {EsxLossCause::QUEUE_FULL, "queue full"},
        {EsxLossCause::NIC_QUEUE_FULL, "NIC queue full"},
        {EsxLossCause::UPLINK_DOWN, "uplink down"},
        {EsxLossCause::PORT_UNREACHABLE, "port unreachable"},
        {EsxLossCause::HOST_UNREACHABLE, "host unreachable"},
        {EsxLossCause::NET_UNREACHABLE, "network unreachable"},
        {EsxLossCause::OTHER_ICMP, "ICMP error"}};
    static_assert(netflow::NamesEach(NAMES));
    return NAMES[static_cast<unsigned>(cause)].name;
}

TypeId
EsxLossWatch::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxLossWatch")
                            .SetParent<Object>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxLossWatch>()
                            .AddTraceSource("Lost",
                                            "An export datagram died inside its host",
                                            MakeTraceSourceAccessor(&EsxLossWatch::m_lostTrace),
                                            "ns3::EsxLossWatch::LostTracedCallback");
    return tid;
}

EsxLossWatch::~EsxLossWatch() = default;

void
EsxLossWatch::Watch(const Ptr<EsxHost>& host)
{
    const Ptr<Node> node = host->GetVmkernelNode();
    m_host = PeekPointer(host);
    m_exporter = node->GetId();
    m_ipv4 = node->GetObject<Ipv4L3Protocol>();
    if (m_ipv4)
    {
        WatchIp(node);
    }
    for (uint32_t i = 0; i < node->GetNDevices(); ++i)
    {
        WatchDevice(node->GetDevice(i));
    }
    for (const Ptr<EsxVSwitch>& vSwitch : host->GetVSwitches())
    {
        if (IsNew(PeekPointer(vSwitch)))
        {
            vSwitch->TraceConnectWithoutContext(
                "Drop",
                MakeCallback(&EsxLossWatch::DroppedByVSwitch, this));
        }
    }
}

void
EsxLossWatch::WatchIp(const Ptr<Node>& node)
{
    if (IsNew(PeekPointer(m_ipv4)))
    {
        m_ipv4->TraceConnectWithoutContext("Drop", MakeCallback(&EsxLossWatch::DroppedByIp, this));
        if (const Ptr<ArpL3Protocol> arp = node->GetObject<ArpL3Protocol>())
        {
            arp->TraceConnectWithoutContext("Drop",
                                            MakeCallback(&EsxLossWatch::DroppedByArp, this));
        }
        if (const Ptr<TrafficControlLayer> control = node->GetObject<TrafficControlLayer>())
        {
            control->TraceConnectWithoutContext("TcDrop",
                                                MakeCallback(&EsxLossWatch::DroppedByDevice, this));
        }
    }
    for (uint32_t i = 0; i < m_ipv4->GetNInterfaces(); ++i)
    {
        const Ptr<ArpCache> cache = m_ipv4->GetInterface(i)->GetArpCache();
        if (cache && IsNew(PeekPointer(cache)))
        {
            cache->TraceConnectWithoutContext("Drop",
                                              MakeCallback(&EsxLossWatch::ArpUnanswered, this));
        }
    }
}

void
EsxLossWatch::WatchDevice(const Ptr<NetDevice>& device)
{
    if (IsNew(PeekPointer(device)))
    {
        // A device has those of these traces that make sense for it; connecting to others fails and
        // does nothing.
        // The vSwitch tells of frames that a NIC refuses; a vmknic drops frames if it has no port.
        if (DynamicCast<EsxVmknic>(device))
        {
            device->TraceConnectWithoutContext("MacTxDrop",
                                               MakeCallback(&EsxLossWatch::LinkGone, this));
        }
        device->TraceConnectWithoutContext("PhyTxDrop",
                                           MakeCallback(&EsxLossWatch::LinkGone, this));
    }
    const Ptr<TrafficControlLayer> control = device->GetNode()->GetObject<TrafficControlLayer>();
    const Ptr<QueueDisc> root = control ? control->GetRootQueueDiscOnDevice(device) : nullptr;
    if (root && IsNew(PeekPointer(root)))
    {
        root->TraceConnectWithoutContext("Drop",
                                         MakeCallback(&EsxLossWatch::DroppedByQueueDisc, this));
    }
}

bool
EsxLossWatch::IsNew(const Object* object)
{
    return m_watched.insert(object).second;
}

void
EsxLossWatch::Lost(const Ptr<const Packet>& packet, EsxLossCause cause)
{
    EsxExportTag tag;
    if (packet->PeekPacketTag(tag) && tag.GetExporter() == m_exporter)
    {
        NS_LOG_LOGIC("node " << m_exporter << ": datagram " << tag.GetNumber()
                             << " died in the host: " << ToString(cause));
        m_lostTrace(tag.GetProcess(), tag.GetNumber(), cause);
    }
}

void
EsxLossWatch::DroppedByIp(const Ipv4Header&,
                          Ptr<const Packet> packet,
                          Ipv4L3Protocol::DropReason reason,
                          Ptr<Ipv4>,
                          uint32_t)
{
    if (reason == Ipv4L3Protocol::DROP_NO_ROUTE || reason == Ipv4L3Protocol::DROP_INTERFACE_DOWN)
    {
        Lost(packet, EsxLossCause::NO_ROUTE);
    }
}

/// ARP drops a packet because too many wait already, or because nobody answered a moment ago.
void
EsxLossWatch::DroppedByArp(Ptr<const Packet> packet)
{
    Ipv4Header ip;
    packet->PeekHeader(ip);
    const Ptr<Ipv4Route> route = EsxRouteTo(m_ipv4->GetObject<Node>(), ip.GetDestination());
    bool dead = false;
    if (route)
    {
        const bool direct = route->GetGateway() == Ipv4Address::GetZero();
        const int32_t interface = m_ipv4->GetInterfaceForDevice(route->GetOutputDevice());
        const Ptr<ArpCache> cache =
            interface < 0 ? nullptr : m_ipv4->GetInterface(interface)->GetArpCache();
        ArpCache::Entry* entry =
            cache ? cache->Lookup(direct ? ip.GetDestination() : route->GetGateway()) : nullptr;
        dead = entry && entry->IsDead();
    }
    Lost(packet, dead ? EsxLossCause::NO_ARP_ANSWER : EsxLossCause::ARP_QUEUE_FULL);
}

void
EsxLossWatch::ArpUnanswered(Ptr<const Packet> packet)
{
    Lost(packet, EsxLossCause::NO_ARP_ANSWER);
}

void
EsxLossWatch::DroppedByQueueDisc(Ptr<const QueueDiscItem> item)
{
    Lost(item->GetPacket(), EsxLossCause::QUEUE_FULL);
}

void
EsxLossWatch::DroppedByDevice(Ptr<const Packet> packet)
{
    Lost(packet, EsxLossCause::NIC_QUEUE_FULL);
}

void
EsxLossWatch::LinkGone(Ptr<const Packet> packet)
{
    Lost(packet, EsxLossCause::UPLINK_DOWN);
}

void
EsxLossWatch::DroppedByVSwitch(Ptr<const Packet> packet, uint16_t, EsxDropCause cause)
{
    const EsxDropCauseInfo& info = EsxGetInfo(cause);
    const bool isNic = info.Has(EsxDropCauseInfo::NIC_REFUSES);
    if (isNic && AnyUplinkSends())
    {
        DroppedByDevice(packet);
    }
    else if (isNic || info.Has(EsxDropCauseInfo::NO_WIRE))
    {
        LinkGone(packet);
    }
}

/// Whether a NIC of the host is on its link: then one that refuses a frame has a full queue.
bool
EsxLossWatch::AnyUplinkSends() const
{
    for (const Ptr<EsxUplink>& uplink : m_host->GetUplinks())
    {
        BooleanValue enabled(true);
        uplink->GetDevice()->GetAttributeFailSafe("SendEnable", enabled);
        if (uplink->IsLinkUp() && enabled.Get())
        {
            return true;
        }
    }
    return false;
}

void
EsxLossWatch::DoDispose()
{
    m_watched.clear();
    m_ipv4 = nullptr;
    Object::DoDispose();
}

} // namespace ns3
