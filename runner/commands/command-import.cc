// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow import': a scenario from a drawing. Written in Python, help included.
 */
#include "runner/commands/cli.h"
#include "runner/commands/python-package.h"

#include <CLI/CLI.hpp>

namespace esxnf
{

AddCommand AddImport;

void
AddImport(CLI::App& program, int& /*exitCode*/)
{
    CLI::App* app = program.add_subcommand("import", "Make a scenario of a drawing (DOT, GraphML)");
    app->prefix_command();
    app->set_help_flag();
    app->callback([app] {
        std::vector<std::string> arguments = app->remaining();
        arguments.insert(arguments.begin(), "import");
        RequirePython();
        BecomePython(arguments);
    });
}

} // namespace esxnf
