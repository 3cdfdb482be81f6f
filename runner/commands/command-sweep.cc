// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow sweep': a scenario at many points. Written in Python, help included.
 */
#include "runner/commands/cli.h"
#include "runner/commands/python-package.h"

#include <CLI/CLI.hpp>

namespace esxnf
{

AddCommand AddSweep;

void
AddSweep(CLI::App& program, int& /*exitCode*/)
{
    CLI::App* app = program.add_subcommand("sweep", "Run a scenario at many points");
    app->prefix_command();
    app->set_help_flag();
    app->callback([app] {
        std::vector<std::string> arguments = app->remaining();
        arguments.insert(arguments.begin(), "sweep");
        RequirePython();
        BecomePython(arguments);
    });
}

} // namespace esxnf
