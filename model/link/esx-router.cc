// SPDX-License-Identifier: GPL-2.0-only
#include "esx-router.h"

#include "esx-vlan-net-device.h"

#include "ns3/arp-cache.h"
#include "ns3/icmpv4.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-route.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/queue-disc.h"
#include "ns3/traffic-control-layer.h"

#include <algorithm>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxRouter");
NS_OBJECT_ENSURE_REGISTERED(EsxRouter);

namespace
{

constexpr uint8_t PROTOCOL_ICMP = 1;

bool
IsError(uint8_t type)
{
    return type != Icmpv4Header::ICMPV4_ECHO && type != Icmpv4Header::ICMPV4_ECHO_REPLY;
}

/// Packets renew what ARP has learned of their sender, or of the router that they come from.
bool
KnowsForGood(ArpCache& arp, Ipv4Address sender, const Mac48Address& from)
{
    if (ArpCache::Entry* const entry = arp.Lookup(sender))
    {
        return entry->IsPermanent();
    }
    const std::list<ArpCache::Entry*> all = arp.LookupInverse(from);
    return !all.empty() && std::all_of(all.begin(), all.end(), [](ArpCache::Entry* entry) {
        return entry->IsPermanent();
    });
}

} // namespace

TypeId
EsxRouter::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxRouter")
            .SetParent<Ipv4StaticRouting>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxRouter>()
            .AddTraceSource("Drop",
                            "A packet was dropped for a reason that ns-3's forwarding lacks",
                            MakeTraceSourceAccessor(&EsxRouter::m_dropTrace),
                            "ns3::EsxRouter::DropTracedCallback");
    return tid;
}

EsxRouter::EsxRouter()
    : m_check(MakeCallback(&EsxRouter::Forward, this))
{
}

EsxRouter::~EsxRouter() = default;

void
EsxRouter::DoDispose()
{
    m_deferrals.GoSingly();
    m_stack = nullptr;
    m_caches.clear();
    Ipv4StaticRouting::DoDispose();
}

void
EsxRouter::SetIpv4(Ptr<Ipv4> ipv4)
{
    m_stack = ipv4;
    Ipv4StaticRouting::SetIpv4(ipv4);
}

bool
EsxRouter::RouteInput(Input::Packet packet,
                      const Ipv4Header& header,
                      Input::Device device,
                      Input::Unicast forward,
                      Input::Multicast multicast,
                      Input::Local local,
                      Input::Error error)
{
    m_forward = &forward;
    if (Ipv4StaticRouting::RouteInput(packet, header, device, m_check, multicast, local, error))
    {
        return true;
    }
    NS_LOG_LOGIC(this << " no route to " << header.GetDestination());
    SendUnreachable(header, packet, Icmpv4DestinationUnreachable::ICMPV4_NET_UNREACHABLE);
    return false;
}

/// A route was found.
void
EsxRouter::Forward(Ptr<Ipv4Route> route, Ptr<const Packet> packet, const Ipv4Header& header)
{
    const uint16_t mtu = route->GetOutputDevice()->GetMtu();
    const bool tooBig = packet->GetSize() + header.GetSerializedSize() > mtu;
    if (!tooBig || !header.IsDontFragment())
    {
        (*m_forward)(route, packet, header);
        return;
    }
    NS_LOG_LOGIC(this << " DF, and longer than " << mtu << " octets: " << header);
    SendUnreachable(header, packet, Icmpv4DestinationUnreachable::ICMPV4_FRAG_NEEDED, mtu);
    m_dropTrace(header, packet, netflow::Move::LOST_MTU);
}

void
EsxRouter::NotifyInterfaceUp(uint32_t interface)
{
    m_deferrals.GoSingly();
    Ipv4StaticRouting::NotifyInterfaceUp(interface);
    const auto cache = m_stack->GetObject<Ipv4L3Protocol>()->GetInterface(interface)->GetArpCache();
    if (cache && m_caches.insert(cache).second)
    {
        cache->TraceConnectWithoutContext("Drop", MakeCallback(&EsxRouter::ArpDropped, this));
    }
}

void
EsxRouter::NotifyInterfaceDown(uint32_t interface)
{
    m_deferrals.GoSingly();
    Ipv4StaticRouting::NotifyInterfaceDown(interface);
}

EsxDeferrals&
EsxRouter::GetDeferrals()
{
    return m_deferrals;
}

NetDevice*
EsxRouter::FindPassage(NetDevice& port,
                       const Ipv4Header& header,
                       Mac48Address& source,
                       Mac48Address& destination,
                       uint16_t& tag)
{
    const auto ipv4 = m_stack ? m_stack->GetObject<Ipv4L3Protocol>() : nullptr;
    const int32_t input = FindInput(port, tag);
    const auto from = input >= 0 ? ipv4->GetInterface(input) : nullptr;
    const bool enters = from && from->IsUp() && from->IsForwarding() && from->GetArpCache() &&
                        from->GetDevice()->GetAddress() == destination &&
                        KnowsForGood(*from->GetArpCache(), header.GetSource(), source);
    const auto route = enters ? FindRoute(header, input) : nullptr;
    const Ptr<NetDevice> device = route ? route->GetOutputDevice() : nullptr;
    const auto to = device ? ipv4->GetInterface(ipv4->GetInterfaceForDevice(device)) : nullptr;
    const bool isDirect = route && route->GetGateway() == Ipv4Address::GetZero();
    ArpCache::Entry* const next =
        to && to->IsUp() && to->GetArpCache()
            ? to->GetArpCache()->Lookup(isDirect ? header.GetDestination() : route->GetGateway())
            : nullptr;
    if (!next || !next->IsPermanent())
    {
        return nullptr;
    }
    source = Mac48Address::ConvertFrom(device->GetAddress());
    destination = Mac48Address::ConvertFrom(next->GetMacAddress());
    const auto [out, vlan] = EsxVlanNetDevice::PortOf(device);
    tag = vlan;
    return PeekPointer(out);
}

/// \return the interface of a port's frames; -1: none, or somebody sees them there
int32_t
EsxRouter::FindInput(NetDevice& port, uint16_t tag) const
{
    for (uint32_t i = 0; m_stack && i < m_stack->GetNInterfaces(); ++i)
    {
        const auto device = DynamicCast<EsxEthernetNetDevice>(m_stack->GetNetDevice(i));
        if (device && EsxVlanNetDevice::PortOf(device) == std::pair(Ptr<NetDevice>(&port), tag))
        {
            return device->IsObserved() ? -1 : static_cast<int32_t>(i);
        }
    }
    return -1;
}

/// \return the route of packets that are passed on at once and whole; nullptr: none
Ptr<Ipv4Route>
EsxRouter::FindRoute(const Ipv4Header& header, uint32_t input)
{
    const Ipv4Address to = header.GetDestination();
    Socket::SocketErrno ignored;
    const auto route = to.IsMulticast() || m_stack->IsDestinationAddress(to, input)
                           ? nullptr
                           : RouteOutput(nullptr, header, nullptr, ignored);
    const Ptr<NetDevice> out = route ? route->GetOutputDevice() : nullptr;
    const auto control = m_stack->GetObject<TrafficControlLayer>();
    const bool waits = out && control && control->GetRootQueueDiscOnDevice(out);
    const uint32_t octets = header.GetPayloadSize() + header.GetSerializedSize();
    return out && !waits && octets <= out->GetMtu() ? route : nullptr;
}

/// Nobody answered. \param packet with its IP header
void
EsxRouter::ArpDropped(Ptr<const Packet> packet)
{
    const Ptr<Packet> payload = packet->Copy();
    Ipv4Header header;
    payload->RemoveHeader(header);
    SendUnreachable(header, payload, Icmpv4DestinationUnreachable::ICMPV4_HOST_UNREACHABLE);
}

bool
EsxRouter::MayBeTold(const Ipv4Header& header, const Ptr<const Packet>& packet) const
{
    const Ipv4Address to = header.GetDestination();
    uint8_t type = Icmpv4Header::ICMPV4_ECHO;
    if (header.GetProtocol() == PROTOCOL_ICMP)
    {
        packet->CopyData(&type, 1);
    }
    return header.GetFragmentOffset() == 0 && !to.IsBroadcast() && !to.IsMulticast() &&
           !IsError(type) && m_stack->GetInterfaceForAddress(header.GetSource()) < 0;
}

void
EsxRouter::SendUnreachable(const Ipv4Header& header,
                           const Ptr<const Packet>& packet,
                           uint8_t code,
                           uint16_t nextHopMtu)
{
    Ipv4Header back;
    back.SetDestination(header.GetSource());
    Socket::SocketErrno ignored;
    const Ptr<Ipv4Route> route =
        MayBeTold(header, packet) ? RouteOutput(nullptr, back, nullptr, ignored) : nullptr;
    if (!route)
    {
        return;
    }
    Icmpv4DestinationUnreachable unreachable;
    unreachable.SetHeader(header);
    unreachable.SetData(packet);
    unreachable.SetNextHopMtu(nextHopMtu);
    const Ptr<Packet> message = Create<Packet>();
    message->AddHeader(unreachable);
    Icmpv4Header icmp;
    icmp.SetType(Icmpv4Header::ICMPV4_DEST_UNREACH);
    icmp.SetCode(code);
    if (Node::ChecksumEnabled())
    {
        icmp.EnableChecksum();
    }
    message->AddHeader(icmp);
    m_stack->Send(message, route->GetSource(), back.GetDestination(), PROTOCOL_ICMP, route);
}

} // namespace ns3
