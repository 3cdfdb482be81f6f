// SPDX-License-Identifier: GPL-2.0-only
#include "runner/cli.h"
#include "runner/probe.h"

#include <gmock/gmock.h>

namespace esxnf
{
namespace
{

using netflow::NS_PER_MS;
using netflow::NS_PER_SECOND;
using testing::ElementsAre;
using testing::Pair;

constexpr int64_t BOOT = 1'700'000'000'250'000'000; // a quarter second past a whole one

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
        const int64_t unixNs = m_header.unixSecs * NS_PER_SECOND + m_header.unixNsecs;
        EXPECT_EQ(unixNs, BOOT + m_header.sysUptime * NS_PER_MS); // rule R7
        all.insert(all.end(), records.begin(), records.end());
        return accept;
    }

    std::vector<std::pair<uint32_t, std::size_t>> sent;
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
        Probe probe(config, BOOT, sink);
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
        regressions = probe.GetMetering().GetClockRegressions();
    }

    ProbeConfig config;
    RecordingSink sink;
    netflow::Account ledger;
    uint64_t regressions{0};
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
    Probe probe(config, BOOT, sink);
    probe.Observe(Packet(1), BOOT);
    probe.Observe(Packet(2), BOOT + 16000 * NS_PER_MS);
    EXPECT_THAT(sink.sent, ElementsAre(Pair(16000, 1)));
}

TEST_F(ProbeTest, ARecordThatAPacketEndsAtThePollsInstantWaitsForTheNextPoll)
{
    config.metering.cache.scanInterval = 60 * NS_PER_SECOND; // so that packets come first
    Probe probe(config, BOOT, sink);
    probe.Observe(Packet(1), BOOT);
    probe.Observe(Packet(1), BOOT + 16000 * NS_PER_MS);
    probe.Observe(Packet(2), BOOT + 16500 * NS_PER_MS);
    EXPECT_THAT(sink.sent, ElementsAre());
    probe.Observe(Packet(2), BOOT + 17000 * NS_PER_MS);
    EXPECT_THAT(sink.sent, ElementsAre(Pair(17000, 1)));
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
    EXPECT_EQ(regressions, 2U);
    EXPECT_EQ(sink.all.size(), 4U);
    EXPECT_EQ(sink.all.back().first, 500U);
}

TEST_F(ProbeTest, AHeapTooSmallForPurgatoryIsTheUsersError)
{
    config.heapMaximum = 4096 * 64 - 1;
    EXPECT_THROW(Probe(config, BOOT, sink), CommandError);
    config.heapMaximum = 4096 * 64;
    EXPECT_NO_THROW(Probe(config, BOOT, sink));
}

} // namespace
} // namespace esxnf
