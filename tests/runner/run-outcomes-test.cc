// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/exit-code.h"
#include "runner/commands/run-outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

using testing::HasSubstr;
using testing::Not;

RunOutcome
Good(const std::string& name)
{
    RunOutcome report;
    report.scenario = "scenarios/" + name + ".yaml";
    report.name = name;
    report.folder = "out/" + name;
    report.summary = Json::parse(R"({
        "verdict": "pass",
        "expectations": [{"name": "a <b> & \"c\"", "measured": 0, "bound": {"equals": 0}, "pass": true}],
        "steps": [],
        "ledger": {"truth": {"packets": 9, "octets": 900, "records": 5},
                   "collected": {"packets": 6, "octets": 600, "records": 3},
                   "lost": {"arp": {"packets": 2, "octets": 200, "records": 1}},
                   "left": {"live": {"packets": 1, "octets": 100, "records": 1}}},
        "residual": {"packets": 0, "octets": 0, "records": 0},
        "exporters": ["esx1"], "flows": 7, "flows_never_begun": 2})");
    return report;
}

RunOutcome
Failed(const std::string& name)
{
    RunOutcome report = Good(name);
    report.exitCode = EXIT_EXPECTATION;
    report.summary["verdict"] = "fail";
    report.summary["expectations"].push_back(Json::parse(
        R"({"name": "few", "measured": 0.75, "bound": {"at_most": 0.5}, "pass": false})"));
    return report;
}

RunOutcome
Broken(const std::string& scenario)
{
    RunOutcome report;
    report.scenario = scenario;
    report.exitCode = EXIT_USAGE;
    return report;
}

TEST(RunOutcome, TableHasALineForEachScenarioInOrder)
{
    EXPECT_EQ(
        ToTable({Good("one"), Failed("another"), Broken("x.yaml")}),
        "scenario  verdict     met  records  collected  lost  never begun  residual  results\n"
        "one       pass     1 of 1        5          3     1            2         0  out/one\n"
        "another   fail     1 of 2        5          3     1            2         0  out/another\n"
        "x.yaml    error         -        -          -     -            -         -  -\n"
        "FAILED  another: few: 0.75, wanted 0.5 or less\n"
        "FAILED  x.yaml: no results, exit code 2\n"
        "1 of 3 scenarios pass\n");
}

TEST(RunOutcome, WhatIsLeftAtTheEndIsNotLost)
{
    RunOutcome report = Good("one");
    report.summary["ledger"]["lost"].erase("arp");
    EXPECT_THAT(ToTable({report}),
                HasSubstr("  5          3     0            2         0  out/one\n"));
}

TEST(RunOutcome, GoldenDifferencesFailAGoodRun)
{
    RunOutcome report = Good("one");
    report.compared = true;
    EXPECT_EQ(report.GetVerdict(), "pass");
    EXPECT_THAT(ToJUnit({report}), HasSubstr("name=\"results are the golden ones\" file="));
    report.differences = {"ledger.lost.arp.records: was 3, is 5"};
    EXPECT_EQ(report.GetVerdict(), "fail");
    EXPECT_THAT(ToTable({report}),
                HasSubstr("FAILED  one: ledger.lost.arp.records: was 3, is 5\n"));
    EXPECT_THAT(ToJUnit({report}),
                HasSubstr("<failure message=\"results differ\">"
                          "ledger.lost.arp.records: was 3, is 5&#10;</failure>"));
}

TEST(RunOutcome, LessLossThanTheLinksAllowIsNoGoodRun)
{
    RunOutcome report = Good("one");
    EXPECT_THAT(ToJUnit({report}), Not(HasSubstr("<failure")));
    report.summary["verdict"] = "unbalanced"; // though the residual is zero
    EXPECT_THAT(ToJUnit({report}), HasSubstr("less was lost than the links allow"));
    EXPECT_THAT(ToTable({report}), HasSubstr("FAILED  one: "));
}

TEST(RunOutcome, WhatDidNotRunIsToldFromWhatFailed)
{
    RunOutcome report = Broken("x.yaml");
    EXPECT_EQ(report.GetVerdict(), "error");
    report.exitCode = EXIT_INTERRUPTED;
    EXPECT_EQ(report.GetVerdict(), "not run");
}

TEST(RunOutcome, WhyThereAreNoResultsIsToldEverywhere)
{
    RunOutcome report = Broken("x.yaml");
    report.errors = {"x.yaml:1:1: 'run' is missing", "x.yaml:2:1: 'hosts' is missing"};
    EXPECT_THAT(ToJUnit({report}),
                HasSubstr("<error message=\"x.yaml:1:1: 'run' is missing\">x.yaml:1:1: 'run' is "
                          "missing&#10;x.yaml:2:1: 'hosts' is missing</error>"));
    for (const std::string& text : {ToTable({report}), ToMarkdown({report})})
    {
        EXPECT_THAT(text, HasSubstr("x.yaml:1:1: 'run' is missing"));
        EXPECT_THAT(text, HasSubstr("x.yaml:2:1: 'hosts' is missing"));
    }
}

TEST(RunOutcome, WhatRealCollectorsGotIsToldEverywhere)
{
    RunOutcome report = Good("one");
    report.summary["real_collectors"] = Json::parse(
        R"([{"host": "esx1", "target": "127.0.0.1:9", "source": "", "sent": 4, "refused": 3,
             "no_buffers": 2, "failed": 1}])");
    const char* line = "127.0.0.1:9 from esx1: sent 4, refused 3, no-buffers 2, failed 1";
    EXPECT_THAT(ToTable({report}), HasSubstr(line));
    EXPECT_THAT(ToJUnit({report}), HasSubstr(line));
    EXPECT_THAT(ToJUnit({Good("one")}), Not(HasSubstr("properties")));
}

TEST(RunOutcome, AFailureSaysWhyWhereTheNumberDoesNot)
{
    EXPECT_EQ(ExplainExpectation(Json::parse(
                  R"({"measured": null, "bound": {"at_most": 0}, "why": "the run ended before"})")),
              "nothing, wanted 0 or less: the run ended before");
}

TEST(RunOutcome, JUnitCountsAndEscapes)
{
    const std::string xml = ToJUnit({Good("one"), Failed("another"), Broken("x.yaml")});
    EXPECT_THAT(
        xml,
        HasSubstr("<testsuites name=\"esx-netflow\" tests=\"6\" failures=\"1\" errors=\"1\">"));
    EXPECT_THAT(xml,
                HasSubstr("<testsuite name=\"another\" tests=\"3\" failures=\"1\" errors=\"0\""));
    EXPECT_THAT(xml, HasSubstr("name=\"a &lt;b&gt; &amp; &quot;c&quot;\""));
    EXPECT_THAT(xml, HasSubstr("<failure message=\"0.75, wanted 0.5 or less\"></failure>"));
    EXPECT_THAT(xml, HasSubstr("<error message=\"error, exit code 2\"></error>"));
    EXPECT_THAT(xml, Not(HasSubstr("time=")));
}

/// A run with a console line that went as expected and one that did not.
RunOutcome
WithSteps()
{
    RunOutcome report = Good("one");
    report.summary["verdict"] = "fail";
    report.summary["steps"] = Json::parse(R"([
        {"at_ns": 1500000000, "host": "esx1", "run": "vmkload_mod netflow", "stdout": "loaded\n",
         "stderr": "", "missed": [], "pass": true},
        {"at_ns": 2000000000, "host": "esx1", "run": "ps | grep <x>", "stdout": "",
         "stderr": "no\nway\n", "missed": ["exit status 1, wanted 0"], "pass": false}])");
    return report;
}

TEST(RunOutcome, EachConsoleLineWithAnExpectationIsATestCase)
{
    const std::string xml = ToJUnit({WithSteps()});
    EXPECT_THAT(xml, HasSubstr("<testsuite name=\"one\" tests=\"4\" failures=\"1\" errors=\"0\""));
    EXPECT_THAT(xml,
                HasSubstr("name=\"esx1 at 1.5 s: vmkload_mod netflow\" "
                          "file=\"scenarios/one.yaml\"/>"));
    EXPECT_THAT(xml,
                HasSubstr("name=\"esx1 at 2 s: ps | grep &lt;x&gt;\" file=\"scenarios/one.yaml\">\n"
                          "      <failure message=\"exit status 1, wanted 0; standard error: "
                          "'no\\nway\\n'\"></failure>"));
}

TEST(RunOutcome, ConsoleLinesThatFailAreListedEverywhere)
{
    const std::string failure =
        "esx1 at 2 s: ps | grep <x>: exit status 1, wanted 0; standard error: 'no\\nway\\n'\n";
    EXPECT_THAT(ToTable({WithSteps()}), HasSubstr("FAILED  one: " + failure));
    EXPECT_THAT(ToTable({WithSteps()}), HasSubstr("one       fail     2 of 3 "));
    EXPECT_THAT(ToMarkdown({WithSteps()}),
                HasSubstr("\n- esx1 at 2 s: ps \\| grep &lt;x&gt;: exit status 1, wanted 0;"));
    EXPECT_THAT(ToMarkdown({WithSteps()}), HasSubstr("| one | **fail** | 2 of 3 |"));
}

TEST(RunOutcome, LedgerThatDoesNotBalanceIsAFailure)
{
    RunOutcome report = Good("one");
    report.summary["verdict"] = "unbalanced";
    report.summary["residual"]["octets"] = 7;
    EXPECT_THAT(ToTable({report}), HasSubstr("FAILED  one: the ledger does not balance"));
    EXPECT_THAT(ToJUnit({report}), HasSubstr("<failure message=\"residual 7\">"));
}

TEST(RunOutcome, InterruptedRunIsAnError)
{
    RunOutcome report = Good("one");
    report.summary["verdict"] = "interrupted";
    EXPECT_THAT(ToJUnit({report}), HasSubstr("<error message=\"interrupted\">"));
}

TEST(RunOutcome, MarkdownIsATableAndAListOfFailures)
{
    const std::string text = ToMarkdown({Good("one"), Failed("an_other"), Broken("x|y.yaml")});
    EXPECT_THAT(text, HasSubstr("\n| one | pass | 1 of 1 | 5 | 3 | 1 | 200 | 2 | 0 |\n"));
    EXPECT_THAT(text,
                HasSubstr("\n| an\\_other | **fail** | 1 of 2 | 5 | 3 | 1 | 200 | 2 | 0 |\n"));
    EXPECT_THAT(text, HasSubstr("\n| x\\|y.yaml | **error** | | | | | | | |\n"));
    EXPECT_THAT(text, HasSubstr("\n**an\\_other**\n\n- few: 0.75, wanted 0.5 or less\n"));
}

TEST(RunOutcome, BoundsAreExplainedInWords)
{
    const auto explain = [](const char* bound) {
        return ExplainExpectation({{"measured", 7}, {"bound", Json::parse(bound)}});
    };
    EXPECT_EQ(explain(R"({"equals": 0})"), "7, wanted 0");
    EXPECT_EQ(explain(R"({"at_least": 8})"), "7, wanted 8 or more");
    EXPECT_EQ(explain(R"({"between": [1, 2.5]})"), "7, wanted 1 to 2.5");
}

} // namespace
} // namespace esxnf
