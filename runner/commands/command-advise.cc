// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow advise': the longest poll period (-s) and the smallest purgatory that would have
 * lost nothing in a scenario, tried in runs of their own.
 */
#include "netflow/flow-record.h"
#include "netflow/ledger.h"
#include "runner/base/interrupt.h"
#include "runner/commands/cli.h"
#include "runner/results/scenario-loading.h"
#include "runner/results/text.h"
#include "runner/simulation/advice.h"
#include "runner/simulation/progress.h"
#include "runner/simulation/simulation.h"

#include "ns3/simulator.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sstream>
#include <string_view>

namespace esxnf
{

AddCommand AddAdvise;

namespace
{

const char* const ADVISE_EXAMPLES = R"(Example:
  esx-netflow advise scenarios/purgatory-knee.yaml
'longest -s' is for net-netflow started as in the scenario; 'at any time' holds
whenever it is started. Each is tried in a run of its own: exit code 1 if records
are dropped all the same.)";

/// The heap that purgatory reserves for a record (see the schema, memory.netflow_heap).
constexpr uint64_t HEAP_PER_QUEUED_RECORD = 64;

/// Whether a full purgatory lost a record so, by whichever policy.
bool
IsDropOfPurgatory(netflow::Move move)
{
    const netflow::MoveInfo& info = netflow::GetInfo(move);
    return info.to == netflow::Place::DROPPED && std::string_view(info.cause) == "purgatory_full";
}

/// Findings of one run about a host.
struct HostRun
{
    std::string name;
    uint64_t dropped{0}; //!< records that purgatory dropped
    std::vector<Expiry> expiries;
    std::vector<Poller> pollers;
};

/// The advice for a host.
struct HostAdvice
{
    HostRun run;
    int64_t period{0}; //!< ms, of its first net-netflow; 0: there is none
    std::optional<int64_t> longest;
    std::optional<int64_t> safe;
    uint64_t bound{0};
    uint64_t smallest{0};
};

/// Simulates, and notes when records end. \return by host; empty if interrupted
std::vector<HostRun>
Observe(const Scenario& scenario, bool quiet, const InterruptCatcher& interrupt)
{
    using netflow::Move;
    SimulationOptions options;
    std::optional<ProgressBar> bar(!quiet);
    options.heartbeat = [&](const Progress& progress) {
        bar->Update(progress.now, progress.end);
        return !interrupt.WasInterrupted();
    };
    Simulation simulation(scenario, options);
    std::vector<HostRun> runs(simulation.GetHosts().size());
    for (std::size_t i = 0; i < runs.size(); ++i)
    {
        const auto host = simulation.GetHosts()[i];
        runs[i].name = host->GetName();
        host->GetObject<ns3::EsxNetflow>()->TraceConnectWithoutContext(
            "RecordEnded",
            ns3::Callback<void, const netflow::FlowRecord&, Move>(
                [&run = runs[i]](const netflow::FlowRecord& record, Move station) {
                    if (station == Move::QUEUED || IsDropOfPurgatory(station))
                    {
                        run.expiries.push_back(
                            {ns3::Simulator::Now().GetNanoSeconds(), record.key.vSwitch});
                    }
                }));
    }
    simulation.Run();
    for (std::size_t i = 0; i < runs.size(); ++i)
    {
        const auto host = simulation.GetHosts()[i];
        const netflow::Account total = host->GetObject<ns3::EsxNetflow>()->GetLedger().GetTotal();
        for (unsigned move = 0; move < netflow::MOVES; ++move)
        {
            const auto drop = static_cast<Move>(move);
            runs[i].dropped += IsDropOfPurgatory(drop) ? total.Get(drop).records : 0;
        }
        for (const ns3::EsxMonitoredSpan& span : simulation.GetResults().GetMonitored())
        {
            if (span.host != host)
            {
                continue;
            }
            const int64_t start = span.from.GetNanoSeconds();
            const int64_t period = span.pollPeriod.GetNanoSeconds();
            auto& pollers = runs[i].pollers;
            const bool sameProcess =
                !pollers.empty() && pollers.back().start == start && span.sameProcessAsBefore;
            if (sameProcess)
            {
                pollers.back().vSwitches.push_back(span.engine);
            }
            else
            {
                pollers.push_back({start, span.to.GetNanoSeconds(), period, {span.engine}});
            }
        }
    }
    return simulation.WasInterrupted() ? std::vector<HostRun>() : runs;
}

HostAdvice
Advise(const Host& host, HostRun run, int64_t mostMs)
{
    HostAdvice advice;
    advice.bound = host.netflow.purgatoryMax;
    if (!run.pollers.empty())
    {
        constexpr int64_t nsPerMs = 1'000'000;
        advice.period = run.pollers.front().period / nsPerMs;
        const Advice computed(run.expiries, run.pollers);
        advice.longest = computed.GetLongestPeriodMs(advice.bound, mostMs);
        advice.safe = computed.GetSafePeriodMs(advice.bound, mostMs);
        advice.smallest = computed.GetSmallestPurgatory();
    }
    advice.run = std::move(run);
    return advice;
}

/// A console line with another -s. \return the line as it is if it starts no net-netflow
std::string
WithPeriod(const std::string& line, int64_t ms)
{
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
    {
        words.push_back(word);
    }
    const auto isNamed = [](const char* name) {
        return [name](const std::string& word) { return word.substr(word.rfind('/') + 1) == name; };
    };
    const auto wrapper = std::find_if(words.begin(), words.end(), isNamed("vmkload_app"));
    const auto program = std::find_if(wrapper, words.end(), isNamed("net-netflow"));
    if (program == words.end())
    {
        return line;
    }
    const auto option = std::find(program, words.end(), "-s");
    if (option != words.end() && option + 1 != words.end())
    {
        option[1] = std::to_string(ms);
    }
    else
    {
        const auto at = words.insert(program + 1, "-s");
        words.insert(at + 1, std::to_string(ms));
    }
    return fmt::format("{}", fmt::join(words, " "));
}

/// The scenario with the longest period at every host that has one.
Overrides
PeriodsOf(const Scenario& scenario, const std::vector<HostAdvice>& advice)
{
    Overrides overrides;
    for (const TimelineStep& step : scenario.timeline)
    {
        for (const HostAdvice& host : advice)
        {
            if (step.kind == StepKind::Console && step.host == host.run.name && host.longest)
            {
                overrides.emplace_back(step.path + "/run", WithPeriod(step.command, *host.longest));
            }
        }
    }
    return overrides;
}

/// The scenario with the smallest purgatories. A larger one has as much more heap as it reserves.
Overrides
PurgatoriesOf(const Scenario& scenario, const std::vector<HostAdvice>& advice)
{
    Overrides overrides;
    for (std::size_t i = 0; i < advice.size(); ++i)
    {
        const Host& host = scenario.hosts[i];
        const uint64_t smallest = advice[i].smallest;
        if (advice[i].period > 0)
        {
            overrides.emplace_back(host.path + "/netflow/purgatory_max", smallest);
        }
        if (smallest > advice[i].bound)
        {
            const uint64_t heap =
                host.netflow.heapBytes + (smallest - advice[i].bound) * HEAP_PER_QUEUED_RECORD;
            overrides.emplace_back(host.path + "/memory/netflow_heap", fmt::format("{}B", heap));
        }
    }
    return overrides;
}

std::string
TextOf(const std::optional<int64_t>& ms, int64_t most)
{
    return !ms ? "none" : *ms >= most ? "any" : fmt::format("{} ms", *ms);
}

void
PrintAdvice(const std::vector<HostAdvice>& advice, int64_t most)
{
    TextTable table("<>>>>>>>");
    table.Add(
        {"host", "expired", "dropped", "-s", "longest -s", "at any time", "purgatory", "smallest"});
    for (const HostAdvice& host : advice)
    {
        if (host.period == 0)
        {
            table.Add({host.run.name, "-", "-", "-", "-", "-", "-", "no net-netflow"});
            continue;
        }
        table.Add({host.run.name,
                   std::to_string(host.run.expiries.size()),
                   std::to_string(host.run.dropped),
                   fmt::format("{} ms", host.period),
                   TextOf(host.longest, most),
                   TextOf(host.safe, most),
                   std::to_string(host.bound),
                   std::to_string(host.smallest)});
    }
    fmt::print("{}", table.ToText());
}

/// Runs the scenario with overrides. \return true if no host that counts dropped a record
bool
Confirm(const std::string& path,
        const Overrides& overrides,
        const std::vector<HostAdvice>& advice,
        bool periods,
        const InterruptCatcher& interrupt)
{
    bool good = true;
    const Scenario scenario = LoadScenario(path, overrides);
    const std::vector<HostRun> runs = Observe(scenario, true, interrupt);
    for (std::size_t i = 0; i < runs.size(); ++i)
    {
        const bool counts = periods ? advice[i].longest.has_value() : advice[i].period > 0;
        if (counts && runs[i].dropped > 0)
        {
            good = false;
            fmt::print("  {} dropped {} records\n", runs[i].name, runs[i].dropped);
        }
    }
    return good && !runs.empty();
}

int
Run(const std::string& path, bool quiet)
{
    const std::optional<Scenario> scenario = LoadWithoutLoops(path);
    if (!scenario)
    {
        return EXIT_USAGE;
    }
    const InterruptCatcher interrupt;
    const int64_t most = std::max<int64_t>(scenario->run.duration.GetMilliSeconds(), 1);
    std::vector<HostAdvice> advice;
    for (HostRun& run : Observe(*scenario, quiet, interrupt))
    {
        advice.push_back(Advise(scenario->hosts[advice.size()], std::move(run), most));
    }
    if (advice.empty())
    {
        return EXIT_INTERRUPTED;
    }
    PrintAdvice(advice, most);
    if (std::all_of(advice.begin(), advice.end(), [](const HostAdvice& host) {
            return host.run.expiries.empty();
        }))
    {
        PrintError("nothing to advise on: no record ended");
        return EXIT_EXPECTATION;
    }
    bool good = true;
    for (const bool periods : {true, false})
    {
        const bool confirmed =
            Confirm(path,
                    periods ? PeriodsOf(*scenario, advice) : PurgatoriesOf(*scenario, advice),
                    advice,
                    periods,
                    interrupt);
        fmt::print("a run with the {}: {}\n",
                   periods ? "longest -s" : "smallest purgatory",
                   confirmed ? "nothing was dropped" : "NOT confirmed");
        good = good && confirmed;
    }
    return interrupt.WasInterrupted() ? EXIT_INTERRUPTED : good ? EXIT_GOOD : EXIT_EXPECTATION;
}

} // namespace

void
AddAdvise(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("advise",
                                           "Find the longest -s and the smallest purgatory that "
                                           "lose nothing");
    const auto path = std::make_shared<std::string>();
    const auto quiet = std::make_shared<bool>(false);
    app->add_option("scenario", *path, "Scenario file")->type_name("SCENARIO")->required();
    app->add_flag("-q,--quiet", *quiet, "No progress");
    app->footer(ADVISE_EXAMPLES);
    app->callback([path, quiet, &exitCode] { exitCode = Run(*path, *quiet); });
}

} // namespace esxnf
