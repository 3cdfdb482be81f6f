// SPDX-License-Identifier: GPL-2.0-only
// A cable between two physical ports: an ns-3 CSMA channel whose rate, delay, loss, queues and
// state can change during a run. ns-3 fixes a device's rate when it is attached, so a new rate
// means a new channel, plugged in between two frames.
#ifndef ESXNF_CABLE_H
#define ESXNF_CABLE_H

#include "runner/scenario/scenario.h"

#include "ns3/csma-channel.h"
#include "ns3/csma-net-device.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/esx-series.h"
#include "ns3/esx-uplink.h"

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace esxnf
{

/// Frames that a link dropped, both ways, by cause.
struct LinkDrops
{
    std::string link;
    uint64_t queue{0};  //!< the transmit queue was full
    uint64_t errors{0}; //!< loss and bit errors
    uint64_t down{0};   //!< the link was cut

    uint64_t GetTotal() const
    {
        return queue + errors + down;
    }
};

/// Both ends of a link and what lies between.
class Cable
{
  public:
    Cable(const Link& link, ns3::Ptr<ns3::Node> a, ns3::Ptr<ns3::Node> b);

    /// The device at an end. \param end 0 or 1
    ns3::Ptr<ns3::CsmaNetDevice> GetDevice(unsigned end) const;

    /// The vSwitch's view of an end, so that it learns of a cut at once.
    void SetUplink(unsigned end, ns3::Ptr<ns3::EsxUplink> uplink);

    /// Who else wants to hear when the cable is cut (true) or mended.
    void AddWatcher(std::function<void(bool)> watcher);

    void SetDown(bool down);
    void Apply(const LinkChange& change);
    /// Back to what the scenario's link says.
    void Restore(const LinkChange& change);

    /// What an end has sent so far, and what waits there.
    ns3::EsxLinkSample SampleOf(unsigned end) const;

    LinkDrops GetDrops() const;

    /// Gives random streams from \p stream on. \return how many
    int64_t AssignStreams(int64_t stream);

  private:
    void SetRate(ns3::DataRate rate);
    void SetDelay(ns3::Time delay);
    void SetQueue(ns3::QueueSize size);
    void SetImpairment(const char* attribute, double rate);

    struct Sent
    {
        uint64_t octets{0};
        uint64_t frames{0};
    };

    static void CountSent(Sent* sent, ns3::Ptr<const ns3::Packet> frame);
    static void CountCut(uint64_t* cut, ns3::Ptr<const ns3::Packet> frame);
    static void CountError(uint64_t* errors,
                           const ns3::EsxLinkImpairment* impairment,
                           ns3::Ptr<const ns3::Packet> frame);

    const Link& m_link;
    ns3::Ptr<ns3::CsmaChannel> m_channel;
    std::array<ns3::Ptr<ns3::CsmaNetDevice>, 2> m_devices;
    std::array<ns3::Ptr<ns3::EsxLinkImpairment>, 2> m_impairments;
    std::array<ns3::Ptr<ns3::EsxUplink>, 2> m_uplinks;
    std::array<Sent, 2> m_sent;
    uint64_t m_cut{0};    //!< frames that died since the link was cut
    uint64_t m_errors{0}; //!< frames that impairments took
    std::vector<std::function<void(bool)>> m_watchers;
    bool m_down{false};
};

} // namespace esxnf

#endif // ESXNF_CABLE_H
