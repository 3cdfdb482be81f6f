// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/double.h"
#include "ns3/esx-synthetic-flows.h"
#include "ns3/ipv4-header.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/tcp-header.h"
#include "ns3/udp-header.h"
#include "ns3/uinteger.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace ns3;

namespace
{

struct Seen
{
    Time at;
    uint32_t octets;
    Ipv4Header ip;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint8_t flags;
    uint32_t target;
    bool isAnswer;
};

class EsxSyntheticFlowsTest : public ::testing::Test
{
  protected:
    EsxSyntheticFlowsTest()
        : flows(CreateObject<EsxSyntheticFlows>())
    {
        flows->SetSourceAddress("10.0.0.1");
        flows->AddDestination("10.0.0.2");
        Set("Interval", "ns3::ConstantRandomVariable[Constant=0.1]");
        Set("Packets", "ns3::ConstantRandomVariable[Constant=3]");
        Set("Duration", "ns3::ConstantRandomVariable[Constant=1]");
        flows->SetAttribute("Flows", UintegerValue(5));
    }

    ~EsxSyntheticFlowsTest() override
    {
        Simulator::Destroy();
    }

    void Set(const char* attribute, const char* value)
    {
        flows->SetAttribute(attribute, StringValue(value));
    }

    std::vector<Seen> All(size_t most = SIZE_MAX)
    {
        std::vector<Seen> all;
        EsxInjectedFrame frame;
        while (all.size() < most && flows->Next(frame))
        {
            Seen seen{frame.at, frame.packet->GetSize(), {}, 0, 0, 0, frame.target, frame.isAnswer};
            seen.ip.EnableChecksum();
            frame.packet->RemoveHeader(seen.ip);
            EXPECT_TRUE(seen.ip.IsChecksumOk());
            EXPECT_EQ(seen.ip.GetPayloadSize(), frame.packet->GetSize());
            if (seen.ip.GetProtocol() == 17)
            {
                UdpHeader udp;
                frame.packet->RemoveHeader(udp);
                seen.sourcePort = udp.GetSourcePort();
                seen.destinationPort = udp.GetDestinationPort();
            }
            else
            {
                TcpHeader tcp;
                frame.packet->RemoveHeader(tcp);
                seen.sourcePort = tcp.GetSourcePort();
                seen.destinationPort = tcp.GetDestinationPort();
                seen.flags = tcp.GetFlags();
            }
            EXPECT_EQ(frame.protocol, 0x0800);
            EXPECT_FALSE(frame.source); // the port's own
            all.push_back(seen);
        }
        return all;
    }

    Ptr<EsxSyntheticFlows> flows;
};

TEST_F(EsxSyntheticFlowsTest, PacketsAreSpreadEvenlyFromBeginToEnd)
{
    flows->SetAttribute("Flows", UintegerValue(1));
    const auto all = All();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].at, Seconds(0));
    EXPECT_EQ(all[1].at, MilliSeconds(500));
    EXPECT_EQ(all[2].at, Seconds(1));
}

TEST_F(EsxSyntheticFlowsTest, AnswersAreOfTheSwappedKeyARoundTripTimeLater)
{
    flows->SetAttribute("Flows", UintegerValue(1));
    flows->SetAttribute("Protocol", StringValue("Tcp"));
    Set("Rtt", "ns3::ConstantRandomVariable[Constant=0.03]");
    Set("AnswerPackets", "ns3::ConstantRandomVariable[Constant=2]");
    Set("AnswerSize", "ns3::ConstantRandomVariable[Constant=1400]");
    const auto all = All();
    ASSERT_EQ(all.size(), 5U);
    EXPECT_FALSE(all[0].isAnswer);
    EXPECT_TRUE(all[1].isAnswer);
    EXPECT_EQ(all[1].at, MilliSeconds(30));
    EXPECT_EQ(all[4].at, MilliSeconds(1030));
    EXPECT_EQ(all[1].octets, 1400U);
    EXPECT_EQ(all[1].ip.GetSource(), all[0].ip.GetDestination());
    EXPECT_EQ(all[1].ip.GetDestination(), all[0].ip.GetSource());
    EXPECT_EQ(all[1].sourcePort, all[0].destinationPort);
    EXPECT_EQ(all[1].destinationPort, all[0].sourcePort);
    EXPECT_EQ(all[1].flags, TcpHeader::SYN | TcpHeader::ACK);
    EXPECT_EQ(all[4].flags, TcpHeader::FIN | TcpHeader::ACK);
}

TEST_F(EsxSyntheticFlowsTest, ServicesAndAddressesComeByTheirShares)
{
    const auto pools = CreateObject<EsxAddressPools>();
    pools->Add("10.9.0.0", "255.255.0.0", 1, 2, 1); // shares 2/3, 1/3
    flows->SetPools(pools, true);
    flows->SetServices({{6, 443, 3}, {17, 53, 1}});
    flows->SetAttribute("Flows", UintegerValue(4000));
    Set("Packets", "ns3::ConstantRandomVariable[Constant=1]");
    EXPECT_EQ(flows->AssignStreams(7), 8);
    std::map<uint16_t, int> ports;
    int first = 0;
    for (const Seen& seen : All())
    {
        ++ports[seen.destinationPort];
        first += seen.ip.GetSource() == Ipv4Address("10.9.0.1") ? 1 : 0;
        EXPECT_EQ(seen.ip.GetProtocol(), seen.destinationPort == 443 ? 6 : 17);
        EXPECT_EQ(seen.ip.GetDestination(), Ipv4Address("10.0.0.2"));
    }
    EXPECT_EQ(ports.size(), 2U);
    EXPECT_NEAR(ports[443], 3000, 110); // 4 standard deviations
    EXPECT_NEAR(first, 2667, 120);
}

TEST_F(EsxSyntheticFlowsTest, KeysComeAgainAsOftenAsAskedFor)
{
    flows->SetAttribute("Flows", UintegerValue(2000));
    flows->SetAttribute("Again", DoubleValue(0.25));
    Set("Packets", "ns3::ConstantRandomVariable[Constant=1]");
    flows->AssignStreams(3);
    std::set<uint16_t> ports;
    const auto all = All();
    for (const Seen& seen : all)
    {
        ports.insert(seen.sourcePort);
    }
    EXPECT_EQ(all.size(), 2000U);
    EXPECT_NEAR(static_cast<double>(ports.size()), 1500, 80);
}

TEST_F(EsxSyntheticFlowsTest, PlainFlowsTakeTheStreamsThatTheyAlwaysTook)
{
    EXPECT_EQ(flows->AssignStreams(7), 5);
}

TEST_F(EsxSyntheticFlowsTest, AProfileGivesEachFlowToTheOctet)
{
    EsxProfiledFlow tcp{0, 2'000'000'000, 6, 1000, 80, 3, 200, 2, 3001, 0, 0};
    EsxProfiledFlow udp{500'000'000, 500'000'000, 17, 53, 5353, 1, 28, 0, 0, 0x01020304, 0};
    flows->SetProfile({tcp, udp});
    flows->SetAttribute("Compression", DoubleValue(2));
    const auto pools = CreateObject<EsxAddressPools>();
    pools->Add("10.9.0.0", "255.255.0.0", 1, 1, 1);
    flows->SetPools(pools, true);
    const auto all = All();
    ASSERT_EQ(all.size(), 6U);
    std::vector<uint32_t> sizes;
    for (const Seen& seen : all)
    {
        sizes.push_back(seen.octets);
    }
    EXPECT_EQ(sizes, (std::vector<uint32_t>{67, 1501, 28, 67, 66, 1500}));
    EXPECT_TRUE(all[1].isAnswer);
    EXPECT_EQ(all[2].at, MilliSeconds(250));
    EXPECT_EQ(all[4].at, Seconds(1)) << "the end, at twice the speed";
    EXPECT_EQ(all[0].ip.GetSource(), Ipv4Address("10.9.0.1")) << "one of the pool";
    EXPECT_EQ(all[2].ip.GetSource(), Ipv4Address("1.2.3.4")) << "the profile's own";
    EXPECT_EQ(all[2].sourcePort, 53);
}

TEST_F(EsxSyntheticFlowsTest, FramesAreInOrderOfTimeAndFlowsBeginAtIntervals)
{
    const auto all = All();
    ASSERT_EQ(all.size(), 15U);
    std::map<uint16_t, Time> begins;
    for (size_t i = 0; i < all.size(); ++i)
    {
        EXPECT_TRUE(i == 0 || all[i - 1].at <= all[i].at);
        begins.emplace(all[i].sourcePort, all[i].at);
    }
    ASSERT_EQ(begins.size(), 5U);
    EXPECT_EQ(begins[EsxSyntheticFlows::FIRST_SOURCE_PORT + 4], MilliSeconds(400));
    EXPECT_EQ(flows->GetBegun(), 5U);
}

TEST_F(EsxSyntheticFlowsTest, EveryFlowHasAKeyOfItsOwnBeyondTheSourcePorts)
{
    flows->SetAttribute("Flows", UintegerValue(140000));
    flows->SetAttribute("Together", UintegerValue(140000));
    flows->SetAttribute("Port", UintegerValue(80));
    Set("Packets", "ns3::ConstantRandomVariable[Constant=1]");
    std::set<std::pair<uint16_t, uint16_t>> ports;
    for (const Seen& seen : All())
    {
        EXPECT_EQ(seen.at, Seconds(0));
        EXPECT_GE(seen.destinationPort, 80);
        EXPECT_LE(seen.destinationPort, 82);
        ports.emplace(seen.sourcePort, seen.destinationPort);
    }
    EXPECT_EQ(ports.size(), 140000U);
}

TEST_F(EsxSyntheticFlowsTest, SizeIsTheIpTotalLength)
{
    Set("PacketSize", "ns3::ConstantRandomVariable[Constant=1234]");
    EXPECT_EQ(All().front().octets, 1234U);
}

TEST_F(EsxSyntheticFlowsTest, SizeIsAtLeastThatOfTheHeaders)
{
    Set("PacketSize", "ns3::ConstantRandomVariable[Constant=1]");
    EXPECT_EQ(All().front().octets, 28U);
}

TEST_F(EsxSyntheticFlowsTest, TcpFlowsBeginWithSynAndEndWithFin)
{
    Set("Protocol", "Tcp");
    flows->SetAttribute("Flows", UintegerValue(1));
    const auto all = All();
    EXPECT_EQ(all[0].flags, TcpHeader::SYN);
    EXPECT_EQ(all[1].flags, TcpHeader::ACK);
    EXPECT_EQ(all[2].flags, TcpHeader::ACK | TcpHeader::FIN);
    flows->SetAttribute("Flows", UintegerValue(2));
    Set("Packets", "ns3::ConstantRandomVariable[Constant=1]");
    EXPECT_EQ(All().front().flags, TcpHeader::SYN);
}

TEST_F(EsxSyntheticFlowsTest, DestinationsTakeTurnsAndAreTheTargetsOfTheirIndex)
{
    flows->AddDestination("10.0.0.3");
    Set("Packets", "ns3::ConstantRandomVariable[Constant=1]");
    const auto all = All();
    EXPECT_EQ(all[0].ip.GetDestination(), Ipv4Address("10.0.0.2"));
    EXPECT_EQ(all[0].target, 0U);
    EXPECT_EQ(all[1].ip.GetDestination(), Ipv4Address("10.0.0.3"));
    EXPECT_EQ(all[1].target, 1U);
    EXPECT_EQ(all[2].target, 0U);
}

TEST_F(EsxSyntheticFlowsTest, SpoofedSourcesAreSpreadOverTheirNetwork)
{
    flows->SetAttribute("SourceNetwork", Ipv4AddressValue("192.168.4.0"));
    flows->SetAttribute("SourceMask", Ipv4MaskValue("255.255.252.0"));
    flows->SetAttribute("Flows", UintegerValue(1000));
    flows->AssignStreams(1);
    std::set<Ipv4Address> sources;
    for (const Seen& seen : All())
    {
        EXPECT_EQ(seen.ip.GetSource().CombineMask("255.255.252.0"), Ipv4Address("192.168.4.0"));
        sources.insert(seen.ip.GetSource());
    }
    EXPECT_GT(sources.size(), 500U);
}

TEST_F(EsxSyntheticFlowsTest, EqualStreamsGiveEqualTracesAndEachQuantityHasItsOwn)
{
    const auto make = [] {
        const auto made = CreateObject<EsxSyntheticFlows>();
        made->SetSourceAddress("10.0.0.1");
        made->AddDestination("10.0.0.2");
        made->SetAttribute("Interval", StringValue("ns3::ExponentialRandomVariable[Mean=0.1]"));
        made->SetAttribute("Packets", StringValue("ns3::UniformRandomVariable[Min=1|Max=9]"));
        made->SetAttribute("Duration", StringValue("ns3::ExponentialRandomVariable[Mean=3]"));
        return made;
    };
    flows = make();
    EXPECT_EQ(flows->AssignStreams(7), 5);
    const auto first = All(500);
    flows = make();
    flows->AssignStreams(7);
    const auto second = All(500);
    ASSERT_EQ(first.size(), 500U);
    for (size_t i = 0; i < first.size(); ++i)
    {
        EXPECT_EQ(first[i].at, second[i].at);
        EXPECT_EQ(first[i].sourcePort, second[i].sourcePort);
    }
}

TEST_F(EsxSyntheticFlowsTest, HoursDivideTheIntervalsAndSomeAreIdle)
{
    Set("Interval", "ns3::ConstantRandomVariable[Constant=60]");
    Set("Packets", "ns3::ConstantRandomVariable[Constant=1]");
    flows->SetAttribute("Flows", UintegerValue(0));
    std::vector<double> hours(24, 1);
    hours[0] = 0; // from the very beginning
    hours[1] = 0.5;
    hours[2] = 4;
    hours[23] = 0;
    flows->SetHours(hours);
    std::map<int64_t, int> begins;
    for (const Seen& seen : All(30 + 240 + 20 * 60 + 30 + 240 + 1))
    {
        ++begins[seen.at.GetNanoSeconds() / Hours(1).GetNanoSeconds()];
    }
    EXPECT_EQ(begins[0], 0);
    EXPECT_EQ(begins[1], 30);
    EXPECT_EQ(begins[2], 240);
    for (int64_t hour = 3; hour < 23; ++hour)
    {
        EXPECT_EQ(begins[hour], 60) << hour;
    }
    EXPECT_EQ(begins[23] + begins[24], 0);
    EXPECT_EQ(begins[25], 30) << "the next day";
    EXPECT_EQ(begins[26], 240);
    EXPECT_EQ(begins[27], 1);
}

TEST_F(EsxSyntheticFlowsTest, IntervalOfZeroStillAdvances)
{
    Set("Interval", "ns3::ConstantRandomVariable[Constant=0]");
    flows->SetAttribute("Flows", UintegerValue(0));
    EXPECT_EQ(All(1000).size(), 1000U);
}

} // namespace
