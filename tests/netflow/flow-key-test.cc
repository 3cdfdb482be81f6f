// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-key.h"
#include "tests/netflow/testing.h"

#include <cstring>
#include <map>
#include <set>
#include <vector>

namespace netflow
{
namespace
{

const HashSeed SEED{0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x9e3779b97f4a7c15};

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
            EXPECT_EQ(Hash(keys[a], SEED) == Hash(keys[b], SEED), a == b);
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
        buckets.insert(Hash(test::Packet(i).key, SEED) % KEYS);
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
                hashes.insert(Hash(key, SEED));
            }
        }
    }
    EXPECT_GT(hashes.size(), 4 * 4096 - 3U);
}

/// Flows between two addresses to many ports. \return how many hashes they have
std::size_t
HashesBetween(uint32_t source, uint32_t destination, const HashSeed& seed)
{
    std::set<uint32_t> hashes;
    FlowKey key;
    key.source = source;
    key.destination = destination;
    for (uint32_t i = 0; i < 40'000; ++i)
    {
        key.sourcePort = static_cast<uint16_t>(i);
        key.destinationPort = static_cast<uint16_t>(i >> 8);
        hashes.insert(Hash(key, seed));
    }
    return hashes.size();
}

TEST(FlowKey, AZeroFactorDoesNotMakeKeysMeet)
{
    // By chance two in 2^32 pairs meet: 40 000 keys have less than one such pair.
    FlowKey chosen;
    std::memcpy(&chosen.source, &SEED.first, sizeof(SEED.first)); // source and destination
    EXPECT_EQ(FlowKeyWords(chosen).first, SEED.first) << "the first factor is 0";
    EXPECT_GT(HashesBetween(chosen.source, chosen.destination, SEED), 39'990U);

    FlowKey ports = chosen;
    std::memcpy(&ports.sourcePort, &SEED.second, sizeof(SEED.second)); // to the input port
    std::set<uint32_t> hashes;
    for (uint32_t i = 0; i < 40'000; ++i)
    {
        ports.source = i; // the second factor is 0
        ports.destination = i >> 8;
        hashes.insert(Hash(ports, SEED));
    }
    EXPECT_GT(hashes.size(), 39'900U);
}

TEST(FlowKey, WhatMeetsUnderOneSeedDoesNotUnderAnother)
{
    std::map<uint32_t, std::vector<FlowKey>> byHash;
    for (uint32_t i = 0; i < 200'000; ++i)
    {
        FlowKey key = test::Packet(i).key;
        key.source = i * 2'654'435'761U;
        byHash[Hash(key, SEED) & 511].push_back(key);
    }
    const std::vector<FlowKey>& chosen = byHash.begin()->second;
    ASSERT_GT(chosen.size(), 300U);
    std::set<uint32_t> homes;
    const HashSeed other{1, 2, 3};
    for (const FlowKey& key : chosen)
    {
        homes.insert(Hash(key, other) & 511);
    }
    EXPECT_GT(homes.size(), 200U);
    EXPECT_EQ(ProcessHashSeed().tail % 2, 1U);
    EXPECT_NE(ProcessHashSeed().first, SEED.first);
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
