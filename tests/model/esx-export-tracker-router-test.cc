// SPDX-License-Identifier: GPL-2.0-only
// Losses at a router on the way to a collector in another subnet.
#include "export-tracker-fixture.h"

#include "ns3/boolean.h"
#include "ns3/ipv4-global-routing.h"
#include "ns3/ipv4-list-routing.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/ipv4-static-routing.h"
#include "ns3/names.h"
#include "ns3/traffic-control-helper.h"

using namespace ns3;

namespace
{

class EsxExportTrackerRouterTest : public EsxExportTrackerTest
{
  protected:
    /// A router between 10.0.0.0/24 and 10.0.2.0/24 with a second collector at 10.0.2.9; the
    /// devices are those of the second link.
    NetDeviceContainer AddRouter(bool queueDisc)
    {
        router = CreateObject<Node>();
        Names::Add("router", router);
        Ptr<Node> remote = CreateObject<Node>();
        Names::Add("remote", remote);
        InternetStackHelper().Install(NodeContainer(router, remote));
        Ptr<CsmaNetDevice> near =
            Csma(csma.Install(router, DynamicCast<CsmaChannel>(wire.Get(0)->GetChannel())).Get(0));
        Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.1").Assign(NetDeviceContainer(near));
        CsmaHelper slow;
        slow.SetChannelAttribute("DataRate", StringValue("1Mbps"));
        slow.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("1p"));
        NetDeviceContainer link = slow.Install(NodeContainer(router, remote));
        TrafficControlHelper control;
        if (queueDisc)
        {
            control.SetRootQueueDisc("ns3::FifoQueueDisc", "MaxSize", StringValue("2p"));
            control.Install(link);
        }
        Ipv4AddressHelper addresses("10.0.2.0", "255.255.255.0", "0.0.0.1");
        addresses.Assign(link.Get(0));
        Ipv4AddressHelper("10.0.2.0", "255.255.255.0", "0.0.0.9").Assign(link.Get(1));
        if (!queueDisc)
        {
            control.Uninstall(link); // the address helper put its default there
        }
        Ipv4StaticRoutingHelper()
            .GetStaticRouting(remote->GetObject<Ipv4>())
            ->SetDefaultRoute("10.0.2.1", 1);
        netflow.InstallCollector(remote);
        esx.AddVmknic(host, "vmk0", "VM Network", Address("10.0.0.5"), Ipv4Address("10.0.0.1"));
        return link;
    }

    Ptr<Node> router;
};

/// Global routing keeps a route whose interface is down, and ns-3 drops there without a word.
TEST_F(EsxExportTrackerRouterTest, RouteThatOutlivesItsInterfaceLoses)
{
    netflow.Install(host);
    AddRouter(true);
    Start("vSwitch0", "10.0.2.9");
    SendThree();
    const Ptr<Ipv4> ipv4 = router->GetObject<Ipv4>();
    const auto global = CreateObject<Ipv4GlobalRouting>();
    global->SetIpv4(ipv4);
    global->AddHostRouteTo("10.0.2.9", 2);
    DynamicCast<Ipv4ListRouting>(ipv4->GetRoutingProtocol())->AddRoutingProtocol(global, 10);
    At(Seconds(30), [&] { ipv4->SetDown(2); });
    At(Seconds(50), [&] { ipv4->SetUp(2); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_NETWORK, "router");
}

/// \param 1: that towards the host, 2: that towards the collector
class EsxRouterInterfaceTest : public EsxExportTrackerRouterTest,
                               public ::testing::WithParamInterface<uint32_t>
{
};

TEST_P(EsxRouterInterfaceTest, ThatIsDownLoses)
{
    netflow.Install(host);
    AddRouter(true);
    Start("vSwitch0", "10.0.2.9");
    SendThree();
    const Ptr<Ipv4> ipv4 = router->GetObject<Ipv4>();
    At(Seconds(30), [&] { ipv4->SetDown(GetParam()); });
    At(Seconds(50), [&] { ipv4->SetUp(GetParam()); });
    RunUntil(Seconds(90));
    ASSERT_EQ(Datagrams().size(), 3u);
    EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
    // Its own interface's route goes with it; what comes in by an interface that is down is
    // dropped.
    EXPECT_EQ(Datagrams()[1].fate, GetParam() == 1 ? Move::LOST_NETWORK : Move::LOST_NO_ROUTE);
    EXPECT_EQ(Datagrams()[1].place, "router");
}

INSTANTIATE_TEST_SUITE_P(Sides, EsxRouterInterfaceTest, ::testing::Values(1U, 2U));

TEST_F(EsxExportTrackerRouterTest, FullQueueDiscOfARouterLoses)
{
    netflow.Install(host);
    AddRouter(true);
    Start("vSwitch0", "10.0.2.9");
    RunBurst();
    // One on the wire, one in the device's queue, two in the queue disc.
    EXPECT_EQ(Records(Move::LOST_QUEUE_DISC), 180u);
    EXPECT_EQ(Records(Move::RECEIVED), 121u);
    EXPECT_EQ(Datagrams()[8].place, "router");
}

TEST_F(EsxExportTrackerRouterTest, FullDeviceQueueOfARouterLoses)
{
    netflow.Install(host);
    AddRouter(false);
    Start("vSwitch0", "10.0.2.9");
    RunBurst();
    EXPECT_EQ(Records(Move::LOST_DEVICE_QUEUE), 240u);
    EXPECT_EQ(Datagrams()[8].place, "router");
}

TEST_F(EsxExportTrackerRouterTest, RouterWithoutARouteLoses)
{
    netflow.Install(host);
    AddRouter(true);
    Start("vSwitch0", "10.9.9.9");
    Send(Seconds(1), 1);
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_NO_ROUTE), 1u);
    EXPECT_EQ(Datagrams()[0].place, "router");
}

TEST_F(EsxExportTrackerRouterTest, NodeThatMayNotForwardLoses)
{
    netflow.Install(host);
    AddRouter(true);
    router->GetObject<Ipv4>()->SetAttribute("IpForward", BooleanValue(false));
    Start("vSwitch0", "10.0.2.9");
    Send(Seconds(1), 1);
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_NO_ROUTE), 1u);
}

} // namespace
