// SPDX-License-Identifier: GPL-2.0-only
// Summary of a run, in a page: totals, losses by cause, verdicts, top talkers. Taken from a
// Simulation once; written as summary.json and as text for people. Plain values, so that both can
// be tested without a run.
#ifndef ESXNF_SUMMARY_H
#define ESXNF_SUMMARY_H

#include "runner/results/export-bound.h"
#include "runner/scenario/yaml-document.h"
#include "runner/simulation/real-collectors.h"
#include "runner/simulation/step-verdict.h"
#include "runner/simulation/traffic-watch.h"

#include "ns3/esx-expectations.h"
#include "ns3/esx-results-helper.h"
#include "ns3/esx-summary.h"
#include "ns3/nstime.h"

#include <cstdint>
#include <string>
#include <vector>

namespace esxnf
{

class Simulation;

/// The value of "schema" in summary.json begins so: it tells a result folder from any other.
constexpr const char* SUMMARY_OF_ANY_VERSION = "esx-netflow summary ";
/// The value of "schema" in what this version writes and reads.
constexpr const char* SUMMARY_SCHEMA = ns3::EsxSummary::SCHEMA;

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

/// Traffic in flow fidelity.
struct FlowTraffic
{
    std::string name; //!< of the item
    std::string from;
    FlowFidelity counts;
};

/// Verdict of a run.
enum class RunVerdict : uint8_t
{
    PASS,
    FAIL, //!< an expectation or a step of the timeline
    UNBALANCED,
    INTERRUPTED //!< nothing
};

/// The summary that every simulation has, and the parts of a scenario.
struct Summary : ns3::EsxSummary
{
    std::string name;
    uint32_t seed{0};
    uint32_t run{0};
    ns3::Time end; //!< simulated time reached
    bool interrupted{false};
    std::vector<ns3::EsxVerdict> verdicts; //!< the scenario's, then those that every one has
    std::vector<StepVerdict> steps;        //!< with an 'expect', or failed; in order
    uint64_t trafficItems{0};              //!< pairs of sender and receiver of all traffic
    std::vector<SilentTraffic> silent;
    std::vector<Replay> replays;
    std::vector<FlowTraffic> flowTraffic;
    std::vector<ns3::EsxLinkDrops> links;     //!< that dropped frames
    ExportBound bound;                        //!< of the export datagrams that were lost
    std::vector<RealDelivery> realCollectors; //!< of --to

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
