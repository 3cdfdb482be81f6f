// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow technote': plays VMware's technical note, row by row of docs/technote.md.
 */
#include "runner/commands/cli.h"
#include "runner/results/scenario-loading.h"
#include "runner/results/summary.h"
#include "runner/simulation/simulation.h"
#include "runner/simulation/step-verdict.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <set>
#include <sstream>

namespace esxnf
{

AddCommand AddTechnote;

// Made at build time: docs/technote.md and scenarios/technote.yaml.
extern const char* const TECHNOTE_ROWS;
extern const char* const TECHNOTE_SCENARIO;

namespace
{

const char* const TECHNOTE_EXAMPLES = R"(Examples:
  esx-netflow technote
  esx-netflow technote --with scenarios/technote.yaml     your own variant of the scenario
Rows without a command are shown with the test that proves them, or with the line of
docs/limitations.md that says why none does. Exit code 1 if a row fails.)";

/// A row of docs/technote.md.
struct Row
{
    int number{0};
    std::string phrase;
    std::string proof;
};

/// "| 22 | 34 | `vmkload_mod netflow` | `Suite.Name` |" and nothing else
std::vector<Row>
ReadRows()
{
    std::vector<Row> rows;
    std::istringstream lines{std::string(TECHNOTE_ROWS)};
    for (std::string line; std::getline(lines, line);)
    {
        std::vector<std::string> cells;
        std::istringstream stream(line);
        for (std::string cell; std::getline(stream, cell, '|');)
        {
            const std::size_t first = cell.find_first_not_of(' ');
            const std::size_t last = cell.find_last_not_of(' ');
            cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
        }
        if (cells.size() == 5 && !cells[1].empty() &&
            cells[1].find_first_not_of("0123456789") == std::string::npos)
        {
            rows.push_back({std::stoi(cells[1]), cells[3], cells[4]});
        }
    }
    return rows;
}

/// A step of the scenario and how it went.
struct Played
{
    std::set<int> rows; //!< that it shows
    const StepOutcome* outcome;
    StepVerdict verdict;
    int shownAt{0}; //!< row under which it was shown; 0: not yet
};

std::vector<Played>
CollectPlayed(const Simulation& simulation)
{
    std::vector<Played> played;
    for (const StepOutcome& outcome : simulation.GetSteps())
    {
        if (!outcome.step->note.empty() && outcome.step->expect)
        {
            std::istringstream numbers(outcome.step->note);
            Played item{{}, &outcome, Judge(outcome)};
            for (int number = 0; numbers >> number;)
            {
                item.rows.insert(number);
            }
            played.push_back(std::move(item));
        }
    }
    return played;
}

/// The command, what it printed, and what was expected if it is another.
void
Show(const Played& played)
{
    const StepOutcome& outcome = *played.outcome;
    fmt::print("       [root@{} root]# {}\n", outcome.step->host, outcome.step->command);
    for (const std::string* text : {&outcome.line.output, &outcome.line.errors})
    {
        std::istringstream lines(*text);
        for (std::string line; std::getline(lines, line);)
        {
            fmt::print("       {}\n", line);
        }
    }
    if (!played.verdict.Passes())
    {
        fmt::print("       ✗ {}\n", played.verdict.Explain());
    }
}

/// \return whether the row holds
bool
PlayRow(const Row& row, std::vector<Played>& played)
{
    bool passes = true;
    bool isPlayed = false;
    for (const Played& item : played)
    {
        isPlayed = isPlayed || item.rows.count(row.number) > 0;
        passes = passes && (item.rows.count(row.number) == 0 || item.verdict.Passes());
    }
    if (!isPlayed)
    {
        fmt::print("  {:>3}  {}\n       {}\n", row.number, row.phrase, row.proof);
        return true;
    }
    fmt::print("{} {:>3}  {}\n", passes ? "✓" : "✗", row.number, row.phrase);
    std::set<int> earlier;
    for (Played& item : played)
    {
        if (item.rows.count(row.number) > 0 && item.shownAt == 0)
        {
            Show(item);
            item.shownAt = row.number;
        }
        else if (item.rows.count(row.number) > 0)
        {
            earlier.insert(item.shownAt);
        }
    }
    if (!earlier.empty())
    {
        fmt::print("       played at row {}\n", fmt::join(earlier, ", "));
    }
    return passes;
}

int
Play(const Scenario& scenario)
{
    Simulation simulation(scenario, SimulationOptions{});
    simulation.Run();
    std::vector<Played> played = CollectPlayed(simulation);
    std::size_t failed = 0;
    const std::vector<Row> rows = ReadRows();
    for (const Row& row : rows)
    {
        failed += PlayRow(row, played) ? 0 : 1;
    }
    const Summary summary = Summarize(simulation);
    for (std::size_t i = 0; i < summary.verdicts.size(); ++i)
    {
        const ns3::EsxVerdict& verdict = summary.verdicts[i];
        const bool isJudged =
            i >= scenario.expect.size() || scenario.expect[i].check != CHECK_DETERMINISTIC;
        fmt::print("{}      {}{}\n",
                   !isJudged      ? " "
                   : verdict.pass ? "✓"
                                  : "✗",
                   verdict.expectation.name,
                   isJudged ? "" : ": not judged here, 'esx-netflow run' does");
    }
    fmt::print("{} rows, {} commands played, {} rows fail\n", rows.size(), played.size(), failed);
    return failed > 0 || played.empty() ? static_cast<int>(EXIT_EXPECTATION) : ExitCodeOf(summary);
}

} // namespace

void
AddTechnote(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("technote", "Play VMware's technical note");
    const auto path = std::make_shared<std::string>();
    app->add_option("--with", *path, "Scenario in place of the built-in one")->type_name("FILE");
    app->footer(TECHNOTE_EXAMPLES);
    app->callback([path, &exitCode] {
        std::optional<Scenario> scenario;
        if (path->empty())
        {
            scenario = ParseScenario(TECHNOTE_SCENARIO, "scenarios/technote.yaml");
        }
        else
        {
            scenario = LoadAndReport(*path);
        }
        exitCode = scenario ? Play(*scenario) : static_cast<int>(EXIT_USAGE);
    });
}

} // namespace esxnf
