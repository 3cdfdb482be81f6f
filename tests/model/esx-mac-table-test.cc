// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-mac-table.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

using namespace ns3;

TEST(EsxMacTable, KeyHoldsTheOctetsInWireOrder)
{
    const uint64_t key = EsxMacTable::ToKey(Mac48Address("02:11:22:33:44:55"));
    EXPECT_EQ(key, 0x554433221102u);
    EXPECT_FALSE(EsxMacTable::IsGroup(key));
    EXPECT_TRUE(EsxMacTable::IsGroup(EsxMacTable::ToKey(Mac48Address("ff:ff:ff:ff:ff:ff"))));
    EXPECT_TRUE(EsxMacTable::IsGroup(EsxMacTable::ToKey(Mac48Address("01:00:5e:00:00:05"))));
}

TEST(EsxMacTable, UnknownAddressesAndZeroAreNotFound)
{
    EsxMacTable table;
    EXPECT_EQ(table.Find(0x10), 0u);
    table.Insert(0x10, 7);
    EXPECT_EQ(table.Find(0x10), 7u);
    EXPECT_EQ(table.Find(0x12), 0u);
    EXPECT_EQ(table.Find(0), 0u);
}

TEST(EsxMacTable, AnAddressIsRegisteredOnce)
{
    EsxMacTable table;
    EXPECT_TRUE(table.Insert(0x10, 7));
    EXPECT_FALSE(table.Insert(0x10, 8));
    EXPECT_EQ(table.Find(0x10), 7u);
}

TEST(EsxMacTable, AgreesWithAMapUnderRandomUse)
{
    EsxMacTable table;
    std::map<uint64_t, uint16_t> expected;
    std::mt19937 random(1);
    for (int i = 0; i < 20000; ++i)
    {
        const uint64_t key = 2 * (random() % 500 + 1);
        const uint16_t port = random() % 1000 + 1;
        if (random() % 3 == 0)
        {
            table.Erase(key);
            expected.erase(key);
        }
        else
        {
            EXPECT_EQ(table.Insert(key, port), expected.emplace(key, port).second);
        }
        const uint64_t probe = 2 * (random() % 500 + 1);
        const auto found = expected.find(probe);
        ASSERT_EQ(table.Find(probe), found == expected.end() ? 0 : found->second);
    }
}
