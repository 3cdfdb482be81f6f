// SPDX-License-Identifier: GPL-2.0-only
#include "esx-console.h"

#include "esx-console-commands.h"

#include "ns3/boolean.h"
#include "ns3/esx-host.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxConsole);

namespace
{

std::string
LowerCase(std::string text)
{
    for (char& c : text)
    {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
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
        if (!esxconsole::ParseNumber(part, 0, 255, octet))
        {
            return false;
        }
        value = value << 8 | static_cast<uint32_t>(octet);
    }
    if (parts != 4 || text.back() == '.')
    {
        return false;
    }
    address.Set(value);
    return true;
}

/// \return octets of the UTF-8 character that begins at \p at, 0 if none does: RFC 3629
std::size_t
Utf8Size(const std::string& text, std::size_t at)
{
    const auto octet = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
    };
    const unsigned first = octet(0);
    const std::size_t size = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
    for (std::size_t i = 1; i < size; ++i)
    {
        if ((octet(i) & 0xc0) != 0x80)
        {
            return 0;
        }
    }
    const unsigned second = octet(1);
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool outside = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
    const bool control = first == 0xc2 && second < 0xa0;
    return overlong || outside || control ? 0 : size;
}

} // namespace

TypeId
EsxConsole::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxConsole")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxConsole>()
            .AddAttribute("Strict",
                          "Refuse what the technical note warns of: a second net-netflow, and the "
                          "deletion of a vSwitch with NetFlow activated",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxConsole::m_strict),
                          MakeBooleanChecker())
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
    host->TraceConnectWithoutContext("StateChanged", MakeCallback(&EsxConsole::HostChanged, this));
}

Ptr<EsxHost>
EsxConsole::GetHost() const
{
    return m_host;
}

void
EsxConsole::AddName(const std::string& name, Ipv4Address address)
{
    m_names[LowerCase(name)] = address;
}

bool
EsxConsole::Resolve(const std::string& host, Ipv4Address& address) const
{
    const auto name = m_names.find(LowerCase(host));
    if (name != m_names.end())
    {
        address = name->second;
        return true;
    }
    return ParseAddress(host, address);
}

void
EsxConsole::SetNetNetflowAttribute(const std::string& name, const AttributeValue& value)
{
    m_factory.Set(name, value);
}

Ptr<EsxConsoleSession>
EsxConsole::OpenSession()
{
    const Ptr<EsxConsoleSession> session = CreateObject<EsxConsoleSession>();
    session->Open(this, static_cast<uint32_t>(m_sessions.size()));
    if (m_host->GetState() == EsxHost::HALTED)
    {
        session->End();
    }
    m_sessions.push_back(session);
    return session;
}

Ptr<EsxConsoleSession>
EsxConsole::GetFreeSession()
{
    for (const Ptr<EsxConsoleSession>& session : m_sessions)
    {
        if (session->IsOpen() && !session->IsBusy())
        {
            return session;
        }
    }
    return OpenSession();
}

EsxConsoleResult
EsxConsole::Execute(const std::string& line)
{
    return GetFreeSession()->Execute(line);
}

const std::vector<Ptr<EsxConsoleSession>>&
EsxConsole::GetSessions() const
{
    return m_sessions;
}

bool
EsxConsole::Kill(uint32_t pid, EsxSignal signal)
{
    for (const Running& running : m_running)
    {
        if (running.process->GetPid() == pid)
        {
            const Ptr<EsxConsoleProcess> process = running.process;
            process->Signal(signal);
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

std::vector<std::string>
EsxConsole::GetCommandNames(bool answered)
{
    std::vector<std::string> names;
    for (const esxconsole::Command& command : esxconsole::GetCommands())
    {
        if (!answered || command.isAnswered)
        {
            names.emplace_back(command.name);
        }
    }
    return names;
}

bool
EsxConsole::HasCommand(const std::string& word)
{
    std::string error;
    return esxconsole::FindCommand(word, error) != nullptr;
}

std::string
EsxConsole::MakePrintable(const std::string& text)
{
    std::string printable;
    for (std::size_t at = 0; at < text.size();)
    {
        const std::size_t size = Utf8Size(text, at);
        const auto octet = static_cast<unsigned char>(text[at]);
        const bool control = (octet < 0x20 && octet != '\t') || octet == 0x7f;
        if (size == 0 || control)
        {
            constexpr char HEX[] = "0123456789abcdef";
            printable += {'\\', 'x', HEX[octet >> 4], HEX[octet & 15]};
            ++at;
            continue;
        }
        printable.append(text, at, size);
        at += size;
    }
    return printable;
}

void
EsxConsole::Add(const Ptr<EsxConsoleProcess>& process,
                const Ptr<EsxConsoleSession>& owner,
                const std::string& commandLine,
                uint32_t pid)
{
    process->Attach(pid == 0 ? m_host->AllocateWorldId() : pid, commandLine);
    m_running.push_back({process, owner, Simulator::Now()});
    process->AddExitListener([this, raw = PeekPointer(process)](int) { Forget(raw); });
}

const std::vector<EsxConsole::Running>&
EsxConsole::GetRunning() const
{
    return m_running;
}

Ptr<EsxNetNetflow>
EsxConsole::CreateNetNetflow() const
{
    return m_factory.Create<EsxNetNetflow>();
}

void
EsxConsole::Note(const Process& process)
{
    m_processes.push_back(process);
}

bool
EsxConsole::IsStrict() const
{
    return m_strict;
}

uint32_t
EsxConsole::AllocateShellPid()
{
    // Below the world IDs, which are the PIDs of programs in the VMkernel; used again, as PIDs are.
    constexpr uint32_t FIRST = 300;
    return FIRST + m_shells++ % (EsxVmkernelLog::KERNEL_WORLD - FIRST);
}

void
EsxConsole::Print(const std::string& line)
{
    m_transcript.push_back(MakePrintable(line));
    m_lineTrace(m_transcript.back());
}

void
EsxConsole::Forget(const EsxConsoleProcess* process)
{
    m_running.erase(std::remove_if(m_running.begin(),
                                   m_running.end(),
                                   [process](const Running& running) {
                                       return PeekPointer(running.process) == process;
                                   }),
                    m_running.end());
}

void
EsxConsole::HostChanged(EsxHost::State state)
{
    if (state != EsxHost::HALTED)
    {
        return;
    }
    const std::vector<Ptr<EsxConsoleSession>> sessions = m_sessions;
    for (const Ptr<EsxConsoleSession>& session : sessions)
    {
        session->End();
    }
    const std::vector<Running> running = m_running; // daemons
    for (const Running& daemon : running)
    {
        daemon.process->Signal(EsxSignal::KILL);
    }
    Print(m_host->GetName() + " has halted");
}

void
EsxConsole::DoDispose()
{
    for (const Ptr<EsxConsoleSession>& session : m_sessions)
    {
        session->Dispose();
    }
    for (const Running& running : m_running)
    {
        running.process->Dispose();
    }
    m_running.clear();
    m_processes.clear();
    Object::DoDispose();
}

} // namespace ns3
