// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/high-water.h"
#include "netflow/purgatory.h"

#include <gtest/gtest.h>

namespace netflow
{
namespace
{

TEST(HighWater, TakingItBeginsANewSpanAndKeepsTheHighestOfAllTime)
{
    HighWater mark;
    mark.Note(5);
    mark.Note(3);
    EXPECT_EQ(mark.Get(), 5U);
    EXPECT_EQ(mark.Take(2), 5U);
    EXPECT_EQ(mark.Take(2), 2U)
        << "the level at the last call counts: it may only have fallen since";
    mark.Note(4);
    EXPECT_EQ(mark.Take(0), 4U);
    EXPECT_EQ(mark.Get(), 5U);
}

TEST(HighWater, APurgatoryThatAPollEmptiedTellsHowFullItWas)
{
    Purgatory purgatory(3, PurgatoryPolicy::TAIL_DROP);
    QueuedRecord dropped;
    for (int i = 0; i < 4; ++i)
    {
        purgatory.Push(QueuedRecord(), dropped);
    }
    std::vector<QueuedRecord> taken;
    purgatory.Take({0}, 0, taken);
    ASSERT_EQ(purgatory.GetSize(), 0U);
    EXPECT_EQ(purgatory.TakeHighWater(), 3U);
    EXPECT_EQ(purgatory.TakeHighWater(), 0U);
    EXPECT_EQ(purgatory.GetHighWater(), 3U);
}

} // namespace
} // namespace netflow
