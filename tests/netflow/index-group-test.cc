// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/index-group.h"
#include "tests/netflow/testing.h"

namespace netflow
{
namespace
{

TEST(IndexGroup, SaysOfEachPlaceWhetherItMatchesInTheMaskedBits)
{
    test::Random random(1);
    for (int step = 0; step < 10'000; ++step)
    {
        alignas(16) uint32_t places[IndexGroup::PLACES];
        const auto value = static_cast<uint32_t>(random.Below(uint64_t{1} << 32));
        const uint32_t mask = UINT32_MAX << random.Below(32);
        uint32_t expected = 0;
        for (uint32_t i = 0; i < IndexGroup::PLACES; ++i)
        {
            const bool match = random.Below(2) != 0;
            const auto rest = static_cast<uint32_t>(random.Below(uint64_t{1} << 32)) & ~mask;
            // One masked bit is enough to differ.
            const uint32_t bit = match ? 0 : uint32_t{1} << 31;
            places[i] = ((value & mask) ^ bit) | rest;
            expected |= static_cast<uint32_t>(match) << i;
        }
        const IndexGroup group(places);
        ASSERT_EQ(group.Matches(value, mask), expected) << step;
        ASSERT_EQ(group.At(step % IndexGroup::PLACES), places[step % IndexGroup::PLACES]);
    }
}

TEST(IndexGroup, OneBitInAnyPlaceIsADifference)
{
    for (uint32_t bit = 0; bit < 32; ++bit)
    {
        alignas(16) const uint32_t places[] = {0, uint32_t{1} << bit, 0, 0};
        EXPECT_EQ(IndexGroup(places).Matches(0, UINT32_MAX), 0b1101U);
        EXPECT_EQ(IndexGroup(places).Matches(0, ~(uint32_t{1} << bit)), 0b1111U);
        EXPECT_EQ(IndexGroup(places).Matches(UINT32_MAX, uint32_t{1} << bit), 0b0010U);
    }
}

} // namespace
} // namespace netflow
