// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VIRTUAL_NET_DEVICE_H
#define ESX_VIRTUAL_NET_DEVICE_H

#include "esx-port.h"

#include "ns3/esx-net-device.h"

namespace ns3
{

class EsxVSwitch;
class Ipv4Interface;

/**
 * Base class of a guest's vNIC and of a vmknic: an Ethernet NetDevice whose other end is a port
 * of a vSwitch. Sending calls the vSwitch synchronously, without a queue, a header object or an
 * event. It has no rate and no ring (an infinitely fast card: our choice; EsxVnic can have both),
 * hence no NetDeviceQueueInterface, so ns-3 installs no queue disc on it.
 *
 * Its channel is null: topology walks over channels (global routing) end here; nodes behind a
 * vSwitch use static routes.
 */
class EsxVirtualNetDevice : public EsxNetDevice
{
  public:
    static TypeId GetTypeId();
    ~EsxVirtualNetDevice() override;

    /// \return VNIC or VMKNIC
    virtual EsxPortKind GetPortKind() const = 0;
    /// \return the vSwitch it is or was last connected to, nullptr before the first time
    Ptr<EsxVSwitch> GetVSwitch() const;
    /// \return its local port ID there, 0 before the first time
    uint16_t GetPortId() const;

    const Mac48Address& GetMac() const;
    /// Sets the address in the virtual machine's configuration file, and the adapter's, too; the
    /// physical switches are told if it is connected. All zero: nothing changes.
    void SetConfiguredMac(Mac48Address address);
    /// Has the vSwitch tell the physical switches where this adapter is, if the port's policy says
    /// so; nothing if it is not connected.
    void Announce();
    /// \return the address in the configuration file: that of SetConfiguredMac(), or else what the
    /// adapter had when it was connected first. SetAddress() of a guest does not change it.
    const Mac48Address& GetConfiguredMac() const;
    /// \return true if the adapter is in promiscuous mode: by attribute, or as its node listens
    bool IsPromiscuous() const;
    void SetPromiscuous(bool promiscuous);
    /// \return true if it has rings that can be full
    virtual bool HasRing() const;
    /// \return true if no frame that the guest sends has to wait
    virtual bool SendsAtOnce() const;
    /// For the vSwitch. \return true if it can take one more frame
    virtual bool HasRoom() const;

    /// For the vSwitch: the device is in this port now, its link is up.
    void Plug(Ptr<EsxVSwitch> vSwitch, uint16_t port);
    /// For the vSwitch: the device is detached, its link is down. Frames that it sends count at
    /// the port it had, as disconnected.
    void Unplug();
    bool Transmit(const Ptr<Packet>& packet,
                  const Mac48Address& source,
                  const Mac48Address& destination,
                  uint16_t protocol) override;
    /// For the vSwitch: a frame for this device, in the context of its node.
    virtual void Receive(const Ptr<const Packet>& packet,
                         const Mac48Address& source,
                         const Mac48Address& destination,
                         uint16_t protocol);

    /// Whether it keeps an ARP request from its node (attribute FilterArp). \param target the
    /// address that is asked for; 0.0.0.0: nobody's
    bool Filters(Ipv4Address target);

    /// Whether somebody sees each frame that it sends or receives, besides its node's stack.
    bool IsObserved() const;
    /// For the vSwitch: a frame that the device keeps from its node.
    void ReceiveFiltered(const Ptr<const Packet>& packet,
                         const Mac48Address& source,
                         const Mac48Address& destination,
                         uint16_t protocol);

    // NetDevice
    void SetAddress(Address address) override;
    void SetPromiscReceiveCallback(PromiscReceiveCallback callback) override;

  protected:
    /**
     * \param oui the first three octets of the MAC address, highest first. The other three count
     *            the MAC addresses of the simulation, so that equal scripts give equal addresses.
     */
    explicit EsxVirtualNetDevice(uint32_t oui);
    void DoDispose() override;
    /// The answer of HasRing() changed.
    void NotifyRingChanged();
    /// For a packet that goes no further: trace MacTxDrop, and counted at the port if \p counted
    void TransmitDrop(const Ptr<Packet>& packet, EsxDropCause cause, bool counted);

  private:
    Mac48Address CopyMac() const;
    bool IsSniffed() const;
    void Sniff(const Ptr<const Packet>& packet,
               const Mac48Address& source,
               const Mac48Address& destination,
               uint16_t protocol,
               bool othersFrame);

    Ptr<EsxVSwitch> m_vSwitch;
    uint16_t m_port{0};
    Mac48Address m_configuredAddress;
    bool m_hasConfiguredAddress{false};
    bool m_promiscuous{false}; //!< attribute Promiscuous
    bool m_filterArp{false};   //!< attribute FilterArp
    /// The node's on this device, once asked for; not owned: it holds the device.
    Ipv4Interface* m_ipv4Interface{nullptr};
};

} // namespace ns3

#endif /* ESX_VIRTUAL_NET_DEVICE_H */
