// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SYNTHETIC_FLOW_H
#define ESX_SYNTHETIC_FLOW_H

#include "netflow/deferred-packets.h"
#include "netflow/flow-key.h"

#include "ns3/esx-netflow.h"
#include "ns3/esx-packet-sizes.h"
#include "ns3/esx-vswitch.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace ns3
{

class EsxSyntheticFlows;
class EsxSyntheticPath;

/// The fields that the packets of a synthetic flow have in common.
struct EsxSyntheticFlowKey
{
    uint32_t source; //!< IPv4 address
    uint32_t destination;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint8_t protocol;
    uint32_t target; //!< index of the destination
};

/**
 * One flow of EsxSyntheticFlows. Instants and sizes of its packets follow from it alone, in closed
 * form: packets that decide nothing can be left out of the simulation and be counted, any number of
 * them at once, when somebody wants to know. Then the flow is deferred.
 */
class EsxSyntheticFlow final : public EsxDeferredFrames, public netflow::DeferredPackets
{
  public:
    EsxSyntheticFlow();
    ~EsxSyntheticFlow() override;

    /// The way of its frames from the sender on, while they are deferred.
    struct Way
    {
        Ptr<EsxVSwitch> vSwitch; //!< of the sender; null: it is no adapter of one
        EsxPassage passage;
        Mac48Address source;
        Mac48Address destination;
        Ptr<EsxNetflow> module; //!< of the vSwitch's host, if it is loaded
    };

    static constexpr uint16_t ETHERTYPE = 0x0800; //!< of its frames: IPv4

    EsxSyntheticFlowKey key{};
    uint64_t order{0}; //!< number, from the begin of all; answers behind their flow: times 2
    int64_t begin{0};  //!< ns since the injector's start
    int64_t step{0};   //!< ns from packet to packet
    uint32_t packets{0};
    uint64_t octets{0}; //!< of all packets together, which are even; 0: as the ring has them
    const EsxPacketSizes::Ring* sizes{nullptr};
    uint32_t place{0}; //!< in the ring
    uint8_t tos{0};
    bool isAnswer{false};
    uint32_t sent{0};     //!< packets
    uint32_t next{0};     //!< the packet that is planned to be sent next
    uint32_t refusals{0}; //!< of its deferral, one after the other
    uint32_t tryFrom{0};  //!< packets sent until it is tried again
    uint32_t slot{0};     //!< where its owner keeps it

    /// \return ns since the injector's start. \param index of the packet, from 0
    int64_t TimeOf(uint32_t index) const;
    /// \return packets before an instant, or, if \p inclusive, up to it
    uint32_t CountBefore(int64_t at, bool inclusive) const;
    /// \return IP total lengths of the packets before an index
    uint64_t OctetsBefore(uint32_t index) const;
    /// \return the same, where each counts EsxPacketSizes::PADDED at least
    uint64_t PaddedOctetsBefore(uint32_t index) const;
    uint32_t OctetsOf(uint32_t index) const;  //!< IP total length of a packet
    uint32_t GetMostOctets() const;           //!< the largest IP total length
    uint32_t GetLeastOctets() const;          //!< the smallest one
    uint8_t GetFlagsOf(uint32_t index) const; //!< TCP's, of a packet
    uint8_t GetFlags() const;                 //!< TCP's, of packets that are deferred
    /// \return its key at a vSwitch
    netflow::FlowKey FlowKeyAt(const EsxVSwitch& vSwitch, const EsxPassage& passage) const;
    /// \return the first packet that 32 bits of a record cannot count, at most \p next
    uint32_t CountUntilFull(const netflow::FlowEntry& record, uint32_t next) const;
    uint64_t GetRank() const; //!< of the events that send it
    /// \return whether what happens now comes behind the flow's packet of this instant
    bool IsSentBeforeNow() const;
    /// A packet of the flow while it is deferred.
    Ptr<Packet> MakePacket(uint32_t index) const;
    /// \param octets memory that is used again: zeros but for the headers written last
    Ptr<Packet> MakePacket(uint32_t index, std::vector<uint8_t>& octets) const;

    /// Whether enough packets are left, and the meter tells flows of this protocol apart.
    bool IsWorthIt() const;
    bool IsDeferred() const;
    /// Counts those that were sent before now, also in records.
    void SettleSent();
    /**
     * Defers the packets from `sent` on, if nothing on their way has to see each. It must be worth
     * it.
     * \param start of the injector
     * \param path of the frames behind the sender or its vSwitch; null: that is the receiver's
     * \return the next packet that has to be sent, `packets` if there is none: or `sent`, and
     * nothing is deferred
     */
    uint32_t Defer(EsxSyntheticFlows& owner,
                   const Way& way,
                   Time start,
                   std::unique_ptr<EsxSyntheticPath> path);
    /// Counts the next packet as sent now within a vSwitch, without making it, and defers those
    /// behind it. \param [out] next as Defer() returns it \return false: nothing is done
    bool Pass(EsxSyntheticFlows& owner, const Way& way, Time start, uint32_t& next);
    /// Counts what happened before now; the next packet is sent by the caller. \param next its
    /// index at least: those of an instant may be several
    void Undefer(uint32_t next = 0);

    Sum Take(netflow::TimeNs until) override;
    void Resume() override;
    void Settle() override;
    void GoSingly() override;

  private:
    uint32_t NextToSend(const netflow::FlowEntry* record,
                        const netflow::FlowCacheConfig& config) const;
    void DeliverSingly(EsxSyntheticFlows& owner, const Way& way, uint32_t index, Time since) const;
    netflow::FlowKey GetKey() const;
    uint64_t Advance(uint32_t count);
    void CountDelivered();
    void End();

    EsxSyntheticFlows* m_owner{nullptr};
    Way m_way;
    std::unique_ptr<EsxSyntheticPath> m_path; //!< null: within the vSwitch
    int64_t m_start{0};                       //!< of the injector, ns of simulated time
    int64_t m_bootToStart{0};                 //!< ns of the host's uptime at the injector's start
    uint32_t m_delivered{0};                  //!< packets
    uint32_t m_least{0};                      //!< packets that were sent by now, whatever the time
    bool m_isMetered{false};                  //!< in a record
};

} // namespace ns3

#endif // ESX_SYNTHETIC_FLOW_H
