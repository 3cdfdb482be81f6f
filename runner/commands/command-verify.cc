// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow verify': lets the oracle, which shares no code with this program, judge results.
 */
#include "runner/base/output-file.h"
#include "runner/commands/cli.h"
#include "runner/commands/python-package.h"
#include "runner/results/summary-file.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace esxnf
{

AddCommand AddVerify;

namespace
{

const char* const VERIFY_EXAMPLES = R"(Examples:
  esx-netflow run lab.yaml --captures && esx-netflow verify out/lab
The oracle recomputes truth from the captures of the vSwitches' ports, and what was
collected from the captures of the collectors, in Python. It must find every loss of
every flow. Exit codes: 0 all agrees, 1 disagreements, 2 the folder cannot be judged.)";

int
Judge(const std::string& folder)
{
    if (!std::filesystem::exists(folder + "/captures.json"))
    {
        throw UserError(
            fmt::format("{} holds no captures to judge by: run with --captures", folder));
    }
    return RunOracle({folder});
}

int
Verify(const std::vector<std::string>& folders)
{
    int exitCode = EXIT_GOOD;
    for (const std::string& folder : folders)
    {
        exitCode = std::max(exitCode, ToExitCode([&folder, several = folders.size() > 1] {
                                ReadSummary(folder);
                                if (several)
                                {
                                    fmt::print("{}: ", folder);
                                    CheckStandardOutput();
                                }
                                return Judge(folder);
                            }));
    }
    return exitCode;
}

} // namespace

void
AddVerify(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("verify", "Judge results by an independent oracle");
    const auto folders = std::make_shared<std::vector<std::string>>();
    app->add_option("folder", *folders, "Result folders of runs with --captures")
        ->type_name("DIR")
        ->required();
    app->footer(VERIFY_EXAMPLES);
    app->callback([folders, &exitCode] { exitCode = Verify(*folders); });
}

} // namespace esxnf
