// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow console': a prompt on a simulated host.
 */
#include "runner/base/output-file.h"
#include "runner/base/shared-files.h"
#include "runner/commands/cli.h"
#include "runner/console/console-driver.h"
#include "runner/console/console-record.h"
#include "runner/console/line-editor.h"
#include "runner/results/results.h"
#include "runner/results/scenario-loading.h"
#include "runner/results/second-run.h"
#include "runner/simulation/real-collectors.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace esxnf
{

AddCommand AddConsole;

namespace
{

const char* const CONSOLE_EXAMPLES = R"(Examples:
  esx-netflow console scenarios/quickstart.yaml
  esx-netflow console lab.yaml --host esx2 --realtime --to 127.0.0.1:2055    rehearse it live
  esx-netflow console lab.yaml --record rehearsal.yaml                       keep it as a scenario
  printf 'vmkload_mod netflow\nrun 30s\n' | esx-netflow console lab.yaml     without a terminal
At the prompt: the commands of the service console ('help' lists them), and 'run 30s', which lets
simulated time pass. Ctrl-C interrupts what runs in the foreground, Ctrl-D ends the session.)";

/// The options as given.
struct ConsoleOptions
{
    std::string scenario;
    std::string host;
    std::vector<std::string> to;
    std::string record;
    std::string out;
    bool realTime{false};
    bool timeline{false};
};

std::string
ChooseHost(const ConsoleOptions& options, const Scenario& scenario)
{
    std::vector<std::string> known;
    for (const Host& host : scenario.hosts)
    {
        known.push_back(host.name);
    }
    if (options.host.empty())
    {
        return known.front();
    }
    if (std::find(known.begin(), known.end(), options.host) == known.end())
    {
        throw UserError(
            fmt::format("--host {}: no such host; {}", options.host, Suggest(options.host, known)));
    }
    return options.host;
}

/// Words that may stand after a command: vSwitches, collectors, and the parts of netflow.
std::vector<std::string>
ArgumentsAt(const Scenario& scenario, const std::string& name)
{
    std::vector<std::string> words{"-S", "-i", "vmktcp", "net-netflow", "netflow"};
    for (const Host& host : scenario.hosts)
    {
        for (const VSwitch& vSwitch : host.vSwitches)
        {
            if (host.name == name)
            {
                words.push_back(vSwitch.name);
            }
        }
    }
    for (const Node& node : scenario.nodes)
    {
        words.insert(words.end(), node.names.begin(), node.names.end());
    }
    return words;
}

std::unique_ptr<ConsoleInput>
OpenInput(const ConsoleOptions& options,
          const Scenario& scenario,
          const std::string& host,
          KeyCatcher& keys)
{
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
    {
        return std::make_unique<StreamInput>(keys);
    }
    fmt::print(
        "The service console of {} at 0 s. {}; Tab completes words, Ctrl-D ends the session.\n",
        host,
        options.realTime ? "Time passes as outside" : "'run 30s' lets time pass");
    std::vector<std::string> commands = ns3::EsxConsole::GetCommandNames();
    commands.emplace_back("run");
    return std::make_unique<LineEditor>(keys, std::move(commands), ArgumentsAt(scenario, host));
}

/// Outputs of a session, opened before it: those that cannot be written are known then.
struct Kept
{
    Kept(const ConsoleOptions& options, const Scenario& scenario)
    {
        RefuseSharedFiles(InputsOf(scenario),
                          {{"--record", options.record}},
                          {{"--out", options.out}});
        if (!options.record.empty())
        {
            record.emplace(options.record, OutputKind::WHOLE);
        }
        if (!options.out.empty())
        {
            results = std::make_unique<ResultFolder>(options.out);
        }
    }

    bool IsWanted() const
    {
        return record || results;
    }

    std::optional<OutputFile> record;
    std::unique_ptr<ResultFolder> results;
};

/// Writes what is wanted of the record and the results.
void
Keep(const Scenario& record, const Simulation& simulation, const Summary& summary, Kept& kept)
{
    if (kept.record)
    {
        kept.record->Write(ResolvedYaml(record));
        kept.record->Close();
    }
    if (kept.results)
    {
        const std::string folder = kept.results->GetPath();
        WriteResults(simulation, summary, folder);
        WriteFile(folder + "/resolved.yaml", ResolvedYaml(record)); // gives the same results
    }
}

ns3::Ptr<ns3::EsxHost>
FindHost(const Simulation& simulation, const std::string& name)
{
    const auto& hosts = simulation.GetHosts();
    return *std::find_if(hosts.begin(), hosts.end(), [&name](const auto& host) {
        return host->GetName() == name;
    });
}

/// Outcome of a session.
struct Outcome
{
    Scenario record; //!< the scenario with what was typed
    Summary summary;
};

/// The session itself, and what is wanted of its record and results.
Outcome
Hold(const ConsoleOptions& options,
     const Scenario& scenario,
     const std::string& host,
     const SimulationOptions& simulationOptions,
     KeyCatcher& keys,
     Kept& kept)
{
    Simulation simulation(scenario, simulationOptions);
    const std::unique_ptr<ConsoleInput> input = OpenInput(options, scenario, host, keys);
    ConsoleDriver driver(simulation,
                         FindHost(simulation, host),
                         *input,
                         keys,
                         {options.realTime, kept.IsWanted()});
    driver.Run();
    Outcome outcome{scenario, Summarize(simulation)};
    if (kept.IsWanted())
    {
        outcome.record = Record(scenario, host, driver.GetTyped(), simulation.GetEnd());
        AddTypedSteps(outcome.record, driver.GetTyped(), outcome.summary);
        Keep(outcome.record, simulation, outcome.summary, kept);
    }
    return outcome;
}

/// Judges 'check: deterministic' by a run of the record, or says that nothing does.
void
JudgeAgain(Outcome& outcome,
           const SimulationOptions& simulationOptions,
           const ResultFolder* results)
{
    if (!ExpectsSecondRun(outcome.record) || outcome.summary.interrupted)
    {
        return;
    }
    if (!results)
    {
        PrintError("'check: deterministic' was not judged: a second run is compared with the "
                   "results of the first one (-o DIR)");
        return;
    }
    for (const std::string& file :
         JudgeBySecondRun(outcome.record, simulationOptions, results->GetPath(), outcome.summary))
    {
        PrintError(fmt::format("{}: a second run gives another {}", outcome.record.name, file));
    }
}

int
RunSession(const ConsoleOptions& options, const Scenario& scenario)
{
    const std::string host = ChooseHost(options, scenario);
    std::vector<RealTarget> targets;
    for (const std::string& to : options.to)
    {
        targets.push_back(ParseRealTarget(to));
    }
    constexpr double NO_LIMIT = 0; // of a rate
    std::unique_ptr<RealCollectors> collectors;
    if (!targets.empty())
    {
        collectors = std::make_unique<RealCollectors>(scenario, targets, NO_LIMIT, host);
        if (!collectors->GetDoubt().empty())
        {
            PrintError(collectors->GetDoubt());
        }
    }
    Kept kept(options, scenario);
    const ResultFolder* const results = kept.results.get();
    KeyCatcher keys;
    SimulationOptions simulationOptions;
    simulationOptions.directory = results ? results->GetPath() : "";
    simulationOptions.heartbeat = [&keys](const Progress&) { return !keys.IsPending(); };
    if (collectors)
    {
        simulationOptions.exported = [&](const auto& from, auto collector, const auto& payload) {
            collectors->Send(from, collector, payload);
        };
    }
    Outcome outcome = Hold(options, scenario, host, simulationOptions, keys, kept);
    JudgeAgain(outcome, simulationOptions, results);
    if (results)
    {
        kept.results->Commit();
    }
    if (collectors)
    {
        fmt::print(stderr, "{}", collectors->Report());
    }
    return keys.IsPending() ? static_cast<int>(EXIT_INTERRUPTED) : ExitCodeOf(outcome.summary);
}

int
RunConsole(const ConsoleOptions& options)
{
    const std::optional<Scenario> scenario = LoadWithoutLoops(options.scenario);
    if (!scenario)
    {
        return EXIT_USAGE;
    }
    return RunSession(options, ForRehearsal(*scenario, options.timeline));
}

} // namespace

void
AddConsole(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("console", "A prompt on a simulated host");
    const auto options = std::make_shared<ConsoleOptions>();
    app->add_option("scenario", options->scenario, "Scenario file")
        ->type_name("SCENARIO")
        ->required();
    app->add_option("--host", options->host, "On whose console (default: the first host)")
        ->type_name("NAME");
    app->add_flag("--realtime", options->realTime, "Simulated time passes as real time does");
    app->add_flag("--timeline", options->timeline, "The scenario's own timeline happens, too");
    app->add_option("--record", options->record, "Write what was typed as a scenario")
        ->type_name("FILE");
    app->add_option("-o,--out", options->out, "Result folder (default: none)")->type_name("DIR");
    app->add_option("--to", options->to, "Send what leaves the vmknics to a real collector, too")
        ->type_name("[NODE=]HOST:PORT")
        ->allow_extra_args(false); // what follows is the scenario
    app->footer(CONSOLE_EXAMPLES);
    app->callback([options, &exitCode] { exitCode = RunConsole(*options); });
}

} // namespace esxnf
