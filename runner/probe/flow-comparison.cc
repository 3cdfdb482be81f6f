// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/flow-comparison.h"

#include "netflow/enum-table.h"
#include "runner/base/endpoint.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

constexpr uint8_t ICMP = 1;
constexpr uint8_t TCP = 6;
constexpr uint8_t UDP = 17;
constexpr uint8_t TCP_FIN_OR_RST = 0x01 | 0x04;
constexpr uint16_t DNS_PORT = 53;

bool
IsDns(const ComparedKey& key)
{
    return key.protocol == UDP && (key.sourcePort == DNS_PORT || key.destinationPort == DNS_PORT);
}

/// Where later fragments between the flow's hosts are counted here.
ComparedKey
KeyOfFragments(ComparedKey key)
{
    key.sourcePort = 0;
    key.destinationPort = 0;
    return key;
}

bool
IsOfFragments(const ComparedKey& key)
{
    return key.sourcePort == 0 && key.destinationPort == 0;
}

/// Whether we have later fragments between the flow's hosts and the peer has none.
bool
FragmentsAreJoined(const ComparedKey& key, const ComparedFlows& ours, const ComparedFlows& peer)
{
    const bool hasPorts = key.protocol == TCP || key.protocol == UDP;
    const ComparedKey fragments = KeyOfFragments(key);
    return hasPorts && ours.count(fragments) == 1 && peer.count(fragments) == 0;
}

/// Adds why the octets differ, if they do; the packets are the same.
void
ExplainOctets(FlowDifference& difference, const LinkOctets& link, bool joined)
{
    if (difference.ours.octets == difference.peer.octets)
    {
        return;
    }
    const uint64_t more = difference.peer.octets - difference.ours.octets; // modulo 2^64
    if (more == link.padding + link.tags)
    {
        if (link.padding > 0)
        {
            difference.reasons.insert(DifferenceReason::PADDING_COUNTED);
        }
        if (link.tags > 0)
        {
            difference.reasons.insert(DifferenceReason::TAGS_COUNTED);
        }
    }
    else if (more == link.padding)
    {
        difference.reasons.insert(DifferenceReason::PADDING_COUNTED);
    }
    else if (more == link.tags)
    {
        difference.reasons.insert(DifferenceReason::TAGS_COUNTED);
    }
    else
    {
        const bool hasMore = difference.peer.octets > difference.ours.octets;
        difference.reasons.insert(joined && hasMore ? DifferenceReason::FRAGMENTS_JOINED
                                                    : DifferenceReason::UNKNOWN);
    }
}

/// Adds why the records say another ToS, if they do. \return whether there are too few values
bool
ExplainTos(FlowDifference& difference)
{
    const std::set<uint8_t>& ours = difference.ours.tos;
    const std::set<uint8_t>& peer = difference.peer.tos;
    const bool merged = peer.size() < ours.size();
    if (merged)
    {
        difference.reasons.insert(DifferenceReason::TOS_MERGED);
    }
    if (peer == std::set<uint8_t>{0} && ours.count(0) == 0)
    {
        difference.reasons.insert(DifferenceReason::TOS_NOT_KEPT);
    }
    else if (!merged && peer != ours)
    {
        difference.reasons.insert(DifferenceReason::UNKNOWN);
    }
    return merged;
}

/// Adds why the packets are in other records, if they are.
void
ExplainRecords(FlowDifference& difference)
{
    const ComparedFlow& ours = difference.ours;
    const ComparedFlow& peer = difference.peer;
    const bool merged = ExplainTos(difference);
    if (peer.records == ours.records)
    {
        return;
    }
    // Records beyond one for each ToS value that is told apart: those that something ended.
    const uint64_t ended = ours.records - ours.tos.size();
    const bool onePerFlow = peer.records == peer.tos.size();
    const bool onePerPacket = peer.records == peer.packets && peer.records > ours.records;
    if (peer.records < ours.records && onePerFlow && ended > 0)
    {
        difference.reasons.insert(DifferenceReason::TIMEOUTS_NOT_APPLIED);
    }
    else if (peer.records < ours.records && !merged)
    {
        difference.reasons.insert(DifferenceReason::LATE_TIMEOUT);
    }
    else if (onePerPacket && IsDns(difference.key))
    {
        difference.reasons.insert(DifferenceReason::DNS_EACH_PACKET);
    }
    else if (onePerPacket && difference.key.protocol == ICMP)
    {
        difference.reasons.insert(DifferenceReason::ICMP_EACH_PACKET);
    }
    else if (peer.records > ours.records && (ours.tcpFlags & TCP_FIN_OR_RST) != 0)
    {
        difference.reasons.insert(DifferenceReason::TCP_END);
    }
    else if (!merged || peer.records > ours.records)
    {
        difference.reasons.insert(DifferenceReason::UNKNOWN);
    }
}

FlowDifference
Explain(const ComparedKey& key,
        const ComparedFlow& ours,
        const ComparedFlow& peer,
        const LinkOctets& link,
        bool joined)
{
    FlowDifference difference{key, ours, peer, {}};
    if (peer.decapsulated)
    {
        difference.reasons.insert(DifferenceReason::DECAPSULATED);
        return difference;
    }
    if (ours.packets != peer.packets)
    {
        difference.reasons.insert(joined && peer.packets == 0 && IsOfFragments(key)
                                      ? DifferenceReason::FRAGMENTS_JOINED
                                      : DifferenceReason::UNKNOWN);
        return difference;
    }
    ExplainOctets(difference, link, joined);
    ExplainRecords(difference);
    return difference;
}

bool
Same(const ComparedFlow& a, const ComparedFlow& b)
{
    return a.packets == b.packets && a.octets == b.octets && a.records == b.records &&
           a.tos == b.tos;
}

} // namespace

std::string
ComparedKey::ToString() const
{
    const std::string name = protocol == ICMP  ? "icmp"
                             : protocol == TCP ? "tcp"
                             : protocol == UDP ? "udp"
                                               : fmt::format("protocol {}", protocol);
    return fmt::format("{} {}:{} > {}:{}",
                       name,
                       ns3::EsxDotted(source),
                       sourcePort,
                       ns3::EsxDotted(destination),
                       destinationPort);
}

const char*
ToString(DifferenceReason reason)
{
    static constexpr netflow::EnumName<DifferenceReason> NAMES[] = {
        {DifferenceReason::PADDING_COUNTED, "padding counted"},
        {DifferenceReason::TAGS_COUNTED, "VLAN tags counted"},
        {DifferenceReason::TOS_MERGED, "ToS merged"},
        {DifferenceReason::TOS_NOT_KEPT, "ToS not kept"},
        {DifferenceReason::TIMEOUTS_NOT_APPLIED, "timeouts not applied"},
        {DifferenceReason::LATE_TIMEOUT, "late timeout"},
        {DifferenceReason::TCP_END, "ended at FIN or RST"},
        {DifferenceReason::DNS_EACH_PACKET, "DNS: a record a packet"},
        {DifferenceReason::ICMP_EACH_PACKET, "record per ICMP packet"},
        {DifferenceReason::DECAPSULATED, "decapsulated"},
        {DifferenceReason::FRAGMENTS_JOINED, "fragments joined"},
        {DifferenceReason::UNKNOWN, "unknown"}};
    static_assert(netflow::NamesEach(NAMES));
    return NAMES[static_cast<unsigned>(reason)].name;
}

std::vector<FlowDifference>
CompareFlows(const ComparedFlows& ours,
             const ComparedFlows& peer,
             const std::map<ComparedKey, LinkOctets>& link)
{
    std::map<ComparedKey, std::pair<ComparedFlow, ComparedFlow>> both;
    for (const auto& [key, flow] : ours)
    {
        both[key].first = flow;
    }
    for (const auto& [key, flow] : peer)
    {
        both[key].second = flow;
    }
    std::vector<FlowDifference> differences;
    for (const auto& [key, flows] : both)
    {
        if (!Same(flows.first, flows.second))
        {
            const auto octets = link.find(key);
            differences.push_back(Explain(key,
                                          flows.first,
                                          flows.second,
                                          octets == link.end() ? LinkOctets{} : octets->second,
                                          FragmentsAreJoined(key, ours, peer)));
        }
    }
    return differences;
}

uint64_t
CountFlows(const ComparedFlows& flows)
{
    return static_cast<uint64_t>(std::count_if(flows.begin(), flows.end(), [](const auto& flow) {
        return flow.second.packets > 0;
    }));
}

ComparedFlow
SumFlows(const ComparedFlows& flows)
{
    ComparedFlow sum;
    for (const auto& [key, flow] : flows)
    {
        sum.packets += flow.packets;
        sum.octets += flow.octets;
        sum.records += flow.records;
    }
    return sum;
}

} // namespace esxnf
