// SPDX-License-Identifier: GPL-2.0-only
// Messages of a host in /var/log/vmkernel, line by line.

#include "console-fixture.h"

#include <regex>

using namespace ns3;

namespace
{

class EsxVmkernelMessagesTest : public ConsoleTest
{
  protected:
    /// \return the last lines of the log without date, host name and uptime
    std::string Tail(std::size_t count) const
    {
        const auto& lines = host->GetLog()->GetLines();
        std::string text;
        for (std::size_t i = lines.size() - count; i < lines.size(); ++i)
        {
            text += lines[i].substr(lines[i].find("cpu0")) + "\n";
        }
        return text;
    }
};

TEST_F(EsxVmkernelMessagesTest, PortsThatAreConnectedAndDisconnected)
{
    AddVmknic();
    EXPECT_EQ(Tail(4),
              "cpu0:1024)Net: 1421: connected vmnic0 to vSwitch0, portID 0x1000002\n"
              "cpu0:1024)Net: 1421: connected a.eth0 to VM Network, portID 0x1000003\n"
              "cpu0:1024)Net: 1421: connected b.eth0 to VM Network, portID 0x1000004\n"
              "cpu0:1024)Net: 1421: connected vmk0 to VM Network, portID 0x1000005\n");
    vSwitch->Disconnect(a->GetPortId());
    EXPECT_EQ(Tail(1),
              "cpu0:1024)Net: 1652: disconnected a.eth0 from VM Network, portID 0x1000003\n");
}

TEST_F(EsxVmkernelMessagesTest, PortsOfADeletedSwitch)
{
    host->RemoveVSwitch("vSwitch0");
    EXPECT_EQ(Tail(3),
              "cpu0:1024)Net: 1652: disconnected vmnic0 from vSwitch0, portID 0x1000002\n"
              "cpu0:1024)Net: 1652: disconnected a.eth0 from VM Network, portID 0x1000003\n"
              "cpu0:1024)Net: 1652: disconnected b.eth0 from VM Network, portID 0x1000004\n");
}

TEST_F(EsxVmkernelMessagesTest, LinksThatGoDownAndComeUp)
{
    const Ptr<EsxUplink> uplink = host->GetUplink("vmnic0");
    const uint64_t before = host->GetLog()->GetNLines();
    uplink->SetDown(false); // it is not
    EXPECT_EQ(host->GetLog()->GetNLines(), before);
    uplink->SetDown(true);
    uplink->SetDown(true);
    uplink->SetDown(false);
    EXPECT_EQ(host->GetLog()->GetNLines(), before + 2);
    EXPECT_EQ(Tail(2),
              "cpu0:1024)Net: 2107: vmnic0: NIC Link is Down\n"
              "cpu0:1024)Net: 2107: vmnic0: NIC Link is Up\n");
}

TEST_F(EsxVmkernelMessagesTest, ModuleThatIsLoadedAndUnloaded)
{
    AddExport();
    Do("vmkload_mod netflow; vmkload_mod -u netflow");
    EXPECT_EQ(Tail(3),
              "cpu0:1024)Mod: 936: Starting load for module: netflow R/O length: 0x6000 R/W "
              "length: 0x1000\n"
              "cpu0:1024)Mod: 1408: initialization for netflow succeeded with module ID 16.\n"
              "cpu0:1024)Mod: 1512: Module netflow unloaded\n");
}

TEST_F(EsxVmkernelMessagesTest, NetFlowThatIsEnabledAndDisabled)
{
    Prepare();
    esx.AddVSwitch(host, "prod1");
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    Do(std::string(DAEMON) + "-e prod1,nosuch 10.0.0.9"); // leaves no trace
    Do(std::string(DAEMON) + "-e prod1 10.0.0.9");
    Do("kill 1025");
    EXPECT_EQ(Tail(4),
              "cpu0:1024)NetFlow: 203: NetFlow enabled on vSwitch0\n"
              "cpu0:1024)WARNING: NetFlow: 197: more than one net-netflow is running; this has "
              "not been tested\n"
              "cpu0:1024)NetFlow: 203: NetFlow enabled on prod1\n"
              "cpu0:1024)NetFlow: 216: NetFlow disabled on vSwitch0\n");
}

TEST_F(EsxVmkernelMessagesTest, EveryLineHasTheFormatOf35)
{
    Prepare();
    Module()->Unload();
    Module()->SetAttribute("PurgatoryMax", UintegerValue(1));
    Module()->Load();
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    Burst(Seconds(1), 1, 20);                             // fills purgatory
    At(Seconds(20), [this] { Module()->SetHeapMax(0); }); // exhausts the heap
    Burst(Seconds(21), 1, 2);
    At(Seconds(22), [this] { host->GetUplink("vmnic0")->SetDown(true); });
    RunUntil(Seconds(30));
    const std::regex format(
        R"([A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d esx1 vmkernel: \d+:\d\d:\d\d:\d\d\.\d{3} )"
        R"(cpu0:\d{4}\)(WARNING: )?[A-Z][A-Za-z]*: \d+: .+)");
    for (const std::string& line : host->GetLog()->GetLines())
    {
        EXPECT_TRUE(std::regex_match(line, format)) << line;
    }
    for (const char* text : {"Mod: ",
                             "Net: ",
                             "NetFlow: ",
                             "Maximum purgatory size reached",
                             "WARNING: Heap: 1266: ",
                             "NIC Link is Down"})
    {
        EXPECT_FALSE(Logged(text).empty()) << text;
    }
}

} // namespace
