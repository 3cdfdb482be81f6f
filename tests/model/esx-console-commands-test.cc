// SPDX-License-Identifier: GPL-2.0-only
#include "console-fixture.h"

using namespace ns3;
using netflow::Move;

namespace
{

const std::string USAGE = "! usage: net-netflow [-h] [-v] [-p] [-s <ms>] -e "
                          "<vSwitch1[,vSwitch2[,...]]> <collector[:port]>\n";

class EsxConsoleCommandsTest : public ConsoleTest
{
  protected:
    EsxConsoleCommandsTest() = default;

    EsxConsoleCommandsTest(const std::string& hostAttribute, const AttributeValue& value)
        : ConsoleTest(hostAttribute, value)
    {
    }

    /// A line failed: nothing runs and nothing is registered.
    void ExpectNothingRegistered() const
    {
        EXPECT_FALSE(Module()->IsInUse());
        EXPECT_TRUE(console->GetRunning().empty());
        EXPECT_TRUE(console->GetProcesses().empty());
    }
};

TEST_F(EsxConsoleCommandsTest, VmkloadModPrintsTheTechnotesLines)
{
    AddExport();
    EXPECT_EQ(Do("vmkload_mod netflow"),
              "0\nUsing /usr/lib/vmware/vmmod/netflow\nModule load of netflow succeeded.\n");
    EXPECT_EQ(Do("vmkload_mod -l | grep netflow"),
              "0\nnetflow 0xc2e000 0x6000 0x2bf53a0 0x1000 16 Yes\n");
}

TEST_F(EsxConsoleCommandsTest, VmkloadModListsOnlyWhatIsLoaded)
{
    AddExport();
    EXPECT_EQ(Do("vmkload_mod -l"), "0\nName R/O Addr Length R/W Addr Length ID Loaded\n");
    EXPECT_EQ(Do("vmkload_mod -l | grep netflow"), "1\n");
}

TEST_F(EsxConsoleCommandsTest, VmkloadModRefusesUnknownAndLoadedModules)
{
    AddExport();
    EXPECT_EQ(Do("vmkload_mod netflw"), "1\n! vmkload_mod: no such module: netflw\n");
    EXPECT_EQ(Do("vmkload_mod -u netflw"), "1\n! vmkload_mod: no such module: netflw\n");
    EXPECT_EQ(Do("vmkload_mod -u netflow"), "1\n! vmkload_mod: module netflow is not loaded\n");
    Do("vmkload_mod netflow");
    EXPECT_EQ(Do("vmkload_mod netflow"), "1\n! vmkload_mod: module netflow is already loaded\n");
}

TEST_F(EsxConsoleCommandsTest, VmkloadModUnloadsWhatIsNotInUse)
{
    Prepare();
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    EXPECT_EQ(Do("vmkload_mod -u netflow"),
              "1\n! vmkload_mod: module netflow is in use (PID 1025): kill net-netflow first\n");
    EXPECT_TRUE(Module()->IsLoaded());
    Do("kill 1025");
    EXPECT_EQ(Do("vmkload_mod -u netflow"), "0\nModule netflow successfully unloaded\n");
    EXPECT_FALSE(Module()->IsLoaded());
}

TEST_F(EsxConsoleCommandsTest, VmkloadModUsage)
{
    const std::string usage = "! usage: vmkload_mod MODULE | -u MODULE | -l\n";
    for (const char* line : {"vmkload_mod",
                             "vmkload_mod netflow netflow",
                             "vmkload_mod -l netflow",
                             "vmkload_mod -lu netflow"})
    {
        EXPECT_EQ(Do(line), "2\n! vmkload_mod: one of MODULE, -u MODULE and -l\n" + usage) << line;
    }
    EXPECT_EQ(Do("vmkload_mod -z"), "2\n! vmkload_mod: unknown option -z\n" + usage);
    EXPECT_EQ(Do("vmkload_mod -u"), "2\n! vmkload_mod: option -u needs a value\n" + usage);
}

TEST_F(EsxConsoleCommandsTest, FullPathsAndBareNames)
{
    Prepare();
    const EsxConsoleResult result =
        Type("/usr/lib/vmware/bin/vmkload_app -S -i vmktcp /usr/lib/vmware/bin/net-netflow "
             "-e vSwitch0 10.0.0.9:4242");
    EXPECT_EQ(Say(result), "0\n");
    EXPECT_EQ(result.pid, 1025u);
    EXPECT_EQ(Do("/usr/sbin/vmkload_mod -l | /bin/grep -c netflow"), "0\n1\n");
    EXPECT_EQ(Do("/bin/kill 1025"), "0\n");
    EXPECT_EQ(Do("/opt/vmkload_mod -l"),
              "127\n! -bash: /opt/vmkload_mod: No such file or directory\n");
    EXPECT_EQ(Do("./kill 1"), "127\n! -bash: ./kill: No such file or directory\n");
}

TEST_F(EsxConsoleCommandsTest, UnknownCommandIs127)
{
    EXPECT_EQ(Do("esxcfg-firewall -q"), "127\n! -bash: esxcfg-firewall: command not found\n");
    EXPECT_EQ(Do("''"), "127\n! -bash: : command not found\n");
}

TEST_F(EsxConsoleCommandsTest, VmkloadAppWithoutTheStackSaysWhatToDo)
{
    Prepare();
    const std::string message = "1\n! net-netflow: needs the VMkernel TCP/IP stack: run it with "
                                "vmkload_app -i vmktcp\n";
    EXPECT_EQ(Do("vmkload_app net-netflow -e vSwitch0 10.0.0.9"), message);
    EXPECT_EQ(Do("vmkload_app -i vmklinux net-netflow -e vSwitch0 10.0.0.9"), message);
    EXPECT_EQ(Do("net-netflow -e vSwitch0 10.0.0.9"),
              "1\n! net-netflow: runs in the VMkernel only: vmkload_app -i vmktcp net-netflow "
              "...\n");
    ExpectNothingRegistered();
}

TEST_F(EsxConsoleCommandsTest, VmkloadAppWithoutTheModuleSaysWhatToDo)
{
    AddExport();
    EXPECT_EQ(DoNetNetflow("-e vSwitch0 10.0.0.9"),
              "1\n! net-netflow: the netflow module is not loaded; load it with: vmkload_mod "
              "netflow\n");
    ExpectNothingRegistered();
}

TEST_F(EsxConsoleCommandsTest, VmkloadAppWithoutAVmknicSaysWhatToDo)
{
    netflow.Install(host);
    Module()->Load();
    EXPECT_EQ(DoNetNetflow("-e vSwitch0 10.0.0.9"),
              "1\n! net-netflow: no VMkernel interface (vmknic): configure the VMkernel TCP/IP "
              "stack first\n");
    EXPECT_EQ(Do("vmkping 10.0.0.9"),
              "1\n! vmkping: no VMkernel interface (vmknic): configure the VMkernel TCP/IP stack "
              "first\n");
    ExpectNothingRegistered();
}

TEST_F(EsxConsoleCommandsTest, VmkloadAppRunsNothingElse)
{
    Prepare();
    for (const char* program : {"ls", "ps", "/bin/net-netflow", "vmkping"})
    {
        EXPECT_EQ(Do(std::string("vmkload_app -i vmktcp ") + program + " -e vSwitch0 10.0.0.9"),
                  std::string("1\n! vmkload_app: ") + program +
                      ": only net-netflow can be run (vmkload_app is an unsupported command, not "
                      "for other purposes)\n");
    }
    const std::string usage = "! usage: vmkload_app [-S] -i vmktcp PROGRAM [ARGUMENTS]\n";
    EXPECT_EQ(Do("vmkload_app"), "2\n! vmkload_app: no program given\n" + usage);
    EXPECT_EQ(Do("vmkload_app -S -i vmktcp"), "2\n! vmkload_app: no program given\n" + usage);
    EXPECT_EQ(Do("vmkload_app -x"), "2\n! vmkload_app: unknown option -x\n" + usage);
    EXPECT_EQ(Do("vmkload_app -i"), "2\n! vmkload_app: option -i needs a value\n" + usage);
}

TEST_F(EsxConsoleCommandsTest, NetNetflowTakesAListOfSwitchesAndAHostName)
{
    Prepare();
    esx.AddVSwitch(host, "prod1");
    esx.AddVSwitch(host, "test2");
    const EsxConsoleResult result = Type("vmkload_app -S -i vmktcp net-netflow -e "
                                         "vSwitch0,prod1,test2 nf-collector1.mycompany.com:4242");
    EXPECT_EQ(Say(result), "0\n");
    const Ptr<EsxNetNetflow> program = console->GetProcesses().at(0).program;
    EXPECT_EQ(program->GetRegistered(), (std::vector<uint16_t>{1, 2, 3}));
    EXPECT_EQ(program->GetCollector(), Ipv4Address("10.0.0.9"));
}

TEST_F(EsxConsoleCommandsTest, NetNetflowOptionsReachTheProgram)
{
    Prepare();
    Do(std::string(DAEMON) + "-vps100 -evSwitch0 10.0.0.9");
    const Ptr<EsxNetNetflow> program = console->GetProcesses().at(0).program;
    TimeValue poll;
    BooleanValue verbose;
    UintegerValue port;
    program->GetAttribute("PollPeriod", poll);
    program->GetAttribute("Verbose", verbose);
    program->GetAttribute("Port", port);
    EXPECT_EQ(poll.Get(), MilliSeconds(100));
    EXPECT_TRUE(verbose.Get());
    EXPECT_TRUE(program->UsesAlternatePortIds());
    EXPECT_EQ(port.Get(), 2055u);
}

TEST_F(EsxConsoleCommandsTest, NetNetflowHelpPrintsUsage)
{
    const std::string usage = "0\n" + USAGE.substr(2);
    EXPECT_EQ(DoNetNetflow("-h"), usage); // with neither module nor vmknic
    EXPECT_EQ(Do("net-netflow -h"), usage);
    EXPECT_EQ(Do("vmkload_app -i vmktcp /usr/lib/vmware/bin/net-netflow -vh"), usage);
}

TEST_F(EsxConsoleCommandsTest, NetNetflowBadValuesAreUsageErrors)
{
    Prepare();
    EXPECT_EQ(DoNetNetflow("-e vSwitch0 10.0.0.9:0"),
              "2\n! net-netflow: bad port '0': 1 to 65535\n" + USAGE);
    EXPECT_EQ(DoNetNetflow("-s 0 -e vSwitch0 10.0.0.9"),
              "2\n! net-netflow: bad polling period '0': 1 to 86400000 ms\n" + USAGE);
    EXPECT_EQ(DoNetNetflow("-s -100 -e vSwitch0 10.0.0.9"),
              "2\n! net-netflow: bad polling period '-100': 1 to 86400000 ms\n" + USAGE);
    EXPECT_EQ(DoNetNetflow("-e vSwitch0"), "2\n! net-netflow: no collector given\n" + USAGE);
    EXPECT_EQ(DoNetNetflow("-e vSwitch0 10.0.0.9 10.0.0.8"),
              "2\n! net-netflow: one collector only: 10.0.0.9 or 10.0.0.8\n" + USAGE);
    ExpectNothingRegistered();
}

TEST_F(EsxConsoleCommandsTest, PaperLineBreakIsAUsageErrorAndABackslashContinues)
{
    Prepare();
    EXPECT_EQ(DoNetNetflow("-e vSwitch0\nnf-collector1.mycompany.com:4242"),
              "127\n! net-netflow: no collector given\n" + USAGE +
                  "! -bash: nf-collector1.mycompany.com:4242: command not found\n");
    ExpectNothingRegistered();
    EXPECT_TRUE(Type("vmkload_app -i vmktcp net-netflow -e vSwitch0 \\\n"
                     "nf-collector1.mycompany.com:4242")
                    .running);
}

TEST_F(EsxConsoleCommandsTest, UnknownHostIsAnError)
{
    Prepare();
    EXPECT_EQ(DoNetNetflow("-e vSwitch0 nf-collector2"),
              "1\n! net-netflow: unknown host nf-collector2\n");
    EXPECT_EQ(Do("vmkping nf-collector2"), "1\n! vmkping: unknown host nf-collector2\n");
    ExpectNothingRegistered();
}

TEST_F(EsxConsoleCommandsTest, FailedRegistrationRegistersNothing)
{
    Prepare();
    EXPECT_EQ(DoNetNetflow("-e vSwitch0,vSwitch9 10.0.0.9"),
              "1\n! net-netflow: no such virtual switch: vSwitch9\n");
    ExpectNothingRegistered();
    EXPECT_EQ(DoNetNetflow("-e vSwitch0,vSwitch0 10.0.0.9"),
              "1\n! net-netflow: vSwitch vSwitch0 is already registered for NetFlow\n");
    ExpectNothingRegistered();
}

TEST_F(EsxConsoleCommandsTest, SecondInstanceIsWarnedOf)
{
    Prepare();
    esx.AddVSwitch(host, "prod1");
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    EXPECT_EQ(Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9"),
              "1\n! net-netflow: vSwitch vSwitch0 is already registered for NetFlow\n");
    EXPECT_EQ(Do(std::string(DAEMON) + "-e prod1 10.0.0.9"),
              "0\n! net-netflow: WARNING: another instance is running (PID 1025): two at the "
              "same time have not been tested\n");
    EXPECT_EQ(console->GetRunning().size(), 2u);
}

TEST_F(EsxConsoleCommandsTest, SecondInstanceIsRefusedIfStrict)
{
    console->SetAttribute("Strict", BooleanValue(true));
    Prepare();
    esx.AddVSwitch(host, "prod1");
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    EXPECT_EQ(Do(std::string(DAEMON) + "-e prod1 10.0.0.9"),
              "1\n! net-netflow: another instance is running (PID 1025): kill it first\n");
    EXPECT_EQ(console->GetRunning().size(), 1u);
}

TEST_F(EsxConsoleCommandsTest, PsShowsNetNetflowWithItsPid)
{
    Prepare();
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    EXPECT_EQ(Do("ps"),
              "0\n"
              "  PID TTY          TIME CMD\n"
              "  300 pts/0    00:00:00 bash\n"
              " 1025 ?        00:00:00 vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.9\n"
              "  301 pts/0    00:00:00 ps\n");
    EXPECT_EQ(Do("ps -ef | grep net-netflow"),
              "0\nroot      1025     1  0 00:00 ?        00:00:00 vmkload_app -S -i vmktcp "
              "net-netflow -e vSwitch0 10.0.0.9\n");
    EXPECT_EQ(Do("ps auxw | grep net-netflow"),
              "0\nroot      1025  0.0  0.0     0    0 ?        S    00:00   0:00 vmkload_app -S "
              "-i vmktcp net-netflow -e vSwitch0 10.0.0.9\n");
    EXPECT_EQ(Do("ps -Z"), "2\n! ps: unknown option in '-Z'\n! usage: ps [-ef | aux]\n");
    EXPECT_EQ(Do("kill 1025; ps | grep -c netflow"), "1\n0\n");
}

TEST_F(EsxConsoleCommandsTest, KillTakesSignalsByNameAndNumber)
{
    Prepare();
    uint32_t pid = 1025;
    for (const char* signal : {"", "-TERM ", "-9 ", "-INT ", "-SIGKILL ", "-s HUP ", "-15 "})
    {
        EXPECT_EQ(Type(std::string(DAEMON) + "-e vSwitch0 10.0.0.9").pid, pid);
        EXPECT_EQ(Do("kill -0 " + std::to_string(pid)), "0\n");
        EXPECT_EQ(Do("kill " + std::string(signal) + std::to_string(pid)), "0\n") << signal;
        EXPECT_FALSE(Module()->IsInUse()) << signal;
        ++pid;
    }
}

TEST_F(EsxConsoleCommandsTest, KillSaysWhatIsWrong)
{
    EXPECT_EQ(Do("kill 4711"), "1\n! -bash: kill: (4711) - No such process\n");
    EXPECT_EQ(Do("kill -0 4711"), "1\n! -bash: kill: (4711) - No such process\n");
    EXPECT_EQ(Do("kill nf"), "1\n! -bash: kill: nf: arguments must be process or job IDs\n");
    EXPECT_EQ(Do("kill 0"), "1\n! -bash: kill: 0: arguments must be process or job IDs\n");
    EXPECT_EQ(Do("kill -FOO 4711"),
              "1\n! -bash: kill: FOO: invalid signal specification (there are HUP, INT, KILL and "
              "TERM)\n");
    const std::string usage = "2\n! usage: kill [-TERM | -INT | -HUP | -9] PID | %JOB ...\n";
    EXPECT_EQ(Do("kill"), usage);
    EXPECT_EQ(Do("kill -9"), usage);
}

TEST_F(EsxConsoleCommandsTest, KillOfAShellEndsItsSession)
{
    const Ptr<EsxConsoleSession> other = console->OpenSession();
    const std::string pid = std::to_string(other->GetShellPid());
    EXPECT_EQ(Do("kill " + pid), "0\n"); // an interactive shell ignores it
    EXPECT_TRUE(other->IsOpen());
    EXPECT_EQ(Do("kill -9 " + pid), "0\n");
    EXPECT_FALSE(other->IsOpen());
    EXPECT_EQ(Do("kill -9 $$"), "0\n");
    EXPECT_FALSE(session->IsOpen());
}

TEST_F(EsxConsoleCommandsTest, VmkernelLogIsAFile)
{
    AddExport();
    Do("vmkload_mod netflow; vmkload_mod -u netflow");
    EXPECT_EQ(Do("tail -n 1 /var/log/vmkernel"),
              "0\nOct 26 00:00:00 esx1 vmkernel: 0:00:00:00.000 cpu0:1024)Mod: 1512: Module "
              "netflow unloaded\n");
    EXPECT_EQ(Do("cat /var/log/vmkernel | grep -c Mod:"), "0\n3\n");
    EXPECT_EQ(Do("grep -c Mod: /var/log/vmkernel"), "0\n3\n");
    EXPECT_EQ(Do("cat /var/log/messages"),
              "1\n! cat: /var/log/messages: No such file or directory\n");
    EXPECT_EQ(Do("tail"),
              "2\n! tail: nothing to read: name a file, or put it behind |\n"
              "! usage: tail [-f] [-n LINES] [FILE ...]\n");
}

TEST_F(EsxConsoleCommandsTest, TailFollowsTheLogUntilInterrupted)
{
    AddExport();
    EXPECT_TRUE(Type("tail -n 0 -f /var/log/vmkernel | grep module").running);
    console->Execute("vmkload_mod netflow");
    EXPECT_EQ(screen,
              "Oct 26 00:00:00 esx1 vmkernel: 0:00:00:00.000 cpu0:1024)Mod: 936: Starting load "
              "for module: netflow R/O length: 0x6000 R/W length: 0x1000\n"
              "Oct 26 00:00:00 esx1 vmkernel: 0:00:00:00.000 cpu0:1024)Mod: 1408: initialization "
              "for netflow succeeded with module ID 16.\n");
    session->Interrupt();
    screen.clear();
    Module()->Unload();
    EXPECT_EQ(screen, "");
}

TEST_F(EsxConsoleCommandsTest, EsxcfgVswitchLists)
{
    Prepare();
    EXPECT_EQ(Do("esxcfg-vswitch -l"),
              "0\n"
              "Switch Name    Num Ports   Used Ports  Configured Ports  MTU     Uplinks\n"
              "vSwitch0       64          5           64                1500    vmnic0\n"
              "\n"
              "  PortGroup Name        VLAN ID  Used Ports  Uplinks\n"
              "  VM Network            0        3           vmnic0\n"
              "\n");
    EXPECT_EQ(Do("esxcfg-vswitch"), "2\n! usage: esxcfg-vswitch -l | -d VSWITCH\n");
    EXPECT_EQ(Do("esxcfg-vswitch -l x"), "2\n! usage: esxcfg-vswitch -l | -d VSWITCH\n");
}

TEST_F(EsxConsoleCommandsTest, EsxcfgVswitchDeletesWithACaution)
{
    Prepare();
    esx.AddVSwitch(host, "prod1");
    EXPECT_EQ(Do("esxcfg-vswitch -d nosuch"),
              "1\n! esxcfg-vswitch: no such virtual switch: nosuch\n");
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    EXPECT_EQ(Do("esxcfg-vswitch -d prod1"), "0\n");
    EXPECT_EQ(Do("esxcfg-vswitch -d vSwitch0"),
              "0\n! esxcfg-vswitch: WARNING: NetFlow is activated on vSwitch0: deleting it may "
              "cause ESX Server to become unstable\n");
    EXPECT_EQ(host->GetNVSwitches(), 0u);
}

TEST_F(EsxConsoleCommandsTest, DeletionOfAMonitoredSwitchIsRefusedIfStrict)
{
    console->SetAttribute("Strict", BooleanValue(true));
    Prepare();
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    EXPECT_EQ(Do("esxcfg-vswitch -d vSwitch0"),
              "1\n! esxcfg-vswitch: NetFlow is activated on vSwitch0: kill net-netflow before "
              "deleting it\n");
    EXPECT_EQ(host->GetNVSwitches(), 1u);
    EXPECT_EQ(Do("kill 1025; esxcfg-vswitch -d vSwitch0"), "0\n");
}

TEST_F(EsxConsoleCommandsTest, EsxcfgVmknicLists)
{
    AddVmknic();
    host->GetVmknic("vmk0")->SetAddress(Mac48Address("00:50:56:00:00:05"));
    const std::string heading =
        "Interface  Port Group          IP Address      Netmask         Broadcast       MAC "
        "Address       MTU     Enabled\n";
    EXPECT_EQ(Do("esxcfg-vmknic -l"),
              "0\n" + heading +
                  "vmk0       VM Network          10.0.0.5        255.255.255.0   10.0.0.255      "
                  "00:50:56:00:00:05 1500    true\n");
    EXPECT_EQ(Do("esxcfg-vmknic -d"), "2\n! usage: esxcfg-vmknic -l\n");
}

TEST_F(EsxConsoleCommandsTest, EsxcfgNicsShowsTheLink)
{
    const std::string heading =
        "0\nName    PCI      Driver      Link Speed    Duplex MTU    Description\n";
    EXPECT_EQ(Do("esxcfg-nics -l"),
              heading +
                  "vmnic0  00:00.00 ns3         Up   100Mbps  Half   1500   ns3::CsmaNetDevice\n");
    host->GetUplink("vmnic0")->SetDown(true);
    EXPECT_EQ(Do("esxcfg-nics -l"),
              heading +
                  "vmnic0  00:00.00 ns3         Down 0Mbps    Half   1500   ns3::CsmaNetDevice\n");
    EXPECT_EQ(Do("esxcfg-nics"), "2\n! usage: esxcfg-nics -l\n");
}

TEST_F(EsxConsoleCommandsTest, EveryCommandIsInHelp)
{
    EXPECT_EQ(Do("help kill"),
              "0\nusage: kill [-TERM | -INT | -HUP | -9] PID | %JOB ...\nsend a signal to a "
              "process\n");
    EXPECT_EQ(Do("help nosuch"), "1\n! -bash: help: no help topics match `nosuch'\n");
    EXPECT_EQ(Do("help | wc -l"), "0\n23\n");
}

class EsxConsoleCommands3iTest : public EsxConsoleCommandsTest
{
  protected:
    EsxConsoleCommands3iTest()
        : EsxConsoleCommandsTest("Edition", StringValue("Esx3i"))
    {
    }
};

TEST_F(EsxConsoleCommands3iTest, HasNoNetFlow)
{
    AddExport();
    EXPECT_EQ(Do("vmkload_mod netflow"),
              "1\n! vmkload_mod: NetFlow is not supported on ESX Server 3i\n");
    EXPECT_EQ(DoNetNetflow("-e vSwitch0 10.0.0.9"),
              "1\n! vmkload_app: NetFlow is not supported on ESX Server 3i\n");
    ExpectNothingRegistered();
}

} // namespace
