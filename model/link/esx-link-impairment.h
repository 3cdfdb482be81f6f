// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_LINK_IMPAIRMENT_H
#define ESX_LINK_IMPAIRMENT_H

#include "ns3/csma-net-device.h"
#include "ns3/error-model.h"
#include "ns3/random-variable-stream.h"

#include <functional>

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
class EsxLinkImpairment : public ErrorModel
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

    uint64_t GetReordered() const;  //!< frames delayed so far
    uint64_t GetDuplicated() const; //!< frames received twice so far

    /// Gives random streams from \p stream on. \return how many
    int64_t AssignStreams(int64_t stream);

  protected:
    void DoDispose() override;

  private:
    bool DoCorrupt(Ptr<Packet> packet) override;
    void DoReset() override;
    bool IsLost();
    bool Draw(const Ptr<UniformRandomVariable>& variable, double probability) const;
    double FrameErrorRate(uint32_t octets) const;
    void Deliver(Ptr<Packet> packet);
    void Changes();

    template <double EsxLinkImpairment::*value>
    void Set(double to)
    {
        Changes();
        this->*value = to;
    }

    template <double EsxLinkImpairment::*value>
    double Get() const
    {
        return this->*value;
    }

    double m_loss{0};
    double m_lossWhenBad{1};
    double m_goodToBad{0};
    double m_badToGood{1};
    double m_bitErrors{0};
    double m_duplicate{0};
    double m_reorder{0};
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
