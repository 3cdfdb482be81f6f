// SPDX-License-Identifier: GPL-2.0-only
// The simulated collector: what it accepts, what it misses, and what its buffer loses.
#include "netflow-fixture.h"

#include "ns3/boolean.h"
#include "ns3/double.h"
#include "ns3/random-variable-stream.h"
#include "ns3/string.h"
#include "ns3/udp-socket-factory.h"

using namespace ns3;
using netflow::Move;

namespace
{

class EsxNetflowCollectorTest : public NetflowTest
{
  protected:
    /// A NetFlow v5 datagram of \p records empty records, header as given.
    static std::vector<uint8_t> Datagram(uint16_t version,
                                         uint16_t count,
                                         size_t records,
                                         uint32_t sequence = 0,
                                         uint8_t engine = 1)
    {
        std::vector<uint8_t> octets(24 + 48 * records);
        octets[1] = version;
        octets[2] = count >> 8;
        octets[3] = count;
        for (int i = 0; i < 4; ++i)
        {
            octets[16 + i] = sequence >> (24 - 8 * i);
        }
        octets[21] = engine;
        for (size_t i = 0; i < records; ++i)
        {
            octets[24 + 48 * i + 19] = 2;   // packets
            octets[24 + 48 * i + 23] = 200; // octets
        }
        return octets;
    }

    /// A guest's process that sends octets as a datagram to the collector.
    void SendTo(Time at, const std::vector<uint8_t>& octets, Ptr<EsxVnic> from)
    {
        At(at, [octets, from] {
            const auto socket =
                Socket::CreateSocket(from->GetNode(), UdpSocketFactory::GetTypeId());
            socket->Connect(InetSocketAddress("10.0.0.9", COLLECTOR_PORT));
            socket->Send(Create<Packet>(octets.data(), octets.size()));
        });
    }

    void SendTo(Time at, const std::vector<uint8_t>& octets)
    {
        SendTo(at, octets, a);
    }

    const EsxNetflowCollector::EngineStats& Engine(uint16_t engine) const
    {
        return collector->GetEngines().at({Ipv4Address("10.0.0.11"), engine});
    }
};

TEST_F(EsxNetflowCollectorTest, CountsWhatItReads)
{
    AddCollector();
    SendTo(Seconds(1), Datagram(5, 30, 30));
    SendTo(Seconds(2), Datagram(5, 1, 1, 30));
    RunUntil(Seconds(3));
    EXPECT_EQ(Engine(1).datagrams, 2u);
    EXPECT_EQ(Engine(1).records, 31u);
    EXPECT_EQ(Engine(1).packets, 62u);
    EXPECT_EQ(Engine(1).octets, 6200u);
    EXPECT_EQ(Engine(1).sequenceFailures, 0u);
    EXPECT_EQ(collector->GetTotals().records, 31u);
}

TEST_F(EsxNetflowCollectorTest, TotalsAreSumsOverTheEngines)
{
    AddCollector();
    SendTo(Seconds(1), Datagram(5, 3, 3));
    std::vector<uint8_t> wrapped = Datagram(5, 2, 2, 7, 2);
    wrapped[24 + 27] = 1; // First of the first record; its Last is 0
    SendTo(Seconds(2), wrapped);
    SendTo(Seconds(3), Datagram(5, 1, 1, 12, 2));
    RunUntil(Seconds(4));
    const EsxNetflowCollector::EngineStats totals = collector->GetTotals();
    EXPECT_EQ(totals.datagrams, 3u);
    EXPECT_EQ(totals.records, 6u);
    EXPECT_EQ(totals.packets, 12u);
    EXPECT_EQ(totals.octets, 1200u);
    EXPECT_EQ(totals.sequenceFailures, 1u);
    EXPECT_EQ(totals.missing, 3u);
    EXPECT_EQ(totals.wrapped, 1u);
}

TEST_F(EsxNetflowCollectorTest, RefusesMalformedDatagramsWithAReason)
{
    AddCollector();
    std::vector<std::string> reasons;
    collector->TraceConnectWithoutContext(
        "Rx",
        Callback<void, Ptr<const Packet>, const ns3::Address&, const std::string&>(
            [&](Ptr<const Packet>, const ns3::Address&, const std::string& error) {
                reasons.push_back(error);
            }));
    std::vector<uint8_t> truncated = Datagram(5, 1, 1);
    truncated.resize(23);
    std::vector<uint8_t> shorter = Datagram(5, 1, 1);
    shorter.pop_back();
    SendTo(Seconds(1), {});
    SendTo(Seconds(2), truncated);
    SendTo(Seconds(3), Datagram(9, 1, 1));
    SendTo(Seconds(4), Datagram(5, 0, 0));
    SendTo(Seconds(5), Datagram(5, 31, 30));
    SendTo(Seconds(6), Datagram(5, 2, 1));
    SendTo(Seconds(7), shorter);
    SendTo(Seconds(8), Datagram(5, 1, 1));
    RunUntil(Seconds(9));
    EXPECT_EQ(reasons,
              (std::vector<std::string>{"truncated header: fewer than 24 octets",
                                        "truncated header: fewer than 24 octets",
                                        "version is not 5",
                                        "count is not 1 to 30",
                                        "count is not 1 to 30",
                                        "length is not 24 + 48 * count",
                                        "length is not 24 + 48 * count",
                                        ""}));
    EXPECT_EQ(collector->GetRefused(), 7u);
    EXPECT_EQ(collector->GetTotals().records, 1u) << "records were invented";
    EXPECT_EQ(collector->GetTotals().sequenceFailures, 0u);
}

TEST_F(EsxNetflowCollectorTest, GapsAreFailuresAndMissingUntilALateDatagramFillsThem)
{
    AddCollector();
    SendTo(Seconds(1), Datagram(5, 2, 2, 1000)); // the first one is taken as it is
    SendTo(Seconds(2), Datagram(5, 2, 2, 1007)); // 5 missing
    SendTo(Seconds(3), Datagram(5, 2, 2, 1003)); // late
    SendTo(Seconds(4), Datagram(5, 2, 2, 1003)); // and its copy
    SendTo(Seconds(5), Datagram(5, 2, 2, 1009));
    RunUntil(Seconds(6));
    EXPECT_EQ(Engine(1).sequenceFailures, 3u);
    EXPECT_EQ(Engine(1).missing, 3u);
    EXPECT_EQ(Engine(1).late, 1u);
    EXPECT_EQ(Engine(1).duplicates, 1u);
    EXPECT_EQ(Engine(1).restarts, 0u);
    EXPECT_EQ(Engine(1).nextSequence, 1011u);
    EXPECT_EQ(collector->GetTotals().late, 1u);
    EXPECT_EQ(collector->GetTotals().duplicates, 1u);
}

TEST_F(EsxNetflowCollectorTest, LateRecordsIsHowFarBackADatagramIsLate)
{
    netflow.SetCollectorAttribute("LateRecords", UintegerValue(4));
    AddCollector();
    SendTo(Seconds(1), Datagram(5, 1, 1, 1000));
    SendTo(Seconds(2), Datagram(5, 1, 1, 1010));
    SendTo(Seconds(3), Datagram(5, 1, 1, 1006));
    SendTo(Seconds(4), Datagram(5, 1, 1, 1005));
    RunUntil(Seconds(5));
    EXPECT_EQ(Engine(1).late, 1u);
    EXPECT_EQ(Engine(1).restarts, 1u);
    EXPECT_EQ(collector->GetTotals().restarts, 1u);
}

TEST_F(EsxNetflowCollectorTest, SequenceWraps)
{
    AddCollector();
    SendTo(Seconds(1), Datagram(5, 2, 2, 0xffffffff));
    SendTo(Seconds(2), Datagram(5, 2, 2, 1));
    RunUntil(Seconds(5));
    EXPECT_EQ(Engine(1).sequenceFailures, 0u);
}

TEST_F(EsxNetflowCollectorTest, EnginesAndExportersAreApart)
{
    AddCollector();
    SendTo(Seconds(1), Datagram(5, 1, 1, 0, 1));
    SendTo(Seconds(2), Datagram(5, 1, 1, 0, 2));
    SendTo(Seconds(3), Datagram(5, 1, 1, 0, 1), b);
    RunUntil(Seconds(5));
    EXPECT_EQ(collector->GetEngines().size(), 3u);
    EXPECT_EQ(collector->GetTotals().sequenceFailures, 0u);
}

TEST_F(EsxNetflowCollectorTest, IgnoreEngineMerges)
{
    netflow.SetCollectorAttribute("IgnoreEngine", BooleanValue(true));
    AddCollector();
    SendTo(Seconds(1), Datagram(5, 1, 1, 0, 1));
    SendTo(Seconds(2), Datagram(5, 1, 1, 0, 2));
    RunUntil(Seconds(5));
    ASSERT_EQ(collector->GetEngines().size(), 1u);
    EXPECT_EQ(Engine(0).records, 2u);
    EXPECT_EQ(Engine(0).sequenceFailures, 1u);
}

TEST_F(EsxNetflowCollectorTest, FullBufferLosesTheNewest)
{
    netflow.SetCollectorAttribute("SocketBuffer", UintegerValue(3000)); // two full datagrams
    netflow.SetCollectorAttribute("ServiceTime",
                                  StringValue("ns3::ConstantRandomVariable[Constant=1]"));
    AddExport();
    Start();
    Send(Seconds(1), 1); // warms up ARP
    Burst(Seconds(20), 101, 150);
    RunUntil(Seconds(60));
    // One is being read, two wait, two are lost.
    EXPECT_EQ(collector->GetBufferDrops(), 2u);
    EXPECT_EQ(Records(Move::LOST_SOCKET_BUFFER), 60u);
    EXPECT_EQ(Records(Move::RECEIVED), 91u);
    ASSERT_EQ(read.size(), 4u);
    EXPECT_EQ(read[2].at - read[1].at, Seconds(1));
    EXPECT_EQ(read[3].at - read[2].at, Seconds(1));
    EXPECT_EQ(Datagrams()[4].place, "node1");
}

TEST_F(EsxNetflowCollectorTest, ServiceTimesAreDrawnForEachDatagramFromTheAssignedStream)
{
    constexpr int64_t STREAM = 7;
    const std::string exponential = "ns3::ExponentialRandomVariable[Mean=0.5]";
    netflow.SetCollectorAttribute("ServiceTime", StringValue(exponential));
    AddExport();
    EXPECT_EQ(collector->AssignStreams(STREAM), 1);
    Start();
    Send(Seconds(1), 1); // warms up ARP
    Burst(Seconds(20), 101, 150);
    RunUntil(Seconds(60));
    const auto drawn = CreateObject<ExponentialRandomVariable>();
    drawn->SetAttribute("Mean", DoubleValue(0.5));
    drawn->SetStream(STREAM);
    drawn->GetValue(); // after the first datagram, which came alone
    ASSERT_EQ(read.size(), 6u);
    for (std::size_t i = 2; i < read.size(); ++i)
    {
        EXPECT_EQ(read[i].at - read[i - 1].at, Seconds(drawn->GetValue())) << i;
    }
}

TEST_F(EsxNetflowCollectorTest, AConstantServiceTimeTakesNoStream)
{
    AddCollector();
    EXPECT_EQ(collector->AssignStreams(7), 0);
}

TEST_F(EsxNetflowCollectorTest, WhatNobodyReadAtItsEndIsLost)
{
    netflow.SetCollectorAttribute("ServiceTime",
                                  StringValue("ns3::ConstantRandomVariable[Constant=1]"));
    AddExport();
    collector->SetStopTime(MilliSeconds(37500));
    Start();
    Send(Seconds(1), 1);
    Burst(Seconds(20), 101, 150); // sent at 36 s; one read then, one at 37 s
    Send(Seconds(40), 2);
    RunUntil(Seconds(60));
    EXPECT_EQ(read.size(), 3u);
    EXPECT_FALSE(collector->IsListening());
    EXPECT_EQ(Records(Move::LOST_SOCKET_BUFFER), 90u);
    EXPECT_EQ(Records(Move::LOST_REFUSED), 1u);
    EXPECT_EQ(Records(Move::RECEIVED), 61u);
}

} // namespace
