// SPDX-License-Identifier: GPL-2.0-only
#include "esx-router.h"

#include "ns3/arp-cache.h"
#include "ns3/icmpv4.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-route.h"
#include "ns3/log.h"
#include "ns3/node.h"

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

} // namespace

TypeId
EsxRouter::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxRouter")
            .SetParent<Ipv4StaticRouting>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxRouter>()
            .AddTraceSource("TooBig",
                            "A packet with DF was dropped, as it exceeds the MTU of its way",
                            MakeTraceSourceAccessor(&EsxRouter::m_tooBigTrace),
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
    m_tooBigTrace(header, packet);
}

void
EsxRouter::NotifyInterfaceUp(uint32_t interface)
{
    Ipv4StaticRouting::NotifyInterfaceUp(interface);
    const auto cache = m_stack->GetObject<Ipv4L3Protocol>()->GetInterface(interface)->GetArpCache();
    if (cache && m_caches.insert(cache).second)
    {
        cache->TraceConnectWithoutContext("Drop", MakeCallback(&EsxRouter::ArpDropped, this));
    }
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
