// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CONSOLE_H
#define ESX_CONSOLE_H

#include "esx-console-session.h"

#include "ns3/esx-net-netflow.h"
#include "ns3/ipv4-address.h"
#include "ns3/object-factory.h"
#include "ns3/object.h"
#include "ns3/traced-callback.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ns3
{

/**
 * The service console of an ESX host, as far as NetFlow needs it: sessions in which administrators
 * type, the processes that they start, and the host's console log (the transcript), where all
 * that was typed and printed stands, the output of daemons included.
 *
 * Made by whoever builds the host, and aggregated to it. Lines are taken apart by EsxShellLine and
 * run by EsxConsoleSession; the commands are the table of esx-console-commands.
 */
class EsxConsole : public Object
{
  public:
    /// A net-netflow process that was started, running or not.
    struct Process
    {
        uint32_t pid;
        std::string commandLine;
        Ptr<EsxNetNetflow> program;
        bool daemon; //!< started with vmkload_app -S
    };

    /// \param line a line that came to the console, without line end
    typedef void (*LineTracedCallback)(const std::string& line);

    static TypeId GetTypeId();
    EsxConsole();
    ~EsxConsole() override;

    /// Attaches the console to its host; called once.
    void SetHost(Ptr<EsxHost> host);
    Ptr<EsxHost> GetHost() const;

    /// A host name that net-netflow and vmkping can use; upper and lower case are the same.
    void AddName(const std::string& name, Ipv4Address address);
    /// \param host a name, or four decimal numbers
    /// \return false if it is neither
    bool Resolve(const std::string& host, Ipv4Address& address) const;

    /// For the net-netflow processes that the console starts, e.g. "SequenceMode".
    void SetNetNetflowAttribute(const std::string& name, const AttributeValue& value);

    /// An administrator logs in.
    Ptr<EsxConsoleSession> OpenSession();
    /// \return the first open session that is not busy, a new one if there is none: where an
    /// administrator with several windows types next
    Ptr<EsxConsoleSession> GetFreeSession();
    /// Types a line in GetFreeSession().
    EsxConsoleResult Execute(const std::string& line);
    /// \return all sessions that were ever opened, in order of opening
    const std::vector<Ptr<EsxConsoleSession>>& GetSessions() const;

    /// Sends a signal. \return false if there is no such running process
    bool Kill(uint32_t pid, EsxSignal signal = EsxSignal::TERM);

    /// All net-netflow processes in order of their start.
    const std::vector<Process>& GetProcesses() const;

    /// Everything that was typed and printed, oldest first. Octets that are not printable stand
    /// there as \verbatim \xNN \endverbatim.
    const std::vector<std::string>& GetTranscript() const;

    /// \return names of all commands, or of those that get answers over the network, in the order
    /// of `help`
    static std::vector<std::string> GetCommandNames(bool answered = false);
    /// \return whether a word runs a command: "kill", "/bin/kill"
    static bool HasCommand(const std::string& word);

    /// \return the text with control characters and invalid UTF-8 as \verbatim \xNN \endverbatim
    static std::string MakePrintable(const std::string& text);

    // ---- for sessions and commands

    /// A process that runs. Its owner is the session whose terminal it has; null: none (a daemon).
    struct Running
    {
        Ptr<EsxConsoleProcess> process;
        Ptr<EsxConsoleSession> owner;
        Time since;
    };

    /// Gives a process its PID and lists it until it exits. \param pid 0: a new world ID
    void Add(const Ptr<EsxConsoleProcess>& process,
             const Ptr<EsxConsoleSession>& owner,
             const std::string& commandLine,
             uint32_t pid = 0);
    /// \return running processes in order of their start
    const std::vector<Running>& GetRunning() const;
    /// \return a new net-netflow with the attributes set
    Ptr<EsxNetNetflow> CreateNetNetflow() const;
    /// Notes a net-netflow that was started.
    void Note(const Process& process);
    /// Whether what is documented as untested or unstable is refused.
    bool IsStrict() const;
    /// A PID for a session's shell.
    uint32_t AllocateShellPid();
    /// Adds a line to the transcript.
    void Print(const std::string& line);

  protected:
    void DoDispose() override;

  private:
    void Forget(const EsxConsoleProcess* process);
    void HostChanged(EsxHost::State state);

    EsxHost* m_host{nullptr}; //!< the host owns the console by aggregation
    ObjectFactory m_factory;
    bool m_strict{false};
    std::map<std::string, Ipv4Address> m_names; //!< by lower-case name
    std::vector<Ptr<EsxConsoleSession>> m_sessions;
    std::vector<Process> m_processes;
    std::vector<Running> m_running;
    uint32_t m_shells{0};
    std::vector<std::string> m_transcript;
    TracedCallback<const std::string&> m_lineTrace;
};

} // namespace ns3

#endif // ESX_CONSOLE_H
