// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SYNTHETIC_FLOWS_H
#define ESX_SYNTHETIC_FLOWS_H

#include "esx-injector.h"

#include "ns3/esx-address-pools.h"
#include "ns3/esx-flow-profile.h"
#include "ns3/ipv4-address.h"
#include "ns3/random-variable-stream.h"

#include <cstdint>
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
    int64_t AssignStreams(int64_t stream) override;

    uint64_t GetBegun() const; //!< flows of which a packet was given out, or is about to be

    static constexpr uint16_t FIRST_SOURCE_PORT = 1024;

  private:
    struct Key
    {
        uint32_t source; //!< IPv4 address
        uint32_t destination;
        uint16_t sourcePort;
        uint16_t destinationPort;
        uint8_t protocol;
        uint32_t target; //!< index of the destination
    };

    struct Flow
    {
        int64_t next;    //!< ns since the injector's start
        uint64_t number; //!< in order of begin, which is the order of equal instants
        int64_t step;    //!< ns from packet to packet
        uint32_t packets;
        uint32_t sent;
        uint64_t octets; //!< of all packets together; 0: drawn for each
        Key key;
        bool isAnswer;

        bool operator>(const Flow& other) const
        {
            return next != other.next       ? next > other.next
                   : number != other.number ? number > other.number
                                            : isAnswer > other.isAnswer;
        }
    };

    bool HasMore() const;
    bool IsMixed() const;
    void Begin();
    void BeginProfiled();
    void Push(Flow flow, int64_t at, int64_t duration);
    Key NewKey(uint64_t number);
    void AwaitNext();
    int64_t HourNs() const;
    double HourFactor() const;
    void SkipIdleHours();
    static uint32_t DrawPackets(const Ptr<RandomVariableStream>& packets);
    Ptr<Packet> MakePacket(const Flow& flow);
    uint32_t DrawOctets(const Flow& flow, uint32_t headers) const;

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
    std::priority_queue<Flow, std::vector<Flow>, std::greater<>> m_active;
    int64_t m_nextBegin{0};
    uint64_t m_begun{0};
    uint16_t m_identification{0};
    std::vector<uint8_t> m_octets; //!< of the packet being made; zeros behind its headers
};

} // namespace ns3

#endif // ESX_SYNTHETIC_FLOWS_H
