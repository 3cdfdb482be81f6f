// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/boolean.h"
#include "ns3/csma-channel.h"
#include "ns3/csma-helper.h"
#include "ns3/double.h"
#include "ns3/esx-deferred-frames.h"
#include "ns3/esx-ethernet-helper.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <numeric>
#include <vector>

using namespace ns3;

namespace
{

/// Numbered frames from one CSMA device to another, one each millisecond.
class EsxLinkImpairmentTest : public ::testing::Test
{
  protected:
    EsxLinkImpairmentTest()
        : impairment(CreateObject<EsxLinkImpairment>())
    {
        NodeContainer nodes(2);
        CsmaHelper csma;
        csma.SetChannelAttribute("DataRate", StringValue("1Gbps"));
        devices = csma.Install(nodes);
        csma.AssignStreams(devices, 100);
        impairment->Install(Device(1), Device(0));
        impairment->AssignStreams(1);
        nodes.Get(1)->RegisterProtocolHandler(Node::ProtocolHandler([this](Ptr<NetDevice>,
                                                                           Ptr<const Packet> packet,
                                                                           uint16_t,
                                                                           const Address&,
                                                                           const Address&,
                                                                           NetDevice::PacketType) {
                                                  uint8_t number[2];
                                                  packet->CopyData(number, 2);
                                                  arrived.push_back(number[0] << 8 | number[1]);
                                                  times.push_back(Simulator::Now());
                                              }),
                                              0,
                                              devices.Get(1));
        devices.Get(1)->TraceConnectWithoutContext(
            "PhyRxDrop",
            Callback<void, Ptr<const Packet>>(
                [this](Ptr<const Packet>) { ++(impairment->IsHoldingBack() ? held : lost); }));
    }

    ~EsxLinkImpairmentTest() override
    {
        Simulator::Destroy();
    }

    Ptr<CsmaNetDevice> Device(uint32_t end) const
    {
        return DynamicCast<CsmaNetDevice>(devices.Get(end));
    }

    void Set(const char* attribute, double rate)
    {
        impairment->SetAttribute(attribute, DoubleValue(rate));
    }

    void Send(uint16_t count, uint32_t octets = 100)
    {
        for (uint16_t i = 0; i < count; ++i)
        {
            Simulator::Schedule(MilliSeconds(i), [this, i, octets] {
                std::vector<uint8_t> data(octets);
                data[0] = i >> 8;
                data[1] = i;
                devices.Get(0)->Send(Create<Packet>(data.data(), octets),
                                     devices.Get(1)->GetAddress(),
                                     0x0800);
            });
        }
        Simulator::Run();
    }

    NetDeviceContainer devices;
    Ptr<EsxLinkImpairment> impairment;
    std::vector<int> arrived;
    std::vector<Time> times;
    int lost{0};
    int held{0};
};

TEST_F(EsxLinkImpairmentTest, AGoodLinkPassesEverythingInOrder)
{
    Send(500);
    EXPECT_EQ(arrived.size(), 500U);
    EXPECT_TRUE(std::is_sorted(arrived.begin(), arrived.end()));
    EXPECT_EQ(lost + held, 0);
}

TEST_F(EsxLinkImpairmentTest, LossTakesItsShareOfTheFrames)
{
    Set("Loss", 0.2);
    Send(5000);
    EXPECT_NEAR(lost, 1000, 100);
    EXPECT_EQ(arrived.size() + lost, 5000U);
    EXPECT_EQ(held, 0);
}

/// Gilbert and Elliott: a share p / (p + r) of the frames is lost, in runs of 1 / r on average.
TEST_F(EsxLinkImpairmentTest, BurstsTakeTheirShareInRunsOfTheirLength)
{
    Set("GoodToBad", 0.02);
    Set("BadToGood", 0.25);
    Send(20000);
    EXPECT_NEAR(lost / 20000.0, 0.02 / 0.27, 0.012);
    int runs = 0;
    for (std::size_t i = 1; i < arrived.size(); ++i)
    {
        runs += arrived[i] != arrived[i - 1] + 1;
    }
    EXPECT_NEAR(static_cast<double>(lost) / runs, 4, 0.5);
}

TEST_F(EsxLinkImpairmentTest, ABadLinkLosesTheShareThatIsSetForIt)
{
    Set("GoodToBad", 1);
    Set("BadToGood", 0);
    Set("LossWhenBad", 0.3);
    Send(5000);
    EXPECT_NEAR(lost / 5000.0, 0.3, 0.02);
}

TEST_F(EsxLinkImpairmentTest, BitErrorsLoseLongFramesMoreOften)
{
    Set("BitErrors", 1e-4);
    Send(3000, 100); // 118 octets with header and FCS: 1 - (1 - 1e-4)^944 = 9 %
    const int ofShort = lost;
    EXPECT_NEAR(ofShort / 3000.0, 0.09, 0.02);
    lost = 0;
    Send(3000, 1400); // 1418: 68 %
    EXPECT_NEAR(lost / 3000.0, 0.68, 0.03);
}

TEST_F(EsxLinkImpairmentTest, DuplicatesComeRightBehindTheirOriginals)
{
    Set("Duplicate", 0.1);
    Send(2000);
    EXPECT_NEAR(impairment->GetDuplicated(), 200, 45);
    EXPECT_EQ(arrived.size(), 2000 + impairment->GetDuplicated());
    EXPECT_TRUE(std::is_sorted(arrived.begin(), arrived.end()));
    EXPECT_EQ(lost + held, 0);
}

TEST_F(EsxLinkImpairmentTest, DelayedFramesAreOvertakenAndNotLost)
{
    Set("Reorder", 0.1);
    impairment->SetAttribute("ReorderDelay", TimeValue(MicroSeconds(2500)));
    Send(2000);
    EXPECT_EQ(arrived.size(), 2000U);
    EXPECT_EQ(lost, 0);
    EXPECT_EQ(held, static_cast<int>(impairment->GetReordered()));
    EXPECT_NEAR(held, 200, 45);
    int late = 0;
    for (size_t i = 0; i < arrived.size(); ++i)
    {
        const Time wait = times[i] - MilliSeconds(arrived[i]);
        late += wait > MilliSeconds(2);
        EXPECT_LT(wait, MilliSeconds(3)); // delayed once only
    }
    EXPECT_EQ(late, held);
}

TEST_F(EsxLinkImpairmentTest, EqualStreamsImpairEqualFramesWhateverElseIsSet)
{
    Set("Loss", 0.1);
    Send(300);
    auto first = arrived;
    arrived.clear();
    impairment->AssignStreams(1);
    Set("Duplicate", 0.5);
    Send(300);
    arrived.erase(std::unique(arrived.begin(), arrived.end()), arrived.end());
    EXPECT_EQ(first, arrived);
}

/// A further number would shift the streams of all links behind this one, and results of all labs.
TEST_F(EsxLinkImpairmentTest, ALinkTakesFourStreams)
{
    EXPECT_EQ(impairment->AssignStreams(1), 4);
}

/// Rates are drawn from the type, so that a new one is judged, too.
TEST_F(EsxLinkImpairmentTest, ItIsNoneExactlyWhileFramesArriveAsTheyWereSent)
{
    constexpr uint16_t FRAMES = 300;
    std::vector<int> sent(FRAMES);
    std::iota(sent.begin(), sent.end(), 0);
    const TypeId type = EsxLinkImpairment::GetTypeId();
    int rates = 0;
    for (std::size_t i = 0; i < type.GetAttributeN(); ++i)
    {
        const auto info = type.GetAttribute(i);
        if (const auto initial = DynamicCast<const DoubleValue>(info.initialValue))
        {
            ++rates;
            Set(info.name.c_str(), 0.5);
            const bool isNone = impairment->IsNone();
            arrived.clear();
            Send(FRAMES);
            EXPECT_EQ(isNone, arrived == sent) << info.name;
            Set(info.name.c_str(), initial->Get());
            impairment->Reset();
        }
    }
    EXPECT_GE(rates, 7);
    EXPECT_TRUE(impairment->IsNone());
}

class ToldFrames : public EsxDeferredFrames
{
  public:
    explicit ToldFrames(EsxDeferrals& place)
        : m_place(place)
    {
        place.Add(*this);
    }

    void Settle() override
    {
    }

    void GoSingly() override
    {
        m_place.Remove(*this);
        told = true;
    }

    bool told{false};

  private:
    EsxDeferrals& m_place;
};

TEST(EsxLinkImpairmentChangeTest, FramesThatPassUnseenAreToldOfEachChange)
{
    const NodeContainer nodes(2);
    const auto devices = EsxEthernetHelper().Install(nodes);
    const auto device = DynamicCast<EsxEthernetNetDevice>(devices.Get(1));
    const auto impairment = CreateObject<EsxLinkImpairment>();
    impairment->Install(device);
    const TypeId type = EsxLinkImpairment::GetTypeId();
    for (std::size_t i = 0; i < type.GetAttributeN(); ++i)
    {
        const auto info = type.GetAttribute(i);
        ToldFrames there(device->GetDeferrals());
        ToldFrames back(device->GetPeer()->GetDeferrals());
        impairment->SetAttribute(
            info.name,
            StringValue(info.checker->GetValueTypeName() == "ns3::TimeValue" ? "3ms" : "0.5"));
        EXPECT_TRUE(there.told && back.told) << info.name;
    }
    Simulator::Destroy();
}

TEST(EsxLinkImpairmentLifeTest, ModelsAtBothEndsDoNotKeepEachOthersDevicesAlive)
{
    const auto held = std::make_shared<int>(0);
    {
        NodeContainer nodes(2);
        const NetDeviceContainer ends = CsmaHelper().Install(nodes);
        for (uint32_t end : {0U, 1U})
        {
            const auto device = DynamicCast<CsmaNetDevice>(ends.Get(end));
            CreateObject<EsxLinkImpairment>()->Install(
                device,
                DynamicCast<CsmaNetDevice>(ends.Get(1 - end)));
            device->TraceConnectWithoutContext(
                "PhyRxEnd",
                Callback<void, Ptr<const Packet>>([held](Ptr<const Packet>) {}));
        }
    }
    Simulator::Destroy();
    EXPECT_EQ(held.use_count(), 1);
}

} // namespace
