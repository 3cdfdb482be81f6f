// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-table.h"
#include "tests/netflow/testing.h"

#include <map>
#include <vector>

namespace netflow
{
namespace
{

FlowKey
KeyOf(uint32_t number)
{
    FlowKey key;
    key.source = number;
    key.destination = ~number;
    return key;
}

/// Makes an entry as the flow cache does. \return what Grow() returned, if it was called
uint32_t
Insert(FlowTable& table, uint32_t number)
{
    if (table.IsCrowded())
    {
        table.Grow();
    }
    const uint32_t index = table.Insert(KeyOf(number), Hash(KeyOf(number)));
    table.At(index).id = number;
    return index;
}

FlowEntry*
Find(FlowTable& table, uint32_t number)
{
    return table.Find(KeyOf(number), Hash(KeyOf(number)));
}

TEST(FlowTable, FindsWhatIsThereAndNothingElseThroughGrowthAndRemoval)
{
    FlowTable table(nullptr);
    std::map<uint32_t, bool> live;
    test::Random random(1);
    for (int step = 0; step < 200'000; ++step)
    {
        const auto number = static_cast<uint32_t>(random.Below(5000));
        FlowEntry* entry = Find(table, number);
        ASSERT_EQ(entry != nullptr, live[number]) << step;
        if (!entry)
        {
            Insert(table, number);
        }
        else
        {
            ASSERT_EQ(entry->id, number);
            table.Remove(table.IndexOf(*entry));
        }
        live[number] = !live[number];
    }
    uint64_t count = 0;
    for (const auto& [number, isLive] : live)
    {
        count += isLive;
    }
    EXPECT_EQ(table.GetSize(), count);
    EXPECT_LT(table.GetEnd(), 3 * 8192U) << "removed entries are used again";
}

TEST(FlowTable, GrowthRenumbersEachLiveEntry)
{
    FlowTable table(nullptr);
    std::vector<uint32_t> numbers;
    while (!table.IsCrowded())
    {
        numbers.push_back(Insert(table, static_cast<uint32_t>(numbers.size())));
    }
    table.Remove(numbers[7]);
    const FlowTable::Renumbering renumber = table.Grow();
    ASSERT_TRUE(renumber);
    EXPECT_EQ(renumber(numbers[7]), FlowTable::NO_ENTRY);
    EXPECT_EQ(renumber(FlowTable::NO_ENTRY), FlowTable::NO_ENTRY);
    for (uint32_t number = 0; number < numbers.size(); ++number)
    {
        if (number != 7)
        {
            const uint32_t index = renumber(numbers[number]);
            ASSERT_TRUE(table.IsAt(index, KeyOf(number))) << number;
            EXPECT_EQ(table.At(index).id, number);
            EXPECT_EQ(&table.At(index), Find(table, number));
        }
    }
    EXPECT_FALSE(table.IsCrowded());
}

TEST(FlowTable, AGuessIsRightOrIsSeenToBeWrong)
{
    FlowTable table(nullptr);
    std::vector<uint32_t> guesses;
    for (uint32_t number = 0; number < 1000; ++number)
    {
        Insert(table, number);
    }
    uint32_t right = 0;
    for (uint32_t number = 0; number < 1000; ++number)
    {
        guesses.push_back(table.Guess(KeyOf(number), Hash(KeyOf(number))));
        right += table.IsAt(guesses.back(), KeyOf(number));
        EXPECT_FALSE(table.IsAt(guesses.back(), KeyOf(number + 1)));
    }
    EXPECT_GT(right, 900U) << "most flows are in their place or next to it";
    for (uint32_t number = 0; number < 1000; number += 2)
    {
        table.Remove(table.IndexOf(*Find(table, number)));
    }
    for (uint32_t number = 1000; number < 50'000; ++number) // it grows several times
    {
        Insert(table, number);
    }
    for (uint32_t number = 0; number < 1000; ++number)
    {
        const bool claimed = table.IsAt(guesses[number], KeyOf(number));
        EXPECT_TRUE(!claimed || number % 2 == 1) << number;
    }
    EXPECT_FALSE(table.IsAt(FlowTable::NO_ENTRY, KeyOf(1)));
}

TEST(FlowTable, RemovalFromTheMiddleOfAChainKeepsTheRest)
{
    // One hash for all: they share a place.
    FlowTable table(nullptr);
    for (uint32_t number = 0; number < 20; ++number)
    {
        table.Insert(KeyOf(number), Hash(KeyOf(0)));
    }
    const auto find = [&](uint32_t number) { return table.Find(KeyOf(number), Hash(KeyOf(0))); };
    table.Remove(table.IndexOf(*find(0))); // the place itself: what is chained to it stays
    for (uint32_t number = 1; number < 20; ++number)
    {
        EXPECT_NE(find(number), nullptr) << number;
    }
    EXPECT_EQ(find(0), nullptr);
    table.Insert(KeyOf(99), Hash(KeyOf(0)));
    EXPECT_LE(table.IndexOf(*find(99)), Hash(KeyOf(0)) & 255U) << "the free place is used first";
    EXPECT_EQ(table.GetSize(), 20U);
}

} // namespace
} // namespace netflow
