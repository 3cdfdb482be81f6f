// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/heap.h"

#include <gtest/gtest.h>

namespace netflow
{
namespace
{

TEST(Heap, AllocatesUpToItsMaximumAndNotOneOctetMore)
{
    Heap heap(100);
    EXPECT_TRUE(heap.Allocate(60));
    EXPECT_FALSE(heap.Allocate(41));
    EXPECT_EQ(heap.GetUsed(), 60U) << "a refused allocation charges nothing";
    EXPECT_TRUE(heap.Allocate(40));
    EXPECT_FALSE(heap.Allocate(1));
    EXPECT_EQ(heap.GetUsed(), 100U);
    EXPECT_EQ(heap.GetFailures(), 2U);
    EXPECT_EQ(heap.GetMaximum(), 100U);
}

TEST(Heap, SizesNearTheEndOfTheirTypeDoNotWrap)
{
    Heap heap(UINT64_MAX);
    EXPECT_TRUE(heap.Allocate(10));
    EXPECT_FALSE(heap.Allocate(UINT64_MAX - 9));
    EXPECT_TRUE(heap.Allocate(UINT64_MAX - 10));
}

TEST(Heap, FreedMemoryCanBeAllocatedAgain)
{
    Heap heap(100);
    EXPECT_TRUE(heap.Allocate(100));
    heap.Free(30);
    EXPECT_EQ(heap.GetUsed(), 70U);
    EXPECT_FALSE(heap.Allocate(31));
    EXPECT_TRUE(heap.Allocate(30));
}

TEST(Heap, ShrinkingFreesNothingAndAllocationsFailUntilUseIsBelowTheLimit)
{
    Heap heap(100);
    EXPECT_TRUE(heap.Allocate(80));
    heap.SetMaximum(40);
    EXPECT_EQ(heap.GetUsed(), 80U);
    EXPECT_FALSE(heap.Allocate(1));
    heap.Free(40);
    EXPECT_FALSE(heap.Allocate(1)) << "use equals the limit";
    heap.Free(1);
    EXPECT_TRUE(heap.Allocate(1));
    heap.SetMaximum(100);
    EXPECT_TRUE(heap.Allocate(60));
}

TEST(Heap, WithoutGrowthItReachesItsHighWaterMarkOnly)
{
    Heap heap(100);
    EXPECT_TRUE(heap.Allocate(50));
    heap.Free(20);
    heap.SetGrowthAllowed(false);
    EXPECT_FALSE(heap.Allocate(21));
    EXPECT_TRUE(heap.Allocate(20));
    EXPECT_FALSE(heap.Allocate(1));
    heap.SetGrowthAllowed(true);
    EXPECT_TRUE(heap.Allocate(50));
}

TEST(Heap, WithoutGrowthALoweredMaximumStillBinds)
{
    Heap heap(100);
    EXPECT_TRUE(heap.Allocate(50));
    heap.Free(50);
    heap.SetGrowthAllowed(false);
    heap.SetMaximum(30);
    EXPECT_FALSE(heap.Allocate(31));
    EXPECT_TRUE(heap.Allocate(30));
}

TEST(Heap, HighWaterIsTheMostThatWasInUseAtOnce)
{
    Heap heap(100);
    EXPECT_TRUE(heap.Allocate(70));
    heap.Free(70);
    EXPECT_TRUE(heap.Allocate(20));
    EXPECT_EQ(heap.GetHighWater(), 70U);
    EXPECT_FALSE(heap.Allocate(90));
    EXPECT_EQ(heap.GetHighWater(), 70U) << "a refused allocation is no use";
}

TEST(Heap, GrowthLeftIsWhatTheHighWaterLeavesOfTheMaximum)
{
    Heap heap(100);
    EXPECT_TRUE(heap.Allocate(70));
    heap.Free(70);
    EXPECT_EQ(heap.GetGrowthLeft(), 30U);
    heap.SetMaximum(70);
    EXPECT_EQ(heap.GetGrowthLeft(), 0U);
    heap.SetMaximum(100);
    heap.SetGrowthAllowed(false);
    EXPECT_EQ(heap.GetGrowthLeft(), 0U);
}

} // namespace
} // namespace netflow
