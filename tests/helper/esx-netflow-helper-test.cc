// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-host-helper.h"
#include "ns3/esx-net-netflow.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <gtest/gtest.h>

using namespace ns3;

namespace
{

class EsxNetflowHelperTest : public ::testing::Test
{
  protected:
    EsxNetflowHelperTest()
    {
        host = esx.CreateHost("esx1");
        esx.AddVSwitch(host, "vSwitch0")->AddPortGroup("VM Network");
        esx.AddVmknic(host,
                      "vmk0",
                      "VM Network",
                      Ipv4InterfaceAddress("10.0.0.5", Ipv4Mask("/24")));
    }

    void TearDown() override
    {
        Simulator::Destroy();
    }

    EsxHostHelper esx;
    EsxNetflowHelper netflow;
    Ptr<EsxHost> host;
};

TEST_F(EsxNetflowHelperTest, InstallLoadsNothing)
{
    const Ptr<EsxNetflow> module = netflow.Install(host);
    EXPECT_EQ(host->GetObject<EsxNetflow>(), module);
    EXPECT_EQ(module->GetHost(), host);
    EXPECT_FALSE(module->IsLoaded());
}

TEST_F(EsxNetflowHelperTest, AttributesReachModuleProcessAndCollector)
{
    netflow.SetModuleAttribute("PurgatoryMax", UintegerValue(7));
    netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(MilliSeconds(100)));
    netflow.SetCollectorAttribute("SocketBuffer", UintegerValue(9000));
    const Ptr<Application> process =
        netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9", 9995).Get(0);
    const Ptr<Node> node = CreateObject<Node>();
    InternetStackHelper().Install(node);
    const Ptr<Application> collector = netflow.InstallCollector(node, 9995).Get(0);

    UintegerValue number;
    host->GetObject<EsxNetflow>()->GetAttribute("PurgatoryMax", number);
    EXPECT_EQ(number.Get(), 7u);
    collector->GetAttribute("SocketBuffer", number);
    EXPECT_EQ(number.Get(), 9000u);
    EXPECT_EQ(DynamicCast<EsxNetflowCollector>(collector)->GetPort(), 9995u);
    process->GetAttribute("Port", number);
    EXPECT_EQ(number.Get(), 9995u);
    TimeValue time;
    process->GetAttribute("PollPeriod", time);
    EXPECT_EQ(time.Get(), MilliSeconds(100));
    StringValue names;
    process->GetAttribute("VSwitches", names);
    EXPECT_EQ(names.Get(), "vSwitch0");
}

TEST_F(EsxNetflowHelperTest, SecondProcessUsesTheModuleThatIsThere)
{
    esx.AddVSwitch(host, "vSwitch1");
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");
    const Ptr<EsxNetflow> module = host->GetObject<EsxNetflow>();
    EXPECT_TRUE(module->IsLoaded());
    netflow.InstallNetNetflow(host, "vSwitch1", "10.0.0.9");
    EXPECT_EQ(host->GetObject<EsxNetflow>(), module);
}

TEST_F(EsxNetflowHelperTest, ContainerSaysWhenTheProcessRuns)
{
    ApplicationContainer processes = netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");
    processes.Start(Seconds(2));
    processes.Stop(Seconds(4));
    const auto process = DynamicCast<EsxNetNetflow>(processes.Get(0));
    std::vector<bool> running;
    for (int second : {1, 3, 5})
    {
        Simulator::Schedule(Seconds(second), [&] { running.push_back(process->IsRunning()); });
    }
    Simulator::Stop(Seconds(6));
    Simulator::Run();
    EXPECT_EQ(running, (std::vector<bool>{false, true, false}));
}

} // namespace
