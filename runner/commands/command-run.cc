// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow run': runs scenarios, writes their results, says what came of them.
 */
#include "runner/base/interrupt.h"
#include "runner/base/output-file.h"
#include "runner/base/shared-files.h"
#include "runner/base/udp-sender.h"
#include "runner/commands/cli.h"
#include "runner/commands/options.h"
#include "runner/commands/python-package.h"
#include "runner/commands/run-outcomes.h"
#include "runner/commands/task-pool.h"
#include "runner/lab/lab-check.h"
#include "runner/results/golden.h"
#include "runner/results/results.h"
#include "runner/results/scenario-loading.h"
#include "runner/results/second-run.h"
#include "runner/simulation/progress.h"
#include "runner/simulation/real-collectors.h"
#include "runner/simulation/simulation.h"
#include "runner/simulation/split-run.h"

#include "ns3/esx-real-clock.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fstream>
#include <list>
#include <set>
#include <tuple>

namespace esxnf
{

AddCommand AddRun;

namespace
{

const char* const RUN_EXAMPLES = R"(Examples:
  esx-netflow run scenarios/quickstart.yaml
  esx-netflow run lab.yaml --out /tmp/lab --seed 7
  esx-netflow run lab.yaml --to 127.0.0.1:2055     feed a real collector, too
  esx-netflow run lab.yaml --realtime --to 127.0.0.1:2055      live
  esx-netflow run lab.yaml --to nf1=127.0.0.1:2055 --to nf2=127.0.0.1:9995
  esx-netflow run scenarios/*.yaml -j 2 --junit junit.xml     for CI: one table
  esx-netflow run lab.yaml --split dask --scheduler tcp://head:8786    over many machines
  esx-netflow run lab.yaml --update golden         keep what it gives; later:
  esx-netflow run lab.yaml --check golden          exit code 1 if it gives anything else
Ctrl-C ends a run early; its results are written all the same.)";

constexpr double NO_LIMIT = 0; // of a rate: the scenario's own times pace it

/// The options as given.
struct RunOptions
{
    std::vector<std::string> scenarios;
    std::string out;
    std::optional<uint32_t> seed;
    std::optional<uint32_t> run;
    std::vector<std::string> to;
    double toRate{UdpSender::DEFAULT_RATE};
    bool realTime{false};
    bool captures{false};
    bool report{false};
    bool annotate{false};
    bool spanningTree{false};
    bool strictTo{false};
    bool afterNetwork{false};
    std::vector<std::string> sources; //!< "HOST=ADDRESS"
    std::string metadata;             //!< collector to write a file for; empty: none
    bool quiet{false};
    unsigned jobs{1};
    std::string junit;
    std::string markdown;
    std::string check;     //!< folder of golden results; empty: none
    std::string update;    //!< the same
    std::string split;     //!< where hosts are simulated apart: local, dask; empty: nowhere
    std::string scheduler; //!< of dask
    std::string books;     //!< folder of what came of hosts that were; empty: none
    std::string collector; //!< command of a real one to start, feed and grade; empty: none
};

/// A scenario that can be run.
struct Job
{
    Scenario scenario;
    std::unique_ptr<RealCollectors> collectors; //!< nullptr: none
    std::string out;                            //!< as the user would name it
    std::unique_ptr<ResultFolder> results;
    RunOutcome* report; //!< of this run
};

Overrides
OverridesOf(const RunOptions& options)
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
    if (options.spanningTree)
    {
        overrides.emplace_back("/run/spanning_tree", true);
    }
    return overrides;
}

std::string
FolderOf(const RunOptions& options, const std::string& name)
{
    if (options.out.empty())
    {
        return "out/" + name;
    }
    return options.scenarios.size() == 1 ? options.out : options.out + "/" + name;
}

/// Loops cannot be run; an exporter that does not reach its collector can, and shows what ESX does.
/// \param [out] errors why it cannot
std::optional<Scenario>
LoadAndCheck(const std::string& path, const Overrides& overrides, Diagnostics& errors)
{
    std::optional<Scenario> scenario = LoadAndReport(path, overrides, &errors);
    if (!scenario)
    {
        return std::nullopt;
    }
    const LabReport report = CheckLab(*scenario);
    Print(report.loops);
    Print(WarningsOf(report));
    if (!HasErrors(report.loops))
    {
        return scenario;
    }
    errors = report.loops;
    return std::nullopt;
}

/// Says why a scenario has no results, here and in the files for CI.
void
Refuse(RunOutcome& report, const std::string& why)
{
    report.errors.push_back(why);
    PrintError(why);
}

/// Reads a scenario, takes its result folder and opens its sockets. \return its exit code if it
/// cannot be run
int
Prepare(const RunOptions& options,
        const std::vector<RealTarget>& targets,
        const std::string& path,
        std::set<std::string>& names,
        std::list<Job>& jobs,
        RunOutcome& report)
{
    report.scenario = path;
    Diagnostics errors;
    std::optional<Scenario> scenario = LoadAndCheck(path, OverridesOf(options), errors);
    if (!scenario)
    {
        for (const Diagnostic& error : errors)
        {
            report.errors.push_back(error.ToString());
        }
        return EXIT_USAGE;
    }
    const std::string name = scenario->name;
    if (!names.insert(name).second)
    {
        Refuse(report,
               fmt::format("{}: an earlier scenario is named {}, too; results are kept by name",
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
            job.collectors =
                std::make_unique<RealCollectors>(*scenario, targets, rate, "", options.sources);
            if (!job.collectors->GetDoubt().empty())
            {
                PrintError(job.collectors->GetDoubt());
            }
        }
        job.out = FolderOf(options, name);
        job.results = std::make_unique<ResultFolder>(job.out);
        job.scenario = std::move(*scenario);
        report.name = name;
        report.folder = job.out;
        job.report = &report;
        jobs.push_back(std::move(job));
    }
    catch (const UserError& error)
    {
        Refuse(report, error.what());
        return ExitCodeOf(error);
    }
    return EXIT_GOOD;
}

/// Simulates and writes the result folder; it is not at its place yet.
Summary
Simulate(Job& job, const SimulationOptions& options)
{
    Simulation simulation(job.scenario, options);
    simulation.Run();
    Summary summary = Summarize(simulation);
    Print(FailuresOf(summary, job.scenario));
    WriteResults(simulation, summary, job.results->GetPath());
    return summary;
}

int
Run(Job& job, const RunOptions& options, const InterruptCatcher& interrupt)
{
    SimulationOptions simulationOptions;
    simulationOptions.directory = job.results->GetPath();
    simulationOptions.captureEverything = options.captures;
    simulationOptions.annotate = options.annotate;
    if (job.collectors)
    {
        job.collectors->CaptureTo(job.results->GetPath() + "/" + RealCollectors::SENT);
        simulationOptions.exportedAfterNetwork = options.afterNetwork;
        simulationOptions.exported =
            [&job](const auto& host, ns3::Ipv4Address collector, const auto& payload) {
                job.collectors->Send(host, collector, payload);
            };
    }
    std::vector<HostBook> books;
    if (!options.books.empty())
    {
        books = ReadBooks(job.scenario, options.books);
        simulationOptions.books = &books;
    }
    ns3::EsxRealClock clock;
    simulationOptions.realClock = options.realTime ? &clock : nullptr;
    std::optional<ProgressBar> bar(!options.quiet);
    simulationOptions.heartbeat = [&](const Progress& progress) {
        bar->Update(progress.now, progress.end);
        return !interrupt.WasInterrupted();
    };
    Summary summary = Simulate(job, simulationOptions);
    if (ExpectsSecondRun(job.scenario) && !summary.interrupted)
    {
        for (const std::string& file :
             JudgeBySecondRun(job.scenario, simulationOptions, job.results->GetPath(), summary))
        {
            PrintError(fmt::format("{}: a second run gives another {}", job.scenario.name, file));
        }
    }
    if (job.collectors)
    {
        job.collectors->CloseCapture();
        summary.realCollectors = job.collectors->GetDeliveries();
        if (options.strictTo)
        {
            JudgeDeliveries(summary);
        }
        WriteSummary(summary, job.results->GetPath());
    }
    bar.reset();
    if (options.realTime && !options.quiet)
    {
        PrintError(clock.Report());
    }
    if (options.report && RunPython({"report", "--quiet", job.results->GetPath()}) != EXIT_GOOD)
    {
        throw UserError("the report could not be made");
    }
    if (!options.metadata.empty() &&
        RunPython({"metadata", options.metadata, job.results->GetPath()}) != EXIT_GOOD)
    {
        throw UserError("the metadata could not be written");
    }
    job.results->Commit();
    if (!options.quiet)
    {
        fmt::print("{}", options.scenarios.size() == 1 ? ToText(summary, job.out) : "");
        fmt::print("{}", options.report ? fmt::format("  report: {}/report.html\n", job.out) : "");
        fmt::print("{}", job.collectors ? job.collectors->Report() : "");
    }
    return ExitCodeOf(summary);
}

/// Reads what a run left, and compares it with golden results if these are wanted.
void
Look(const RunOptions& options, RunOutcome& report)
{
    std::ifstream file(report.folder + "/summary.json");
    const bool mayBeOlder = report.exitCode == EXIT_USAGE || report.exitCode > EXIT_INTERRUPTED;
    report.summary = mayBeOlder ? Json() : Json::parse(file, nullptr, false);
    if (!report.summary.is_object())
    {
        report.summary = Json();
        return;
    }
    if (!options.check.empty())
    {
        report.compared = true;
        const int verdict = ToExitCode([&] {
            report.differences.assign(1, "the golden results cannot be read");
            report.differences = CompareWithGolden(options.check, report.name, report.folder);
            return report.differences.empty() ? EXIT_GOOD : EXIT_EXPECTATION;
        });
        report.exitCode = std::max(report.exitCode, verdict);
    }
}

/// Runs what can be run, each in a process of its own unless there is one only.
void
RunJobs(std::list<Job>& jobs, const RunOptions& options, const InterruptCatcher& interrupt)
{
    if (options.scenarios.size() == 1 && !jobs.empty())
    {
        RunOutcome& report = *jobs.front().report;
        try
        {
            report.exitCode = Run(jobs.front(), options, interrupt);
        }
        catch (const UserError& error)
        {
            Refuse(report, error.what());
            report.exitCode = ExitCodeOf(error);
        }
        jobs.clear(); // sockets of real collectors close
        Look(options, report);
        return;
    }
    std::vector<TaskPool::Task> tasks;
    std::vector<RunOutcome*> reports;
    for (Job& job : jobs)
    {
        tasks.emplace_back([&] { return Run(job, options, interrupt); });
        reports.push_back(job.report);
    }
    TaskPool::Run(
        tasks,
        options.jobs,
        interrupt,
        [&](std::size_t index, const TaskOutcome& outcome) {
            RunOutcome& report = *reports[index];
            report.exitCode =
                outcome.started ? outcome.exitCode : static_cast<int>(EXIT_INTERRUPTED);
            fmt::print("{}", outcome.output);
            std::fflush(stdout);
            fmt::print(stderr, "{}", outcome.errors);
            std::istringstream lines(outcome.errors);
            for (std::string line; std::getline(lines, line);)
            {
                report.errors.push_back(line);
            }
            if (outcome.signal != 0)
            {
                Refuse(report,
                       fmt::format("{} was ended by signal {}", report.name, outcome.signal));
            }
            if (!outcome.started)
            {
                Refuse(report, fmt::format("{} was not run", report.name));
                return;
            }
            Look(options, report);
        });
}

/// A file for CI, opened before the runs: what cannot be written is known then.
class CiFile
{
  public:
    explicit CiFile(const std::string& path)
    {
        if (!path.empty())
        {
            m_file.emplace(path, OutputKind::WHOLE);
        }
    }

    void Write(const std::string& text)
    {
        if (m_file)
        {
            m_file->Write(text);
            m_file->Close();
        }
    }

  private:
    std::optional<OutputFile> m_file;
};

/// Keeps what a run gave as golden results, unless it proves nothing.
void
Update(const RunOptions& options, RunOutcome& report)
{
    const std::string why = WhyNotGolden(report.summary);
    if (!why.empty())
    {
        PrintError(fmt::format("{}: no golden results are kept: {}", report.name, why));
        report.exitCode = std::max<int>(report.exitCode, EXIT_EXPECTATION);
        return;
    }
    const auto changes = UpdateGolden(options.update, report.name, report.folder);
    for (std::size_t i = 0; i < changes.size() && !options.quiet; ++i)
    {
        fmt::print("{}: golden results change: {}\n", report.name, changes[i]);
    }
}

/// Prints the results once all have ended. Not a word if all is well and the user wants quiet.
void
Tell(const RunOptions& options, std::vector<RunOutcome>& reports)
{
    if (!options.quiet && reports.size() > 1)
    {
        fmt::print("{}", ToTable(reports));
    }
    for (RunOutcome& report : reports)
    {
        if (options.quiet || reports.size() == 1)
        {
            for (const std::string& line : report.differences)
            {
                fmt::print("{}: {}\n", report.name, line);
            }
        }
        if (!options.update.empty() && !report.summary.is_null())
        {
            Update(options, report);
        }
    }
}

/// Files of the command line that must not be each other, and what scenarios read.
void
CheckFiles(const RunOptions& options, const std::list<Job>& jobs)
{
    std::vector<NamedFile> inputs;
    std::vector<NamedFile> outputs{{"--junit", options.junit}, {"--summary-md", options.markdown}};
    std::vector<NamedFile> folders;
    for (const Job& job : jobs)
    {
        const std::vector<NamedFile> read = InputsOf(job.scenario);
        inputs.insert(inputs.end(), read.begin(), read.end());
        folders.push_back({options.out.empty() ? "the result folder" : "--out", job.out});
        for (const std::string& path : GoldenFiles(options.check, job.scenario.name))
        {
            inputs.push_back({"--check", path});
        }
        for (const std::string& path : GoldenFiles(options.update, job.scenario.name))
        {
            outputs.push_back({"--update", path});
        }
    }
    RefuseSharedFiles(inputs, outputs, folders);
}

/// Options of --collector, which the Python package does.
void
AddCollectorOptions(CLI::App& app, std::string& command)
{
    CLI::Option* collector =
        app.add_option("--collector",
                       command,
                       "Start a real collector, {port} and {folder} filled\nin, feed and grade it")
            ->type_name("COMMAND")
            ->excludes("--to");
    for (const auto& [name, type, help] :
         {std::tuple{"--store", "GLOB", "Its store, in {folder}"},
          std::tuple{"--format", "NAME", "Of the store ('grade --help' lists them)"},
          std::tuple{"--grade", "OPTIONS", "More of 'grade', as one word"},
          std::tuple{"--end-by", "SIGNAL", "Signal that ends it (TERM)"}})
    {
        app.add_option(name, help)->type_name(type)->needs(collector);
    }
}

/// Options of --split, whose first stage the Python package does.
void
AddSplitOptions(CLI::App& app, RunOptions& options)
{
    AddChoice<std::string>(app,
                           "--split",
                           options.split,
                           {{"local", "local"}, {"dask", "dask"}},
                           "Simulate hosts apart first: in -j processes,\nor on a Dask cluster");
    CLI::Option* split = app.get_option("--split");
    app.add_option("--scheduler", options.scheduler, "Of the cluster (default: one here)")
        ->type_name("ADDRESS")
        ->needs(split);
    CLI::Option* books = app.add_option("--books", options.books)->group(""); // of --split itself
    for (const char* other : {"--collector", "--to", "--captures", "--realtime"})
    {
        split->excludes(app.get_option(other));
        books->excludes(app.get_option(other));
    }
}

/// Becomes a command of the Python package with what was given, and further words.
void
HandOver(const char* command, const CLI::App& app, std::vector<std::string> words = {})
{
    words.insert(words.begin(), command);
    for (const CLI::Option* option : app.get_options())
    {
        const bool isFlag = option->get_items_expected_max() == 0;
        for (std::size_t i = 0; i < (isFlag ? option->count() : option->results().size()); ++i)
        {
            const std::string name =
                option->get_lnames().empty() ? "scenario" : option->get_lnames()[0];
            words.push_back("--" + name + (isFlag ? "" : "=" + option->results()[i]));
        }
    }
    RequirePython();
    BecomePython(words);
}

int
RunAll(const RunOptions& options)
{
    if ((options.afterNetwork || !options.sources.empty()) && options.to.empty())
    {
        throw UserError("--after-network and --source need --to or --collector");
    }
    if (!options.to.empty() && options.jobs > 1 && options.scenarios.size() > 1)
    {
        throw UserError("--to feeds collectors from one run at a time: leave out -j");
    }
    std::vector<RealTarget> targets;
    for (const std::string& to : options.to)
    {
        targets.push_back(ParseRealTarget(to));
    }
    if (options.report || !options.metadata.empty())
    {
        RequirePython();
    }
    const InterruptCatcher interrupt;
    std::vector<RunOutcome> reports(options.scenarios.size());
    std::list<Job> jobs;
    std::set<std::string> names;
    for (std::size_t i = 0; i < reports.size(); ++i)
    {
        reports[i].exitCode =
            Prepare(options, targets, options.scenarios[i], names, jobs, reports[i]);
    }
    CheckFiles(options, jobs);
    CiFile junit(options.junit);
    CiFile markdown(options.markdown);
    RunJobs(jobs, options, interrupt);
    Tell(options, reports);
    junit.Write(ToJUnit(reports));
    markdown.Write(ToMarkdown(reports));
    int exitCode = EXIT_GOOD;
    for (const RunOutcome& report : reports)
    {
        exitCode = std::max(exitCode, report.exitCode);
    }
    return interrupt.WasInterrupted() ? static_cast<int>(EXIT_INTERRUPTED) : exitCode;
}

} // namespace

void
AddRun(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("run", "Run scenarios, write their results");
    const auto options = std::make_shared<RunOptions>();
    app->add_option("scenario", options->scenarios, "Scenario files")
        ->type_name("SCENARIO")
        ->required();
    app->add_option("-o,--out",
                    options->out,
                    "Result folder (default out/NAME);\nof several scenarios: DIR/NAME")
        ->type_name("DIR");
    AddNumber<uint32_t>(*app,
                        "--seed",
                        options->seed,
                        "N",
                        1,
                        UINT32_MAX,
                        "In place of the scenario's");
    AddNumber<uint32_t>(*app,
                        "--run",
                        options->run,
                        "N",
                        0,
                        UINT32_MAX,
                        "In place of the scenario's");
    app->add_option("--to", options->to, "Send what leaves the vmknics to a real collector, too")
        ->type_name("[NODE=]HOST:PORT")
        ->allow_extra_args(false); // what follows is a scenario
    app->add_flag("--strict-to",
                  options->strictTo,
                  "Exit code 1 unless every datagram of --to was taken")
        ->needs("--to");
    app->add_option("--source",
                    options->sources,
                    "Address from which a host's datagrams come;\nnot one of this machine: needs "
                    "CAP_NET_RAW")
        ->type_name("HOST=ADDRESS")
        ->allow_extra_args(false);
    app->add_flag("--after-network",
                  options->afterNetwork,
                  "Send it what the simulated collectors got:\nlosses, copies and order");
    AddNumber(*app,
              "--to-rate",
              options->toRate,
              "N",
              0.0,
              1e9,
              "Datagrams a second at most, 0: no limit");
    app->add_flag("--realtime",
                  options->realTime,
                  "Pace by the wall clock, best effort;\n--to-rate does not apply");
    app->add_flag("--captures", options->captures, "Capture all that is metered and collected");
    app->add_flag("--annotate",
                  options->annotate,
                  "Collectors' captures as pcapng with comments:\nwhere lost datagrams died");
    app->add_flag("--spanning-tree", options->spanningTree, "Block the links that close loops");
    AddNumber(*app, "-j,--jobs", options->jobs, "N", 1U, 1024U, "Scenarios at once");
    app->add_option("--junit", options->junit, "Write verdicts as JUnit XML")->type_name("FILE");
    app->add_option("--summary-md", options->markdown, "Write a summary in Markdown")
        ->type_name("FILE");
    app->add_option("--check", options->check, "Compare with golden results")->type_name("GOLDEN");
    app->add_option("--update", options->update, "Write golden results")
        ->type_name("GOLDEN")
        ->excludes("--check");
    app->add_flag("--report", options->report, "Draw report.html, too (needs Python)");
    AddChoice<std::string>(
        *app,
        "--metadata",
        options->metadata,
        {{"akvorado", "akvorado"},
         {"netdata", "netdata"},
         {"ntopng", "ntopng"},
         {"pmacct", "pmacct"}},
        "Write exporters and interfaces for a collector:\nakvorado, netdata, ntopng or pmacct");
    app->add_flag("-q,--quiet", options->quiet, "No progress, no summary");
    AddCollectorOptions(*app, options->collector);
    AddSplitOptions(*app, *options);
    app->footer(RUN_EXAMPLES);
    app->callback([options, app, &exitCode] {
        app->count("--collector") == 0 ? void() : HandOver("feed", *app);
        if (!options->split.empty())
        {
            ShareMalloc();
            HandOver("split", *app, {"--program=" + GetProgram()});
        }
        exitCode = RunAll(*options);
    });
}

} // namespace esxnf
