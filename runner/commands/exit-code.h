// SPDX-License-Identifier: GPL-2.0-only
// Exit codes of the program: no class below the commands knows them.
#ifndef ESXNF_EXIT_CODE_H
#define ESXNF_EXIT_CODE_H

#include "runner/base/user-error.h"

#include <functional>

namespace esxnf
{

struct Summary;

/// Exit codes of the program. Several outcomes: the highest.
enum ExitCode : int
{
    EXIT_GOOD = 0,
    EXIT_EXPECTATION = 1,   //!< an expectation failed
    EXIT_USAGE = 2,         //!< UserError
    EXIT_COLLECTOR = 3,     //!< NetworkError
    EXIT_RESIDUAL = 4,      //!< the books contradict themselves
    EXIT_INTERRUPTED = 130, //!< ended early by SIGINT or SIGTERM
    EXIT_NO_READER = 141,   //!< nobody reads standard output any more: 128 + SIGPIPE
};

ExitCode ExitCodeOf(const UserError& error);
ExitCode ExitCodeOf(const Summary& summary);

/// Runs an action; what it throws becomes a message and an exit code. \return its exit code
int ToExitCode(const std::function<int()>& action);

} // namespace esxnf

#endif // ESXNF_EXIT_CODE_H
