// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow validate': everything that can be said of a scenario without running it.
 */
#include "runner/commands/cli.h"
#include "runner/lab/lab-check.h"
#include "runner/lab/split-check.h"
#include "runner/results/scenario-loading.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

namespace esxnf
{

AddCommand AddValidate;

namespace
{

const char* const VALIDATE_EXAMPLES = R"(Examples:
  esx-netflow validate scenarios/quickstart.yaml
  esx-netflow validate scenarios/*.yaml
Says whether the vmknics reach the collectors, and by which links. Exit code 2: errors.)";

struct ValidateOptions
{
    std::vector<std::string> scenarios;
    bool spanningTree{false};
    bool json{false};
    bool split{false};
};

/// One line for each scenario.
void
PrintJson(const std::string& path, const Diagnostics& messages, const Json& facts)
{
    Json json = {{"scenario", path}, {"valid", !HasErrors(messages)}, {"messages", Json::array()}};
    for (const auto& message : messages)
    {
        const auto severity = message.severity == Severity::Error     ? "error"
                              : message.severity == Severity::Warning ? "warning"
                                                                      : "info";
        json["messages"].push_back({{"severity", severity},
                                    {"line", message.place.line},
                                    {"column", message.place.column},
                                    {"where", message.where},
                                    {"what", message.what}});
    }
    json["lab"] = facts;
    fmt::print("{}\n", json.dump());
}

bool
Validate(const std::string& path, const ValidateOptions& options)
{
    Overrides overrides;
    if (options.spanningTree)
    {
        overrides.emplace_back("/run/spanning_tree", true);
    }
    const std::optional<Scenario> scenario = LoadAndReport(path, overrides);
    if (!scenario)
    {
        return false;
    }
    const LabReport report = CheckLab(*scenario);
    Diagnostics messages = report.loops;
    messages.insert(messages.end(), report.findings.begin(), report.findings.end());
    messages.insert(messages.end(), report.failures.begin(), report.failures.end());
    const Diagnostics couplings = options.split ? FindCouplings(*scenario) : Diagnostics();
    messages.insert(messages.end(), couplings.begin(), couplings.end());
    if (options.json)
    {
        PrintJson(path, messages, report.facts);
        return !HasErrors(messages);
    }
    Print(messages);
    if (HasErrors(messages))
    {
        return false;
    }
    const std::string parts =
        fmt::format("{} hosts can be simulated apart", scenario->hosts.size());
    fmt::print("{}: valid{}\n", path, options.split ? "; its " + parts : "");
    return true;
}

} // namespace

void
AddValidate(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("validate", "Check scenarios without running them");
    const auto options = std::make_shared<ValidateOptions>();
    app->add_option("scenario", options->scenarios, "Scenario files")
        ->type_name("SCENARIO")
        ->required();
    app->add_flag("--spanning-tree", options->spanningTree, "Block the links that close loops");
    app->add_flag("--split", options->split, "Whether 'run --split' can be used, or why not");
    app->add_flag("--json", options->json, "A line of JSON for each scenario");
    app->footer(VALIDATE_EXAMPLES);
    app->callback([options, &exitCode] {
        for (const std::string& path : options->scenarios)
        {
            exitCode = Validate(path, *options) ? exitCode : EXIT_USAGE;
        }
    });
}

} // namespace esxnf
