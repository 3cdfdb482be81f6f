// SPDX-License-Identifier: GPL-2.0-only
#include "esx-vswitch.h"

#include "esx-shaper.h"
#include "esx-team.h"
#include "esx-uplink.h"
#include "esx-virtual-net-device.h"
#include "esx-vlan-header.h"

#include "ns3/abort.h"
#include "ns3/esx-host.h"
#include "ns3/log.h"
#include "ns3/object-vector.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <limits>
#include <locale>
#include <sstream>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxVSwitch");
NS_OBJECT_ENSURE_REGISTERED(EsxVSwitch);

TypeId
EsxVSwitch::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxVSwitch")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxVSwitch>()
            .AddAttribute("Ports",
                          "Configured ports: 8, 24, 56, 120, 248, 504 or 1016 (documented); 8 "
                          "reserved ones are added. Fixed at creation",
                          TypeId::ATTR_GET | TypeId::ATTR_CONSTRUCT,
                          UintegerValue(56),
                          MakeUintegerAccessor(&EsxVSwitch::SetConfiguredPorts,
                                               &EsxVSwitch::GetConfiguredPorts),
                          MakeUintegerChecker<uint32_t>(8, 1016))
            .AddAttribute("Mtu",
                          "Longest frame in octets after its Ethernet header; longer ones are "
                          "dropped at ingress",
                          UintegerValue(1500),
                          MakeUintegerAccessor(&EsxVSwitch::SetMtu, &EsxVSwitch::GetMtu),
                          MakeUintegerChecker<uint16_t>(68, 9000))
            .AddAttribute("Delay",
                          "Time from a frame's ingress to its delivery to a vNIC or vmknic (our "
                          "choice); none is added on the way to an uplink",
                          TimeValue(MicroSeconds(5)),
                          MakeTimeAccessor(&EsxVSwitch::SetDelay, &EsxVSwitch::GetDelay),
                          MakeTimeChecker(Time(0)))
            .AddAttribute("Policy",
                          "Security, teaming and shaping of the ports whose port group has no "
                          "policy of its own",
                          PointerValue(),
                          MakePointerAccessor(&EsxVSwitch::SetPolicy, &EsxVSwitch::GetPolicy),
                          MakePointerChecker<EsxPortPolicy>())
            .AddAttribute("AllowUnknownUplinks",
                          "Whether a policy may name uplinks that the vSwitch does not have when "
                          "the run begins; else that ends the script",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxVSwitch::m_allowUnknownUplinks),
                          MakeBooleanChecker())
            .AddAttribute("PortList",
                          "All ports ever made, in order of local ID",
                          ObjectVectorValue(),
                          MakeObjectVectorAccessor(&EsxVSwitch::m_ports),
                          MakeObjectVectorChecker<EsxPort>())
            .AddTraceSource("Drop",
                            "A frame was dropped: packet without Ethernet header, local port ID, "
                            "cause",
                            MakeTraceSourceAccessor(&EsxVSwitch::m_dropTrace),
                            "ns3::EsxVSwitch::DropTracedCallback")
            .AddTraceSource("Connected",
                            "A vNIC, a vmknic or an uplink was plugged into a new port",
                            MakeTraceSourceAccessor(&EsxVSwitch::m_connectedTrace),
                            "ns3::EsxVSwitch::ConnectedTracedCallback");
    return tid;
}

EsxVSwitch::EsxVSwitch()
    : m_policy(CreateObject<EsxPortPolicy>())
{
    NS_LOG_FUNCTION(this);
}

EsxVSwitch::~EsxVSwitch()
{
    NS_LOG_FUNCTION(this);
    for (const auto& port : m_ports)
    {
        port->m_vSwitch = nullptr;
    }
}

void
EsxVSwitch::DoInitialize()
{
    CheckUplinks(*m_policy);
    for (std::size_t group = 0; group < m_policies.size(); ++group)
    {
        CheckUplinks(PolicyOf(group));
    }
    Object::DoInitialize();
}

void
EsxVSwitch::DoDispose()
{
    NS_LOG_FUNCTION(this);
    m_tap = nullptr;
    m_host = nullptr;
    m_uplinks.clear();
    m_listeners.clear();
    m_teams.clear();
    for (const auto& port : m_ports)
    {
        port->Dispose();
    }
    Object::DoDispose();
}

uint16_t
EsxVSwitch::GetId() const
{
    return m_id;
}

const std::string&
EsxVSwitch::GetName() const
{
    return m_name;
}

Ptr<EsxHost>
EsxVSwitch::GetHost() const
{
    return m_host;
}

void
EsxVSwitch::SetConfiguredPorts(uint32_t ports)
{
    static constexpr uint32_t sizes[] = {8, 24, 56, 120, 248, 504, 1016}; // documented
    NS_ABORT_MSG_IF(std::find(std::begin(sizes), std::end(sizes), ports) == std::end(sizes),
                    "a vSwitch cannot have " << ports
                                             << " ports: 8, 24, 56, 120, 248, 504 or 1016");
    m_configuredPorts = ports;
}

uint32_t
EsxVSwitch::GetConfiguredPorts() const
{
    return m_configuredPorts;
}

uint32_t
EsxVSwitch::GetCapacity() const
{
    return m_configuredPorts + RESERVED_PORTS;
}

void
EsxVSwitch::SetMtu(uint16_t mtu)
{
    GoSingly();
    m_mtu = mtu;
}

uint16_t
EsxVSwitch::GetMtu() const
{
    return m_mtu;
}

void
EsxVSwitch::SetDelay(Time delay)
{
    GoSingly();
    m_delay = delay;
}

Time
EsxVSwitch::GetDelay() const
{
    return m_delay;
}

void
EsxVSwitch::SetTap(EsxSwitchTap* tap)
{
    GoSingly();
    m_tap = tap;
}

EsxSwitchTap*
EsxVSwitch::GetTap() const
{
    return m_tap;
}

void
EsxVSwitch::AddPortGroup(const std::string& name, uint16_t vlan)
{
    NS_ABORT_MSG_IF(!m_host, "vSwitch " << m_name << " belongs to no host");
    NS_ABORT_MSG_IF(vlan > ESX_VLAN_GUEST,
                    "port group \"" << name << "\": VLAN " << vlan << " is not one of 0 to 4095");
    m_host->CheckNewPortGroup(name);
    m_portGroups.push_back(PortGroup{name, vlan});
    m_policies.emplace_back();
    m_teams.emplace_back();
    if (vlan == ESX_VLAN_GUEST)
    {
        m_vlans.set();
        m_vlans.reset(ESX_VLAN_GUEST); // 4095 is no VLAN on the wire
    }
    else
    {
        m_vlans.set(vlan);
    }
    m_teams.back().Renew(*m_policy, m_uplinks);
}

const std::vector<EsxVSwitch::PortGroup>&
EsxVSwitch::GetPortGroups() const
{
    return m_portGroups;
}

std::size_t
EsxVSwitch::IndexOfPortGroup(const std::string& name) const
{
    const auto found = std::find_if(m_portGroups.begin(),
                                    m_portGroups.end(),
                                    [&name](const PortGroup& group) { return group.name == name; });
    return found - m_portGroups.begin();
}

bool
EsxVSwitch::HasPortGroup(const std::string& name) const
{
    return IndexOfPortGroup(name) < m_portGroups.size();
}

void
EsxVSwitch::Attach(EsxHost* host, uint16_t id, const std::string& name)
{
    NS_ABORT_MSG_IF(!m_ports.empty(),
                    "vSwitch " << name << ": this object is or was a vSwitch of a host already");
    m_host = host;
    m_id = id;
    m_name = name;
    NewPort(EsxPortKind::INTERNAL, "internal");
}

Time
EsxVSwitch::GetDeletedAt() const
{
    return m_deletedAt;
}

void
EsxVSwitch::Delete()
{
    NS_LOG_FUNCTION(this << m_name);
    if (m_tap)
    {
        m_tap->SwitchDeleted(*this);
        m_tap = nullptr;
    }
    m_deletedAt = Simulator::Now(); // nobody is told of ports that move while all of them go
    for (const auto& port : m_ports)
    {
        Detach(*port);
    }
    m_host = nullptr;
}

EsxPort&
EsxVSwitch::NewPort(EsxPortKind kind, const std::string& name)
{
    NS_ABORT_MSG_IF(!m_host, name << ": vSwitch " << m_name << " belongs to no host");
    NS_ABORT_MSG_IF(m_connected >= GetCapacity(),
                    name << ": vSwitch " << m_name << " has no free port (" << m_configuredPorts
                         << " + " << RESERVED_PORTS << " reserved)");
    NS_ABORT_MSG_IF(m_ports.size() >= std::numeric_limits<uint16_t>::max(),
                    name << ": vSwitch " << m_name << " has used up its port IDs");
    Ptr<EsxPort> port = CreateObject<EsxPort>();
    port->m_vSwitch = this;
    port->m_switchId = m_id;
    port->m_localId = m_ports.size() + 1;
    port->m_kind = kind;
    port->m_name = name;
    port->m_connected = true;
    port->m_connectedAt = Simulator::Now();
    m_ports.push_back(port);
    ++m_connected;
    return *port;
}

uint16_t
EsxVSwitch::Connect(Ptr<EsxVirtualNetDevice> device,
                    const std::string& portGroup,
                    const std::string& name)
{
    NS_LOG_FUNCTION(this << device << portGroup << name);
    NS_ABORT_MSG_IF(!device->GetNode(), name << " is a device of no node");
    NS_ABORT_MSG_IF(device->IsLinkUp(), name << " is connected already");
    const std::size_t group = IndexOfPortGroup(portGroup);
    NS_ABORT_MSG_IF(group == m_portGroups.size(),
                    name << ": vSwitch " << m_name << " has no port group \"" << portGroup << "\"");
    EsxPort& port = NewPort(device->GetPortKind(), name);
    port.m_portGroup = portGroup;
    port.m_group = group;
    const uint16_t vlan = m_portGroups[group].vlan;
    port.m_tagged = vlan == ESX_VLAN_GUEST;
    port.m_vlan = port.m_tagged ? 0 : vlan;
    port.m_nodeId = device->GetNode()->GetId();
    port.m_device = device;
    Register(port, device->GetMac());
    device->Plug(this, port.m_localId);
    LogPort(port);
    RenewPort(port);
    RenewListeners();
    NotifySwitches(port);
    m_connectedTrace(&port);
    return port.m_localId;
}

uint16_t
EsxVSwitch::Connect(Ptr<EsxUplink> uplink)
{
    NS_LOG_FUNCTION(this << uplink);
    NS_ABORT_MSG_IF(uplink->GetVSwitch(),
                    uplink->GetName() << " is an uplink of vSwitch "
                                      << uplink->GetVSwitch()->GetName() << " already");
    NS_ABORT_MSG_IF(m_uplinks.size() >= MAX_UPLINKS,
                    uplink->GetName() << ": vSwitch " << m_name << " has " << MAX_UPLINKS
                                      << " uplinks already, the most it can have");
    EsxPort& port = NewPort(EsxPortKind::UPLINK, uplink->GetName());
    port.m_uplink = uplink;
    port.m_inFlags = EsxPort::IN_UPLINK;
    port.m_tagged = true;
    port.m_linkWasUp = uplink->IsLinkUp();
    uint64_t taken = 0;
    for (const EsxPort* other : m_uplinks)
    {
        taken |= other->m_bit;
    }
    port.m_bit = ~taken & (taken + 1); // the lowest bit that is free
    m_uplinks.push_back(&port);
    uplink->Plug(this, port.m_localId);
    LogPort(port);
    Renew();
    m_connectedTrace(&port);
    return port.m_localId;
}

void
EsxVSwitch::Disconnect(uint16_t local)
{
    Ptr<EsxPort> port = GetPort(local);
    NS_ABORT_MSG_IF(!port || port->m_kind == EsxPortKind::INTERNAL,
                    "vSwitch " << m_name << ": nothing can be detached from port " << local);
    Detach(*port);
}

void
EsxVSwitch::Detach(EsxPort& port)
{
    if (!port.m_connected)
    {
        return;
    }
    GoSingly();
    port.m_connected = false;
    port.m_disconnectedAt = Simulator::Now();
    port.m_inFlags |= EsxPort::IN_GONE;
    --m_connected;
    if (port.m_uplink)
    {
        DetachUplink(port);
    }
    if (port.m_shaper)
    {
        for (const EsxFrame& frame : port.m_shaper->TakeAll())
        {
            Drop(port, frame.packet, EsxDropCause::DISCONNECTED);
        }
        port.m_shaper.reset();
    }
    if (port.m_device)
    {
        Ptr<EsxVirtualNetDevice> device = port.m_device;
        port.m_device = nullptr;
        m_macs.Erase(EsxMacTable::ToKey(device->GetMac()));
        RenewListeners();
        device->Unplug();
    }
    LogPort(port);
}

/// Tells the VMkernel log that a port was connected or disconnected (our wording).
void
EsxVSwitch::LogPort(const EsxPort& port) const
{
    if (!m_host || port.m_kind == EsxPortKind::INTERNAL)
    {
        return;
    }
    const std::string& where = port.m_portGroup.empty() ? m_name : port.m_portGroup;
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << (port.m_connected ? "connected " : "disconnected ") << port.m_name
         << (port.m_connected ? " to " : " from ") << where << ", portID 0x" << std::hex
         << port.GetShownId();
    m_host->GetLog()->Log("Net", port.m_connected ? 1421 : 1652, text.str());
}

void
EsxVSwitch::DetachUplink(EsxPort& port)
{
    m_uplinks.erase(std::find(m_uplinks.begin(), m_uplinks.end(), &port));
    Ptr<EsxUplink> uplink = port.m_uplink;
    port.m_uplink = nullptr;
    uplink->Unplug();
    Renew();
}

void
EsxVSwitch::Register(const EsxPort& port, const Mac48Address& address)
{
    const uint64_t key = EsxMacTable::ToKey(address);
    NS_ABORT_MSG_IF(key == 0 || EsxMacTable::IsGroup(key),
                    port.m_name << ": " << address << " is no station's MAC address");
    NS_ABORT_MSG_IF(!m_macs.Insert(key, port.m_localId),
                    port.m_name << ": MAC address " << address << " is in use on vSwitch "
                                << m_name);
}

void
EsxVSwitch::ChangeAddress(uint16_t local, const Mac48Address& from, const Mac48Address& to)
{
    GoSingly();
    m_macs.Erase(EsxMacTable::ToKey(from));
    EsxPort& port = *m_ports[local - 1];
    Register(port, to);
    RenewPort(port);
    RenewListeners();
}

void
EsxVSwitch::Announce(uint16_t local)
{
    NotifySwitches(*m_ports.at(local - 1));
}

Ptr<EsxPort>
EsxVSwitch::GetPort(uint16_t local) const
{
    return local >= 1 && local <= m_ports.size() ? m_ports[local - 1] : nullptr;
}

const std::vector<Ptr<EsxPort>>&
EsxVSwitch::GetPorts() const
{
    return m_ports;
}

const std::string&
EsxVSwitch::GetPortName(uint16_t local) const
{
    static const std::string NONE;
    const Ptr<EsxPort> port = GetPort(local);
    return port ? port->m_name : NONE;
}

uint32_t
EsxVSwitch::GetNConnected() const
{
    return m_connected;
}

EsxPortCounters
EsxVSwitch::GetTotals() const
{
    EsxPortCounters totals;
    for (const auto& port : m_ports)
    {
        totals += port->GetCounters();
    }
    return totals;
}

} // namespace ns3
