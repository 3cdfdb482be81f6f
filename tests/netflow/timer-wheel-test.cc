// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/timer-wheel.h"
#include "tests/netflow/testing.h"

#include <algorithm>
#include <map>

namespace netflow
{
namespace
{

std::vector<uint32_t>
TakeSorted(TimerWheel& wheel, int64_t tick)
{
    std::vector<uint32_t> references;
    wheel.Take(tick, references);
    std::sort(references.begin(), references.end());
    return references;
}

TEST(TimerWheel, EmptyWheelHasNoNextTick)
{
    TimerWheel wheel(100);
    EXPECT_EQ(wheel.NextTick(), TimerWheel::NO_TICK);
    wheel.Arm(5, 1);
    TakeSorted(wheel, 5);
    EXPECT_EQ(wheel.NextTick(), TimerWheel::NO_TICK);
}

TEST(TimerWheel, TickZeroCanBeArmed)
{
    TimerWheel wheel(64);
    EXPECT_EQ(wheel.Arm(0, 7), 0);
    EXPECT_EQ(wheel.NextTick(), 0);
    EXPECT_EQ(TakeSorted(wheel, 0), std::vector<uint32_t>{7});
}

TEST(TimerWheel, ReferencesOfOneTickComeTogether)
{
    TimerWheel wheel(64);
    std::vector<uint32_t> armed;
    for (uint32_t reference = 0; reference < 100; ++reference) // more than one chunk
    {
        EXPECT_EQ(wheel.Arm(9, reference), 9);
        armed.push_back(reference);
    }
    wheel.Arm(10, 1000);
    EXPECT_EQ(wheel.NextTick(), 9);
    EXPECT_EQ(TakeSorted(wheel, 9), armed);
    EXPECT_EQ(wheel.NextTick(), 10);
    EXPECT_EQ(TakeSorted(wheel, 10), std::vector<uint32_t>{1000});
}

TEST(TimerWheel, TickBeyondTheWindowIsBroughtToItsEnd)
{
    TimerWheel wheel(64);
    wheel.Advance(1000);
    const int64_t used = wheel.Arm(1'000'000, 1);
    EXPECT_GT(used, 1000);
    EXPECT_LE(used, 1064);
    EXPECT_EQ(wheel.NextTick(), used);
    EXPECT_EQ(TakeSorted(wheel, used), std::vector<uint32_t>{1});
}

TEST(TimerWheel, AdvanceMovesTheWindowOnlyOverEmptyTicks)
{
    TimerWheel wheel(64);
    wheel.Arm(30, 1);
    wheel.Advance(30); // would skip the reference
    EXPECT_EQ(wheel.NextTick(), 30);
    EXPECT_EQ(wheel.Arm(5, 2), 5) << "the window did not move";
    EXPECT_EQ(TakeSorted(wheel, 5), std::vector<uint32_t>{2});
    wheel.Advance(29);
    EXPECT_EQ(wheel.NextTick(), 30);
    EXPECT_EQ(TakeSorted(wheel, 30), std::vector<uint32_t>{1});
    wheel.Advance(10); // backwards: nothing happens
    EXPECT_EQ(wheel.Arm(31, 3), 31);
    EXPECT_EQ(wheel.NextTick(), 31);
}

TEST(TimerWheel, ReferencesComeInTheOrderInWhichTheyWereArmed)
{
    TimerWheel wheel(64);
    std::vector<uint32_t> armed;
    for (uint32_t reference = 100; reference > 0; --reference)
    {
        wheel.Arm(3, reference);
        armed.push_back(reference);
    }
    std::vector<uint32_t> references;
    wheel.Take(3, references);
    EXPECT_EQ(references, armed);
}

int g_blocks = 0; // that a wheel has taken

TEST(TimerWheel, WhatWasTakenMakesRoomForWhatIsArmed)
{
    g_blocks = 0;
    TimerWheel wheel(64, [](void*, std::size_t) { ++g_blocks; });
    std::vector<uint32_t> references;
    for (int64_t tick = 0; tick < 100'000; ++tick) // three blocks would not hold as many chunks
    {
        wheel.Arm(tick, 1);
        references.clear();
        wheel.Take(tick, references);
    }
    EXPECT_EQ(g_blocks, 1);
}

TEST(TimerWheel, HoldsEveryReferenceOnceAndInTimeOverManyTurns)
{
    // Against an ordered multimap, over ticks that take the wheel round many times.
    for (uint64_t window : {1, 64, 65, 200, 4096})
    {
        TimerWheel wheel(window);
        std::multimap<int64_t, uint32_t> model;
        test::Random random(window);
        int64_t now = -1;
        for (uint32_t reference = 0; reference < 20'000; ++reference)
        {
            const auto ahead = static_cast<int64_t>(random.Below(2 * window) + 1);
            const int64_t used = wheel.Arm(now + ahead, reference);
            ASSERT_GT(used, now);
            ASSERT_LE(used, now + ahead);
            ASSERT_TRUE(used == now + ahead || ahead >= static_cast<int64_t>(window));
            model.emplace(used, reference);
            ASSERT_EQ(wheel.NextTick(), model.begin()->first);
            while (!model.empty() && random.Chance(45))
            {
                now = model.begin()->first;
                std::vector<uint32_t> expected;
                for (auto [at, end] = model.equal_range(now); at != end; ++at)
                {
                    expected.push_back(at->second);
                }
                model.erase(now);
                std::sort(expected.begin(), expected.end());
                ASSERT_EQ(TakeSorted(wheel, now), expected);
            }
            if (model.empty() || model.begin()->first > now + 3)
            {
                now += static_cast<int64_t>(random.Below(3));
                wheel.Advance(now);
            }
        }
    }
}

} // namespace
} // namespace netflow
