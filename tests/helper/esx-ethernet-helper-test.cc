// SPDX-License-Identifier: GPL-2.0-only
// Full-duplex Ethernet links: times and losses against the formulas of IEEE 802.3, cuts, changes
// during a run, and what is plugged into them.
#include "tests/scratch-folder.h"

#include "ns3/csma-helper.h"
#include "ns3/double.h"
#include "ns3/error-model.h"
#include "ns3/esx-ethernet-helper.h"
#include "ns3/esx-host.h"
#include "ns3/esx-ledger-helper.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-results-helper.h"
#include "ns3/esx-steered-scheduler.h"
#include "ns3/esx-uplink.h"
#include "ns3/ethernet-header.h"
#include "ns3/fifo-queue-disc.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-address-helper.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/traffic-control-helper.h"
#include "ns3/udp-socket-factory.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <vector>

using namespace ns3;

namespace
{

constexpr uint16_t IPV4 = 0x0800;
constexpr uint32_t HEADER = 14;

/// A link between two nodes, and what arrives at either end.
class EsxEthernetTest : public ::testing::Test
{
  protected:
    struct Arrival
    {
        uint16_t number;
        Time at;
    };

    ~EsxEthernetTest() override
    {
        Simulator::Destroy();
    }

    void Make(const std::string& rate, Time delay = Time(0), const std::string& queue = "1000p")
    {
        helper.SetDeviceAttribute("DataRate", DataRateValue(DataRate(rate)));
        helper.SetDeviceAttribute("Delay", TimeValue(delay));
        helper.SetQueueSize(QueueSize(queue));
        nodes.Create(2);
        devices = helper.Install(nodes);
        link = EsxEthernetHelper::GetLink(devices.Get(0));
        for (unsigned end : {0U, 1U})
        {
            ends[end] = link->GetEnd(end);
            ends[end]->SetReceiveCallback(NetDevice::ReceiveCallback(
                [this, end](Ptr<NetDevice>, Ptr<const Packet> packet, uint16_t, const Address&) {
                    uint8_t number[2];
                    packet->CopyData(number, 2);
                    arrived[end].push_back(
                        {static_cast<uint16_t>(number[0] << 8 | number[1]), Simulator::Now()});
                    return true;
                }));
            for (const char* trace : {"MacTxDrop", "PhyRxDrop"})
            {
                ends[end]->TraceConnectWithoutContext(
                    trace,
                    Callback<void, Ptr<const Packet>>([this, end](Ptr<const Packet>) {
                        drops.emplace_back(ends[end]->GetDropCause());
                    }));
            }
        }
    }

    /// A numbered frame of \p octets with its Ethernet header, from \p end to the other.
    void Send(Time at, unsigned end, uint16_t number, uint32_t octets)
    {
        Simulator::Schedule(at, [this, end, number, octets] {
            std::vector<uint8_t> data(octets - HEADER);
            data[0] = number >> 8;
            data[1] = number;
            ends[end]->Send(Create<Packet>(data.data(), data.size()),
                            ends[1 - end]->GetAddress(),
                            IPV4);
        });
    }

    EsxEthernetHelper helper;
    NodeContainer nodes;
    NetDeviceContainer devices;
    Ptr<EsxEthernetChannel> link;
    Ptr<EsxEthernetNetDevice> ends[2];
    std::vector<Arrival> arrived[2];
    std::vector<EsxEthernetDrop> drops;
};

TEST_F(EsxEthernetTest, AFrameTakesItsLengthFcsPreambleAndGapThenTheDelay)
{
    Make("100Mbps", MicroSeconds(7));
    Send(Seconds(1), 0, 1, 1514);
    Simulator::Run();
    ASSERT_EQ(arrived[1].size(), 1U);
    EXPECT_EQ(arrived[1][0].at, Seconds(1) + NanoSeconds((1514 + 4 + 20) * 80) + MicroSeconds(7));
}

TEST_F(EsxEthernetTest, TheSummaryTellsEachLossOfALinkByItsCause)
{
    Make("100Mbps", MilliSeconds(1), "1p");
    EsxLedgerHelper books;
    EsxResultsHelper results;
    results.Install(books.InstallAll());
    results.AddLink("link", devices);
    const auto broken = CreateObject<ReceiveListErrorModel>();
    broken->SetList({0}); // the first one that arrives
    ends[1]->SetAttribute("ReceiveErrorModel", PointerValue(broken));
    Send(Seconds(1), 0, 1, 1514); // is broken
    Send(Seconds(2), 0, 2, 1514);
    Send(Seconds(2), 0, 3, 1514); // waits
    Send(Seconds(2), 0, 4, 1514); // finds the queue full
    Send(Seconds(3), 1, 5, 1514); // is on the link when it is cut
    Simulator::Schedule(Seconds(3) + MicroSeconds(500), &EsxEthernetChannel::SetDown, link, true);
    Send(Seconds(4), 1, 6, 1514); // and this one is sent later
    Simulator::Stop(Seconds(5));
    Simulator::Run();
    const std::string text = results.GetSummary("run", nullptr);
    EXPECT_EQ(arrived[1].size(), 2U);
    EXPECT_EQ(arrived[0].size(), 0U);
    EXPECT_NE(text.find(R"("dropped": {
        "queue": 1,
        "errors": 1,
        "down": 2
      })"),
              std::string::npos)
        << text;
}

TEST_F(EsxEthernetTest, AFrameThatIsOnlyDelayedIsNoLossOfALink)
{
    Make("100Mbps");
    EsxLedgerHelper books;
    EsxResultsHelper results;
    results.Install(books.InstallAll());
    results.AddLink("link", devices);
    const auto impairment = CreateObject<EsxLinkImpairment>();
    impairment->SetAttribute("Reorder", DoubleValue(1));
    impairment->Install(ends[1]);
    Send(Seconds(1), 0, 1, 1514);
    Simulator::Stop(Seconds(2));
    Simulator::Run();
    EXPECT_EQ(arrived[1].size(), 1U);
    EXPECT_TRUE(results.GetLinkDrops().empty());
}

TEST_F(EsxEthernetTest, AShortFrameTakesTheTimeOfSixtyOctets)
{
    Make("100Mbps");
    Send(Seconds(1), 0, 1, 20);
    Send(Seconds(2), 0, 2, 60);
    Send(Seconds(3), 0, 3, 61);
    Simulator::Run();
    ASSERT_EQ(arrived[1].size(), 3U);
    EXPECT_EQ(arrived[1][0].at - Seconds(1), NanoSeconds(84 * 80));
    EXPECT_EQ(arrived[1][1].at - Seconds(2), NanoSeconds(84 * 80));
    EXPECT_EQ(arrived[1][2].at - Seconds(3), NanoSeconds(85 * 80));
}

TEST_F(EsxEthernetTest, AnOverheadOfZeroLeavesLengthAndFcs)
{
    Make("100Mbps");
    ends[0]->SetAttribute("FrameOverhead", UintegerValue(0));
    Send(Seconds(1), 0, 1, 1514);
    Simulator::Run();
    EXPECT_EQ(arrived[1].at(0).at - Seconds(1), NanoSeconds(1518 * 80));
}

/// 7 Mbit/s: a frame of 1514 octets takes 1 757 714 + 2/7 ns.
TEST_F(EsxEthernetTest, ABusyLinkHasExactlyItsRate)
{
    Make("7Mbps");
    for (uint16_t i = 0; i < 700; ++i)
    {
        Send(Seconds(1), 0, i, 1514);
    }
    Simulator::Run();
    ASSERT_EQ(arrived[1].size(), 700U);
    EXPECT_EQ(arrived[1].back().at - Seconds(1), NanoSeconds(700 * 1538 * 8ULL * 1000 / 7));
}

/// The two streams that lose half of their frames on one CSMA cable.
TEST_F(EsxEthernetTest, TwoStreamsInOppositeDirectionsDoNotHinderEachOther)
{
    Make("100Mbps", MicroSeconds(1), "2p");
    // 90 Mbit/s of 1538 octets on the wire: one each 136 711 ns
    for (uint16_t i = 0; i < 5000; ++i)
    {
        Send(NanoSeconds(136711ULL * i), 0, i, 1514);
        Send(NanoSeconds(136711ULL * i), 1, i, 1514);
    }
    Simulator::Run();
    EXPECT_EQ(arrived[0].size(), 5000U);
    EXPECT_EQ(arrived[1].size(), 5000U);
    EXPECT_TRUE(drops.empty());
}

/// A frame each 100 us onto a link that needs 123.04 us: a queue of K, and the transmitter, of
/// which the queue does not count, take K + 1 frames; the rest is decided by a recurrence.
TEST_F(EsxEthernetTest, QueueLossOfPeriodicArrivalsFollowsTheRecurrence)
{
    const uint64_t arrivalNs = 100'000;
    const uint64_t serviceNs = 1538 * 80;
    const uint32_t room = 5;
    Make("100Mbps", Time(0), "5p");
    std::vector<uint64_t> ends_;
    std::size_t lost = 0;
    for (uint16_t i = 0; i < 2000; ++i)
    {
        const uint64_t now = arrivalNs * i;
        Send(NanoSeconds(now), 0, i, 1514);
        const auto inSystem =
            std::count_if(ends_.begin(), ends_.end(), [now](uint64_t end) { return end > now; });
        if (inSystem > room)
        {
            ++lost;
        }
        else
        {
            ends_.push_back(std::max(now, ends_.empty() ? 0 : ends_.back()) + serviceNs);
        }
    }
    Simulator::Run();
    EXPECT_GT(lost, 300U);
    EXPECT_EQ(drops.size(), lost);
    ASSERT_EQ(arrived[1].size(), ends_.size());
    for (std::size_t i = 0; i < ends_.size(); ++i)
    {
        ASSERT_EQ(arrived[1][i].at, NanoSeconds(ends_[i])) << i;
    }
    EXPECT_EQ(ends[0]->GetDropped(), lost);
}

/// Arrival and departure in the same instant: the departure is first, whichever event is older.
TEST_F(EsxEthernetTest, AFrameThatComesAsTheTransmitterBecomesFreeFindsItFree)
{
    Make("100Mbps", Time(0), "1p");
    const Time service = NanoSeconds(1538 * 80);
    Send(service, 0, 3, 1514); // made before the event that ends the first frame
    Send(Time(0), 0, 1, 1514);
    Send(Time(0), 0, 2, 1514);
    Simulator::Run();
    EXPECT_EQ(arrived[1].size(), 3U);
    EXPECT_TRUE(drops.empty());
}

TEST_F(EsxEthernetTest, FramesOfOneInstantArriveInOrderOfTheirSendersAndBehindAllElse)
{
    EsxSteeredScheduler::Install();
    Make("8Mbps", MicroSeconds(9));
    EsxEthernetHelper helper;
    helper.SetDeviceAttribute("DataRate", DataRateValue(DataRate("8Mbps")));
    helper.SetDeviceAttribute("Delay", TimeValue(MicroSeconds(9)));
    const NetDeviceContainer second = helper.Install(nodes);
    std::string order;
    const auto hear = [&](const Ptr<NetDevice>& at, char name) {
        at->SetReceiveCallback(NetDevice::ReceiveCallback(
            [&order, name](Ptr<NetDevice>, Ptr<const Packet>, uint16_t, const Address&) {
                order += name;
                return true;
            }));
    };
    hear(ends[0], 'c');
    hear(ends[1], 'a');
    hear(second.Get(1), 'b');
    const auto send = [](const Ptr<NetDevice>& from, const Ptr<NetDevice>& to) {
        from->Send(Create<Packet>(100 - HEADER), to->GetAddress(), IPV4);
    };
    Simulator::Schedule(Seconds(1), [&] {
        send(ends[1], ends[0]); // the second node's, by its first device
        send(second.Get(0), second.Get(1));
        send(ends[0], ends[1]);
        const Time arrival = MicroSeconds(124 + 9); // 100 octets, FCS, preamble and gap
        Simulator::Schedule(arrival, [&] { order += '0'; });
    });
    Simulator::Run();
    EXPECT_EQ(order, "0abc");
}

TEST_F(EsxEthernetTest, ANewRateHoldsFromTheNextFrameOn)
{
    Make("100Mbps");
    Send(Time(0), 0, 1, 1514);
    Send(Time(0), 0, 2, 1514);
    Simulator::Schedule(MicroSeconds(1), [this] { link->SetDataRate(DataRate("10Mbps")); });
    Simulator::Run();
    EXPECT_EQ(arrived[1].at(0).at, NanoSeconds(1538 * 80));
    EXPECT_EQ(arrived[1].at(1).at, NanoSeconds(1538 * 80 + 1538 * 800));
}

TEST_F(EsxEthernetTest, FramesDoNotOvertakeEachOtherWhenTheDelayShrinks)
{
    Make("100Mbps", MilliSeconds(10));
    Send(Time(0), 0, 1, 1514);
    Simulator::Schedule(MicroSeconds(1), [this] { link->SetDelay(MicroSeconds(5)); });
    Send(MilliSeconds(1), 0, 2, 1514);
    Simulator::Run();
    ASSERT_EQ(arrived[1].size(), 2U);
    EXPECT_EQ(arrived[1][0].number, 1);
    EXPECT_EQ(arrived[1][1].at, arrived[1][0].at);
}

TEST_F(EsxEthernetTest, AShorterQueueStillSendsWhatWaits)
{
    Make("100Mbps", Time(0), "100p");
    for (uint16_t i = 0; i < 50; ++i)
    {
        Send(Time(0), 0, i, 1514);
    }
    Simulator::Schedule(NanoSeconds(1), [this] { link->SetQueueSize(QueueSize("10p")); });
    Send(MicroSeconds(1), 0, 100, 1514);             // 49 wait: full
    Send(NanoSeconds(1538 * 80 * 45), 0, 101, 1514); // 4 wait
    Simulator::Run();
    EXPECT_EQ(arrived[1].size(), 51U);
    EXPECT_EQ(drops, std::vector{EsxEthernetDrop::QUEUE});
    EXPECT_EQ(ends[0]->GetQueue()->GetMaxSize(), QueueSize("10p"));
}

TEST_F(EsxEthernetTest, ACutLosesWhatIsOnTheLinkWhatWaitsAndWhatComes)
{
    Make("100Mbps", MilliSeconds(1));
    Send(Time(0), 0, 1, 1514);           // on the link when it is cut
    Send(MicroSeconds(900), 0, 2, 1514); // being sent
    Send(MicroSeconds(900), 0, 3, 1514); // waits
    Send(MilliSeconds(2), 0, 4, 1514);   // comes while it is down
    Send(MilliSeconds(4), 0, 5, 1514);   // after it was mended
    Simulator::Schedule(MicroSeconds(950), [this] { link->SetDown(true); });
    Simulator::Schedule(MicroSeconds(951), [this] { EXPECT_FALSE(ends[1]->IsLinkUp()); });
    Simulator::Schedule(MilliSeconds(3), [this] { link->SetDown(false); });
    Simulator::Run();
    ASSERT_EQ(arrived[1].size(), 1U);
    EXPECT_EQ(arrived[1][0].number, 5);
    EXPECT_EQ(drops, std::vector(4, EsxEthernetDrop::LINK_DOWN));
    EXPECT_EQ(ends[0]->GetSentFrames(), 2U); // 1 and 5: 2 was cut off
    EXPECT_EQ(ends[0]->GetSentOctets(), 2U * 1514);
}

TEST_F(EsxEthernetTest, ACutThatIsMendedAtOnceLosesWhatWasOnTheLink)
{
    Make("100Mbps", MilliSeconds(1));
    Send(Time(0), 0, 1, 1514);
    Simulator::Schedule(MicroSeconds(500), [this] {
        link->SetDown(true);
        link->SetDown(false);
    });
    Simulator::Run();
    EXPECT_TRUE(arrived[1].empty());
    EXPECT_EQ(drops, std::vector{EsxEthernetDrop::LINK_DOWN});
}

TEST_F(EsxEthernetTest, SentCountsFramesWhoseSendingHasEnded)
{
    Make("100Mbps");
    Send(Time(0), 0, 1, 1514);
    Simulator::Schedule(NanoSeconds(1538 * 80 - 1), [this] {
        EXPECT_EQ(ends[0]->GetSentFrames(), 0U);
        EXPECT_EQ(ends[0]->GetSentOctets(), 0U);
    });
    Simulator::Schedule(NanoSeconds(1538 * 80), [this] {
        EXPECT_EQ(ends[0]->GetSentFrames(), 1U);
        EXPECT_EQ(ends[0]->GetSentOctets(), 1514U);
    });
    Simulator::Run();
}

TEST_F(EsxEthernetTest, WithoutContentionEachFrameTakesItsTimeAndWaitsForNobody)
{
    helper.SetDeviceAttribute("Contention", StringValue("None"));
    Make("8Mbps", MicroSeconds(3), "1p");
    for (uint16_t number = 0; number < 500; ++number)
    {
        Send(Seconds(1), 0, number, 1514);
    }
    Send(Seconds(1) + NanoSeconds(1), 0, 500, 30); // overtakes
    Simulator::Run();
    EXPECT_TRUE(drops.empty());
    ASSERT_EQ(arrived[1].size(), 501U);
    EXPECT_EQ(arrived[1][0].number, 500);
    EXPECT_EQ(arrived[1][0].at, Seconds(1) + NanoSeconds(1) + MicroSeconds(60 + 24 + 3));
    for (uint16_t number = 0; number < 500; ++number)
    {
        EXPECT_EQ(arrived[1][number + 1].number, number);
        EXPECT_EQ(arrived[1][number + 1].at, Seconds(1) + MicroSeconds(1514 + 24 + 3));
    }
    EXPECT_EQ(ends[0]->GetSentFrames(), 501U);
    EXPECT_EQ(ends[0]->GetSentOctets(), 500 * 1514 + 30U);
    EXPECT_EQ(ends[0]->GetBusyTime(), MicroSeconds(500 * 1538 + 84));
    EXPECT_EQ(ends[0]->GetQueueHighWater(), 0U);
}

TEST_F(EsxEthernetTest, WithoutContentionBusyTimeIsThatOfTheRateOfEachFrame)
{
    helper.SetDeviceAttribute("Contention", StringValue("None"));
    Make("8Mbps");
    Send(Seconds(1), 0, 1, 1514);
    Simulator::Schedule(Seconds(2), [this] { link->SetDataRate(DataRate("16Mbps")); });
    Send(Seconds(3), 0, 2, 1514);
    Simulator::Run();
    EXPECT_EQ(ends[0]->GetBusyTime(), MicroSeconds(1538 + 769));
}

TEST_F(EsxEthernetTest, AFrameCostsOneEventAndASecondOneIfItWaits)
{
    helper.DisableFlowControl(); // ns-3's own, from 3.38 on an event for each frame that waited
    Make("100Mbps");
    Simulator::Run(); // the nodes start
    const uint64_t before = Simulator::GetEventCount();
    for (uint16_t i = 0; i < 100; ++i)
    {
        Send(MilliSeconds(i), 0, i, 1514);
    }
    Simulator::Run();
    EXPECT_EQ(Simulator::GetEventCount() - before, 200U); // 100 of them are Send's own
    for (uint16_t i = 0; i < 100; ++i)
    {
        Send(Time(0), 0, i, 1514);
    }
    Simulator::Run();
    EXPECT_EQ(Simulator::GetEventCount() - before, 200U + 100 + 100 + 99);
}

TEST_F(EsxEthernetTest, TheErrorModelsOfTheTwoDirectionsAreApart)
{
    Make("1Gbps");
    const auto impairment = CreateObject<EsxLinkImpairment>();
    impairment->SetAttribute("Loss", DoubleValue(1));
    impairment->Install(ends[1]);
    for (uint16_t i = 0; i < 10; ++i)
    {
        Send(MilliSeconds(i), 0, i, 100);
        Send(MilliSeconds(i), 1, i, 100);
    }
    Simulator::Run();
    EXPECT_EQ(arrived[0].size(), 10U);
    EXPECT_TRUE(arrived[1].empty());
    EXPECT_EQ(drops, std::vector(10, EsxEthernetDrop::ERROR));
}

TEST_F(EsxEthernetTest, DuplicatesAndDelayedFramesArriveOverAFullDuplexLink)
{
    Make("1Gbps");
    const auto impairment = CreateObject<EsxLinkImpairment>();
    impairment->AssignStreams(1);
    impairment->SetAttribute("Duplicate", DoubleValue(0.1));
    impairment->SetAttribute("Reorder", DoubleValue(0.1));
    impairment->SetAttribute("ReorderDelay", TimeValue(MicroSeconds(2500)));
    impairment->Install(ends[1]);
    for (uint16_t i = 0; i < 1000; ++i)
    {
        Send(MilliSeconds(i), 0, i, 100);
    }
    Simulator::Run();
    EXPECT_GT(impairment->GetDuplicated(), 50U);
    EXPECT_GT(impairment->GetReordered(), 50U);
    EXPECT_EQ(arrived[1].size(), 1000 + impairment->GetDuplicated());
    EXPECT_FALSE(
        std::is_sorted(arrived[1].begin(),
                       arrived[1].end(),
                       [](const Arrival& a, const Arrival& b) { return a.number < b.number; }));
}

TEST_F(EsxEthernetTest, CapturesHoldFramesWithTheirEthernetHeader)
{
    Make("100Mbps");
    esxnf::ScratchFolder folder;
    EsxEthernetHelper().EnablePcap(folder.Path("link.pcap"), ends[1], true, true);
    Send(Seconds(1), 0, 1, 1514);
    Simulator::Run();
    Simulator::Destroy();
    std::ifstream file(folder.Path("link.pcap"), std::ios::binary);
    const std::string octets((std::istreambuf_iterator<char>(file)),
                             std::istreambuf_iterator<char>());
    ASSERT_EQ(octets.size(), 24U + 16 + 1514);
    EXPECT_EQ(octets[20], 1); // DLT_EN10MB
    EXPECT_EQ(octets.substr(24 + 16 + 12, 2), std::string("\x08\x00", 2));
}

/// The queue disc waits for the device, so the device's short queue loses nothing.
TEST_F(EsxEthernetTest, FlowControlKeepsFramesInTheQueueDisc)
{
    nodes.Create(2);
    InternetStackHelper().Install(nodes);
    EsxEthernetHelper ethernet;
    ethernet.SetDeviceAttribute("DataRate", DataRateValue(DataRate("10Mbps")));
    ethernet.SetQueueSize(QueueSize("3p"));
    devices = ethernet.Install(nodes);
    const auto sender = DynamicCast<EsxEthernetNetDevice>(devices.Get(0));
    TrafficControlHelper control;
    control.SetRootQueueDisc("ns3::FifoQueueDisc");
    control.Install(sender);
    Ipv4AddressHelper("10.0.0.0", "255.255.255.0").Assign(devices);
    const auto socket = Socket::CreateSocket(nodes.Get(0), UdpSocketFactory::GetTypeId());
    uint32_t received = 0;
    const auto sink = Socket::CreateSocket(nodes.Get(1), UdpSocketFactory::GetTypeId());
    sink->Bind(InetSocketAddress(Ipv4Address::GetAny(), 9));
    sink->SetRecvCallback(Callback<void, Ptr<Socket>>([&received](Ptr<Socket> from) {
        while (from->Recv())
        {
            ++received;
        }
    }));
    socket->Connect(InetSocketAddress("10.0.0.2", 9));
    socket->Send(Create<Packet>(100)); // so that the address is known
    Simulator::Schedule(Seconds(1), [&socket] {
        for (unsigned i = 0; i < 200; ++i)
        {
            socket->Send(Create<Packet>(1000));
        }
    });
    Simulator::Run();
    EXPECT_EQ(received, 201U);
    EXPECT_EQ(sender->GetDropped(), 0U);
}

TEST_F(EsxEthernetTest, AnUplinkAndAPhysicalSwitchSeeTheCut)
{
    NodeContainer three(3);
    EsxEthernetHelper helper;
    const NetDeviceContainer host = helper.Install(three.Get(0), three.Get(1));
    const NetDeviceContainer station = helper.Install(three.Get(1), three.Get(2));
    const auto uplink = CreateObject<EsxUplink>();
    uplink->Adopt(host.Get(0), "vmnic0");
    const auto sw = CreateObject<EsxPhysicalSwitch>();
    three.Get(1)->AggregateObject(sw);
    sw->AddPort(1, host.Get(1));
    sw->AddPort(2, station.Get(0));
    std::vector<Mac48Address> heard;
    three.Get(2)->RegisterProtocolHandler(Node::ProtocolHandler([&heard](Ptr<NetDevice>,
                                                                         Ptr<const Packet>,
                                                                         uint16_t,
                                                                         const Address& source,
                                                                         const Address&,
                                                                         NetDevice::PacketType) {
                                              heard.push_back(Mac48Address::ConvertFrom(source));
                                          }),
                                          0,
                                          station.Get(1));
    const Mac48Address guest("00:0c:29:00:00:01");
    uplink->Transmit(Create<Packet>(100),
                     guest,
                     Mac48Address::ConvertFrom(station.Get(1)->GetAddress()),
                     IPV4);
    Simulator::Run();
    EXPECT_EQ(heard, std::vector{guest}); // a foreign source address crosses
    EXPECT_TRUE(uplink->IsLinkUp());
    EsxEthernetHelper::GetLink(host.Get(0))->SetDown(true);
    EXPECT_FALSE(uplink->IsLinkUp());
}

TEST(EsxEthernetHelperDeathTest, WhatIsNoLinkAborts)
{
    EXPECT_DEATH(EsxEthernetHelper().Install(NodeContainer(3)), "between 2 nodes, not 3");
    EXPECT_DEATH(EsxEthernetHelper().Install(nullptr, CreateObject<Node>()), "between two nodes");
    const NetDeviceContainer csma = CsmaHelper().Install(NodeContainer(2));
    EXPECT_DEATH(EsxEthernetHelper::GetLink(csma.Get(0)), "not of a full-duplex Ethernet link");
    const auto link = EsxEthernetHelper().Install(NodeContainer(2));
    EXPECT_DEATH(link.Get(0)->SetAttribute("DataRate", DataRateValue(DataRate(0))), "above 0");
    Simulator::Destroy();
}

} // namespace
