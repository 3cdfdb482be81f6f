// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/exit-code.h"
#include "runner/results/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

using testing::HasSubstr;
using testing::Not;

/// 12 packets were seen, 9 collected, 2 lost in purgatory, 1 is live.
Summary
SmallSummary()
{
    Summary summary;
    summary.name = "lab";
    summary.seed = 7;
    summary.run = 2;
    summary.end = ns3::Seconds(60);
    summary.truth = {12, 1234567, 4};
    summary.exported = {9, 900, 2};
    summary.collected = {9, 900, 2};
    summary.ignored["not_ipv4"] = {37, 1702, 0};
    summary.lost["purgatory_full"] = {2, 200, 1};
    summary.left["live"] = {1, 100, 1};
    summary.flows = 3;
    summary.datagrams = 1;
    return summary;
}

ns3::EsxVerdict
Verdict(double atLeast, double atMost, double measured)
{
    ns3::EsxVerdict verdict;
    verdict.expectation.name = "little is lost";
    verdict.expectation.atLeast = atLeast;
    verdict.expectation.atMost = atMost;
    verdict.measured = measured;
    verdict.pass = measured >= atLeast && measured <= atMost;
    return verdict;
}

Json
BoundOf(double atLeast, double atMost)
{
    Summary summary;
    summary.verdicts = {Verdict(atLeast, atMost, 0)};
    return ToJson(summary)["expectations"][0]["bound"];
}

constexpr double INF = std::numeric_limits<double>::infinity();

TEST(Summary, TheWorstOutcomeGivesTheExitCode)
{
    Summary summary = SmallSummary();
    EXPECT_EQ(ExitCodeOf(summary), EXIT_GOOD);
    summary.verdicts = {Verdict(0, 0, 0), Verdict(1, 2, 3)};
    EXPECT_EQ(ExitCodeOf(summary), EXIT_EXPECTATION);
    summary.residual.octets = 1;
    EXPECT_EQ(ExitCodeOf(summary), EXIT_RESIDUAL);
    summary.interrupted = true;
    EXPECT_EQ(ExitCodeOf(summary), EXIT_INTERRUPTED);
}

TEST(Summary, VerdictIsSpeltAsTheExitCodeMeansIt)
{
    Summary summary = SmallSummary();
    EXPECT_EQ(ToJson(summary)["verdict"], "pass");
    summary.verdicts = {Verdict(1, 2, 3)};
    EXPECT_EQ(ToJson(summary)["verdict"], "fail");
    summary.residual.packets = 1;
    EXPECT_EQ(ToJson(summary)["verdict"], "unbalanced");
    summary.interrupted = true;
    EXPECT_EQ(ToJson(summary)["verdict"], "interrupted");
}

TEST(Summary, JsonHasTheLedgerByCause)
{
    const Json json = ToJson(SmallSummary());
    EXPECT_EQ(json["schema"], SUMMARY_SCHEMA);
    EXPECT_EQ(json["ledger"]["truth"]["octets"], 1234567);
    EXPECT_EQ(json["ledger"]["ignored"].dump(),
              R"({"not_ipv4":{"packets":37,"octets":1702,"records":0}})");
    EXPECT_EQ(json["ledger"]["lost"]["purgatory_full"]["records"], 1);
    EXPECT_EQ(json["residual"].dump(), R"({"packets":0,"octets":0,"records":0})");
    EXPECT_EQ(json["top_talkers"], Json::array());
}

TEST(Summary, BoundsAreThoseOfTheScenario)
{
    EXPECT_EQ(BoundOf(0, 0).dump(), R"({"equals":0})");
    EXPECT_EQ(BoundOf(1, INF).dump(), R"({"at_least":1})");
    EXPECT_EQ(BoundOf(-INF, 0.5).dump(), R"({"at_most":0.5})");
    EXPECT_EQ(BoundOf(0.02, 4).dump(), R"({"between":[0.02,4]})");
}

TEST(Summary, WholeNumbersAreWrittenWhole)
{
    Summary summary;
    summary.verdicts = {Verdict(0, INF, 5), Verdict(0, INF, 0.125)};
    const Json json = ToJson(summary);
    EXPECT_EQ(json["expectations"][0]["measured"].dump(), "5");
    EXPECT_EQ(json["expectations"][1]["measured"].dump(), "0.125");
}

TEST(Summary, TextTellsLossesFromWhatIsLeft)
{
    const std::string text = ToText(SmallSummary(), "out/lab");
    EXPECT_THAT(text, HasSubstr("lab: 60 s simulated, seed 7"));
    EXPECT_THAT(text, HasSubstr("1 234 567"));
    EXPECT_THAT(text, HasSubstr("lost: purgatory_full"));
    EXPECT_THAT(text, HasSubstr("left in the cache"));
    EXPECT_THAT(text, Not(HasSubstr("lost: live")));
    EXPECT_THAT(text, HasSubstr("accounted for"));
    EXPECT_THAT(text,
                HasSubstr("3 flows seen; 2 records exported in 1 datagram; "
                          "not metered: 37 frames not_ipv4"));
    EXPECT_THAT(text, HasSubstr("results: out/lab"));
}

TEST(Summary, TextSaysWhatFailed)
{
    Summary summary = SmallSummary();
    summary.verdicts = {Verdict(0, 3, 0), Verdict(-INF, 0.5, 0.75)};
    summary.residual.packets = 1;
    const std::string text = ToText(summary, "out/lab");
    EXPECT_THAT(text, HasSubstr("1 of 2 expectations met"));
    EXPECT_THAT(text, HasSubstr("FAILED  little is lost: 0.75, wanted 0.5 or less"));
    EXPECT_THAT(text, HasSubstr("DOES NOT BALANCE"));
}

TEST(Summary, WhatSentNothingAndWhatLinksDroppedIsTold)
{
    Summary summary = SmallSummary();
    EXPECT_THAT(ToText(summary, "x"), Not(HasSubstr("sent nothing")));
    EXPECT_THAT(ToText(summary, "x"), Not(HasSubstr("dropped")));
    summary.trafficItems = 2048;
    summary.silent = {{"web", "vm1", "vm2", false}};
    summary.links = {{"wan", 1200, 0, 34}};
    const std::string text = ToText(summary, "x");
    EXPECT_THAT(text, HasSubstr("  1 of 2 048 traffic items sent nothing\n"));
    EXPECT_THAT(text, HasSubstr("  links dropped 1 234 frames: wan queue 1 200, wan down 34\n"));
    const Json json = ToJson(summary);
    EXPECT_EQ(json["traffic"]["items"], 2048);
    EXPECT_EQ(json["traffic"]["silent"][0]["to"], "vm2");
    EXPECT_EQ(json["links"].dump(),
              R"([{"name":"wan","dropped":{"queue":1200,"errors":0,"down":34}}])");
}

TEST(Summary, DeliveriesAreJudgedByTarget)
{
    Summary summary = SmallSummary();
    summary.realCollectors = {{"esx1", "a:1", "", {5, 0, 0, 0, 0}},
                              {"esx1", "b:1", "", {5, 1, 2, 3, 0}},
                              {"esx2", "b:1", "", {1, 0, 0, 0, 0}},
                              {"esx1", "c:1", "", {0, 0, 0, 0, 0}}};
    JudgeDeliveries(summary);
    ASSERT_EQ(summary.verdicts.size(), 3U);
    EXPECT_TRUE(summary.verdicts[0].pass);
    EXPECT_FALSE(summary.verdicts[1].pass);
    EXPECT_EQ(summary.verdicts[1].measured, 6);
    EXPECT_EQ(summary.verdicts[1].why, "refused 1, no-buffers 2, failed 3 of 11");
    EXPECT_FALSE(summary.verdicts[2].pass);
    EXPECT_EQ(summary.verdicts[2].why, "nothing was sent there");
}

TEST(Summary, TextSaysThatTheRunWasInterrupted)
{
    Summary summary = SmallSummary();
    summary.interrupted = true;
    EXPECT_THAT(ToText(summary, "x"), HasSubstr("then interrupted"));
}

} // namespace
} // namespace esxnf
