// SPDX-License-Identifier: GPL-2.0-only
#include "esx-net-device.h"

#include "ns3/abort.h"
#include "ns3/channel.h"
#include "ns3/node.h"
#include "ns3/packet.h"
#include "ns3/tag.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/uinteger.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxNetDevice);

namespace
{

/// The mark of an injected packet.
class InjectedTag : public Tag
{
  public:
    static TypeId GetTypeId()
    {
        static TypeId tid = TypeId("ns3::EsxInjectedTag")
                                .SetParent<Tag>()
                                .SetGroupName("EsxNetflow")
                                .HideFromDocumentation()
                                .AddConstructor<InjectedTag>();
        return tid;
    }

    TypeId GetInstanceTypeId() const override
    {
        return GetTypeId();
    }

    uint32_t GetSerializedSize() const override
    {
        return 0;
    }

    void Serialize(TagBuffer) const override
    {
    }

    void Deserialize(TagBuffer) override
    {
    }

    void Print(std::ostream&) const override
    {
    }
};

} // namespace

TypeId
EsxNetDevice::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxNetDevice")
            .SetParent<NetDevice>()
            .SetGroupName("EsxNetflow")
            .AddTraceSource("MacTx",
                            "Given to the device by the node; at a cable with its Ethernet header, "
                            "at a vSwitch without",
                            MakeTraceSourceAccessor(&EsxNetDevice::m_macTxTrace),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource(
                "MacTxDrop",
                "Not sent: not connected, link cut, queue or ring full; header likewise",
                MakeTraceSourceAccessor(&EsxNetDevice::m_macTxDropTrace),
                "ns3::Packet::TracedCallback")
            .AddTraceSource(
                "MacPromiscRx",
                "Received for any station, while a promiscuous handler listens; header likewise",
                MakeTraceSourceAccessor(&EsxNetDevice::m_macPromiscRxTrace),
                "ns3::Packet::TracedCallback")
            .AddTraceSource("MacRx",
                            "Received for this station; header likewise",
                            MakeTraceSourceAccessor(&EsxNetDevice::m_macRxTrace),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("Sniffer",
                            "A frame sent, or received for this station, with its Ethernet header",
                            MakeTraceSourceAccessor(&EsxNetDevice::m_snifferTrace),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PromiscSniffer",
                            "A frame sent or received, whoever it is for, with its Ethernet header",
                            MakeTraceSourceAccessor(&EsxNetDevice::m_promiscSnifferTrace),
                            "ns3::Packet::TracedCallback");
    return tid;
}

EsxNetDevice::EsxNetDevice() = default;
EsxNetDevice::~EsxNetDevice() = default;

void
EsxNetDevice::DoDispose()
{
    m_linkUp = false;
    m_linkChange = {}; // nobody is told any more: the listeners are being disposed of as well
    m_node = nullptr;
    m_receive = ReceiveCallback();
    m_promiscReceive = PromiscReceiveCallback();
    // Captures are complete when the simulation is destroyed, whoever still holds the device.
    m_snifferTrace = {};
    m_promiscSnifferTrace = {};
    NetDevice::DoDispose();
}

NetDevice::PacketType
EsxNetDevice::TypeFor(const Mac48Address& destination) const
{
    return destination == m_address    ? PACKET_HOST
           : destination.IsBroadcast() ? PACKET_BROADCAST
           : destination.IsGroup()     ? PACKET_MULTICAST
                                       : PACKET_OTHERHOST;
}

void
EsxNetDevice::SetIfIndex(const uint32_t index)
{
    m_ifIndex = index;
}

uint32_t
EsxNetDevice::GetIfIndex() const
{
    return m_ifIndex;
}

Ptr<Channel>
EsxNetDevice::GetChannel() const
{
    return nullptr;
}

void
EsxNetDevice::SetAddress(Address address)
{
    m_address = Mac48Address::ConvertFrom(address);
}

Address
EsxNetDevice::GetAddress() const
{
    return m_address;
}

bool
EsxNetDevice::SetMtu(const uint16_t mtu)
{
    return SetAttributeFailSafe("Mtu", UintegerValue(mtu));
}

uint16_t
EsxNetDevice::GetMtu() const
{
    return m_mtu;
}

bool
EsxNetDevice::IsLinkUp() const
{
    return m_linkUp;
}

void
EsxNetDevice::AddLinkChangeCallback(Callback<void> callback)
{
    m_linkChange.ConnectWithoutContext(callback);
}

bool
EsxNetDevice::IsBroadcast() const
{
    return true;
}

Address
EsxNetDevice::GetBroadcast() const
{
    return Mac48Address::GetBroadcast();
}

bool
EsxNetDevice::IsMulticast() const
{
    return true;
}

Address
EsxNetDevice::GetMulticast(Ipv4Address group) const
{
    return Mac48Address::GetMulticast(group);
}

Address
EsxNetDevice::GetMulticast(Ipv6Address group) const
{
    return Mac48Address::GetMulticast(group);
}

bool
EsxNetDevice::IsBridge() const
{
    return false;
}

bool
EsxNetDevice::IsPointToPoint() const
{
    return false;
}

bool
EsxNetDevice::Send(Ptr<Packet> packet, const Address& destination, uint16_t protocol)
{
    return Transmit(packet, m_address, Mac48Address::ConvertFrom(destination), protocol);
}

bool
EsxNetDevice::SendFrom(Ptr<Packet> packet,
                       const Address& source,
                       const Address& destination,
                       uint16_t protocol)
{
    return Transmit(packet,
                    Mac48Address::ConvertFrom(source),
                    Mac48Address::ConvertFrom(destination),
                    protocol);
}

Ptr<Node>
EsxNetDevice::GetNode() const
{
    return m_node;
}

void
EsxNetDevice::SetNode(Ptr<Node> node)
{
    m_node = node;
}

bool
EsxNetDevice::NeedsArp() const
{
    return true;
}

void
EsxNetDevice::SetReceiveCallback(ReceiveCallback callback)
{
    m_receive = callback;
}

const NetDevice::ReceiveCallback&
EsxNetDevice::GetReceiveCallback() const
{
    return m_receive;
}

void
EsxNetDevice::Silence()
{
    m_isSilent = true;
}

/// In few instructions: every injected packet is asked.
bool
EsxNetDevice::IsInjected(const Packet& packet)
{
    for (PacketTagIterator tags = packet.GetPacketTagIterator(); tags.HasNext();)
    {
        if (tags.Next().GetTypeId() == InjectedTag::GetTypeId())
        {
            return true;
        }
    }
    return false;
}

void
EsxNetDevice::MarkInjected(const Packet& packet)
{
    packet.AddPacketTag(InjectedTag());
}

void
EsxNetDevice::HandUp(const Ptr<const Packet>& packet, uint16_t protocol, const Mac48Address& source)
{
    if (!(m_isSilent && IsInjected(*packet)) && !m_receive.IsNull())
    {
        m_receive(this, packet, protocol, source);
    }
}

void
EsxNetDevice::SetPromiscReceiveCallback(PromiscReceiveCallback callback)
{
    m_promiscReceive = callback;
}

bool
EsxNetDevice::SupportsSendFrom() const
{
    return true;
}

} // namespace ns3
