// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/cli.h"

#include "runner/base/output-file.h"
#include "runner/base/process.h"
#include "runner/base/version.h"
#include "runner/scenario/scenario-diagnostic.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace esxnf
{

// The subcommands in the order of the help, each in runner/commands/command-NAME.cc.
AddCommand AddRun, AddAdvise, AddConsole, AddTechnote, AddExplain, AddTalkers, AddVerify,
    AddValidate, AddSchema, AddDot, AddImport, AddIfIndex, AddReport, AddSweep, AddGrade, AddExam,
    AddProbe, AddCollect, AddCompare, AddVersion;
static AddCommand* const COMMANDS[] = {
    AddRun,      AddAdvise, AddConsole, AddTechnote, AddExplain, AddTalkers, AddVerify,
    AddValidate, AddSchema, AddDot,     AddImport,   AddIfIndex, AddReport,  AddSweep,
    AddGrade,    AddExam,   AddProbe,   AddCollect,  AddCompare, AddVersion};

namespace
{

const char* const EXAMPLES = R"(Examples:
  esx-netflow run scenarios/quickstart.yaml         simulate, write out/quickstart
  esx-netflow explain out/lab --flow 'web1->db1'    what became of a flow
  esx-netflow validate lab.yaml                     check without running
  esx-netflow probe -r lan.pcap -n 127.0.0.1:2055   meter it, send NetFlow v5 there
  esx-netflow collect -l 2055                       print what arrives
  esx-netflow compare --peer softflowd -r lan.pcap  where another meter differs

'esx-netflow COMMAND --help' tells more. Exit codes: 0 good, 1 expectation failed,
2 usage or input wrong, 3 address cannot be resolved or opened, 4 ledger does not
balance, 130 interrupted.)";

/// The parser that an error is about: the subcommand, if one was named.
const CLI::App&
Innermost(const CLI::App& program)
{
    const auto chosen = program.get_subcommands();
    return chosen.empty() ? program : *chosen.front();
}

std::string
Explain(const CLI::App& program, const CLI::ParseError& error)
{
    const std::vector<std::string> unknown = program.remaining();
    if (!program.get_subcommands().empty() || unknown.empty())
    {
        return error.what();
    }
    std::vector<std::string> names;
    for (const CLI::App* command : program.get_subcommands(nullptr))
    {
        names.push_back(command->get_name());
    }
    return fmt::format("unknown command '{}'; {}",
                       unknown.front(),
                       Suggest(unknown.front(), names));
}

int
ExplainParseError(const CLI::App& program, const CLI::ParseError& error)
{
    if (error.get_exit_code() == 0) // --help or --version
    {
        return program.exit(error);
    }
    const CLI::App& app = Innermost(program);
    std::string usage = "Usage: " + program.get_name();
    usage += &app == &program ? " COMMAND [OPTIONS]" : " " + app.get_name() + " [OPTIONS]";
    PrintError(Explain(program, error));
    fmt::print(stderr, "{}; --help shows more\n", usage);
    return EXIT_USAGE;
}

} // namespace

int
RunProgram(int argc, const char* const* argv)
{
    CLI::App program("NetFlow v5 of ESX Server 3.5: meter, export, collect, simulate.",
                     "esx-netflow");
    program.set_version_flag("--version", "esx-netflow " ESX_NETFLOW_VERSION);
    program.require_subcommand(1);
    program.get_formatter()->column_width(30);
    program.footer(EXAMPLES);
    PrepareProcess();
    std::clearerr(stderr); // Python may have called before
    int exitCode = EXIT_GOOD;
    for (AddCommand* add : COMMANDS)
    {
        add(program, exitCode);
    }
    const int outcome = ToExitCode([&] {
        try
        {
            program.parse(argc, argv);
        }
        catch (const CLI::ParseError& error)
        {
            exitCode = ExplainParseError(program, error);
        }
        return exitCode;
    });
    return std::max(outcome, ToExitCode([] {
                        CheckStandardOutput();
                        return std::ferror(stderr) ? EXIT_USAGE : EXIT_GOOD;
                    }));
}

} // namespace esxnf
