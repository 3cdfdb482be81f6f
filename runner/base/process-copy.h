// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * A copy of this process (fork) that does one piece of work. Whoever makes one has to do the work
 * here if the copy fails, in whatever way: then the failure is seen.
 */
#ifndef ESXNF_PROCESS_COPY_H
#define ESXNF_PROCESS_COPY_H

#include <functional>
#include <sys/types.h>

namespace esxnf
{

class ProcessCopy
{
  public:
    /// Begins. \param work fails by an exception
    explicit ProcessCopy(const std::function<void()>& work);
    /// Kills the copy; so does the end of this process.
    ~ProcessCopy();
    ProcessCopy(const ProcessCopy&) = delete;
    ProcessCopy& operator=(const ProcessCopy&) = delete;

    /// Waits for its end, a tenth of a second at most.
    bool HasEnded();
    /// When it has ended, which this waits for.
    bool Succeeded();

  private:
    bool Wait(int flags);

    pid_t m_pid;      //!< 0: it has ended; negative: none could be made
    int m_status{-1}; //!< 0: it succeeded
};

} // namespace esxnf

#endif // ESXNF_PROCESS_COPY_H
