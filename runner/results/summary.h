// SPDX-License-Identifier: GPL-2.0-only
// What a run amounts to, in a page: totals, losses by cause, verdicts, top talkers. Taken from a
// Simulation once; written as summary.json and as text for people. Plain values, so that both can
// be tested without a run.
#ifndef ESXNF_SUMMARY_H
#define ESXNF_SUMMARY_H

#include "runner/results/export-bound.h"
#include "runner/scenario/yaml-document.h"
#include "runner/simulation/real-collectors.h"
#include "runner/simulation/series.h"
#include "runner/simulation/step-verdict.h"
#include "runner/simulation/traffic-watch.h"

#include "ns3/esx-expectations.h"
#include "ns3/esx-ledger.h"
#include "ns3/nstime.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace esxnf
{

class Simulation;

/// The value of "schema" in summary.json begins so: it tells a result folder from any other.
constexpr const char* SUMMARY_OF_ANY_VERSION = "esx-netflow summary ";
/// The value of "schema" in what this version writes and reads.
constexpr const char* SUMMARY_SCHEMA = "esx-netflow summary 2";

/// Packets and octets by cause, or by move.
using CountsByName = std::map<std::string, ns3::EsxCounts>;

/// Books of one vSwitch.
struct VSwitchSummary
{
    std::string name;
    uint16_t engine{0};
    std::vector<std::pair<std::string, ns3::EsxCounts>> moves; //!< that happened, in ledger order
};

struct HostSummary
{
    std::string name;
    std::string edition;
    bool isUnstable{false};         //!< a monitored vSwitch was deleted
    bool hasHalted{false};          //!< for that reason
    uint64_t cacheHighWater{0};     //!< records
    uint64_t purgatoryHighWater{0}; //!< records
    uint64_t heapHighWater{0};      //!< octets
    std::vector<VSwitchSummary> vSwitches;
};

/// What one collector knows by itself.
struct CollectorSummary
{
    std::string node;
    ns3::EsxCounts received;
    uint64_t datagrams{0};
    uint64_t sequenceFailures{0};
    uint64_t missing{0};    //!< records, by gaps in the sequence
    uint64_t late{0};       //!< datagrams
    uint64_t duplicates{0}; //!< datagrams
    uint64_t restarts{0};   //!< of exporters, by their sequence
    uint64_t refused{0};    //!< datagrams that were no NetFlow v5
    uint64_t bufferDrops{0};
};

/// A sender and a receiver of the scenario's traffic between which nothing was sent.
struct SilentTraffic
{
    std::string name; //!< of the item
    std::string from;
    std::string to;
    bool mayBeSilent{false};
};

/// A capture that was replayed.
struct Replay
{
    std::string name; //!< of the traffic item
    std::string from;
    ReplayedCapture capture;
};

/// Who sent the most over a vSwitch. A VM is counted at its own one.
struct Talker
{
    std::string exporter;
    std::string vSwitch;
    ns3::Ipv4Address source;
    std::string name; //!< of the VM, vmknic or collector that has the address; may be empty
    ns3::EsxCounts truth;
    ns3::EsxCounts collected;
    ns3::EsxCounts left; //!< neither collected nor lost when the run ended
};

/// What a run proves.
enum class RunVerdict : uint8_t
{
    PASS,
    FAIL, //!< an expectation or a step of the timeline
    UNBALANCED,
    INTERRUPTED //!< nothing
};

struct Summary
{
    std::string name;
    uint32_t seed{0};
    uint32_t run{0};
    ns3::Time end; //!< simulated time reached
    bool interrupted{false};
    ns3::EsxCounts truth;     //!< IPv4 packets on monitored vSwitches: metered and shed
    ns3::EsxCounts exported;  //!< in datagrams that were handed to a vmknic
    ns3::EsxCounts collected; //!< in datagrams that a collector decoded
    CountsByName ignored;     //!< frames that are not metered, by reason
    CountsByName lost;        //!< by cause
    CountsByName left;        //!< at the end: "live", "queued", "in_flight"
    ns3::EsxCounts residual;
    uint64_t flows{0};
    uint64_t flowsNeverBegun{0}; //!< of these: no record began, as all their packets were shed
    uint64_t datagrams{0};       //!< handed to a vmknic
    std::vector<ns3::EsxVerdict> verdicts; //!< the scenario's, then those that every one has
    std::vector<StepVerdict> steps;        //!< with an 'expect', or failed; in order
    uint64_t trafficItems{0};              //!< pairs of sender and receiver of all traffic
    std::vector<SilentTraffic> silent;
    std::vector<Replay> replays;
    std::vector<LinkDrops> links; //!< that dropped frames
    ExportBound bound;            //!< of the export datagrams that were lost
    std::vector<Talker> talkers;  //!< most octets first
    std::vector<HostSummary> hosts;
    std::vector<CollectorSummary> collectors;
    std::vector<RealDelivery> realCollectors; //!< of --to

    /// "esx1", "esx2": hosts that saw something. Totals are sums over them.
    std::vector<std::string> GetExporters() const;
    /// Whether the ledger balances, and no link carried more than it can.
    bool Balances() const;
    /// INTERRUPTED, UNBALANCED, FAIL or PASS, the first that applies.
    RunVerdict GetVerdict() const;
};

/// \param simulation after its run
Summary Summarize(const Simulation& simulation);

/// Steps of the timeline and traffic that did not do what they were to do: errors with their
/// places.
Diagnostics FailuresOf(const Summary& summary, const Scenario& scenario);

/// Under --strict-to each real collector must get something, and all of it.
void JudgeDeliveries(Summary& summary);

/// summary.json
Json ToJson(const Summary& summary);

/// For a newcomer at a terminal. \param folder where the files are, as the user named it
std::string ToText(const Summary& summary, const std::string& folder);

} // namespace esxnf

#endif // ESXNF_SUMMARY_H
