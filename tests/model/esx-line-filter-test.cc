// SPDX-License-Identifier: GPL-2.0-only
#include "model/console/esx-line-filter.h"

#include <gtest/gtest.h>

using namespace ns3;

namespace
{

/// \return what comes out, the exit status behind it; or the error
std::string
Filter(EsxFilterCommand command, const std::vector<std::string>& lines)
{
    if (!command.filter)
    {
        return command.error;
    }
    std::string text;
    const auto sink = [&](const std::string& line) { text += line + "/"; };
    for (const std::string& line : lines)
    {
        command.filter->Line(line, sink);
    }
    return text + std::to_string(command.filter->End(sink));
}

const std::vector<std::string> LINES = {"netflow 1", "NetFlow 2", "vmktcp 3", "a.b", "axb"};

TEST(EsxLineFilter, GrepSelects)
{
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "netflow"}), LINES), "netflow 1/0");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "nothing"}), LINES), "1");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-i", "netflow"}), LINES), "netflow 1/NetFlow 2/0");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-vi", "netflow"}), LINES), "vmktcp 3/a.b/axb/0");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-c", "o"}), LINES), "2/0");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-c", "nothing"}), LINES), "0/1");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-n", "vmk"}), LINES), "3:vmktcp 3/0");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-q", "vmk"}), LINES), "0");
}

TEST(EsxLineFilter, GrepTakesRegularExpressions)
{
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "^a.b$"}), LINES), "a.b/axb/0");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-F", "a.b"}), LINES), "a.b/0");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "[n]etflow"}), LINES), "netflow 1/0");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-E", "1|3"}), LINES), "netflow 1/vmktcp 3/0");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-e", "-x"}), {"a-x"}), "a-x/0");
    EXPECT_FALSE(EsxParseGrep({"grep", "["}).error.empty()); // the wording is the C library's
}

TEST(EsxLineFilter, GrepRefusesPatternsThatCouldTakeForEver)
{
    for (const char* pattern : {"a\\{1,30000\\}", "\\(a\\)\\1"})
    {
        EXPECT_EQ(Filter(EsxParseGrep({"grep", pattern}), LINES),
                  "pattern too costly for this console (no intervals, no back-references)");
    }
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-E", "a{30000}"}), LINES),
              "pattern too costly for this console (no intervals, no back-references)");
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "{"}), {"{"}), "{/0");
}

TEST(EsxLineFilter, HeadAndTailTakeTheNumberOfLines)
{
    EXPECT_EQ(Filter(EsxParseTail({"tail", "-n", "2"}), LINES), "a.b/axb/0");
    EXPECT_EQ(Filter(EsxParseTail({"tail", "-n2"}), LINES), "a.b/axb/0");
    EXPECT_EQ(Filter(EsxParseTail({"tail", "-2"}), LINES), "a.b/axb/0");
    EXPECT_EQ(Filter(EsxParseTail({"tail", "-n", "-2"}), LINES), "a.b/axb/0");
    EXPECT_EQ(Filter(EsxParseTail({"tail", "-n", "0"}), LINES), "0");
    EXPECT_EQ(Filter(EsxParseTail({"tail"}), std::vector<std::string>(12, "x")),
              "x/x/x/x/x/x/x/x/x/x/0");
    EXPECT_EQ(Filter(EsxParseHead({"head", "-1"}), LINES), "netflow 1/0");
    EXPECT_EQ(Filter(EsxParseTail({"tail", "-n", "two"}), LINES), "two: invalid number of lines");
    EXPECT_TRUE(EsxParseTail({"tail", "-f", "x"}).follow);
}

TEST(EsxLineFilter, CatAndWc)
{
    EXPECT_EQ(Filter(EsxParseCat({"cat"}), {"a", "b"}), "a/b/0");
    EXPECT_EQ(Filter(EsxParseWc({"wc", "-l"}), {"a", "b"}), "2/0");
    EXPECT_EQ(Filter(EsxParseWc({"wc"}), {}), "only wc -l is available");
    EXPECT_EQ(EsxParseCat({"cat", "x", "y"}).files, (std::vector<std::string>{"x", "y"}));
}

TEST(EsxLineFilter, UnknownOptionsAreErrors)
{
    EXPECT_EQ(Filter(EsxParseGrep({"grep", "-z", "x"}), {}), "unknown option -z");
    EXPECT_EQ(Filter(EsxParseGrep({"grep"}), {}), "no pattern given");
    EXPECT_EQ(Filter(EsxParseTail({"tail", "-n"}), {}), "option -n needs a value");
}

} // namespace
