// SPDX-License-Identifier: GPL-2.0-only
// Losses at the devices, queues and cable of the link to the collector.
#include "export-tracker-fixture.h"

#include "ns3/boolean.h"
#include "ns3/double.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/fifo-queue-disc.h"
#include "ns3/queue-size.h"
#include "ns3/simple-channel.h"
#include "ns3/simple-net-device.h"
#include "ns3/tbf-queue-disc.h"
#include "ns3/traffic-control-layer.h"

#include <functional>

using namespace ns3;

namespace
{

class EsxExportTrackerCutTest;

/// A way to cut the link to the collector and to mend it.
struct Cut
{
    const char* name;
    std::function<void(EsxExportTrackerCutTest&, bool)> set;
    const char* place;
};

class EsxExportTrackerCutTest : public EsxExportTrackerTest,
                                public ::testing::WithParamInterface<Cut>
{
  public:
    using EsxExportTrackerTest::SetAttached;
};

TEST_P(EsxExportTrackerCutTest, LosesToTheLinkAndNothingElse)
{
    AddExport();
    Start();
    SendThree();
    At(Seconds(40), [this] { GetParam().set(*this, true); });
    At(Seconds(50), [this] { GetParam().set(*this, false); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_LINK_DOWN, GetParam().place);
}

INSTANTIATE_TEST_SUITE_P(
    Ways,
    EsxExportTrackerCutTest,
    ::testing::Values(Cut{"Uplink",
                          [](EsxExportTrackerCutTest& lab, bool cut) {
                              lab.host->GetUplink("vmnic0")->SetDown(cut);
                          },
                          "esx1/vSwitch0"},
                      Cut{"NearEndDetached",
                          [](EsxExportTrackerCutTest& lab, bool cut) { lab.SetAttached(0, !cut); },
                          "node0"},
                      Cut{"FarEndDetached",
                          [](EsxExportTrackerCutTest& lab, bool cut) { lab.SetAttached(1, !cut); },
                          "node0"},
                      Cut{"SenderOff",
                          [](EsxExportTrackerCutTest& lab, bool cut) {
                              lab.wire.Get(0)->SetAttribute("SendEnable", BooleanValue(!cut));
                          },
                          "node0"},
                      Cut{"ReceiverOff",
                          [](EsxExportTrackerCutTest& lab, bool cut) {
                              lab.wire.Get(1)->SetAttribute("ReceiveEnable", BooleanValue(!cut));
                          },
                          "node1"}),
    [](const ::testing::TestParamInfo<Cut>& info) { return info.param.name; });

using EsxExportTrackerLinkTest = EsxExportTrackerTest;

TEST_F(EsxExportTrackerLinkTest, FullDeviceQueueLoses)
{
    AddExport();
    Csma(wire.Get(0))->GetQueue()->SetMaxSize(QueueSize("1p"));
    Start();
    RunBurst();
    // One is on the wire, one waits, eight are lost.
    EXPECT_EQ(Records(Move::LOST_DEVICE_QUEUE), 240u);
    EXPECT_EQ(Records(Move::RECEIVED), 61u);
    EXPECT_EQ(Datagrams()[3].place, "node0");
    EXPECT_EQ(vSwitch->GetTotals().Drops(EsxDropCause::UPLINK_REFUSED), 8u);
}

TEST_F(EsxExportTrackerLinkTest, UplinkThatRefusesAndTellsNobodyLosesToTheDeviceQueue)
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

TEST_F(EsxExportTrackerLinkTest, MediumThatIsNeverFreeLosesToTheChannel)
{
    AddExport();
    Start();
    SendThree();
    Csma(wire.Get(0))->SetBackoffParams(MicroSeconds(1), 1, 10, 5, 10);
    const Ptr<CsmaChannel> channel = Cable();
    At(Seconds(40), [&] { channel->TransmitStart(Create<Packet>(100), 1); });
    At(Seconds(50), [&] { channel->TransmitEnd(); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_CHANNEL_ERROR, "node0"); // after five tries
}

TEST_F(EsxExportTrackerLinkTest, NoiseLoses)
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

TEST_F(EsxExportTrackerLinkTest, CorruptBitsLose)
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

TEST_F(EsxExportTrackerLinkTest, DelayedDatagramIsInFlightUntilItArrives)
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

TEST_F(EsxExportTrackerLinkTest, FullQueueDiscOfAnUplinkLoses)
{
    AddExport();
    // Not 1p: from 3.38 on, ns-3 sees only at the end of an instant that it is empty again.
    Csma(wire.Get(0))->GetQueue()->SetMaxSize(QueueSize("2p"));
    const Ptr<QueueDisc> disc = CreateObject<FifoQueueDisc>();
    disc->SetMaxSize(QueueSize("3p"));
    host->GetUplinks()[0]->SetQueueDisc(disc);
    Start();
    RunBurst();
    // One is on the wire, two wait in the device, three in the queue disc, four are lost.
    EXPECT_EQ(Records(Move::LOST_QUEUE_DISC), 120u);
    EXPECT_EQ(Records(Move::LOST_DEVICE_QUEUE), 0u);
    EXPECT_EQ(Records(Move::RECEIVED), 181u);
    EXPECT_EQ(Datagrams().back().place, "esx1/vmnic0");
}

TEST_F(EsxExportTrackerLinkTest, TokenBucketOfTheVmknicLoses)
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
    RunBurst();
    EXPECT_GE(Records(Move::LOST_QUEUE_DISC), 180u);
    EXPECT_EQ(Records(Move::LOST_QUEUE_DISC) + Records(Move::RECEIVED), 301u);
}

} // namespace
