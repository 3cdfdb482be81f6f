// SPDX-License-Identifier: GPL-2.0-only
// The technical note's commands: vmkload_mod, vmkload_app, net-netflow.

#include "esx-console-commands.h"
#include "model/console/esx-options.h"
#include "model/netflow/esx-net-netflow-options.h"
#include "model/netflow/esx-net-netflow-process.h"

#include "ns3/boolean.h"
#include "ns3/esx-host.h"
#include "ns3/esx-netflow.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

namespace ns3
{

namespace esxconsole
{

namespace
{

constexpr const char* MODULE_FOLDER = "/usr/lib/vmware/vmmod/";

/// \return empty, or why there is no NetFlow here
std::string
Unavailable(const Context& context)
{
    if (context.host.GetEdition() == EsxHost::ESX3I)
    {
        return "NetFlow is not supported on ESX Server 3i";
    }
    return context.host.GetObject<EsxNetflow>() ? "" : "this host has no NetFlow module";
}

/// " (PID 1025, 1026)"
std::string
RunningPids(const Context& context)
{
    std::string pids;
    for (const EsxConsole::Running& running : context.console.GetRunning())
    {
        if (DynamicCast<EsxNetNetflowProcess>(running.process))
        {
            pids += (pids.empty() ? " (PID " : ", ") + std::to_string(running.process->GetPid());
        }
    }
    return pids + (pids.empty() ? "" : ")");
}

int
ListModules(Context& context)
{
    context.out("Name R/O Addr Length R/W Addr Length ID Loaded");
    const Ptr<EsxNetflow> module = context.host.GetObject<EsxNetflow>();
    if (module && module->IsLoaded())
    {
        context.out("netflow 0xc2e000 0x6000 0x2bf53a0 0x1000 16 Yes"); // the technote's numbers
    }
    return EXIT_GOOD;
}

int
Usage(Context& context, const std::string& name, const std::string& error)
{
    context.err(name + ": " + error);
    return context.Fail(EXIT_USAGE, UsageOf(name));
}

/// Starts net-netflow. \return exit status
int
Launch(Context& context, const EsxNetNetflowOptions& options, bool daemon)
{
    Ipv4Address collector;
    if (!context.console.Resolve(options.collector, collector))
    {
        return context.Fail(EXIT_FAILED, "net-netflow: unknown host " + options.collector);
    }
    const bool second = context.host.GetObject<EsxNetflow>()->IsInUse();
    if (second && context.console.IsStrict())
    {
        return context.Fail(EXIT_FAILED,
                            "net-netflow: another instance is running" + RunningPids(context) +
                                ": kill it first");
    }
    const Ptr<EsxNetNetflow> program = context.console.CreateNetNetflow();
    program->SetAttribute("VSwitches", StringValue(options.vSwitches));
    program->SetAttribute("Collector", Ipv4AddressValue(collector));
    program->SetAttribute("Port", UintegerValue(options.port));
    program->SetAttribute("PollPeriod", TimeValue(MilliSeconds(options.pollMs)));
    program->SetAttribute("Verbose", BooleanValue(options.verbose));
    program->SetAttribute("AlternatePortIds", BooleanValue(options.alternatePortIds));
    program->SetNode(context.host.GetVmkernelNode());
    const std::string error = program->Launch();
    if (!error.empty())
    {
        return context.Fail(EXIT_FAILED, "net-netflow: " + error);
    }
    if (second)
    {
        context.err("net-netflow: WARNING: another instance is running" + RunningPids(context) +
                    ": two at the same time have not been tested");
    }
    context.host.GetVmkernelNode()->AddApplication(program);
    const Ptr<EsxNetNetflowProcess> process = CreateObject<EsxNetNetflowProcess>();
    process->Run(program);
    context.console.Add(process,
                        daemon ? nullptr : Ptr<EsxConsoleSession>(&context.session),
                        context.commandLine,
                        program->GetWorldId());
    context.pid = process->GetPid();
    context.console.Note({context.pid, context.commandLine, program, daemon});
    if (daemon)
    {
        process->SetOutput([&console = context.console](const std::string& line, bool) {
            console.Print(line); // the host's console log
        });
    }
    else
    {
        context.process = process;
    }
    return EXIT_GOOD;
}

} // namespace

int
VmkloadMod(Context& context, const EsxWords& words)
{
    const std::string name = words[0].substr(words[0].rfind('/') + 1);
    const EsxOptions options = EsxOptions::Parse(words, "lu:h");
    if (!options.error.empty())
    {
        return Usage(context, name, options.error);
    }
    if (options.Has('h'))
    {
        context.out(UsageOf(name));
        return EXIT_GOOD;
    }
    const bool list = options.Has('l');
    const bool unload = options.Has('u');
    if (options.operands.size() != (list || unload ? 0U : 1U) || (list && unload))
    {
        return Usage(context, name, "one of MODULE, -u MODULE and -l");
    }
    if (list)
    {
        return ListModules(context);
    }
    const std::string module = unload ? options.Get('u') : options.operands[0];
    if (module != "netflow" && module != std::string(MODULE_FOLDER) + "netflow")
    {
        return context.Fail(EXIT_FAILED, "vmkload_mod: no such module: " + module);
    }
    std::string error = Unavailable(context);
    if (error.empty())
    {
        const Ptr<EsxNetflow> netflow = context.host.GetObject<EsxNetflow>();
        const bool inUse = unload && netflow->IsInUse();
        error = unload ? netflow->Unload() : netflow->Load();
        error += inUse ? RunningPids(context) + ": kill net-netflow first" : "";
    }
    if (!error.empty())
    {
        return context.Fail(EXIT_FAILED, "vmkload_mod: " + error);
    }
    if (unload)
    {
        context.out("Module netflow successfully unloaded");
        return EXIT_GOOD;
    }
    context.out("Using /usr/lib/vmware/vmmod/netflow");
    context.out("Module load of netflow succeeded.");
    return EXIT_GOOD;
}

int
VmkloadApp(Context& context, const EsxWords& words)
{
    const EsxOptions options = EsxOptions::Parse(words, EsxNetNetflowOptions::WRAPPER_OPTIONS);
    if (!options.error.empty())
    {
        return Usage(context, "vmkload_app", options.error);
    }
    if (options.Has('h'))
    {
        context.out(UsageOf("vmkload_app"));
        return EXIT_GOOD;
    }
    if (options.operands.empty())
    {
        return Usage(context, "vmkload_app", "no program given");
    }
    std::string error;
    const Command* program = FindCommand(options.operands[0], error);
    if (!program || program->run != &NetNetflow)
    {
        return context.Fail(EXIT_FAILED,
                            "vmkload_app: " + options.operands[0] +
                                ": only net-netflow can be run (vmkload_app is an unsupported "
                                "command, not for other purposes)");
    }
    const EsxNetNetflowOptions parsed = EsxNetNetflowOptions::Parse(options.operands);
    if (parsed.help)
    {
        context.out(UsageOf("net-netflow"));
        return EXIT_GOOD;
    }
    error = Unavailable(context);
    if (!error.empty())
    {
        return context.Fail(EXIT_FAILED, "vmkload_app: " + error);
    }
    if (options.Get('i') != "vmktcp")
    {
        return context.Fail(EXIT_FAILED,
                            "net-netflow: needs the VMkernel TCP/IP stack: run it with "
                            "vmkload_app -i vmktcp");
    }
    if (!parsed.error.empty())
    {
        return Usage(context, "net-netflow", parsed.error);
    }
    return Launch(context, parsed, options.Has('S'));
}

int
NetNetflow(Context& context, const EsxWords& words)
{
    if (EsxNetNetflowOptions::Parse(words).help)
    {
        context.out(UsageOf("net-netflow"));
        return EXIT_GOOD;
    }
    return context.Fail(EXIT_FAILED,
                        "net-netflow: runs in the VMkernel only: vmkload_app -i vmktcp "
                        "net-netflow ...");
}

} // namespace esxconsole

} // namespace ns3
