// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow validate': everything that can be said of a scenario without running it.
 */
#include "runner/cli.h"
#include "runner/scenario-report.h"
#include "runner/topology.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

namespace esxnf
{

AddCommand AddValidate;

namespace
{

const char* const EXAMPLES = R"(Examples:
  esx-netflow validate scenarios/quickstart.yaml
  esx-netflow validate scenarios/*.yaml
Says whether the vmknics reach the collectors, and by which links. Exit code 2: errors.)";

bool
Validate(const std::string& path)
{
    const std::optional<Scenario> scenario = LoadAndReport(path);
    if (!scenario)
    {
        return false;
    }
    const Topology topology(*scenario);
    Diagnostics diagnostics = CheckLoops(topology);
    const Diagnostics exports = CheckExport(topology);
    diagnostics.insert(diagnostics.end(), exports.begin(), exports.end());
    Print(diagnostics);
    if (HasErrors(diagnostics))
    {
        return false;
    }
    fmt::print("{}: valid\n", path);
    return true;
}

} // namespace

void
AddValidate(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("validate", "Check scenarios without running them");
    const auto paths = std::make_shared<std::vector<std::string>>();
    app->add_option("scenario", *paths, "Scenario files")->type_name("SCENARIO")->required();
    app->footer(EXAMPLES);
    app->callback([paths, &exitCode] {
        for (const std::string& path : *paths)
        {
            exitCode = Validate(path) ? exitCode : EXIT_USAGE;
        }
    });
}

} // namespace esxnf
