// SPDX-License-Identifier: GPL-2.0-only
// Each way to lose a datagram that a host can notice, on its own: net-netflow tells it with its
// cause, the ledger books it under its cause, and the next datagram after the trouble arrives.

#include "model/ledger/esx-loss-watch.h"
#include "netflow-fixture.h"

#include "ns3/arp-cache.h"
#include "ns3/icmpv4.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/traffic-control-helper.h"

using namespace ns3;
using netflow::Move;

namespace
{

class EsxLossWatchTest : public NetflowTest
{
  protected:
    /// net-netflow on vSwitch0. Flows of ports 1, 2 and 3 leave as datagrams at 17, 46 and 76 s.
    void StartAndSendThree(const char* address = "10.0.0.9")
    {
        AddExport();
        process = Start("vSwitch0", address);
        Send(Seconds(1), 1);
        Send(Seconds(30), 2);
        Send(Seconds(60), 3);
    }

    /// One loss was noticed and told.
    void ExpectNoticed(EsxLossCause cause, const std::string& text)
    {
        EXPECT_EQ(process->GetLossesNoticed(cause), 1u);
        EXPECT_EQ(process->GetLossesNoticed(), 1u);
        EXPECT_EQ(output,
                  "net-netflow: 1 UDP packets to the collector were lost: 1 " + text + "\n");
    }

    /// The second datagram was lost, was noticed, and neither stopped the first nor the third.
    void ExpectSecondLost(EsxLossCause cause, Move booked, const std::string& text)
    {
        ExpectNoticed(cause, text);
        ASSERT_EQ(Datagrams().size(), 3u);
        EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
        EXPECT_EQ(Datagrams()[1].fate, booked);
        EXPECT_EQ(Datagrams()[2].fate, Move::RECEIVED);
        EXPECT_LT(Datagrams()[2].concludedAt - Datagrams()[2].sentAt, Seconds(1));
    }

    Ptr<Ipv4L3Protocol> VmkernelIp() const
    {
        return host->GetVmkernelNode()->GetObject<Ipv4L3Protocol>();
    }

    Ptr<ArpCache> VmkernelArp() const
    {
        return VmkernelIp()->GetInterface(1)->GetArpCache();
    }

    /// Takes the collector off its cable, or puts it back.
    void SetReachable(bool reachable)
    {
        const auto device = DynamicCast<CsmaNetDevice>(wire.Get(1));
        const auto cable = DynamicCast<CsmaChannel>(device->GetChannel());
        reachable ? cable->Reattach(device) : cable->Detach(device);
    }

    /// Lets the collector's node answer the next datagram with an ICMP error, and nothing else.
    void AnswerWith(uint8_t type, uint8_t code)
    {
        const Ptr<Ipv4L3Protocol> ip = collectorNode->GetObject<Ipv4L3Protocol>();
        ip->TraceConnectWithoutContext(
            "LocalDeliver",
            Callback<void, const Ipv4Header&, Ptr<const Packet>, uint32_t>(
                [this, ip = PeekPointer(ip), type, code](const Ipv4Header& header,
                                                         Ptr<const Packet> segment,
                                                         uint32_t) {
                    if (!answering || header.GetProtocol() != 17)
                    {
                        return;
                    }
                    answering = false;
                    const Ptr<Packet> packet = Create<Packet>();
                    if (type == Icmpv4Header::ICMPV4_DEST_UNREACH)
                    {
                        Icmpv4DestinationUnreachable unreachable;
                        unreachable.SetHeader(header);
                        unreachable.SetData(segment);
                        packet->AddHeader(unreachable);
                    }
                    else
                    {
                        Icmpv4TimeExceeded exceeded;
                        exceeded.SetHeader(header);
                        exceeded.SetData(segment);
                        packet->AddHeader(exceeded);
                    }
                    Icmpv4Header icmp;
                    icmp.SetType(type);
                    icmp.SetCode(code);
                    packet->AddHeader(icmp);
                    ip->Send(packet, header.GetDestination(), header.GetSource(), 1, nullptr);
                }));
        At(Seconds(40), [this] { answering = true; });
    }

    Ptr<EsxNetNetflow> process;
    bool answering{false};
};

TEST_F(EsxLossWatchTest, PortUnreachable)
{
    StartAndSendThree();
    collector->SetStopTime(Seconds(40));
    netflow.SetCollectorAttribute("StartTime", TimeValue(Seconds(50)));
    AddCollector();
    RunUntil(Seconds(90));
    EXPECT_EQ(process->GetLossesNoticed(EsxLossCause::PORT_UNREACHABLE), 1u);
    EXPECT_EQ(output,
              "net-netflow: 1 UDP packets to the collector were lost: 1 port unreachable\n");
    // The ICMP error crossed the vSwitch and is a flow, too.
    EXPECT_EQ(Records(Move::LOST_REFUSED), 1u);
    EXPECT_EQ(Datagrams()[1].fate, Move::LOST_REFUSED);
    EXPECT_EQ(Datagrams()[2].fate, Move::RECEIVED);
}

TEST_F(EsxLossWatchTest, HostUnreachable)
{
    StartAndSendThree();
    AnswerWith(Icmpv4Header::ICMPV4_DEST_UNREACH,
               Icmpv4DestinationUnreachable::ICMPV4_HOST_UNREACHABLE);
    RunUntil(Seconds(90));
    ExpectNoticed(EsxLossCause::HOST_UNREACHABLE, "host unreachable");
}

TEST_F(EsxLossWatchTest, NetworkUnreachable)
{
    StartAndSendThree();
    AnswerWith(Icmpv4Header::ICMPV4_DEST_UNREACH,
               Icmpv4DestinationUnreachable::ICMPV4_NET_UNREACHABLE);
    RunUntil(Seconds(90));
    ExpectNoticed(EsxLossCause::NET_UNREACHABLE, "network unreachable");
}

TEST_F(EsxLossWatchTest, TtlExceeded)
{
    StartAndSendThree();
    AnswerWith(Icmpv4Header::ICMPV4_TIME_EXCEEDED, 0);
    RunUntil(Seconds(90));
    ExpectNoticed(EsxLossCause::OTHER_ICMP, "ICMP error");
}

TEST_F(EsxLossWatchTest, NoRoute)
{
    StartAndSendThree();
    // The vmknic goes down and with it the route; it comes up before the third.
    At(Seconds(40), [this] { VmkernelIp()->SetDown(1); });
    At(Seconds(50), [this] { VmkernelIp()->SetUp(1); });
    RunUntil(Seconds(90));
    ExpectSecondLost(EsxLossCause::NO_ROUTE, Move::SEND_FAILED, "no route");
}

TEST_F(EsxLossWatchTest, NoArpAnswer)
{
    StartAndSendThree();
    At(Seconds(40), [this] {
        VmkernelArp()->Flush();
        SetReachable(false);
    });
    At(Seconds(55), [this] { SetReachable(true); });
    RunUntil(Seconds(90));
    ExpectSecondLost(EsxLossCause::NO_ARP_ANSWER, Move::LOST_ARP, "no ARP answer");
}

TEST_F(EsxLossWatchTest, NoArpAnswerForAMoment)
{
    // Datagram after datagram is given up; with the collector's return the next one arrives.
    StartAndSendThree();
    SetReachable(false);
    At(Seconds(70), [this] { SetReachable(true); });
    RunUntil(Seconds(90));
    EXPECT_EQ(process->GetLossesNoticed(EsxLossCause::NO_ARP_ANSWER), 2u);
    EXPECT_EQ(Records(Move::LOST_ARP), 2u);
    EXPECT_EQ(Datagrams()[2].fate, Move::RECEIVED);
    EXPECT_LT(Datagrams()[2].concludedAt - Datagrams()[2].sentAt, Seconds(1));
}

TEST_F(EsxLossWatchTest, ArpQueueFull)
{
    AddExport();
    VmkernelArp()->SetAttribute("PendingQueueSize", UintegerValue(2));
    process = Start();
    Burst(Seconds(1), 1, 150); // five datagrams at 17 s, while the collector's MAC is unknown
    Send(Seconds(60), 999);
    RunUntil(Seconds(90));
    const uint64_t full = process->GetLossesNoticed(EsxLossCause::ARP_QUEUE_FULL);
    EXPECT_GT(full, 0u);
    EXPECT_EQ(process->GetLossesNoticed(), full);
    EXPECT_EQ(Records(Move::LOST_ARP), 30 * full);
    EXPECT_EQ(output,
              "net-netflow: " + std::to_string(full) + " UDP packets to the collector were lost: " +
                  std::to_string(full) + " ARP queue full\n");
    EXPECT_EQ(Datagrams().back().fate, Move::RECEIVED);
}

TEST_F(EsxLossWatchTest, QueueDiscFull)
{
    AddExport();
    TrafficControlHelper control;
    const uint16_t root = control.SetRootQueueDisc("ns3::TbfQueueDisc",
                                                   "MaxSize",
                                                   StringValue("2p"),
                                                   "Burst",
                                                   UintegerValue(1600),
                                                   "Mtu",
                                                   UintegerValue(1600),
                                                   "Rate",
                                                   StringValue("8kbps"));
    static_cast<void>(root);
    control.Install(host->GetVmknic("vmk0"));
    process = Start();
    Burst(Seconds(1), 1, 300);
    Send(Seconds(60), 999);
    RunUntil(Seconds(90));
    const uint64_t full = process->GetLossesNoticed(EsxLossCause::QUEUE_FULL);
    EXPECT_GT(full, 0u);
    EXPECT_EQ(process->GetLossesNoticed(), full);
    EXPECT_EQ(Records(Move::LOST_QUEUE_DISC), 30 * full);
    EXPECT_EQ(Datagrams().back().fate, Move::RECEIVED);
}

TEST_F(EsxLossWatchTest, NicQueueFull)
{
    AddExport();
    DynamicCast<CsmaNetDevice>(wire.Get(0))->GetQueue()->SetMaxSize(QueueSize("1p"));
    process = Start();
    Send(Seconds(1), 1);
    Burst(Seconds(20), 101, 300);
    Send(Seconds(60), 999);
    RunUntil(Seconds(90));
    EXPECT_EQ(process->GetLossesNoticed(EsxLossCause::NIC_QUEUE_FULL), 8u);
    EXPECT_EQ(process->GetLossesNoticed(), 8u);
    EXPECT_EQ(Records(Move::LOST_DEVICE_QUEUE), 240u);
    EXPECT_EQ(output, "net-netflow: 8 UDP packets to the collector were lost: 8 NIC queue full\n");
    EXPECT_EQ(Datagrams().back().fate, Move::RECEIVED);
}

/// A way to take the uplink's link away and to give it back.
struct Cut
{
    const char* name;
    std::function<void(NetflowLab&, bool)> set;
};

class UplinkCutTest : public EsxLossWatchTest, public ::testing::WithParamInterface<Cut>
{
};

TEST_P(UplinkCutTest, IsNoticed)
{
    StartAndSendThree();
    At(Seconds(40), [this] { GetParam().set(*this, true); });
    At(Seconds(50), [this] { GetParam().set(*this, false); });
    RunUntil(Seconds(90));
    ExpectSecondLost(EsxLossCause::UPLINK_DOWN, Move::LOST_LINK_DOWN, "uplink down");
}

INSTANTIATE_TEST_SUITE_P(
    Ways,
    UplinkCutTest,
    ::testing::Values(
        Cut{"Down", [](NetflowLab& lab, bool cut) { lab.host->GetUplink("vmnic0")->SetDown(cut); }},
        Cut{"Detached",
            [](NetflowLab& lab, bool cut) {
                const auto device = DynamicCast<CsmaNetDevice>(lab.wire.Get(0));
                const auto cable = DynamicCast<CsmaChannel>(device->GetChannel());
                cut ? cable->Detach(device) : cable->Reattach(device);
            }},
        Cut{"SenderOff",
            [](NetflowLab& lab, bool cut) {
                lab.wire.Get(0)->SetAttribute("SendEnable", BooleanValue(!cut));
            }}),
    [](const ::testing::TestParamInfo<Cut>& info) { return info.param.name; });

TEST_F(EsxLossWatchTest, EachProcessNoticesItsOwnLosses)
{
    esx.AddVSwitch(host, "prod1");
    AddExport();
    process = Start("vSwitch0");
    const Ptr<EsxNetNetflow> other = Start("prod1");
    Send(Seconds(1), 1);
    At(Seconds(10), [this] { host->GetUplink("vmnic0")->SetDown(true); });
    RunUntil(Seconds(30));
    EXPECT_EQ(process->GetLossesNoticed(), 1u);
    EXPECT_EQ(other->GetLossesNoticed(), 0u);
}

TEST_F(EsxLossWatchTest, AFormerProcessHearsNothingAnyMore)
{
    AddExport();
    process = Start("vSwitch0", "10.0.0.77");
    Send(Seconds(1), 1); // sent at 17 s, given up 4 s later
    At(Seconds(18), [this] { process->Terminate(); });
    RunUntil(Seconds(30));
    EXPECT_EQ(process->GetLossesNoticed(), 0u);
    EXPECT_EQ(Records(Move::LOST_ARP), 1u);
}

} // namespace
