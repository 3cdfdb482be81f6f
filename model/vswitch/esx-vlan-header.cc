// SPDX-License-Identifier: GPL-2.0-only
#include "esx-vlan-header.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxVlanHeader);

namespace
{

// The TCI: 3 bits priority, 1 bit drop eligible, 12 bits VLAN ID (IEEE 802.1Q).
constexpr uint16_t VLAN_MASK = 0x0fff;
constexpr unsigned PRIORITY_SHIFT = 13;

} // namespace

TypeId
EsxVlanHeader::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxVlanHeader")
                            .SetParent<Header>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxVlanHeader>();
    return tid;
}

EsxVlanHeader::EsxVlanHeader() = default;

EsxVlanHeader::EsxVlanHeader(uint16_t vlan, uint16_t protocol, uint8_t priority)
    : m_tci((vlan & VLAN_MASK) | priority << PRIORITY_SHIFT),
      m_protocol(protocol)
{
}

uint16_t
EsxVlanHeader::GetVlan() const
{
    return m_tci & VLAN_MASK;
}

uint16_t
EsxVlanHeader::GetProtocol() const
{
    return m_protocol;
}

uint8_t
EsxVlanHeader::GetPriority() const
{
    return m_tci >> PRIORITY_SHIFT;
}

TypeId
EsxVlanHeader::GetInstanceTypeId() const
{
    return GetTypeId();
}

void
EsxVlanHeader::Print(std::ostream& os) const
{
    os << "vlan=" << GetVlan() << " protocol=0x" << std::hex << m_protocol << std::dec;
}

uint32_t
EsxVlanHeader::GetSerializedSize() const
{
    return OCTETS;
}

void
EsxVlanHeader::Serialize(Buffer::Iterator start) const
{
    start.WriteHtonU16(m_tci);
    start.WriteHtonU16(m_protocol);
}

uint32_t
EsxVlanHeader::Deserialize(Buffer::Iterator start)
{
    m_tci = start.ReadNtohU16();
    m_protocol = start.ReadNtohU16();
    return OCTETS;
}

uint16_t
EsxReadVlan(const Ptr<const Packet>& packet)
{
    uint8_t tci[2] = {0, 0};
    packet->CopyData(tci, sizeof(tci));
    return (tci[0] << 8 | tci[1]) & VLAN_MASK;
}

} // namespace ns3
