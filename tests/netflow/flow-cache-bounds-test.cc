// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The flow cache at its limits: 32-bit counters, full tables, exhausted heaps, extreme times.
 */
#include "netflow/flow-cache.h"
#include "tests/netflow/testing.h"

#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace netflow
{

/// Sets what would take 2^32 packets to count.
struct FlowCachePeer
{
    static void SetPackets(FlowCache& cache, const FlowKey& key, uint32_t packets)
    {
        cache.m_table.Find(key, cache.m_table.HashOf(key))->packets = packets;
    }
};

namespace
{

using test::Packet;

constexpr TimeNs IDLE = 15 * NS_PER_SECOND;

class FlowCacheBoundsTest : public ::testing::Test
{
  protected:
    void Make(uint64_t heapMaximum = 1 << 20)
    {
        cache.reset();
        heap = std::make_unique<Heap>(heapMaximum);
        cache = std::make_unique<FlowCache>(config, *heap, sink);
    }

    AccountResult Account(uint32_t flow, TimeNs now)
    {
        return cache->Account(Packet(flow), 5, now);
    }

    void RunTo(TimeNs now)
    {
        for (TimeNs scan = cache->NextScan(); scan <= now; scan = cache->NextScan())
        {
            cache->Scan(scan);
            lastScan = scan;
        }
    }

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
    std::unique_ptr<Heap> heap;
    test::RecordingSink sink;
    std::unique_ptr<FlowCache> cache;
    TimeNs lastScan{0};
};

using Flows = std::vector<uint32_t>;

TEST_F(FlowCacheBoundsTest, OctetsThatWouldPass32BitsSplitTheRecord)
{
    Make();
    const auto count = [&](uint32_t octets) { return cache->Account(Packet(1, octets), 5, 1); };
    EXPECT_EQ(count(UINT32_MAX - 100), AccountResult::COUNTED_NEW);
    EXPECT_EQ(count(100), AccountResult::COUNTED) << "2^32 - 1 octets fit";
    EXPECT_TRUE(sink.records.empty());
    EXPECT_EQ(count(20), AccountResult::COUNTED_NEW);
    ASSERT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(sink.records[0].reason, EndReason::SPLIT);
    EXPECT_EQ(sink.records[0].octets, UINT32_MAX);
    EXPECT_EQ(sink.records[0].packets, 2U);
    EXPECT_EQ(count(UINT32_MAX - 20), AccountResult::COUNTED);
    EXPECT_EQ(count(1), AccountResult::COUNTED_NEW) << "one octet more than fits";
    cache->Stop(0);
    ASSERT_EQ(sink.records.size(), 3U);
    EXPECT_EQ(sink.records[1].octets, UINT32_MAX);
    EXPECT_EQ(sink.records[2].octets, 1U);
}

#if !defined(__SANITIZE_ADDRESS__) // it maps more than any limit
/// \return the octets that this process maps now
rlim_t
MappedOctets()
{
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    statm >> pages;
    return pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

TEST_F(FlowCacheBoundsTest, WhatTheMachineHasNoMemoryForIsNotChargedToTheHeap)
{
    Make(UINT64_MAX);
    const auto chargesWhatItHolds = [this] { // in a process of its own
        constexpr rlim_t MORE = 4 << 20;
        const rlimit limit{MappedOctets() + MORE, RLIM_INFINITY};
        setrlimit(RLIMIT_AS, &limit);
        AccountResult result = AccountResult::COUNTED_NEW;
        for (uint32_t flow = 0; result == AccountResult::COUNTED_NEW && flow < 1'000'000; ++flow)
        {
            result = Account(flow, 0);
        }
        return result == AccountResult::SHED_NO_MEMORY &&
               heap->GetUsed() == cache->GetSize() * config.heapPerRecord;
    };
    EXPECT_EXIT(_exit(chargesWhatItHolds() ? 0 : 1), ::testing::ExitedWithCode(0), "");
}
#endif

TEST_F(FlowCacheBoundsTest, ASplitAtTheVeryDeadlineIsNoTimeout)
{
    Make();
    cache->Account(Packet(1, UINT32_MAX), 5, 0);
    cache->Account(Packet(1, 1), 5, config.idleTimeout);
    ASSERT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(sink.records[0].reason, EndReason::SPLIT);
}

TEST_F(FlowCacheBoundsTest, PacketsThatWouldPass32BitsSplitTheRecord)
{
    Make();
    Account(1, 0);
    FlowCachePeer::SetPackets(*cache, Packet(1).key, UINT32_MAX - 1);
    EXPECT_EQ(Account(1, 1), AccountResult::COUNTED) << "2^32 - 1 packets fit";
    EXPECT_TRUE(sink.records.empty());
    EXPECT_EQ(Account(1, 1), AccountResult::COUNTED_NEW);
    ASSERT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(sink.records[0].packets, UINT32_MAX);
    EXPECT_EQ(sink.records[0].reason, EndReason::SPLIT);
    cache->Stop(0);
    EXPECT_EQ(sink.records[1].packets, 1U);
}

TEST_F(FlowCacheBoundsTest, DropNewShedsNewFlowsOfAFullCacheAndCountsKnownOnes)
{
    config.maxEntries = 2;
    Make();
    Account(1, 0);
    Account(2, 0);
    EXPECT_EQ(Account(3, 1), AccountResult::SHED_CACHE_FULL);
    EXPECT_EQ(Account(1, 1), AccountResult::COUNTED);
    EXPECT_EQ(cache->GetSize(), 2U);
    EXPECT_EQ(heap->GetFailures(), 0U);
    RunTo(20 * NS_PER_SECOND);
    EXPECT_EQ(Account(3, 20 * NS_PER_SECOND), AccountResult::COUNTED_NEW);
    EXPECT_EQ(cache->GetHighWater(), 2U);
}

TEST_F(FlowCacheBoundsTest, DropNewShedsNewFlowsOfAnExhaustedHeap)
{
    Make(2 * config.heapPerRecord + config.heapPerRecord - 1);
    Account(1, 0);
    Account(2, 0);
    EXPECT_EQ(Account(3, 1), AccountResult::SHED_NO_MEMORY);
    EXPECT_EQ(Account(2, 1), AccountResult::COUNTED);
    EXPECT_EQ(heap->GetUsed(), 2 * config.heapPerRecord);
    EXPECT_EQ(heap->GetFailures(), 1U);
}

TEST_F(FlowCacheBoundsTest, EvictionEndsTheRecordWithTheSmallestFirst)
{
    for (CachePolicy policy : {CachePolicy::EVICT_OLDEST, CachePolicy::EVICT_OLDEST_DROP})
    {
        sink.records.clear();
        config.policy = policy;
        config.maxEntries = 3;
        Make();
        Account(1, 0);
        Account(2, 0); // same First: created first goes first
        Account(3, 1);
        Account(1, 5); // being busy does not save a record
        EXPECT_EQ(Account(4, 6), AccountResult::COUNTED_NEW);
        EXPECT_EQ(Account(5, 7), AccountResult::COUNTED_NEW);
        EXPECT_EQ(EndedFlows(), (Flows{1, 2}));
        EXPECT_EQ(sink.records[0].reason, EndReason::EVICTED);
        EXPECT_EQ(sink.records[0].packets, 2U);
        EXPECT_EQ(cache->GetSize(), 3U);
        EXPECT_EQ(cache->GetHighWater(), 3U) << "law L8: never above the bound";
        EXPECT_EQ(heap->GetUsed(), 3 * config.heapPerRecord);
    }
}

TEST_F(FlowCacheBoundsTest, ARecordStartedByALatePacketIsYoungForEviction)
{
    config.policy = CachePolicy::EVICT_OLDEST;
    config.maxEntries = 2;
    Make();
    Account(1, 0);
    Account(2, NS_PER_SECOND);
    Account(1, IDLE + 1); // the record of flow 1 began anew
    sink.records.clear();
    Account(3, IDLE + 2);
    EXPECT_EQ(EndedFlows(), Flows{2});
}

TEST_F(FlowCacheBoundsTest, EvictionOfManyRecordsKeepsTheOrderOfCreation)
{
    config.policy = CachePolicy::EVICT_OLDEST;
    config.maxEntries = 50;
    config.activeTimeout = 100;
    config.scanInterval = 10;
    Make();
    for (uint32_t flow = 0; flow < 20'000; ++flow)
    {
        Account(flow, flow);
        Account(flow > 40 ? flow - 40 : flow, flow); // some late, begun anew
    }
    uint64_t evicted = 0;
    uint64_t id = 0;
    for (const FlowRecord& record : sink.records)
    {
        if (record.reason == EndReason::EVICTED)
        {
            EXPECT_GE(record.id, id);
            id = record.id;
            ++evicted;
        }
    }
    EXPECT_EQ(evicted, 20'000U - 50);
}

TEST_F(FlowCacheBoundsTest, EvictionServesAnExhaustedHeapToo)
{
    config.policy = CachePolicy::EVICT_OLDEST;
    Make(2 * config.heapPerRecord);
    Account(1, 0);
    Account(2, 0);
    EXPECT_EQ(Account(3, 1), AccountResult::COUNTED_NEW);
    EXPECT_EQ(EndedFlows(), Flows{1});
    EXPECT_EQ(heap->GetUsed(), 2 * config.heapPerRecord);
}

TEST_F(FlowCacheBoundsTest, WithNothingToEvictThePacketIsShed)
{
    config.policy = CachePolicy::EVICT_OLDEST;
    Make(config.heapPerRecord - 1);
    EXPECT_EQ(Account(1, 0), AccountResult::SHED_NO_MEMORY);
    EXPECT_EQ(cache->GetSize(), 0U);
    EXPECT_EQ(cache->NextScan(), NEVER);
}

TEST_F(FlowCacheBoundsTest, ShrinkingTheHeapFreesNoRecord)
{
    Make(10 * config.heapPerRecord);
    for (uint32_t flow = 0; flow < 10; ++flow)
    {
        Account(flow, flow < 5 ? 0 : NS_PER_SECOND);
    }
    heap->SetMaximum(6 * config.heapPerRecord);
    EXPECT_EQ(cache->GetSize(), 10U);
    EXPECT_EQ(Account(1, NS_PER_SECOND), AccountResult::COUNTED) << "known flows go on";
    EXPECT_EQ(Account(11, NS_PER_SECOND), AccountResult::SHED_NO_MEMORY);
    RunTo(IDLE + 20 * NS_PER_MS); // flows 0, 2, 3, 4 end: 6 remain, as many as fit
    EXPECT_EQ(cache->GetSize(), 6U);
    EXPECT_EQ(Account(11, IDLE + 20 * NS_PER_MS), AccountResult::SHED_NO_MEMORY);
    heap->SetMaximum(7 * config.heapPerRecord);
    EXPECT_EQ(Account(11, IDLE + 20 * NS_PER_MS), AccountResult::COUNTED_NEW);
}

TEST_F(FlowCacheBoundsTest, WithoutGrowthTheCacheReachesItsHighWaterMarkOnly)
{
    Make();
    for (uint32_t flow = 0; flow < 4; ++flow)
    {
        Account(flow, 0);
    }
    heap->SetGrowthAllowed(false);
    EXPECT_EQ(Account(9, 1), AccountResult::SHED_NO_MEMORY);
    cache->Stop(0);
    for (uint32_t flow = 0; flow < 4; ++flow)
    {
        EXPECT_EQ(Account(flow, 2), AccountResult::COUNTED_NEW);
    }
    EXPECT_EQ(Account(9, 2), AccountResult::SHED_NO_MEMORY);
}

TEST_F(FlowCacheBoundsTest, DestructionGivesTheHeapEverythingBack)
{
    Make();
    for (uint32_t flow = 0; flow < 100; ++flow)
    {
        Account(flow, 0);
    }
    cache.reset();
    EXPECT_EQ(heap->GetUsed(), 0U);
}

TEST_F(FlowCacheBoundsTest, ManyFlowsAreFoundAgainWhileTheTableGrowsAndShrinks)
{
    Make(UINT64_MAX);
    constexpr uint32_t FLOWS = 20'000; // several tables, several blocks
    for (uint32_t flow = 0; flow < FLOWS; ++flow)
    {
        ASSERT_EQ(Account(flow, 0), AccountResult::COUNTED_NEW);
    }
    for (uint32_t flow = 0; flow < FLOWS; flow += 2)
    {
        ASSERT_EQ(Account(flow, NS_PER_SECOND), AccountResult::COUNTED);
    }
    RunTo(IDLE + 10 * NS_PER_MS); // the odd ones end
    EXPECT_EQ(cache->GetSize(), FLOWS / 2);
    for (uint32_t flow = 0; flow < FLOWS; ++flow)
    {
        ASSERT_EQ(Account(flow, IDLE + NS_PER_SECOND),
                  flow % 2 == 0 ? AccountResult::COUNTED : AccountResult::COUNTED_NEW);
    }
}

TEST_F(FlowCacheBoundsTest, EntriesUsedManyTimesAreLookedAtOncePerIdleTimeout)
{
    config.expireOnTcpEnd = true;
    Make();
    TimeNs now = 0;
    for (uint32_t flow = 0; flow < 1000; ++flow, now += 10 * NS_PER_MS)
    {
        RunTo(now);
        cache->Account(Packet(flow, 40, 0x04), 5, now); // ends at once, always in the same entry
    }
    uint32_t scans = 0;
    const TimeNs end = now + 10 * IDLE;
    for (; now < end; now += NS_PER_SECOND / 7)
    {
        for (; cache->NextScan() <= now; ++scans)
        {
            cache->Scan(cache->NextScan());
        }
        Account(5000, now); // one long flow
    }
    // The past records' references are met once each; then the living one's once per timeout.
    EXPECT_LE(scans, 1000U + 10 + 1);
    EXPECT_EQ(cache->GetSize(), 1U);
}

TEST_F(FlowCacheBoundsTest, TimeoutsFarBeyondTheWheelsWindowAreKeptExactly)
{
    config.idleTimeout = config.activeTimeout = 3600 * NS_PER_SECOND;
    config.scanInterval = 1 * NS_PER_MS; // 3.6 million scans
    Make();
    Account(1, 500);
    RunTo(3600 * NS_PER_SECOND);
    EXPECT_TRUE(sink.records.empty());
    RunTo(7200 * NS_PER_SECOND);
    EXPECT_EQ(EndedFlows(), Flows{1});
    EXPECT_EQ(lastScan, 3600 * NS_PER_SECOND + NS_PER_MS);
}

TEST_F(FlowCacheBoundsTest, ScanIntervalOfOneNanosecondEndsARecordAtTheNextNanosecond)
{
    config.idleTimeout = config.activeTimeout = NS_PER_MS;
    config.scanInterval = 1;
    Make();
    Account(1, 77);
    RunTo(NS_PER_SECOND);
    EXPECT_EQ(lastScan, 77 + NS_PER_MS + 1);
    EXPECT_EQ(EndedFlows(), Flows{1});
}

TEST_F(FlowCacheBoundsTest, ScanIntervalLongerThanTheTimeoutsEndsAtTheNextInstant)
{
    config.idleTimeout = config.activeTimeout = NS_PER_MS;
    config.scanInterval = NS_PER_SECOND;
    Make();
    Account(1, 0);
    RunTo(10 * NS_PER_SECOND);
    EXPECT_EQ(lastScan, NS_PER_SECOND);
    EXPECT_EQ(EndedFlows(), Flows{1});
}

TEST_F(FlowCacheBoundsTest, TimeoutThatNeverComesIsNoOverflow)
{
    config.activeTimeout = NEVER;
    Make();
    Account(1, NS_PER_SECOND);
    EXPECT_EQ(Account(1, 10 * NS_PER_SECOND), AccountResult::COUNTED);
    RunTo(100 * NS_PER_SECOND);
    EXPECT_EQ(EndedFlows(), Flows{1});
    EXPECT_EQ(sink.records[0].reason, EndReason::IDLE);
    config.idleTimeout = NEVER;
    Make();
    Account(2, NS_PER_SECOND);
    EXPECT_EQ(Account(2, 365 * 86400 * NS_PER_SECOND), AccountResult::COUNTED);
}

TEST_F(FlowCacheBoundsTest, SilentGapsAndUptimesNear2To32MillisecondsChangeNothing)
{
    Make();
    TimeNs now = (TimeNs{1} << 32) * NS_PER_MS - 5 * NS_PER_SECOND;
    for (uint32_t flow = 0; flow < 8; ++flow)
    {
        sink.records.clear();
        ASSERT_EQ(Account(flow, now), AccountResult::COUNTED_NEW);
        EXPECT_EQ(cache->NextScan(),
                  (now + IDLE) / (10 * NS_PER_MS) * 10 * NS_PER_MS + 10 * NS_PER_MS);
        const TimeNs begin = now;
        now += TimeNs{50 * 86400} * NS_PER_SECOND + 123'456'789 * flow;
        RunTo(now);
        ASSERT_EQ(EndedFlows(), Flows{flow});
        EXPECT_GT(lastScan, begin + IDLE);
        EXPECT_LE(lastScan, begin + IDLE + 10 * NS_PER_MS);
    }
}

} // namespace
} // namespace netflow
