// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow report': the page report.html of result folders. Written in Python, help included.
 */
#include "runner/commands/cli.h"
#include "runner/commands/python-package.h"

#include <CLI/CLI.hpp>

namespace esxnf
{

AddCommand AddReport;

void
AddReport(CLI::App& program, int& /*exitCode*/)
{
    CLI::App* app = program.add_subcommand("report", "Make report.html of result folders");
    app->prefix_command();
    app->set_help_flag();
    app->callback([app] {
        std::vector<std::string> arguments = app->remaining();
        arguments.insert(arguments.begin(), "report");
        RequirePython();
        BecomePython(arguments);
    });
}

} // namespace esxnf
