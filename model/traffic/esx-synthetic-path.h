// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SYNTHETIC_PATH_H
#define ESX_SYNTHETIC_PATH_H

#include "netflow/deferred-packets.h"

#include "ns3/esx-ethernet-net-device.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-synthetic-flow.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace ns3
{

/**
 * The way of a deferred flow's frames behind their sender, or its vSwitch: links without
 * contention, physical switches and routers that know the addresses for good, and the vSwitch of
 * the receiver, with its meter, if the receiver is an adapter there. A packet arrives before the
 * next one is sent: at most one is on the way.
 */
class EsxSyntheticPath final : public netflow::DeferredPackets
{
  public:
    ~EsxSyntheticPath() override;

    /**
     * Follows the way over links.
     * \param way of the sender's vSwitch, to an uplink
     * \param from the sender
     * \param to the receiver
     * \param start of the injector
     * \return nullptr if some part of it wants to see each frame
     */
    static std::unique_ptr<EsxSyntheticPath> Find(EsxSyntheticFlow& flow,
                                                  const EsxSyntheticFlow::Way& way,
                                                  NetDevice& from,
                                                  const NetDevice* to,
                                                  Time start);

    /// \return ns from a packet's sending to its arrival at the receiver. \param octets of it
    int64_t LatencyOf(uint32_t octets) const;
    /// Agrees with the receiver's meter that the packets from the next one on are deferred.
    /// \return the first one that has to be sent
    uint32_t Defer();
    /// Ends that agreement.
    void Undefer();
    /// Counts from now on what passes.
    void Begin();
    /// Counts what passed before now.
    void Settle();
    /// Counts no more. The packet that is on the way arrives by itself.
    void End();

    Sum Take(netflow::TimeNs until) override;
    void Resume() override;

  private:
    class Stay;

    struct Link
    {
        Ptr<EsxEthernetNetDevice> from;
        uint16_t tag; //!< VLAN of the frames' tag; 0: none
        Mac48Address source;
        Mac48Address destination;
        uint8_t routers{}; //!< before it
        uint32_t sent{};   //!< packets
    };

    EsxSyntheticPath(EsxSyntheticFlow& flow, Time start);
    bool Follow(Link link, const NetDevice* to);
    NetDevice* Pass(EsxEthernetNetDevice& device, Link& link);
    bool Enter(const EsxEthernetNetDevice& device);
    static uint32_t FrameOctets(uint32_t octets, uint16_t tag);
    int64_t LatencyOf(uint32_t octets, std::size_t links) const;
    int64_t TimeOf(uint32_t index, std::size_t links) const;
    int64_t Now() const;
    netflow::FlowKey GetKey() const;
    uint32_t CountPassed(std::size_t links) const;
    bool HasPassed(uint32_t index, std::size_t links, int64_t now) const;
    EsxRankedEvent::Origin OriginOf(uint32_t index, std::size_t links) const;
    bool IsDelivered() const;
    int64_t GetDelayNs() const;
    uint64_t Arrive();
    void SendTheLast();

    EsxSyntheticFlow& m_flow;
    const int64_t m_start; //!< of the injector, ns of simulated time
    std::vector<Link> m_links;
    std::vector<std::pair<Ptr<Object>, EsxDeferrals*>> m_places; //!< with who keeps them
    std::vector<std::unique_ptr<Stay>> m_stays;
    Ptr<EsxVSwitch> m_vSwitch; //!< of the receiver; null: it is at the last link
    EsxPassage m_passage;
    Ptr<EsxNetflow> m_module; //!< of the receiver's host, if it is loaded
    int64_t m_bootToStart{0};
    bool m_isMetered{false};
    bool m_isIgnored{false}; //!< by the module
    uint32_t m_arrived{0};   //!< packets at the receiver's vSwitch
    uint32_t m_delivered{0};
};

} // namespace ns3

#endif // ESX_SYNTHETIC_PATH_H
