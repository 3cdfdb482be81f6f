// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/metering-process.h"

#include "ns3/boolean.h"
#include "ns3/config.h"
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

    static void Run()
    {
        Simulator::Stop(Seconds(1));
        Simulator::Run();
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
    EXPECT_FALSE(module->IsLoaded()) << "the first process loads it when it starts";
    netflow.InstallNetNetflow(host, "vSwitch1", "10.0.0.9");
    EXPECT_EQ(host->GetObject<EsxNetflow>(), module);
    Run();
    EXPECT_TRUE(module->IsLoaded());
    EXPECT_TRUE(module->IsRegistered(1));
    EXPECT_TRUE(module->IsRegistered(2));
}

TEST_F(EsxNetflowHelperTest, BlanksAroundNamesDoNotCount)
{
    esx.AddVSwitch(host, "vSwitch1");
    netflow.InstallNetNetflow(host, " vSwitch0 , vSwitch1\t", "10.0.0.9");
    Run();
    EXPECT_TRUE(host->GetObject<EsxNetflow>()->IsRegistered(1));
    EXPECT_TRUE(host->GetObject<EsxNetflow>()->IsRegistered(2));
}

TEST_F(EsxNetflowHelperTest, TheConsolesLeniencyIsAnAttribute)
{
    netflow.SetNetNetflowAttribute("AbortOnError", BooleanValue(false));
    const auto process =
        DynamicCast<EsxNetNetflow>(netflow.InstallNetNetflow(host, "vSwtich0", "10.0.0.9").Get(0));
    std::string output;
    process->TraceConnectWithoutContext(
        "Output",
        Callback<void, const std::string&>([&](const std::string& line) { output += line; }));
    Run();
    EXPECT_EQ(output, "net-netflow: no such virtual switch: vSwtich0");
    EXPECT_FALSE(process->IsRunning());
}

TEST_F(EsxNetflowHelperTest, AttributesSetBeforeTheStartAreInForce)
{
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");
    const Ptr<EsxNetflow> module = host->GetObject<EsxNetflow>();
    module->SetAttribute("IdleTimeout", TimeValue(Seconds(3)));
    Config::Set("/NodeList/*/$ns3::EsxHost/$ns3::EsxNetflow/PurgatoryMax", UintegerValue(5));
    Run();
    const netflow::MeteringProcess* const metering = module->GetMeteringProcess();
    ASSERT_TRUE(metering);
    EXPECT_EQ(metering->GetCache().GetConfig().idleTimeout, 3 * netflow::NS_PER_SECOND);
    EXPECT_EQ(module->GetHeapUsed(), 5 * netflow::HEAP_PER_QUEUED_RECORD);
}

TEST_F(EsxNetflowHelperTest, WhatTheModuleIsLoadedWithCannotBeSetWhileItIs)
{
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");
    const Ptr<EsxNetflow> module = host->GetObject<EsxNetflow>();
    Run();
    for (const auto& [name, value] :
         std::vector<std::pair<std::string, std::string>>{{"IdleTimeout", "3s"},
                                                          {"ActiveTimeout", "3s"},
                                                          {"ScanInterval", "1ms"},
                                                          {"MaxEntries", "7"},
                                                          {"CachePolicy", "EvictOldest"},
                                                          {"PurgatoryMax", "7"},
                                                          {"PurgatoryPolicy", "HeadDrop"},
                                                          {"ExpireOnTcpEnd", "true"}})
    {
        StringValue before;
        StringValue after;
        module->GetAttribute(name, before);
        EXPECT_FALSE(module->SetAttributeFailSafe(name, StringValue(value))) << name;
        module->GetAttribute(name, after);
        EXPECT_EQ(after.Get(), before.Get()) << name;
        EXPECT_TRUE(module->SetAttributeFailSafe(name, before)) << name << " as it is";
    }
    EXPECT_TRUE(module->SetAttributeFailSafe("HeapMax", UintegerValue(1 << 20)));
    EXPECT_TRUE(module->SetAttributeFailSafe("MeterOwnExport", BooleanValue(false)));
    EXPECT_DEATH(module->SetAttribute("IdleTimeout", TimeValue(Seconds(3))), "IdleTimeout");
}

using EsxNetflowHelperDeathTest = EsxNetflowHelperTest;

TEST_F(EsxNetflowHelperDeathTest, AProcessThatCannotStartEndsTheScriptWithASentence)
{
    const auto install = [this](const std::string& vSwitches) {
        netflow.InstallNetNetflow(host, vSwitches, "10.0.0.9");
        Run();
    };
    EXPECT_DEATH(install("vSwtich0"),
                 "net-netflow of host esx1: no such virtual switch: vSwtich0; .*vSwitches of esx1: "
                 "vSwitch0");
    EXPECT_DEATH(install(""), "no virtual switch given");
    EXPECT_DEATH(install("  "), "no virtual switch given");
    EXPECT_DEATH(install("vSwitch0,,"), "no such virtual switch: ;");
    EXPECT_DEATH(install("vSwitch0,vSwitch0"), "vSwitch0 is already registered for NetFlow");
    const auto twice = [&] {
        netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");
        install("vSwitch0");
    };
    EXPECT_DEATH(twice(), "vSwitch0 is already registered for NetFlow");
    const Ptr<EsxHost> bare = esx.CreateHost("esx2");
    esx.AddVSwitch(bare, "vSwitch0");
    const auto withoutVmknic = [&] {
        netflow.InstallNetNetflow(bare, "vSwitch0", "10.0.0.9");
        Run();
    };
    EXPECT_DEATH(withoutVmknic(), "net-netflow of host esx2: no VMkernel interface");
}

TEST_F(EsxNetflowHelperDeathTest, WhatIsMissingIsNamed)
{
    EXPECT_DEATH(netflow.InstallCollector(CreateObject<Node>()),
                 "a collector needs a node with an IPv4 stack: node[0-9]+ has none");
    EXPECT_DEATH(netflow.InstallCollector(Ptr<Node>()), "a collector needs a node");
    EXPECT_DEATH(netflow.Install(nullptr), "needs a host");
    EXPECT_DEATH(netflow.InstallNetNetflow(Ptr<EsxHost>(), "vSwitch0", "10.0.0.9"), "needs a host");
    netflow.Install(host);
    EXPECT_DEATH(netflow.Install(host), "host esx1 has the NetFlow module already");
    const auto withoutHelper = [] {
        const Ptr<Node> node = CreateObject<Node>();
        node->AddApplication(CreateObject<EsxNetflowCollector>());
        Simulator::Run();
    };
    EXPECT_DEATH(withoutHelper(), "has no IPv4 stack");
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
