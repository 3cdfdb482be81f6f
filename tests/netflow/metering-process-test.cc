// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/metering-process.h"
#include "tests/netflow/testing.h"

namespace netflow
{
namespace
{

using test::Host;
using test::Packet;

constexpr TimeNs SECOND = NS_PER_SECOND;
constexpr TimeNs POLL = SECOND;

/// Records end almost at once.
MeteringConfig
Quick(uint32_t purgatoryMax = 4096, PurgatoryPolicy policy = PurgatoryPolicy::TAIL_DROP)
{
    MeteringConfig config;
    config.cache.idleTimeout = NS_PER_MS;
    config.purgatoryMax = purgatoryMax;
    config.purgatoryPolicy = policy;
    return config;
}

/// Lets \p flows new flows of vSwitch 1 send one packet each.
void
Burst(Host& host, uint32_t flows, TimeNs now)
{
    for (uint32_t flow = 0; flow < flows; ++flow)
    {
        host.Observe(1, Packet(flow), now);
    }
}

TEST(MeteringProcess, VSwitchCanBeRegisteredOnce)
{
    Host host({}, {}, {1, 2}, POLL);
    EXPECT_TRUE(host.metering->IsRegistered(1));
    EXPECT_FALSE(host.metering->IsRegistered(3));
    EXPECT_FALSE(host.metering->IsRegistered(UINT16_MAX));
    EXPECT_FALSE(host.metering->Register(1));
    host.metering->Unregister(1, StopCause::KILLED, 0);
    EXPECT_FALSE(host.metering->IsRegistered(1));
    EXPECT_TRUE(host.metering->IsRegistered(2));
    EXPECT_TRUE(host.metering->Register(1));
}

TEST(MeteringProcess, AFlushQueuesAllLiveRecordsOfAVSwitchAndMeteringGoesOn)
{
    Host host({}, {}, {1, 2}, POLL);
    host.metering->Observe(1, Packet(1), 7, 0, 5);
    host.metering->Observe(1, Packet(2), 7, 0, 6);
    host.metering->Observe(2, Packet(1), 7, 0, 6);
    host.metering->Flush(1, 7);
    EXPECT_EQ(host.metering->GetCache().GetSize(), 1U);
    host.metering->Observe(1, Packet(1), 7, 0, 8);
    std::vector<QueuedRecord> polled;
    host.metering->Poll({1, 2}, 9, polled);
    ASSERT_EQ(polled.size(), 2U);
    EXPECT_EQ(polled[0].record.reason, EndReason::STOPPED);
    EXPECT_EQ(polled[0].queuedAt, 7);
    EXPECT_EQ(polled[1].record.last, 6);
    EXPECT_EQ(host.metering->GetCache().GetSize(), 2U);
    host.metering->Unregister(1, StopCause::KILLED, 10); // what is stopped then is discarded
    host.metering->Poll({1, 2}, 11, polled);
    EXPECT_EQ(polled.size(), 2U);
}

TEST(MeteringProcess, PurgatoryIsReservedFromTheHeapAtLoad)
{
    MeteringConfig config;
    config.purgatoryMax = 100;
    Ledger ledger;
    Heap tooSmall(100 * 64 - 1);
    EXPECT_EQ(MeteringProcess::Create(config, tooSmall, ledger, nullptr, nullptr), nullptr);
    EXPECT_EQ(tooSmall.GetUsed(), 0U);
    Heap heap(100 * 64);
    {
        const auto metering = MeteringProcess::Create(config, heap, ledger, nullptr, nullptr);
        ASSERT_NE(metering, nullptr);
        EXPECT_EQ(heap.GetUsed(), 6400U);
    }
    EXPECT_EQ(heap.GetUsed(), 0U);
}

TEST(MeteringProcess, InputPortAndVSwitchCompleteTheKey)
{
    Host host({}, {}, {1, 2}, POLL);
    host.metering->Observe(1, Packet(1), 7, 8, 0);
    host.metering->Observe(1, Packet(1), 9, 8, 0);
    host.metering->Observe(2, Packet(1), 7, 8, 0);
    EXPECT_EQ(host.metering->GetCache().GetSize(), 3U);
    host.metering->GetCache().ForEach([](const FlowRecord& record) {
        EXPECT_EQ(record.key.vSwitch, record.id == 2 ? 2 : 1);
        EXPECT_EQ(record.key.input, record.id == 1 ? 9 : 7);
        EXPECT_EQ(record.output, 8);
    });
}

TEST(MeteringProcess, EveryVerdictIsBookedUnderItsCause)
{
    const std::map<FrameVerdict, Move> moves{
        {FrameVerdict::METERABLE, Move::METERED},
        {FrameVerdict::ETHERNET_TRUNCATED, Move::IGNORED_TRUNCATED},
        {FrameVerdict::VLAN_TRUNCATED, Move::IGNORED_TRUNCATED},
        {FrameVerdict::NOT_IPV4, Move::IGNORED_NOT_IPV4},
        {FrameVerdict::IPV4_TRUNCATED, Move::IGNORED_TRUNCATED},
        {FrameVerdict::BAD_VERSION, Move::IGNORED_MALFORMED},
        {FrameVerdict::BAD_HEADER_LENGTH, Move::IGNORED_MALFORMED},
        {FrameVerdict::TOTAL_LENGTH_TOO_SHORT, Move::IGNORED_MALFORMED},
        {FrameVerdict::TOTAL_LENGTH_EXCEEDS_FRAME, Move::IGNORED_TRUNCATED},
        {FrameVerdict::TRANSPORT_TRUNCATED, Move::IGNORED_TRUNCATED},
    };
    ASSERT_EQ(moves.size(), FRAME_VERDICTS);
    for (const auto& [verdict, move] : moves)
    {
        Host host({}, {}, {1}, POLL);
        PacketSummary packet = Packet(1, 77);
        packet.verdict = verdict;
        host.Observe(1, packet, 0);
        const Account& account = host.ledger.GetAccount(1);
        const uint64_t records = verdict == FrameVerdict::METERABLE ? 1 : 0;
        EXPECT_EQ(account.Get(Move::OFFERED), (Counts{1, 77, 0})) << ToString(verdict);
        EXPECT_EQ(account.Get(move), (Counts{1, 77, records})) << ToString(verdict);
        EXPECT_EQ(host.metering->GetCache().GetSize(), records);
        EXPECT_EQ(host.metering->GetResidual(), Counts{});
    }
}

TEST(MeteringProcess, FramesCanBeIgnoredUnparsed)
{
    Host host({}, {}, {1}, POLL);
    host.metering->Ignore(1, Move::IGNORED_OWN_EXPORT, 1492);
    host.metering->Ignore(5, Move::IGNORED_NOT_MONITORED, 100); // a vSwitch nobody registered
    EXPECT_EQ(host.ledger.GetAccount(1).Get(Move::IGNORED_OWN_EXPORT), (Counts{1, 1492, 0}));
    EXPECT_EQ(host.ledger.GetAccount(1).Get(Move::OFFERED), (Counts{1, 1492, 0}));
    EXPECT_EQ(host.ledger.GetAccount(5).Get(Move::IGNORED_NOT_MONITORED), (Counts{1, 100, 0}));
    EXPECT_EQ(host.metering->GetResidual(), Counts{});
}

TEST(MeteringProcess, ShedPacketsAreBookedAndToldByFlow)
{
    MeteringConfig config;
    config.purgatoryMax = 1;
    Host host(config, {}, {1}, POLL, 0, 64 + 2 * 80);
    host.Observe(1, Packet(1), 5);
    host.Observe(1, Packet(2), 5);
    host.Observe(1, Packet(3, 40), 6);
    host.Observe(1, Packet(3, 60), 7);
    EXPECT_EQ(host.ledger.GetAccount(1).Get(Move::SHED_NO_MEMORY), (Counts{2, 100, 0}));
    FlowKey key = Packet(3).key;
    key.vSwitch = 1;
    key.input = 3;
    EXPECT_EQ(host.journal.GetShed().at({key, Move::SHED_NO_MEMORY}).counts, (Counts{2, 100, 0}));
    EXPECT_EQ(host.allocationFailures,
              (std::vector<std::pair<TimeNs, uint64_t>>{{6, 80}, {7, 80}}));

    config.cache.maxEntries = 1;
    Host small(config, {}, {1}, POLL);
    small.Observe(1, Packet(1), 5);
    small.Observe(1, Packet(2, 40), 5);
    EXPECT_EQ(small.ledger.GetAccount(1).Get(Move::SHED_CACHE_FULL), (Counts{1, 40, 0}));
    EXPECT_TRUE(small.allocationFailures.empty()) << "the heap was not asked";
}

TEST(MeteringProcess, EvictedRecordsAreQueuedOrDroppedByPolicy)
{
    MeteringConfig config;
    config.cache.maxEntries = 1;
    config.cache.policy = CachePolicy::EVICT_OLDEST;
    Host queues(config, {}, {1}, POLL);
    Burst(queues, 3, 0);
    EXPECT_EQ(queues.ledger.GetAccount(1).Get(Move::ENDED_EVICTED), (Counts{2, 200, 2}));
    EXPECT_EQ(queues.metering->GetPurgatory().GetSize(), 2U);
    config.cache.policy = CachePolicy::EVICT_OLDEST_DROP;
    Host drops(config, {}, {1}, POLL);
    Burst(drops, 3, 0);
    EXPECT_EQ(drops.ledger.GetAccount(1).Get(Move::DROPPED_EVICTED), (Counts{2, 200, 2}));
    EXPECT_EQ(drops.metering->GetPurgatory().GetSize(), 0U);
    EXPECT_EQ(drops.journal.GetEntries()[1].last, Move::DROPPED_EVICTED);
    EXPECT_EQ(drops.metering->GetResidual(), Counts{});
    drops.RunTo(15 * SECOND + 10 * NS_PER_MS);
    drops.metering->GetPurgatory().ForEach([](const QueuedRecord& queued) {
        EXPECT_EQ(queued.expirySequence, 2U) << "the dropped ones leave a gap under AtExpiry";
    });
    EXPECT_EQ(drops.metering->GetPurgatory().GetSize(), 1U);
}

TEST(MeteringProcess, UnregisterDiscardsLiveAndQueuedRecordsUnderItsCause)
{
    const std::tuple<StopCause, Move, Move> causes[] = {
        {StopCause::KILLED, Move::DISCARDED_KILLED, Move::DISCARDED_QUEUED_KILLED},
        {StopCause::UNLOADED, Move::DISCARDED_UNLOADED, Move::DISCARDED_QUEUED_UNLOADED},
        {StopCause::SWITCH_DELETED,
         Move::DISCARDED_SWITCH_DELETED,
         Move::DISCARDED_QUEUED_SWITCH_DELETED},
    };
    for (const auto& [cause, live, queued] : causes)
    {
        Host host(Quick(), {}, {1, 2}, POLL);
        Burst(host, 2, 0);
        host.Observe(2, Packet(9), 0);
        host.RunTo(20 * NS_PER_MS); // three records are queued
        Burst(host, 5, 20 * NS_PER_MS);
        host.Observe(2, Packet(9), 20 * NS_PER_MS);
        host.metering->Unregister(1, cause, 20 * NS_PER_MS);
        const Account& account = host.ledger.GetAccount(1);
        EXPECT_EQ(account.Get(Move::ENDED_STOPPED), (Counts{5, 500, 5}));
        EXPECT_EQ(account.Get(live), (Counts{5, 500, 5}));
        EXPECT_EQ(account.Get(queued), (Counts{2, 200, 2}));
        EXPECT_EQ(account.GetBalance(Place::DISCARDED), (Counts{7, 700, 7}));
        EXPECT_EQ(host.metering->GetCache().GetSize(), 1U) << "of the other vSwitch";
        EXPECT_EQ(host.metering->GetPurgatory().GetSize(), 1U);
        EXPECT_EQ(host.metering->GetResidual(), Counts{});
        for (const JournalEntry& entry : host.journal.GetEntries())
        {
            EXPECT_EQ(entry.last,
                      entry.record.key.vSwitch == 2               ? Move::QUEUED
                      : entry.record.reason == EndReason::STOPPED ? live
                                                                  : queued);
        }
    }
}

TEST(MeteringProcess, ClockThatRunsBackwardsIsHeldAndCounted)
{
    Host host({}, {}, {1}, POLL);
    host.metering->Observe(1, Packet(1), 3, 5, 1000);
    host.metering->Observe(1, Packet(1), 3, 5, 999);
    host.metering->Observe(1, Packet(2), 3, 5, 400);
    host.metering->Observe(1, Packet(2), 3, 5, 1000); // equal is not backwards
    EXPECT_EQ(host.metering->GetClockRegressions(), 2U);
    host.metering->GetCache().ForEach([](const FlowRecord& record) {
        EXPECT_EQ(record.first, 1000);
        EXPECT_EQ(record.last, 1000);
        EXPECT_EQ(record.packets, 2U);
    });
}

TEST(MeteringProcess, ScanMovesTheClockToo)
{
    Host host(Quick(), {}, {1}, POLL);
    host.metering->Observe(1, Packet(1), 3, 5, 0);
    host.metering->Scan(10 * NS_PER_MS);
    host.metering->Observe(1, Packet(1), 3, 5, 5 * NS_PER_MS);
    EXPECT_EQ(host.metering->GetClockRegressions(), 1U);
}

TEST(MeteringProcess, L7PacketOlderThanAPollQueuesNothingBeforeIt)
{
    Host host(Quick(), {}, {1}, POLL);
    host.Observe(1, Packet(1), 0);
    std::vector<QueuedRecord> taken;
    host.metering->Poll({1}, 5 * NS_PER_MS, taken);
    ASSERT_TRUE(taken.empty());
    host.metering->Observe(1, Packet(1), 3, 5, 3 * NS_PER_MS); // late: ends the record
    EXPECT_EQ(host.metering->GetClockRegressions(), 1U);
    host.metering->Poll({1}, 6 * NS_PER_MS, taken);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].queuedAt, 5 * NS_PER_MS);
}

TEST(MeteringProcess, FullPurgatoryMayForceAPollAndLosesNothing)
{
    for (PurgatoryPolicy policy : {PurgatoryPolicy::TAIL_DROP, PurgatoryPolicy::HEAD_DROP})
    {
        Host host(Quick(7, policy), {}, {1}, 3600 * SECOND);
        host.pollWhenFull = true;
        Burst(host, 100, 0);
        host.RunTo(SECOND);
        EXPECT_EQ(host.ledger.GetTotal().GetBalance(Place::DROPPED), Counts{});
        EXPECT_EQ(host.ledger.GetTotal().Get(Move::SENT).records, 98U);
        EXPECT_EQ(host.metering->GetPurgatory().GetSize(), 2U);
        EXPECT_TRUE(host.episodeBegins.empty());
        uint32_t next = Packet(0).key.source;
        for (const test::SentDatagram& sent : host.sink.datagrams)
        {
            for (const V5Record& record : sent.records)
            {
                EXPECT_EQ(record.srcAddr, next++) << "order of expiry is kept";
            }
        }
    }
}

TEST(MeteringProcess, PurgatoryEpisodeBeginsOnceAndEndsWithTheExactNumber)
{
    for (PurgatoryPolicy policy : {PurgatoryPolicy::TAIL_DROP, PurgatoryPolicy::HEAD_DROP})
    {
        Host host(Quick(10, policy), {}, {1}, POLL);
        const auto scanAfter = [](TimeNs now) { return now + 10 * NS_PER_MS; };
        Burst(host, 15, 0); // loses 5
        host.RunTo(POLL);   // poll period with drops
        EXPECT_EQ(host.episodeBegins, std::vector<TimeNs>{scanAfter(0)});
        Burst(host, 13, POLL); // loses 3
        host.RunTo(2 * POLL);  // poll period with drops
        EXPECT_TRUE(host.episodeEnds.empty());
        Burst(host, 10, 2 * POLL); // just fits
        host.RunTo(3 * POLL);
        EXPECT_EQ(host.episodeEnds, (std::vector<std::pair<TimeNs, uint64_t>>{{3 * POLL, 8}}));
        host.RunTo(5 * POLL);
        Burst(host, 11, 5 * POLL); // the next episode
        host.RunTo(7 * POLL);
        EXPECT_EQ(host.episodeBegins, (std::vector<TimeNs>{scanAfter(0), scanAfter(5 * POLL)}));
        EXPECT_EQ(host.episodeEnds,
                  (std::vector<std::pair<TimeNs, uint64_t>>{{3 * POLL, 8}, {7 * POLL, 1}}));
        const Move cause = policy == PurgatoryPolicy::TAIL_DROP ? Move::DROPPED_PURGATORY_FULL
                                                                : Move::DROPPED_PURGATORY_HEAD;
        EXPECT_EQ(host.ledger.GetTotal().Get(cause), (Counts{9, 900, 9}));
    }
}

TEST(MeteringProcess, TwoPollersTakeTheirOwnRecordsInOrder)
{
    Host host(Quick(), {}, {1}, 3600 * SECOND);
    host.metering->Register(2);
    for (uint32_t flow = 0; flow < 10; ++flow)
    {
        host.Observe(static_cast<uint16_t>(flow % 2 + 1), Packet(flow), flow);
    }
    host.RunTo(SECOND);
    std::vector<QueuedRecord> one;
    std::vector<QueuedRecord> two;
    host.metering->Poll({2}, SECOND, two);
    host.metering->Poll({1}, SECOND, one);
    ASSERT_EQ(one.size(), 5U);
    ASSERT_EQ(two.size(), 5U);
    for (uint32_t i = 0; i < 5; ++i)
    {
        EXPECT_EQ(one[i].record.key.source, Packet(2 * i).key.source);
        EXPECT_EQ(two[i].record.key.source, Packet(2 * i + 1).key.source);
        EXPECT_EQ(one[i].expirySequence, i) << "each engine counts for itself";
        EXPECT_EQ(two[i].expirySequence, i);
    }
    EXPECT_EQ(host.ledger.GetAccount(1).GetBalance(Place::STAGING), (Counts{5, 500, 5}));
    EXPECT_EQ(host.metering->GetPurgatory().GetResidenceTimes().max, SECOND - 10 * NS_PER_MS);
}

TEST(MeteringProcess, RegisteringAgainStartsTheExpirySequenceAgain)
{
    Host host(Quick(), {}, {1}, POLL);
    Burst(host, 3, 0);
    host.RunTo(20 * NS_PER_MS);
    host.metering->Unregister(1, StopCause::KILLED, 20 * NS_PER_MS);
    host.metering->Register(1);
    Burst(host, 1, 30 * NS_PER_MS);
    host.RunTo(60 * NS_PER_MS);
    host.metering->GetPurgatory().ForEach(
        [](const QueuedRecord& queued) { EXPECT_EQ(queued.expirySequence, 0U); });
    EXPECT_EQ(host.metering->GetPurgatory().GetSize(), 1U);
}

TEST(MeteringProcess, NothingLeavesWithoutAPoll)
{
    Host host(Quick(50), {}, {1}, 3600 * SECOND);
    Burst(host, 100, 0);
    host.RunTo(1800 * SECOND);
    EXPECT_EQ(host.ledger.GetTotal().Get(Move::POLLED), Counts{});
    EXPECT_EQ(host.metering->GetPurgatory().GetSize(), 50U);
    EXPECT_EQ(host.metering->GetPurgatory().GetHighWater(), 50U);
    EXPECT_EQ(host.metering->NextScan(), NEVER);
}

TEST(MeteringProcess, JournalKnowsWhenARecordEndedAndWhenItMoved)
{
    constexpr TimeNs MS = NS_PER_MS;
    Host host(Quick(1, PurgatoryPolicy::HEAD_DROP), {}, {1}, 100 * MS);
    host.Observe(1, Packet(1), 0);
    host.RunTo(20 * MS);
    host.Observe(1, Packet(2), 21 * MS); // pushes the first one out
    host.RunTo(200 * MS);
    host.Observe(1, Packet(3), 201 * MS);
    host.RunTo(250 * MS);
    host.metering->Unregister(1, StopCause::KILLED, 260 * MS);
    const JournalEntries& entries = host.journal.GetEntries();
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].last, Move::DROPPED_PURGATORY_HEAD);
    EXPECT_EQ(entries[0].endedAt, 10 * MS);
    EXPECT_EQ(entries[0].movedAt, 30 * MS);
    EXPECT_EQ(entries[1].last, Move::SENT);
    EXPECT_EQ(entries[1].endedAt, 30 * MS);
    EXPECT_EQ(entries[1].movedAt, 100 * MS);
    EXPECT_EQ(entries[2].last, Move::DISCARDED_QUEUED_KILLED);
    EXPECT_EQ(entries[2].endedAt, 210 * MS);
    EXPECT_EQ(entries[2].movedAt, 260 * MS);
}

TEST(MeteringProcess, L7RecordThatLeavesMoreThanAScanAfterItsDeadlineIsABreach)
{
    const TimeNs scan = MeteringConfig().cache.scanInterval;
    for (const TimeNs late : {TimeNs{0}, TimeNs{1}})
    {
        Host host(Quick(), {}, {1}, POLL);
        Burst(host, 2, 0);
        EXPECT_EQ(host.metering->GetBreaches(), 0U);
        host.metering->Scan(NS_PER_MS + scan + late); // its deadline is 1 ms
        EXPECT_EQ(host.metering->GetPurgatory().GetSize(), 2U);
        EXPECT_EQ(host.metering->GetBreaches(), late == 0 ? 0U : 2U);
    }
}

TEST(MeteringProcess, L7ActiveTimeoutHasADeadlineToo)
{
    MeteringConfig config;
    config.cache.activeTimeout = SECOND;
    const TimeNs scan = config.cache.scanInterval;
    for (const TimeNs late : {TimeNs{0}, TimeNs{1}})
    {
        Host host(config, {}, {1}, POLL);
        host.Observe(1, Packet(1), 0);
        host.Observe(1, Packet(1), SECOND);
        host.metering->Scan(SECOND + scan + late);
        EXPECT_EQ(host.metering->GetPurgatory().GetSize(), 1U);
        EXPECT_EQ(host.metering->GetBreaches(), late == 0 ? 0U : 1U);
    }
}

TEST(MeteringProcess, ResidualSeesABookingThatNoContainerHolds)
{
    for (Move move : {Move::METERED, Move::QUEUED, Move::OFFERED, Move::POLLED, Move::SEALED})
    {
        Host host(Quick(), {}, {1}, POLL);
        Burst(host, 3, 0);
        EXPECT_EQ(host.metering->GetResidual(), Counts{});
        host.ledger.GetAccount(1).Book(move, {1, 40, 0});
        EXPECT_FALSE(host.metering->GetResidual() == Counts{}) << GetInfo(move).name;
    }
}

TEST(MeteringProcess, ResidualIsByHowMuchEachPlaceIsOff)
{
    Host host(Quick(), {}, {1}, POLL);
    Burst(host, 3, 0);
    host.ledger.GetAccount(1).Book(Move::METERED, {1, 40, 0});
    EXPECT_EQ(host.metering->GetResidual(), (Counts{2, 80, 0}))
        << "the meter holds one packet too few, the cache one too many";
}

/// Meters two vSwitches with little memory, and remembers what ends.
struct Meter : public MeteringEvents
{
    Meter()
    {
        config.cache.idleTimeout = 20 * NS_PER_MS;
        metering = MeteringProcess::Create(config, heap, ledger, &journal, this);
        metering->Register(1);
        metering->Register(2);
    }

    void RecordConcluded(const FlowRecord& record, Move station) override
    {
        ended.push_back(record);
        stations.push_back(station);
    }

    MeteringConfig config;
    Heap heap{4096 * 64 + 25 * 80};
    Ledger ledger;
    Journal journal;
    std::vector<FlowRecord> ended;
    std::vector<Move> stations;
    std::unique_ptr<MeteringProcess> metering;
};

TEST(MeteringProcess, EachRecordThatEndsIsToldWithWhereItWent)
{
    Meter meter;
    for (uint32_t flow : {1, 2})
    {
        meter.metering->Observe(static_cast<uint16_t>(flow), Packet(flow), 4, 5, flow);
    }
    meter.metering->Scan(SECOND);
    meter.metering->Observe(1, Packet(3), 4, 5, SECOND);
    meter.metering->Unregister(1, StopCause::KILLED, SECOND);
    ASSERT_EQ(meter.ended.size(), 3U);
    EXPECT_EQ(meter.ended[1].key.vSwitch, 2U);
    EXPECT_EQ(meter.stations,
              (std::vector<Move>{Move::QUEUED, Move::QUEUED, Move::DISCARDED_KILLED}));
}

TEST(MeteringProcess, ABatchIsWorthItsPacketsOneByOne)
{
    Meter single;
    Meter batched;
    test::Random random(5);
    TimeNs now = 0;
    for (int round = 0; round < 400; ++round)
    {
        std::vector<BatchedPacket> packets(1 + random.Below(32));
        for (BatchedPacket& packet : packets)
        {
            now += static_cast<TimeNs>(random.Below(NS_PER_MS));
            packet = {};
            packet.packet = Packet(static_cast<uint32_t>(random.Below(300)));
            packet.packet.verdict =
                random.Chance(90) ? FrameVerdict::METERABLE : FrameVerdict::NOT_IPV4;
            packet.packet.key.vSwitch = random.Chance(80) ? 1 : 2;
            packet.packet.key.input = 4;
            packet.output = 5;
            packet.time = now - (random.Chance(5) ? NS_PER_MS : 0);
        }
        for (const BatchedPacket& packet : packets)
        {
            while (single.metering->NextScan() <= packet.time)
            {
                single.metering->Scan(single.metering->NextScan());
            }
            single.metering->Observe(packet.packet.key.vSwitch, packet.packet, 4, 5, packet.time);
        }
        batched.metering->PrepareBatch(packets.data(), packets.size());
        std::size_t done = 0;
        while (done < packets.size())
        {
            while (batched.metering->NextScan() <= packets[done].time)
            {
                batched.metering->Scan(batched.metering->NextScan());
            }
            const TimeNs until = std::min(batched.metering->NextScan(), packets[done].time + 10);
            const std::size_t more =
                batched.metering->ObserveBatch(packets.data() + done, packets.size() - done, until);
            ASSERT_GT(more, 0U);
            done += more;
        }
        ASSERT_EQ(single.ended, batched.ended);
        for (uint16_t vSwitch : {1, 2})
        {
            for (unsigned move = 0; move < MOVES; ++move)
            {
                ASSERT_EQ(single.ledger.GetAccount(vSwitch).Get(static_cast<Move>(move)),
                          batched.ledger.GetAccount(vSwitch).Get(static_cast<Move>(move)))
                    << GetInfo(static_cast<Move>(move)).name;
            }
        }
    }
    EXPECT_EQ(batched.metering->GetResidual(), Counts{});
    EXPECT_GT(batched.ledger.GetTotal().Get(Move::SHED_NO_MEMORY).packets, 0U);
    EXPECT_GT(batched.ledger.GetTotal().Get(Move::ENDED_IDLE).records, 0U);
    EXPECT_GT(batched.metering->GetClockRegressions(), 0U);
    EXPECT_EQ(single.metering->GetClockRegressions(), batched.metering->GetClockRegressions());
}

} // namespace
} // namespace netflow
