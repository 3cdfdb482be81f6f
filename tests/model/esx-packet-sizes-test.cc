// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/double.h"
#include "ns3/esx-packet-sizes.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace ns3
{
namespace
{

Ptr<ExponentialRandomVariable>
Exponential(double mean)
{
    const auto variable = CreateObject<ExponentialRandomVariable>();
    variable->SetAttribute("Mean", DoubleValue(mean));
    variable->SetStream(1);
    return variable;
}

TEST(EsxPacketSizes, SumsAreThoseOfSingleSizesFromAnyPlace)
{
    EsxPacketSizes sizes;
    const auto& ring = sizes.Of(Exponential(100), 28);
    for (uint64_t number : {0, 1, 2, 77, 100000})
    {
        const uint32_t place = ring.PlaceOf(number);
        uint64_t sum = 0;
        uint64_t padded = 0;
        for (uint32_t index = 0; index < 3 * EsxPacketSizes::DRAWS; ++index)
        {
            ASSERT_EQ(ring.SumBefore(place, index), sum);
            ASSERT_EQ(ring.PaddedSumBefore(place, index), padded);
            ASSERT_LE(ring.At(place, index), ring.GetMost());
            ASSERT_GE(ring.At(place, index), ring.GetLeast());
            sum += ring.At(place, index);
            padded += std::max(ring.At(place, index), EsxPacketSizes::PADDED);
        }
    }
}

TEST(EsxPacketSizes, VaryWithinAFlowAsTheVariableDoes)
{
    EsxPacketSizes sizes;
    const auto& ring = sizes.Of(Exponential(700), 0);
    const uint32_t place = ring.PlaceOf(5);
    constexpr uint32_t packets = EsxPacketSizes::DRAWS;
    double sum = 0;
    double squares = 0;
    for (uint32_t index = 0; index < packets; ++index)
    {
        const double size = ring.At(place, index);
        sum += size;
        squares += size * size;
    }
    const double mean = sum / packets;
    const double deviation = std::sqrt(squares / packets - mean * mean);
    EXPECT_NEAR(mean, 700, 4 * 700 / std::sqrt(packets)); // four standard errors
    EXPECT_NEAR(deviation, 700, 4 * 700 * std::sqrt(2.0 / packets));
}

TEST(EsxPacketSizes, FlowsBeginFarFromEachOther)
{
    EsxPacketSizes sizes;
    const auto& ring = sizes.Of(Exponential(700), 28);
    constexpr uint32_t flows = 10000;
    double sum = 0;
    for (uint64_t number = 0; number < flows; ++number)
    {
        sum += ring.PlaceOf(number);
    }
    EXPECT_NEAR(sum / flows, EsxPacketSizes::DRAWS / 2.0, EsxPacketSizes::DRAWS / 50.0);
}

TEST(EsxPacketSizes, AreAtLeastTheHeadersAndAtMostWhatIpAllows)
{
    EsxPacketSizes sizes;
    const auto variable = Exponential(60000);
    const auto& udp = sizes.Of(variable, 28);
    const auto& tcp = sizes.Of(variable, 40);
    EXPECT_EQ(udp.GetMost(), 65535U);
    for (uint32_t index = 0; index < EsxPacketSizes::DRAWS; ++index)
    {
        ASSERT_EQ(tcp.At(0, index), std::max(udp.At(0, index), 40U)) << "of the same draws";
    }
}

TEST(EsxPacketSizes, AConstantIsDrawnOnce)
{
    const auto constant = CreateObject<ConstantRandomVariable>();
    constant->SetAttribute("Constant", DoubleValue(500));
    EsxPacketSizes sizes;
    const auto& ring = sizes.Of(constant, 28);
    EXPECT_EQ(ring.SumBefore(ring.PlaceOf(9), 4000000000), 500 * uint64_t{4000000000});
}

} // namespace
} // namespace ns3
