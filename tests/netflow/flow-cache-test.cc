// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-cache.h"
#include "tests/netflow/testing.h"

#include <set>

namespace netflow
{
namespace
{

using test::Packet;

constexpr TimeNs S = 10 * NS_PER_MS; // scan interval
constexpr TimeNs IDLE = 15 * NS_PER_SECOND;
constexpr TimeNs ACTIVE = 300 * NS_PER_SECOND;

class FlowCacheTest : public ::testing::Test
{
  protected:
    void Make()
    {
        cache.reset();
        cache = std::make_unique<FlowCache>(config, heap, sink);
    }

    void SetUp() override
    {
        Make();
    }

    AccountResult Account(uint32_t flow, TimeNs now, uint32_t octets = 100, uint8_t flags = 0)
    {
        return cache->Account(Packet(flow, octets, flags), 5, now);
    }

    /// Scans at every instant that the cache asks for, up to \p now.
    void RunTo(TimeNs now)
    {
        for (TimeNs scan = cache->NextScan(); scan <= now; scan = cache->NextScan())
        {
            ASSERT_EQ(scan % config.scanInterval, 0);
            cache->Scan(scan);
        }
    }

    /// The flows of the ended records, in order of their end.
    std::vector<uint32_t> EndedFlows() const
    {
        std::vector<uint32_t> flows;
        for (const FlowRecord& record : sink.records)
        {
            flows.push_back(record.key.source - Packet(0).key.source);
        }
        return flows;
    }

    FlowCacheConfig config;
    Heap heap{1 << 20};
    test::RecordingSink sink;
    std::unique_ptr<FlowCache> cache;
};

using Flows = std::vector<uint32_t>;

TEST_F(FlowCacheTest, PacketsOfAFlowAreCountedInOneRecord)
{
    EXPECT_EQ(Account(1, 5, 40, 0x02), AccountResult::COUNTED_NEW);
    EXPECT_EQ(Account(1, 7, 60, 0x10), AccountResult::COUNTED);
    EXPECT_EQ(Account(2, 8), AccountResult::COUNTED_NEW);
    EXPECT_EQ(cache->GetSize(), 2U);
    RunTo(NS_PER_SECOND * 20);
    ASSERT_EQ(sink.records.size(), 2U);
    const FlowRecord& record = sink.records[0];
    EXPECT_EQ(record.key, Packet(1).key);
    EXPECT_EQ(record.packets, 2U);
    EXPECT_EQ(record.octets, 100U);
    EXPECT_EQ(record.first, 5);
    EXPECT_EQ(record.last, 7);
    EXPECT_EQ(record.tcpFlags, 0x12);
    EXPECT_EQ(record.reason, EndReason::IDLE);
    EXPECT_EQ(record.id, 0U);
    EXPECT_EQ(sink.records[1].id, 1U);
    EXPECT_EQ(cache->GetSize(), 0U);
    EXPECT_EQ(cache->GetHighWater(), 2U);
    EXPECT_EQ(cache->GetNextRecordId(), 2U);
}

TEST_F(FlowCacheTest, EveryFieldOfTheKeySeparatesFlows)
{
    std::vector<PacketSummary> packets(9, Packet(1));
    ++packets[1].key.source;
    ++packets[2].key.destination;
    ++packets[3].key.sourcePort;
    ++packets[4].key.destinationPort;
    ++packets[5].key.vSwitch;
    ++packets[6].key.input;
    ++packets[7].key.protocol;
    ++packets[8].key.tos;
    for (AccountResult expected : {AccountResult::COUNTED_NEW, AccountResult::COUNTED})
    {
        for (const PacketSummary& packet : packets)
        {
            EXPECT_EQ(cache->Account(packet, 5, 0), expected);
        }
    }
}

TEST_F(FlowCacheTest, OutputPortIsThatOfTheRecordsFirstPacket)
{
    cache->Account(Packet(1), 7, 0);
    cache->Account(Packet(1), 8, 1);
    cache->Account(Packet(1), 9, 1 + IDLE + 1); // late: a new record
    RunTo(NS_PER_SECOND * 60);
    ASSERT_EQ(sink.records.size(), 2U);
    EXPECT_EQ(sink.records[0].output, 7);
    EXPECT_EQ(sink.records[1].output, 9);
}

TEST_F(FlowCacheTest, TcpFlagsBelongToOneRecordOnly)
{
    config.activeTimeout = NS_PER_SECOND;
    Make();
    Account(1, 0, 40, 0x02);
    Account(1, NS_PER_SECOND, 40, 0x10);
    Account(1, NS_PER_SECOND + 1, 40, 0x08);
    Account(1, NS_PER_SECOND + 2, 40, 0x20);
    RunTo(NS_PER_SECOND * 60);
    ASSERT_EQ(sink.records.size(), 2U);
    EXPECT_EQ(sink.records[0].tcpFlags, 0x12);
    EXPECT_EQ(sink.records[1].tcpFlags, 0x28);
}

TEST_F(FlowCacheTest, PacketAtTheIdleTimeoutStillBelongsToTheRecord)
{
    Account(1, 3);
    EXPECT_EQ(Account(1, 3 + IDLE), AccountResult::COUNTED);
    EXPECT_TRUE(sink.records.empty());
}

TEST_F(FlowCacheTest, PacketOneNanosecondAfterTheIdleTimeoutStartsANewRecord)
{
    Account(1, 3, 50);
    EXPECT_EQ(Account(1, 3 + IDLE + 1, 70), AccountResult::COUNTED_NEW);
    ASSERT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(sink.records[0].reason, EndReason::IDLE);
    EXPECT_EQ(sink.records[0].octets, 50U);
    EXPECT_EQ(sink.records[0].last, 3);
    EXPECT_EQ(cache->GetSize(), 1U);
    EXPECT_EQ(heap.GetUsed(), config.heapPerRecord);
}

TEST_F(FlowCacheTest, PacketAtTheActiveTimeoutStillBelongsToTheRecord)
{
    for (TimeNs now = 7; now <= 7 + ACTIVE; now += IDLE)
    {
        Account(1, now);
    }
    EXPECT_TRUE(sink.records.empty());
    EXPECT_EQ(Account(1, 7 + ACTIVE + 1), AccountResult::COUNTED_NEW);
    ASSERT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(sink.records[0].reason, EndReason::ACTIVE);
    EXPECT_EQ(sink.records[0].packets, 21U);
    EXPECT_EQ(sink.records[0].last - sink.records[0].first, ACTIVE);
}

TEST_F(FlowCacheTest, IdleIsTheReasonWhenBothTimeoutsArePast)
{
    config.idleTimeout = config.activeTimeout = NS_PER_SECOND;
    Make();
    Account(1, 0);
    Account(1, NS_PER_SECOND + 1); // ends the record by packet
    RunTo(10 * NS_PER_SECOND);     // and the next by scan
    ASSERT_EQ(sink.records.size(), 2U);
    EXPECT_EQ(sink.records[0].reason, EndReason::IDLE);
    EXPECT_EQ(sink.records[1].reason, EndReason::IDLE);
}

TEST_F(FlowCacheTest, ScanAtTheDeadlineEndsNothingAndTheNextOneDoes)
{
    Account(1, 0);     // deadline is a scan instant: idle must be *exceeded*
    Account(2, S - 1); // deadline one nanosecond before the next scan instant
    Account(3, S);     // and at it
    cache->Scan(IDLE);
    EXPECT_EQ(EndedFlows(), Flows{});
    cache->Scan(IDLE + S);
    EXPECT_EQ(EndedFlows(), (Flows{1, 2}));
    cache->Scan(IDLE + 2 * S);
    EXPECT_EQ(EndedFlows(), (Flows{1, 2, 3}));
}

TEST_F(FlowCacheTest, ScanEndsBusyFlowsAtTheActiveTimeout)
{
    TimeNs now = 0;
    for (; now <= ACTIVE; now += NS_PER_SECOND)
    {
        RunTo(now);
        Account(1, now);
    }
    EXPECT_TRUE(sink.records.empty());
    RunTo(ACTIVE + S);
    ASSERT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(sink.records[0].reason, EndReason::ACTIVE);
    EXPECT_EQ(sink.records[0].packets, 301U);
}

TEST_F(FlowCacheTest, WithinAScanRecordsEndInOrderOfCreation)
{
    for (uint32_t flow = 0; flow < 100; ++flow)
    {
        Account(flow, 0);
    }
    // Give flows back in an order that has nothing to do with creation, then create again in their
    // entries.
    RunTo(NS_PER_SECOND);
    cache->Scan(IDLE + S);
    sink.records.clear();
    const TimeNs start = IDLE + S;
    for (uint32_t flow : {30U, 10U, 20U})
    {
        Account(flow, start);
    }
    for (uint32_t flow : {20U, 30U, 10U})
    {
        Account(flow, start + 5);
    }
    Account(1, start + 1 * NS_PER_SECOND);
    // A scan that comes late merges two instants: still creation order.
    cache->Scan(start + 2 * IDLE);
    EXPECT_EQ(EndedFlows(), (Flows{30, 10, 20, 1}));
}

TEST_F(FlowCacheTest, NextScanIsTheInstantAfterTheDeadlineAndNeverWhenEmpty)
{
    EXPECT_EQ(cache->NextScan(), NEVER);
    Account(1, 12'345);
    EXPECT_EQ(cache->NextScan(), IDLE + S);
    Account(1, 2 * NS_PER_SECOND);
    EXPECT_LE(cache->NextScan(), 2 * NS_PER_SECOND + IDLE + S);
    RunTo(2 * NS_PER_SECOND + IDLE + S);
    EXPECT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(cache->NextScan(), NEVER);
}

TEST_F(FlowCacheTest, NextScanIsNeverOnceTheLastRecordWasStopped)
{
    config.expireOnTcpEnd = true;
    Make();
    Account(1, 0);
    cache->Stop(0);
    EXPECT_EQ(cache->NextScan(), NEVER);
    Account(2, 1, 40, 0x04);
    EXPECT_EQ(cache->NextScan(), NEVER);
    // Leftovers of those records in the wheel disturb nobody, however late the next flow is.
    const TimeNs late = 3600 * NS_PER_SECOND;
    Account(3, late);
    EXPECT_EQ(cache->NextScan(), late + IDLE + S);
    RunTo(late + IDLE + S);
    EXPECT_EQ(EndedFlows(), (Flows{1, 2, 3}));
}

TEST_F(FlowCacheTest, StopEndsOneVSwitchInOrderOfCreation)
{
    for (uint32_t flow = 0; flow < 6; ++flow)
    {
        PacketSummary packet = Packet(flow);
        packet.key.vSwitch = flow % 2;
        cache->Account(packet, 5, flow);
    }
    cache->Stop(1);
    EXPECT_EQ(EndedFlows(), (Flows{1, 3, 5}));
    EXPECT_EQ(sink.records[0].reason, EndReason::STOPPED);
    EXPECT_EQ(cache->GetSize(), 3U);
    EXPECT_EQ(heap.GetUsed(), 3 * config.heapPerRecord);
}

TEST_F(FlowCacheTest, FinAndRstEndARecordOnlyWhenConfigured)
{
    Account(1, 0, 40, 0x01);
    Account(2, 0, 40, 0x04);
    EXPECT_TRUE(sink.records.empty());
    config.expireOnTcpEnd = true;
    Make();
    Account(1, 0, 40, 0x02);
    Account(1, 1, 40, 0x11);
    Account(2, 2, 40, 0x04); // a record of one packet
    Account(3, 3, 40, 0xfa); // every flag but FIN and RST
    ASSERT_EQ(EndedFlows(), (Flows{1, 2}));
    EXPECT_EQ(sink.records[0].reason, EndReason::TCP_END);
    EXPECT_EQ(sink.records[0].packets, 2U);
    EXPECT_EQ(cache->GetSize(), 1U);
    EXPECT_EQ(Account(1, 4), AccountResult::COUNTED_NEW);
}

TEST_F(FlowCacheTest, RecordNumbersContinueWhereConfigured)
{
    config.firstRecordId = 1000;
    Make();
    Account(1, 0);
    Account(2, 0);
    cache->Stop(0);
    EXPECT_EQ(sink.records[0].id, 1000U);
    EXPECT_EQ(sink.records[1].id, 1001U);
    EXPECT_EQ(cache->GetNextRecordId(), 1002U);
}

TEST_F(FlowCacheTest, ForEachVisitsLiveRecordsInOrderOfCreation)
{
    for (uint32_t flow = 0; flow < 10; ++flow)
    {
        Account(flow, flow);
    }
    Account(3, 20 * NS_PER_SECOND); // late: created last
    std::vector<uint64_t> ids;
    cache->ForEach([&](const FlowRecord& record) { ids.push_back(record.id); });
    EXPECT_EQ(ids, (std::vector<uint64_t>{0, 1, 2, 4, 5, 6, 7, 8, 9, 10}));
}

TEST_F(FlowCacheTest, EveryEndReasonHasItsOwnName)
{
    std::set<std::string> names;
    for (unsigned reason = 0; reason < END_REASONS; ++reason)
    {
        names.insert(ToString(static_cast<EndReason>(reason)));
    }
    EXPECT_EQ(names,
              (std::set<std::string>{"idle", "active", "tcp_end", "evicted", "split", "stopped"}));
}

TEST_F(FlowCacheTest, RecordsAndTheirOrderDoNotDependOnTheSeedOfTheHash)
{
    std::vector<std::vector<FlowRecord>> all;
    for (const HashSeed& seed : {HashSeed{0, 0, 1}, HashSeed{1, 2, 3}, ProcessHashSeed()})
    {
        config.hashSeed = seed;
        config.maxEntries = 700;
        config.policy = CachePolicy::EVICT_OLDEST;
        sink.records.clear();
        Make();
        test::Random random(7);
        TimeNs now = 0;
        for (int i = 0; i < 20'000; ++i)
        {
            now += static_cast<TimeNs>(random.Below(20 * NS_PER_MS));
            RunTo(now);
            Account(static_cast<uint32_t>(random.Below(1500)), now);
        }
        cache->ForEach([this](const FlowRecord& live) { sink.records.push_back(live); });
        cache->Stop(0);
        all.push_back(sink.records);
    }
    EXPECT_GT(all[0].size(), 5000U);
    EXPECT_EQ(all[0], all[1]);
    EXPECT_EQ(all[0], all[2]);
}

} // namespace
} // namespace netflow
