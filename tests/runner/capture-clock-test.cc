// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/capture-clock.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

using netflow::NS_PER_SECOND;

constexpr int64_t BOOT = 1'700'000'000'000'000'000;

/// Times are seconds since boot as the capture says; so are results.
class CaptureClockTest : public testing::Test
{
  protected:
    int64_t Observe(int64_t seconds)
    {
        return clock.Observe(BOOT + seconds * NS_PER_SECOND) / NS_PER_SECOND;
    }

    int64_t Tick(int64_t seconds)
    {
        return clock.Tick(BOOT + seconds * NS_PER_SECOND) / NS_PER_SECOND;
    }

    void ExpectCounts(uint64_t outOfOrder, uint64_t stepsBack, uint64_t stepsForward)
    {
        EXPECT_EQ(clock.GetCounts().outOfOrder, outOfOrder);
        EXPECT_EQ(clock.GetCounts().stepsBack, stepsBack);
        EXPECT_EQ(clock.GetCounts().stepsForward, stepsForward);
    }

    CaptureClock clock{BOOT, 0};
};

TEST_F(CaptureClockTest, UptimeFollowsTheCapture)
{
    EXPECT_EQ(Observe(0), 0);
    EXPECT_EQ(Observe(3600), 3600);
    EXPECT_EQ(Observe(3600), 3600);
    ExpectCounts(0, 0, 0);
}

TEST_F(CaptureClockTest, APacketOutOfOrderCountsAsThePresent)
{
    EXPECT_EQ(Observe(20), 20);
    EXPECT_EQ(Observe(10), 20);
    EXPECT_EQ(Observe(21), 21);
    ExpectCounts(1, 0, 0);
}

TEST_F(CaptureClockTest, AfterAStepBackwardsTimeGoesOnFromWhereItWas)
{
    Observe(20);
    EXPECT_EQ(Observe(9), 20); // 11 s back
    EXPECT_EQ(Observe(12), 23);
    EXPECT_EQ(Observe(-4000), 23);
    EXPECT_EQ(Observe(-3999), 24);
    ExpectCounts(0, 2, 0);
}

TEST_F(CaptureClockTest, AStepForwardsIsFollowedAndCounted)
{
    EXPECT_EQ(Observe(3601), 3601);
    ExpectCounts(0, 0, 1);
    EXPECT_EQ(Observe(3600), 3601);
    EXPECT_EQ(Observe(0), 3601);
    EXPECT_EQ(Observe(1), 3602);
    ExpectCounts(1, 1, 1);
}

TEST_F(CaptureClockTest, TimeStandsStillWhereNetflowV5CannotCountFurther)
{
    const int64_t last = UINT32_MAX - BOOT / NS_PER_SECOND; // in 2106
    EXPECT_EQ(Observe(last), last);
    for (int i = 0; i < 100; ++i)
    {
        EXPECT_EQ(Observe(0), last);
        EXPECT_EQ(Observe(last), last);
    }
    ExpectCounts(99, 1, 101); // the limit is a second less a nanosecond later
}

TEST_F(CaptureClockTest, ATickThatComesLateIsNoPacketOutOfOrder)
{
    Observe(20);
    EXPECT_EQ(Tick(19), 20);
    EXPECT_EQ(Tick(25), 25);
    ExpectCounts(0, 0, 0);
    EXPECT_EQ(Tick(-100), 25); // the machine's clock was set back
    EXPECT_EQ(Tick(-99), 26);
    ExpectCounts(0, 1, 0);
}

TEST_F(CaptureClockTest, UptimeMayBeginLater)
{
    CaptureClock late(BOOT - 100 * NS_PER_SECOND, 100 * NS_PER_SECOND);
    EXPECT_EQ(late.Observe(BOOT), 100 * NS_PER_SECOND);
    EXPECT_EQ(late.GetCounts().outOfOrder + late.GetCounts().stepsBack, 0U);
}

} // namespace
} // namespace esxnf
