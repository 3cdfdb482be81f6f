// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/number-text.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

TEST(NumberTextTest, WholeNumbersAreDigitsWithinTheirRange)
{
    EXPECT_EQ(ReadWhole("0"), 0U);
    EXPECT_EQ(ReadWhole("18446744073709551615"), UINT64_MAX);
    EXPECT_EQ(ReadWhole("010", 0, 20), 10U);
    EXPECT_EQ(ReadWhole("5", 5, 5), 5U);
    for (const char* text :
         {"", " ", "-1", "+1", "1 ", " 1", "1.0", "1e3", "0x1", "nan", "18446744073709551616"})
    {
        EXPECT_FALSE(ReadWhole(text)) << text;
    }
    EXPECT_FALSE(ReadWhole("4", 5, 6));
    EXPECT_FALSE(ReadWhole("7", 5, 6));
}

TEST(NumberTextTest, FractionsAreFiniteAndWithinTheirRange)
{
    EXPECT_EQ(ReadReal("1.5", 0, 2), 1.5);
    EXPECT_EQ(ReadReal("1e3", 0, 1000), 1000.0);
    for (const char* text :
         {"", " 1", "1 ", "+1", "-1", "nan", "inf", "1e400", "0x1p3", "0x1", "1s", "1.5.", "2.5"})
    {
        EXPECT_FALSE(ReadReal(text, 0, 2)) << text;
    }
}

TEST(NumberTextTest, DurationsAreExact)
{
    EXPECT_EQ(ReadDuration("0s"), 0);
    EXPECT_EQ(ReadDuration("1ns"), 1);
    EXPECT_EQ(ReadDuration("1.000000001s"), 1'000'000'001);
    EXPECT_EQ(ReadDuration("0.1s"), 100'000'000);
    EXPECT_EQ(ReadDuration("1.5us"), 1'500);
    EXPECT_EQ(ReadDuration("2min"), 120'000'000'000);
    EXPECT_EQ(ReadDuration("0.25h"), 900'000'000'000);
    EXPECT_EQ(ReadDuration("2562046h"), 2562046 * int64_t{3'600'000'000'000});
    for (const char* text : {"",
                             "s",
                             "1",
                             "-1s",
                             "+1s",
                             ".5s",
                             "1.s",
                             "1..2s",
                             "1 s",
                             " 1s",
                             "1s ",
                             "1d",
                             "nans",
                             "1e3s",
                             "2562047788h",
                             "9223372036854775808ns"})
    {
        EXPECT_FALSE(ReadDuration(text)) << text;
    }
}

TEST(NumberTextTest, ADurationsTextIsReadAsTheSame)
{
    EXPECT_EQ(DurationToText(0), "0s");
    EXPECT_EQ(DurationToText(1), "1ns");
    EXPECT_EQ(DurationToText(60'000'000'000), "60s");
    EXPECT_EQ(DurationToText(1'500'000), "1.5ms");
    EXPECT_EQ(DurationToText(-2'000), "-2us");
    for (const int64_t ns : {999L, 1'001L, 123'456'789L, 9'007'199'254'740'993L, INT64_MAX / 2})
    {
        EXPECT_EQ(ReadDuration(DurationToText(ns)), ns);
    }
}

} // namespace
} // namespace esxnf
