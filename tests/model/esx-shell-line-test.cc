// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-shell-line.h"

#include <gtest/gtest.h>

using namespace ns3;

namespace
{

/// The line as one text: words in [], commands joined by |, pipelines ended by ; & && ||, an error
/// by itself.
std::string
Show(const std::string& text)
{
    const EsxShellLine line = EsxShellLine::Parse(text);
    std::string shown = line.error;
    for (const EsxShellLine::Pipeline& pipeline : line.pipelines)
    {
        shown += pipeline.when == EsxShellLine::When::IF_GOOD  ? "&&"
                 : pipeline.when == EsxShellLine::When::IF_BAD ? "||"
                                                               : "";
        for (std::size_t i = 0; i < pipeline.commands.size(); ++i)
        {
            shown += i == 0 ? "" : "|";
            const auto words =
                EsxShellLine::Expand(pipeline.commands[i],
                                     [](const std::string& name) { return "<" + name + ">"; });
            for (const std::string& word : words)
            {
                shown += "[" + word + "]";
            }
        }
        shown += pipeline.background ? "&" : ";";
    }
    return shown;
}

TEST(EsxShellLine, BlanksSeparateWords)
{
    EXPECT_EQ(Show("  vmkload_mod\t-l  "), "[vmkload_mod][-l];");
    EXPECT_EQ(Show(""), "");
    EXPECT_EQ(Show(" \t "), "");
}

TEST(EsxShellLine, SingleQuotesKeepEverything)
{
    EXPECT_EQ(Show(R"(echo 'a "b" \ $? ; | # c')"), R"([echo][a "b" \ $? ; | # c];)");
    EXPECT_EQ(Show("echo a'b c'd"), "[echo][ab cd];");
    EXPECT_EQ(Show("echo ''"), "[echo][];");
}

TEST(EsxShellLine, DoubleQuotesKeepAllButDollarAndBackslash)
{
    EXPECT_EQ(Show(R"(echo "a 'b' ; | # $? \$? \" \\ \x")"),
              R"([echo][a 'b' ; | # <?> $? " \ \x];)");
    EXPECT_EQ(Show(R"(echo "" x"y"z)"), "[echo][][xyz];");
}

TEST(EsxShellLine, BackslashTakesTheNextCharacterLiterally)
{
    EXPECT_EQ(Show(R"(echo a\ b \; \| \" \\ \# \$?)"), R"([echo][a b][;][|]["][\][#][$?];)");
}

TEST(EsxShellLine, BackslashBeforeALineBreakContinuesTheLine)
{
    EXPECT_EQ(Show("net-netflow -e vSwitch0 \\\nhost:4242"),
              "[net-netflow][-e][vSwitch0][host:4242];");
    EXPECT_EQ(Show("net-net\\\nflow \"a\\\nb\""), "[net-netflow][ab];");
}

TEST(EsxShellLine, BareLineBreakEndsTheCommand)
{
    EXPECT_EQ(Show("net-netflow -e vSwitch0\nhost:4242"),
              "[net-netflow][-e][vSwitch0];[host:4242];");
    EXPECT_EQ(Show("\n\na\n\n"), "[a];");
}

TEST(EsxShellLine, OperatorsJoinPipelines)
{
    EXPECT_EQ(Show("a;b & c | d && e||f;"), "[a];[b]&[c]|[d];&&[e];||[f];");
    EXPECT_EQ(Show("a |\n b"), "[a]|[b];");
    EXPECT_EQ(Show("a &&\n b"), "[a];&&[b];");
}

TEST(EsxShellLine, TextOfAPipelineIsWhatWasTyped)
{
    const EsxShellLine line = EsxShellLine::Parse("a 'b  c'  | d  & e");
    EXPECT_EQ(line.pipelines.at(0).text, "a 'b  c'  | d");
    EXPECT_EQ(line.pipelines.at(1).text, "e");
}

TEST(EsxShellLine, CommentsEndTheLineOnlyAtTheBeginningOfAWord)
{
    EXPECT_EQ(Show("a b#c # d ; e\nf"), "[a][b#c];[f];");
    EXPECT_EQ(Show("# nothing"), "");
}

TEST(EsxShellLine, ParametersAreExpandedLater)
{
    EXPECT_EQ(Show("echo $? $$x \"$!\" a$?b $ \"$\" $."),
              "[echo][<?>][<$>x][<!>][a<?>b][$][$][$.];");
}

TEST(EsxShellLine, MisplacedOperatorsAreErrors)
{
    EXPECT_EQ(Show("| a"), "-bash: syntax error near unexpected token `|'");
    EXPECT_EQ(Show("a ; ; b"), "-bash: syntax error near unexpected token `;'");
    EXPECT_EQ(Show("a ;; b"), "-bash: syntax error near unexpected token `;;'");
    EXPECT_EQ(Show("a && || b"), "-bash: syntax error near unexpected token `||'");
    EXPECT_EQ(Show("a | | b"), "-bash: syntax error near unexpected token `|'");
    EXPECT_EQ(Show("&"), "-bash: syntax error near unexpected token `&'");
    EXPECT_EQ(Show("a (b)"), "-bash: syntax error near unexpected token `('");
}

TEST(EsxShellLine, WhatEndsTooEarlyIsAnErrorAndIncomplete)
{
    for (const char* text : {"echo 'a", "echo \"a", "a |", "a &&", "a ||", "a | \n"})
    {
        const EsxShellLine line = EsxShellLine::Parse(text);
        EXPECT_TRUE(line.incomplete) << text;
        EXPECT_FALSE(line.error.empty()) << text;
        EXPECT_TRUE(line.pipelines.empty()) << text;
    }
    EXPECT_EQ(Show("echo 'a"), "-bash: unexpected EOF while looking for matching `''");
    EXPECT_TRUE(EsxShellLine::Parse("echo a\\").incomplete);
    EXPECT_EQ(Show("echo a\\"), "[echo][a\\];");
    EXPECT_FALSE(EsxShellLine::Parse("echo a").incomplete);
    EXPECT_FALSE(EsxShellLine::Parse("a | | b").incomplete);
}

TEST(EsxShellLine, WhatThisShellLacksIsAnErrorOfItsOwn)
{
    EXPECT_EQ(Show("ps > x"), "-bash: redirection is not available on this console");
    EXPECT_EQ(Show("ps 2>&1"), "-bash: redirection is not available on this console");
    EXPECT_EQ(Show("echo `ps`"), "-bash: command substitution is not available on this console");
    EXPECT_EQ(Show("echo \"$(ps)\""),
              "-bash: command substitution is not available on this console");
    EXPECT_EQ(Show("echo $HOME"),
              "-bash: of variables, only $?, $$ and $! are available on this console");
    EXPECT_EQ(Show("a && b &"),
              "-bash: && and || in the background are not available on this console");
    EXPECT_EQ(Show(std::string("a\0b", 3)), "-bash: the line contains a NUL octet");
}

} // namespace
