// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The flow cache against a model that is written from the rules and is too slow to be wrong: no
 * hashing, no wheel, every record looked at for every packet. Both must end the same records, at
 * the same instants, in the same order.
 */
#include "netflow/flow-cache.h"
#include "tests/netflow/testing.h"

#include <map>

namespace netflow
{
namespace
{

/// A record and the instant at which it left the cache.
struct Ended
{
    TimeNs at;
    FlowRecord record;

    bool operator==(const Ended& other) const
    {
        return at == other.at && record == other.record;
    }
};

std::ostream&
operator<<(std::ostream& os, const Ended& ended)
{
    return os << "at " << ended.at << ": " << ended.record;
}

/// The rules of the cache, literally.
class Model
{
  public:
    Model(const FlowCacheConfig& config, uint64_t capacity)
        : capacity(capacity),
          m_config(config)
    {
    }

    AccountResult Account(const PacketSummary& packet, uint16_t output, TimeNs now)
    {
        AccountResult result = AccountResult::COUNTED;
        const auto found = m_live.find(packet.key);
        if (found == m_live.end())
        {
            const bool full = m_config.maxEntries != 0 && m_live.size() >= m_config.maxEntries;
            if (full || m_live.size() >= capacity)
            {
                if (m_config.policy == CachePolicy::DROP_NEW || m_live.empty())
                {
                    return full ? AccountResult::SHED_CACHE_FULL : AccountResult::SHED_NO_MEMORY;
                }
                End(Oldest(), EndReason::EVICTED, now);
            }
            result = AccountResult::COUNTED_NEW;
        }
        else if (IsPast(found->second, now))
        {
            End(found->second, Reason(found->second, now), now);
            result = AccountResult::COUNTED_NEW;
        }
        else if (uint64_t{found->second.octets} + packet.octets > UINT32_MAX)
        {
            End(found->second, EndReason::SPLIT, now);
            result = AccountResult::COUNTED_NEW;
        }
        FlowRecord& record = m_live[packet.key];
        if (result == AccountResult::COUNTED_NEW)
        {
            record.key = packet.key;
            record.output = output;
            record.first = now;
            record.id = m_nextId++;
        }
        ++record.packets;
        record.octets += packet.octets;
        record.tcpFlags |= packet.tcpFlags;
        record.last = now;
        if (m_config.expireOnTcpEnd && (packet.tcpFlags & 0x05) != 0)
        {
            End(record, EndReason::TCP_END, now);
        }
        return result;
    }

    /// The scan instants up to \p now, at each of which everything that is past a timeout ends.
    void RunTo(TimeNs now)
    {
        for (TimeNs scan = NextScan(); scan <= now; scan = NextScan())
        {
            std::map<uint64_t, FlowRecord> due; // in order of creation
            for (const auto& [key, record] : m_live)
            {
                if (IsPast(record, scan))
                {
                    due[record.id] = record;
                }
            }
            for (const auto& [id, record] : due)
            {
                End(record, Reason(record, scan), scan);
            }
        }
    }

    uint64_t capacity; //!< records that the heap holds
    std::vector<Ended> ended;

  private:
    bool IsPast(const FlowRecord& record, TimeNs now) const
    {
        return now - record.last > m_config.idleTimeout ||
               now - record.first > m_config.activeTimeout;
    }

    EndReason Reason(const FlowRecord& record, TimeNs now) const
    {
        return now - record.last > m_config.idleTimeout ? EndReason::IDLE : EndReason::ACTIVE;
    }

    /// The first multiple of the scan interval at which a record is past.
    TimeNs NextScan() const
    {
        TimeNs next = NEVER;
        for (const auto& [key, record] : m_live)
        {
            const TimeNs past = std::min(record.last + m_config.idleTimeout,
                                         record.first + m_config.activeTimeout) +
                                1;
            const TimeNs interval = m_config.scanInterval;
            next = std::min(next, (past + interval - 1) / interval * interval);
        }
        return next;
    }

    const FlowRecord& Oldest() const
    {
        const FlowRecord* oldest = &m_live.begin()->second;
        for (const auto& [key, record] : m_live)
        {
            if (std::tie(record.first, record.id) < std::tie(oldest->first, oldest->id))
            {
                oldest = &record;
            }
        }
        return *oldest;
    }

    void End(FlowRecord record, EndReason reason, TimeNs now)
    {
        record.reason = reason;
        ended.push_back({now, record});
        m_live.erase(record.key);
    }

    const FlowCacheConfig m_config;
    std::map<FlowKey, FlowRecord> m_live;
    uint64_t m_nextId{0};
};

/// Notes when records end.
class TimedSink : public EndedRecordSink
{
  public:
    void RecordEnded(const FlowRecord& record) override
    {
        ended.push_back({now, record});
    }

    TimeNs now{0};
    std::vector<Ended> ended;
};

FlowCacheConfig
RandomConfig(test::Random& random)
{
    const auto interval = [&] {
        return random.Of<TimeNs>({1, 7, 1000, NS_PER_MS, 10 * NS_PER_MS, NS_PER_SECOND}) +
               static_cast<TimeNs>(random.Below(3));
    };
    FlowCacheConfig config;
    config.idleTimeout = interval() * static_cast<TimeNs>(random.Below(100) + 1);
    config.activeTimeout = interval() * static_cast<TimeNs>(random.Below(1000) + 1);
    // Some turns of the wheel at most within a timeout: enough to see it, and soon over.
    config.scanInterval =
        std::max(interval(), std::min(config.idleTimeout, config.activeTimeout) / 200'000);
    config.maxEntries = random.Chance(50) ? 0 : random.Below(40) + 1;
    config.policy = random.Of(
        {CachePolicy::DROP_NEW, CachePolicy::EVICT_OLDEST, CachePolicy::EVICT_OLDEST_DROP});
    config.expireOnTcpEnd = random.Chance(30);
    return config;
}

/// Time to the next packet: likes the instants at which rules change their mind.
TimeNs
RandomGap(test::Random& random, const FlowCacheConfig& config)
{
    const TimeNs mark = random.Of({config.idleTimeout,
                                   config.activeTimeout,
                                   config.scanInterval,
                                   config.idleTimeout / 50,
                                   config.idleTimeout / 50,
                                   TimeNs{1}});
    return random.Chance(30) ? 0
           : random.Chance(50)
               ? static_cast<TimeNs>(random.Below(static_cast<uint64_t>(mark) + 1))
               : std::max<TimeNs>(0, mark + static_cast<TimeNs>(random.Below(3)) - 1);
}

class FlowCacheModelTest : public ::testing::TestWithParam<uint64_t>
{
};

TEST_P(FlowCacheModelTest, SameRecordsAtTheSameInstantsInTheSameOrder)
{
    for (uint64_t round = 0; round < 25; ++round)
    {
        test::Random random(GetParam() * 1000 + round);
        const FlowCacheConfig config = RandomConfig(random);
        const uint64_t capacity = random.Below(50) + 1;
        Heap heap(capacity * config.heapPerRecord);
        TimedSink sink;
        FlowCache cache(config, heap, sink);
        Model model(config, capacity);
        const uint64_t flows = random.Below(60) + 1;
        TimeNs now = random.Chance(20) ? (TimeNs{1} << 32) * NS_PER_MS - NS_PER_SECOND : 0;
        for (int i = 0; i < 2000; ++i)
        {
            now += RandomGap(random, config);
            model.RunTo(now);
            for (TimeNs scan = cache.NextScan(); scan <= now; scan = cache.NextScan())
            {
                ASSERT_EQ(scan % config.scanInterval, 0);
                ASSERT_GE(scan, sink.now);
                sink.now = scan;
                cache.Scan(scan);
            }
            if (random.Chance(1))
            {
                model.capacity = random.Below(50) + 1;
                heap.SetMaximum(model.capacity * config.heapPerRecord);
            }
            sink.now = now;
            PacketSummary packet = test::Packet(static_cast<uint32_t>(random.Below(flows)),
                                                random.Chance(5) ? 1U << 30 : 100,
                                                static_cast<uint8_t>(1 << random.Below(6)));
            const auto output = static_cast<uint16_t>(random.Below(9));
            ASSERT_EQ(cache.Account(packet, output, now), model.Account(packet, output, now));
        }
        ASSERT_EQ(sink.ended.size(), model.ended.size()) << "round " << round;
        for (std::size_t i = 0; i < sink.ended.size(); ++i)
        {
            ASSERT_EQ(sink.ended[i], model.ended[i]) << "round " << round;
        }
    }
}

TEST_P(FlowCacheModelTest, RecordsLeaveWithinOneScanIntervalOfTheirDeadline) // law L7
{
    test::Random random(GetParam());
    FlowCacheConfig config = RandomConfig(random);
    config.maxEntries = 0;
    config.expireOnTcpEnd = false;
    Heap heap(1 << 20);
    TimedSink sink;
    FlowCache cache(config, heap, sink);
    TimeNs now = 0;
    for (int i = 0; i < 5000; ++i)
    {
        now += RandomGap(random, config);
        for (TimeNs scan = cache.NextScan(); scan <= now; scan = cache.NextScan())
        {
            sink.now = scan;
            cache.Scan(scan);
        }
        sink.now = now;
        cache.Account(test::Packet(static_cast<uint32_t>(random.Below(100)), 40), 0, now);
    }
    ASSERT_FALSE(sink.ended.empty());
    for (const auto& [at, record] : sink.ended)
    {
        const TimeNs deadline =
            std::min(record.last + config.idleTimeout, record.first + config.activeTimeout);
        ASSERT_LE(record.first, record.last);
        ASSERT_GT(at, deadline);
        ASSERT_LE(at, deadline + config.scanInterval);
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FlowCacheModelTest, ::testing::Range<uint64_t>(1, 9));

} // namespace
} // namespace netflow
