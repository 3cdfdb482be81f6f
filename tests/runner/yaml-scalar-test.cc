// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-scalar.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

TEST(YamlScalar, PlainScalarsFollowTheCoreSchemaOfYaml12)
{
    EXPECT_EQ(ResolvePlain("010"), 10);
    EXPECT_EQ(ResolvePlain("0x1F"), 31);
    EXPECT_EQ(ResolvePlain("0o17"), 15);
    EXPECT_EQ(ResolvePlain("-7"), -7);
    EXPECT_EQ(ResolvePlain("+7"), 7);
    EXPECT_EQ(ResolvePlain("1.5e3"), 1500.0);
    EXPECT_EQ(ResolvePlain(".5"), 0.5);
    EXPECT_EQ(ResolvePlain("true"), true);
    EXPECT_EQ(ResolvePlain("False"), false);
    EXPECT_TRUE(ResolvePlain("~").is_null());
    EXPECT_TRUE(ResolvePlain("").is_null());
}

TEST(YamlScalar, WhatOnlyYaml11KnowsIsText)
{
    for (const std::string word :
         {"yes", "off", "1_000", "12:30:45", "2008-10-26", "0x", "0x-1", "1e", ".inf", "."})
    {
        EXPECT_EQ(ResolvePlain(word), word);
    }
}

TEST(YamlScalar, NumbersThatDoNotFitAreNoNumbers)
{
    EXPECT_TRUE(ResolvePlain("99999999999999999999").is_number_float());
    EXPECT_EQ(ResolvePlain("1e999"), "1e999");
}

} // namespace
} // namespace esxnf
