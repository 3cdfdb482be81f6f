// SPDX-License-Identifier: GPL-2.0-only
// Where export datagrams die: each cause on its own, told by the object where it happened. Links,
// routers, switches and copies have files of their own.
#include "export-tracker-fixture.h"

#include "ns3/esx-export-tag.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/packet-sink-helper.h"
#include "ns3/udp-socket-factory.h"

using namespace ns3;

namespace
{

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
                EXPECT_EQ(packet->GetSize(), 28u + 24u + 48u * datagram.counts.records);
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
        EXPECT_EQ(datagram.counts.packets, 1u);
        EXPECT_EQ(datagram.counts.octets, 100u);
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

TEST_F(EsxExportTrackerTest, WhatWaitsForArpIsLostWithTheLink)
{
    AddExport();
    Start("vSwitch0", "10.0.0.77"); // nobody
    Send(Seconds(1), 1);            // sent at 17 s
    At(Seconds(18), [this] { vSwitch->Disconnect(host->GetVmknic("vmk0")->GetPortId()); });
    RunUntil(Seconds(60));
    ASSERT_EQ(Datagrams().size(), 1u);
    EXPECT_EQ(Datagrams()[0].fate, Move::LOST_NETWORK);
    EXPECT_EQ(Datagrams()[0].place, "node0");
    EXPECT_EQ(Datagrams()[0].concludedAt, Seconds(18));
}

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
    // It went on exporting (the ICMP error is a flow as well), to a collector that appeared during
    // the run.
    ASSERT_EQ(Datagrams().size(), 4u);
    EXPECT_EQ(Datagrams()[3].fate, Move::RECEIVED);
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
    At(Seconds(40), [this] { SetAttached(1, false); });
    At(Seconds(50), [this] {
        SetAttached(1, true);
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
    EXPECT_EQ(books.GetLedger()->GetFlows()[0].left.at("in_flight").records, 1u);
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

/// The collector is a virtual machine of a second host that has no NetFlow.
TEST_F(EsxExportTrackerTest, OtherHostsSwitchTellsOfItsDrops)
{
    const Ptr<EsxHost> other = esx.CreateHost("esx2");
    const Ptr<EsxVSwitch> second = esx.AddVSwitch(other, "vSwitch0");
    second->AddPortGroup("VM Network");
    other->AddUplink(second, csma.Install(other->GetVmkernelNode(), Cable()).Get(0));
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

/// A script's own application collects, or ns-3's PacketSink.
TEST_F(EsxExportTrackerTest, AnotherApplicationsSocketReceives)
{
    AddVmknic();
    netflow.Install(host);
    PacketSinkHelper sink("ns3::UdpSocketFactory",
                          InetSocketAddress(Ipv4Address::GetAny(), COLLECTOR_PORT));
    sink.Install(collectorNode);
    Start();
    Send(Seconds(1), 1);
    RunUntil(Seconds(40));
    ASSERT_EQ(Datagrams().size(), 1u);
    EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
    EXPECT_EQ(Datagrams()[0].place, "node1");
    EXPECT_EQ(Datagrams()[0].copies, 1u);
}

TEST_F(EsxExportTrackerTest, WhatAnotherApplicationsSocketHasNoRoomForIsLost)
{
    AddVmknic();
    netflow.Install(host);
    const auto socket = Socket::CreateSocket(collectorNode, UdpSocketFactory::GetTypeId());
    socket->SetAttribute("RcvBufSize", UintegerValue(100)); // nobody reads; one datagram of 72
    socket->Bind(InetSocketAddress(Ipv4Address::GetAny(), COLLECTOR_PORT));
    Start();
    SendThree();
    RunUntil(Seconds(90));
    ASSERT_EQ(Datagrams().size(), 3u);
    EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_SOCKET_BUFFER);
    EXPECT_EQ(Datagrams()[2].fate, Move::LOST_SOCKET_BUFFER);
    EXPECT_EQ(Datagrams()[1].place, "node1");
}

TEST_F(EsxExportTrackerTest, NodesGoByTheirNames)
{
    EXPECT_EQ(EsxNodeName(collectorNode), "node1");
    Names::Add("ntop", collectorNode);
    EXPECT_EQ(EsxNodeName(collectorNode), "ntop");
}

} // namespace
