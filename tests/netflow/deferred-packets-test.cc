// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/deferred-packets.h"
#include "netflow/flow-cache.h"
#include "tests/netflow/testing.h"

#include <algorithm>
#include <memory>
#include <tuple>

namespace netflow
{
namespace
{

using test::Packet;
using test::Random;
using test::RecordingSink;

constexpr TimeNs MS = NS_PER_MS;

/// Sums up what is counted later, beside the records.
class CountingSink : public RecordingSink
{
  public:
    void DeferredCounted(const FlowKey&, const DeferredPackets::Sum& sum) override
    {
        deferred += {sum.packets, sum.octets, 0};
    }

    Counts deferred;
};

/// Packets of one flow at equal intervals, of sizes that follow from their index.
class Train : public DeferredPackets
{
  public:
    uint32_t flow{0};
    TimeNs begin{0};
    TimeNs step{1};
    uint32_t packets{0};
    uint32_t next{0};
    bool isDeferred{false};
    bool knowsNext{false};
    uint32_t single{0}; //!< the next one that has to be counted by itself

    TimeNs At(uint32_t index) const
    {
        return begin + index * step;
    }

    PacketSummary Make(uint32_t index) const
    {
        return Packet(flow, 60 + index * 37 % 900, index % 5 == 0 ? 0x10 : 0x08);
    }

    uint32_t CountBefore(TimeNs at) const
    {
        return at <= begin ? 0 : std::min<TimeNs>((at - begin - 1) / step + 1, packets);
    }

    Sum Take(TimeNs until) override
    {
        Sum sum;
        for (const uint32_t end = CountBefore(until); next < end; ++next)
        {
            const PacketSummary packet = Make(next);
            ++sum.packets;
            sum.octets += packet.octets;
            sum.tcpFlags |= packet.tcpFlags;
            sum.last = At(next);
        }
        sum.next = knowsNext ? (next < packets ? At(next) : INT64_MAX) : INT64_MIN;
        return sum;
    }

    void Resume() override
    {
        isDeferred = false;
    }
};

/// A cache, and the same trains as another one has.
struct Meter
{
    Meter(const FlowCacheConfig& config, std::vector<Train> of)
        : cache(config, heap, sink),
          trains(std::move(of))
    {
    }

    Heap heap{UINT64_MAX};
    CountingSink sink;
    FlowCache cache;
    std::vector<Train> trains;
    Counts counted;

    /// The train whose packet comes next before an instant, by time and flow.
    Train* Next(TimeNs until)
    {
        Train* first = nullptr;
        for (Train& train : trains)
        {
            const uint32_t index = train.isDeferred ? train.single : train.next;
            if (index < train.packets && train.At(index) < until &&
                (!first ||
                 train.At(index) < first->At(first->isDeferred ? first->single : first->next)))
            {
                first = &train;
            }
        }
        return first;
    }

    void RunUntil(TimeNs until, bool defers, const FlowCacheConfig& config)
    {
        while (Train* const train = Next(until))
        {
            const TimeNs now = train->At(train->isDeferred ? train->single : train->next);
            if (train->isDeferred)
            {
                cache.Undefer(train->Make(0).key, now);
                train->isDeferred = false;
            }
            const PacketSummary packet = train->Make(train->next++);
            const AccountResult result = cache.Account(packet, 0, now);
            if (result != AccountResult::COUNTED && result != AccountResult::COUNTED_NEW)
            {
                continue;
            }
            counted += {1, packet.octets, 0};
            if (defers && train->step <= config.idleTimeout && train->next < train->packets)
            {
                const TimeNs next = train->At(train->next);
                if (const FlowEntry* const entry = cache.Defer(packet.key, *train, next))
                {
                    train->isDeferred = true;
                    train->single = train->CountBefore(entry->first + config.activeTimeout + 1);
                }
            }
        }
    }
};

std::vector<std::tuple<uint64_t, uint32_t, TimeNs, TimeNs, uint32_t, uint32_t, int, int>>
Rows(const std::vector<FlowRecord>& records)
{
    std::vector<std::tuple<uint64_t, uint32_t, TimeNs, TimeNs, uint32_t, uint32_t, int, int>> rows;
    for (const FlowRecord& record : records)
    {
        rows.emplace_back(record.id,
                          record.key.source,
                          record.first,
                          record.last,
                          record.packets,
                          record.octets,
                          record.tcpFlags,
                          static_cast<int>(record.reason));
    }
    return rows;
}

FlowCacheConfig
DrawConfig(Random& random)
{
    FlowCacheConfig config;
    config.idleTimeout = random.Of<TimeNs>({20 * MS, 100 * MS, 1000 * MS});
    config.activeTimeout = random.Of<TimeNs>({150 * MS, 1000 * MS, 60000 * MS});
    config.policy = random.Of({DROP_NEW, EVICT_OLDEST, EVICT_OLDEST_DROP});
    config.maxEntries = random.Of<uint64_t>({0, 3, 7});
    config.hashSeed = HashSeed{1, 2, 3};
    return config;
}

std::vector<Train>
DrawTrains(Random& random)
{
    std::vector<Train> trains(1 + random.Below(12));
    for (uint32_t i = 0; i < trains.size(); ++i)
    {
        trains[i].flow = i;
        trains[i].begin = static_cast<TimeNs>(random.Below(500)) * MS + i; // no two at once
        trains[i].step = random.Of<TimeNs>({MS / 10, MS, 17 * MS, 40 * MS, 150 * MS}) * 100 / 99;
        trains[i].packets = 1 + random.Below(60);
        trains[i].knowsNext = random.Below(2) == 1;
    }
    return trains;
}

TEST(DeferredPackets, GiveTheRecordsOfPacketsThatAreObservedOneByOne)
{
    uint64_t deferred = 0;
    for (uint64_t seed = 0; seed < 400; ++seed)
    {
        SCOPED_TRACE(seed);
        Random random(seed);
        const FlowCacheConfig config = DrawConfig(random);
        const std::vector<Train> trains = DrawTrains(random);
        Meter single(config, trains);
        Meter bulk(config, trains);
        for (TimeNs now = config.scanInterval; now < 12000 * MS; now += config.scanInterval)
        {
            single.RunUntil(now, false, config);
            bulk.RunUntil(now, true, config);
            if (random.Chance(10))
            {
                bulk.cache.Settle(now);
                Counts counted = bulk.counted;
                counted += bulk.sink.deferred;
                ASSERT_EQ(counted, single.counted);
            }
            ASSERT_EQ(bulk.cache.NextScan(), single.cache.NextScan());
            if (single.cache.NextScan() <= now)
            {
                single.cache.Scan(now);
                bulk.cache.Scan(now);
            }
            ASSERT_EQ(bulk.cache.GetSize(), single.cache.GetSize());
        }
        ASSERT_EQ(Rows(bulk.sink.records), Rows(single.sink.records));
        deferred += bulk.sink.deferred.packets;
    }
    EXPECT_GT(deferred, 10000U);
}

TEST(DeferredPackets, OfARecordThatIsStoppedAreSettledBefore)
{
    RecordingSink sink;
    Heap heap{UINT64_MAX};
    FlowCache cache({}, heap, sink);
    Train train;
    train.packets = 10;
    train.step = MS;
    cache.Account(train.Make(train.next++), 0, 0);
    ASSERT_NE(cache.Defer(train.Make(0).key, train, MS), nullptr);
    train.isDeferred = true;
    cache.Settle(5 * MS);
    cache.Stop(train.Make(0).key.vSwitch);
    ASSERT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(sink.records[0].packets, 5U) << "that of 5 ms has not come";
    EXPECT_EQ(sink.records[0].last, 4 * MS);
    EXPECT_FALSE(train.isDeferred) << "its owner was told";
}

TEST(DeferredPackets, OfAFlowWithoutARecordAreRefused)
{
    RecordingSink sink;
    Heap heap{UINT64_MAX};
    FlowCache cache({}, heap, sink);
    Train train;
    EXPECT_EQ(cache.Defer(train.Make(0).key, train, MS), nullptr);
}

TEST(DeferredPackets, OfWhichTheFirstWillNotBelongToTheRecordAreRefused)
{
    RecordingSink sink;
    Heap heap{UINT64_MAX};
    FlowCacheConfig config;
    config.idleTimeout = 20 * MS;
    FlowCache cache(config, heap, sink);
    Train train;
    const FlowKey key = train.Make(0).key;
    cache.Account(train.Make(0), 0, MS);
    EXPECT_EQ(cache.Defer(key, train, 21 * MS + 1), nullptr);
    EXPECT_NE(cache.Defer(key, train, 21 * MS), nullptr);
}

TEST(DeferredPackets, OfARecordInWhichOthersAreDeferredAreRefused)
{
    RecordingSink sink;
    Heap heap{UINT64_MAX};
    FlowCache cache({}, heap, sink);
    Train train;
    Train other;
    cache.Account(train.Make(train.next++), 0, 0);
    ASSERT_NE(cache.Defer(train.Make(0).key, train, MS), nullptr);
    EXPECT_EQ(cache.Defer(train.Make(0).key, other, MS), nullptr);
    cache.Undefer(train.Make(0).key, MS);
    EXPECT_NE(cache.Defer(train.Make(0).key, other, MS), nullptr);
}

TEST(DeferredPackets, APacketOfAnotherSenderOfTheFlowEndsTheDeferral)
{
    RecordingSink sink;
    Heap heap{UINT64_MAX};
    FlowCache cache({}, heap, sink);
    Train train;
    train.packets = 10;
    train.step = MS;
    cache.Account(train.Make(train.next++), 0, 0);
    ASSERT_NE(cache.Defer(train.Make(0).key, train, MS), nullptr);
    train.isDeferred = true;
    EXPECT_EQ(cache.Account(Packet(0, 99), 0, 3 * MS), AccountResult::COUNTED);
    EXPECT_FALSE(train.isDeferred);
    EXPECT_EQ(train.next, 3U) << "those before it are counted";
    cache.Stop(train.Make(0).key.vSwitch);
    ASSERT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(sink.records[0].packets, 4U);
}

} // namespace
} // namespace netflow
