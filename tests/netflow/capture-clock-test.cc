// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/capture-clock.h"

#include <cmath>
#include <gtest/gtest.h>

namespace netflow
{
namespace
{

constexpr int64_t BOOT = 1'700'000'000'000'000'000;
using Times = std::vector<double>; // seconds

/// Times are seconds since the boot as the capture says; so are results.
class CaptureClockTest : public testing::Test
{
  protected:
    static int64_t ToUnixNs(double seconds)
    {
        return BOOT + std::llround(seconds * 1000) * NS_PER_MS;
    }

    static double ToSeconds(TimeNs time)
    {
        return static_cast<double>(time / NS_PER_MS) / 1000;
    }

    /// \return uptimes that are known now
    Times Observe(int64_t unixNs)
    {
        Times uptimes;
        for (TimeNs time = clock.Observe(unixNs);; time = clock.Take())
        {
            time = time == CaptureClock::UNDECIDED ? clock.Take() : time;
            if (time == CaptureClock::UNDECIDED)
            {
                return uptimes;
            }
            uptimes.push_back(ToSeconds(time));
        }
    }

    Times Run(const std::vector<int64_t>& unixNs)
    {
        Times all;
        for (int64_t time : unixNs)
        {
            const Times known = Observe(time);
            all.insert(all.end(), known.begin(), known.end());
        }
        clock.Decide();
        for (TimeNs time = clock.Take(); time != CaptureClock::UNDECIDED; time = clock.Take())
        {
            all.push_back(ToSeconds(time));
        }
        return all;
    }

    Times Run(const Times& seconds)
    {
        std::vector<int64_t> unixNs;
        for (double second : seconds)
        {
            unixNs.push_back(ToUnixNs(second));
        }
        return Run(unixNs);
    }

    /// Boot times, s after the first one.
    Times Boots()
    {
        Times boots;
        for (const BootTime& boot : clock.TakeBoots())
        {
            boots.push_back(ToSeconds(boot.unixNs - BOOT));
        }
        return boots;
    }

    void ExpectSteps(uint64_t outOfOrder, uint64_t stepsBack, uint64_t stepsForward)
    {
        EXPECT_EQ(clock.GetCounts().outOfOrder, outOfOrder);
        EXPECT_EQ(clock.GetCounts().stepsBack, stepsBack);
        EXPECT_EQ(clock.GetCounts().stepsForward, stepsForward);
    }

    CaptureClock clock;
};

/// Two clocks, the second one off by a constant; each second a packet by each.
Times
Interleaved(double shift, unsigned seconds)
{
    Times times;
    for (unsigned i = 0; i < seconds; ++i)
    {
        times.push_back(i);
        times.push_back(i - shift + 0.01);
    }
    return times;
}

TEST_F(CaptureClockTest, UptimeFollowsTheCapture)
{
    EXPECT_EQ(Run(Times{0, 9, 9, 60, 61, 3661}), (Times{0, 9, 9, 60, 61, 3661}));
    ExpectSteps(0, 0, 0);
    EXPECT_EQ(Boots(), Times{0});
}

TEST_F(CaptureClockTest, UsualTimesAreDecidedAtOnce)
{
    EXPECT_EQ(Observe(BOOT), Times{0});
    EXPECT_EQ(Observe(ToUnixNs(9.999)), Times{9.999});
    EXPECT_EQ(Observe(BOOT), Times{9.999}); // out of order
}

TEST_F(CaptureClockTest, APauseIsDecidedByThePacketTenSecondsBehindIt)
{
    Observe(BOOT);
    EXPECT_EQ(Observe(ToUnixNs(100)), Times{});
    EXPECT_EQ(Observe(ToUnixNs(109)), Times{});
    EXPECT_EQ(Observe(ToUnixNs(110)), (Times{100, 109, 110}));
}

TEST_F(CaptureClockTest, APacketOutOfOrderCountsAsThePresent)
{
    EXPECT_EQ(Run(Times{0, 9, 18, 8, 19}), (Times{0, 9, 18, 18, 19}));
    ExpectSteps(1, 0, 0);
}

TEST_F(CaptureClockTest, AfterAStepBackwardsTimeGoesOnAndTheBootMoves)
{
    EXPECT_EQ(Run(Times{50, 51, 0, 1, 10, 30, 49}), (Times{0, 1, 1, 2, 11, 31, 50}));
    ExpectSteps(0, 1, 0);
    EXPECT_EQ(Boots(), (Times{50, -1}));
}

TEST_F(CaptureClockTest, ThePauseBehindAStepBackwardsIsNoReturn)
{
    EXPECT_EQ(Run(Times{100, 101, 0, 1, 2, 62, 63}), (Times{0, 1, 1, 2, 3, 63, 64}));
    ExpectSteps(0, 1, 0);
}

TEST_F(CaptureClockTest, AStepForwardsIsFollowedAndCounted)
{
    EXPECT_EQ(Run(Times{0, 3601, 3602}), (Times{0, 3601, 3602}));
    ExpectSteps(0, 0, 1);
    EXPECT_EQ(Boots(), Times{0});
}

TEST_F(CaptureClockTest, TwoClocksAreOneOfWhichTheFirstLeads)
{
    for (double shift : {37.0, -37.0, 12.0, 3600.0, -86400.0, 1e9})
    {
        clock = CaptureClock();
        EXPECT_EQ(Run(Interleaved(shift, 100)), Interleaved(0, 100)) << shift;
        ExpectSteps(0, 0, 0);
        EXPECT_EQ(clock.GetCounts().otherClock, 100U);
        EXPECT_EQ(clock.GetCounts().shifts,
                  std::vector<TimeNs>{static_cast<TimeNs>(shift) * NS_PER_SECOND});
        EXPECT_EQ(Boots(), Times{0});
    }
}

TEST_F(CaptureClockTest, TheShiftIsTheLeastThatKeepsTheOrderOrAWholeSecondNearIt)
{
    for (const auto& [late, shift] : {std::pair(0.3, 7200.0), std::pair(0.7, 7199.3)})
    {
        clock = CaptureClock();
        Times times;
        for (unsigned i = 0; i < 10; ++i)
        {
            times.push_back(i);
            times.push_back(i - 7200.0 + late);
        }
        Run(times);
        EXPECT_EQ(ToSeconds(clock.GetCounts().shifts.at(0)), shift);
    }
}

TEST_F(CaptureClockTest, AThirdClockIsShiftedByItsOwnConstant)
{
    Times times;
    Times expected;
    for (unsigned i = 0; i < 50; ++i)
    {
        for (double shift : {0.0, 100.0, -200.0})
        {
            times.push_back(i - shift);
            expected.push_back(i);
        }
    }
    EXPECT_EQ(Run(times), expected);
    EXPECT_EQ(clock.GetCounts().shifts,
              (std::vector<TimeNs>{100 * NS_PER_SECOND, -200 * NS_PER_SECOND}));
}

TEST_F(CaptureClockTest, APauseOfTwoClocksIsAPauseOfBoth)
{
    Times times = Interleaved(37, 10);
    for (double second = 200; second < 210; ++second)
    {
        times.push_back(second);
        times.push_back(second - 37 + 0.01);
    }
    EXPECT_EQ(Run(times).back(), 209.01);
    ExpectSteps(0, 0, 0);
    EXPECT_EQ(clock.GetCounts().otherClock, 20U);
}

TEST_F(CaptureClockTest, StepsThatCancelEachOtherMuchLaterAreTwoClocks)
{
    Times times;
    for (double start : {0.0, -700.0, 600.0}) // a clock 1000 s behind has the second turn
    {
        for (unsigned i = 0; i < 300; ++i)
        {
            times.push_back(start + i);
        }
    }
    const Times uptimes = Run(times);
    EXPECT_EQ(uptimes[300], 299); // the step itself takes no time
    EXPECT_EQ(uptimes[599], 598);
    EXPECT_EQ(uptimes[600], 600);
    EXPECT_EQ(uptimes[899], 899);
    ExpectSteps(0, 1, 0);
    EXPECT_EQ(Boots(), (Times{0, -999, 0}));
}

TEST_F(CaptureClockTest, AWildTimeIsAnOutlierAndTheOthersKeepTheirs)
{
    for (double wild : {2.5e9, 1e5, 40.0, -40.0, -1.6e9})
    {
        for (double pause : {1.0, 20.0})
        {
            clock = CaptureClock();
            Times times{0, 1, wild};
            Times expected{0, 1, 1};
            for (unsigned i = 0; i < 40; ++i)
            {
                times.push_back(2 + i * pause);
                expected.push_back(2 + i * pause);
            }
            EXPECT_EQ(Run(times), expected) << wild << " " << pause;
            EXPECT_EQ(clock.GetCounts().outliers, 1U);
            ExpectSteps(0, 0, 0);
        }
    }
}

TEST_F(CaptureClockTest, ManyWildTimesAreOutliersEach)
{
    Times times;
    Times expected;
    for (unsigned i = 0; i < 200; ++i)
    {
        times.push_back(i);
        expected.push_back(i);
        if (i % 10 == 5)
        {
            times.push_back(1e6 * (i + 1) * (i % 20 == 5 ? 1 : -1));
            expected.push_back(i);
        }
    }
    EXPECT_EQ(Run(times), expected);
    EXPECT_EQ(clock.GetCounts().outliers, 20U);
}

TEST_F(CaptureClockTest, PacketsWithoutATimeCountAsTheOneBefore)
{
    EXPECT_EQ(Run(std::vector<int64_t>{NO_TIME, BOOT, 0, ToUnixNs(1), NO_TIME, ToUnixNs(2), 0}),
              (Times{0, 0, 0, 1, 1, 2, 2}));
    EXPECT_EQ(clock.GetCounts().untimed, 4U);
    ExpectSteps(0, 0, 0);
    EXPECT_EQ(Boots(), Times{0});
}

TEST_F(CaptureClockTest, TimesMayBeginAtZero)
{
    EXPECT_EQ(Run(std::vector<int64_t>{0, 0, NS_PER_SECOND, 2 * NS_PER_SECOND}),
              (Times{0, 0, 1, 2}));
    EXPECT_EQ(clock.GetCounts().untimed, 0U);
    clock = CaptureClock();
    EXPECT_EQ(Run(std::vector<int64_t>{0, 0, 0}), (Times{0, 0, 0}));
    EXPECT_EQ(clock.GetCounts().untimed, 3U);
}

TEST_F(CaptureClockTest, ATickThatComesLateIsNoPacketOutOfOrder)
{
    clock.Tick(BOOT);
    Observe(ToUnixNs(5));
    EXPECT_EQ(ToSeconds(clock.Tick(ToUnixNs(4))), 5);
    EXPECT_EQ(ToSeconds(clock.Tick(ToUnixNs(25))), 25);
    ExpectSteps(0, 0, 0);
    EXPECT_EQ(ToSeconds(clock.Tick(ToUnixNs(-100))), 25); // the machine's clock was set back
    EXPECT_EQ(ToSeconds(clock.Tick(ToUnixNs(-99))), 26);
    ExpectSteps(0, 1, 0);
}

TEST_F(CaptureClockTest, UptimeMayBeginLater)
{
    CaptureClock late(100 * NS_PER_SECOND);
    EXPECT_EQ(late.Observe(BOOT), 100 * NS_PER_SECOND);
    EXPECT_EQ(late.TakeBoots().front().unixNs, BOOT - 100 * NS_PER_SECOND);
}

TEST_F(CaptureClockTest, NoSequenceOfTimesLeadsUptimeBackOrOutOfItsRange)
{
    uint64_t state = 1;
    TimeNs latest = 0;
    for (unsigned i = 0; i < 20'000; ++i)
    {
        state = state * 6364136223846793005U + 1442695040888963407U;
        const auto time = static_cast<int64_t>(state % static_cast<uint64_t>(MAX_UNIX_NS));
        clock.Observe(i % 7 == 0 ? time : i % 3 == 0 ? MAX_UNIX_NS : time % NS_PER_SECOND);
        for (TimeNs uptime = clock.Take(); uptime != CaptureClock::UNDECIDED; uptime = clock.Take())
        {
            ASSERT_GE(uptime, latest);
            latest = uptime;
        }
        ASSERT_GE(clock.GetUptime(), latest);
    }
}

} // namespace
} // namespace netflow
