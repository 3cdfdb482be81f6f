// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_LINK_IMPAIRMENT_H
#define ESX_LINK_IMPAIRMENT_H

#include "ns3/csma-net-device.h"
#include "ns3/error-model.h"
#include "ns3/esx-random-user.h"
#include "ns3/random-variable-stream.h"

#include <array>
#include <functional>
#include <utility>

namespace ns3
{

class EsxEthernetNetDevice;

/**
 * A bad link in one direction: it loses frames that a device receives, corrupts bits (a frame with
 * a wrong bit is lost), duplicates frames and delays some, so that later ones overtake them. A
 * receive error model of an EsxEthernetNetDevice or a CsmaNetDevice; each of the four draws from a
 * stream of its own, and only while its rate is not 0.
 *
 * Losses come in bursts while GoodToBad is above 0 (E. N. Gilbert 1960, E. O. Elliott 1963): the
 * link is good or bad, changes before a frame with probability GoodToBad or BadToGood, and loses
 * it with probability Loss when good, LossWhenBad when bad. Bad times last 1 / BadToGood frames on
 * average; a share GoodToBad / (GoodToBad + BadToGood) of the frames meets them.
 *
 * ns-3 tells of a frame that an error model takes as dropped (trace PhyRxDrop), also of one that is
 * only delayed: IsHoldingBack() tells them apart inside that trace. A held frame, or the copy of a
 * duplicated one, is handed to the device's Receive() when its time has come and is not impaired
 * again. The copy comes right behind the original.
 */
class EsxLinkImpairment : public ErrorModel, public EsxRandomUser
{
  public:
    static TypeId GetTypeId();
    EsxLinkImpairment();
    ~EsxLinkImpairment() override;

    /// Becomes the receive error model of a device. \param peer at the other end of the link, lives
    /// as long
    void Install(const Ptr<CsmaNetDevice>& device, const Ptr<CsmaNetDevice>& peer);
    /// Becomes the receive error model of a device.
    void Install(const Ptr<EsxEthernetNetDevice>& device);

    /// Whether all frames arrive as they were sent.
    bool IsNone() const;
    /// Inside PhyRxDrop: whether that frame is only delayed.
    bool IsHoldingBack() const;
    /// The same of the device that drops, whatever its error model.
    static bool IsHeldBackBy(const NetDevice& device);

    uint64_t GetReordered() const;  //!< frames delayed so far
    uint64_t GetDuplicated() const; //!< frames received twice so far

    int64_t AssignStreams(int64_t stream) override;

  protected:
    void DoDispose() override;

  private:
    /// Frames arrive as they were sent while all before LOSS_WHEN_BAD are 0.
    enum Rate
    {
        LOSS,
        GOOD_TO_BAD,
        BIT_ERRORS,
        DUPLICATE,
        REORDER,
        LOSS_WHEN_BAD,
        BAD_TO_GOOD,
        RATE_COUNT
    };

    bool DoCorrupt(Ptr<Packet> packet) override;
    void DoReset() override;
    bool IsLost();
    bool Draw(const Ptr<UniformRandomVariable>& variable, double probability) const;
    double FrameErrorRate(uint32_t octets) const;
    void Deliver(Ptr<Packet> packet);
    /// Comes before each change: packets of flows that pass unseen are then settled.
    void Changes();
    void SetReorderDelay(Time delay);
    Time GetReorderDelay() const;

    template <std::size_t rate>
    void SetRate(double to)
    {
        Changes();
        m_rates[rate] = to;
    }

    template <std::size_t rate>
    double GetRate() const
    {
        return m_rates[rate];
    }

    template <std::size_t... rates>
    static void AddRates(TypeId& tid, std::index_sequence<rates...>);

    std::array<double, RATE_COUNT> m_rates{}; //!< by Rate
    Time m_reorderDelay;

    /// Hands a frame to the device, which owns this model: no reference is counted.
    std::function<void(Ptr<Packet>)> m_receive;
    EsxEthernetNetDevice* m_device{nullptr}; //!< the same, if it is one
    Ptr<UniformRandomVariable> m_lossDraw;
    Ptr<UniformRandomVariable> m_bitDraw;
    Ptr<UniformRandomVariable> m_duplicateDraw;
    Ptr<UniformRandomVariable> m_reorderDraw;
    bool m_bad{false};
    bool m_holdingBack{false};
    bool m_delivering{false};
    uint64_t m_reordered{0};
    uint64_t m_duplicated{0};
};

} // namespace ns3

#endif // ESX_LINK_IMPAIRMENT_H
