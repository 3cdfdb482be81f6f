// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/summary.h"

#include "netflow/ledger.h"
#include "runner/results/activity.h"
#include "runner/results/home-ports.h"
#include "runner/results/results-tables.h"
#include "runner/results/text.h"
#include "runner/scenario/addresses.h"
#include "runner/simulation/simulation.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <tuple>

namespace esxnf
{

namespace
{

using netflow::Move;
using ns3::EsxCounts;

constexpr std::size_t TOP_TALKERS = 5;

EsxCounts
ToEsx(const netflow::Counts& counts)
{
    return {counts.packets, counts.octets, counts.records};
}

bool
IsZero(const EsxCounts& counts)
{
    return counts.packets == 0 && counts.octets == 0 && counts.records == 0;
}

void
AddUnlessZero(CountsByName& sums, const std::string& name, const EsxCounts& counts)
{
    if (!IsZero(counts))
    {
        sums[name] += counts;
    }
}

/// Totals from the ledger's moves: flows tell the same story in the tables, and the oracle compares
/// both.
void
AddAccount(Summary& summary, const netflow::Account& account)
{
    for (unsigned i = 0; i < netflow::MOVES; ++i)
    {
        const auto move = static_cast<Move>(i);
        const netflow::MoveInfo& info = netflow::GetInfo(move);
        const EsxCounts counts = ToEsx(account.Get(move));
        if (info.to == netflow::Place::IGNORED)
        {
            AddUnlessZero(summary.ignored, info.cause, counts);
        }
        else if (netflow::IsLoss(info.to))
        {
            AddUnlessZero(summary.lost, info.cause, counts);
        }
        summary.truth += info.to == netflow::Place::SHED ? counts : EsxCounts();
    }
    summary.truth += ToEsx(account.Get(Move::METERED));
    summary.collected += ToEsx(account.Get(Move::RECEIVED));
    for (const Move station : {Move::METERED, Move::QUEUED, Move::SENT})
    {
        const netflow::Place place = netflow::GetInfo(station).to;
        AddUnlessZero(summary.left, netflow::GetFate(station), ToEsx(account.GetBalance(place)));
    }
}

HostSummary
SummarizeHost(const ns3::Ptr<ns3::EsxHost>& host)
{
    const auto module = host->GetObject<ns3::EsxNetflow>();
    HostSummary summary;
    summary.name = host->GetName();
    summary.edition = host->GetEdition() == ns3::EsxHost::ESX3I ? "esx3i" : "esx35";
    summary.isUnstable = host->GetState() != ns3::EsxHost::RUNNING;
    summary.hasHalted = host->GetState() == ns3::EsxHost::HALTED;
    summary.cacheHighWater = module->GetCacheHighWater();
    summary.purgatoryHighWater = module->GetPurgatoryHighWater();
    summary.heapHighWater = module->GetHeapHighWater();
    for (const auto& [id, account] : module->GetLedger().GetAccounts())
    {
        VSwitchSummary vSwitch{host->GetVSwitchById(id)->GetName(), id, {}};
        for (unsigned i = 0; i < netflow::MOVES; ++i)
        {
            const EsxCounts counts = ToEsx(account.Get(static_cast<Move>(i)));
            if (!IsZero(counts))
            {
                vSwitch.moves.emplace_back(netflow::GetInfo(static_cast<Move>(i)).name, counts);
            }
        }
        summary.vSwitches.push_back(std::move(vSwitch));
    }
    return summary;
}

CollectorSummary
SummarizeCollector(const ns3::EsxNetflowCollector& collector)
{
    const auto totals = collector.GetTotals();
    CollectorSummary summary;
    summary.node = ns3::EsxNodeName(collector.GetNode());
    summary.received = {totals.packets, totals.octets, totals.records};
    summary.datagrams = totals.datagrams;
    summary.sequenceFailures = totals.sequenceFailures;
    summary.missing = totals.missing;
    summary.late = totals.late;
    summary.duplicates = totals.duplicates;
    summary.restarts = totals.restarts;
    summary.refused = collector.GetRefused();
    summary.bufferDrops = collector.GetBufferDrops();
    return summary;
}

ExporterPort
PortOf(const FlowRow& row)
{
    return {row.exporter, row.vSwitch, row.inputPort};
}

/// Sums over the flows of each source, each flow where it counts (HomePorts).
std::vector<Talker>
TopTalkers(const Simulation& simulation, const std::vector<ns3::EsxFlow>& flows)
{
    const auto names = NamesOfAddresses(simulation.GetScenario());
    HomePorts homes(simulation.GetScenario());
    const std::vector<FlowRow> rows = TruthRows(simulation); // in the order of flows
    for (const FlowRow& row : rows)
    {
        homes.Saw(ToDotted(ns3::Ipv4Address(row.source)), PortOf(row));
    }
    std::map<std::tuple<std::string, std::string, ns3::Ipv4Address>, Talker> bySource;
    for (std::size_t i = 0; i < flows.size(); ++i)
    {
        const ns3::EsxFlow& flow = flows[i];
        if (!homes.Counts(ToDotted(flow.source), PortOf(rows[i])))
        {
            continue;
        }
        Talker& talker = bySource[{flow.exporter, flow.vSwitch, flow.source}];
        if (talker.exporter.empty())
        {
            const auto name = names.find(flow.source);
            talker.exporter = flow.exporter;
            talker.vSwitch = flow.vSwitch;
            talker.source = flow.source;
            talker.name = name == names.end() ? "" : name->second;
        }
        talker.truth += flow.truth;
        talker.collected += flow.collected;
        for (const auto& [state, counts] : flow.left)
        {
            talker.left += counts;
        }
    }
    std::vector<Talker> talkers;
    talkers.reserve(bySource.size());
    for (auto& [source, talker] : bySource)
    {
        talkers.push_back(std::move(talker));
    }
    std::stable_sort(talkers.begin(), talkers.end(), [](const Talker& a, const Talker& b) {
        return a.truth.octets > b.truth.octets;
    });
    talkers.resize(std::min(talkers.size(), TOP_TALKERS));
    return talkers;
}

/// In the order of the scenario. Whether a second run gives the same is not known yet: it counts as
/// kept until JudgeBySecondRun().
std::vector<ns3::EsxVerdict>
MergeVerdicts(const std::vector<Expectation>& expectations,
              const std::vector<ns3::EsxVerdict>& judged,
              const std::vector<ns3::EsxVerdict>& metered)
{
    std::vector<ns3::EsxVerdict> verdicts;
    auto next = judged.begin();
    auto nextMetered = metered.begin();
    for (const Expectation& expectation : expectations)
    {
        if (expectation.check == CHECK_METERED)
        {
            verdicts.push_back(*nextMetered++);
            continue;
        }
        if (expectation.check != CHECK_DETERMINISTIC)
        {
            verdicts.push_back(*next++);
            continue;
        }
        ns3::EsxVerdict verdict;
        verdict.expectation.name = expectation.name;
        verdict.expectation.atLeast = 0;
        verdict.expectation.atMost = 0;
        verdict.pass = true;
        verdicts.push_back(verdict);
    }
    return verdicts;
}

/// Steps that have an 'expect', and those that failed.
std::vector<StepVerdict>
JudgeSteps(const Simulation& simulation)
{
    std::set<const TimelineStep*> happened;
    std::vector<StepVerdict> verdicts;
    for (const StepOutcome& outcome : simulation.GetSteps())
    {
        happened.insert(outcome.step);
        StepVerdict verdict = Judge(outcome);
        if (outcome.step->expect || !verdict.Passes())
        {
            verdicts.push_back(std::move(verdict));
        }
    }
    const Scenario& scenario = simulation.GetScenario();
    const bool isWhole = simulation.GetEnd() >= scenario.run.duration;
    for (const TimelineStep& step : scenario.timeline)
    {
        if (isWhole && step.CanFail() && happened.count(&step) == 0)
        {
            verdicts.push_back(JudgeMissing(step));
        }
    }
    return verdicts;
}

void
AddTraffic(Summary& summary, const std::vector<TrafficPair>& pairs)
{
    summary.trafficItems = pairs.size();
    for (const TrafficPair& pair : pairs)
    {
        if (!pair.sent)
        {
            summary.silent.push_back(
                {pair.traffic->name, pair.from, pair.to, pair.traffic->mayBeSilent});
        }
        if (pair.capture)
        {
            summary.replays.push_back({pair.traffic->name, pair.from, *pair.capture});
        }
    }
    const auto verdicts = JudgeTraffic(pairs);
    summary.verdicts.insert(summary.verdicts.end(), verdicts.begin(), verdicts.end());
}

} // namespace

std::vector<std::string>
Summary::GetExporters() const
{
    std::vector<std::string> names;
    for (const HostSummary& host : hosts)
    {
        const auto saw = [](const VSwitchSummary& vSwitch) {
            return std::any_of(vSwitch.moves.begin(), vSwitch.moves.end(), [](const auto& move) {
                return move.first.rfind("ignored_", 0) != 0 && move.first != "offered";
            });
        };
        if (std::any_of(host.vSwitches.begin(), host.vSwitches.end(), saw))
        {
            names.push_back(host.name);
        }
    }
    return names;
}

bool
Summary::Balances() const
{
    return IsZero(residual) && bound.Holds();
}

RunVerdict
Summary::GetVerdict() const
{
    if (interrupted)
    {
        return RunVerdict::INTERRUPTED;
    }
    if (!Balances())
    {
        return RunVerdict::UNBALANCED;
    }
    const auto passes = [](const ns3::EsxVerdict& verdict) { return verdict.pass; };
    const auto stepPasses = [](const StepVerdict& step) { return step.Passes(); };
    return std::all_of(verdicts.begin(), verdicts.end(), passes) &&
                   std::all_of(steps.begin(), steps.end(), stepPasses)
               ? RunVerdict::PASS
               : RunVerdict::FAIL;
}

Diagnostics
FailuresOf(const Summary& summary, const Scenario& scenario)
{
    Diagnostics failures;
    for (const StepVerdict& step : summary.steps)
    {
        if (!step.Passes())
        {
            failures.push_back(scenario.At(Severity::Error, step.path, step.Explain()));
        }
    }
    for (const Traffic& traffic : scenario.traffic)
    {
        for (const Replay& replay : summary.replays)
        {
            if (replay.name == traffic.name && !replay.capture.damage.empty())
            {
                failures.push_back(
                    scenario.At(Severity::Error, traffic.path + "/file", replay.capture.damage));
                break; // it is one file for all senders
            }
        }
        std::vector<std::string> pairs;
        for (const SilentTraffic& silent : summary.silent)
        {
            if (silent.name == traffic.name && !traffic.mayBeSilent)
            {
                pairs.push_back(fmt::format("from {} to {}", silent.from, silent.to));
            }
        }
        if (!pairs.empty())
        {
            const std::string what = "nothing was sent " + JoinSome(pairs);
            failures.push_back(scenario.At(Severity::Error, traffic.path, what));
        }
    }
    return failures;
}

void
JudgeDeliveries(Summary& summary)
{
    std::map<std::string, UdpSendStatistics> targets;
    for (const RealDelivery& delivery : summary.realCollectors)
    {
        UdpSendStatistics& sum = targets[delivery.target];
        sum.sent += delivery.counts.sent;
        sum.refused += delivery.counts.refused;
        sum.noBuffers += delivery.counts.noBuffers;
        sum.failed += delivery.counts.failed;
    }
    for (const auto& [target, sum] : targets)
    {
        ns3::EsxVerdict verdict;
        verdict.expectation.name = "datagrams that " + target + " did not get";
        verdict.expectation.atLeast = verdict.expectation.atMost = 0;
        verdict.measured = static_cast<double>(sum.refused + sum.noBuffers + sum.failed);
        verdict.pass = verdict.measured == 0 && sum.sent > 0;
        verdict.why = verdict.pass    ? ""
                      : sum.sent == 0 ? "nothing was sent there"
                                      : fmt::format("refused {}, no-buffers {}, failed {} of {}",
                                                    sum.refused,
                                                    sum.noBuffers,
                                                    sum.failed,
                                                    sum.sent + sum.noBuffers + sum.failed);
        summary.verdicts.push_back(verdict);
    }
}

Summary
Summarize(const Simulation& simulation)
{
    const Scenario& scenario = simulation.GetScenario();
    const auto ledger = simulation.GetLedger();
    Summary summary;
    summary.name = scenario.name;
    summary.seed = scenario.run.seed;
    summary.run = scenario.run.run;
    summary.end = simulation.GetEnd();
    summary.interrupted = simulation.WasInterrupted();
    for (const auto& host : ledger->GetHosts())
    {
        AddAccount(summary, host->GetObject<ns3::EsxNetflow>()->GetLedger().GetTotal());
        summary.hosts.push_back(SummarizeHost(host));
        for (const auto& datagram :
             ledger->GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId()))
        {
            if (!datagram.exportedAt.IsStrictlyNegative())
            {
                ++summary.datagrams;
                summary.exported += EsxCounts{datagram.packets, datagram.octets, datagram.records};
            }
        }
    }
    for (const auto& collector : ledger->GetCollectors())
    {
        summary.collectors.push_back(SummarizeCollector(*collector));
    }
    for (const LinkDrops& drops : simulation.GetLinkDrops())
    {
        if (drops.GetTotal() > 0)
        {
            summary.links.push_back(drops);
        }
    }
    summary.steps = JudgeSteps(simulation);
    const std::vector<ns3::EsxFlow> flows = ledger->GetFlows();
    summary.flows = flows.size();
    summary.flowsNeverBegun = static_cast<uint64_t>(
        std::count_if(flows.begin(), flows.end(), [](const ns3::EsxFlow& flow) {
            return flow.truth.records == 0;
        }));
    summary.talkers = TopTalkers(simulation, flows);
    summary.residual = ledger->GetResidual();
    summary.bound = FindExportBound(simulation);
    const MeteringVerdicts metering = JudgeMetering(simulation);
    summary.verdicts = MergeVerdicts(scenario.expect, simulation.GetVerdicts(), metering.asked);
    summary.verdicts.insert(summary.verdicts.end(),
                            metering.everyRun.begin(),
                            metering.everyRun.end());
    AddTraffic(summary, simulation.GetTraffic());
    return summary;
}

} // namespace esxnf
