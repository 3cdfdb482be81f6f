// SPDX-License-Identifier: GPL-2.0-only
// Where export datagrams die: each cause on its own, told by the object where it happened.
#include "netflow-fixture.h"

#include "ns3/boolean.h"
#include "ns3/bridge-helper.h"
#include "ns3/double.h"
#include "ns3/error-model.h"
#include "ns3/esx-export-tag.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/fifo-queue-disc.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/ipv4-static-routing.h"
#include "ns3/names.h"
#include "ns3/queue-size.h"
#include "ns3/simple-channel.h"
#include "ns3/simple-net-device.h"
#include "ns3/tbf-queue-disc.h"
#include "ns3/traffic-control-helper.h"
#include "ns3/traffic-control-layer.h"
#include "ns3/udp-socket-factory.h"

#include <functional>

using namespace ns3;
using netflow::Move;

namespace
{

Ptr<CsmaNetDevice>
Csma(const Ptr<NetDevice>& device)
{
    return DynamicCast<CsmaNetDevice>(device);
}

/// Every packet is corrupt while enabled.
Ptr<ErrorModel>
MakeNoise()
{
    Ptr<RateErrorModel> noise = CreateObject<RateErrorModel>();
    noise->SetUnit(RateErrorModel::ERROR_UNIT_PACKET);
    noise->SetRate(1);
    noise->Disable();
    return noise;
}

class EsxExportTrackerTest : public NetflowTest
{
  protected:
    /// Three datagrams: one that warms up ARP, one sent at 41 s, one sent at 71 s.
    void SendThree()
    {
        Send(Seconds(1), 1);
        Send(Seconds(25), 2);
        Send(Seconds(55), 3);
    }

    /// Only the second of SendThree()'s datagrams died, of this cause and there.
    void ExpectSecondDied(Move cause, const std::string& place)
    {
        ASSERT_EQ(Datagrams().size(), 3u);
        EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
        EXPECT_EQ(Datagrams()[1].fate, cause);
        EXPECT_EQ(Datagrams()[1].place, place);
        EXPECT_EQ(Datagrams()[2].fate, Move::RECEIVED);
        EXPECT_EQ(Records(cause), 1u);
        EXPECT_EQ(Records(Move::RECEIVED), 2u);
    }

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

TEST_F(EsxExportTrackerTest, ArrivedDatagramIsReceived)
{
    AddExport();
    Start();
    SendThree();
    std::vector<Time> exported;
    books.InstallAll()->GetTracker()->TraceConnectWithoutContext(
        "Exported",
        Callback<void, const EsxExportDatagram&, Ptr<const Packet>>(
            [&](const EsxExportDatagram& datagram, Ptr<const Packet> packet) {
                EXPECT_EQ(packet->GetSize(), 28u + 24u + 48u * datagram.records);
                exported.push_back(Simulator::Now());
            }));
    RunUntil(Seconds(90));
    ASSERT_EQ(Datagrams().size(), 3u);
    ASSERT_EQ(exported.size(), 3u);
    for (int i = 0; i < 3; ++i)
    {
        const EsxExportDatagram& datagram = Datagrams()[i];
        EXPECT_EQ(datagram.number, static_cast<uint64_t>(i));
        EXPECT_EQ(datagram.fate, Move::RECEIVED);
        EXPECT_EQ(datagram.copies, 1u);
        EXPECT_EQ(datagram.place, "node1");
        EXPECT_EQ(datagram.exportedAt, exported[i]);
        EXPECT_EQ(datagram.concludedAt, read[i].at);
        EXPECT_EQ(datagram.packets, 1u);
        EXPECT_EQ(datagram.octets, 100u);
    }
    EXPECT_GT(Datagrams()[0].exportedAt, Datagrams()[0].sentAt); // waited for ARP
    EXPECT_EQ(Datagrams()[1].exportedAt, Datagrams()[1].sentAt);
}

TEST_F(EsxExportTrackerTest, WithoutARouteTheSocketRefuses)
{
    AddExport();
    const Ptr<EsxNetNetflow> process = Start("vSwitch0", "172.16.0.1");
    Send(Seconds(1), 1);
    RunUntil(Seconds(30));
    ASSERT_EQ(Datagrams().size(), 1u);
    EXPECT_EQ(Datagrams()[0].fate, Move::SEND_FAILED);
    EXPECT_EQ(Records(Move::SEND_FAILED), 1u);
    EXPECT_EQ(Records(Move::SENT), 0u);
    EXPECT_EQ(process->GetLossesNoticed(), 1u);
    EXPECT_EQ(output, "net-netflow: 1 UDP packets to the collector were lost: 1 no route\n");
}

TEST_F(EsxExportTrackerTest, ArpWithoutAnswerLoses)
{
    AddExport();
    Start("vSwitch0", "10.0.0.77");
    Send(Seconds(1), 1);  // sent at 17 s, given up 4 s later
    Send(Seconds(10), 2); // sent at 26 s, given up 4 s later, too
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_ARP), 2u);
    EXPECT_EQ(Datagrams()[0].place, "node0");
    EXPECT_GT(Datagrams()[0].concludedAt, Seconds(20));
    EXPECT_EQ(Datagrams()[1].concludedAt - Datagrams()[1].sentAt, Seconds(4));
    EXPECT_TRUE(Datagrams()[0].exportedAt.IsStrictlyNegative());
}

/// A way to cut the link to the collector and to mend it.
struct Cut
{
    const char* name;
    std::function<void(NetflowLab&, bool)> set;
    const char* place;
};

class LinkCutTest : public EsxExportTrackerTest, public ::testing::WithParamInterface<Cut>
{
};

TEST_P(LinkCutTest, LosesToTheLinkAndNothingElse)
{
    AddExport();
    Start();
    SendThree();
    At(Seconds(40), [this] { GetParam().set(*this, true); });
    At(Seconds(50), [this] { GetParam().set(*this, false); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_LINK_DOWN, GetParam().place);
}

Ptr<CsmaChannel>
CableOf(NetflowLab& lab)
{
    return DynamicCast<CsmaChannel>(lab.wire.Get(0)->GetChannel());
}

void
SetAttached(NetflowLab& lab, uint32_t end, bool attached)
{
    attached ? CableOf(lab)->Reattach(Csma(lab.wire.Get(end)))
             : CableOf(lab)->Detach(Csma(lab.wire.Get(end)));
}

INSTANTIATE_TEST_SUITE_P(
    Ways,
    LinkCutTest,
    ::testing::Values(Cut{"Uplink",
                          [](NetflowLab& lab, bool cut) {
                              lab.host->GetUplink("vmnic0")->SetDown(cut);
                          },
                          "esx1/vSwitch0"},
                      Cut{"NearEndDetached",
                          [](NetflowLab& lab, bool cut) { SetAttached(lab, 0, !cut); },
                          "node0"},
                      Cut{"FarEndDetached",
                          [](NetflowLab& lab, bool cut) { SetAttached(lab, 1, !cut); },
                          "node0"},
                      Cut{"SenderOff",
                          [](NetflowLab& lab, bool cut) {
                              lab.wire.Get(0)->SetAttribute("SendEnable", BooleanValue(!cut));
                          },
                          "node0"},
                      Cut{"ReceiverOff",
                          [](NetflowLab& lab, bool cut) {
                              lab.wire.Get(1)->SetAttribute("ReceiveEnable", BooleanValue(!cut));
                          },
                          "node1"}),
    [](const ::testing::TestParamInfo<Cut>& info) { return info.param.name; });

TEST_F(EsxExportTrackerTest, DetachedVmknicLosesToTheLink)
{
    AddExport();
    Start();
    Send(Seconds(1), 1);
    Send(Seconds(25), 2);
    At(Seconds(40), [this] { vSwitch->Disconnect(host->GetVmknic("vmk0")->GetPortId()); });
    RunUntil(Seconds(90));
    // Its ARP cache went with the link: the datagram waits in vain for an answer.
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_ARP);
}

TEST_F(EsxExportTrackerTest, FullDeviceQueueLoses)
{
    AddExport();
    Csma(wire.Get(0))->GetQueue()->SetMaxSize(QueueSize("1p"));
    Start();
    Send(Seconds(1), 1);
    Burst(Seconds(20), 101, 300);
    RunUntil(Seconds(60));
    // One is on the wire, one waits, eight are lost.
    EXPECT_EQ(Records(Move::LOST_DEVICE_QUEUE), 240u);
    EXPECT_EQ(Records(Move::RECEIVED), 61u);
    EXPECT_EQ(Datagrams()[3].place, "node0");
    EXPECT_EQ(vSwitch->GetTotals().Drops(EsxDropCause::UPLINK_REFUSED), 8u);
}

TEST_F(EsxExportTrackerTest, UplinkThatRefusesAndTellsNobodyLosesToTheDeviceQueue)
{
    esx.AddVSwitch(host, "out")->AddPortGroup("Management");
    Ptr<Node> remote = CreateObject<Node>();
    InternetStackHelper().Install(remote);
    const Ptr<SimpleChannel> channel = CreateObject<SimpleChannel>();
    NetDeviceContainer ends; // devices without a trace of what their queue has no room for
    for (const Ptr<Node>& node : {host->GetVmkernelNode(), remote})
    {
        const Ptr<SimpleNetDevice> device = CreateObject<SimpleNetDevice>();
        device->SetAddress(Mac48Address::Allocate());
        device->SetAttribute("DataRate", StringValue("1Mbps"));
        device->GetQueue()->SetMaxSize(QueueSize("1p"));
        device->SetChannel(channel);
        node->AddDevice(device);
        ends.Add(device);
    }
    host->AddUplink(host->GetVSwitch("out"), ends.Get(0));
    Ipv4AddressHelper("10.0.3.0", "255.255.255.0", "0.0.0.9").Assign(ends.Get(1));
    esx.AddVmknic(host, "vmk0", "Management", Address("10.0.3.5"));
    netflow.InstallCollector(remote);
    netflow.Install(host);
    Start("vSwitch0", "10.0.3.9");
    Send(Seconds(1), 1); // finds the collector's address
    Burst(Seconds(20), 101, 300);
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_DEVICE_QUEUE), 240u); // one is on the wire, one waits
    EXPECT_EQ(Records(Move::RECEIVED), 61u);
    EXPECT_EQ(Datagrams()[3].place, "esx1/out");
}

TEST_F(EsxExportTrackerTest, MediumThatIsNeverFreeLosesToTheChannel)
{
    AddExport();
    Start();
    SendThree();
    Csma(wire.Get(0))->SetBackoffParams(MicroSeconds(1), 1, 10, 5, 10);
    const Ptr<CsmaChannel> channel = CableOf(*this);
    At(Seconds(40), [&] { channel->TransmitStart(Create<Packet>(100), 1); });
    At(Seconds(50), [&] { channel->TransmitEnd(); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_CHANNEL_ERROR, "node0"); // after five tries
}

TEST_F(EsxExportTrackerTest, FullQueueDiscOfARouterLoses)
{
    netflow.Install(host);
    AddRouter(true);
    Start("vSwitch0", "10.0.2.9");
    Send(Seconds(1), 1);
    Burst(Seconds(20), 101, 300);
    RunUntil(Seconds(60));
    // One on the wire, one in the device's queue, two in the queue disc.
    EXPECT_EQ(Records(Move::LOST_QUEUE_DISC), 180u);
    EXPECT_EQ(Records(Move::RECEIVED), 121u);
    EXPECT_EQ(Datagrams()[8].place, "router");
}

TEST_F(EsxExportTrackerTest, FullDeviceQueueOfARouterLoses)
{
    netflow.Install(host);
    AddRouter(false);
    Start("vSwitch0", "10.0.2.9");
    Send(Seconds(1), 1);
    Burst(Seconds(20), 101, 300);
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_DEVICE_QUEUE), 240u);
    EXPECT_EQ(Datagrams()[8].place, "router");
}

TEST_F(EsxExportTrackerTest, RouterWithoutARouteLoses)
{
    netflow.Install(host);
    AddRouter(true);
    Start("vSwitch0", "10.9.9.9");
    Send(Seconds(1), 1);
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_NO_ROUTE), 1u);
    EXPECT_EQ(Datagrams()[0].place, "router");
}

TEST_F(EsxExportTrackerTest, NodeThatMayNotForwardLoses)
{
    netflow.Install(host);
    AddRouter(true);
    router->GetObject<Ipv4>()->SetAttribute("IpForward", BooleanValue(false));
    Start("vSwitch0", "10.0.2.9");
    Send(Seconds(1), 1);
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_NO_ROUTE), 1u);
}

TEST_F(EsxExportTrackerTest, CollectorsInterfaceDownLoses)
{
    AddExport();
    Start();
    SendThree();
    const Ptr<Ipv4> ipv4 = collectorNode->GetObject<Ipv4>();
    At(Seconds(40), [&] { ipv4->SetDown(1); });
    At(Seconds(50), [&] { ipv4->SetUp(1); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_NETWORK, "node1");
}

TEST_F(EsxExportTrackerTest, NoiseLoses)
{
    AddExport();
    const Ptr<ErrorModel> noise = MakeNoise();
    Csma(wire.Get(1))->SetReceiveErrorModel(noise);
    Start();
    SendThree();
    At(Seconds(40), [&] { noise->Enable(); });
    At(Seconds(50), [&] { noise->Disable(); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_CHANNEL_ERROR, "node1");
}

TEST_F(EsxExportTrackerTest, DelayedDatagramIsInFlightUntilItArrives)
{
    AddExport();
    const Ptr<EsxLinkImpairment> impairment = CreateObject<EsxLinkImpairment>();
    impairment->Install(Csma(wire.Get(1)), Csma(wire.Get(0)));
    impairment->SetAttribute("ReorderDelay", TimeValue(Seconds(5)));
    Start();
    SendThree();
    At(Seconds(40), [&] { impairment->SetAttribute("Reorder", DoubleValue(1)); });
    At(Seconds(43), [&] {
        impairment->SetAttribute("Reorder", DoubleValue(0));
        EXPECT_EQ(Datagrams()[1].fate, Move::SENT);
    });
    RunUntil(Seconds(90));
    EXPECT_EQ(impairment->GetReordered(), 1u);
    EXPECT_EQ(Records(Move::RECEIVED), 3u);
    EXPECT_EQ(Records(Move::LOST_CHANNEL_ERROR), 0u);
    EXPECT_EQ(Datagrams()[1].concludedAt - Datagrams()[1].sentAt > Seconds(5), true);
}

TEST_F(EsxExportTrackerTest, CorruptBitsLose)
{
    AddExport();
    const Ptr<EsxLinkImpairment> impairment = CreateObject<EsxLinkImpairment>();
    impairment->Install(Csma(wire.Get(1)), Csma(wire.Get(0)));
    Start();
    SendThree();
    At(Seconds(40), [&] { impairment->SetAttribute("BitErrors", DoubleValue(1)); });
    At(Seconds(50), [&] { impairment->SetAttribute("BitErrors", DoubleValue(0)); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_CHANNEL_ERROR, "node1");
}

TEST_F(EsxExportTrackerTest, FullQueueDiscOfAnUplinkLoses)
{
    AddExport();
    Csma(wire.Get(0))->GetQueue()->SetMaxSize(QueueSize("1p"));
    const Ptr<QueueDisc> disc = CreateObject<FifoQueueDisc>();
    disc->SetMaxSize(QueueSize("3p"));
    host->GetUplinks()[0]->SetQueueDisc(disc);
    Start();
    Send(Seconds(1), 1);
    Burst(Seconds(20), 101, 300);
    RunUntil(Seconds(60));
    // One is on the wire, one waits in the device, three in the queue disc, five are lost.
    EXPECT_EQ(Records(Move::LOST_QUEUE_DISC), 150u);
    EXPECT_EQ(Records(Move::LOST_DEVICE_QUEUE), 0u);
    EXPECT_EQ(Records(Move::RECEIVED), 151u);
    EXPECT_EQ(Datagrams().back().place, "esx1/vmnic0");
}

TEST_F(EsxExportTrackerTest, TokenBucketOfTheVmknicLoses)
{
    AddExport();
    const Ptr<QueueDisc> bucket = CreateObject<TbfQueueDisc>();
    bucket->SetAttribute("Rate", DataRateValue(DataRate("100kbps")));
    bucket->SetAttribute("Burst", UintegerValue(2000));
    bucket->SetAttribute("MaxSize", QueueSizeValue(QueueSize("2p")));
    host->GetVmkernelNode()->GetObject<TrafficControlLayer>()->SetRootQueueDiscOnDevice(
        host->GetVmknic("vmk0"),
        bucket);
    Start();
    Send(Seconds(1), 1);
    Burst(Seconds(20), 101, 300);
    RunUntil(Seconds(60));
    EXPECT_GE(Records(Move::LOST_QUEUE_DISC), 180u);
    EXPECT_EQ(Records(Move::LOST_QUEUE_DISC) + Records(Move::RECEIVED), 301u);
}

TEST_F(EsxExportTrackerTest, CollectorThatRestartsRefusesMeanwhileAndForgetsSequences)
{
    AddExport();
    Start();
    SendThree();
    At(Seconds(40), [this] { collector->SetDown(true); });
    At(Seconds(50), [this] { collector->SetDown(false); });
    RunUntil(Seconds(90));
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_REFUSED);
    EXPECT_EQ(Datagrams().back().fate, Move::RECEIVED);
    EXPECT_EQ(collector->GetTotals().sequenceFailures, 0u);
}

TEST_F(EsxExportTrackerTest, CollectorThatDoesNotRunRefuses)
{
    AddExport();
    collector->SetStopTime(Seconds(40));
    At(Seconds(50), [this] { AddCollector(); });
    const Ptr<EsxNetNetflow> process = Start();
    SendThree();
    RunUntil(Seconds(60));
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_REFUSED);
    EXPECT_EQ(Datagrams()[1].place, "node1");
    EXPECT_EQ(process->GetLossesNoticed(), 1u);
    RunUntil(Seconds(90));
    // It went on exporting (the ICMP error is a flow as well). Nobody watches a collector that
    // appeared during the run: in flight.
    ASSERT_EQ(Datagrams().size(), 4u);
    EXPECT_EQ(Datagrams()[3].fate, Move::SENT);
    EXPECT_EQ(read.size(), 3u);
}

TEST_F(EsxExportTrackerTest, UplinkWithASmallMtuLosesAtThePort)
{
    AddExport();
    Start();
    Send(Seconds(1), 1);
    Burst(Seconds(20), 101, 30);
    Csma(wire.Get(0))->SetMtu(1000);
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_PORT), 30u);
    EXPECT_EQ(Datagrams()[1].place, "esx1/vSwitch0");
}

TEST_F(EsxExportTrackerTest, GarbledDatagramIsLostAtTheDecoder)
{
    AddExport();
    Start();
    SendThree();
    At(Seconds(40), [this] { SetAttached(*this, 1, false); });
    At(Seconds(50), [this] {
        SetAttached(*this, 1, true);
        // The second datagram arrives after all, damaged.
        const Ptr<Socket> socket =
            Socket::CreateSocket(a->GetNode(), UdpSocketFactory::GetTypeId());
        socket->Connect(InetSocketAddress("10.0.0.9", COLLECTOR_PORT));
        const Ptr<Packet> packet = Create<Packet>(40);
        packet->AddPacketTag(EsxExportTag(host->GetVmkernelNode()->GetId(), 1));
        socket->Send(packet);
    });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_NOT_DECODED, "node1");
    EXPECT_EQ(Records(Move::LOST_LINK_DOWN), 0u);
}

TEST_F(EsxExportTrackerTest, DatagramUnderWayAtTheEndIsInFlight)
{
    csma.SetChannelAttribute("Delay", TimeValue(Seconds(5)));
    wire.Get(0)->GetChannel()->SetAttribute("Delay", TimeValue(Seconds(2)));
    AddExport();
    host->GetVmkernelNode(); // its first ARP request takes 4 s: its answer comes in time
    Start();
    Send(Seconds(1), 1);
    RunUntil(MilliSeconds(17500));
    ASSERT_EQ(Datagrams().size(), 1u);
    EXPECT_EQ(Datagrams()[0].fate, Move::SENT);
    EXPECT_EQ(books.GetLedger()->GetFlows()[0].losses.at("in_flight").records, 1u);
}

TEST_F(EsxExportTrackerTest, DuplicateCountsOnce)
{
    AddExport();
    Start();
    bool again = true;
    const Ptr<Ipv4L3Protocol> ipv4 = collectorNode->GetObject<Ipv4L3Protocol>();
    ipv4->TraceConnectWithoutContext("Rx",
                                     Callback<void, Ptr<const Packet>, Ptr<Ipv4>, uint32_t>(
                                         [&](Ptr<const Packet> packet, Ptr<Ipv4>, uint32_t) {
                                             if (again)
                                             {
                                                 again = false;
                                                 Simulator::Schedule(MilliSeconds(1),
                                                                     &Ipv4L3Protocol::Receive,
                                                                     ipv4,
                                                                     wire.Get(1),
                                                                     packet->Copy(),
                                                                     IPV4,
                                                                     wire.Get(0)->GetAddress(),
                                                                     wire.Get(1)->GetAddress(),
                                                                     NetDevice::PACKET_HOST);
                                             }
                                         }));
    Send(Seconds(1), 1);
    RunUntil(Seconds(30));
    ASSERT_EQ(Datagrams().size(), 1u);
    EXPECT_EQ(Datagrams()[0].copies, 2u);
    EXPECT_EQ(Records(Move::RECEIVED), 1u);
    EXPECT_EQ(collector->GetTotals().datagrams, 2u);
    EXPECT_EQ(collector->GetTotals().sequenceFailures, 1u);
}

/// A bridge between the host, the collector and a bystander that forgets at once where the
/// collector is: each datagram is flooded. The bystander hears only noise, and that before the
/// collector hears.
class FloodTest : public EsxExportTrackerTest
{
  protected:
    FloodTest()
    {
        const Ptr<Node> bridge = CreateObject<Node>();
        Names::Add("bridge", bridge);
        bystander = CreateObject<Node>();
        Names::Add("bystander", bystander);
        InternetStackHelper().Install(bystander);
        // The collector leaves the host's cable for one of its own.
        SetAttached(*this, 1, false);
        NetDeviceContainer ports;
        ports.Add(csma.Install(bridge, CableOf(*this)));
        csma.SetChannelAttribute("Delay", TimeValue(MilliSeconds(1)));
        toCollector = csma.Install(NodeContainer(bridge, collectorNode));
        csma.SetChannelAttribute("Delay", TimeValue(Time(0)));
        toBystander = csma.Install(NodeContainer(bridge, bystander));
        ports.Add(toCollector.Get(0));
        ports.Add(toBystander.Get(0));
        BridgeHelper helper;
        helper.SetDeviceAttribute("ExpirationTime", TimeValue(Seconds(0)));
        helper.Install(bridge, ports);
        const Ptr<Ipv4> ipv4 = collectorNode->GetObject<Ipv4>();
        ipv4->RemoveAddress(1, 0);
        const uint32_t interface = ipv4->AddInterface(toCollector.Get(1));
        ipv4->AddAddress(interface, Address("10.0.0.9"));
        ipv4->SetUp(interface);
        Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.8").Assign(toBystander.Get(1));
        noise = MakeNoise();
        noise->Enable();
        Csma(toBystander.Get(1))->SetReceiveErrorModel(noise);
        AddExport();
    }

    Ptr<Node> bystander;
    NetDeviceContainer toCollector; //!< 0: the bridge's port, 1: the collector's NIC
    NetDeviceContainer toBystander;
    Ptr<ErrorModel> noise;
};

TEST_F(FloodTest, CopyThatDiesElsewhereIsNoLoss)
{
    Start();
    SendThree();
    RunUntil(Seconds(90));
    for (const EsxExportDatagram& datagram : Datagrams())
    {
        EXPECT_EQ(datagram.fate, Move::RECEIVED);
    }
    EXPECT_EQ(Records(Move::RECEIVED), 3u);
    EXPECT_EQ(Records(Move::LOST_CHANNEL_ERROR), 0u);
}

TEST_F(FloodTest, DeathOfTheCollectorsCopyCounts)
{
    collector->SetStopTime(Seconds(40));
    Start();
    Send(Seconds(1), 1);
    Send(Seconds(25), 2);
    RunUntil(Seconds(60));
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_REFUSED);
    EXPECT_EQ(Records(Move::LOST_CHANNEL_ERROR), 0u);
}

TEST_F(FloodTest, LastDeathCounts)
{
    const Ptr<ErrorModel> deafness = MakeNoise();
    Csma(toCollector.Get(1))->SetReceiveErrorModel(deafness);
    Start();
    Send(Seconds(1), 1);
    Send(Seconds(25), 2);
    At(Seconds(40), [&] { deafness->Enable(); });
    RunUntil(Seconds(60));
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_CHANNEL_ERROR);
    EXPECT_EQ(Datagrams()[1].place, "node1");
    EXPECT_EQ(Records(Move::LOST_CHANNEL_ERROR), 1u);
}

TEST_F(FloodTest, WhatAnotherHostsSwitchDoesNotWantIsNoLoss)
{
    const Ptr<EsxHost> other = esx.CreateHost("esx2");
    const Ptr<EsxVSwitch> second = esx.AddVSwitch(other, "vSwitch0");
    second->AddPortGroup("VM Network");
    const Ptr<CsmaChannel> cable = DynamicCast<CsmaChannel>(toBystander.Get(0)->GetChannel());
    cable->SetAttribute("Delay", TimeValue(MilliSeconds(2))); // the last to hear
    other->AddUplink(second, csma.Install(other->GetVmkernelNode(), cable).Get(0));
    noise->Disable();
    const Ptr<ErrorModel> deafness = MakeNoise();
    Csma(toCollector.Get(1))->SetReceiveErrorModel(deafness);
    Start();
    Send(Seconds(1), 1);
    Send(Seconds(25), 2);
    At(Seconds(40), [&] { deafness->Enable(); });
    RunUntil(Seconds(60));
    EXPECT_GT(second->GetTotals().Drops(EsxDropCause::UNKNOWN_UNICAST), 0u);
    EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_CHANNEL_ERROR);
}

/// The collector is a virtual machine of a second host that has no NetFlow.
TEST_F(EsxExportTrackerTest, OtherHostsSwitchTellsOfItsDrops)
{
    const Ptr<EsxHost> other = esx.CreateHost("esx2");
    const Ptr<EsxVSwitch> second = esx.AddVSwitch(other, "vSwitch0");
    second->AddPortGroup("VM Network");
    other->AddUplink(second, csma.Install(other->GetVmkernelNode(), CableOf(*this)).Get(0));
    const Ptr<Node> vm = esx.AddVm(other, "collector");
    const Ptr<EsxVnic> vnic = esx.AddVnic(other, "collector", "VM Network", Address("10.0.0.20"));
    netflow.InstallCollector(vm);
    AddVmknic();
    netflow.Install(host);
    Start("vSwitch0", "10.0.0.20");
    Send(Seconds(1), 1);
    Send(Seconds(25), 2);
    At(Seconds(40), [&] { second->Disconnect(vnic->GetPortId()); });
    RunUntil(Seconds(60));
    EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_PORT);
    EXPECT_EQ(Datagrams()[1].place, "esx2/vSwitch0");
}

TEST_F(EsxExportTrackerTest, NodesGoByTheirNames)
{
    EXPECT_EQ(EsxNodeName(collectorNode), "node1");
    Names::Add("ntop", collectorNode);
    EXPECT_EQ(EsxNodeName(collectorNode), "ntop");
}

} // namespace
