// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-address-pools.h"

#include <gtest/gtest.h>
#include <map>

using namespace ns3;

namespace
{

constexpr int DRAWS = 100000;

std::map<uint32_t, int>
Draw(const EsxAddressPools& pools)
{
    std::map<uint32_t, int> drawn;
    for (int i = 0; i < DRAWS; ++i)
    {
        ++drawn[pools.Draw(static_cast<double>(i) / DRAWS).Get()];
    }
    return drawn;
}

} // namespace

TEST(EsxAddressPoolsTest, SharesOfPoolsAreByWeightAndOfAddressesByZipfsLaw)
{
    EsxAddressPools pools;
    pools.Add("10.1.0.0", "255.255.0.0", 3, 4, 1); // shares 1, 1/2, 1/3, 1/4 of 25/12
    pools.Add("10.2.0.0", "255.255.0.0", 1, 1, 1);
    const auto drawn = Draw(pools);
    ASSERT_EQ(drawn.size(), 5u);
    EXPECT_NEAR(drawn.at(Ipv4Address("10.1.0.1").Get()), DRAWS * 0.75 * 12 / 25, 2);
    EXPECT_NEAR(drawn.at(Ipv4Address("10.2.0.1").Get()), DRAWS * 0.25, 2);
    std::multimap<int, uint32_t> ranks;
    for (const auto& [address, count] : drawn)
    {
        ranks.emplace(count, address);
    }
    EXPECT_NEAR(ranks.begin()->first, DRAWS * 0.75 * 3 / 25, 2);
}

TEST(EsxAddressPoolsTest, EachAddressOfASmallNetworkIsThereOnceAndItsEndsAreNot)
{
    EsxAddressPools pools;
    pools.Add("10.1.1.8", "255.255.255.248", 1, EsxAddressPools::GetSize("255.255.255.248"), 0);
    const auto drawn = Draw(pools);
    ASSERT_EQ(drawn.size(), 6u);
    EXPECT_EQ(drawn.begin()->first, Ipv4Address("10.1.1.9").Get());
    EXPECT_EQ(drawn.rbegin()->first, Ipv4Address("10.1.1.14").Get());
    for (const auto& [address, count] : drawn)
    {
        EXPECT_NEAR(count, DRAWS / 6, 2);
    }
}

TEST(EsxAddressPoolsTest, NetworksWithoutEndsHaveTwoAddressesOrOne)
{
    EXPECT_EQ(EsxAddressPools::GetSize("255.255.255.254"), 2u);
    EXPECT_EQ(EsxAddressPools::GetSize("255.255.255.255"), 1u);
    EsxAddressPools pools;
    pools.Add("10.1.1.7", "255.255.255.255", 1, 1);
    EXPECT_EQ(pools.Draw(0.999), Ipv4Address("10.1.1.7"));
}
