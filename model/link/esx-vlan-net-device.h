// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VLAN_NET_DEVICE_H
#define ESX_VLAN_NET_DEVICE_H

#include "esx-ethernet-net-device.h"

#include <utility>

namespace ns3
{

/**
 * A VLAN of an Ethernet device, for a router or server on a trunk (IEEE 802.1Q subinterface, Linux'
 * "eth0.101"): what it sends leaves the other device with a tag, and what arrives there with this
 * VLAN's tag arrives here without it. It has the other device's address and link; queue, rate and
 * delay are the other device's, too. Its trace sources tell of what it receives.
 */
class EsxVlanNetDevice : public EsxEthernetNetDevice
{
  public:
    static TypeId GetTypeId();
    EsxVlanNetDevice();
    ~EsxVlanNetDevice() override;

    /// Call once, when both are devices of one node. \param vlan 1 to 4094
    void SetTrunk(const Ptr<NetDevice>& trunk, uint16_t vlan);
    Ptr<NetDevice> GetTrunk() const;
    uint16_t GetVlan() const;
    /// \return the Ethernet device that frames of a device pass, and the VLAN of their tag; 0: none
    static std::pair<Ptr<NetDevice>, uint16_t> PortOf(const Ptr<NetDevice>& device);

    bool IsLinkUp() const override;
    void AddLinkChangeCallback(Callback<void> callback) override;
    bool Send(Ptr<Packet> packet, const Address& destination, uint16_t protocol) override;
    bool SendFrom(Ptr<Packet> packet,
                  const Address& source,
                  const Address& destination,
                  uint16_t protocol) override;

  protected:
    void DoDispose() override;

  private:
    void Receive(Ptr<NetDevice> trunk,
                 Ptr<const Packet> packet,
                 uint16_t protocol,
                 const Address& source,
                 const Address& destination,
                 PacketType type);

    Ptr<NetDevice> m_trunk;
    uint16_t m_vlan{0};
};

} // namespace ns3

#endif // ESX_VLAN_NET_DEVICE_H
