// SPDX-License-Identifier: GPL-2.0-only
#include "esx-port.h"

#include "esx-shaper.h"
#include "esx-uplink.h"
#include "esx-virtual-net-device.h"
#include "esx-vlan-header.h"
#include "esx-vswitch.h"

#include "ns3/ethernet-header.h"
#include "ns3/trace-source-accessor.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxPort);

uint64_t
EsxPortCounters::Drops(EsxDropCause cause) const
{
    return drops[static_cast<std::size_t>(cause)];
}

uint64_t
EsxPortCounters::DropsBeforeTap() const
{
    uint64_t sum = 0;
    for (std::size_t i = 0; i < ESX_DROP_CAUSES; ++i)
    {
        sum += EsxDropIsBeforeTap(static_cast<EsxDropCause>(i)) ? drops[i] : 0;
    }
    return sum;
}

EsxPortCounters&
EsxPortCounters::operator+=(const EsxPortCounters& other)
{
    framesIn += other.framesIn;
    octetsIn += other.octetsIn;
    framesAccepted += other.framesAccepted;
    octetsAccepted += other.octetsAccepted;
    framesOut += other.framesOut;
    octetsOut += other.octetsOut;
    for (std::size_t i = 0; i < ESX_DROP_CAUSES; ++i)
    {
        drops[i] += other.drops[i];
    }
    return *this;
}

TypeId
EsxPort::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxPort")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddTraceSource("Ingress",
                            "A frame accepted into the port, exactly what is offered to the "
                            "meter, with its Ethernet header",
                            MakeTraceSourceAccessor(&EsxPort::m_ingressTrace),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("Egress",
                            "A frame handed to the device in the port, with its Ethernet header",
                            MakeTraceSourceAccessor(&EsxPort::m_egressTrace),
                            "ns3::Packet::TracedCallback");
    return tid;
}

EsxPort::EsxPort() = default;
EsxPort::~EsxPort() = default;

uint16_t
EsxPort::GetLocalId() const
{
    return m_localId;
}

uint32_t
EsxPort::GetShownId() const
{
    return static_cast<uint32_t>(m_switchId) << 24 | m_localId;
}

EsxPortKind
EsxPort::GetKind() const
{
    return m_kind;
}

const std::string&
EsxPort::GetName() const
{
    return m_name;
}

const std::string&
EsxPort::GetPortGroup() const
{
    return m_portGroup;
}

bool
EsxPort::IsConnected() const
{
    return m_connected;
}

Time
EsxPort::GetConnectedAt() const
{
    return m_connectedAt;
}

Time
EsxPort::GetDisconnectedAt() const
{
    return m_disconnectedAt;
}

uint16_t
EsxPort::GetVlan() const
{
    return m_tagged && m_kind != EsxPortKind::UPLINK ? ESX_VLAN_GUEST : m_vlan;
}

std::size_t
EsxPort::GetShaperBacklog() const
{
    return m_shaper ? m_shaper->GetBacklog() : 0;
}

Ptr<EsxUplink>
EsxPort::GetTeamUplink() const
{
    return m_team && !m_hashed ? m_team->m_uplink : nullptr;
}

const EsxPortCounters&
EsxPort::GetCounters() const
{
    if (m_vSwitch)
    {
        m_vSwitch->Settle();
    }
    return m_counters;
}

Ptr<EsxVirtualNetDevice>
EsxPort::GetDevice() const
{
    return m_device;
}

Ptr<EsxUplink>
EsxPort::GetUplink() const
{
    return m_uplink;
}

Ptr<Packet>
EsxPort::MakeFrame(const Ptr<const Packet>& packet,
                   const Mac48Address& source,
                   const Mac48Address& destination,
                   uint16_t protocol)
{
    EthernetHeader header(false);
    header.SetSource(source);
    header.SetDestination(destination);
    header.SetLengthType(protocol);
    Ptr<Packet> frame = packet->Copy();
    frame->AddHeader(header);
    return frame;
}

void
EsxPort::DoDispose()
{
    m_vSwitch = nullptr;
    m_connected = false;
    m_team = nullptr;
    m_device = nullptr;
    m_uplink = nullptr;
    m_shaper.reset(); // its event holds a pointer to it
    // Captures are complete when the simulation is destroyed, whoever still holds the port.
    m_ingressTrace = {};
    m_egressTrace = {};
    Object::DoDispose();
}

} // namespace ns3
