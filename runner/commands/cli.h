// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The command line: finds the subcommand, prints help and errors, turns outcomes into exit codes.
 *
 * A subcommand is one file, runner/command-NAME.cc, with one function of type AddCommand, and its
 * name in the list in cli.cc. It describes its options to CLI11 and sets a callback that does the
 * work and stores the exit code.
 */
#ifndef ESXNF_CLI_H
#define ESXNF_CLI_H

#include <stdexcept>
#include <string>

namespace CLI
{
class App;
}

namespace esxnf
{

/// What the program returns. Several outcomes: the highest.
enum ExitCode : int
{
    EXIT_GOOD = 0,
    EXIT_EXPECTATION = 1,   //!< an expectation failed
    EXIT_USAGE = 2,         //!< wrong options, scenario or input file
    EXIT_COLLECTOR = 3,     //!< a real address cannot be resolved or opened
    EXIT_RESIDUAL = 4,      //!< the ledger does not balance
    EXIT_INTERRUPTED = 130, //!< ended early by SIGINT or SIGTERM
};

/// Ends a command with a message for the user and an exit code.
class CommandError : public std::runtime_error
{
  public:
    CommandError(ExitCode exitCode, const std::string& message);

    ExitCode GetExitCode() const;

  private:
    ExitCode m_exitCode;
};

/**
 * Adds a subcommand.
 * \param program the parser; owns what is added to it
 * \param exitCode set by the subcommand's callback; outlives \p program
 */
using AddCommand = void(CLI::App& program, int& exitCode);

/// The whole program. \return its exit code
int RunProgram(int argc, const char* const* argv);

/// "esx-netflow: MESSAGE" on stderr.
void PrintError(const std::string& message);

} // namespace esxnf

#endif // ESXNF_CLI_H
