// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The command line: finds the subcommand, prints help and errors, turns outcomes into exit codes.
 *
 * A subcommand is one file, runner/commands/command-NAME.cc, with one function of type AddCommand,
 * and its name in the list in cli.cc. It describes its options to CLI11 and sets a callback that
 * does the work and stores the exit code.
 */
#ifndef ESXNF_CLI_H
#define ESXNF_CLI_H

#include "runner/commands/exit-code.h"

namespace CLI
{
class App;
}

namespace esxnf
{

/**
 * Adds a subcommand.
 * \param program the parser; owns what is added to it
 * \param exitCode set by the subcommand's callback; outlives \p program
 */
using AddCommand = void(CLI::App& program, int& exitCode);

/// The whole program. \return its exit code
int RunProgram(int argc, const char* const* argv);

} // namespace esxnf

#endif // ESXNF_CLI_H
