// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Two meters' opinions of the same capture, flow by flow, and why they differ where that is known.
 *
 * Flows are compared by addresses, protocol and ports, because not every meter tells flows apart by
 * ToS. The command compare fills this in; it runs no meter itself.
 */
#ifndef ESXNF_FLOW_COMPARISON_H
#define ESXNF_FLOW_COMPARISON_H

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace esxnf
{

/// Key of a compared flow. Addresses in host byte order.
struct ComparedKey
{
    uint32_t source{0};
    uint32_t destination{0};
    uint8_t protocol{0};
    uint16_t sourcePort{0};
    uint16_t destinationPort{0}; //!< ICMP: type * 256 + code

    bool operator<(const ComparedKey& other) const
    {
        return AsTuple() < other.AsTuple();
    }

    /// "udp 10.0.0.1:1000 > 10.0.0.2:53"
    std::string ToString() const;

  private:
    std::tuple<uint32_t, uint32_t, uint8_t, uint16_t, uint16_t> AsTuple() const
    {
        return {source, destination, protocol, sourcePort, destinationPort};
    }
};

/// Sums over the records of a flow.
struct ComparedFlow
{
    uint64_t packets{0};
    uint64_t octets{0};
    uint64_t records{0};
    uint8_t tcpFlags{0};
    std::set<uint8_t> tos; //!< values in its records
    bool decapsulated{
        false}; //!< a packet inside a tunnel, or a tunnel (no packets) that was opened
};

/// Octets of a flow's frames beside IP: padding and tags.
struct LinkOctets
{
    uint64_t padding{0}; //!< behind the IP packets
    uint64_t tags{0};    //!< VLAN tags before them
};

/// Why the peer says something else.
enum class DifferenceReason : uint8_t
{
    PADDING_COUNTED,      //!< its octets contain link padding
    TAGS_COUNTED,         //!< its octets contain VLAN tags
    TOS_MERGED,           //!< its flows do not tell apart what differs in ToS only
    TOS_NOT_KEPT,         //!< its records say 0 where there is another ToS
    TIMEOUTS_NOT_APPLIED, //!< one record, where a timeout ended several
    LATE_TIMEOUT,         //!< some of the records that timeouts ended: it looks for them later
    TCP_END,              //!< it ends records at FIN or RST
    DNS_EACH_PACKET,      //!< it makes a record of each packet from or to port 53
    ICMP_EACH_PACKET,     //!< it makes a record of each ICMP packet
    DECAPSULATED,         //!< it counts the packets inside of a tunnel, not the tunnel's
    FRAGMENTS_JOINED, //!< it counts later fragments with the first one's ports, not with ports 0
    UNKNOWN,
    COUNT
};

/// "padding counted", …
const char* ToString(DifferenceReason reason);

/// A flow that differs.
struct FlowDifference
{
    ComparedKey key;
    ComparedFlow ours; //!< no packets: only the peer has it
    ComparedFlow peer; //!< no packets: the peer does not have it
    std::set<DifferenceReason> reasons;
};

using ComparedFlows = std::map<ComparedKey, ComparedFlow>;

/// Flows that are not the same in both, in order of their keys. \param link of our flows
std::vector<FlowDifference> CompareFlows(const ComparedFlows& ours,
                                         const ComparedFlows& peer,
                                         const std::map<ComparedKey, LinkOctets>& link);

/// Flows that have packets.
uint64_t CountFlows(const ComparedFlows& flows);

/// Sums over all flows; records of ToS values are not told apart.
ComparedFlow SumFlows(const ComparedFlows& flows);

} // namespace esxnf

#endif // ESXNF_FLOW_COMPARISON_H
