// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/probe/probe.h"

#include <gmock/gmock.h>

namespace esxnf
{
namespace
{

using netflow::NS_PER_MS;
using netflow::NS_PER_SECOND;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr int64_t BOOT = 1'700'000'000'250'000'000; // a quarter second past a whole one
constexpr int64_t BOOT_MS = BOOT / NS_PER_MS;

/// Keeps (SysUptime in ms, records) of each datagram.
class RecordingSink : public netflow::DatagramSink
{
  public:
    bool Send(const netflow::Datagram& datagram) override
    {
        std::vector<netflow::V5Record> records;
        EXPECT_EQ(netflow::DecodeV5(datagram.data, datagram.size, m_header, records),
                  netflow::V5Error::NONE);
        sent.emplace_back(m_header.sysUptime, records.size());
        engines.push_back(m_header.engineId);
        const int64_t unixNs = m_header.unixSecs * NS_PER_SECOND + m_header.unixNsecs;
        const auto uptimeMs = static_cast<uint32_t>((unixNs - boot) / NS_PER_MS);
        EXPECT_TRUE(bootMoves || uptimeMs == m_header.sysUptime); // rule R7
        for (const netflow::V5Record& record : records)
        {
            firstUnixMs.push_back(unixNs / NS_PER_MS - m_header.sysUptime + record.first);
            EXPECT_LE(record.last - record.first, m_header.sysUptime - record.first); // rule R5
            EXPECT_LT(m_header.sysUptime - record.first, 1U << 31);                   // rule R6
        }
        all.insert(all.end(), records.begin(), records.end());
        return accept;
    }

    int64_t boot{BOOT};
    bool bootMoves{false};
    std::vector<int64_t> firstUnixMs; // of each record
    std::vector<std::pair<uint32_t, std::size_t>> sent;
    std::vector<uint8_t> engines; // of each datagram
    std::vector<netflow::V5Record> all;
    bool accept{true};

  private:
    netflow::V5Header m_header;
};

netflow::PacketSummary
Packet(uint16_t sourcePort)
{
    netflow::PacketSummary packet;
    packet.verdict = netflow::FrameVerdict::METERABLE;
    packet.octets = 100;
    packet.key.source = 0x0a000001;
    packet.key.destination = 0x0a000002;
    packet.key.sourcePort = sourcePort;
    packet.key.protocol = 17;
    return packet;
}

class ProbeTest : public testing::Test
{
  protected:
    /// Observes packets of a flow each, at these ms of uptime, and finishes.
    void Run(const std::vector<int64_t>& timesMs)
    {
        Probe probe(config, sink);
        probe.Tick(BOOT);
        uint16_t port = 0;
        for (int64_t ms : timesMs)
        {
            probe.Observe(Packet(++port), BOOT + ms * NS_PER_MS);
        }
        probe.Finish();
        EXPECT_EQ(probe.GetResidual(), netflow::Counts{});
        EXPECT_EQ(probe.GetMetering().GetCache().GetSize(), 0U);
        EXPECT_EQ(probe.GetMetering().GetPurgatory().GetSize(), 0U);
        ledger = probe.GetLedger().GetTotal();
        clock = probe.GetClockCounts();
    }

    ProbeConfig config;
    RecordingSink sink;
    netflow::Account ledger;
    netflow::ClockCounts clock;
};

TEST_F(ProbeTest, HostBootsWithTheFirstPacket)
{
    Run({0, 7});
    EXPECT_THAT(sink.all,
                ElementsAre(testing::Field(&netflow::V5Record::first, 0),
                            testing::Field(&netflow::V5Record::first, 7)));
}

TEST_F(ProbeTest, RecordsLeaveAtTheFirstPollAfterTheirScan)
{
    Run({0, 2500}); // idle after 15 s: scans at 15010 and 17510 ms
    EXPECT_THAT(sink.sent, ElementsAre(Pair(16000, 1), Pair(18000, 1)));
}

TEST_F(ProbeTest, AtEqualTimesTheScanComesBeforeThePoll)
{
    Run({0, 990}); // deadline 15990 ms: scan and poll at 16000 ms
    EXPECT_THAT(sink.sent, ElementsAre(Pair(16000, 2)));
}

TEST_F(ProbeTest, ScansAndPollsComeBeforeAPacketOfTheSameInstant)
{
    config.metering.cache.idleTimeout = 5 * NS_PER_SECOND;
    Probe probe(config, sink);
    probe.Tick(BOOT);
    probe.Observe(Packet(1), BOOT);
    probe.Observe(Packet(2), BOOT + 6000 * NS_PER_MS);
    EXPECT_THAT(sink.sent, ElementsAre(Pair(6000, 1)));
}

TEST_F(ProbeTest, ARecordThatAPacketEndsAtThePollsInstantWaitsForTheNextPoll)
{
    config.metering.cache.idleTimeout = 5 * NS_PER_SECOND;
    config.metering.cache.scanInterval = 60 * NS_PER_SECOND; // so that packets come first
    Probe probe(config, sink);
    probe.Tick(BOOT);
    probe.Observe(Packet(1), BOOT);
    probe.Observe(Packet(1), BOOT + 6000 * NS_PER_MS);
    probe.Observe(Packet(2), BOOT + 6500 * NS_PER_MS);
    EXPECT_THAT(sink.sent, ElementsAre());
    probe.Observe(Packet(2), BOOT + 7000 * NS_PER_MS);
    EXPECT_THAT(sink.sent, ElementsAre(Pair(7000, 1)));
}

TEST_F(ProbeTest, PollPeriodIsKept)
{
    config.pollPeriod = 700 * NS_PER_MS;
    Run({0});
    EXPECT_THAT(sink.sent, ElementsAre(Pair(15400, 1)));
}

TEST_F(ProbeTest, AFullPurgatoryIsPolledAtOnce)
{
    config.metering.purgatoryMax = 2;
    Run({0, 0, 0, 0, 0});
    EXPECT_THAT(sink.sent, ElementsAre(Pair(15010, 2), Pair(15010, 2), Pair(16000, 1)));
}

TEST_F(ProbeTest, LossyDropsWhatFindsPurgatoryFull)
{
    config.metering.purgatoryMax = 2;
    config.lossless = false;
    Run({0, 0, 0, 0, 0});
    EXPECT_THAT(sink.sent, ElementsAre(Pair(16000, 2)));
    EXPECT_EQ(ledger.Get(netflow::Move::DROPPED_PURGATORY_FULL).records, 3U);
}

TEST_F(ProbeTest, RefusedDatagramsAreBooked)
{
    sink.accept = false;
    Run({0});
    EXPECT_EQ(ledger.Get(netflow::Move::SEND_FAILED).records, 1U);
}

TEST_F(ProbeTest, PacketsOutOfOrderCountAsThePresent)
{
    Run({0, 500, 100, -400});
    EXPECT_EQ(clock.outOfOrder, 2U);
    EXPECT_EQ(sink.all.size(), 4U);
    EXPECT_EQ(sink.all.back().first, 500U);
}

TEST_F(ProbeTest, AfterAStepOfTheClockEachFirstIsItsPacketsOwnTime)
{
    sink.bootMoves = true;
    Run({0, 1000, -50'000, -49'000, -48'000});
    EXPECT_EQ(clock.stepsBack, 1U);
    EXPECT_THAT(sink.firstUnixMs,
                UnorderedElementsAre(BOOT_MS,
                                     BOOT_MS + 1000,
                                     BOOT_MS - 50'000,
                                     BOOT_MS - 49'000,
                                     BOOT_MS - 48'000));
    EXPECT_THAT(sink.sent,
                ElementsAre(Pair(16000, 1),
                            Pair(17000, 1),
                            Pair(17000, 1),
                            Pair(18000, 1),
                            Pair(19000, 1)));
}

TEST_F(ProbeTest, PacketsAreHeldNoLongerThanTheClockNeeds)
{
    Probe probe(config, sink);
    probe.Observe(Packet(1), BOOT);
    probe.Observe(Packet(2), BOOT - 60 * NS_PER_SECOND);
    EXPECT_EQ(probe.GetLedger().GetTotal().Get(netflow::Move::OFFERED).packets, 1U);
    probe.Observe(Packet(2), BOOT - 50 * NS_PER_SECOND); // 10 s later: the clock was set
    EXPECT_EQ(probe.GetLedger().GetTotal().Get(netflow::Move::OFFERED).packets, 3U);
    probe.Observe(Packet(2), BOOT - 90 * NS_PER_SECOND);
    probe.Tick(BOOT - 90 * NS_PER_SECOND);
    EXPECT_EQ(probe.GetLedger().GetTotal().Get(netflow::Move::OFFERED).packets, 3U);
    probe.Tick(BOOT - 90 * NS_PER_SECOND + 200 * NS_PER_MS);
    EXPECT_EQ(probe.GetLedger().GetTotal().Get(netflow::Move::OFFERED).packets, 4U);
}

TEST_F(ProbeTest, UptimeMayWrapInTheMiddle)
{
    const int64_t wrapMs = int64_t{1} << 32;
    config.uptimeAtStart = (wrapMs - 1000) * NS_PER_MS;
    sink.boot = BOOT - config.uptimeAtStart;
    Run({0, 500, 1500, 20'000, 400'000});
    ASSERT_EQ(sink.all.size(), 5U);
    EXPECT_EQ(sink.all[1].first, UINT32_MAX - 499);
    EXPECT_EQ(sink.all[2].first, 500U);
    EXPECT_THAT(sink.sent.front(), Pair(15'000, 2));
}

TEST_F(ProbeTest, PollsAreCountedFromTheFirstPacketWhateverTheUptime)
{
    config.uptimeAtStart = 123 * NS_PER_MS;
    sink.boot = BOOT - config.uptimeAtStart;
    Run({0});
    EXPECT_THAT(sink.sent, ElementsAre(Pair(16123, 1)));
}

TEST_F(ProbeTest, AnUptimeBefore1970IsTheUsersError)
{
    config.uptimeAtStart = BOOT + 1;
    Probe probe(config, sink);
    EXPECT_THROW(probe.Observe(Packet(1), BOOT), UserError);
}

TEST_F(ProbeTest, VlansEnterTheirVSwitchEachAnEngineOfItsOwn)
{
    config.vlans.Add("7=3:13");
    config.vlans.Add("8=2:5");
    Probe probe(config, sink);
    probe.Tick(BOOT);
    for (uint16_t vlan : {0, 7, 8, 9})
    {
        probe.Observe(Packet(vlan), BOOT, vlan);
    }
    probe.Finish();
    EXPECT_EQ(probe.GetResidual(), netflow::Counts{});
    EXPECT_THAT(sink.engines, ElementsAre(1, 2, 3));
    const auto inputs = [&](uint16_t sourcePort) {
        for (const auto& record : sink.all)
        {
            if (record.srcPort == sourcePort)
            {
                return record.input;
            }
        }
        return uint16_t{0};
    };
    EXPECT_EQ(inputs(0), 1);
    EXPECT_EQ(inputs(7), 13);
    EXPECT_EQ(inputs(8), 5);
    EXPECT_EQ(inputs(9), 1);
}

TEST_F(ProbeTest, AFlushExportsEverythingNow)
{
    config.metering.purgatoryMax = 2;
    config.lossless = false; // a flush loses nothing all the same
    Probe probe(config, sink);
    probe.Tick(BOOT);
    for (uint16_t port = 1; port <= 5; ++port)
    {
        probe.Observe(Packet(port), BOOT + port * NS_PER_MS);
    }
    probe.Flush();
    EXPECT_THAT(sink.sent, ElementsAre(Pair(5, 2), Pair(5, 2), Pair(5, 1)));
    EXPECT_EQ(probe.GetLedger().GetTotal().Get(netflow::Move::ENDED_STOPPED).records, 5U);
    EXPECT_EQ(probe.GetResidual(), netflow::Counts{});
}

TEST_F(ProbeTest, TimeAloneEndsRecords)
{
    Probe probe(config, sink);
    probe.Tick(BOOT);
    EXPECT_EQ(probe.GetIdleTime(), netflow::NEVER);
    probe.Observe(Packet(1), BOOT);
    EXPECT_LE(probe.GetIdleTime(), 15'010 * NS_PER_MS);
    EXPECT_GT(probe.GetIdleTime(), 0);
    probe.Tick(BOOT + 15'999 * NS_PER_MS);
    EXPECT_TRUE(sink.sent.empty());
    EXPECT_EQ(probe.GetIdleTime(), NS_PER_MS); // the poll
    probe.Tick(BOOT + 16'000 * NS_PER_MS);
    EXPECT_THAT(sink.sent, ElementsAre(Pair(16000, 1)));
    EXPECT_EQ(probe.GetIdleTime(), netflow::NEVER);
}

TEST_F(ProbeTest, AHeapTooSmallForPurgatoryIsTheUsersError)
{
    config.heapMaximum = 4096 * 64 - 1;
    EXPECT_THROW(Probe(config, sink), UserError);
    config.heapMaximum = 4096 * 64;
    EXPECT_NO_THROW(Probe(config, sink));
}

} // namespace
} // namespace esxnf
