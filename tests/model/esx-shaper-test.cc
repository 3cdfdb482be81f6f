// SPDX-License-Identifier: GPL-2.0-only
// Outbound shaping of a port. A frame of 1000 octets is 1014 with its Ethernet header: 1 ms at the
// average rate, 0.1 ms at the peak rate.
#include "esx-fixture.h"

#include "ns3/boolean.h"
#include "ns3/data-rate.h"
#include "ns3/uinteger.h"

using namespace ns3;

namespace
{

class EsxShaperTest : public EsxTest
{
  protected:
    EsxShaperTest()
    {
        a = AddVm("a");
        b = AddVm("b");
        vSwitch->SetTap(&tap);
        vSwitch->SetAttribute("Delay", TimeValue(Time(0)));
    }

    static Ptr<EsxPortPolicy> Shaping(uint64_t burst = 3 * 1014)
    {
        Ptr<EsxPortPolicy> policy = CreateObject<EsxPortPolicy>();
        policy->SetAttribute("Shaping", BooleanValue(true));
        policy->SetAttribute("AverageRate", DataRateValue(DataRate("8112kbps")));
        policy->SetAttribute("PeakRate", DataRateValue(DataRate("81120kbps")));
        policy->SetAttribute("BurstSize", UintegerValue(burst));
        return policy;
    }

    void Burst(int frames, uint32_t octets = 1000)
    {
        for (int i = 0; i < frames; ++i)
        {
            a->Send(Create<Packet>(octets), b->GetAddress(), IPV4);
        }
    }

    std::vector<int64_t> ArrivalsInMicroseconds() const
    {
        std::vector<int64_t> times;
        for (const Arrival& arrival : arrivals)
        {
            times.push_back(arrival.at.GetMicroSeconds());
        }
        return times;
    }

    uint64_t Drops(EsxDropCause cause) const
    {
        return Counters(a->GetPortId()).Drops(cause);
    }

    void ExpectLawL0() const
    {
        const EsxPortCounters counters = Counters(a->GetPortId());
        EXPECT_EQ(counters.framesIn,
                  counters.framesAccepted + counters.DropsBeforeTap() +
                      vSwitch->GetPort(a->GetPortId())->GetShaperBacklog());
        EXPECT_EQ(counters.framesAccepted, tap.notes.size());
    }

    Ptr<EsxVnic> a;
    Ptr<EsxVnic> b;
};

} // namespace

TEST_F(EsxShaperTest, IsOffByDefault)
{
    Burst(500);
    Simulator::Run();
    EXPECT_EQ(arrivals.size(), 500u);
    EXPECT_EQ(arrivals.back().at, Time(0));
}

TEST_F(EsxShaperTest, BurstGoesAtThePeakRateAndTheRestAtTheAverage)
{
    vSwitch->SetPolicy(Shaping());
    Burst(6);
    Simulator::Run();
    EXPECT_EQ(ArrivalsInMicroseconds(), (std::vector<int64_t>{0, 100, 200, 1000, 2000, 3000}));
}

TEST_F(EsxShaperTest, SilenceFillsTheBucketAgain)
{
    vSwitch->SetPolicy(Shaping());
    Burst(3);
    Simulator::Schedule(MilliSeconds(10), [this] { Burst(4); });
    Simulator::Run();
    EXPECT_EQ(ArrivalsInMicroseconds(),
              (std::vector<int64_t>{0, 100, 200, 10000, 10100, 10200, 11000}));
}

TEST_F(EsxShaperTest, FrameLongerThanTheBurstPassesAFullBucket)
{
    vSwitch->SetPolicy(Shaping(500));
    Burst(2);
    Simulator::Run();
    EXPECT_EQ(ArrivalsInMicroseconds(), (std::vector<int64_t>{0, 1000}));
}

TEST_F(EsxShaperTest, ExcessWaitsInABoundedQueueAndIsThenDropped)
{
    vSwitch->SetPolicy(Shaping());
    Burst(110);
    EXPECT_EQ(vSwitch->GetPort(a->GetPortId())->GetShaperBacklog(), 100u);
    EXPECT_EQ(Drops(EsxDropCause::SHAPING), 9u);
    ExpectLawL0();
    Simulator::Run();
    EXPECT_EQ(arrivals.size(), 101u);
    ExpectLawL0();
}

TEST_F(EsxShaperTest, FramesAreMeteredWhenTheyLeaveTheShaper)
{
    vSwitch->SetPolicy(Shaping());
    Burst(2);
    EXPECT_EQ(tap.notes.size(), 1u);
    Simulator::Run();
    EXPECT_EQ(tap.notes.size(), 2u);
}

TEST_F(EsxShaperTest, OnlyWhatEntersTheVSwitchIsShaped)
{
    vSwitch->AddPortGroup("Limited");
    vSwitch->SetPortGroupPolicy("Limited", Shaping());
    auto limited = AddVm("limited", "Limited");
    for (int i = 0; i < 10; ++i)
    {
        a->Send(Create<Packet>(1000), limited->GetAddress(), IPV4);
    }
    Simulator::Run();
    EXPECT_EQ(arrivals.size(), 10u);
    EXPECT_EQ(arrivals.back().at, Time(0));
}

TEST_F(EsxShaperTest, DetachedPortGivesUpWhatWaits)
{
    vSwitch->SetPolicy(Shaping());
    Burst(5);
    vSwitch->Disconnect(a->GetPortId());
    Simulator::Run();
    EXPECT_EQ(arrivals.size(), 1u);
    EXPECT_EQ(Drops(EsxDropCause::DISCONNECTED), 4u);
    ExpectLawL0();
}

TEST_F(EsxShaperTest, EndOfShapingLetsGoWhatWaits)
{
    vSwitch->SetPolicy(Shaping());
    Burst(5);
    vSwitch->SetPolicy(CreateObject<EsxPortPolicy>());
    Simulator::Run();
    EXPECT_EQ(arrivals.size(), 5u);
    EXPECT_EQ(arrivals.back().at, Time(0));
    ExpectLawL0();
}

TEST_F(EsxShaperTest, OtherPoliciesLeaveTheShaperAlone)
{
    vSwitch->SetPolicy(Shaping());
    Burst(5);
    Ptr<EsxPortPolicy> same = Shaping();
    same->SetAttribute("ForgedTransmits", BooleanValue(false));
    vSwitch->SetPolicy(same);
    Simulator::Run();
    EXPECT_EQ(ArrivalsInMicroseconds(), (std::vector<int64_t>{0, 100, 200, 1000, 2000}));
}

namespace
{

/// Detaches a port while its second frame is being forwarded.
class DetachingTap : public NotingTap
{
  public:
    DetachingTap(const Ptr<EsxVSwitch>& vSwitch, uint16_t port)
        : m_vSwitch(vSwitch),
          m_port(port)
    {
    }

    int64_t Ingress(const EsxVSwitch& vSwitch,
                    const Ptr<const Packet>& packet,
                    uint16_t protocol,
                    uint16_t input,
                    uint16_t output) override
    {
        NotingTap::Ingress(vSwitch, packet, protocol, input, output);
        if (notes.size() == 2)
        {
            m_vSwitch->Disconnect(m_port);
        }
        return 0;
    }

  private:
    Ptr<EsxVSwitch> m_vSwitch;
    uint16_t m_port;
};

} // namespace

TEST_F(EsxShaperTest, PortMayBeDetachedWhileItsFrameIsReleased)
{
    DetachingTap detaching(vSwitch, a->GetPortId());
    vSwitch->SetTap(&detaching);
    vSwitch->SetPolicy(Shaping());
    Burst(5);
    Simulator::Run();
    vSwitch->SetTap(nullptr);
    EXPECT_EQ(arrivals.size(), 2u);
    EXPECT_EQ(Drops(EsxDropCause::DISCONNECTED), 3u);
}

TEST(EsxPortPolicyTest, RefusesRatesThatMakeNoSense)
{
    Ptr<EsxPortPolicy> policy = CreateObject<EsxPortPolicy>();
    EXPECT_EQ(policy->Check(), "");
    policy->SetAttribute("Shaping", BooleanValue(true));
    EXPECT_EQ(policy->Check(), "") << "the documented defaults";
    policy->SetAttribute("PeakRate", DataRateValue(DataRate("1Mbps")));
    EXPECT_EQ(policy->Check(), "the peak rate is below the average rate");
    policy->SetAttribute("AverageRate", DataRateValue(DataRate(0)));
    EXPECT_EQ(policy->Check(), "shaping needs an average rate above 0");
    policy->SetAttribute("AverageRate", DataRateValue(DataRate("1Mbps")));
    policy->SetAttribute("BurstSize", UintegerValue(0));
    EXPECT_EQ(policy->Check(), "shaping needs a burst size above 0");
}
