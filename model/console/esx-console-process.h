// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CONSOLE_PROCESS_H
#define ESX_CONSOLE_PROCESS_H

#include "ns3/object.h"

#include <cstdint>
#include <functional>
#include <string>

namespace ns3
{

/// Signals that the console's commands know, by their usual numbers.
enum class EsxSignal : uint8_t
{
    HUP = 1,
    INT = 2,
    KILL = 9,
    PIPE = 13, //!< whoever read its output has left
    TERM = 15
};

/// Exit status of a process that a signal ended, as shells give it.
constexpr int
EsxStatusOfSignal(EsxSignal signal)
{
    return 128 + static_cast<int>(signal);
}

/// \return "TERM" …
const char* ToString(EsxSignal signal);

/**
 * A program that takes simulated time and was started from a service console: net-netflow, vmkping,
 * tail -f. The console gives it its PID and lists it; a session that runs it in the foreground or
 * as a job hears of its output and its end.
 *
 * A derived class calls Print() and, once, Exit(); it ends in Signal().
 */
class EsxConsoleProcess : public Object
{
  public:
    /// \param line without line end \param error true: standard error
    using OutputCallback = std::function<void(const std::string& line, bool error)>;
    /// \param status exit status
    using ExitCallback = std::function<void(int status)>;

    static TypeId GetTypeId();
    ~EsxConsoleProcess() override;

    /// For the console: what it is and who hears of it. \param commandLine as typed
    void Attach(uint32_t pid, const std::string& commandLine);
    void SetOutput(OutputCallback output);
    /// Adds a listener; all are called in the order in which they were added.
    void AddExitListener(ExitCallback listener);

    uint32_t GetPid() const;
    const std::string& GetCommandLine() const;
    bool HasExited() const;
    /// \return exit status; meaningful once it has exited
    int GetExitStatus() const;

    /// Ends the process, in this instant: before this returns, or, if it is called by what reads
    /// the process's output, by an event.
    virtual void Signal(EsxSignal signal) = 0;

  protected:
    void Print(const std::string& line, bool error = false);
    void Exit(int status);
    void DoDispose() override;

  private:
    uint32_t m_pid{0};
    std::string m_commandLine;
    OutputCallback m_output;
    std::vector<ExitCallback> m_exitListeners;
    bool m_exited{false};
    int m_exitStatus{0};
};

} // namespace ns3

#endif // ESX_CONSOLE_PROCESS_H
