// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

Json
Root(const std::string& text)
{
    return YamlDocument::Parse(text, "f").GetRoot();
}

std::string
ErrorOf(const std::string& text)
{
    try
    {
        YamlDocument::Parse(text, "f");
    }
    catch (const ScenarioError& error)
    {
        return error.what();
    }
    return "accepted";
}

TEST(YamlDocument, QuotedScalarsAreText)
{
    EXPECT_EQ(Root("a: '5'").at("a"), "5");
    EXPECT_EQ(Root("a: \"true\"").at("a"), "true");
    EXPECT_EQ(Root("a: !!str 5").at("a"), "5");
    EXPECT_EQ(Root("a: |\n  5").at("a"), "5");
}

TEST(YamlDocument, KeysKeepTheOrderOfTheFile)
{
    std::string order;
    const auto root = Root("z: 1\na: 2\nm: 3\n");
    for (const auto& [key, value] : root.items())
    {
        order += key;
    }
    EXPECT_EQ(order, "zam");
}

TEST(YamlDocument, MergeKeysAreResolvedAndOwnKeysWin)
{
    const auto root =
        Root("x: &x {a: 1, b: 1}\ny: &y {a: 2, c: 2}\nm: {<<: [*x, *y], b: 3}\nn: {a: 9, <<: *x}");
    EXPECT_EQ(root.at("m"), Json::parse(R"({"a": 1, "c": 2, "b": 3})"));
    EXPECT_EQ(root.at("n"), Json::parse(R"({"a": 9, "b": 1})"));
    EXPECT_EQ(Root("m: {'<<': 1}").at("m"), Json::parse(R"({"<<": 1})"));
    EXPECT_EQ(ErrorOf("m: {<<: 5}"),
              "f:1:9: YAML: '<<' merges a map (an alias such as *name) or a list of maps");
}

TEST(YamlDocument, DuplicateKeysAreRefused)
{
    EXPECT_EQ(ErrorOf("a: 1\nb: 2\na: 3\n"),
              "f:3:1: YAML: key 'a' is given twice (first in line 1)");
    EXPECT_EQ(ErrorOf("m: {<<: {a: 1}, <<: {b: 1}}"),
              "f:1:17: YAML: key '<<' is given twice (first in line 1)");
}

TEST(YamlDocument, OnlyOneMapPerFile)
{
    const std::string empty =
        "the file is empty: a scenario is a map that begins with 'version: 1'";
    EXPECT_EQ(ErrorOf(""), "f:1:1: YAML: " + empty);
    EXPECT_EQ(ErrorOf("# nothing\n"), "f:1:1: YAML: " + empty);
    EXPECT_EQ(ErrorOf("- a\n"),
              "f:1:1: YAML: the top level must be a map that begins with 'version: 1'");
    EXPECT_EQ(ErrorOf(",a: 1\n"),
              "f:1:1: YAML: the top level must be a map that begins with 'version: 1'");
    EXPECT_EQ(ErrorOf("a: 1\n---\nb: 2\n"),
              "f:2:1: YAML: a second document ('---'): one file holds one scenario");
    EXPECT_EQ(ErrorOf("a: 1\n...\nb: 2\n"),
              "f:3:1: YAML: a second document ('---'): one file holds one scenario");
    EXPECT_EQ(Root("%YAML 1.2\n# one\n---\na: 1\n...\n# end\n"), Json::parse(R"({"a": 1})"));
}

TEST(YamlDocument, SyntaxErrorsHaveTheirPlace)
{
    EXPECT_EQ(ErrorOf("a: [1, 2\nb: 3\n"), "f:2:2: YAML: end of sequence flow not found");
    // yaml-cpp 0.8 adds the anchor's name
    EXPECT_THAT(ErrorOf("a: *x\n"),
                testing::MatchesRegex("f:1:4: YAML: the referenced anchor is not defined(: x)?"));
}

TEST(YamlDocument, UnusualKeysAndTagsAreRefused)
{
    EXPECT_EQ(ErrorOf("? [a]\n: b\n"), "f:1:3: YAML: a key must be one word or a quoted text");
    EXPECT_EQ(ErrorOf("a: !thing b\n"), "f:1:4: YAML: tag '!thing' is not known");
}

TEST(YamlDocument, TextIsCheckedBeforeItIsParsed)
{
    EXPECT_EQ(ErrorOf("a: \xff\n"), "f:1:4: YAML: byte 0xff is not UTF-8");
    EXPECT_EQ(Root("a: gr\xc3\xbc\xc3\x9f"
                   "e \xe2\x82\xac \xf0\x9f\x98\x80\r\n")
                  .at("a"),
              "grüße € 😀");
}

TEST(YamlDocument, TheBoundOfExpansionDoesNotCountWhatIsWritten)
{
    std::string text = "anchor: &one {x: 1}\nalias: *one\nmaps:\n";
    for (int i = 0; i < 90'000; ++i)
    {
        text += "- k: [a]\n";
    }
    EXPECT_EQ(ErrorOf(text), "accepted") << "270 000 values, three of them by an alias";
}

TEST(YamlDocument, ExpansionIsBounded)
{
    EXPECT_NE(ErrorOf("a: &a [*a]\n").find("nested more than 32 levels"), std::string::npos);
    EXPECT_NE(ErrorOf("a: &a {<<: *a}\n").find("nested more than 32 levels"), std::string::npos);
    std::string lists = "a0: &a0 [x]\n";
    std::string merges = "a0: &a0 {x: 1}\n";
    for (int i = 1; i < 30; ++i)
    {
        const auto anchor = std::to_string(i);
        const auto twice = "*a" + std::to_string(i - 1) + ", *a" + std::to_string(i - 1);
        lists += "a" + anchor + ": &a" + anchor + " [" + twice + "]\n";
        merges += "a" + anchor + ": &a" + anchor + " {<<: [" + twice + "]}\n";
    }
    EXPECT_NE(ErrorOf(lists).find("aliases expand to more than 250000 values"), std::string::npos);
    EXPECT_NE(ErrorOf(merges).find("aliases expand to more than 250000 values"), std::string::npos);
    EXPECT_NE(ErrorOf("a: " + std::string(3000, '[')).find("f:1:"), std::string::npos);
    EXPECT_EQ(ErrorOf("a: " + std::string(5000, 'x')),
              "f:1:4: YAML: a text of more than 4096 bytes");
    EXPECT_EQ(ErrorOf("? " + std::string(5000, 'x') + "\n: 1"),
              "f:1:3: YAML: a text of more than 4096 bytes");
}

TEST(YamlDocument, MessagesPointAtTheValueOrTheKey)
{
    const auto document = YamlDocument::Parse("hosts:\n  esx1:\n    vms: [{a/b: 5}]\n", "f");
    const auto at = [&](const char* pointer) {
        return document.At(Severity::Error, pointer, "x").ToString();
    };
    EXPECT_EQ(at("/hosts/esx1/vms/0/a~1b"), "f:3:17: hosts.esx1.vms[0].a/b: x");
    EXPECT_EQ(document.AtKey(Severity::Warning, "/hosts/esx1/vms/0/a~1b", "x").ToString(),
              "f:3:12: warning: hosts.esx1.vms[0].a/b: x");
    EXPECT_EQ(at("/hosts/esx1"), "f:2:3: hosts.esx1: x");
    EXPECT_EQ(at("/hosts/esx1/memory/netflow_heap"),
              "f:2:3: hosts.esx1.memory.netflow_heap: x"); // a default
    EXPECT_EQ(at(""), "f:1:1: scenario: x");
}

TEST(YamlDocument, FilesThatCannotBeReadAreNamed)
{
    for (const std::string path : {"/nonexistent/x.yaml", "/"})
    {
        try
        {
            YamlDocument::Load(path);
            FAIL() << path;
        }
        catch (const ScenarioError& error)
        {
            EXPECT_EQ(std::string(error.what()).rfind(path + ": scenario: cannot be ", 0), 0u)
                << error.what();
        }
    }
}

} // namespace
} // namespace esxnf
