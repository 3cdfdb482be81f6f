// SPDX-License-Identifier: GPL-2.0-only
// The way of a frame through EsxVSwitch, from Input() to a device. Every instruction counts once
// per frame: only the decision and drops are logged. Ports, names and limits are in esx-vswitch.cc,
// and what policies come to in esx-vswitch-policy.cc.
#include "esx-shaper.h"
#include "esx-team.h"
#include "esx-uplink.h"
#include "esx-virtual-net-device.h"
#include "esx-vlan-header.h"
#include "esx-vswitch.h"

#include "ns3/assert.h"
#include "ns3/event-impl.h"
#include "ns3/log.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <optional>
#include <utility>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxVSwitchForwarding");

/// A frame on its way to a device. Nothing is copied on the way in or out, and memory comes from
/// those that arrived. It holds the vSwitch and the port: the receiver, or the vSwitch, may be gone
/// by the time it comes.
class EsxVSwitch::Delivery final : public EventImpl
{
  public:
    Delivery(EsxVSwitch* vSwitch, EsxPort* port, EsxFrame&& frame)
        : m_vSwitch(vSwitch),
          m_port(port),
          m_frame(std::move(frame))
    {
    }

    static void* operator new(std::size_t size)
    {
        if (!g_arrived)
        {
            return ::operator new(size);
        }
        Arrived* const memory = g_arrived;
        g_arrived = memory->next;
        return memory;
    }

    static void operator delete(void* memory)
    {
        g_arrived = new (memory) Arrived{g_arrived};
    }

  private:
    /// Memory of a delivery whose frame has arrived.
    struct Arrived
    {
        Arrived* next;
    };

    static Arrived* g_arrived; //!< kept for the next ones until the program ends

    void Notify() override
    {
        m_vSwitch->Deliver(*m_port, m_frame, false);
    }

    Ptr<EsxVSwitch> m_vSwitch;
    EsxPort* m_port; //!< lives as long as the vSwitch
    EsxFrame m_frame;
};

EsxVSwitch::Delivery::Arrived* EsxVSwitch::Delivery::g_arrived = nullptr;

/// A flooded frame on its way to devices that keep it from their nodes: no node runs in this event,
/// and one is enough for all. The packet is shared: nobody changes it.
class EsxVSwitch::FilteredFlood final : public EventImpl
{
  public:
    FilteredFlood(EsxVSwitch* vSwitch, std::vector<EsxPort*>&& ports, const EsxFrame& frame)
        : m_vSwitch(vSwitch),
          m_ports(std::move(ports)),
          m_frame(frame)
    {
    }

  private:
    void Notify() override
    {
        for (EsxPort* const port : m_ports)
        {
            m_vSwitch->Deliver(*port, m_frame, true);
        }
    }

    Ptr<EsxVSwitch> m_vSwitch;
    std::vector<EsxPort*> m_ports; //!< live as long as the vSwitch
    EsxFrame m_frame;
};

namespace
{

/// Whose address a broadcast asks for: an ARP request's target, 0.0.0.0 for reverse ARP.
std::optional<Ipv4Address>
AskedFor(const EsxFrame& frame)
{
    constexpr uint16_t ARP = 0x0806;
    constexpr uint16_t RARP = 0x8035;
    constexpr uint8_t REQUEST[] = {0, 1, 8, 0, 6, 4, 0, 1}; // Ethernet, IPv4, lengths, request
    constexpr uint32_t TARGET = 24;
    uint8_t octets[TARGET + 4];
    const bool isArp = frame.protocol == ARP &&
                       frame.packet->CopyData(octets, sizeof(octets)) == sizeof(octets) &&
                       std::equal(std::begin(REQUEST), std::end(REQUEST), octets);
    return isArp                    ? std::optional(Ipv4Address::Deserialize(octets + TARGET))
           : frame.protocol == RARP ? std::optional(Ipv4Address::GetZero())
                                    : std::nullopt;
}

} // namespace

/// A frame that waits for the tap: its way is decided, and the ports live as long as the vSwitch.
class EsxVSwitch::Wait : public EventImpl
{
  public:
    Wait(EsxVSwitch* vSwitch, EsxPort& input, const Decision& decision, EsxFrame&& frame)
        : m_vSwitch(vSwitch),
          m_input(input),
          m_decision(decision),
          m_frame(std::move(frame))
    {
    }

  private:
    void Notify() override
    {
        m_vSwitch->Dispatch(m_input, m_decision, m_frame);
    }

    Ptr<EsxVSwitch> m_vSwitch;
    EsxPort& m_input;
    Decision m_decision;
    EsxFrame m_frame;
};

void
EsxVSwitch::Input(uint16_t port,
                  Ptr<Packet> packet,
                  const Mac48Address& source,
                  const Mac48Address& destination,
                  uint16_t protocol)
{
    NS_ASSERT_MSG(GetPort(port), "vSwitch " << m_name << " never had port " << port);
    EsxPort& input = *m_ports[port - 1];
    const uint32_t octets = EsxPayloadOctets(packet->GetSize(), protocol);
    EsxFrame frame{packet, source, destination, protocol, input.m_vlan};
    ++input.m_counters.framesIn;
    input.m_counters.octetsIn += octets;
    const bool plain = input.m_inFlags == 0 && octets <= m_mtu && protocol != ESX_TPID;
    if (plain || Admit(input, frame, octets))
    {
        Forward(input, frame);
    }
}

/// Whatever is decided before the tap. \return false if the frame was dropped or has to wait
bool
EsxVSwitch::Admit(EsxPort& input, EsxFrame& frame, uint32_t octets)
{
    if (input.m_inFlags & EsxPort::IN_GONE)
    {
        Drop(input, frame.packet, EsxDropCause::DISCONNECTED);
        return false;
    }
    if (octets > m_mtu)
    {
        Drop(input, frame.packet, EsxDropCause::OVERSIZE);
        return false;
    }
    if (!Classify(input, frame))
    {
        Drop(input, frame.packet, EsxDropCause::VLAN);
        return false;
    }
    if ((input.m_inFlags & EsxPort::IN_CHECK_SOURCE) && frame.source != input.m_device->GetMac())
    {
        Drop(input, frame.packet, EsxDropCause::FORGED_TRANSMIT);
        return false;
    }
    return !(input.m_inFlags & EsxPort::IN_SHAPED) || Shape(input, frame);
}

/**
 * Finds a frame's VLAN. A guest's tag is its VLAN under VGT, payload like any other under EST, and
 * not allowed under VST (documented: no double encapsulation). A frame from an uplink has to be
 * of a VLAN that a port group is in; a priority tag (VLAN 0) is none.
 */
bool
EsxVSwitch::Classify(const EsxPort& input, EsxFrame& frame) const
{
    if (input.m_tagged)
    {
        frame.vlan = frame.protocol == ESX_TPID ? EsxReadVlan(frame.packet) : 0;
        return m_vlans[frame.vlan];
    }
    return frame.protocol != ESX_TPID || input.m_vlan == 0;
}

/// \return true if the frame may go on now
bool
EsxVSwitch::Shape(EsxPort& input, EsxFrame& frame)
{
    constexpr uint32_t ETHERNET_HEADER = 14;
    const uint32_t octets = frame.packet->GetSize() + ETHERNET_HEADER;
    const EsxShaper::Verdict verdict = input.m_shaper->Offer(frame, octets);
    if (verdict == EsxShaper::Verdict::REFUSED)
    {
        Drop(input, frame.packet, EsxDropCause::SHAPING);
    }
    return verdict == EsxShaper::Verdict::CONFORMS;
}

void
EsxVSwitch::Forward(EsxPort& input, EsxFrame& frame)
{
    ++input.m_counters.framesAccepted;
    input.m_counters.octetsAccepted += EsxPayloadOctets(frame.packet->GetSize(), frame.protocol);
    if (!input.m_ingressTrace.IsEmpty())
    {
        input.m_ingressTrace(
            EsxPort::MakeFrame(frame.packet, frame.source, frame.destination, frame.protocol));
    }
    const Decision decision = Decide(input, frame);
    if (m_tap)
    {
        const int64_t wait = m_tap->Ingress(*this,
                                            frame.packet,
                                            frame.protocol,
                                            input.m_localId,
                                            decision.port ? decision.port->m_localId : 0);
        if (wait > 0)
        {
            Simulator::Schedule(NanoSeconds(wait),
                                Create<Wait>(this, input, decision, std::move(frame)));
            return;
        }
    }
    Dispatch(input, decision, frame);
}

/// Sends a frame where it was decided to go.
void
EsxVSwitch::Dispatch(EsxPort& input, const Decision& decision, EsxFrame& frame)
{
    NS_LOG_LOGIC(m_name << ": from port " << input.m_localId << ", " << frame.source << " to "
                        << frame.destination << ": "
                        << (decision.port    ? "to port " + std::to_string(decision.port->m_localId)
                            : decision.flood ? "flooded"
                                             : "dropped"));
    if (!m_listeners.empty() && !decision.flood && decision.cause != EsxDropCause::REVERSE_FILTER)
    {
        CopyToListeners(input, decision.port, frame);
    }
    if (decision.port)
    {
        Output(*decision.port, frame);
    }
    else if (decision.flood)
    {
        Flood(input, frame);
    }
    else
    {
        Drop(decision.blames ? *decision.blames : input, frame.packet, decision.cause);
    }
}

bool
EsxVSwitch::FindPassage(uint16_t port,
                        const Mac48Address& source,
                        const Mac48Address& destination,
                        uint32_t octets,
                        uint16_t tag,
                        EsxPassage& passage) const
{
    EsxPort& from = *m_ports[port - 1];
    const bool mayEnter = from.m_kind == EsxPortKind::UPLINK
                              ? from.m_inFlags == EsxPort::IN_UPLINK && m_vlans[tag] &&
                                    m_macs.Find(EsxMacTable::ToKey(source)) == 0
                              : (from.m_inFlags & ~EsxPort::IN_CHECK_SOURCE) == 0 &&
                                    !from.m_tagged && tag == 0 &&
                                    (from.m_inFlags == 0 || source == from.m_device->GetMac()) &&
                                    from.m_device->SendsAtOnce() && !from.m_device->IsObserved();
    if (!mayEnter || octets > m_mtu || !m_listeners.empty() || !from.m_ingressTrace.IsEmpty() ||
        EsxMacTable::IsGroup(EsxMacTable::ToKey(destination)))
    {
        return false;
    }
    EsxPort* const to = FindExit(from, destination, octets, tag);
    passage = {&from, to, static_cast<uint16_t>(to && to->m_uplink ? from.m_vlan : 0)};
    return to != nullptr && to != &from && to->m_egressTrace.IsEmpty();
}

/// \return the port by which unicast frames leave unseen; nullptr: none
EsxPort*
EsxVSwitch::FindExit(const EsxPort& from,
                     const Mac48Address& destination,
                     uint32_t octets,
                     uint16_t tag) const
{
    const bool fromUplink = from.m_kind == EsxPortKind::UPLINK;
    const uint16_t known = m_macs.Find(EsxMacTable::ToKey(destination));
    if (known == 0)
    {
        EsxPort* const uplink = fromUplink || from.m_hashed ? nullptr : from.m_team;
        return uplink && octets <= uplink->m_uplink->GetDevice()->GetMtu() &&
                       !uplink->m_uplink->GetQueueDisc()
                   ? uplink
                   : nullptr;
    }
    EsxPort* const to = PeekPointer(m_ports[known - 1]);
    const bool takes = to->m_outFlags == 0 && !to->m_tagged && to->m_connected && to->m_device &&
                       to->m_vlan == (fromUplink ? tag : from.m_vlan) &&
                       (!fromUplink || (to->m_unicastFrom & from.m_bit));
    return takes && !to->m_device->IsObserved() ? to : nullptr;
}

EsxDeferrals&
EsxVSwitch::GetDeferrals()
{
    return m_deferrals;
}

void
EsxVSwitch::CountSent(const EsxPassage& passage, uint32_t frames, uint64_t octets)
{
    EsxPortCounters& counters = passage.from->m_counters;
    counters.framesIn += frames;
    counters.octetsIn += octets;
    counters.framesAccepted += frames;
    counters.octetsAccepted += octets;
}

void
EsxVSwitch::CountDelivered(const EsxPassage& passage, uint32_t frames, uint64_t octets)
{
    EsxPortCounters& counters = passage.to->m_counters;
    counters.framesOut += frames;
    counters.octetsOut += octets;
}

void
EsxVSwitch::DeliverSingly(const EsxPassage& passage,
                          Ptr<Packet> packet,
                          const Mac48Address& source,
                          const Mac48Address& destination,
                          uint16_t protocol,
                          Time wait)
{
    EsxFrame frame{packet, source, destination, protocol, passage.from->m_vlan};
    Simulator::ScheduleWithContext(passage.to->m_nodeId,
                                   wait,
                                   new Delivery(this, passage.to, std::move(frame)));
}

void
EsxVSwitch::Settle()
{
    if (m_deferrals.IsSettled())
    {
        return;
    }
    if (m_tap)
    {
        m_tap->Settle();
    }
    m_deferrals.Settle();
}

void
EsxVSwitch::GoSingly()
{
    m_deferrals.GoSingly();
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
EsxVSwitch::Decide(const EsxPort& input, const EsxFrame& frame) const
{
    const uint64_t destination = EsxMacTable::ToKey(frame.destination);
    const bool fromUplink = input.m_kind == EsxPortKind::UPLINK;
    if (fromUplink && IsOwn(frame))
    {
        return Decision::Dropped(EsxDropCause::REVERSE_FILTER);
    }
    if (EsxMacTable::IsGroup(destination))
    {
        return Decision::Flooded();
    }
    if (const uint16_t known = m_macs.Find(destination))
    {
        EsxPort* port = PeekPointer(m_ports[known - 1]);
        if (IsIn(*port, frame.vlan))
        {
            if (port == &input)
            {
                return Decision::Dropped(EsxDropCause::OWN_PORT);
            }
            if (port->m_outFlags & EsxPort::OUT_MAC_CHANGED)
            {
                return Decision::Dropped(EsxDropCause::MAC_CHANGE, port);
            }
            if (fromUplink && !(port->m_unicastFrom & input.m_bit))
            {
                return Decision::Dropped(EsxDropCause::INACTIVE_UPLINK);
            }
            return Decision::To(port);
        }
    }
    if (fromUplink)
    {
        return Decision::Dropped(EsxDropCause::UNKNOWN_UNICAST);
    }
    EsxPort* uplink = SelectUplink(input, frame);
    return uplink ? Decision::To(uplink) : Decision::Dropped(EsxDropCause::NO_UPLINK);
}

/// Whether a port is in a VLAN: 0 is that of untagged frames.
bool
EsxVSwitch::IsIn(const EsxPort& port, uint16_t vlan)
{
    return port.m_vlan == vlan || port.m_tagged;
}

/// Whether a frame from outside was sent by a port of this vSwitch: a physical switch gave it back.
bool
EsxVSwitch::IsOwn(const EsxFrame& frame) const
{
    const uint16_t sender = m_macs.Find(EsxMacTable::ToKey(frame.source));
    return sender != 0 && IsIn(*m_ports[sender - 1], frame.vlan);
}

EsxPort*
EsxVSwitch::SelectUplink(const EsxPort& input, const EsxFrame& frame) const
{
    return input.m_hashed ? m_teams[input.m_group].ChooseFor(frame) : input.m_team;
}

/// Ports in promiscuous mode get a copy of what is not for them.
void
EsxVSwitch::CopyToListeners(const EsxPort& input, const EsxPort* output, const EsxFrame& frame)
{
    for (EsxPort* port : m_listeners)
    {
        const bool fromOther =
            input.m_kind == EsxPortKind::UPLINK && !(port->m_groupFrom & input.m_bit);
        if (port != &input && port != output && IsIn(*port, frame.vlan) && !fromOther)
        {
            EsxFrame copy = frame;
            copy.packet = frame.packet->Copy();
            Output(*port, copy);
        }
    }
}

void
EsxVSwitch::Flood(EsxPort& input, const EsxFrame& frame)
{
    const bool fromUplink = input.m_kind == EsxPortKind::UPLINK;
    const std::optional<Ipv4Address> asked = AskedFor(frame);
    std::vector<EsxPort*> keepers;
    bool filtered = false;
    bool taken = false;
    const auto give = [&](EsxPort& port) {
        EsxFrame copy = frame;
        copy.packet = frame.packet->Copy();
        Output(port, copy);
        taken = true;
    };
    for (const auto& port : m_ports)
    {
        if (!port->m_device || PeekPointer(port) == &input || !IsIn(*port, frame.vlan))
        {
            continue;
        }
        if (fromUplink && !(port->m_groupFrom & input.m_bit))
        {
            filtered = true;
        }
        else if (port->m_outFlags & EsxPort::OUT_MAC_CHANGED)
        {
            Drop(*port, frame.packet, EsxDropCause::MAC_CHANGE);
        }
        else if (asked && !port->m_tagged && port->m_device->Filters(*asked))
        {
            keepers.push_back(PeekPointer(port));
            taken = true;
        }
        else
        {
            give(*port);
        }
    }
    if (!keepers.empty())
    {
        Simulator::Schedule(
            m_delay,
            Ptr<EventImpl>(new FilteredFlood(this, std::move(keepers), frame), false));
    }
    if (filtered && !taken)
    {
        Drop(input, frame.packet, EsxDropCause::REVERSE_FILTER);
    }
    if (EsxPort* uplink = fromUplink ? nullptr : SelectUplink(input, frame))
    {
        give(*uplink);
    }
}

/// Sends a frame out of a port, tagged as the port wants it.
void
EsxVSwitch::Output(EsxPort& port, EsxFrame& frame)
{
    if (port.m_tagged && frame.vlan != 0 && frame.protocol != ESX_TPID)
    {
        frame.packet->AddHeader(EsxVlanHeader(frame.vlan, frame.protocol));
        frame.protocol = ESX_TPID;
    }
    else if (frame.protocol == ESX_TPID && port.m_vlan != 0)
    {
        EsxVlanHeader tag;
        frame.packet->RemoveHeader(tag);
        frame.protocol = tag.GetProtocol();
    }
    if (port.m_uplink)
    {
        Transmit(port, frame);
        return;
    }
    Simulator::ScheduleWithContext(port.m_nodeId,
                                   m_delay,
                                   new Delivery(this, &port, std::move(frame)));
}

void
EsxVSwitch::Transmit(EsxPort& port, EsxFrame& frame)
{
    // The device will add its headers to the packet.
    const uint32_t octets = EsxPayloadOctets(frame.packet->GetSize(), frame.protocol);
    if (octets > port.m_uplink->GetDevice()->GetMtu())
    {
        Drop(port, frame.packet, EsxDropCause::UPLINK_OVERSIZE);
        return;
    }
    Ptr<Packet> captured;
    if (!port.m_egressTrace.IsEmpty())
    {
        captured =
            EsxPort::MakeFrame(frame.packet, frame.source, frame.destination, frame.protocol);
    }
    if (!port.m_uplink->Transmit(frame.packet, frame.source, frame.destination, frame.protocol))
    {
        Drop(port, frame.packet, EsxDropCause::UPLINK_REFUSED);
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
EsxVSwitch::Deliver(EsxPort& port, const EsxFrame& frame, bool filtered)
{
    if (!port.m_connected)
    {
        Drop(port, frame.packet, EsxDropCause::RECEIVER_GONE);
        return;
    }
    // A receiver may detach itself while it receives.
    const Ptr<EsxVirtualNetDevice> device = port.m_device;
    if ((port.m_outFlags & EsxPort::OUT_RING) && !device->HasRoom())
    {
        Drop(port, frame.packet, EsxDropCause::RX_RING);
        return;
    }
    ++port.m_counters.framesOut;
    port.m_counters.octetsOut += EsxPayloadOctets(frame.packet->GetSize(), frame.protocol);
    if (!port.m_egressTrace.IsEmpty())
    {
        port.m_egressTrace(
            EsxPort::MakeFrame(frame.packet, frame.source, frame.destination, frame.protocol));
    }
    if (filtered)
    {
        device->ReceiveFiltered(frame.packet, frame.source, frame.destination, frame.protocol);
        return;
    }
    device->Receive(frame.packet, frame.source, frame.destination, frame.protocol);
}

void
EsxVSwitch::Drop(EsxPort& port, const Ptr<const Packet>& packet, EsxDropCause cause)
{
    ++port.m_counters.drops[static_cast<std::size_t>(cause)];
    NS_LOG_LOGIC(m_name << ": dropped at port " << port.m_localId << ": "
                        << EsxDropCauseName(cause));
    m_dropTrace(packet, port.m_localId, cause);
}

} // namespace ns3
