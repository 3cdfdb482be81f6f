// SPDX-License-Identifier: GPL-2.0-only
#include "esx-console.h"

#include "esx-host.h"
#include "esx-netflow.h"

#include "ns3/boolean.h"
#include "ns3/log.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxConsole");
NS_OBJECT_ENSURE_REGISTERED(EsxConsole);

namespace
{

constexpr int EXIT_FAILED = 1;
constexpr int EXIT_USAGE = 2;
constexpr int EXIT_NOT_FOUND = 127; // as shells do

const char* const NET_NETFLOW_USAGE = "usage: net-netflow [-h] [-v] [-p] [-s <ms>] -e "
                                      "<vSwitch1[,vSwitch2[,...]]> <collector[:port]>\n";

EsxConsoleResult
Fail(int status, const std::string& message)
{
    return {status, "", message + "\n", 0};
}

std::vector<std::string>
SplitWords(const std::string& text)
{
    std::vector<std::string> words;
    std::istringstream stream(text);
    for (std::string word; stream >> word;)
    {
        words.push_back(word);
    }
    return words;
}

/// Programs answer to their bare names and to /usr/lib/vmware/bin/NAME, /usr/sbin/NAME, …
std::string
BaseName(const std::string& path)
{
    return path.substr(path.rfind('/') + 1);
}

/// \return false unless the whole text is a number in [low, high]
bool
ParseNumber(const std::string& text, uint64_t low, uint64_t high, uint64_t& number)
{
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end && number >= low && number <= high;
}

bool
ParseAddress(const std::string& text, Ipv4Address& address)
{
    uint32_t value = 0;
    unsigned parts = 0;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, '.'); ++parts)
    {
        uint64_t octet = 0;
        if (!ParseNumber(part, 0, 255, octet))
        {
            return false;
        }
        value = value << 8 | static_cast<uint32_t>(octet);
    }
    address.Set(value);
    return parts == 4 && text.back() != '.';
}

/// net-netflow's command line after its name.
struct NetNetflowOptions
{
    std::string vSwitches;
    std::string collector;
    uint64_t port{EsxNetNetflow::DEFAULT_PORT};
    uint64_t pollMs{1000};
    bool verbose{false};
    bool alternatePortIds{false};
    bool help{false};
    std::string error;
};

NetNetflowOptions
ParseNetNetflow(const std::vector<std::string>& words)
{
    constexpr uint64_t MAX_POLL_MS = 86'400'000; // a day
    NetNetflowOptions options;
    for (std::size_t i = 0; i < words.size(); ++i)
    {
        const std::string& word = words[i];
        const bool takesValue = word == "-e" || word == "-s";
        if (takesValue && i + 1 == words.size())
        {
            options.error = "option " + word + " needs a value";
        }
        else if (word == "-e")
        {
            options.vSwitches = words[++i];
        }
        else if (word == "-s")
        {
            if (!ParseNumber(words[++i], 1, MAX_POLL_MS, options.pollMs))
            {
                options.error = "bad polling period '" + words[i] + "': 1 to " +
                                std::to_string(MAX_POLL_MS) + " ms";
            }
        }
        else if (word == "-v" || word == "-p" || word == "-h")
        {
            (word == "-v"   ? options.verbose
             : word == "-p" ? options.alternatePortIds
                            : options.help) = true;
        }
        else if (word[0] == '-')
        {
            options.error = "unknown option " + word;
        }
        else if (!options.collector.empty())
        {
            options.error = "one collector only: " + options.collector + " or " + word;
        }
        else
        {
            options.collector = word;
        }
    }
    const std::size_t colon = options.collector.find(':');
    if (colon != std::string::npos)
    {
        const std::string port = options.collector.substr(colon + 1);
        if (!ParseNumber(port, 1, UINT16_MAX, options.port))
        {
            options.error = "bad port '" + port + "': 1 to 65535";
        }
        options.collector.erase(colon);
    }
    if (options.error.empty() && options.vSwitches.empty())
    {
        options.error = "no virtual switch given (-e)";
    }
    if (options.error.empty() && options.collector.empty())
    {
        options.error = "no collector given";
    }
    return options;
}

/// "… | grep WORD"
void
Grep(const std::string& word, EsxConsoleResult& result)
{
    std::istringstream lines(result.output);
    result.output.clear();
    for (std::string line; std::getline(lines, line);)
    {
        if (line.find(word) != std::string::npos)
        {
            result.output += line + "\n";
        }
    }
    result.exitStatus = result.output.empty() ? EXIT_FAILED : 0;
}

} // namespace

TypeId
EsxConsole::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxConsole")
                            .SetParent<Object>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxConsole>()
                            .AddTraceSource("Line",
                                            "A line came to the console: typed or printed",
                                            MakeTraceSourceAccessor(&EsxConsole::m_lineTrace),
                                            "ns3::EsxConsole::LineTracedCallback");
    return tid;
}

EsxConsole::EsxConsole()
{
    m_factory.SetTypeId("ns3::EsxNetNetflow");
}

EsxConsole::~EsxConsole() = default;

void
EsxConsole::SetHost(Ptr<EsxHost> host)
{
    m_host = PeekPointer(host);
}

void
EsxConsole::AddName(const std::string& name, Ipv4Address address)
{
    m_names[name] = address;
}

void
EsxConsole::SetNetNetflowAttribute(const std::string& name, const AttributeValue& value)
{
    m_factory.Set(name, value);
}

EsxConsoleResult
EsxConsole::Execute(const std::string& line)
{
    Print("[root@" + m_host->GetName() + " root]# " + line);
    const std::size_t pipe = line.find('|');
    EsxConsoleResult result = Dispatch(SplitWords(line.substr(0, pipe)));
    if (pipe != std::string::npos)
    {
        const Words filter = SplitWords(line.substr(pipe + 1));
        if (filter.size() == 2 && filter[0] == "grep")
        {
            Grep(filter[1], result);
        }
        else
        {
            result = Fail(EXIT_USAGE, "only grep WORD can stand behind |");
        }
    }
    for (const std::string& text : {result.output, result.errors})
    {
        std::istringstream lines(text);
        for (std::string printed; std::getline(lines, printed);)
        {
            Print(printed);
        }
    }
    return result;
}

bool
EsxConsole::Kill(uint32_t pid)
{
    for (const Process& process : m_processes)
    {
        if (process.pid == pid && process.program->IsRunning())
        {
            process.program->Terminate();
            return true;
        }
    }
    return false;
}

const std::vector<EsxConsole::Process>&
EsxConsole::GetProcesses() const
{
    return m_processes;
}

const std::vector<std::string>&
EsxConsole::GetTranscript() const
{
    return m_transcript;
}

void
EsxConsole::DoDispose()
{
    m_processes.clear();
    Object::DoDispose();
}

EsxConsoleResult
EsxConsole::Dispatch(const Words& words)
{
    if (words.empty())
    {
        return {};
    }
    const std::string program = BaseName(words[0]);
    if (program == "vmkload_mod")
    {
        return VmkloadMod(words);
    }
    if (program == "vmkload_app")
    {
        return VmkloadApp(words);
    }
    if (program == "kill")
    {
        return KillCommand(words);
    }
    if (program == "net-netflow")
    {
        return Fail(
            EXIT_FAILED,
            "net-netflow: runs in the VMkernel only: vmkload_app -i vmktcp net-netflow ...");
    }
    return Fail(EXIT_NOT_FOUND, "-bash: " + words[0] + ": command not found");
}

EsxConsoleResult
EsxConsole::VmkloadMod(const Words& words)
{
    const Ptr<EsxNetflow> module = m_host->GetObject<EsxNetflow>();
    if (words.size() == 2 && words[1] == "-l")
    {
        // Addresses and sizes are the technote's.
        return {0,
                module->IsLoaded() ? "netflow 0xc2e000 0x6000 0x2bf53a0 0x1000 16 Yes\n" : "",
                "",
                0};
    }
    const bool unload = words.size() == 3 && words[1] == "-u";
    if (words.size() != 2 && !unload)
    {
        return Fail(EXIT_USAGE,
                    "usage: vmkload_mod MODULE | vmkload_mod -u MODULE | vmkload_mod -l");
    }
    if (words.back() != "netflow")
    {
        return Fail(EXIT_FAILED, "vmkload_mod: no such module: " + words.back());
    }
    const std::string error = unload ? module->Unload() : module->Load();
    if (!error.empty())
    {
        return Fail(EXIT_FAILED, "vmkload_mod: " + error);
    }
    return {0,
            unload ? "Module netflow successfully unloaded\n"
                   : "Using /usr/lib/vmware/vmmod/netflow\nModule load of netflow succeeded.\n",
            "",
            0};
}

EsxConsoleResult
EsxConsole::VmkloadApp(const Words& words)
{
    bool daemon = false;
    std::string interface;
    std::size_t at = 1;
    for (; at < words.size() && words[at][0] == '-'; ++at)
    {
        if (words[at] == "-S")
        {
            daemon = true;
        }
        else if (words[at] == "-i" && at + 1 < words.size())
        {
            interface = words[++at];
        }
        else
        {
            return Fail(EXIT_USAGE, "vmkload_app: unknown option " + words[at]);
        }
    }
    if (at == words.size())
    {
        return Fail(EXIT_USAGE, "usage: vmkload_app [-S] -i vmktcp PROGRAM [ARGUMENTS]");
    }
    if (BaseName(words[at]) != "net-netflow")
    {
        return Fail(EXIT_FAILED,
                    "vmkload_app: " + words[at] +
                        ": only net-netflow can be run (unsupported command)");
    }
    if (interface != "vmktcp")
    {
        return Fail(
            EXIT_FAILED,
            "net-netflow: needs the VMkernel TCP/IP stack: run it with vmkload_app -i vmktcp");
    }
    std::string line;
    for (const std::string& word : words)
    {
        line += (line.empty() ? "" : " ") + word;
    }
    return NetNetflow(Words(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end()),
                      daemon,
                      line);
}

EsxConsoleResult
EsxConsole::NetNetflow(const Words& words, bool daemon, const std::string& line)
{
    const NetNetflowOptions options = ParseNetNetflow(words);
    if (options.help)
    {
        return {0, NET_NETFLOW_USAGE, "", 0};
    }
    if (!options.error.empty())
    {
        return {EXIT_USAGE, "", "net-netflow: " + options.error + "\n" + NET_NETFLOW_USAGE, 0};
    }
    Ipv4Address collector;
    const auto name = m_names.find(options.collector);
    if (name != m_names.end())
    {
        collector = name->second;
    }
    else if (!ParseAddress(options.collector, collector))
    {
        return Fail(EXIT_FAILED, "net-netflow: unknown host " + options.collector);
    }
    ObjectFactory factory = m_factory;
    factory.Set("VSwitches", StringValue(options.vSwitches));
    factory.Set("Collector", Ipv4AddressValue(collector));
    factory.Set("Port", UintegerValue(options.port));
    factory.Set("PollPeriod", TimeValue(MilliSeconds(options.pollMs)));
    factory.Set("Verbose", BooleanValue(options.verbose));
    factory.Set("AlternatePortIds", BooleanValue(options.alternatePortIds));
    const Ptr<EsxNetNetflow> program = factory.Create<EsxNetNetflow>();
    m_host->GetVmkernelNode()->AddApplication(program);
    program->TraceConnectWithoutContext("Output", MakeCallback(&EsxConsole::Print, this));
    const std::string error = program->Launch();
    if (!error.empty())
    {
        return Fail(EXIT_FAILED, "net-netflow: " + error);
    }
    const uint32_t pid = m_host->AllocateWorldId();
    m_processes.push_back({pid, line, program, daemon});
    return {0, "", "", pid};
}

EsxConsoleResult
EsxConsole::KillCommand(const Words& words)
{
    static const Words SIGNALS = {"-TERM", "-9", "-INT", "-15", "-2", "-KILL"};
    const bool hasSignal = words.size() == 3;
    uint64_t pid = 0;
    if ((words.size() != 2 && !hasSignal) ||
        (hasSignal && std::find(SIGNALS.begin(), SIGNALS.end(), words[1]) == SIGNALS.end()) ||
        !ParseNumber(words.back(), 1, UINT32_MAX, pid))
    {
        return Fail(EXIT_USAGE, "usage: kill [-TERM|-INT|-9] PID");
    }
    if (!Kill(static_cast<uint32_t>(pid)))
    {
        return Fail(EXIT_FAILED, "-bash: kill: (" + words.back() + ") - No such process");
    }
    return {};
}

void
EsxConsole::Print(const std::string& text)
{
    m_transcript.push_back(text);
    m_lineTrace(text);
}

} // namespace ns3
