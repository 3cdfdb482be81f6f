// SPDX-License-Identifier: GPL-2.0-only
// Rings of a vNIC whose guest is not infinitely fast: receive overrun and transmit backpressure.
#include "esx-fixture.h"

#include "ns3/data-rate.h"
#include "ns3/uinteger.h"

using namespace ns3;

namespace
{

class EsxVnicRingTest : public EsxTest
{
  protected:
    EsxVnicRingTest()
    {
        a = AddVm("a");
        b = AddVm("b");
        vSwitch->SetTap(&tap);
        vSwitch->SetAttribute("Delay", TimeValue(Time(0)));
    }

    /// 986 octets and the Ethernet header of 14 take 1 ms.
    static void Slow(const Ptr<EsxVnic>& vnic, const std::string& type = "Vlance")
    {
        vnic->SetAttribute("Type", StringValue(type));
        vnic->SetGuestRate(DataRate("8Mbps"));
    }

    int Burst(int frames)
    {
        int taken = 0;
        for (int i = 0; i < frames; ++i)
        {
            taken += a->Send(Create<Packet>(986), b->GetAddress(), IPV4) ? 1 : 0;
        }
        return taken;
    }

    Ptr<EsxVnic> a;
    Ptr<EsxVnic> b;
};

} // namespace

TEST_F(EsxVnicRingTest, InfinitelyFastGuestHasNoRingAndNoQueueInterface)
{
    EXPECT_EQ(Burst(1000), 1000);
    Simulator::Run();
    EXPECT_EQ(arrivals.size(), 1000u);
    EXPECT_EQ(a->GetObject<NetDeviceQueueInterface>(), nullptr);
    Slow(a);
    EXPECT_NE(a->GetObject<NetDeviceQueueInterface>(), nullptr);
}

TEST_F(EsxVnicRingTest, EachTypeHasItsRings)
{
    const std::vector<std::pair<std::string, uint32_t>> rings{{"Vlance", 32},
                                                              {"Vmxnet", 100},
                                                              {"EnhancedVmxnet", 150},
                                                              {"E1000", 256}};
    for (const auto& [type, frames] : rings)
    {
        a->SetAttribute("Type", StringValue(type));
        EXPECT_EQ(a->GetRxRing(), frames) << type;
        EXPECT_EQ(a->GetTxRing(), frames) << type;
    }
    a->SetAttribute("RxRing", UintegerValue(7));
    a->SetAttribute("TxRing", UintegerValue(8));
    EXPECT_EQ(a->GetRxRing(), 7u);
    EXPECT_EQ(a->GetTxRing(), 8u);
}

TEST_F(EsxVnicRingTest, FullReceiveRingDropsTheNewestFrame)
{
    Slow(b);
    Burst(40);
    const Ptr<Packet> last = Create<Packet>(50);
    a->Send(last, b->GetAddress(), IPV4);
    Simulator::Run();
    ASSERT_EQ(arrivals.size(), 32u);
    EXPECT_EQ(arrivals.back().packet->GetSize(), 986u) << "the newest died";
    EXPECT_EQ(arrivals.front().at, MilliSeconds(1)) << "at the guest's rate";
    EXPECT_EQ(arrivals.back().at, MilliSeconds(32));
    const EsxPortCounters counters = Counters(b->GetPortId());
    EXPECT_EQ(counters.framesOut, 32u);
    EXPECT_EQ(counters.Drops(EsxDropCause::RX_RING), 9u);
    EXPECT_EQ(tap.notes.size(), 41u) << "after the tap";
    EXPECT_EQ(tap.notes.back().output, b->GetPortId());
}

TEST_F(EsxVnicRingTest, FullTransmitRingStopsTheGuestsQueue)
{
    Slow(a);
    const Ptr<NetDeviceQueue> queue = a->GetObject<NetDeviceQueueInterface>()->GetTxQueue(0);
    int woken = 0;
    queue->SetWakeCallback(Callback<void>([&woken] { ++woken; }));
    EXPECT_EQ(Burst(31), 31);
    EXPECT_FALSE(queue->IsStopped());
    Burst(1);
    EXPECT_TRUE(queue->IsStopped());
    Simulator::Run();
    EXPECT_FALSE(queue->IsStopped());
    EXPECT_EQ(woken, 1);
    ASSERT_EQ(arrivals.size(), 32u);
    EXPECT_EQ(arrivals.front().at, MilliSeconds(1));
    EXPECT_EQ(arrivals.back().at, MilliSeconds(32)) << "at the guest's rate";
}

TEST_F(EsxVnicRingTest, SendingIntoAFullTransmitRingIsADropBeforeTheTap)
{
    Slow(a);
    EXPECT_EQ(Burst(35), 32);
    Simulator::Run();
    const EsxPortCounters counters = Counters(a->GetPortId());
    EXPECT_EQ(counters.Drops(EsxDropCause::TX_RING), 3u);
    EXPECT_EQ(counters.framesIn, counters.framesAccepted + counters.DropsBeforeTap());
    EXPECT_EQ(tap.notes.size(), 32u);
}

TEST_F(EsxVnicRingTest, FramesInTheRingOfADetachedVnicAreCounted)
{
    Slow(a);
    Burst(5);
    Simulator::Schedule(MicroSeconds(1500), [this] { vSwitch->Disconnect(a->GetPortId()); });
    Simulator::Run();
    EXPECT_EQ(arrivals.size(), 1u);
    EXPECT_EQ(Counters(a->GetPortId()).Drops(EsxDropCause::DISCONNECTED), 4u);
}

TEST_F(EsxVnicRingTest, PowerOffClearsTheRings)
{
    Slow(a);
    Slow(b);
    Burst(5);
    Simulator::Schedule(MicroSeconds(2500), [this] {
        host->PowerOff("a");
        host->PowerOff("b");
    });
    Simulator::Run();
    EXPECT_EQ(arrivals.size(), 1u) << "taken at 2 ms";
    EXPECT_EQ(Counters(2).Drops(EsxDropCause::DISCONNECTED), 0u);
    EXPECT_EQ(Counters(2).framesIn, 2u);
}
