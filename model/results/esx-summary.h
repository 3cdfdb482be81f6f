// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Summary of a run: totals, losses by cause, top talkers, hosts and collectors. Taken from the
 * ledger once; the part of summary.json that every simulation has.
 */
#ifndef ESX_SUMMARY_H
#define ESX_SUMMARY_H

#include "ns3/esx-expectations.h"
#include "ns3/esx-ledger.h"
#include "ns3/nstime.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ns3
{

class EsxJson;

/// Packets and octets by cause, or by move.
using EsxCountsByName = std::map<std::string, netflow::Counts>;

/// Books of one vSwitch.
struct EsxVSwitchSummary
{
    std::string name;
    uint16_t engine{0};
    std::vector<std::pair<std::string, netflow::Counts>> moves; //!< that happened, in ledger order
};

/// One ESX host.
struct EsxHostSummary
{
    std::string name;
    std::string edition;
    bool isUnstable{false};         //!< a monitored vSwitch was deleted
    bool hasHalted{false};          //!< for that reason
    uint64_t cacheHighWater{0};     //!< records
    uint64_t purgatoryHighWater{0}; //!< records
    uint64_t heapHighWater{0};      //!< octets
    std::vector<EsxVSwitchSummary> vSwitches;
};

/// Counters that one collector keeps by itself.
struct EsxCollectorSummary
{
    std::string node;
    netflow::Counts received;
    uint64_t datagrams{0};
    uint64_t sequenceFailures{0};
    uint64_t missing{0};    //!< records, by gaps in the sequence
    uint64_t late{0};       //!< datagrams
    uint64_t duplicates{0}; //!< datagrams
    uint64_t restarts{0};   //!< of exporters, by their sequence
    uint64_t refused{0};    //!< datagrams that were no NetFlow v5
    uint64_t bufferDrops{0};
};

/// A sender of much over a vSwitch. A VM is counted at its own one.
struct EsxTalker
{
    std::string exporter;
    std::string vSwitch;
    Ipv4Address source;
    std::string name; //!< of the VM, vmknic or collector that has the address; may be empty
    netflow::Counts truth;
    netflow::Counts collected;
    netflow::Counts left; //!< neither collected nor lost when the run ended
};

/// The whole simulation.
struct EsxSummary
{
    /// The value of "schema" in what this version writes and reads.
    static constexpr const char* SCHEMA = "esx-netflow summary 2";

    netflow::Counts truth;     //!< IPv4 packets on monitored vSwitches: metered and shed
    netflow::Counts exported;  //!< in datagrams that were handed to a vmknic
    netflow::Counts collected; //!< in datagrams that a collector decoded
    EsxCountsByName ignored;   //!< frames that are not metered, by reason
    EsxCountsByName lost;      //!< by cause
    EsxCountsByName left;      //!< at the end: "live", "queued", "in_flight"
    netflow::Counts residual;
    uint64_t flows{0};
    uint64_t flowsNeverBegun{0};    //!< of these: no record began, as all their packets were shed
    uint64_t datagrams{0};          //!< handed to a vmknic
    std::vector<EsxTalker> talkers; //!< most octets first
    std::vector<EsxHostSummary> hosts;
    std::vector<EsxCollectorSummary> collectors;

    /// "esx1", "esx2": hosts that saw something. Totals are sums over them.
    std::vector<std::string> GetExporters() const;
    /// Whether the ledger balances.
    bool Balances() const;
    /// Adds the members of summary.json from "ledger" to "collectors" to an object that is open.
    void AddTo(EsxJson& json) const;
};

/// A number of the whole run, told wherever a run is: in summary.json, the text, the report, runs
/// side by side, sweeps and the list of many runs.
struct EsxTotal
{
    const char* key;   //!< in summary.json, and as a metric of sweeps: "flows_never_begun"
    const char* noun;  //!< "flow": more of them end in s
    const char* words; //!< behind the noun: "never begun"
    /// Its reason, told with it in a line of the text and a column of the list of runs, where it is
    /// not 0. Empty: nothing is wrong, and the text has a sentence of its own for it.
    const char* why;
    const char* caption; //!< in the report; empty: the report does not have it
    uint64_t (*get)(const EsxSummary& summary);
};

/// In the order of summary.json. A new one makes another SCHEMA.
const std::vector<EsxTotal>& EsxTotals();

/// Adds the member "expectations" of summary.json.
void EsxAddVerdicts(EsxJson& json, const std::vector<EsxVerdict>& verdicts);

/// Call after the run and before Simulator::Destroy().
EsxSummary EsxSummarize(const Ptr<EsxLedger>& ledger);

} // namespace ns3

#endif // ESX_SUMMARY_H
