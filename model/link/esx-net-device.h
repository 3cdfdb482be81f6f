// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_NET_DEVICE_H
#define ESX_NET_DEVICE_H

#include "ns3/mac48-address.h"
#include "ns3/net-device.h"
#include "ns3/traced-callback.h"

namespace ns3
{

/**
 * An Ethernet device as ns-3's nodes see one: addresses, MTU, callbacks and the trace sources of
 * the MAC layer. Base of EsxVirtualNetDevice and EsxEthernetNetDevice. Frames with others' source
 * addresses may be sent, so bridges, vSwitches and routers attach.
 */
class EsxNetDevice : public NetDevice
{
  public:
    static TypeId GetTypeId();
    EsxNetDevice();
    ~EsxNetDevice() override;

    /// A packet from the node, or from who injects in its place. \return false if it was lost
    virtual bool Transmit(const Ptr<Packet>& packet,
                          const Mac48Address& source,
                          const Mac48Address& destination,
                          uint16_t protocol) = 0;

    void SetIfIndex(const uint32_t index) override;
    uint32_t GetIfIndex() const override;
    Ptr<Channel> GetChannel() const override; //!< \return nullptr
    void SetAddress(Address address) override;
    Address GetAddress() const override;
    bool SetMtu(const uint16_t mtu) override;
    uint16_t GetMtu() const override;
    bool IsLinkUp() const override;
    void AddLinkChangeCallback(Callback<void> callback) override;
    bool IsBroadcast() const override;
    Address GetBroadcast() const override;
    bool IsMulticast() const override;
    Address GetMulticast(Ipv4Address group) const override;
    Address GetMulticast(Ipv6Address group) const override;
    bool IsBridge() const override;
    bool IsPointToPoint() const override;
    bool Send(Ptr<Packet> packet, const Address& destination, uint16_t protocol) override;
    bool SendFrom(Ptr<Packet> packet,
                  const Address& source,
                  const Address& destination,
                  uint16_t protocol) override;
    Ptr<Node> GetNode() const override;
    void SetNode(Ptr<Node> node) override;
    bool NeedsArp() const override;
    /// \param callback a null one: nobody hears of what is received
    void SetReceiveCallback(ReceiveCallback callback) override;
    const ReceiveCallback& GetReceiveCallback() const;
    /// Keeps injected packets from the node's stacks from now on; all others come to them as ever.
    void Silence();
    /// Whether a packet entered past an IP stack (EsxInjector).
    static bool IsInjected(const Packet& packet);
    /// Makes it such a packet, for who sends it, or sends it anew.
    static void MarkInjected(const Packet& packet);
    void SetPromiscReceiveCallback(PromiscReceiveCallback callback) override;
    bool SupportsSendFrom() const override;

  protected:
    using FrameTrace = TracedCallback<Ptr<const Packet>>;

    void DoDispose() override;

    /// Tells a trace of a frame. In few instructions if nobody listens: it is asked for each one.
    template <typename T>
    static void Tell(const FrameTrace& trace, const Ptr<T>& frame)
    {
        trace.IsEmpty() ? void() : trace(frame);
    }

    /// \return what a frame for this destination is to the node
    PacketType TypeFor(const Mac48Address& destination) const;
    /// Gives what was received to the node.
    void HandUp(const Ptr<const Packet>& packet, uint16_t protocol, const Mac48Address& source);

    Ptr<Node> m_node;
    Mac48Address m_address;
    uint32_t m_ifIndex{0};
    uint16_t m_mtu{1500}; //!< attribute Mtu
    bool m_linkUp{false};
    ReceiveCallback m_receive;
    bool m_isSilent{false};
    PromiscReceiveCallback m_promiscReceive;
    TracedCallback<> m_linkChange;
    FrameTrace m_macTxTrace;
    FrameTrace m_macTxDropTrace;
    FrameTrace m_macPromiscRxTrace;
    FrameTrace m_macRxTrace;
    FrameTrace m_snifferTrace;
    FrameTrace m_promiscSnifferTrace;
};

} // namespace ns3

#endif // ESX_NET_DEVICE_H
