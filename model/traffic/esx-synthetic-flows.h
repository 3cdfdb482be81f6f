// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SYNTHETIC_FLOWS_H
#define ESX_SYNTHETIC_FLOWS_H

#include "esx-injector.h"

#include "ns3/esx-address-pools.h"
#include "ns3/esx-flow-profile.h"
#include "ns3/esx-packet-sizes.h"
#include "ns3/esx-synthetic-flow.h"
#include "ns3/ipv4-address.h"
#include "ns3/random-variable-stream.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <vector>

namespace ns3
{

/**
 * A synthetic flow trace for an EsxInjector: flows begin at random intervals, last for random
 * times, and have a random number of packets of random sizes, spread evenly over the flow's
 * duration, the first at its begin and the last at its end.
 *
 * Every flow is a new flow key: source ports rise from FirstSourcePort to 65535 and begin anew with
 * the next higher destination port. Flows take the destinations in turn. UDP, or TCP whose first
 * packet carries SYN, whose last one FIN (one packet: SYN), and all but the first ACK. Each packet
 * is a correct IPv4 packet of zeros; transport checksums are left out.
 *
 * For the mix of an Internet: flows of several services, addresses of pools at one of both ends,
 * keys that come again, and answers, flows of the swapped key that begin a round-trip time later. A
 * profile says all of this flow by flow.
 *
 * Of flows within a vSwitch, or over links without contention (attribute Fidelity), only packets
 * that decide something are sent: those with which a record begins or ends. The others are counted,
 * with the same results.
 */
class EsxSyntheticFlows : public EsxFrameSource
{
  public:
    /// Transport of all flows.
    enum Protocol
    {
        UDP,
        TCP
    };

    /// The packets of a flow that are simulated.
    enum Fidelity
    {
        PACKET, //!< each packet
        FLOW    //!< packets that decide something, where others need not be seen
    };

    /// A purpose of flows.
    struct Service
    {
        uint8_t protocol; //!< 6 or 17
        uint16_t port;    //!< destination port
        double weight;    //!< > 0
    };

    static TypeId GetTypeId();
    EsxSyntheticFlows();
    ~EsxSyntheticFlows() override;

    /// \param address source of all flows, unless SourceNetwork is set
    void SetSourceAddress(Ipv4Address address);
    /// Adds a destination; flows for it are of the injector's target of the same index.
    void AddDestination(Ipv4Address address);

    /// How many times as often flows begin in each hour since the injector's start, over and over:
    /// intervals are divided by it. None (the default): always as often. \param factors of hours,
    /// >= 0, one of them > 0: in an hour of factor 0 no flow begins
    void SetHours(const std::vector<double>& factors);

    /// Each flow is of one of these, by their weights, in place of Protocol and Port.
    void SetServices(const std::vector<Service>& services);
    /// \param areSources the addresses of flows' sources are drawn; false: those of destinations
    void SetPools(Ptr<const EsxAddressPools> pools, bool areSources);
    /// Flows and answers are these, in place of what attributes and services say. Where pools give
    /// an address, that of the profile counts, if it has one.
    void SetProfile(std::vector<EsxProfiledFlow> profile);

    bool Next(EsxInjectedFrame& frame) override;
    void Begin(EsxInjector& injector, uint64_t rank) override;
    void Return(const EsxInjectedFrame& frame) override;
    void Sending(const EsxInjectedFrame& frame) override;
    bool Pass(EsxInjectedFrame& frame, const EsxInjectedWay& way) override;
    void Sent(const EsxInjectedFrame& frame, const EsxInjectedWay* way) override;
    void End() override;
    uint64_t CountPassed() override;
    int64_t AssignStreams(int64_t stream) override;

    uint64_t GetBegun() const; //!< flows of which a packet was given out, or is about to be

    static constexpr uint16_t FIRST_SOURCE_PORT = 1024;

    uint64_t GetRank() const; //!< of the injector's frames

  private:
    friend class EsxSyntheticFlow;

    using Key = EsxSyntheticFlowKey;

    /// A packet that is to be sent.
    struct Due
    {
        int64_t at;     //!< ns since the injector's start
        uint64_t order; //!< EsxSyntheticFlow::order
        uint32_t flow;  //!< where it is in m_all
        uint32_t index; //!< of the packet

        bool operator>(const Due& other) const
        {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    bool FindWay(const EsxSyntheticFlow& flow,
                 const EsxInjectedWay& way,
                 EsxSyntheticFlow::Way& found) const;
    uint32_t Defer(EsxSyntheticFlow& flow, const EsxInjectedWay& way, bool hasArrived);
    static uint32_t Refuse(EsxSyntheticFlow& flow);
    void Arrived(uint32_t flow, uint64_t order, uint32_t sent, EsxInjectedWay way);
    void Resumed(EsxSyntheticFlow& flow);
    void NotifyPassed(uint32_t packets);
    Ptr<Packet> MakePacket(const EsxSyntheticFlow& flow, uint32_t index);
    bool IsStale(const Due& due) const;
    void DropStale();
    void Plan(uint32_t flow, uint32_t index);
    void Forget(EsxSyntheticFlow& flow);
    bool HasMore() const;
    bool IsMixed() const;
    void BeginFlows();
    void BeginProfiled();
    void Push(EsxSyntheticFlow& flow, int64_t at, int64_t duration);
    EsxSyntheticFlow& NewFlow(uint64_t number, bool isAnswer);
    Key NewKey(uint64_t number);
    void AwaitNext();
    int64_t HourNs() const;
    double HourFactor() const;
    void SkipIdleHours();
    static uint32_t DrawPackets(const Ptr<RandomVariableStream>& packets);

    Ptr<RandomVariableStream> m_interval;
    Ptr<RandomVariableStream> m_duration;
    Ptr<RandomVariableStream> m_packets;
    Ptr<RandomVariableStream> m_packetSize;
    Ptr<UniformRandomVariable> m_spoof;
    Ptr<UniformRandomVariable> m_choice; //!< services, addresses of pools, keys that come again
    Ptr<RandomVariableStream> m_rtt;     //!< null: no answers
    Ptr<RandomVariableStream> m_answerPackets;
    Ptr<RandomVariableStream> m_answerSize;
    double m_again{0};
    double m_compression{1};
    uint64_t m_flows{0};
    uint32_t m_together{1};
    Protocol m_protocol{UDP};
    Fidelity m_fidelity{PACKET};
    uint16_t m_port{0};
    uint8_t m_dscp{0};
    Ipv4Address m_sourceNetwork;
    Ipv4Mask m_sourceMask;

    Ipv4Address m_source;
    std::vector<uint32_t> m_destinations; //!< IPv4 addresses
    std::vector<double> m_hours;
    std::vector<Service> m_services; //!< weights summed up
    Ptr<const EsxAddressPools> m_pools;
    bool m_pooledSources{false};
    std::vector<EsxProfiledFlow> m_profile;
    std::vector<Key> m_keys; //!< the latest ones, which may come again
    EsxPacketSizes m_sizes;
    EsxPacketSizes m_answerSizes;
    std::deque<EsxSyntheticFlow> m_all; //!< with unused ones
    std::vector<uint32_t> m_unused;     //!< places in it
    std::priority_queue<Due, std::vector<Due>, std::greater<>> m_due;
    EsxInjector* m_injector{nullptr}; //!< set while it runs in flow fidelity
    uint64_t m_rank{0};
    uint32_t m_index{0};  //!< of the packet given out last
    uint64_t m_passed{0}; //!< packets that were counted only
    int64_t m_nextBegin{0};
    uint64_t m_begun{0};
    std::vector<uint8_t> m_octets; //!< of the packet being made; zeros behind its headers
};

} // namespace ns3

#endif // ESX_SYNTHETIC_FLOWS_H
