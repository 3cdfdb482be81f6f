// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CONSOLE_SESSION_H
#define ESX_CONSOLE_SESSION_H

#include "esx-console-jobs.h"
#include "esx-shell-line.h"

#include "ns3/nstime.h"
#include "ns3/object.h"
#include "ns3/traced-callback.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace ns3
{

class EsxConsole;

namespace esxconsole
{
struct Context;
} // namespace esxconsole

/// Outcome of a command line when Execute() returns.
struct EsxConsoleResult
{
    int exitStatus{0};   //!< of the last command that ended; 0 if the line runs on, or is empty
    std::string output;  //!< standard output, each line with its line end
    std::string errors;  //!< standard error
    uint32_t pid{0};     //!< of the last net-netflow that the line started and that runs; 0: none
    bool running{false}; //!< the line runs on in the foreground: its end is told by trace Finished
    bool queued{false};  //!< typed ahead: the session was busy, the line runs when it is free
};

/**
 * One administrator's login on a host's service console: a terminal with a shell. Made by
 * EsxConsole::OpenSession(); many can be open at once, as SSH windows are.
 *
 * A line runs now and to its end, unless one of its commands takes simulated time (net-netflow
 * without vmkload_app -S, vmkping, tail -f): then the session is busy until that command ends, and
 * lines typed meanwhile wait, as they do at a terminal. Everything that appears on the terminal is
 * told by the trace Output in the order of its appearance, and stands in the host's transcript.
 */
class EsxConsoleSession : public Object
{
  public:
    /// Lines that can wait while the session is busy; more are refused.
    static constexpr std::size_t MAX_TYPED_AHEAD = 1000;

    /// \param line a line without line end \param error true: it is on standard error
    typedef void (*OutputTracedCallback)(const std::string& line, bool error);
    /// \param exitStatus of the line's last command
    typedef void (*FinishedTracedCallback)(int exitStatus);

    static TypeId GetTypeId();
    ~EsxConsoleSession() override;

    /**
     * Types a line. Bad input of any kind gives a message on standard error and a status that is
     * not 0.
     * \param line any octets; a line break inside separates commands, one behind a backslash
     *             continues the line
     */
    EsxConsoleResult Execute(const std::string& line);

    /// Ctrl-C: SIGINT to the foreground process, if there is one; the rest of its line and what was
    /// typed ahead are forgotten.
    void Interrupt();

    /// The terminal closes (exit, a lost SSH connection): the foreground process and the jobs get
    /// SIGHUP. Processes that vmkload_app -S started run on.
    void End();

    /// \return false once it has ended
    bool IsOpen() const;
    /// \return true while a foreground process runs
    bool IsBusy() const;
    /// \return "$?"
    int GetLastStatus() const;
    /// \return "[root@esx1 root]# "
    std::string GetPrompt() const;
    /// \return number of the terminal, from 0: "pts/0"
    uint32_t GetTerminal() const;
    /// \return when the administrator logged in
    Time GetOpenedAt() const;
    /// Process ID of its shell, "$$".
    uint32_t GetShellPid();
    /// \return true if the text typed so far ends inside quotes or behind a backslash: a terminal
    /// prompts "> " for more, and puts a line break between
    static bool NeedsMore(const std::string& text);

    // ---- for commands

    /// \return what was started with "&"
    const EsxConsoleJobs& GetJobs() const;
    /// fg: a running job becomes the foreground process. \return false if there is no such job
    bool BringToForeground(uint32_t number);

  protected:
    void DoDispose() override;

  private:
    friend class EsxConsole; // opens it

    struct Pipe; // the commands of a pipeline that is under way

    void Open(EsxConsole* console, uint32_t terminal);
    void RunTypedAhead();
    void RunLine(const std::string& line);
    void Continue();
    int AddFilters(const EsxShellLine::Pipeline& pipeline, Pipe& pipe);
    int RunPipeline(const EsxShellLine::Pipeline& pipeline);
    int Finish(const EsxShellLine::Pipeline& pipeline,
               const esxconsole::Context& context,
               int status,
               const std::shared_ptr<Pipe>& pipe);
    void ProcessExited(uint32_t pid, int ended, int status);
    void Print(const std::string& line, bool error);
    std::vector<std::string> Expand(const EsxShellLine::Command& command);

    EsxConsole* m_console{nullptr}; //!< owns the session
    uint32_t m_terminal{0};
    uint32_t m_shellPid{0}; //!< 0: nobody has asked
    Time m_openedAt;
    bool m_open{false};
    bool m_exiting{false}; //!< a command of the line said exit
    int m_lastStatus{0};
    bool m_ranNothing{false};     //!< the last line was empty, or a comment: "$?" stays
    uint32_t m_lastBackground{0}; //!< PID, "$!"
    std::vector<EsxShellLine::Pipeline> m_pipelines; //!< of the line under way
    std::size_t m_next{0};                           //!< the first that has not run
    bool m_running{false};                           //!< a line is under way
    Ptr<EsxConsoleProcess> m_foreground;
    std::deque<std::string> m_typedAhead;
    EsxConsoleJobs m_jobs;
    EsxConsoleResult* m_result{nullptr}; //!< of the Execute() under way

    TracedCallback<const std::string&, bool> m_outputTrace;
    TracedCallback<int> m_finishedTrace;
};

} // namespace ns3

#endif // ESX_CONSOLE_SESSION_H
