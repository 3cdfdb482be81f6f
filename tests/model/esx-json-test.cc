// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-json.h"

#include <cmath>
#include <gtest/gtest.h>

namespace ns3
{
namespace
{

TEST(EsxJson, NestsWithTwoBlanksForEachLevel)
{
    EsxJson json;
    json.BeginObject().Number("a", 1).Key("b").BeginArray().Text("x").Number(-2.5).EndArray();
    json.Key("c").BeginObject().EndObject().Key("d").BeginArray().EndArray().Bool("e", true);
    EXPECT_EQ(json.EndObject().Take(),
              "{\n  \"a\": 1,\n  \"b\": [\n    \"x\",\n    -2.5\n  ],\n  \"c\": {},\n  \"d\": [],\n"
              "  \"e\": true\n}\n");
}

TEST(EsxJson, TextsAreEscaped)
{
    EsxJson json;
    json.Text("a \"b\" \\ \n \t \x01 \xc3\xa4");
    EXPECT_EQ(json.Take(), "\"a \\\"b\\\" \\\\ \\u000a \\u0009 \\u0001 \xc3\xa4\"\n");
}

TEST(EsxJson, NumbersAreExactAndWholeOnesWithoutAPoint)
{
    EsxJson json;
    json.BeginArray().Number(UINT64_MAX).Number(INT64_MIN).Number(5.0).Number(0.1);
    json.Number(1.0 / 3).Number(0.1 + 0.2).Number(std::nan("")).Number(INFINITY).EndArray();
    EXPECT_EQ(json.Take(),
              "[\n  18446744073709551615,\n  -9223372036854775808,\n  5,\n  0.1,\n"
              "  0.3333333333333333,\n  0.30000000000000004,\n  null,\n  null\n]\n");
}

} // namespace
} // namespace ns3
