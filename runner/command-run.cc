// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow run': runs scenarios, writes their results, says what came of them.
 */
#include "runner/cli.h"
#include "runner/interrupt.h"
#include "runner/progress.h"
#include "runner/real-clock.h"
#include "runner/real-collectors.h"
#include "runner/results.h"
#include "runner/scenario-report.h"
#include "runner/simulation.h"
#include "runner/topology.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <list>
#include <set>

namespace esxnf
{

AddCommand AddRun;

namespace
{

const char* const EXAMPLES = R"(Examples:
  esx-netflow run scenarios/quickstart.yaml
  esx-netflow run lab.yaml --out /tmp/lab --seed 7
  esx-netflow run lab.yaml --to 127.0.0.1:2055     feed a real collector, too
  esx-netflow run lab.yaml --realtime --to 127.0.0.1:2055      live
  esx-netflow run lab.yaml --to nf1=127.0.0.1:2055 --to nf2=127.0.0.1:9995
  esx-netflow run scenarios/*.yaml --quiet         for CI: look at the exit code
Ctrl-C ends a run early; its results are written all the same.)";

constexpr double DEFAULT_RATE = 2000; // keeps 45 ms of datagrams in a default socket buffer: a
                                      // collector may sleep that long

constexpr double NO_LIMIT = 0; // of a rate: the scenario's own times pace it

/// The options as given.
struct Options
{
    std::vector<std::string> scenarios;
    std::string out;
    std::optional<uint32_t> seed;
    std::optional<uint32_t> run;
    std::vector<std::string> to;
    double toRate{DEFAULT_RATE};
    bool realTime{false};
    bool captures{false};
    bool quiet{false};
};

/// A scenario that can be run.
struct Job
{
    Scenario scenario;
    std::unique_ptr<RealCollectors> collectors; //!< nullptr: none
    std::string out;                            //!< as the user would name it
    std::unique_ptr<ResultFolder> results;
};

Overrides
OverridesOf(const Options& options)
{
    Overrides overrides;
    if (options.seed)
    {
        overrides.emplace_back("/run/seed", *options.seed);
    }
    if (options.run)
    {
        overrides.emplace_back("/run/run", *options.run);
    }
    return overrides;
}

std::string
FolderOf(const Options& options, const std::string& name)
{
    if (options.out.empty())
    {
        return "out/" + name;
    }
    return options.scenarios.size() == 1 ? options.out : options.out + "/" + name;
}

/// Loops cannot be run; an exporter that does not reach its collector can, and shows what ESX does.
bool
CheckLab(const Scenario& scenario)
{
    const Topology topology(scenario);
    const Diagnostics loops = CheckLoops(topology);
    Print(loops);
    for (Diagnostic diagnostic : CheckExport(topology))
    {
        if (diagnostic.severity != Severity::Info)
        {
            diagnostic.severity = Severity::Warning;
            Print({diagnostic});
        }
    }
    return !HasErrors(loops);
}

/// Reads a scenario, takes its result folder and opens its sockets. \return its exit code if it
/// cannot be run
int
Prepare(const Options& options,
        const std::vector<RealTarget>& targets,
        const std::string& path,
        std::set<std::string>& names,
        std::list<Job>& jobs)
{
    std::optional<Scenario> scenario = LoadAndReport(path, OverridesOf(options));
    if (!scenario || !CheckLab(*scenario))
    {
        return EXIT_USAGE;
    }
    const std::string name = scenario->name;
    if (!names.insert(name).second)
    {
        PrintError(fmt::format("{}: an earlier scenario is named {}, too; results are kept by name",
                               path,
                               name));
        return EXIT_USAGE;
    }
    try
    {
        Job job;
        if (!targets.empty())
        {
            const double rate = options.realTime ? NO_LIMIT : options.toRate;
            job.collectors = std::make_unique<RealCollectors>(*scenario, targets, rate);
        }
        job.out = FolderOf(options, name);
        job.results = std::make_unique<ResultFolder>(job.out);
        job.scenario = std::move(*scenario);
        jobs.push_back(std::move(job));
    }
    catch (const CommandError& error)
    {
        PrintError(error.what());
        return error.GetExitCode();
    }
    return EXIT_GOOD;
}

/// Console lines that did not do what they were to do.
void
PrintFailedSteps(const Simulation& simulation)
{
    for (const StepOutcome& outcome : simulation.GetSteps())
    {
        if (outcome.result.exitStatus != 0)
        {
            std::string what = fmt::format("exit status {}", outcome.result.exitStatus);
            std::istringstream errors(outcome.result.errors);
            for (std::string line; std::getline(errors, line);)
            {
                what += ": " + line;
            }
            Print({simulation.GetScenario().At(Severity::Warning, outcome.step->path, what)});
        }
    }
}

int
Run(Job& job, const Options& options, const InterruptCatcher& interrupt)
{
    SimulationOptions simulationOptions;
    simulationOptions.directory = job.results->GetPath();
    simulationOptions.captureEverything = options.captures;
    if (job.collectors)
    {
        simulationOptions.exported =
            [&job](const auto& host, ns3::Ipv4Address collector, const auto& payload) {
                job.collectors->Send(host, collector, payload);
            };
    }
    RealClock clock;
    simulationOptions.realClock = options.realTime ? &clock : nullptr;
    std::optional<ProgressBar> bar(!options.quiet);
    simulationOptions.heartbeat = [&](const Progress& progress) {
        bar->Update(progress.now, progress.end);
        return !interrupt.WasInterrupted();
    };
    Simulation simulation(job.scenario, simulationOptions);
    simulation.Run();
    bar.reset();
    if (options.realTime && !options.quiet)
    {
        PrintError(clock.Report());
    }
    PrintFailedSteps(simulation);
    const Summary summary = Summarize(simulation);
    WriteResults(simulation, summary, job.results->GetPath());
    job.results->Commit();
    if (!options.quiet)
    {
        fmt::print("{}", ToText(summary, job.out));
        fmt::print("{}", job.collectors ? job.collectors->Report() : "");
    }
    return summary.GetExitCode();
}

int
RunAll(const Options& options)
{
    std::vector<RealTarget> targets;
    for (const std::string& to : options.to)
    {
        targets.push_back(ParseRealTarget(to));
    }
    const InterruptCatcher interrupt;
    int exitCode = EXIT_GOOD;
    std::list<Job> jobs;
    std::set<std::string> names;
    for (const std::string& path : options.scenarios)
    {
        exitCode = std::max(exitCode, Prepare(options, targets, path, names, jobs));
    }
    for (; !jobs.empty() && !interrupt.WasInterrupted(); jobs.pop_front())
    {
        exitCode = std::max(exitCode, Run(jobs.front(), options, interrupt));
    }
    for (const Job& job : jobs)
    {
        PrintError(fmt::format("{} was not run", job.scenario.name));
    }
    return interrupt.WasInterrupted() ? EXIT_INTERRUPTED : exitCode;
}

} // namespace

void
AddRun(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("run", "Run scenarios, write their results");
    const auto options = std::make_shared<Options>();
    app->add_option("scenario", options->scenarios, "Scenario files")
        ->type_name("SCENARIO")
        ->required();
    app->add_option("-o,--out",
                    options->out,
                    "Result folder (default out/NAME);\nof several scenarios: DIR/NAME")
        ->type_name("DIR");
    app->add_option("--seed", options->seed, "In place of the scenario's")->type_name("N");
    app->add_option("--run", options->run, "In place of the scenario's")->type_name("N");
    app->add_option("--to", options->to, "Send what leaves the vmknics to a real collector, too")
        ->type_name("[NODE=]HOST:PORT");
    app->add_option("--to-rate", options->toRate, "Datagrams a second at most, 0: no limit")
        ->type_name("N")
        ->check(CLI::Range(0.0, 1e9).description(""))
        ->capture_default_str();
    app->add_flag("--realtime",
                  options->realTime,
                  "Pace by the wall clock, best effort;\n--to-rate does not apply");
    app->add_flag("--captures", options->captures, "Capture all that is metered and collected");
    app->add_flag("-q,--quiet", options->quiet, "No progress, no summary");
    app->footer(EXAMPLES);
    app->callback([options, &exitCode] { exitCode = RunAll(*options); });
}

} // namespace esxnf
