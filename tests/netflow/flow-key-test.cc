// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-key.h"
#include "tests/netflow/testing.h"

#include <set>

namespace netflow
{
namespace
{

/// A key and one that differs from it in each single field, ordered by the field's place in the
/// order of flows.
std::vector<FlowKey>
Neighbours()
{
    std::vector<FlowKey> keys(9);
    keys[8].source = 1;
    keys[7].destination = 1;
    keys[6].sourcePort = 1;
    keys[5].destinationPort = 1;
    keys[4].vSwitch = 1;
    keys[3].input = 1;
    keys[2].protocol = 1;
    keys[1].tos = 1;
    return keys;
}

TEST(FlowKey, EveryFieldMakesAnotherFlow)
{
    const std::vector<FlowKey> keys = Neighbours();
    for (std::size_t a = 0; a < keys.size(); ++a)
    {
        for (std::size_t b = 0; b < keys.size(); ++b)
        {
            EXPECT_EQ(keys[a] == keys[b], a == b);
            EXPECT_EQ(keys[a] != keys[b], a != b);
            EXPECT_EQ(Hash(keys[a]) == Hash(keys[b]), a == b);
        }
    }
}

TEST(FlowKey, OrderIsLexicographicByFieldInOrderOfDeclaration)
{
    const std::vector<FlowKey> keys = Neighbours();
    for (std::size_t a = 0; a < keys.size(); ++a)
    {
        for (std::size_t b = 0; b < keys.size(); ++b)
        {
            EXPECT_EQ(keys[a] < keys[b], a < b);
        }
    }
}

TEST(FlowKey, HashSpreadsConsecutiveFlows)
{
    // 2^14 keys in 2^14 buckets: at random, 1/e of the buckets stay empty. A weak hash leaves more.
    constexpr uint32_t KEYS = 1 << 14;
    std::set<uint32_t> buckets;
    for (uint32_t i = 0; i < KEYS; ++i)
    {
        buckets.insert(Hash(test::Packet(i).key) % KEYS);
    }
    EXPECT_GT(buckets.size(), KEYS * 60 / 100);
}

TEST(FlowKey, AProtocolDoesNotMakeUpForAPort)
{
    // Flows of TCP and UDP to many ports: by chance two in 2^31 pairs have the same hash.
    std::set<uint32_t> hashes;
    for (uint32_t port = 0; port < 4096; ++port)
    {
        for (uint8_t protocol : {6, 17})
        {
            for (uint8_t tos : {0, 4})
            {
                FlowKey key = test::Packet(1).key;
                key.sourcePort = static_cast<uint16_t>(port);
                key.protocol = protocol;
                key.tos = tos;
                hashes.insert(Hash(key));
            }
        }
    }
    EXPECT_GT(hashes.size(), 4 * 4096 - 3U);
}

TEST(Time, UptimeIsFlooredToMillisecondsAndWraps)
{
    EXPECT_EQ(ToUptimeMs(0), 0U);
    EXPECT_EQ(ToUptimeMs(999'999), 0U);
    EXPECT_EQ(ToUptimeMs(1'000'000), 1U);
    EXPECT_EQ(ToUptimeMs(1'999'999), 1U);
    EXPECT_EQ(ToUptimeMs((TimeNs{1} << 32) * NS_PER_MS - 1), UINT32_MAX);
    EXPECT_EQ(ToUptimeMs((TimeNs{1} << 32) * NS_PER_MS), 0U);
}

} // namespace
} // namespace netflow
