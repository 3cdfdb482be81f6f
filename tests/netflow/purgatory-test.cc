// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/purgatory.h"
#include "tests/netflow/testing.h"

#include <deque>

namespace netflow
{
namespace
{

using test::Queued;
using Ids = std::vector<uint64_t>;

Ids
IdsOf(const std::vector<QueuedRecord>& records)
{
    Ids ids;
    for (const QueuedRecord& queued : records)
    {
        ids.push_back(queued.record.id);
    }
    return ids;
}

Ids
Take(Purgatory& purgatory, const std::vector<uint16_t>& vSwitches, TimeNs now = 0)
{
    std::vector<QueuedRecord> taken;
    purgatory.Take(vSwitches, now, taken);
    return IdsOf(taken);
}

Ids
Waiting(const Purgatory& purgatory)
{
    std::vector<QueuedRecord> waiting;
    purgatory.ForEach([&](const QueuedRecord& queued) { waiting.push_back(queued); });
    return IdsOf(waiting);
}

/// Pushes records first to last; \return the ids of those lost
Ids
Push(Purgatory& purgatory, uint64_t first, uint64_t last, uint16_t vSwitch = 1)
{
    std::vector<QueuedRecord> lost;
    for (uint64_t id = first; id <= last; ++id)
    {
        QueuedRecord dropped;
        if (purgatory.Push(Queued(vSwitch, id), dropped) != Move::QUEUED)
        {
            lost.push_back(dropped);
        }
    }
    return IdsOf(lost);
}

TEST(Purgatory, RecordsLeaveInTheOrderInWhichTheyCame)
{
    Purgatory purgatory(10, PurgatoryPolicy::TAIL_DROP);
    EXPECT_EQ(Push(purgatory, 5, 9), Ids{});
    EXPECT_EQ(Push(purgatory, 1, 3), Ids{});
    EXPECT_EQ(Waiting(purgatory), (Ids{5, 6, 7, 8, 9, 1, 2, 3}));
    EXPECT_EQ(Take(purgatory, {1}), (Ids{5, 6, 7, 8, 9, 1, 2, 3}));
    EXPECT_EQ(purgatory.GetSize(), 0U);
    EXPECT_EQ(Take(purgatory, {1}), Ids{});
}

TEST(Purgatory, TheMoveOfALossIsThatOfThePolicy)
{
    for (const PurgatoryPolicyInfo& info : PURGATORY_POLICY_INFOS)
    {
        Purgatory purgatory(1, info.policy);
        QueuedRecord dropped;
        EXPECT_EQ(purgatory.Push(Queued(1, 1), dropped), Move::QUEUED) << info.word;
        EXPECT_EQ(purgatory.Push(Queued(1, 2), dropped), info.lost) << info.word;
        const bool isNewest = GetInfo(info.lost).from == Place::EXPIRED;
        EXPECT_EQ(dropped.record.id, isNewest ? 2U : 1U) << info.word;
    }
}

TEST(Purgatory, TailDropLosesTheNewest)
{
    Purgatory purgatory(3, PurgatoryPolicy::TAIL_DROP);
    EXPECT_EQ(Push(purgatory, 1, 3), Ids{});
    EXPECT_TRUE(purgatory.IsFull());
    EXPECT_EQ(Push(purgatory, 4, 6), (Ids{4, 5, 6}));
    EXPECT_EQ(Take(purgatory, {1}), (Ids{1, 2, 3}));
    EXPECT_FALSE(purgatory.IsFull());
}

TEST(Purgatory, HeadDropLosesTheOldestWaiting)
{
    Purgatory purgatory(3, PurgatoryPolicy::HEAD_DROP);
    EXPECT_EQ(Push(purgatory, 1, 3), Ids{});
    for (uint64_t id = 4; id < 50; ++id) // through several compactions of the queue
    {
        EXPECT_EQ(Push(purgatory, id, id), Ids{id - 3});
        EXPECT_EQ(Waiting(purgatory), (Ids{id - 2, id - 1, id}));
        EXPECT_EQ(purgatory.GetSize(), 3U);
    }
    EXPECT_EQ(Take(purgatory, {1}), (Ids{47, 48, 49}));
}

TEST(Purgatory, BoundOfOneHoldsOneRecord)
{
    Purgatory head(1, PurgatoryPolicy::HEAD_DROP);
    EXPECT_EQ(Push(head, 1, 4), (Ids{1, 2, 3}));
    EXPECT_EQ(Take(head, {1}), Ids{4});
    Purgatory tail(1, PurgatoryPolicy::TAIL_DROP);
    EXPECT_EQ(Push(tail, 1, 4), (Ids{2, 3, 4}));
    EXPECT_EQ(Take(tail, {1}), Ids{1});
}

TEST(Purgatory, BurstOfBOverBoundQLosesExactlyTheDifference)
{
    for (PurgatoryPolicy policy : {PurgatoryPolicy::TAIL_DROP, PurgatoryPolicy::HEAD_DROP})
    {
        for (uint32_t bound : {1, 2, 99, 100, 101, 200, 4096})
        {
            for (uint64_t burst : {0, 1, 99, 100, 101, 5000})
            {
                Purgatory purgatory(bound, policy);
                const Ids lost = Push(purgatory, 1, burst);
                EXPECT_EQ(lost.size(), burst > bound ? burst - bound : 0);
                EXPECT_EQ(purgatory.GetSize(), burst - lost.size());
                EXPECT_EQ(purgatory.GetHighWater(), std::min<uint64_t>(burst, bound));
            }
        }
    }
}

TEST(Purgatory, APollTakesItsOwnVSwitchesAndKeepsTheOrderOfTheOthers)
{
    for (PurgatoryPolicy policy : {PurgatoryPolicy::TAIL_DROP, PurgatoryPolicy::HEAD_DROP})
    {
        Purgatory purgatory(9, policy);
        for (uint64_t id = 1; id <= 9; ++id)
        {
            Push(purgatory, id, id, static_cast<uint16_t>(id % 3 + 1));
        }
        EXPECT_EQ(Take(purgatory, {2}), (Ids{1, 4, 7}));
        EXPECT_EQ(Take(purgatory, {7}), Ids{});
        Push(purgatory, 10, 10, 1);
        EXPECT_EQ(Take(purgatory, {3, 1}), (Ids{2, 3, 5, 6, 8, 9, 10}));
    }
}

TEST(Purgatory, TakenRecordsAreAppended)
{
    Purgatory purgatory(9, PurgatoryPolicy::TAIL_DROP);
    std::vector<QueuedRecord> taken{Queued(1, 77)};
    Push(purgatory, 1, 2);
    purgatory.Take({1}, 0, taken);
    EXPECT_EQ(IdsOf(taken), (Ids{77, 1, 2}));
}

TEST(Purgatory, ResidenceIsFromTheEndOfARecordToItsPoll)
{
    Purgatory purgatory(2, PurgatoryPolicy::TAIL_DROP);
    QueuedRecord dropped;
    purgatory.Push(Queued(1, 1, 100), dropped);
    purgatory.Push(Queued(1, 2, 250), dropped);
    purgatory.Push(Queued(1, 3, 260), dropped); // lost: did not reside
    Take(purgatory, {1}, 1000);
    purgatory.Push(Queued(1, 4, 1100), dropped);
    Take(purgatory, {1}, 1101);
    EXPECT_EQ(purgatory.GetResidenceTimes().records, 3U);
    EXPECT_EQ(purgatory.GetResidenceTimes().sum, 900 + 750 + 1);
    EXPECT_EQ(purgatory.GetResidenceTimes().max, 900);
}

TEST(Purgatory, HighWaterStaysAfterAPoll)
{
    Purgatory purgatory(10, PurgatoryPolicy::TAIL_DROP);
    Push(purgatory, 1, 7);
    Take(purgatory, {1});
    Push(purgatory, 8, 9);
    EXPECT_EQ(purgatory.GetHighWater(), 7U);
    EXPECT_EQ(purgatory.GetBound(), 10U);
}

TEST(Purgatory, BehavesAsADequeWithABound)
{
    for (uint64_t seed = 1; seed <= 20; ++seed)
    {
        test::Random random(seed);
        const uint64_t bound = random.Below(30) + 1;
        const bool tail = random.Chance(50);
        Purgatory purgatory(static_cast<uint32_t>(bound),
                            tail ? PurgatoryPolicy::TAIL_DROP : PurgatoryPolicy::HEAD_DROP);
        std::deque<std::pair<uint16_t, uint64_t>> model; // vSwitch, id
        for (uint64_t id = 0; id < 5000; ++id)
        {
            const auto vSwitch = static_cast<uint16_t>(random.Below(3) + 1);
            Ids lost;
            model.emplace_back(vSwitch, id);
            if (model.size() > bound)
            {
                lost.push_back(tail ? id : model.front().second);
                tail ? model.pop_back() : model.pop_front();
            }
            ASSERT_EQ(Push(purgatory, id, id, vSwitch), lost);
            if (random.Chance(5))
            {
                Ids expected;
                std::deque<std::pair<uint16_t, uint64_t>> kept;
                for (const auto& entry : model)
                {
                    entry.first == vSwitch ? expected.push_back(entry.second)
                                           : kept.push_back(entry);
                }
                model = kept;
                ASSERT_EQ(Take(purgatory, {vSwitch}), expected);
            }
            ASSERT_EQ(purgatory.GetSize(), model.size());
        }
    }
}

} // namespace
} // namespace netflow
