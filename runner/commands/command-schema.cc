// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow schema': the JSON Schema of scenarios, for editors.
 */
#include "runner/commands/cli.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace esxnf
{

extern const char* const g_scenarioSchema;

AddCommand AddSchema;

void
AddSchema(CLI::App& program, int& /* exitCode */)
{
    CLI::App* app = program.add_subcommand("schema", "Print the JSON Schema of scenarios");
    app->footer(
        "Example: esx-netflow schema > scenario.schema.json   editors complete and check by it");
    app->callback([] { fmt::print("{}", g_scenarioSchema); });
}

} // namespace esxnf
