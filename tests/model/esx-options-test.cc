// SPDX-License-Identifier: GPL-2.0-only
#include "model/console/esx-options.h"

#include <gtest/gtest.h>

using namespace ns3;

namespace
{

TEST(EsxOptions, ClusteredOptionsAndValuesWithOrWithoutABlank)
{
    const auto options = EsxOptions::Parse({"x", "-vps100", "-e", "a,b", "host"}, "e:s:vp");
    EXPECT_EQ(options.error, "");
    EXPECT_TRUE(options.Has('v'));
    EXPECT_TRUE(options.Has('p'));
    EXPECT_EQ(options.Get('s'), "100");
    EXPECT_EQ(options.Get('e'), "a,b");
    EXPECT_EQ(options.operands, std::vector<std::string>{"host"});
}

TEST(EsxOptions, OptionsBehindOperandsCount)
{
    const auto options = EsxOptions::Parse({"x", "host", "-v"}, "v");
    EXPECT_TRUE(options.Has('v'));
    EXPECT_EQ(options.operands, std::vector<std::string>{"host"});
}

TEST(EsxOptions, PlusEndsOptionsAtTheFirstOperand)
{
    const auto options = EsxOptions::Parse({"x", "-S", "prog", "-v"}, "+S");
    EXPECT_EQ(options.error, "");
    EXPECT_EQ(options.operands, (std::vector<std::string>{"prog", "-v"}));
}

TEST(EsxOptions, DoubleDashEndsOptions)
{
    const auto options = EsxOptions::Parse({"x", "--", "-v"}, "v");
    EXPECT_FALSE(options.Has('v'));
    EXPECT_EQ(options.operands, std::vector<std::string>{"-v"});
}

TEST(EsxOptions, LastOccurrenceCounts)
{
    EXPECT_EQ(EsxOptions::Parse({"x", "-s1", "-s", "2"}, "s:").Get('s'), "2");
    EXPECT_EQ(EsxOptions::Parse({"x"}, "s:").Get('s', "3"), "3");
}

TEST(EsxOptions, UnknownOptionsAndMissingValuesAreErrors)
{
    EXPECT_EQ(EsxOptions::Parse({"x", "-vz"}, "v").error, "unknown option -z");
    EXPECT_EQ(EsxOptions::Parse({"x", "-s"}, "s:").error, "option -s needs a value");
    EXPECT_EQ(EsxOptions::Parse({"x", "--help"}, "h").error, "unknown option --");
}

TEST(EsxOptions, EachCallBeginsAnew)
{
    EsxOptions::Parse({"x", "-ab"}, "a"); // stops in the middle of a cluster
    EXPECT_EQ(EsxOptions::Parse({"x", "-a", "y"}, "a").operands, std::vector<std::string>{"y"});
}

} // namespace
