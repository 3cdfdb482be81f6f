// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Another program, run by this one. The command compare runs its peers with it.
 */
#ifndef ESXNF_CHILD_PROCESS_H
#define ESXNF_CHILD_PROCESS_H

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace esxnf
{

/// A program that was started. If it runs still at the end of this object, it is killed.
class ChildProcess
{
  public:
    /// Where a program is: in a folder of PATH, or in the sbin beside its bin, where daemons are
    /// and ordinary users' PATH does not lead. \return empty if nowhere
    static std::string Find(const std::string& program);

    /**
     * Starts a program without input; throws UserError if that fails.
     * \param command path and arguments
     * \param outputFile where standard output goes
     * \param errorFile where standard error goes
     */
    ChildProcess(const std::vector<std::string>& command,
                 const std::string& outputFile,
                 const std::string& errorFile);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// \return nothing while it runs, then its exit status; 128 + the signal that ended it
    std::optional<int> Poll();

    /// The same when it has ended. A signal to this process does not end the waiting.
    int Wait();

  private:
    void Note(int status);

    pid_t m_pid{-1};
    std::optional<int> m_exitStatus;
};

} // namespace esxnf

#endif // ESXNF_CHILD_PROCESS_H
