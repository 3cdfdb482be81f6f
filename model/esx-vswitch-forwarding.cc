// SPDX-License-Identifier: GPL-2.0-only
// The way of a frame through EsxVSwitch, from Input() to a device; no logging here, as every
// instruction counts once per frame. Ports, names and limits are in esx-vswitch.cc.
#include "esx-uplink.h"
#include "esx-virtual-net-device.h"
#include "esx-vswitch.h"

#include "ns3/assert.h"
#include "ns3/simulator.h"

#include <utility>

namespace ns3
{

void
EsxVSwitch::Input(uint16_t port,
                  Ptr<Packet> packet,
                  const Mac48Address& source,
                  const Mac48Address& destination,
                  uint16_t protocol)
{
    NS_ASSERT_MSG(GetPort(port), "vSwitch " << m_name << " never had port " << port);
    EsxPort& input = *m_ports[port - 1];
    if (!Accept(input, packet))
    {
        return;
    }
    if (!input.m_ingressTrace.IsEmpty())
    {
        input.m_ingressTrace(EsxPort::MakeFrame(packet, source, destination, protocol));
    }
    const Decision decision = Decide(input, EsxMacTable::ToKey(destination));
    if (m_tap)
    {
        m_tap->Ingress(*this, packet, protocol, port, decision.port ? decision.port->m_localId : 0);
    }
    if (decision.port)
    {
        Output(*decision.port, std::move(packet), source, destination, protocol);
    }
    else if (decision.flood)
    {
        Flood(input, packet, source, destination, protocol);
    }
    else
    {
        Drop(input, packet, decision.cause);
    }
}

bool
EsxVSwitch::Accept(EsxPort& input, const Ptr<Packet>& packet)
{
    // The place for security, VLAN and shaping: whatever is decided before the tap.
    const uint32_t octets = packet->GetSize();
    if (!input.m_connected || octets > m_mtu)
    {
        Reject(input.m_localId,
               packet,
               input.m_connected ? EsxDropCause::OVERSIZE : EsxDropCause::DISCONNECTED);
        return false;
    }
    EsxPortCounters& counters = input.m_counters;
    ++counters.framesIn;
    counters.octetsIn += octets;
    ++counters.framesAccepted;
    counters.octetsAccepted += octets;
    return true;
}

void
EsxVSwitch::Reject(uint16_t port, Ptr<const Packet> packet, EsxDropCause cause)
{
    NS_ASSERT(GetPort(port) && EsxDropIsBeforeTap(cause));
    EsxPort& input = *m_ports[port - 1];
    ++input.m_counters.framesIn;
    input.m_counters.octetsIn += packet->GetSize();
    Drop(input, packet, cause);
}

EsxVSwitch::Decision
EsxVSwitch::Decide(const EsxPort& input, uint64_t destination) const
{
    if (EsxMacTable::IsGroup(destination))
    {
        return {nullptr, true, {}};
    }
    if (const uint16_t known = m_macs.Find(destination))
    {
        return known != input.m_localId ? Decision{PeekPointer(m_ports[known - 1]), false, {}}
                                        : Decision{nullptr, false, EsxDropCause::OWN_PORT};
    }
    if (input.m_kind == EsxPortKind::UPLINK)
    {
        return {nullptr, false, EsxDropCause::UNKNOWN_UNICAST};
    }
    return {SelectUplink(input), false, EsxDropCause::NO_UPLINK};
}

EsxPort*
EsxVSwitch::SelectUplink(
    const EsxPort& /* input: the place for teaming by originating port */) const
{
    for (EsxPort* uplink : m_uplinks)
    {
        if (uplink->m_uplink->IsLinkUp())
        {
            return uplink;
        }
    }
    return nullptr;
}

void
EsxVSwitch::Flood(const EsxPort& input,
                  const Ptr<Packet>& packet,
                  const Mac48Address& source,
                  const Mac48Address& destination,
                  uint16_t protocol)
{
    for (const auto& port : m_ports)
    {
        if (port->m_device && PeekPointer(port) != &input)
        {
            Output(*port, packet->Copy(), source, destination, protocol);
        }
    }
    if (input.m_kind != EsxPortKind::UPLINK)
    {
        if (EsxPort* uplink = SelectUplink(input))
        {
            Output(*uplink, packet->Copy(), source, destination, protocol);
        }
    }
}

void
EsxVSwitch::Output(EsxPort& port,
                   Ptr<Packet> packet,
                   const Mac48Address& source,
                   const Mac48Address& destination,
                   uint16_t protocol)
{
    if (port.m_uplink)
    {
        Transmit(port, std::move(packet), source, destination, protocol);
        return;
    }
    // The event holds the vSwitch, and the port is looked up again when it comes: the receiver,
    // or the vSwitch, may be gone by then.
    Simulator::ScheduleWithContext(port.m_nodeId,
                                   m_delay,
                                   &EsxVSwitch::Deliver,
                                   Ptr<EsxVSwitch>(this),
                                   port.m_localId,
                                   packet,
                                   source,
                                   destination,
                                   protocol);
}

void
EsxVSwitch::Transmit(EsxPort& port,
                     Ptr<Packet> packet,
                     const Mac48Address& source,
                     const Mac48Address& destination,
                     uint16_t protocol)
{
    const uint32_t octets = packet->GetSize(); // the device will add its headers to the packet
    if (octets > port.m_uplink->GetDevice()->GetMtu())
    {
        Drop(port, packet, EsxDropCause::UPLINK_OVERSIZE);
        return;
    }
    Ptr<Packet> captured;
    if (!port.m_egressTrace.IsEmpty())
    {
        captured = EsxPort::MakeFrame(packet, source, destination, protocol);
    }
    if (!port.m_uplink->Transmit(packet, source, destination, protocol))
    {
        Drop(port, packet, EsxDropCause::UPLINK_REFUSED);
        return;
    }
    ++port.m_counters.framesOut;
    port.m_counters.octetsOut += octets;
    if (captured)
    {
        port.m_egressTrace(captured);
    }
}

void
EsxVSwitch::Deliver(uint16_t local,
                    Ptr<Packet> packet,
                    Mac48Address source,
                    Mac48Address destination,
                    uint16_t protocol)
{
    EsxPort& port = *m_ports[local - 1];
    if (!port.m_connected)
    {
        Drop(port, packet, EsxDropCause::RECEIVER_GONE);
        return;
    }
    ++port.m_counters.framesOut;
    port.m_counters.octetsOut += packet->GetSize();
    if (!port.m_egressTrace.IsEmpty())
    {
        port.m_egressTrace(EsxPort::MakeFrame(packet, source, destination, protocol));
    }
    // A receiver may detach itself while it receives.
    const Ptr<EsxVirtualNetDevice> device = port.m_device;
    device->Receive(packet, source, destination, protocol);
}

void
EsxVSwitch::Drop(EsxPort& port, const Ptr<const Packet>& packet, EsxDropCause cause)
{
    ++port.m_counters.drops[static_cast<std::size_t>(cause)];
    m_dropTrace(packet, port.m_localId, cause);
}

} // namespace ns3
