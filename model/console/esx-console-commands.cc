// SPDX-License-Identifier: GPL-2.0-only
#include "esx-console-commands.h"

#include "model/console/esx-console-tail.h"

#include "ns3/esx-host.h"

#include <charconv>
#include <sstream>

namespace ns3
{

namespace esxconsole
{

const std::vector<Command>&
GetCommands()
{
    constexpr auto VMWARE = "/usr/lib/vmware/bin";
    constexpr auto SBIN = "/usr/sbin";
    constexpr auto BIN = "/bin /usr/bin";
    static const std::vector<Command> COMMANDS = {
        {"vmkload_mod",
         "/usr/sbin /usr/lib/vmware/bin",
         "MODULE | -u MODULE | -l",
         "load, unload or list modules of the VMkernel (unsupported command)",
         &VmkloadMod,
         nullptr},
        {"vmkload_app",
         VMWARE,
         "[-S] -i vmktcp PROGRAM [ARGUMENTS]",
         "run net-netflow in the VMkernel; -S: as a daemon (unsupported command)",
         &VmkloadApp,
         nullptr},
        {"net-netflow",
         VMWARE,
         "[-h] [-v] [-p] [-s <ms>] -e <vSwitch1[,vSwitch2[,...]]> <collector[:port]>",
         "export flows of virtual switches; run it with vmkload_app",
         &NetNetflow,
         nullptr},
        {"esxcfg-vswitch",
         SBIN,
         "-l | -d VSWITCH",
         "list or delete virtual switches",
         &EsxcfgVswitch,
         nullptr},
        {"esxcfg-vmknic", SBIN, "-l", "list VMkernel interfaces", &EsxcfgVmknic, nullptr},
        {"esxcfg-nics", SBIN, "-l", "list physical network cards", &EsxcfgNics, nullptr},
        {"vmkping",
         "/usr/sbin /usr/lib/vmware/bin",
         "[-c COUNT] [-s SIZE] HOST",
         "ping from the VMkernel's IP stack",
         &Vmkping,
         nullptr,
         true},
        {"esxtop",
         BIN,
         "-b [-d SECONDS] [-n SCREENS]",
         "packets, rates and drops of all ports, every 5 seconds",
         &Esxtop,
         nullptr},
        {"ps", BIN, "[-ef | aux]", "list net-netflow and other processes", &Ps, nullptr},
        {"kill",
         BIN,
         "[-TERM | -INT | -HUP | -9] PID | %JOB ...",
         "send a signal to a process",
         &Kill,
         nullptr},
        {"jobs", "", "", "list what was started with &", &Jobs, nullptr},
        {"fg", "", "[%JOB]", "bring a job to the foreground", &Foreground, nullptr},
        {"cat", BIN, "[FILE ...]", "print a file", nullptr, &EsxParseCat},
        {"tail", BIN, "[-f] [-n LINES] [FILE ...]", "print its end", nullptr, &EsxParseTail},
        {"head", BIN, "[-n LINES] [FILE ...]", "print its beginning", nullptr, &EsxParseHead},
        {"grep",
         BIN,
         "[-vicnqEF] PATTERN [FILE ...]",
         "print the lines that match",
         nullptr,
         &EsxParseGrep},
        {"wc", BIN, "-l [FILE ...]", "count lines", nullptr, &EsxParseWc},
        {"echo", BIN, "[-n] [WORD ...]", "print words", &Echo, nullptr},
        {"true", BIN, "", "succeed", &True, nullptr},
        {"false", BIN, "", "fail", &False, nullptr},
        {"help", "", "[COMMAND]", "list these commands", &Help, nullptr},
        {"exit", "", "[STATUS]", "end the session", &Exit, nullptr},
        {"logout", "", "[STATUS]", "end the session", &Exit, nullptr},
    };
    return COMMANDS;
}

const Command*
FindCommand(const std::string& word, std::string& error)
{
    const std::size_t slash = word.rfind('/');
    const bool isPath = slash != std::string::npos;
    const std::string name = isPath ? word.substr(slash + 1) : word;
    for (const Command& command : GetCommands())
    {
        if (name != command.name)
        {
            continue;
        }
        std::istringstream directories(command.directories);
        bool found = !isPath;
        for (std::string directory; directories >> directory;)
        {
            found = found || word == directory.append("/").append(name);
        }
        if (found)
        {
            return &command;
        }
    }
    error = "-bash: " + word + (isPath ? ": No such file or directory" : ": command not found");
    return nullptr;
}

std::string
UsageOf(const std::string& name)
{
    std::string error;
    const Command* command = FindCommand(name, error);
    const std::string arguments = command ? command->usage : "";
    return "usage: " + name + (arguments.empty() ? "" : " ") + arguments;
}

bool
ParseNumber(const std::string& text, uint64_t low, uint64_t high, uint64_t& number)
{
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end && number >= low && number <= high;
}

std::string
Join(const EsxWords& words, std::size_t from)
{
    std::string text;
    for (std::size_t i = from; i < words.size(); ++i)
    {
        text += (i == from ? "" : " ") + words[i];
    }
    return text;
}

const EsxVmkernelLog*
FindFile(const EsxHost& host, const std::string& path)
{
    return path == VMKERNEL_LOG ? PeekPointer(host.GetLog()) : nullptr;
}

namespace
{

/// tail, grep … as the first command of a pipeline: reads files.
int
RunFilter(const Command& command, Context& context, const EsxWords& words)
{
    EsxFilterCommand parsed = command.filter(words);
    const std::string name = command.name;
    if (!parsed.filter)
    {
        context.err(name + ": " + parsed.error);
        return context.Fail(EXIT_USAGE, UsageOf(name));
    }
    if (parsed.files.empty())
    {
        context.err(name + ": nothing to read: name a file, or put it behind |");
        return context.Fail(EXIT_USAGE, UsageOf(name));
    }
    bool missing = false;
    for (const std::string& path : parsed.files)
    {
        const EsxVmkernelLog* log = FindFile(context.host, path);
        if (!log)
        {
            std::string line = name;
            context.err(line.append(": ").append(path).append(": No such file or directory"));
            missing = true;
            continue;
        }
        for (const std::string& line : log->GetLines())
        {
            parsed.filter->Line(line, context.out);
        }
    }
    const int status = parsed.filter->End(context.out);
    if (parsed.follow && !missing)
    {
        const Ptr<EsxConsoleTail> tail = CreateObject<EsxConsoleTail>();
        context.console.Add(tail, &context.session, context.commandLine);
        tail->Follow(context.host.GetLog());
        context.process = tail;
    }
    return missing ? (name == "grep" ? EXIT_USAGE : EXIT_FAILED) : status;
}

} // namespace

int
RunCommand(const Command& command, Context& context, const EsxWords& words)
{
    return command.run ? command.run(context, words) : RunFilter(command, context, words);
}

int
Echo(Context& context, const EsxWords& words)
{
    // Without -n or with it: a terminal of lines cannot show a line without its end.
    context.out(Join(words, words.size() > 1 && words[1] == "-n" ? 2 : 1));
    return EXIT_GOOD;
}

int
True(Context&, const EsxWords&)
{
    return EXIT_GOOD;
}

int
False(Context&, const EsxWords&)
{
    return EXIT_FAILED;
}

int
Help(Context& context, const EsxWords& words)
{
    if (words.size() > 2)
    {
        return context.Fail(EXIT_USAGE, UsageOf("help"));
    }
    constexpr std::size_t NAME_WIDTH = 16;
    for (const Command& command : GetCommands())
    {
        if (words.size() == 2 && words[1] == command.name)
        {
            context.out(UsageOf(command.name));
            context.out(command.help);
            return EXIT_GOOD;
        }
        if (words.size() == 1)
        {
            std::string name = command.name;
            name.resize(NAME_WIDTH, ' ');
            context.out(name + command.help);
        }
    }
    return words.size() == 1
               ? EXIT_GOOD
               : context.Fail(EXIT_FAILED, "-bash: help: no help topics match `" + words[1] + "'");
}

int
Exit(Context& context, const EsxWords& words)
{
    uint64_t status = static_cast<uint64_t>(context.session.GetLastStatus());
    if (words.size() > 2 || (words.size() == 2 && !ParseNumber(words[1], 0, 255, status)))
    {
        return context.Fail(EXIT_USAGE, "-bash: exit: one status from 0 to 255");
    }
    context.exit = true;
    return static_cast<int>(status);
}

} // namespace esxconsole

} // namespace ns3
