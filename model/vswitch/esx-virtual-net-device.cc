// SPDX-License-Identifier: GPL-2.0-only
#include "esx-virtual-net-device.h"

#include "esx-vswitch.h"

#include "ns3/boolean.h"
#include "ns3/channel.h"
#include "ns3/esx-host.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/uinteger.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxVirtualNetDevice");
NS_OBJECT_ENSURE_REGISTERED(EsxVirtualNetDevice);

namespace
{

/// The OUI, then the low half of ns-3's own count of addresses, which Simulator::Destroy() resets:
/// unique in a simulation, and the same again in the next one.
Mac48Address
AllocateAddress(uint32_t oui)
{
    uint8_t octets[6];
    Mac48Address::Allocate().CopyTo(octets);
    octets[0] = oui >> 16;
    octets[1] = oui >> 8;
    octets[2] = oui;
    Mac48Address address;
    address.CopyFrom(octets);
    return address;
}

} // namespace

TypeId
EsxVirtualNetDevice::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxVirtualNetDevice")
            .SetParent<EsxNetDevice>()
            .SetGroupName("EsxNetflow")
            .AddAttribute("Mtu",
                          "Most that the node's IP stack puts into a frame, in octets after the "
                          "Ethernet header; a vSwitch has a limit of its own",
                          UintegerValue(1500),
                          MakeUintegerAccessor(&EsxVirtualNetDevice::m_mtu),
                          MakeUintegerChecker<uint16_t>(68, 9000))
            .AddAttribute("Address",
                          "MAC address in the virtual machine's configuration file; all zero: the "
                          "next one of VMware's",
                          Mac48AddressValue(Mac48Address()),
                          MakeMac48AddressAccessor(&EsxVirtualNetDevice::SetConfiguredMac,
                                                   &EsxVirtualNetDevice::CopyMac),
                          MakeMac48AddressChecker())
            .AddAttribute("Promiscuous",
                          "Whether the guest put the adapter into promiscuous mode; it is as well "
                          "while a promiscuous handler of its node listens. The port's policy "
                          "decides whether it gets more",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxVirtualNetDevice::SetPromiscuous,
                                              &EsxVirtualNetDevice::IsPromiscuous),
                          MakeBooleanChecker())
            .AddAttribute("FilterArp",
                          "The adapter keeps broadcast requests for others from its node: ARP for "
                          "addresses that the node does not have on it, and reverse ARP. ns-3's "
                          "ARP would drop them; off for a node that has another handler for them",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxVirtualNetDevice::m_filterArp),
                          MakeBooleanChecker());
    return tid;
}

EsxVirtualNetDevice::EsxVirtualNetDevice(uint32_t oui)
{
    m_address = AllocateAddress(oui);
    NS_LOG_FUNCTION(this << oui);
}

EsxVirtualNetDevice::~EsxVirtualNetDevice()
{
    NS_LOG_FUNCTION(this);
}

void
EsxVirtualNetDevice::DoDispose()
{
    NS_LOG_FUNCTION(this);
    m_linkChange = {}; // nobody is told any more: the listeners are being disposed of as well
    if (m_linkUp)
    {
        // The simulation ends, which is no event of the host: its log is left as it is.
        const Ptr<EsxHost> host = m_vSwitch->GetHost();
        const auto setLogsHost = [&host](EsxHost* of) {
            host ? host->GetLog()->SetHost(of) : void();
        };
        setLogsHost(nullptr);
        m_vSwitch->Disconnect(m_port);
        setLogsHost(PeekPointer(host));
    }
    m_vSwitch = nullptr;
    m_ipv4Interface = nullptr;
    EsxNetDevice::DoDispose();
}

Ptr<EsxVSwitch>
EsxVirtualNetDevice::GetVSwitch() const
{
    return m_vSwitch;
}

uint16_t
EsxVirtualNetDevice::GetPortId() const
{
    return m_port;
}

void
EsxVirtualNetDevice::Plug(Ptr<EsxVSwitch> vSwitch, uint16_t port)
{
    NS_LOG_FUNCTION(this << vSwitch << port);
    m_vSwitch = vSwitch;
    m_port = port;
    m_linkUp = true;
    if (!m_hasConfiguredAddress)
    {
        m_configuredAddress = m_address;
        m_hasConfiguredAddress = true;
    }
    m_linkChange();
}

void
EsxVirtualNetDevice::Unplug()
{
    NS_LOG_FUNCTION(this);
    m_linkUp = false;
    m_linkChange();
}

inline bool
EsxVirtualNetDevice::IsSniffed() const
{
    return !m_promiscSnifferTrace.IsEmpty() || !m_snifferTrace.IsEmpty();
}

bool
EsxVirtualNetDevice::IsObserved() const
{
    return IsSniffed() || !m_macTxTrace.IsEmpty() || !m_macRxTrace.IsEmpty() ||
           !m_promiscReceive.IsNull();
}

bool
EsxVirtualNetDevice::Transmit(const Ptr<Packet>& packet,
                              const Mac48Address& source,
                              const Mac48Address& destination,
                              uint16_t protocol)
{
    Tell(m_macTxTrace, packet);
    if (!m_linkUp)
    {
        TransmitDrop(packet, EsxDropCause::DISCONNECTED, true);
        return false;
    }
    if (IsSniffed())
    {
        Sniff(packet, source, destination, protocol, false);
    }
    m_vSwitch->Input(m_port, packet, source, destination, protocol);
    return true;
}

void
EsxVirtualNetDevice::TransmitDrop(const Ptr<Packet>& packet, EsxDropCause cause, bool counted)
{
    m_macTxDropTrace(packet);
    if (counted && m_vSwitch)
    {
        m_vSwitch->Reject(m_port, packet, cause);
    }
}

void
EsxVirtualNetDevice::Receive(const Ptr<const Packet>& packet,
                             const Mac48Address& source,
                             const Mac48Address& destination,
                             uint16_t protocol)
{
    const PacketType type = TypeFor(destination);
    if (IsSniffed())
    {
        Sniff(packet, source, destination, protocol, type == PACKET_OTHERHOST);
    }
    if (!m_promiscReceive.IsNull())
    {
        m_macPromiscRxTrace(packet);
        m_promiscReceive(this, packet, protocol, source, destination, type);
    }
    if (type != PACKET_OTHERHOST)
    {
        Tell(m_macRxTrace, packet);
        HandUp(packet, protocol, source);
    }
}

bool
EsxVirtualNetDevice::Filters(Ipv4Address target)
{
    if (!m_filterArp || m_isSilent || HasRing() || !m_promiscReceive.IsNull())
    {
        return false;
    }
    if (!m_ipv4Interface)
    {
        const auto ipv4 = GetNode()->GetObject<Ipv4L3Protocol>();
        const int32_t index = ipv4 ? ipv4->GetInterfaceForDevice(this) : -1;
        if (index < 0)
        {
            return false;
        }
        m_ipv4Interface = PeekPointer(ipv4->GetInterface(index));
    }
    for (uint32_t i = 0; i < m_ipv4Interface->GetNAddresses(); ++i)
    {
        if (m_ipv4Interface->GetAddress(i).GetLocal() == target)
        {
            return false;
        }
    }
    return true;
}

void
EsxVirtualNetDevice::ReceiveFiltered(const Ptr<const Packet>& packet,
                                     const Mac48Address& source,
                                     const Mac48Address& destination,
                                     uint16_t protocol)
{
    if (IsSniffed())
    {
        Sniff(packet, source, destination, protocol, false);
    }
    m_macRxTrace(packet);
}

void
EsxVirtualNetDevice::Sniff(const Ptr<const Packet>& packet,
                           const Mac48Address& source,
                           const Mac48Address& destination,
                           uint16_t protocol,
                           bool othersFrame)
{
    const Ptr<const Packet> frame = EsxPort::MakeFrame(packet, source, destination, protocol);
    m_promiscSnifferTrace(frame);
    if (!othersFrame)
    {
        m_snifferTrace(frame);
    }
}

void
EsxVirtualNetDevice::SetAddress(Address address)
{
    const Mac48Address old = m_address;
    EsxNetDevice::SetAddress(address);
    if (m_linkUp)
    {
        m_vSwitch->ChangeAddress(m_port, old, m_address);
    }
}

const Mac48Address&
EsxVirtualNetDevice::GetMac() const
{
    return m_address;
}

Mac48Address
EsxVirtualNetDevice::CopyMac() const
{
    return m_address;
}

void
EsxVirtualNetDevice::SetConfiguredMac(Mac48Address address)
{
    if (address == Mac48Address())
    {
        return;
    }
    m_configuredAddress = address;
    m_hasConfiguredAddress = true;
    SetAddress(address);
    Announce();
}

void
EsxVirtualNetDevice::Announce()
{
    if (m_linkUp)
    {
        m_vSwitch->Announce(m_port);
    }
}

const Mac48Address&
EsxVirtualNetDevice::GetConfiguredMac() const
{
    return m_configuredAddress;
}

bool
EsxVirtualNetDevice::IsPromiscuous() const
{
    return m_promiscuous || !m_promiscReceive.IsNull();
}

void
EsxVirtualNetDevice::SetPromiscuous(bool promiscuous)
{
    m_promiscuous = promiscuous;
    if (m_linkUp)
    {
        m_vSwitch->PromiscuityChanged();
    }
}

bool
EsxVirtualNetDevice::SendsAtOnce() const
{
    return true;
}

bool
EsxVirtualNetDevice::HasRing() const
{
    return false;
}

void
EsxVirtualNetDevice::NotifyRingChanged()
{
    if (m_linkUp)
    {
        m_vSwitch->RingChanged(m_port);
    }
}

bool
EsxVirtualNetDevice::HasRoom() const
{
    return true;
}

void
EsxVirtualNetDevice::SetPromiscReceiveCallback(PromiscReceiveCallback callback)
{
    EsxNetDevice::SetPromiscReceiveCallback(callback);
    if (m_linkUp)
    {
        m_vSwitch->PromiscuityChanged();
    }
}

} // namespace ns3
