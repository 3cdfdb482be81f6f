// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/probe/vlan-map.h"

#include <gmock/gmock.h>

namespace esxnf
{
namespace
{

TEST(VlanMapTest, MappedVlansHaveTheirIngressOthersNone)
{
    VlanMap map;
    EXPECT_TRUE(map.IsEmpty());
    EXPECT_EQ(map.Find(101), nullptr);
    map.Add("101=2:5");
    map.Add("4094=65535:0");
    EXPECT_FALSE(map.IsEmpty());
    ASSERT_NE(map.Find(101), nullptr);
    EXPECT_EQ(map.Find(101)->vSwitch, 2);
    EXPECT_EQ(map.Find(101)->port, 5);
    EXPECT_EQ(map.Find(4094)->vSwitch, 65535);
    EXPECT_EQ(map.Find(0), nullptr);
    EXPECT_EQ(map.Find(4095), nullptr);
}

TEST(VlanMapTest, SwitchesAreNamedOnceInOrder)
{
    VlanMap map;
    for (const char* text : {"7=3:1", "8=1:1", "9=3:2"})
    {
        map.Add(text);
    }
    EXPECT_THAT(map.GetSwitches(), testing::ElementsAre(1, 3));
}

TEST(VlanMapTest, WhatIsNoMapIsRefused)
{
    for (const char* text : {"",
                             "101",
                             "101=2",
                             "101=2:",
                             "101=2:5x",
                             "=2:5",
                             "101:2:5",
                             "0=1:1",
                             "4095=1:1",
                             "1=0:1",
                             "1=65536:1",
                             "1=1:65536",
                             "-1=1:1",
                             " 1=1:1",
                             "99999999999999999999=1:1"})
    {
        EXPECT_THROW(VlanMap().Add(text), UserError) << text;
    }
}

TEST(VlanMapTest, AVlanIsMappedOnce)
{
    VlanMap map;
    map.Add("7=1:1");
    EXPECT_THROW(map.Add("7=1:1"), UserError);
}

} // namespace
} // namespace esxnf
