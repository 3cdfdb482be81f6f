// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/block-array.h"

#include <gtest/gtest.h>
#include <vector>

namespace netflow
{
namespace
{

struct alignas(64) Object
{
    uint64_t number;
};

std::vector<std::size_t> g_advised;

void
Advise(void* memory, std::size_t octets)
{
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % LARGE_PAGE, 0U);
    g_advised.push_back(octets);
}

TEST(BlockArray, WhatIsInItStaysWhereItIsWhenItGrows)
{
    BlockArray<Object> array(nullptr);
    EXPECT_EQ(array.GetCapacity(), 0U);
    ASSERT_TRUE(array.AddBlock());
    const uint64_t block = array.GetCapacity();
    std::vector<Object*> places;
    for (uint32_t i = 0; i < 3 * block; ++i)
    {
        if (i == array.GetCapacity())
        {
            ASSERT_TRUE(array.AddBlock());
        }
        array[i].number = i;
        places.push_back(&array[i]);
    }
    for (uint32_t i = 0; i < 3 * block; ++i)
    {
        ASSERT_EQ(&array[i], places[i]);
        ASSERT_EQ(array[i].number, i);
    }
}

TEST(BlockArray, ABlockIsALargePage)
{
    g_advised.clear();
    BlockArray<Object> array(Advise);
    ASSERT_TRUE(array.AddBlock() && array.AddBlock());
    EXPECT_EQ(g_advised, std::vector<std::size_t>(2, LARGE_PAGE));
}

} // namespace
} // namespace netflow
