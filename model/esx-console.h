// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CONSOLE_H
#define ESX_CONSOLE_H

#include "esx-net-netflow.h"

#include "ns3/ipv4-address.h"
#include "ns3/nstime.h"
#include "ns3/object-factory.h"
#include "ns3/object.h"
#include "ns3/traced-callback.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ns3
{

class EsxHost;

/// What a command line did.
struct EsxConsoleResult
{
    int exitStatus{0};
    std::string output; //!< standard output, each line with its line end
    std::string errors; //!< standard error
    uint32_t pid{0};    //!< of the process that the line started and that runs on; 0: none
};

/**
 * The service console of an ESX host, as far as NetFlow needs it: takes the technote's command
 * lines and drives the module and net-netflow processes.
 *
 * Known: vmkload_mod netflow, vmkload_mod -u netflow, vmkload_mod -l, vmkload_app [-S] -i vmktcp
 * net-netflow …, kill [-SIGNAL] PID; each with or without its full path, and "| grep WORD" behind
 * one. Words are separated by blanks; there is no quoting yet.
 */
class EsxConsole : public Object
{
  public:
    /// A process that was started, running or not.
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

    /// A host name that net-netflow can use for a collector.
    void AddName(const std::string& name, Ipv4Address address);

    /// For the net-netflow processes that the console starts, e.g. "SequenceMode".
    void SetNetNetflowAttribute(const std::string& name, const AttributeValue& value);

    /// Executes a line now.
    EsxConsoleResult Execute(const std::string& line);

    /// Sends a signal. \return false if there is no such running process
    bool Kill(uint32_t pid);

    /// All processes in order of their start.
    const std::vector<Process>& GetProcesses() const;

    /// Everything that was typed and printed, oldest first.
    const std::vector<std::string>& GetTranscript() const;

  protected:
    void DoDispose() override;

  private:
    using Words = std::vector<std::string>;

    EsxConsoleResult Dispatch(const Words& words);
    EsxConsoleResult VmkloadMod(const Words& words);
    EsxConsoleResult VmkloadApp(const Words& words);
    EsxConsoleResult NetNetflow(const Words& words, bool daemon, const std::string& line);
    EsxConsoleResult KillCommand(const Words& words);
    void Print(const std::string& text);

    EsxHost* m_host{nullptr}; //!< the host owns the console by aggregation
    ObjectFactory m_factory;
    std::map<std::string, Ipv4Address> m_names;
    std::vector<Process> m_processes;
    std::vector<std::string> m_transcript;
    TracedCallback<const std::string&> m_lineTrace;
};

} // namespace ns3

#endif // ESX_CONSOLE_H
