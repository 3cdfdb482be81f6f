// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/summary.h"

#include "runner/results/activity.h"
#include "runner/results/text.h"
#include "runner/simulation/simulation.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace esxnf
{

namespace
{

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
        if (!pair.outcome.sent)
        {
            summary.silent.push_back(
                {pair.traffic->name, pair.from, pair.to, pair.traffic->mayBeSilent});
        }
        if (pair.outcome.capture)
        {
            summary.replays.push_back({pair.traffic->name, pair.from, *pair.outcome.capture});
        }
        if (pair.outcome.fidelity)
        {
            summary.flowTraffic.push_back({pair.traffic->name, pair.from, *pair.outcome.fidelity});
        }
    }
    const auto verdicts = JudgeTraffic(pairs);
    summary.verdicts.insert(summary.verdicts.end(), verdicts.begin(), verdicts.end());
}

} // namespace

bool
Summary::Balances() const
{
    return EsxSummary::Balances() && bound.Holds();
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
    Summary summary;
    static_cast<ns3::EsxSummary&>(summary) = ns3::EsxSummarize(simulation.GetLedger());
    summary.name = scenario.name;
    summary.seed = scenario.run.seed;
    summary.run = scenario.run.run;
    summary.end = simulation.GetEnd();
    summary.interrupted = simulation.WasInterrupted();
    summary.links = simulation.GetResults().GetLinkDrops();
    summary.steps = JudgeSteps(simulation);
    summary.bound = FindExportBound(simulation);
    const MeteringVerdicts metering = JudgeMetering(simulation);
    summary.verdicts = MergeVerdicts(scenario.expect, simulation.GetVerdicts(), metering.asked);
    summary.verdicts.insert(summary.verdicts.end(),
                            metering.everyRun.begin(),
                            metering.everyRun.end());
    AddTraffic(summary, simulation.GetTraffic());
    const auto idle = JudgeIdleness(simulation);
    summary.verdicts.insert(summary.verdicts.end(), idle.begin(), idle.end());
    return summary;
}

} // namespace esxnf
