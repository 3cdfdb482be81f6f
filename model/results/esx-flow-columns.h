// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The columns that tables of flows and records have in common: those of a result folder, and those
 * of the commands probe and collect.
 */
#ifndef ESX_FLOW_COLUMNS_H
#define ESX_FLOW_COLUMNS_H

#include "esx-table.h"

#include "ns3/abort.h"

#include <algorithm>
#include <sstream>

namespace ns3
{

/// A row about a flow or a record. Each table shows a part of it.
/// \tparam Key netflow::FlowKey
template <typename Key>
struct EsxFlowRow
{
    std::string_view exporter;
    std::string_view vSwitch;
    Key key;
    std::optional<uint16_t> output; //!< local port ID; 0: none or several
    uint64_t packets{0};
    uint64_t octets{0};
    uint64_t records{0};
    int64_t first{0}; //!< ns of the exporter's uptime
    int64_t last{0};
    int64_t uptimeAtStart{0}; //!< ns, when the simulation began
    uint8_t tcpFlags{0};
    std::string_view reason;          //!< why the record ended; empty: many records, or live
    std::optional<uint64_t> datagram; //!< of this exporter, from 0
    std::string_view inputPort;       //!< name of the port
    std::string_view outputPort;
    std::string_view collector;   //!< name of the node
    int64_t received{0};          //!< ns of simulated time
    std::string_view fate;        //!< cause of the loss, or state of what is left
    std::optional<int64_t> ended; //!< ns of simulated time
    std::string_view station;
    std::optional<int64_t> moved; //!< ns of simulated time
};

/// Every column that a row about a flow can be shown in. Addresses, ports and so on are those of
/// NetFlow v5.
template <typename Row>
const EsxColumns<Row>&
EsxFlowColumns()
{
    using T = EsxColumnType;
    constexpr int64_t NS_PER_MS = 1'000'000;
    static const EsxColumns<Row> COLUMNS{
        {{"exporter", T::NAME, "", "host"}, [](const Row& r) { return r.exporter; }},
        {{"vswitch", T::NAME, "", "name of the vSwitch"}, [](const Row& r) { return r.vSwitch; }},
        {{"engine", T::U16, "", "engine_type * 256 + engine_id = switch ID"},
         [](const Row& r) { return r.key.vSwitch; }},
        {{"src", T::ADDRESS, "", "IPv4 source"}, [](const Row& r) { return r.key.source; }},
        {{"dst", T::ADDRESS, "", "IPv4 destination"},
         [](const Row& r) { return r.key.destination; }},
        {{"proto", T::U8, "", "IP protocol"}, [](const Row& r) { return r.key.protocol; }},
        {{"sport", T::U16, "", "source port; ICMP: 0"},
         [](const Row& r) { return r.key.sourcePort; }},
        {{"dport", T::U16, "", "destination port; ICMP: type * 256 + code"},
         [](const Row& r) { return r.key.destinationPort; }},
        {{"tos", T::U8, "", "type of service"}, [](const Row& r) { return r.key.tos; }},
        {{"input", T::U16, "", "local port ID, under `-p` too"},
         [](const Row& r) { return r.key.input; }},
        {{"output", T::U16, "", "local port ID; 0: several receivers or none"},
         [](const Row& r) { return r.output; }},
        {{"packets", T::U64, "packets", "in the truth shed packets included"},
         [](const Row& r) { return r.packets; }},
        {{"octets", T::U64, "octets", "sum of IP total lengths"},
         [](const Row& r) { return r.octets; }},
        {{"records", T::U64, "records", "flow records"}, [](const Row& r) { return r.records; }},
        {{"first_ms",
          T::UPTIME_MS,
          "ms",
          "first packet: uptime of the exporter, rounded down, without NetFlow v5's 32-bit wrap"},
         [](const Row& r) { return r.first / NS_PER_MS; }},
        {{"last_ms", T::UPTIME_MS, "ms", "last packet, likewise"},
         [](const Row& r) { return r.last / NS_PER_MS; }},
        {{"first_ns", T::INSTANT_NS, "ns", "first packet, simulated time"},
         [](const Row& r) { return r.first - r.uptimeAtStart; }},
        {{"last_ns", T::INSTANT_NS, "ns", "last packet, simulated time"},
         [](const Row& r) { return r.last - r.uptimeAtStart; }},
        {{"tcp_flags", T::U8, "", "OR of the flags"}, [](const Row& r) { return r.tcpFlags; }},
        {{"reason", T::NAME, "", "`idle` `active` `tcp_end` `evicted` `split` `stopped`"},
         [](const Row& r) { return r.reason; }},
        {{"datagram", T::I64, "", "number at this exporter, from 0"},
         [](const Row& r) { return r.datagram; }},
        {{"input_port", T::NAME, "", "name of the port, such as `web1.eth0`, `vmk0`, `vmnic0`"},
         [](const Row& r) { return r.inputPort; }},
        {{"output_port", T::NAME, "", "the same of the output"},
         [](const Row& r) { return r.outputPort; }},
        {{"collector", T::NAME, "", "name of the node"}, [](const Row& r) { return r.collector; }},
        {{"received_ms", T::INSTANT_MS, "ms", "arrival, simulated time"},
         [](const Row& r) { return r.received; }},
        {{"cause", T::NAME, "", "cause of the loss ([metrics.md](metrics.md#causes))"},
         [](const Row& r) { return r.fate; }},
        {{"state",
          T::NAME,
          "",
          "`live` (in the cache), `queued` (in purgatory), `in_flight` (on the way)"},
         [](const Row& r) { return r.fate; }},
        {{"ended_ns", T::INSTANT_NS, "ns", "when the record left the cache, simulated time"},
         [](const Row& r) { return r.ended; }},
        {{"station",
          T::NAME,
          "",
          "latest move inside the host: `metered` (live), `queued`, `dropped_…`, `discarded_…`, "
          "`sent`, `send_failed`, `shed_…`"},
         [](const Row& r) { return r.station; }},
        {{"moved_ns", T::INSTANT_NS, "ns", "when that move was made, simulated time"},
         [](const Row& r) { return r.moved; }},
    };
    return COLUMNS;
}

/// Some of these columns. \param names in the order that is wanted, blanks between them
template <typename Row>
EsxColumns<Row>
EsxPickFlowColumns(const std::string& names)
{
    EsxColumns<Row> picked;
    std::istringstream words(names);
    for (std::string name; words >> name;)
    {
        const auto& all = EsxFlowColumns<Row>();
        const auto found = std::find_if(all.begin(), all.end(), [&name](const auto& of) {
            return of.column.name == name;
        });
        NS_ABORT_MSG_IF(found == all.end(), "flows have no column " << name);
        picked.push_back(*found);
    }
    return picked;
}

} // namespace ns3

#endif // ESX_FLOW_COLUMNS_H
