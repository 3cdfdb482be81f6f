// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/enum-table.h"

#include <gtest/gtest.h>

namespace netflow
{
namespace
{

enum class Colour
{
    RED,
    GREEN,
    COUNT
};

using Names = EnumName<Colour>;

TEST(EnumTable, HasARowForEachMemberInItsOrder)
{
    constexpr Names whole[] = {{Colour::RED, "red"}, {Colour::GREEN, "green"}};
    static_assert(NamesEach(whole));
    constexpr Names swapped[] = {{Colour::GREEN, "green"}, {Colour::RED, "red"}};
    constexpr Names shorter[] = {{Colour::RED, "red"}};
    constexpr Names longer[] = {{Colour::RED, "red"},
                                {Colour::GREEN, "green"},
                                {Colour::COUNT, ""}};
    EXPECT_FALSE(NamesEach(swapped));
    EXPECT_FALSE(NamesEach(shorter));
    EXPECT_FALSE(NamesEach(longer));
}

} // namespace
} // namespace netflow
