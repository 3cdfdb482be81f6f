// SPDX-License-Identifier: GPL-2.0-only
#include "esx-physical-switch.h"

#include "esx-ethernet-net-device.h"

#include "ns3/abort.h"
#include "ns3/channel.h"
#include "ns3/esx-mac-table.h"
#include "ns3/esx-vlan-header.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/packet.h"
#include "ns3/simulator.h"
#include "ns3/trace-source-accessor.h"

#include <algorithm>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxPhysicalSwitch");
NS_OBJECT_ENSURE_REGISTERED(EsxPhysicalSwitch);

namespace
{

constexpr uint16_t LAST_VLAN = 4094;

void
CheckVlan(uint16_t number, uint16_t vlan)
{
    NS_ABORT_MSG_IF(vlan < 1 || vlan > LAST_VLAN,
                    "switch port " << number << ": VLAN " << vlan << " is not one of 1 to 4094");
}

/// Address and VLAN as one number: 48 + 12 bits.
uint64_t
ToKey(const Mac48Address& address, uint16_t vlan)
{
    return EsxMacTable::ToKey(address) | static_cast<uint64_t>(vlan) << 48;
}

} // namespace

TypeId
EsxPhysicalSwitch::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxPhysicalSwitch")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxPhysicalSwitch>()
            .AddAttribute("AgeingTime",
                          "How long an address that is silent stays known (IEEE 802.1D: 300 s)",
                          TimeValue(Seconds(300)),
                          MakeTimeAccessor(&EsxPhysicalSwitch::m_ageingTime),
                          MakeTimeChecker(Time(0)))
            .AddTraceSource("Drop",
                            "A frame was dropped: packet as it came in, number of the port it came "
                            "in by, cause",
                            MakeTraceSourceAccessor(&EsxPhysicalSwitch::m_dropTrace),
                            "ns3::EsxPhysicalSwitch::DropTracedCallback");
    return tid;
}

EsxPhysicalSwitch::EsxPhysicalSwitch() = default;
EsxPhysicalSwitch::~EsxPhysicalSwitch() = default;

void
EsxPhysicalSwitch::DoDispose()
{
    for (const auto& [number, port] : m_ports)
    {
        port.own ? port.own->SetFrameTaker({}) : void();
    }
    m_byDevice.clear();
    m_ports.clear();
    m_learned.clear();
    Object::DoDispose();
}

void
EsxPhysicalSwitch::AddPort(uint16_t number, Ptr<NetDevice> device)
{
    NS_LOG_FUNCTION(this << number << device);
    NS_ABORT_MSG_IF(number == 0, "switch ports are numbered from 1");
    NS_ABORT_MSG_IF(m_ports.count(number), "switch port " << number << " has a device already");
    NS_ABORT_MSG_IF(!device || !device->GetNode(),
                    "switch port " << number << ": no device of a node to adopt");
    NS_ABORT_MSG_IF(!device->SupportsSendFrom() || !device->IsBroadcast() ||
                        !Mac48Address::IsMatchingType(device->GetAddress()),
                    "switch port " << number << ": a " << device->GetInstanceTypeId().GetName()
                                   << " cannot be a port: it must be an Ethernet device that sends "
                                      "with others' addresses, such as ns3::CsmaNetDevice");
    Port port;
    port.number = number;
    port.device = device;
    port.own = dynamic_cast<EsxEthernetNetDevice*>(PeekPointer(device)); // a vNIC hands up only
    const Port& made = m_ports.emplace(number, port).first->second;
    m_byDevice[PeekPointer(device)] = &made;
    SetAccess(number, DEFAULT_VLAN);
    if (port.own)
    {
        port.own->SetFrameTaker([this, &made](const auto&... frame) { Take(made, frame...); });
    }
    else
    {
        device->GetNode()->RegisterProtocolHandler(MakeCallback(&EsxPhysicalSwitch::Receive, this),
                                                   0, // every EtherType
                                                   device,
                                                   true);
    }
}

/// A port that is about to change.
EsxPhysicalSwitch::Port&
EsxPhysicalSwitch::Require(uint16_t number)
{
    const auto port = m_ports.find(number);
    NS_ABORT_MSG_IF(port == m_ports.end(), "the switch has no port " << number);
    m_deferrals.GoSingly();
    return port->second;
}

void
EsxPhysicalSwitch::SetAccess(uint16_t number, uint16_t vlan)
{
    NS_LOG_FUNCTION(this << number << vlan);
    CheckVlan(number, vlan);
    Port& port = Require(number);
    port.trunk = false;
    port.untagged = vlan;
    port.vlans.reset();
    port.vlans.set(vlan);
    Forget(number);
}

void
EsxPhysicalSwitch::SetTrunk(uint16_t number, const std::vector<uint16_t>& allowed, uint16_t native)
{
    NS_LOG_FUNCTION(this << number << native);
    CheckVlan(number, native);
    Port& port = Require(number);
    port.trunk = true;
    port.untagged = native;
    port.vlans.reset();
    for (uint16_t vlan : allowed)
    {
        CheckVlan(number, vlan);
        port.vlans.set(vlan);
    }
    if (allowed.empty())
    {
        port.vlans.set();
        port.vlans.reset(0);
        port.vlans.reset(LAST_VLAN + 1);
    }
    Forget(number);
}

void
EsxPhysicalSwitch::SetDown(uint16_t number, bool down)
{
    NS_LOG_FUNCTION(this << number << down);
    Require(number).down = down;
}

void
EsxPhysicalSwitch::SetBlocked(uint16_t number, bool blocked)
{
    NS_LOG_FUNCTION(this << number << blocked);
    Require(number).blocked = blocked;
    Forget(number);
}

/// Forgets the addresses that were learned at a port: they may be elsewhere now.
void
EsxPhysicalSwitch::Forget(uint16_t number)
{
    for (auto learned = m_learned.begin(); learned != m_learned.end();)
    {
        learned = learned->second.port == number ? m_learned.erase(learned) : std::next(learned);
    }
}

std::vector<uint16_t>
EsxPhysicalSwitch::GetPorts() const
{
    std::vector<uint16_t> numbers;
    for (const auto& [number, port] : m_ports)
    {
        numbers.push_back(number);
    }
    return numbers;
}

bool
EsxPhysicalSwitch::IsMember(uint16_t number, uint16_t vlan) const
{
    const auto port = m_ports.find(number);
    return port != m_ports.end() && vlan <= LAST_VLAN && port->second.vlans[vlan];
}

uint16_t
EsxPhysicalSwitch::GetPortOf(const Mac48Address& address, uint16_t vlan) const
{
    const auto learned = m_learned.find(ToKey(address, vlan));
    return learned != m_learned.end() && Simulator::Now() <= learned->second.until
               ? learned->second.port
               : 0;
}

bool
EsxPhysicalSwitch::IsOpen(const Port& port)
{
    return !port.down && !port.blocked && port.device->IsLinkUp();
}

void
EsxPhysicalSwitch::Receive(Ptr<NetDevice> device,
                           Ptr<const Packet> packet,
                           uint16_t protocol,
                           const Address& source,
                           const Address& destination,
                           NetDevice::PacketType /* type: the address says more */)
{
    const auto found = m_byDevice.find(PeekPointer(device));
    if (found != m_byDevice.end()) // else disposed of
    {
        Take(*found->second,
             packet->Copy(), // the device's packet may have other readers
             Mac48Address::ConvertFrom(source),
             Mac48Address::ConvertFrom(destination),
             protocol);
    }
}

void
EsxPhysicalSwitch::Take(const Port& input,
                        const Ptr<Packet>& packet,
                        const Mac48Address& source,
                        const Mac48Address& destination,
                        uint16_t protocol)
{
    // Drop tells of frames with their tags.
    Frame frame{protocol == ESX_TPID ? packet->Copy() : packet,
                source,
                destination,
                protocol,
                0,
                0};
    if (input.down || input.blocked || !Classify(input, frame))
    {
        m_dropTrace(packet,
                    input.number,
                    input.down      ? EsxPhysicalSwitchDrop::PORT_DOWN
                    : input.blocked ? EsxPhysicalSwitchDrop::BLOCKED
                                    : EsxPhysicalSwitchDrop::VLAN);
        return;
    }
    Learn(input, frame);
    Forward(input, frame, packet);
}

/// Finds the VLAN and takes the tag away. An access port takes tags of its own VLAN, too.
/// \return false if the port is not in that VLAN
bool
EsxPhysicalSwitch::Classify(const Port& port, Frame& frame) const
{
    frame.vlan = port.untagged;
    if (frame.protocol == ESX_TPID && frame.packet->GetSize() >= EsxVlanHeader::OCTETS)
    {
        EsxVlanHeader tag;
        frame.packet->RemoveHeader(tag);
        frame.protocol = tag.GetProtocol();
        frame.priority = tag.GetPriority();
        frame.vlan = tag.GetVlan() != 0 ? tag.GetVlan() : port.untagged; // 0: priority only
    }
    return port.vlans[frame.vlan];
}

void
EsxPhysicalSwitch::Learn(const Port& port, const Frame& frame)
{
    if (!frame.source.IsGroup())
    {
        Learned& learned = m_learned[ToKey(frame.source, frame.vlan)];
        if (learned.port != port.number && learned.until == Time::Max())
        {
            m_deferrals.GoSingly();
        }
        learned.port = port.number;
        learned.until = std::max(learned.until, Simulator::Now() + m_ageingTime);
    }
}

Ptr<NetDevice>
EsxPhysicalSwitch::FarEndOf(const NetDevice& device)
{
    const Ptr<Channel> cable = device.GetChannel();
    if (!cable || cable->GetNDevices() != 2)
    {
        return nullptr;
    }
    return cable->GetDevice(PeekPointer(cable->GetDevice(0)) == &device ? 1 : 0);
}

void
EsxPhysicalSwitch::Enter(const Mac48Address& address, const NetDevice& device, uint16_t tag)
{
    const auto found = m_byDevice.find(&device);
    const uint16_t vlan = found == m_byDevice.end() ? 0 : tag != 0 ? tag : found->second->untagged;
    if (vlan == 0 || found->second->blocked || !found->second->vlans[vlan])
    {
        return;
    }
    Learned& entered = m_learned[ToKey(address, vlan)];
    if (entered.until == Time::Max())
    {
        return; // the way here closes a loop
    }
    m_deferrals.GoSingly();
    entered = {found->second->number, Time::Max()};
    for (const auto& [number, port] : m_ports)
    {
        const auto far = port.vlans[vlan] && !port.blocked ? FarEndOf(*port.device) : nullptr;
        const auto next = far ? far->GetNode()->GetObject<EsxPhysicalSwitch>() : nullptr;
        if (next && number != found->second->number)
        {
            next->Enter(address, *far, port.trunk && vlan != port.untagged ? vlan : 0);
        }
    }
}

NetDevice*
EsxPhysicalSwitch::FindPassage(const NetDevice& device,
                               const Mac48Address& source,
                               const Mac48Address& destination,
                               uint16_t& tag) const
{
    const auto found = m_byDevice.find(&device);
    if (found == m_byDevice.end())
    {
        return nullptr;
    }
    const Port& input = *found->second;
    const uint16_t vlan = tag != 0 ? tag : input.untagged;
    const auto from = m_learned.find(ToKey(source, vlan));
    const auto to = m_learned.find(ToKey(destination, vlan));
    if (input.down || input.blocked || !input.vlans[vlan] || from == m_learned.end() ||
        to == m_learned.end() || from->second.until != Time::Max() ||
        to->second.until != Time::Max() || from->second.port != input.number ||
        to->second.port == input.number)
    {
        return nullptr;
    }
    const Port& output = m_ports.at(to->second.port);
    tag = output.trunk && vlan != output.untagged ? vlan : 0;
    return IsOpen(output) && output.vlans[vlan] ? PeekPointer(output.device) : nullptr;
}

EsxDeferrals&
EsxPhysicalSwitch::GetDeferrals()
{
    return m_deferrals;
}

void
EsxPhysicalSwitch::Forward(const Port& input, const Frame& frame, const Ptr<const Packet>& received)
{
    uint16_t known = frame.destination.IsGroup() ? 0 : GetPortOf(frame.destination, frame.vlan);
    if (known == input.number)
    {
        m_dropTrace(received, input.number, EsxPhysicalSwitchDrop::SAME_PORT);
        return;
    }
    const Port* const only = known != 0 ? &m_ports.at(known) : nullptr;
    const bool cutOff = only && !IsOpen(*only);
    if (only && !cutOff && only->vlans[frame.vlan])
    {
        Send(*only, frame, frame.packet);
        return;
    }
    if (cutOff)
    {
        m_dropTrace(received, input.number, EsxPhysicalSwitchDrop::PORT_DOWN);
        known = 0; // there may be another way, by a port that it was not learned at yet
    }
    bool sent = false;
    for (const auto& [number, port] : m_ports)
    {
        const bool wanted = known == 0 && number != input.number;
        if (wanted && port.vlans[frame.vlan] && IsOpen(port))
        {
            Send(port, frame, frame.packet->Copy());
            sent = true;
        }
    }
    if (!sent && !cutOff)
    {
        m_dropTrace(received, input.number, EsxPhysicalSwitchDrop::NO_PORT);
    }
}

void
EsxPhysicalSwitch::Send(const Port& port, const Frame& frame, const Ptr<Packet>& packet)
{
    uint16_t protocol = frame.protocol;
    if (port.trunk && frame.vlan != port.untagged)
    {
        packet->AddHeader(EsxVlanHeader(frame.vlan, protocol, frame.priority));
        protocol = ESX_TPID;
    }
    port.own ? port.own->Transmit(packet, frame.source, frame.destination, protocol)
             : port.device->SendFrom(packet, frame.source, frame.destination, protocol);
}

} // namespace ns3
