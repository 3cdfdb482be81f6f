// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-diagnostic.h"
#include "runner/scenario/yaml-text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

std::string
ErrorOf(const std::string& text)
{
    try
    {
        RefuseForeignBytes(text, "f");
        return RefuseSecondDocument(text, "f") ? "accepted" : "empty";
    }
    catch (const ScenarioError& error)
    {
        return error.what();
    }
}

TEST(YamlText, ForeignBytesAreRefused)
{
    EXPECT_EQ(ErrorOf("a: \xff\n"), "f:1:4: YAML: byte 0xff is not UTF-8");
    EXPECT_EQ(ErrorOf("a: \xc0\xaf\n"), "f:1:4: YAML: byte 0xc0 is not UTF-8");     // overlong
    EXPECT_EQ(ErrorOf("a: \xed\xa0\x80\n"), "f:1:4: YAML: byte 0xed is not UTF-8"); // a surrogate
    EXPECT_EQ(ErrorOf("a: b\nc: \x04\n"), "f:2:4: YAML: control character 0x04 is not allowed");
    EXPECT_EQ(ErrorOf(std::string("a: \0b", 5)),
              "f:1:4: YAML: control character 0x00 is not allowed");
    EXPECT_EQ(ErrorOf("a: gr\xc3\xbc\xc3\x9f"
                      "e \xe2\x82\xac \xf0\x9f\x98\x80\r\n"),
              "accepted");
}

TEST(YamlText, OneDocumentAndCommentsAroundIt)
{
    const std::string second = "a second document ('---'): one file holds one scenario";
    EXPECT_EQ(ErrorOf("a: 1\n---\nb: 2\n"), "f:2:1: YAML: " + second);
    EXPECT_EQ(ErrorOf("a: 1\n...\nb: 2\n"), "f:3:1: YAML: " + second);
    EXPECT_EQ(ErrorOf("a: |\n  b\n--- c\n"), "f:3:1: YAML: " + second);
    EXPECT_EQ(ErrorOf("%YAML 1.2\n# one\n---\na: 1\n...\n# end\n"), "accepted");
    EXPECT_EQ(ErrorOf("# nothing\n\n"), "empty");
}

TEST(YamlText, APlaceThatTheParserDoesNotKnowIsTheBeginning)
{
    EXPECT_THAT([] { FailYaml("f", -1, -1, "x"); },
                testing::ThrowsMessage<ScenarioError>("f:1:1: YAML: x"));
}

} // namespace
} // namespace esxnf
