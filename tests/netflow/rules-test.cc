// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The rules that keep collectors quiet (R1 to R15), on datagrams that went the whole way from
 * frames through parser, cache, purgatory and exporter. Uptime and sequences start shortly before
 * they wrap.
 */
#include "tests/netflow/testing.h"

#include <map>

namespace netflow
{
namespace
{

using test::Bytes;
using test::Frame;
using test::Host;
using test::SentDatagram;

constexpr TimeNs SECOND = NS_PER_SECOND;
constexpr TimeNs WRAP = (TimeNs{1} << 32) * NS_PER_MS;
constexpr TimeNs START = WRAP - 40 * SECOND;
constexpr uint32_t SEQUENCE = UINT32_MAX - 300;
constexpr int64_t BOOT = 1'195'002'946'123'456'789; // 14 November 2007, 01:15:46 UTC and a bit

MeteringConfig
ShortTimeouts()
{
    MeteringConfig config;
    config.cache.idleTimeout = 3 * SECOND;
    config.cache.activeTimeout = 20 * SECOND;
    return config;
}

ExporterConfig
NearWrap()
{
    ExporterConfig config;
    config.initialSequence = SEQUENCE;
    config.bootUnixNs = BOOT;
    return config;
}

/// Frames of all kinds on three vSwitches over 80 seconds.
class RulesTest : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        host.sink.refusals = 40;
        test::Random random(7);
        for (TimeNs now = START; now < START + 80 * SECOND;
             now += static_cast<TimeNs>(random.Below(20 * NS_PER_MS)))
        {
            Frame frame;
            frame.protocol = random.Of<uint8_t>({1, 2, 6, 6, 6, 17, 17, 132});
            frame.tos = random.Of<uint8_t>({0, 0x20});
            frame.fragment = random.Of<uint16_t>({0, 0, 0, 0x2000, 0x2007});
            frame.payload = test::Tcp(static_cast<uint16_t>(random.Below(50)), 80, 0x10);
            frame.payload.resize(random.Below(60));
            frame.padding = 10;
            const Bytes bytes = frame.Build();
            host.RunTo(now);
            host.metering->Observe(random.Of<uint16_t>({1, 2, 0x0103}),
                                   test::Parse(bytes),
                                   static_cast<uint16_t>(random.Below(5) + 1),
                                   static_cast<uint16_t>(random.Below(5)),
                                   now);
        }
        host.RunTo(START + 120 * SECOND);
        ASSERT_GT(host.sink.datagrams.size(), 100U);
    }

    template <typename Check>
    void ForEachRecord(Check check) const
    {
        for (const SentDatagram& sent : host.sink.datagrams)
        {
            for (const V5Record& record : sent.records)
            {
                check(record, sent.header);
            }
        }
    }

    Host host{ShortTimeouts(), NearWrap(), {1, 2, 0x0103}, SECOND, START};
};

TEST_F(RulesTest, R1LengthIs24Plus48TimesCount)
{
    for (const SentDatagram& sent : host.sink.datagrams)
    {
        EXPECT_EQ(sent.bytes.size(), 24U + 48U * sent.header.count);
    }
}

TEST_F(RulesTest, R2CountIsOneTo30)
{
    for (const SentDatagram& sent : host.sink.datagrams)
    {
        EXPECT_GE(sent.header.count, 1);
        EXPECT_LE(sent.header.count, 30);
    }
}

TEST_F(RulesTest, R3AndR4EachEngineCountsTheRecordsOfItsEarlierDatagrams)
{
    std::map<std::pair<uint8_t, uint8_t>, uint32_t> next;
    bool wrapped = false;
    for (const SentDatagram& sent : host.sink.datagrams)
    {
        const auto engine = std::pair(sent.header.engineType, sent.header.engineId);
        const uint32_t expected = next.emplace(engine, SEQUENCE).first->second;
        EXPECT_EQ(sent.header.flowSequence, expected) << "also behind a failed send";
        next[engine] += sent.header.count;
        wrapped = wrapped || next[engine] < expected;
    }
    EXPECT_EQ(next.size(), 3U);
    EXPECT_EQ(next.count({1, 3}), 1U) << "vSwitch 0x0103";
    EXPECT_TRUE(wrapped);
}

TEST_F(RulesTest, R5AndR6FirstLastAndSysUptimeAreInOrderModulo2To32)
{
    bool wrapped = false;
    ForEachRecord([&](const V5Record& record, const V5Header& header) {
        EXPECT_LE(record.last - record.first, 20'000U) << "at most the active timeout";
        EXPECT_LE(header.sysUptime - record.last, 3000U + 1000 + 10 + 1)
            << "idle timeout, poll period, scan interval, rounding";
        wrapped = wrapped || record.last < record.first || header.sysUptime < record.last;
    });
    EXPECT_TRUE(wrapped);
}

TEST_F(RulesTest, R7UnixTimeLessUptimeIsConstantBelowAMillisecond)
{
    bool subsecond = false;
    for (const SentDatagram& sent : host.sink.datagrams)
    {
        ASSERT_LT(sent.header.unixNsecs, 1'000'000'000U);
        // 32 bits of seconds and of milliseconds: put the wraps back.
        const int64_t uptime = sent.header.sysUptime +
                               (sent.header.sysUptime < (uint32_t{1} << 31) ? WRAP / NS_PER_MS : 0);
        const int64_t unixNs =
            int64_t{sent.header.unixSecs} * SECOND + int64_t{sent.header.unixNsecs};
        const int64_t boot = unixNs - uptime * NS_PER_MS;
        EXPECT_GE(boot, BOOT);
        EXPECT_LT(boot, BOOT + NS_PER_MS);
        EXPECT_GE(unixNs, uptime * NS_PER_MS); // rule R8
        subsecond = subsecond || sent.header.unixNsecs != 0;
    }
    EXPECT_TRUE(subsecond);
}

TEST_F(RulesTest, R9SamplingIsZero)
{
    for (const SentDatagram& sent : host.sink.datagrams)
    {
        EXPECT_EQ(sent.header.samplingInterval, 0);
        EXPECT_EQ(sent.bytes[22], 0);
        EXPECT_EQ(sent.bytes[23], 0);
    }
}

TEST_F(RulesTest, R10IcmpHasNoSourcePort)
{
    bool seen = false;
    ForEachRecord([&](const V5Record& record, const V5Header&) {
        if (record.prot == 1)
        {
            EXPECT_EQ(record.srcPort, 0);
            seen = seen || record.dstPort != 0;
        }
    });
    EXPECT_TRUE(seen);
}

TEST_F(RulesTest, R11APacketHasAtLeast20Octets)
{
    ForEachRecord([&](const V5Record& record, const V5Header&) {
        EXPECT_GE(record.dPkts, 1U);
        EXPECT_GE(record.dOctets, 20 * record.dPkts);
    });
}

TEST_F(RulesTest, R12WhatIsUnknownIsZero)
{
    ForEachRecord([&](const V5Record& record, const V5Header&) {
        EXPECT_EQ(record.nextHop, 0U);
        EXPECT_EQ(record.srcAs, 0);
        EXPECT_EQ(record.dstAs, 0);
        EXPECT_EQ(record.srcMask, 0);
        EXPECT_EQ(record.dstMask, 0);
        EXPECT_EQ(record.pad1, 0);
        EXPECT_EQ(record.pad2, 0);
    });
}

TEST_F(RulesTest, R13ARestartedExporterBeginsItsSequenceAgain)
{
    Exporter restarted(NearWrap(), host.sink, host.ledger, nullptr);
    restarted.Export({test::Queued(1, 0)}, START + 120 * SECOND);
    EXPECT_EQ(host.sink.datagrams.back().header.flowSequence, SEQUENCE);
    ExporterConfig fromZero;
    Exporter first(fromZero, host.sink, host.ledger, nullptr);
    first.Export({test::Queued(1, 0)}, START + 120 * SECOND);
    EXPECT_EQ(host.sink.datagrams.back().header.flowSequence, 0U) << "by default from 0";
}

TEST_F(RulesTest, R14ADatagramFitsAnEthernetMtu)
{
    for (const SentDatagram& sent : host.sink.datagrams)
    {
        EXPECT_LE(20 + 8 + sent.bytes.size(), 1500U);
    }
}

TEST_F(RulesTest, R15TcpFlagsAreZeroForOtherProtocols)
{
    bool seen = false;
    ForEachRecord([&](const V5Record& record, const V5Header&) {
        if (record.prot != 6)
        {
            EXPECT_EQ(record.tcpFlags, 0);
        }
        seen = seen || record.tcpFlags != 0;
    });
    EXPECT_TRUE(seen);
}

TEST(Rules, R15FlagsOfAnExportedRecordAreNotInTheNextOne)
{
    Host host(ShortTimeouts(), {}, {1}, SECOND);
    for (TimeNs now = 0; now <= 60 * SECOND; now += SECOND)
    {
        host.Observe(1, test::Packet(1, 40, now == 0 ? 0x02 : 0x10), now);
    }
    ASSERT_GE(host.sink.datagrams.size(), 2U);
    EXPECT_EQ(host.sink.datagrams[0].records[0].tcpFlags, 0x12);
    EXPECT_EQ(host.sink.datagrams[1].records[0].tcpFlags, 0x10);
}

/// Feeds a little-endian pcap of Ethernet frames to vSwitch 1.
void
FeedPcap(Host& host, const Bytes& file)
{
    const auto word = [&](std::size_t at) {
        return file.at(at) | file.at(at + 1) << 8 | file.at(at + 2) << 16 |
               static_cast<uint32_t>(file.at(at + 3)) << 24;
    };
    const bool nanoseconds = word(0) == 0xa1b23c4d;
    EXPECT_TRUE(nanoseconds || word(0) == 0xa1b2c3d4);
    const TimeNs begin = word(24) * SECOND;
    for (std::size_t at = 24; at < file.size(); at += 16 + word(at + 8))
    {
        const TimeNs now =
            word(at) * SECOND + TimeNs{word(at + 4)} * (nanoseconds ? 1 : 1000) - begin;
        host.RunTo(now);
        const PacketSummary packet =
            ParseEthernet(file.data() + at + 16, word(at + 8), word(at + 12));
        host.metering->Observe(1, packet, 3, 0, now);
    }
}

TEST(Rules, RecordedCaptureGivesItsKnownRecords)
{
    MeteringConfig config;
    Host host(config, {}, {1}, SECOND);
    FeedPcap(host, test::ReadData("differential_input_a.pcap"));
    host.RunTo(host.nextPoll + 600 * SECOND);
    const Account total = host.ledger.GetTotal();
    EXPECT_EQ(total.Get(Move::OFFERED).packets, 27U);
    EXPECT_EQ(total.Get(Move::IGNORED_NOT_IPV4).packets, 1U);
    EXPECT_EQ(total.Get(Move::METERED), (Counts{26, 4490, 8}));
    EXPECT_EQ(total.Get(Move::SENT), (Counts{26, 4490, 8}));
}

TEST(Rules, SameInputGivesTheSameDatagrams)
{
    const auto run = [] {
        MeteringConfig config = ShortTimeouts();
        config.cache.maxEntries = 40;
        config.cache.policy = CachePolicy::EVICT_OLDEST;
        config.purgatoryMax = 60;
        Host host(config, NearWrap(), {1, 2}, SECOND, START);
        test::Random random(3);
        TimeNs now = START;
        for (int i = 0; i < 20'000; ++i)
        {
            now += static_cast<TimeNs>(random.Below(10 * NS_PER_MS));
            const auto flow = static_cast<uint32_t>(random.Below(200));
            host.Observe(static_cast<uint16_t>(random.Below(2) + 1), test::Packet(flow), now);
        }
        std::vector<Bytes> sent;
        for (const SentDatagram& datagram : host.sink.datagrams)
        {
            sent.push_back(datagram.bytes);
        }
        return sent;
    };
    const std::vector<Bytes> once = run();
    EXPECT_GT(once.size(), 100U);
    EXPECT_EQ(once, run());
}

} // namespace
} // namespace netflow
