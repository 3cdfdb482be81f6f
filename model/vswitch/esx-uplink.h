// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_UPLINK_H
#define ESX_UPLINK_H

#include "ns3/mac48-address.h"
#include "ns3/net-device.h"
#include "ns3/object.h"
#include "ns3/queue-disc.h"

#include <string>

namespace ns3
{

class EsxEthernetNetDevice;
class EsxVSwitch;

/**
 * A physical NIC of an ESX host ("vmnic0"): adopts any standard ns-3 NetDevice of the VMkernel
 * node that can send with another's source address (CSMA and its like), through ns-3's public
 * hooks only. The adopted device keeps its queue, rate, traces and captures; it must not carry an
 * IP interface, as the vSwitch takes all its frames.
 *
 * A frame with an 802.1Q tag arrives from CSMA as protocol 0x8100 with the tag's TCI in front of
 * the payload; the vSwitch looks at the tag.
 */
class EsxUplink : public Object
{
  public:
    static TypeId GetTypeId();
    ~EsxUplink() override;

    /**
     * Takes over a NIC. Aborts with a reason if it cannot serve.
     * \param device a device of a node; Ethernet addresses, broadcast, SendFrom; no IP interface
     * \param name "vmnic0"
     */
    void Adopt(Ptr<NetDevice> device, const std::string& name);
    /// Aborts if an IP interface was put on the adopted device, before or after its adoption.
    void CheckNoIp() const;

    const std::string& GetName() const;
    Ptr<NetDevice> GetDevice() const;
    /// \return the vSwitch it is in, nullptr if none
    Ptr<EsxVSwitch> GetVSwitch() const;
    /// \return its local port ID there, 0 if none
    uint16_t GetPortId() const;

    /// Puts a queue disc of ns-3 before the NIC's transmit queue. \param disc of no other device
    void SetQueueDisc(Ptr<QueueDisc> disc);
    /// \return nullptr if there is none
    Ptr<QueueDisc> GetQueueDisc() const;

    /// Takes the link down (true) or gives it back (false), whatever the physical device says.
    void SetDown(bool down);
    bool IsDown() const;
    /// \return true if the physical device's link is up and SetDown(true) is not in force
    bool IsLinkUp() const;

    /// For the vSwitch: the uplink is in this port now.
    void Plug(Ptr<EsxVSwitch> vSwitch, uint16_t port);
    /// For the vSwitch: the uplink is detached. Frames from the wire are no longer seen.
    void Unplug();
    /**
     * For the vSwitch: sends a frame on the wire.
     * \param packet frame without its Ethernet header; the device takes it over
     * \return false if the device did not take it
     */
    bool Transmit(const Ptr<Packet>& packet,
                  const Mac48Address& source,
                  const Mac48Address& destination,
                  uint16_t protocol);

  protected:
    void DoDispose() override;

  private:
    void LinkChanged();
    void Receive(const Ptr<Packet>& frame,
                 const Mac48Address& source,
                 const Mac48Address& destination,
                 uint16_t protocol);
    void ReceiveFromWire(Ptr<NetDevice> device,
                         Ptr<const Packet> packet,
                         uint16_t protocol,
                         const Address& source,
                         const Address& destination,
                         NetDevice::PacketType type);

    std::string m_name;
    Ptr<NetDevice> m_device;
    EsxEthernetNetDevice* m_own{nullptr}; //!< the same, if it is one of ours
    Ptr<EsxVSwitch> m_vSwitch;
    uint16_t m_port{0};
    bool m_down{false};
    bool m_linkWasUp{false}; //!< as the log knows it
    Ptr<QueueDisc> m_queueDisc;
};

} // namespace ns3

#endif /* ESX_UPLINK_H */
