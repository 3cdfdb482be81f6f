// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Runs tasks in processes of their own, some at once. ns-3's state is global, so several
 * simulations need several processes. Output of tasks comes out in the order of the tasks,
 * whatever their number at once.
 */
#ifndef ESXNF_TASK_POOL_H
#define ESXNF_TASK_POOL_H

#include "runner/base/interrupt.h"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace esxnf
{

/// Outcome of a task.
struct TaskOutcome
{
    bool started{false}; //!< false: the wish to end came first
    int exitCode{0};     //!< 128 + the signal, as a shell says, if one ended it
    int signal{0};       //!< 0: it ended by itself
    std::string output;  //!< what it printed to standard output
    std::string errors;  //!< and to standard error
};

/// Runs tasks in child processes. The calling process must have no threads.
class TaskPool
{
  public:
    /// Does the work, in the child. \return its exit code
    using Task = std::function<int()>;
    /// Called in the parent as tasks end, in the order of the tasks.
    using Ended = std::function<void(std::size_t index, const TaskOutcome& outcome)>;

    /**
     * Runs all tasks. SIGINT and SIGTERM are passed on to the running ones; no other is started
     * then. Throws UserError if the system has no process or file left. \param tasks in
     * order \param atOnce at least 1
     */
    static void Run(const std::vector<Task>& tasks,
                    unsigned atOnce,
                    const InterruptCatcher& interrupt,
                    const Ended& ended);
};

} // namespace esxnf

#endif // ESXNF_TASK_POOL_H
