// SPDX-License-Identifier: GPL-2.0-only
// A cable between two physical ports: a full-duplex Ethernet link, or ns-3's CSMA where the
// scenario says half duplex. It counts what the link sends and loses.
#ifndef ESXNF_CABLE_H
#define ESXNF_CABLE_H

#include "runner/scenario/scenario.h"

#include "ns3/esx-ethernet-channel.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/esx-series.h"

#include <array>
#include <string>

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
    /// Its objects get their attributes as defaults: make it within the link's AttributeScope.
    Cable(const Link& link, ns3::Ptr<ns3::Node> a, ns3::Ptr<ns3::Node> b);

    /// The device at an end. \param end 0 or 1
    ns3::Ptr<ns3::NetDevice> GetDevice(unsigned end) const;

    /// Cuts the link or mends it. Of full-duplex links only.
    void SetDown(bool down);

    /// Frames that an end has sent so far, and those that wait there.
    ns3::EsxLinkSample SampleOf(unsigned end) const;

    LinkDrops GetDrops() const;

    /// Gives random streams from \p stream on. \return how many: as many for either duplex
    int64_t AssignStreams(int64_t stream);

  private:
    struct End
    {
        ns3::Ptr<ns3::NetDevice> device;
        ns3::Ptr<ns3::EsxEthernetNetDevice> duplex; //!< the same; null at half duplex
        ns3::Ptr<ns3::Queue<ns3::Packet>> queue;
        ns3::Ptr<ns3::EsxLinkImpairment> impairment; //!< of what it receives
        std::array<uint64_t, static_cast<std::size_t>(ns3::EsxEthernetDrop::COUNT)> drops{};
        uint64_t octets{0}; //!< sent at half duplex
        uint64_t frames{0};
    };

    void MakeFullDuplex(const ns3::Ptr<ns3::Node>& a, const ns3::Ptr<ns3::Node>& b);
    void MakeHalfDuplex(const ns3::Ptr<ns3::Node>& a, const ns3::Ptr<ns3::Node>& b);
    static void CountSent(End* end, ns3::Ptr<const ns3::Packet> frame);
    static void CountCollision(End* end, ns3::Ptr<const ns3::Packet> frame);
    static void CountDrop(End* end, bool received, ns3::Ptr<const ns3::Packet> frame);
    uint64_t GetDrops(ns3::EsxEthernetDrop cause) const;

    const Link& m_link;
    ns3::Ptr<ns3::EsxEthernetChannel> m_duplex; //!< null at half duplex
    std::array<End, 2> m_ends;
};

} // namespace esxnf

#endif // ESXNF_CABLE_H
