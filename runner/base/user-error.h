// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * What a user did wrong, or what the machine does not let a command do: a message and an exit code.
 * Thrown anywhere below a command; the command line prints it, Python raises it as RunError.
 */
#ifndef ESXNF_USER_ERROR_H
#define ESXNF_USER_ERROR_H

#include <functional>
#include <stdexcept>
#include <string>

namespace esxnf
{

/// What the program returns. Several outcomes: the highest.
enum ExitCode : int
{
    EXIT_GOOD = 0,
    EXIT_EXPECTATION = 1,   //!< an expectation failed
    EXIT_USAGE = 2,         //!< wrong options, scenario or input file; an output cannot be written
    EXIT_COLLECTOR = 3,     //!< a real address cannot be resolved or opened
    EXIT_RESIDUAL = 4,      //!< the ledger does not balance
    EXIT_INTERRUPTED = 130, //!< ended early by SIGINT or SIGTERM
    EXIT_NO_READER = 141,   //!< nobody reads standard output any more: 128 + SIGPIPE
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

/// "esx-netflow: MESSAGE" on stderr, nothing if it is empty. Throws nothing: a closed standard
/// error must not hide the exit code.
void PrintError(const std::string& message) noexcept;

/// Runs an action; what it throws becomes a message and an exit code. \return its exit code
int ToExitCode(const std::function<int()>& action);

} // namespace esxnf

#endif // ESXNF_USER_ERROR_H
