// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/advice.h"

#include <gtest/gtest.h>

using namespace esxnf;

namespace
{

constexpr int64_t MS = 1'000'000;
constexpr int64_t SECOND = 1000 * MS;

/// \p perMs records in each ms of [from, to) seconds.
std::vector<Expiry>
Smooth(int64_t from, int64_t to, int perMs, uint16_t vSwitch = 1)
{
    std::vector<Expiry> expiries;
    for (int64_t ms = from * 1000 + 1; ms <= to * 1000; ++ms)
    {
        expiries.insert(expiries.end(), perMs, {ms * MS, vSwitch});
    }
    return expiries;
}

Poller
Every(int64_t periodMs, int64_t startMs = 0, std::vector<uint16_t> vSwitches = {1})
{
    return {startMs * MS, 1000 * SECOND, periodMs * MS, std::move(vSwitches)};
}

TEST(AdviceTest, SmallestPurgatoryIsTheMostThatWaitAtOnce)
{
    EXPECT_EQ(Advice(Smooth(10, 13, 6), {Every(1000)}).GetSmallestPurgatory(), 6000U);
    EXPECT_EQ(Advice(Smooth(10, 13, 6), {Every(100)}).GetSmallestPurgatory(), 600U);
    EXPECT_EQ(Advice({}, {Every(100)}).GetSmallestPurgatory(), 1U);
}

TEST(AdviceTest, RecordThatEndsAtAPollIsTakenByIt)
{
    EXPECT_EQ(Advice({{SECOND, 1}, {SECOND + 1, 1}}, {Every(1000)}).GetSmallestPurgatory(), 1U);
    EXPECT_EQ(Advice({{SECOND - 1, 1}, {SECOND, 1}}, {Every(1000)}).GetSmallestPurgatory(), 2U);
}

TEST(AdviceTest, SafePeriodHoldsWhateverThePhase)
{
    const Advice advice(Smooth(10, 13, 6), {Every(1000)});
    EXPECT_EQ(advice.GetSafePeriodMs(4096, 100000), 682); // 4096 / 6
    EXPECT_EQ(advice.GetSafePeriodMs(18000, 100000), 100000);
    for (int64_t phase = 0; phase < 682; phase += 31)
    {
        EXPECT_LE(Advice(Smooth(10, 13, 6), {Every(682, phase)}).GetSmallestPurgatory(), 4096U);
    }
    EXPECT_GT(Advice(Smooth(10, 13, 6), {Every(683)}).GetSmallestPurgatory(), 4096U);
}

TEST(AdviceTest, LongestPeriodIsTheLongestOfAllThatFit)
{
    const auto expiries = Smooth(10, 12, 3);
    const Advice advice(expiries, {Every(1000, 137)});
    const auto longest = advice.GetLongestPeriodMs(1000, 20000);
    ASSERT_TRUE(longest);
    EXPECT_GE(*longest, *advice.GetSafePeriodMs(1000, 20000));
    EXPECT_LE(Advice(expiries, {Every(*longest, 137)}).GetSmallestPurgatory(), 1000U);
    for (int64_t longer = *longest + 1; longer <= 20000; longer += 7)
    {
        EXPECT_GT(Advice(expiries, {Every(longer, 137)}).GetSmallestPurgatory(), 1000U) << longer;
    }
}

TEST(AdviceTest, NoPeriodHelpsAgainstABurst)
{
    const Advice advice(std::vector<Expiry>(5000, {SECOND, 1}), {Every(1000)});
    EXPECT_FALSE(advice.GetLongestPeriodMs(4096, 5000));
    EXPECT_FALSE(advice.GetSafePeriodMs(4096, 5000));
    EXPECT_EQ(advice.GetSmallestPurgatory(), 5000U);
}

TEST(AdviceTest, ProcessesShareThePurgatoryAndPollTheirOwnSwitches)
{
    std::vector<Expiry> expiries{{100 * MS, 1}, {200 * MS, 2}, {600 * MS, 2}, {900 * MS, 1}};
    // poller of 1 at 1000, poller of 2 at 500 and 1000: at 200 two wait, at 900 three
    EXPECT_EQ(Advice(expiries, {Every(1000, 0, {1}), Every(500, 0, {2})}).GetSmallestPurgatory(),
              3U);
}

TEST(AdviceTest, AProcessThatEndedLeavesNothingBehind)
{
    Poller first = Every(1000);
    first.end = 1500 * MS;
    const Poller second = Every(1000, 1600);
    const std::vector<Expiry> expiries{{1400 * MS, 1}, {1700 * MS, 1}};
    EXPECT_EQ(Advice(expiries, {first, second}).GetSmallestPurgatory(), 1U);
}

} // namespace
