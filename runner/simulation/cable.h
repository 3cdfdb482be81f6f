// SPDX-License-Identifier: GPL-2.0-only
// A cable between two physical ports: a full-duplex Ethernet link, or ns-3's CSMA where the
// scenario says half duplex.
#ifndef ESXNF_CABLE_H
#define ESXNF_CABLE_H

#include "runner/scenario/scenario.h"

#include "ns3/esx-ethernet-channel.h"
#include "ns3/esx-link-impairment.h"

#include <array>

namespace esxnf
{

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

    /// Gives random streams from \p stream on. \return how many: as many for either duplex
    int64_t AssignStreams(int64_t stream);

  private:
    struct End
    {
        ns3::Ptr<ns3::NetDevice> device;
        /// Of what it receives.
        ns3::Ptr<ns3::EsxLinkImpairment> impairment{ns3::CreateObject<ns3::EsxLinkImpairment>()};
    };

    void MakeFullDuplex(const ns3::Ptr<ns3::Node>& a, const ns3::Ptr<ns3::Node>& b);
    void MakeHalfDuplex(const ns3::Ptr<ns3::Node>& a, const ns3::Ptr<ns3::Node>& b);

    const Link& m_link;
    ns3::Ptr<ns3::EsxEthernetChannel> m_duplex; //!< null at half duplex
    std::array<End, 2> m_ends;
};

} // namespace esxnf

#endif // ESXNF_CABLE_H
