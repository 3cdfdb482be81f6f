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

/// Makes an entry as the flow cache does.
uint32_t
Insert(FlowTable& table, uint32_t number)
{
    const uint32_t index = table.Insert(KeyOf(number), table.HashOf(KeyOf(number)));
    table.At(index).id = number;
    return index;
}

FlowEntry*
Find(FlowTable& table, uint32_t number)
{
    return table.Find(KeyOf(number), table.HashOf(KeyOf(number)));
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
            table.Remove(*entry);
        }
        live[number] = !live[number];
    }
    uint64_t count = 0;
    for (const auto& [number, isLive] : live)
    {
        count += isLive;
    }
    EXPECT_EQ(table.GetSize(), count);
    EXPECT_LE(table.GetEnd(), 5001U) << "removed entries are used again";
}

TEST(FlowTable, EntriesStayWhereTheyAreWhenTheTableGrows)
{
    FlowTable table(nullptr);
    std::vector<std::pair<uint32_t, const FlowEntry*>> entries;
    for (uint32_t number = 0; number < 100'000; ++number) // more than one block of memory
    {
        const uint32_t index = Insert(table, number);
        ASSERT_EQ(table.At(index).number, index);
        entries.emplace_back(index, &table.At(index));
    }
    for (uint32_t number = 0; number < entries.size(); ++number)
    {
        const auto& [index, entry] = entries[number];
        ASSERT_EQ(Find(table, number), entry);
        ASSERT_EQ(&table.At(index), entry);
        ASSERT_EQ(entry->id, number);
    }
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
        guesses.push_back(table.Guess(table.HashOf(KeyOf(number))));
        right += table.IsAt(guesses.back(), KeyOf(number));
        EXPECT_FALSE(table.IsAt(guesses.back(), KeyOf(number + 1)));
        EXPECT_FALSE(
            table.IsAt(table.Guess(table.HashOf(KeyOf(number + 1000))), KeyOf(number + 1000)));
    }
    EXPECT_GT(right, 990U) << "bits of the hash tell most flows apart";
    for (uint32_t number = 0; number < 1000; number += 2)
    {
        table.Remove(*Find(table, number));
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
    EXPECT_FALSE(table.IsAt(FlowTable::NO_ENTRY, FlowKey{}));
}

TEST(FlowTable, RemovalAmongKeysOfOnePlaceKeepsTheRest)
{
    // They are behind one another, farther than the distance that a place can note, and go on at
    // the index's beginning.
    std::vector<uint32_t> numbers;
    for (uint32_t number = 0; numbers.size() < 40; ++number)
    {
        if (FlowTable(nullptr).HashOf(KeyOf(number)) % 512 == 500)
        {
            numbers.push_back(number);
        }
    }
    for (uint32_t removed : numbers)
    {
        FlowTable table(nullptr);
        for (uint32_t number : numbers)
        {
            Insert(table, number);
        }
        const uint32_t freed = Find(table, removed)->number;
        table.Remove(*Find(table, removed));
        for (uint32_t number : numbers)
        {
            EXPECT_EQ(Find(table, number) != nullptr, number != removed) << number;
        }
        EXPECT_EQ(Insert(table, removed), freed) << "the latest free entry is used first";
        EXPECT_EQ(table.GetSize(), 40U);
    }
}

} // namespace
} // namespace netflow
