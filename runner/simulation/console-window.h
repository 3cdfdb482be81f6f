// SPDX-License-Identifier: GPL-2.0-only
// A window with a session on a host's service console, as an administrator has it on the desk: what
// is typed, and what came of each line, also of those that end later. The timeline and the
// interactive console type here.
#ifndef ESXNF_CONSOLE_WINDOW_H
#define ESXNF_CONSOLE_WINDOW_H

#include "ns3/esx-console.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace esxnf
{

/// Outcome of a line so far.
struct LineOutcome
{
    std::optional<int> exit; //!< exit status; none: the line runs on, waits, or was forgotten
    bool waits{false};       //!< typed ahead, and never run so far
    bool stopped{false};     //!< a key or a signal of the timeline was meant for it
    bool running{false};     //!< the line, or a daemon that it started, ran on when it was typed
    uint32_t pid{0};         //!< of the net-netflow that it started and that ran on; 0: none
    std::string output;      //!< standard output, each line with its line end
    std::string errors;      //!< standard error
};

class ConsoleWindow
{
  public:
    /// Opens a session.
    explicit ConsoleWindow(const ns3::Ptr<ns3::EsxConsole>& console);
    ~ConsoleWindow();
    ConsoleWindow(const ConsoleWindow&) = delete;
    ConsoleWindow& operator=(const ConsoleWindow&) = delete;

    /// Types a line. \param outcome filled now and, while the line runs, later: must outlive the
    /// run
    void Type(const std::string& line, LineOutcome& outcome);
    /// Ctrl-C
    void Interrupt();
    /// Ctrl-D, or the window is closed.
    void Close();

    const ns3::Ptr<ns3::EsxConsoleSession>& GetSession() const;

  private:
    void Appeared(const std::string& line, bool error);
    void Finished(int status);
    void Forget();

    ns3::Ptr<ns3::EsxConsoleSession> m_session;
    std::deque<LineOutcome*> m_lines; //!< the first runs, the others wait for it
};

/// The windows of all hosts: some have names, of the others the first free one is taken.
class ConsoleWindows
{
  public:
    /// \return the window of that name; opened when it is first asked for
    ConsoleWindow& GetNamed(const ns3::Ptr<ns3::EsxConsole>& console, const std::string& name);
    /// \return a window without a name in which no line runs; a new one if there is none
    ConsoleWindow& GetFree(const ns3::Ptr<ns3::EsxConsole>& console);
    /// \return the window without a name in which a line was typed last; a new one if there is none
    ConsoleWindow& GetLatest(const ns3::Ptr<ns3::EsxConsole>& console);

  private:
    struct OfHost
    {
        std::map<std::string, std::unique_ptr<ConsoleWindow>> named;
        std::vector<std::unique_ptr<ConsoleWindow>> others;
        ConsoleWindow* latest{nullptr};
    };

    std::map<const ns3::EsxConsole*, OfHost> m_hosts; // looked up only
};

} // namespace esxnf

#endif // ESXNF_CONSOLE_WINDOW_H
