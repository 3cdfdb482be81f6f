// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The story of a flow out of a result folder: what was metered, when its records ended and waited,
 * in which datagram they left, and where they died. Read from records.csv and datagrams.csv; no
 * simulation is needed.
 */
#ifndef ESXNF_FLOW_STORY_H
#define ESXNF_FLOW_STORY_H

#include "runner/results/csv-table.h"
#include "runner/results/flow-pattern.h"

#include "ns3/esx-ledger.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace esxnf
{

/// Something that happened to a flow.
struct FlowEvent
{
    int64_t at; //!< ns of simulated time
    std::string what;
};

/// One flow at one port of one vSwitch.
struct FlowStory
{
    std::string title; //!< "10.1.101.11:49153 -> 10.1.101.21:3306 tcp, esx1/prod1 port 4"
    ns3::EsxCounts truth;
    ns3::EsxCounts collected;
    std::map<std::string, ns3::EsxCounts> lost; //!< by cause
    std::map<std::string, ns3::EsxCounts> left; //!< live, queued, in_flight
    std::vector<FlowEvent> events;              //!< in order
};

/// Which flows are wanted; empty: all.
struct FlowFilter
{
    FlowPattern pattern{"*->*"};
    std::string host;
    std::string vSwitch;
    std::string protocol; //!< a number
};

/// The stories of the flows that match, in order of their first record in the table. Throws
/// UserError if the folder lacks a table.
std::vector<FlowStory> ReadStories(const std::string& folder, const FlowFilter& filter);

std::string ToText(const FlowStory& story);

/// "tcp", "udp", "icmp", else the number.
std::string ProtocolName(std::string_view number);

} // namespace esxnf

#endif // ESXNF_FLOW_STORY_H
