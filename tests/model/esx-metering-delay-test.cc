// SPDX-License-Identifier: GPL-2.0-only
// EsxNetflow::MeteringDelay: "overall performance of the ESX Server host may be affected".
#include "netflow-fixture.h"

#include "ns3/boolean.h"
#include "ns3/ethernet-header.h"

#include <utility>

using namespace ns3;
using netflow::Move;

namespace
{

class EsxMeteringDelayTest : public NetflowTest
{
  protected:
    /// A host whose metering costs time, and who notes what reaches b: source port and when.
    void Prepare(Time delay, bool verbose = false)
    {
        netflow.SetModuleAttribute("MeteringDelay", TimeValue(delay));
        netflow.SetNetNetflowAttribute("Verbose", BooleanValue(verbose));
        AddExport();
        vSwitch->SetAttribute("Delay", TimeValue(Seconds(0)));
        vSwitch->GetPort(b->GetPortId())
            ->TraceConnectWithoutContext(
                "Egress",
                Callback<void, Ptr<const Packet>>([this](const Ptr<const Packet>& frame) {
                    const Ptr<Packet> copy = frame->Copy();
                    EthernetHeader ethernet(false);
                    Ipv4Header ip;
                    UdpHeader udp;
                    copy->RemoveHeader(ethernet);
                    if (ethernet.GetLengthType() == IPV4)
                    {
                        copy->RemoveHeader(ip);
                        copy->RemoveHeader(udp);
                        arrived.emplace_back(udp.GetSourcePort(), Simulator::Now() - Seconds(1));
                    }
                }));
    }

    /// When a packet of 2.001 s arrives. The poll of 2 s sends 61 records in three datagrams; that
    /// of 1 s has found the collector's MAC address.
    Time ArrivalAfterThreeDatagrams(bool verbose)
    {
        Prepare(MilliSeconds(2), verbose);
        Module()->SetAttribute("IdleTimeout", TimeValue(MilliSeconds(500)));
        Start();
        Send(MilliSeconds(100), 200);
        Burst(MilliSeconds(1100), 200, 61);
        Send(MilliSeconds(2001), 100);
        RunUntil(Seconds(3));
        EXPECT_EQ(read.size(), 4u);
        return arrived.back().second;
    }

    using Arrivals = std::vector<std::pair<uint16_t, Time>>;
    Arrivals arrived; //!< times since 1 s
};

TEST_F(EsxMeteringDelayTest, IsZeroUnlessItIsSet)
{
    TimeValue delay;
    AddExport();
    Module()->GetAttribute("MeteringDelay", delay);
    EXPECT_EQ(delay.Get(), Seconds(0));
}

TEST_F(EsxMeteringDelayTest, ByDefaultMeteringTakesNoTime)
{
    Prepare(Seconds(0));
    Start();
    Burst(Seconds(1), 100, 2);
    RunUntil(Seconds(2));
    EXPECT_EQ(arrived, (Arrivals{{100, Seconds(0)}, {101, Seconds(0)}}));
}

TEST_F(EsxMeteringDelayTest, FramesAreMeteredOneAfterTheOther)
{
    Prepare(MilliSeconds(2));
    Start();
    Burst(Seconds(1), 100, 3);
    Send(Seconds(1) + MilliSeconds(5), 103);
    Send(Seconds(1) + MilliSeconds(20), 104);
    RunUntil(Seconds(2));
    EXPECT_EQ(arrived,
              (Arrivals{{100, MilliSeconds(2)},
                        {101, MilliSeconds(4)},
                        {102, MilliSeconds(6)},
                        {103, MilliSeconds(8)},
                        {104, MilliSeconds(22)}}));
}

TEST_F(EsxMeteringDelayTest, RecordsKeepTheTimesOfTheirPackets)
{
    Prepare(MilliSeconds(2));
    Module()->SetAttribute("IdleTimeout", TimeValue(Seconds(1)));
    Start();
    Send(Seconds(1), 100);
    Send(Seconds(1), 100);
    RunUntil(Seconds(5));
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].records.at(0).first, 1000u);
    EXPECT_EQ(read[0].records.at(0).last, 1000u);
}

TEST_F(EsxMeteringDelayTest, WithoutNetNetflowNothingIsMeteredAndNothingWaits)
{
    Prepare(MilliSeconds(2));
    ASSERT_EQ(Module()->Load(), "");
    Burst(Seconds(1), 100, 2);
    RunUntil(Seconds(2));
    EXPECT_EQ(arrived, (Arrivals{{100, Seconds(0)}, {101, Seconds(0)}}));
}

TEST_F(EsxMeteringDelayTest, KilledNetNetflowLetsFramesKeepTheirOrder)
{
    Prepare(MilliSeconds(2));
    const Ptr<EsxNetNetflow> process = Start();
    Burst(Seconds(1), 100, 2);
    At(Seconds(1) + MilliSeconds(1), [process] { process->Terminate(); });
    Send(Seconds(1) + MilliSeconds(1), 102);
    Send(Seconds(1) + MilliSeconds(9), 103);
    RunUntil(Seconds(2));
    EXPECT_EQ(arrived,
              (Arrivals{{100, MilliSeconds(2)},
                        {101, MilliSeconds(4)},
                        {102, MilliSeconds(4)},
                        {103, MilliSeconds(9)}}));
}

TEST_F(EsxMeteringDelayTest, QuietNetNetflowCostsThePacketsOnly)
{
    EXPECT_EQ(ArrivalAfterThreeDatagrams(false), Seconds(1) + MilliSeconds(1 + 2));
}

TEST_F(EsxMeteringDelayTest, EachVerboseLineCostsAsMuchAsAPacket)
{
    EXPECT_EQ(ArrivalAfterThreeDatagrams(true), Seconds(1) + MilliSeconds(3 * 2 + 2));
}

TEST_F(EsxMeteringDelayTest, FrameThatWaitsForADeletedSwitchIsDropped)
{
    Prepare(MilliSeconds(2));
    Start();
    Send(Seconds(1), 100);
    At(Seconds(1) + MilliSeconds(1), [this] { host->RemoveVSwitch("vSwitch0"); });
    RunUntil(Seconds(2));
    EXPECT_TRUE(arrived.empty());
    EXPECT_EQ(Module()->GetTapResidual(), 0);
}

} // namespace
