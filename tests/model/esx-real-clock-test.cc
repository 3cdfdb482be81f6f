// SPDX-License-Identifier: GPL-2.0-only
// Lower bounds only: how late a busy machine is, is nobody's promise.
#include "ns3/esx-real-clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ns3
{
namespace
{

TEST(EsxRealClock, WaitsUntilAnInstantHasCome)
{
    EsxRealClock clock;
    clock.Start(MilliSeconds(1000));
    clock.WaitUntil(MilliSeconds(1020));
    EXPECT_GE(clock.Read(), MilliSeconds(1020));
}

TEST(EsxRealClock, TellsHowLateItWas)
{
    EsxRealClock clock;
    clock.Start(MilliSeconds(5000));
    EXPECT_EQ(clock.Report(), "real time: at most 0.0 ms late");
    clock.WaitUntil(MilliSeconds(0)); // five seconds ago
    EXPECT_THAT(clock.Report(), testing::MatchesRegex("real time: at most 5[0-9]*.. ms late"));
}

TEST(EsxRealClock, ReadsWholeMilliseconds)
{
    EsxRealClock clock;
    clock.Start(MilliSeconds(7));
    EXPECT_EQ(clock.Read().GetNanoSeconds() % 1'000'000, 0);
    EXPECT_GE(clock.Read(), MilliSeconds(7));
}

} // namespace
} // namespace ns3
