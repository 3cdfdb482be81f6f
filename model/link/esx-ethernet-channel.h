// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_ETHERNET_CHANNEL_H
#define ESX_ETHERNET_CHANNEL_H

#include "esx-ethernet-net-device.h"

#include "ns3/channel.h"

#include <array>

namespace ns3
{

/**
 * A full-duplex Ethernet link between two EsxEthernetNetDevices: it is up or cut. Each direction's
 * rate, delay and queue belong to the device that sends; The setters here set both directions.
 */
class EsxEthernetChannel : public Channel
{
  public:
    static TypeId GetTypeId();
    ~EsxEthernetChannel() override;

    /// Plugs both ends in, once. Both are devices of nodes; the link comes up.
    void Connect(const Ptr<EsxEthernetNetDevice>& a, const Ptr<EsxEthernetNetDevice>& b);

    /// Cuts the link (true) or mends it. Frames on it and in its queues are lost.
    void SetDown(bool down);
    bool IsDown() const;
    /// \return how often the link was cut: a frame that sees it change was on the link
    uint64_t GetCuts() const;

    /// Both directions.
    void SetDataRate(DataRate rate);
    void SetDelay(Time delay);
    void SetQueueSize(QueueSize size);

    /// \param end 0 or 1, in the order of Connect()
    Ptr<EsxEthernetNetDevice> GetEnd(std::size_t end) const;

    std::size_t GetNDevices() const override;
    Ptr<NetDevice> GetDevice(std::size_t i) const override;

  protected:
    void DoDispose() override;

  private:
    std::array<Ptr<EsxEthernetNetDevice>, 2> m_ends;
    uint64_t m_cuts{0};
    bool m_down{false};
};

} // namespace ns3

#endif // ESX_ETHERNET_CHANNEL_H
