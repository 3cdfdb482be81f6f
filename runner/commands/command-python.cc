// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The commands that read result folders and drawings, or run many scenarios: written in Python,
 * help included.
 */
#include "runner/commands/cli.h"
#include "runner/commands/python-package.h"

#include <CLI/CLI.hpp>

namespace esxnf
{

AddCommand AddExplain, AddTalkers, AddImport, AddReport, AddSweep, AddGrade, AddExam;

namespace
{

void
AddPython(CLI::App& program, const char* name, const char* description)
{
    CLI::App* app = program.add_subcommand(name, description);
    app->prefix_command();
    app->set_help_flag();
    app->callback([app] {
        std::vector<std::string> arguments = app->remaining();
        arguments.insert(arguments.begin(), app->get_name());
        RequirePython();
        BecomePython(arguments);
    });
}

} // namespace

void
AddExplain(CLI::App& program, int& /*exitCode*/)
{
    AddPython(program, "explain", "Tell what became of a flow");
}

void
AddTalkers(CLI::App& program, int& /*exitCode*/)
{
    AddPython(program, "talkers", "Tell who sent what, collected and in truth");
}

void
AddImport(CLI::App& program, int& /*exitCode*/)
{
    AddPython(program, "import", "Make a scenario of a drawing (DOT, GraphML)");
}

void
AddReport(CLI::App& program, int& /*exitCode*/)
{
    AddPython(program, "report", "Make report.html of result folders");
}

void
AddSweep(CLI::App& program, int& /*exitCode*/)
{
    AddPython(program, "sweep", "Run a scenario at many points");
}

void
AddGrade(CLI::App& program, int& /*exitCode*/)
{
    AddPython(program, "grade", "Compare what a collector stored with what it was sent");
}

void
AddExam(CLI::App& program, int& /*exitCode*/)
{
    AddPython(program, "exam", "Examine a collector with streams of known answers");
}

} // namespace esxnf
