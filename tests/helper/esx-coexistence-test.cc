// SPDX-License-Identifier: GPL-2.0-only
// Other modules of ns-3 beside guests and vSwitches: FlowMonitor, NetAnim, applications, and
// networks that are no Ethernet.
#include "ns3/animation-interface.h"
#include "ns3/csma-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-ledger-helper.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/flow-monitor-helper.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-address-helper.h"
#include "ns3/ipv4-flow-classifier.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/mobility-helper.h"
#include "ns3/object-factory.h"
#include "ns3/point-to-point-helper.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/trace-helper.h"
#include "ns3/uinteger.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace ns3;

namespace
{

/// a and b on esx1 - vmnic0 - CSMA - router - point-to-point - server with a collector.
class EsxCoexistenceTest : public ::testing::Test
{
  protected:
    EsxCoexistenceTest()
    {
        hosts = esx.Install(NodeContainer(1));
        host = hosts.Get(0);
        vSwitch = esx.AddVSwitch(host, "vSwitch0");
        vSwitch->AddPortGroup("VM Network");
        guests.Create(2);
        outside.Create(2);
        const NetDeviceContainer cable =
            CsmaHelper().Install(NodeContainer(host->GetVmkernelNode(), outside.Get(0)));
        host->AddUplink(vSwitch, cable.Get(0));
        vnics = esx.Install(guests, host, "VM Network");
        const NetDeviceContainer wan = PointToPointHelper().Install(outside);
        InternetStackHelper stack;
        stack.SetIpv6StackInstall(false);
        stack.Install(guests);
        stack.Install(outside);
        Ipv4AddressHelper("10.1.1.0", "255.255.255.0").Assign(vnics);
        Ipv4AddressHelper("10.1.1.0", "255.255.255.0", "0.0.0.254").Assign(cable.Get(1));
        Ipv4AddressHelper("10.9.0.0", "255.255.255.252").Assign(wan);
        Ipv4StaticRoutingHelper routing;
        for (uint32_t i = 0; i < guests.GetN(); ++i)
        {
            routing.GetStaticRouting(guests.Get(i)->GetObject<Ipv4>())
                ->SetDefaultRoute("10.1.1.254", 1);
        }
        routing.GetStaticRouting(outside.Get(1)->GetObject<Ipv4>())->SetDefaultRoute("10.9.0.1", 1);
        esx.AddVmknic(host, "vmk0", "VM Network", {"10.1.1.9", "255.255.255.0"}, "10.1.1.254");
        netflow.InstallCollector(outside.Get(1));
        netflow.InstallNetNetflow(host, "vSwitch0", "10.9.0.2");
        books.InstallAll();
    }

    ~EsxCoexistenceTest() override
    {
        Simulator::Destroy();
        std::remove(path.c_str());
    }

    /// An application of ns-3 that knows nothing of us: 5 echo requests.
    void Echo()
    {
        ObjectFactory client("ns3::UdpEchoClient");
        client.Set("RemoteAddress", AddressValue(Ipv4Address("10.9.0.2")));
        client.Set("RemotePort", UintegerValue(7));
        client.Set("MaxPackets", UintegerValue(5));
        const Ptr<Application> asks = client.Create<Application>();
        guests.Get(0)->AddApplication(asks);
        asks->SetStartTime(Seconds(1));
        ObjectFactory server("ns3::UdpEchoServer");
        server.Set("Port", UintegerValue(7));
        outside.Get(1)->AddApplication(server.Create<Application>());
    }

    void Run()
    {
        Simulator::Stop(Seconds(40));
        Simulator::Run();
    }

    std::string Read() const
    {
        std::ifstream file(path);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

    EsxHostHelper esx;
    EsxNetflowHelper netflow;
    EsxLedgerHelper books;
    EsxHostContainer hosts;
    Ptr<EsxHost> host;
    Ptr<EsxVSwitch> vSwitch;
    NodeContainer guests;
    NodeContainer outside;
    NetDeviceContainer vnics;
    std::string path;
};

} // namespace

TEST_F(EsxCoexistenceTest, FlowMonitorAndFlowRecordsSeeTheSamePackets)
{
    Echo();
    FlowMonitorHelper helper;
    const Ptr<FlowMonitor> monitor = helper.Install(NodeContainer(guests, outside));
    Run();
    const auto classifier = DynamicCast<Ipv4FlowClassifier>(helper.GetClassifier());
    uint32_t echoes = 0;
    for (const auto& [id, flow] : monitor->GetFlowStats())
    {
        const auto key = classifier->FindFlow(id);
        if (key.sourcePort == 7 || key.destinationPort == 7)
        {
            EXPECT_EQ(flow.txPackets, 5u);
            EXPECT_EQ(flow.rxPackets, 5u);
            ++echoes;
        }
    }
    EXPECT_EQ(echoes, 2u);
    EXPECT_GE(vSwitch->GetPort(3)->GetCounters().framesIn, 5u);
    EXPECT_TRUE(books.GetExpectations()->AllPass());
}

TEST_F(EsxCoexistenceTest, NetAnimDrawsGuests)
{
    path = "esx-coexistence-anim.xml";
    Echo();
    MobilityHelper mobility; // NetAnim wants places
    mobility.SetMobilityModel("ns3::ConstantPositionMobilityModel");
    mobility.InstallAll();
    {
        AnimationInterface animation(path);
        Run();
        Simulator::Destroy();
    }
    const std::string text = Read();
    EXPECT_NE(text.find("<node id=\"" + std::to_string(guests.Get(0)->GetId()) + "\""),
              std::string::npos);
    EXPECT_NE(text.find("</anim>"), std::string::npos);
}

TEST_F(EsxCoexistenceTest, AsciiTraceHasALineForEachFrame)
{
    path = "esx-coexistence.tr";
    Echo();
    esx.EnableAscii(AsciiTraceHelper().CreateFileStream(path), vnics);
    Run();
    std::istringstream lines(Read());
    uint32_t sent = 0;
    uint32_t received = 0;
    const auto context = "/NodeList/" + std::to_string(guests.Get(0)->GetId()) + "/DeviceList/";
    for (std::string line; std::getline(lines, line);)
    {
        const bool isOurs = line.find(context) != std::string::npos;
        const bool isEcho = line.find("UdpHeader") != std::string::npos;
        sent += line[0] == '-' && isOurs && isEcho;
        received += line[0] == 'r' && isOurs && isEcho;
    }
    EXPECT_EQ(sent, 5u);
    EXPECT_EQ(received, 5u);
}

TEST_F(EsxCoexistenceTest, AsciiTraceOfADeviceHasAFileOfItsOwn)
{
    Echo();
    path = "esx-coexistence-" + std::to_string(guests.Get(0)->GetId()) + "-0.tr";
    esx.EnableAscii("esx-coexistence", vnics.Get(0));
    Run();
    EXPECT_NE(Read().find("UdpHeader"), std::string::npos);
}

TEST_F(EsxCoexistenceTest, InstallGivesContainersInOrder)
{
    EXPECT_EQ(hosts.GetN(), 1u);
    EXPECT_EQ(hosts.Get(0)->GetName(), "esx1");
    EXPECT_EQ(hosts.GetVmkernelNodes().Get(0), host->GetVmkernelNode());
    ASSERT_EQ(hosts.GetGuests().GetN(), 2u);
    EXPECT_EQ(hosts.GetGuests().Get(1), guests.Get(1));
    EXPECT_EQ(vnics.Get(1)->GetNode(), guests.Get(1));
    const NetDeviceContainer more = esx.Install(guests, host, "VM Network");
    EXPECT_EQ(host->GetGuests().size(), 2u) << "a guest of the host gets one more vNIC";
    EXPECT_EQ(host->GetGuests()[0].vnics[1], more.Get(0));
    EsxHostContainer twice(host);
    twice.Add(twice);
    EXPECT_EQ(std::distance(twice.Begin(), twice.End()), 2);
}

TEST_F(EsxCoexistenceTest, AssignStreamsCountsThoseOfVmkernelAndGuests)
{
    const int64_t used = esx.AssignStreams(hosts, 10);
    EXPECT_GT(used, 0);
    EXPECT_EQ(esx.AssignStreams(hosts, 10), used) << "the same again";
}
