// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VNIC_H
#define ESX_VNIC_H

#include "esx-shaper.h"
#include "esx-virtual-net-device.h"

#include "ns3/data-rate.h"
#include "ns3/event-id.h"
#include "ns3/net-device-queue-interface.h"

#include <deque>

namespace ns3
{

/**
 * A virtual network card of a guest. MAC addresses begin with VMware's OUI of generated addresses,
 * 00:0c:29 (documented).
 *
 * By default it is infinitely fast. With a finite GuestRate the guest takes and gives frames one
 * after another at that rate, through rings of the adapter's type: a frame that finds the receive
 * ring full is dropped by the vSwitch (%DRPRX); a full transmit ring stops the guest's queue disc
 * (backpressure through ns-3's NetDeviceQueueInterface, which exists only then), and a frame that
 * is sent all the same is dropped (%DRPTX). One event for each frame in each direction.
 */
class EsxVnic : public EsxVirtualNetDevice
{
  public:
    /// Kinds of adapter of ESX 3.5; they differ in the sizes of their rings only.
    enum Type
    {
        VLANCE,
        VMXNET,
        ENHANCED_VMXNET,
        E1000
    };

    static TypeId GetTypeId();
    EsxVnic();
    ~EsxVnic() override;

    EsxPortKind GetPortKind() const override;
    bool HasRing() const override;
    bool SendsAtOnce() const override;
    bool HasRoom() const override;

    Type GetType() const;
    /// \return frames: attribute RxRing, or by the type
    uint32_t GetRxRing() const;
    /// \return frames: attribute TxRing, or by the type
    uint32_t GetTxRing() const;
    DataRate GetGuestRate() const;
    void SetGuestRate(DataRate rate);

    /// For the host: the virtual machine runs (true) or is off: it neither sends nor receives, and
    /// what its rings held is gone.
    void SetPowered(bool powered);
    bool IsPowered() const;

    void Receive(const Ptr<const Packet>& packet,
                 const Mac48Address& source,
                 const Mac48Address& destination,
                 uint16_t protocol) override;

  protected:
    void DoDispose() override;
    bool Transmit(const Ptr<Packet>& packet,
                  const Mac48Address& source,
                  const Mac48Address& destination,
                  uint16_t protocol) override;

  private:
    Time TimeOf(const EsxFrame& frame) const;
    void ClearRings();
    void SendNext();
    void TakeNext();

    Type m_type{VMXNET};
    uint32_t m_rxRing{0};
    uint32_t m_txRing{0};
    bool m_hasRing{false}; //!< asked for each frame: whether the guest has a rate
    DataRate m_guestRate{0};
    bool m_powered{true};
    std::deque<EsxFrame> m_tx;
    std::deque<EsxFrame> m_rx;
    EventId m_sending;
    EventId m_taking;
    Ptr<NetDeviceQueueInterface> m_queue; //!< set once the rate was finite
};

} // namespace ns3

#endif /* ESX_VNIC_H */
