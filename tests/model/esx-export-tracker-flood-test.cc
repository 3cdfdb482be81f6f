// SPDX-License-Identifier: GPL-2.0-only
// Of a datagram that is copied on its way, the copy for the collector counts.
#include "export-tracker-fixture.h"

#include "ns3/bridge-helper.h"

using namespace ns3;

namespace
{

/// A bridge between the host, the collector and a bystander that forgets at once where the
/// collector is: each datagram is flooded. The bystander hears only noise, and that before the
/// collector hears.
class EsxExportTrackerFloodTest : public EsxExportTrackerTest
{
  protected:
    EsxExportTrackerFloodTest()
    {
        const Ptr<Node> bridge = CreateObject<Node>();
        Names::Add("bridge", bridge);
        bystander = CreateObject<Node>();
        Names::Add("bystander", bystander);
        InternetStackHelper().Install(bystander);
        // The collector leaves the host's cable for one of its own.
        SetAttached(1, false);
        NetDeviceContainer ports;
        ports.Add(csma.Install(bridge, Cable()));
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

TEST_F(EsxExportTrackerFloodTest, CopyThatDiesElsewhereIsNoLoss)
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

TEST_F(EsxExportTrackerFloodTest, DeathOfTheCollectorsCopyCounts)
{
    collector->SetStopTime(Seconds(40));
    Start();
    Send(Seconds(1), 1);
    Send(Seconds(25), 2);
    RunUntil(Seconds(60));
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_REFUSED);
    EXPECT_EQ(Records(Move::LOST_CHANNEL_ERROR), 0u);
}

TEST_F(EsxExportTrackerFloodTest, LastDeathCounts)
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

TEST_F(EsxExportTrackerFloodTest, WhatAnotherHostsSwitchDoesNotWantIsNoLoss)
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

} // namespace
