// SPDX-License-Identifier: GPL-2.0-only
// The tables of a result folder as CSV text: one header, LF, order and numbers the same on every
// machine. Names in scenarios hold no comma, quote or line break, so nothing is quoted.
#ifndef ESXNF_RESULTS_TABLES_H
#define ESXNF_RESULTS_TABLES_H

#include "ns3/nstime.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace esxnf
{

class Simulation;
struct SeriesSample;

/// What all tables of flows have in common. Addresses in host byte order.
struct FlowRow
{
    std::string exporter;
    std::string vSwitch;
    uint16_t engine{0};
    uint32_t source{0};
    uint32_t destination{0};
    uint8_t protocol{0};
    uint16_t sourcePort{0};
    uint16_t destinationPort{0};
    uint8_t tos{0};
    uint16_t input{0};  //!< local port ID, under -p too
    uint16_t output{0}; //!< 0: none or several
    uint64_t packets{0};
    uint64_t octets{0};
    int64_t firstMs{0}; //!< uptime of the exporter, without the wrap of NetFlow v5
    int64_t lastMs{0};
    uint8_t tcpFlags{0};
    std::string reason;               //!< why the record ended; empty: many records, or live
    std::optional<uint64_t> datagram; //!< of this exporter, from 0
    std::string inputPort;            //!< name of the port
    std::string outputPort;
};

/// A record as a collector decoded it.
struct CollectedRow : FlowRow
{
    std::string collector; //!< name of the node
    ns3::Time receivedAt;
};

/// What was lost of a flow by one cause, or is left of it in one state.
struct RestRow
{
    std::string exporter;
    std::string vSwitch;
    uint32_t source{0};
    uint32_t destination{0};
    uint8_t protocol{0};
    uint16_t sourcePort{0};
    uint16_t destinationPort{0};
    uint8_t tos{0};
    uint16_t input{0};
    std::string fate; //!< cause of the loss, or state: live, queued, in_flight
    uint64_t packets{0};
    uint64_t octets{0};
    uint64_t records{0};
};

/// \name What the tables are made of, after the run
/**@{*/
std::vector<FlowRow> TruthRows(const Simulation& simulation);    //!< totals per flow
std::vector<FlowRow> ExportedRows(const Simulation& simulation); //!< records handed to a vmknic
std::vector<CollectedRow> CollectedRows(const Simulation& simulation);
std::vector<RestRow> LostRows(const Simulation& simulation);
std::vector<RestRow> LeftRows(const Simulation& simulation);
/**@}*/

/// Header line of a table of flows, without a line end.
const char* FlowColumns();

/// One line, without a line end.
std::string ToCsv(const FlowRow& row);

/// One line of series.csv, without a line end.
std::string ToCsv(const SeriesSample& sample);

/// "1002.134567": milliseconds, of which the last digits are nanoseconds.
std::string ToMilliseconds(ns3::Time time);

/// \name Whole tables, after the run
/**@{*/
std::string TruthTable(const Simulation& simulation);     //!< totals per flow
std::string ExportedTable(const Simulation& simulation);  //!< records handed to a vmknic
std::string CollectedTable(const Simulation& simulation); //!< as decoded from what arrived
std::string LostTable(const Simulation& simulation);      //!< per flow and cause
std::string LeftTable(const Simulation& simulation);      //!< per flow and state
std::string SeriesTable(const Simulation& simulation);
std::string LinksTable(const Simulation& simulation); //!< what each end of a link sent
/**@}*/

} // namespace esxnf

#endif // ESXNF_RESULTS_TABLES_H
