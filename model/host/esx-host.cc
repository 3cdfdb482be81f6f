// SPDX-License-Identifier: GPL-2.0-only
#include "esx-host.h"

#include "model/esx-compat.h"

#include "ns3/abort.h"
#include "ns3/enum.h"
#include "ns3/log.h"
#include "ns3/object-vector.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <limits>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxHost");
NS_OBJECT_ENSURE_REGISTERED(EsxHost);

TypeId
EsxHost::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxHost")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxHost>()
            .AddAttribute("Name",
                          "Host name, as in its log lines",
                          StringValue("esx"),
                          MakeStringAccessor(&EsxHost::m_name),
                          MakeStringChecker())
            .AddAttribute("Edition",
                          "Product: Esx35, or Esx3i, on which NetFlow is not available",
                          EnumValue(EsxHost::ESX35),
                          MakeEsxEnumAccessor<Edition>(&EsxHost::m_edition),
                          MakeEnumChecker(EsxHost::ESX35, "Esx35", EsxHost::ESX3I, "Esx3i"))
            .AddAttribute("State",
                          "Running; Unstable after the deletion of a vSwitch with NetFlow "
                          "activated; Halted",
                          TypeId::ATTR_GET,
                          EnumValue(EsxHost::RUNNING),
                          MakeEsxEnumAccessor<State>(&EsxHost::m_state),
                          MakeEnumChecker(EsxHost::RUNNING,
                                          "Running",
                                          EsxHost::UNSTABLE,
                                          "Unstable",
                                          EsxHost::HALTED,
                                          "Halted"))
            .AddAttribute("PortsetBase",
                          "Switch ID of the first vSwitch (our choice)",
                          UintegerValue(1),
                          MakeUintegerAccessor(&EsxHost::m_portsetBase),
                          MakeUintegerChecker<uint16_t>())
            .AddAttribute("UptimeAtStart",
                          "Uptime at simulation time 0",
                          TimeValue(Time(0)),
                          MakeTimeAccessor(&EsxHost::m_uptimeAtStart),
                          MakeTimeChecker(Time(0)))
            .AddAttribute("Epoch",
                          "Wall clock at simulation time 0, in nanoseconds since 1970-01-01 "
                          "00:00:00 UTC; by default 2008-10-26 00:00:00 (our choice)",
                          UintegerValue(1224979200ULL * 1000000000ULL),
                          MakeUintegerAccessor(&EsxHost::m_epochNs),
                          MakeUintegerChecker<uint64_t>())
            .AddAttribute("VSwitchList",
                          "The vSwitches in order of creation",
                          ObjectVectorValue(),
                          MakeObjectVectorAccessor(&EsxHost::m_vSwitches),
                          MakeObjectVectorChecker<EsxVSwitch>())
            .AddAttribute("UplinkList",
                          "The uplinks in order of creation",
                          ObjectVectorValue(),
                          MakeObjectVectorAccessor(&EsxHost::m_uplinks),
                          MakeObjectVectorChecker<EsxUplink>())
            .AddAttribute("Log",
                          "The VMkernel log",
                          TypeId::ATTR_GET,
                          PointerValue(),
                          MakePointerAccessor(&EsxHost::m_log),
                          MakePointerChecker<EsxVmkernelLog>())
            .AddTraceSource("StateChanged",
                            "The host has become unstable, or has halted",
                            MakeTraceSourceAccessor(&EsxHost::m_stateTrace),
                            "ns3::EsxHost::StateTracedCallback");
    return tid;
}

EsxHost::EsxHost()
    : m_log(CreateObject<EsxVmkernelLog>())
{
    NS_LOG_FUNCTION(this);
    m_log->SetHost(this);
}

EsxHost::~EsxHost()
{
    NS_LOG_FUNCTION(this);
}

void
EsxHost::DoInitialize()
{
    NS_LOG_FUNCTION(this);
    for (const auto& uplink : m_uplinks)
    {
        uplink->CheckNoIp();
    }
    for (const auto& vSwitch : m_vSwitches)
    {
        vSwitch->Initialize(); // from now on it tells physical switches what changes
    }
    Object::DoInitialize();
}

void
EsxHost::DoDispose()
{
    NS_LOG_FUNCTION(this);
    for (const auto& vSwitch : m_switchesMade)
    {
        vSwitch->Dispose();
    }
    for (const auto& uplink : m_uplinks)
    {
        uplink->Dispose();
    }
    m_uplinks.clear(); // but not the vSwitches: a ledger reads their names and counters
    m_vmknics.clear();
    m_guests.clear();
    m_log->SetHost(nullptr);
    Object::DoDispose();
}

const std::string&
EsxHost::GetName() const
{
    return m_name;
}

EsxHost::Edition
EsxHost::GetEdition() const
{
    return m_edition;
}

EsxHost::State
EsxHost::GetState() const
{
    return m_state;
}

void
EsxHost::MarkUnstable(const std::string& reason)
{
    NS_LOG_FUNCTION(this << reason);
    m_log->Warning("Host", 301, reason + "; host may be unstable");
    if (m_state == RUNNING)
    {
        m_state = UNSTABLE;
        m_stateTrace(m_state);
    }
}

void
EsxHost::Halt(const std::string& reason)
{
    NS_LOG_FUNCTION(this << reason);
    if (m_state == HALTED)
    {
        return;
    }
    m_log->Warning("Host", 317, reason + "; host halted");
    m_state = HALTED;
    m_stateTrace(m_state);
    for (const Ptr<EsxVSwitch>& vSwitch : m_vSwitches)
    {
        for (std::size_t local = 2; local <= vSwitch->GetPorts().size(); ++local)
        {
            vSwitch->Disconnect(
                static_cast<uint16_t>(local)); // all but the internal port, which has ID 1
        }
    }
}

Ptr<Node>
EsxHost::GetVmkernelNode() const
{
    const Ptr<Node> node = GetObject<Node>();
    NS_ABORT_MSG_IF(!node, "host " << m_name << " is not aggregated to its VMkernel node");
    return node;
}

Ptr<EsxVmkernelLog>
EsxHost::GetLog() const
{
    return m_log;
}

Time
EsxHost::GetUptime() const
{
    return m_uptimeAtStart + Simulator::Now();
}

uint64_t
EsxHost::GetUnixTimeNs() const
{
    return m_epochNs + Simulator::Now().GetNanoSeconds();
}

uint32_t
EsxHost::AllocateWorldId()
{
    return m_nextWorld++;
}

Ptr<EsxVSwitch>
EsxHost::AddVSwitch(const std::string& name, Ptr<EsxVSwitch> vSwitch)
{
    NS_LOG_FUNCTION(this << name << vSwitch);
    NS_ABORT_MSG_IF(name.empty(), "host " << m_name << ": a vSwitch needs a name");
    NS_ABORT_MSG_IF(GetVSwitch(name), "host " << m_name << " has a vSwitch " << name << " already");
    NS_ABORT_MSG_IF(m_vSwitches.size() >= MAX_VSWITCHES,
                    "host " << m_name << ", vSwitch " << name << ": a host has at most "
                            << MAX_VSWITCHES << " vSwitches");
    uint32_t ports = vSwitch->GetCapacity();
    for (const auto& other : m_vSwitches)
    {
        ports += other->GetCapacity();
    }
    NS_ABORT_MSG_IF(ports > MAX_PORTS,
                    "host " << m_name << ", vSwitch " << name << ": " << ports
                            << " ports with the reserved ones; a host has at most " << MAX_PORTS);
    const uint32_t id = m_portsetBase + m_switchesMade.size();
    NS_ABORT_MSG_IF(id > std::numeric_limits<uint16_t>::max(),
                    "host " << m_name << " has used up its switch IDs");
    vSwitch->Attach(this, id, name);
    m_switchesMade.push_back(vSwitch);
    m_vSwitches.push_back(vSwitch);
    if (IsInitialized())
    {
        vSwitch->Initialize();
    }
    return vSwitch;
}

void
EsxHost::RemoveVSwitch(const std::string& name)
{
    NS_LOG_FUNCTION(this << name);
    const Ptr<EsxVSwitch> vSwitch = GetVSwitch(name);
    NS_ABORT_MSG_IF(!vSwitch, "host " << m_name << " has no vSwitch " << name);
    vSwitch->Delete();
    m_vSwitches.erase(std::find(m_vSwitches.begin(), m_vSwitches.end(), vSwitch));
}

Ptr<EsxVSwitch>
EsxHost::GetVSwitch(const std::string& name) const
{
    for (const auto& vSwitch : m_vSwitches)
    {
        if (vSwitch->GetName() == name)
        {
            return vSwitch;
        }
    }
    return nullptr;
}

Ptr<EsxVSwitch>
EsxHost::GetVSwitchById(uint16_t id) const
{
    const uint32_t index =
        static_cast<uint32_t>(id) - m_portsetBase; // wraps for IDs below the base
    return index < m_switchesMade.size() ? m_switchesMade[index] : nullptr;
}

const std::vector<Ptr<EsxVSwitch>>&
EsxHost::GetVSwitches() const
{
    return m_vSwitches;
}

uint32_t
EsxHost::GetNVSwitches() const
{
    return m_vSwitches.size();
}

Ptr<EsxVSwitch>
EsxHost::FindPortGroup(const std::string& portGroup) const
{
    for (const auto& vSwitch : m_vSwitches)
    {
        if (vSwitch->HasPortGroup(portGroup))
        {
            return vSwitch;
        }
    }
    return nullptr;
}

Ptr<EsxVSwitch>
EsxHost::RequirePortGroup(const std::string& portGroup) const
{
    const Ptr<EsxVSwitch> vSwitch = FindPortGroup(portGroup);
    NS_ABORT_MSG_IF(!vSwitch, "host " << m_name << " has no port group \"" << portGroup << "\"");
    return vSwitch;
}

void
EsxHost::CheckNewPortGroup(const std::string& name) const
{
    NS_ABORT_MSG_IF(name.empty(), "host " << m_name << ": a port group needs a name");
    NS_ABORT_MSG_IF(FindPortGroup(name),
                    "host " << m_name << " has a port group \"" << name << "\" already");
    std::size_t groups = 0;
    for (const auto& vSwitch : m_vSwitches)
    {
        groups += vSwitch->GetPortGroups().size();
    }
    NS_ABORT_MSG_IF(groups >= MAX_PORT_GROUPS,
                    "host " << m_name << ", port group \"" << name << "\": a host has at most "
                            << MAX_PORT_GROUPS << " port groups");
}

Ptr<EsxUplink>
EsxHost::AddUplink(Ptr<EsxVSwitch> vSwitch,
                   Ptr<NetDevice> device,
                   const std::string& name,
                   Ptr<EsxUplink> uplink)
{
    NS_LOG_FUNCTION(this << vSwitch << device << name);
    NS_ABORT_MSG_IF(!vSwitch || PeekPointer(vSwitch->GetHost()) != this,
                    "host " << m_name << ": an uplink needs a vSwitch of this host");
    NS_ABORT_MSG_IF(!device || device->GetNode() != GetVmkernelNode(),
                    "host " << m_name << ": an uplink is a device of the VMkernel node");
    const auto known = std::find_if(m_uplinks.begin(), m_uplinks.end(), [&](const auto& of) {
        return of->GetDevice() == device;
    });
    if (known != m_uplinks.end())
    {
        uplink = *known;
    }
    else
    {
        const std::string given = name.empty() ? NextUplinkName() : name;
        NS_ABORT_MSG_IF(GetUplink(given),
                        "host " << m_name << " has an uplink " << given << " already");
        uplink->Adopt(device, given);
        m_uplinks.push_back(uplink);
    }
    vSwitch->Connect(uplink);
    return uplink;
}

std::string
EsxHost::NextUplinkName() const
{
    uint32_t n = 0;
    while (GetUplink("vmnic" + std::to_string(n)))
    {
        ++n;
    }
    return "vmnic" + std::to_string(n);
}

Ptr<EsxUplink>
EsxHost::GetUplink(const std::string& name) const
{
    for (const auto& uplink : m_uplinks)
    {
        if (uplink->GetName() == name)
        {
            return uplink;
        }
    }
    return nullptr;
}

const std::vector<Ptr<EsxUplink>>&
EsxHost::GetUplinks() const
{
    return m_uplinks;
}

Ptr<EsxVmknic>
EsxHost::AddVmknic(const std::string& name, const std::string& portGroup, Ptr<EsxVmknic> vmknic)
{
    NS_LOG_FUNCTION(this << name << portGroup);
    NS_ABORT_MSG_IF(GetVmknic(name), "host " << m_name << " has a vmknic " << name << " already");
    const Ptr<EsxVSwitch> vSwitch = RequirePortGroup(portGroup);
    GetVmkernelNode()->AddDevice(vmknic);
    vSwitch->Connect(vmknic, portGroup, name);
    m_vmknics.push_back(Vmknic{name, vmknic});
    return vmknic;
}

Ptr<EsxVmknic>
EsxHost::GetVmknic(const std::string& name) const
{
    for (const auto& vmknic : m_vmknics)
    {
        if (vmknic.name == name)
        {
            return vmknic.device;
        }
    }
    return nullptr;
}

const std::vector<EsxHost::Vmknic>&
EsxHost::GetVmknics() const
{
    return m_vmknics;
}

} // namespace ns3
