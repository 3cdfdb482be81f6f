// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/journal.h"
#include "tests/netflow/testing.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace netflow
{
namespace
{

FlowRecord
Record(uint64_t id)
{
    return test::Queued(1, id).record;
}

TEST(Journal, RecordsStandInOrderOfTheirEnd)
{
    Journal journal;
    for (uint64_t id : {7, 3, 5})
    {
        journal.Ended(Record(id), Move::QUEUED, 100);
    }
    ASSERT_EQ(journal.GetEntries().size(), 3U);
    EXPECT_EQ(journal.GetEntries()[0].record, Record(7));
    EXPECT_EQ(journal.GetEntries()[1].record, Record(3));
    EXPECT_EQ(journal.GetEntries()[2].record, Record(5));
    EXPECT_EQ(journal.GetEntries()[0].last, Move::QUEUED);
    EXPECT_EQ(journal.GetEntries()[0].datagram, JournalEntry::NO_DATAGRAM);
}

TEST(Journal, AMoveTouchesItsRecordOnly)
{
    Journal journal;
    for (uint64_t id : {7, 3, 5})
    {
        journal.Ended(Record(id), Move::QUEUED, 100);
    }
    journal.Moved(3, Move::SENT, 250, 12);
    EXPECT_EQ(journal.GetEntries()[0].last, Move::QUEUED);
    EXPECT_EQ(journal.GetEntries()[1].last, Move::SENT);
    EXPECT_EQ(journal.GetEntries()[1].datagram, 12U);
    EXPECT_EQ(journal.GetEntries()[1].endedAt, 100);
    EXPECT_EQ(journal.GetEntries()[1].movedAt, 250);
    EXPECT_EQ(journal.GetEntries()[0].movedAt, 100);
    EXPECT_EQ(journal.GetEntries()[2].last, Move::QUEUED);
}

/// Records end in any order and move in any order; where they were told to be last, they are.
TEST(Journal, RecordsAreWhereTheyWereToldToBe)
{
    std::mt19937 random(2);
    Journal journal;
    std::vector<uint64_t> live;
    std::vector<uint64_t> queued;
    std::map<uint64_t, std::pair<Move, uint32_t>> told;
    const auto take = [&random](std::vector<uint64_t>& ids) {
        std::swap(ids[random() % ids.size()], ids.back());
        const uint64_t id = ids.back();
        ids.pop_back();
        return id;
    };
    for (uint64_t next = 0; next < 3000; ++next)
    {
        live.push_back(next);
        while (live.size() > random() % 40)
        {
            const uint64_t id = take(live);
            const bool isDropped = random() % 5 == 0;
            told[id] = {isDropped ? Move::DROPPED_PURGATORY_FULL : Move::QUEUED,
                        JournalEntry::NO_DATAGRAM};
            journal.Ended(Record(id), told[id].first, 100);
            isDropped ? void() : queued.push_back(id);
        }
        while (queued.size() > random() % 60)
        {
            const uint64_t id = take(queued);
            const bool isSent = random() % 3 != 0;
            told[id] = {isSent ? Move::SENT : Move::DROPPED_PURGATORY_HEAD,
                        isSent ? static_cast<uint32_t>(next) : JournalEntry::NO_DATAGRAM};
            journal.Moved(id, told[id].first, 200, told[id].second);
        }
    }
    for (const JournalEntry& entry : journal.GetEntries())
    {
        EXPECT_EQ(std::make_pair(entry.last, entry.datagram), told.at(entry.record.id))
            << "record " << entry.record.id;
    }
}

TEST(Journal, PlacesByFlowAreThoseOfAStableSort)
{
    std::mt19937 random(1);
    Journal journal;
    std::vector<uint32_t> wanted;
    for (uint32_t id = 0; id < 2000; ++id)
    {
        FlowRecord record = Record(id);
        record.key.source = random() % 50;
        record.key.tos = random() % 3;
        journal.Ended(record, Move::QUEUED, 100);
        wanted.push_back(id);
        if (id % 300 == 0) // asked again and again, it takes in what has come
        {
            EXPECT_EQ(journal.GetPlacesByFlow().size(), id + 1U);
        }
    }
    std::stable_sort(wanted.begin(), wanted.end(), [&](uint32_t a, uint32_t b) {
        return journal.GetEntries()[a].record.key < journal.GetEntries()[b].record.key;
    });
    EXPECT_EQ(journal.GetPlacesByFlow(), wanted);
}

TEST(Journal, ShedPacketsAddUpByFlowAndCause)
{
    Journal journal;
    const FlowKey one = test::Packet(1).key;
    const FlowKey two = test::Packet(2).key;
    journal.Shed(one, Move::SHED_NO_MEMORY, 40, 0x02, 7);
    journal.Shed(one, Move::SHED_NO_MEMORY, 60, 0x02, 9);
    journal.Shed(one, Move::SHED_CACHE_FULL, 100, 0x02, 7);
    journal.Shed(two, Move::SHED_NO_MEMORY, 1500, 0x02, 7);
    ASSERT_EQ(journal.GetShed().size(), 3U);
    EXPECT_EQ(journal.GetShed().at({one, Move::SHED_NO_MEMORY}).counts, (Counts{2, 100, 0}));
    EXPECT_EQ(journal.GetShed().at({one, Move::SHED_NO_MEMORY}).first, 7);
    EXPECT_EQ(journal.GetShed().at({one, Move::SHED_NO_MEMORY}).last, 9);
    EXPECT_EQ(journal.GetShed().at({one, Move::SHED_CACHE_FULL}).counts, (Counts{1, 100, 0}));
    EXPECT_EQ(journal.GetShed().at({two, Move::SHED_NO_MEMORY}).counts, (Counts{1, 1500, 0}));
    EXPECT_TRUE(journal.GetEntries().empty());
}

} // namespace
} // namespace netflow
