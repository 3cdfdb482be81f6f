// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VLAN_HEADER_H
#define ESX_VLAN_HEADER_H

#include "ns3/header.h"
#include "ns3/packet.h"

#include <cstdint>

namespace ns3
{

/// EtherType of a frame with an 802.1Q tag.
constexpr uint16_t ESX_TPID = 0x8100;
/// VLAN of a port group that takes all VLANs and leaves tags to the guest (VGT).
constexpr uint16_t ESX_VLAN_GUEST = 4095;

/**
 * The header behind EtherType 0x8100: the TCI and the EtherType that the tag displaced. With
 * ns-3's Ethernet devices a tagged frame is protocol 0x8100 and a packet that begins with this
 * header. For vSwitches, physical switches and tests.
 */
class EsxVlanHeader : public Header
{
  public:
    static constexpr uint32_t OCTETS = 4;

    static TypeId GetTypeId();
    EsxVlanHeader();
    /**
     * \param vlan VLAN ID, 0 to 4095
     * \param protocol EtherType of the payload
     * \param priority 0 to 7
     */
    EsxVlanHeader(uint16_t vlan, uint16_t protocol, uint8_t priority = 0);

    uint16_t GetVlan() const;
    uint16_t GetProtocol() const;
    uint8_t GetPriority() const;

    TypeId GetInstanceTypeId() const override;
    void Print(std::ostream& os) const override;
    uint32_t GetSerializedSize() const override;
    void Serialize(Buffer::Iterator start) const override;
    uint32_t Deserialize(Buffer::Iterator start) override;

  private:
    uint16_t m_tci{0};
    uint16_t m_protocol{0};
};

/// Octets of a frame after its Ethernet header and tag. \param packetSize without that header
inline uint32_t
EsxPayloadOctets(uint32_t packetSize, uint16_t protocol)
{
    return protocol == ESX_TPID && packetSize >= EsxVlanHeader::OCTETS
               ? packetSize - EsxVlanHeader::OCTETS
               : packetSize;
}

/// \return VLAN ID in the tag of a packet of protocol 0x8100; 0 if it is too short to have one
uint16_t EsxReadVlan(const Ptr<const Packet>& packet);

} // namespace ns3

#endif /* ESX_VLAN_HEADER_H */
