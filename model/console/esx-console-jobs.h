// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CONSOLE_JOBS_H
#define ESX_CONSOLE_JOBS_H

#include "esx-console-process.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ns3
{

/// A process that was started with "&" in a session.
struct EsxConsoleJob
{
    uint32_t number; //!< "[1]"
    uint32_t pid;
    std::string text;               //!< as typed, without the "&"
    Ptr<EsxConsoleProcess> process; //!< null once it has ended
    int exitStatus;                 //!< once it has ended

    bool HasEnded() const
    {
        return !process;
    }
};

/// The jobs of a session: numbered as bash does it, listed until a prompt told of their end.
class EsxConsoleJobs
{
  public:
    /// \param process null: it has ended already, with \p exitStatus
    /// \return the new job
    const EsxConsoleJob& Add(uint32_t pid,
                             const std::string& text,
                             const Ptr<EsxConsoleProcess>& process,
                             int exitStatus);
    /// The process of a job has ended; other PIDs are passed over.
    void NoteEnd(uint32_t pid, int exitStatus);
    /// Takes a running job out of the list. \return its process, nullptr if there is no such job
    Ptr<EsxConsoleProcess> Take(uint32_t number);
    /// Takes out what has ended. \return a line for each
    std::vector<std::string> TakeEnded();
    /// The session is over: SIGHUP to all that run; the list is empty then.
    void HangUp();
    void Clear();

    const std::vector<EsxConsoleJob>& GetAll() const;
    /// \return "[1]+  Running                 vmkping ... &"
    std::string Describe(const EsxConsoleJob& job) const;

    /// The shell's word for a process that a signal ended; empty for SIGINT, of which shells say
    /// nothing, and for all other ends. \param status exit status
    static std::string WordOfEnd(int status);

  private:
    std::vector<EsxConsoleJob> m_jobs; //!< in order of their numbers
};

} // namespace ns3

#endif // ESX_CONSOLE_JOBS_H
