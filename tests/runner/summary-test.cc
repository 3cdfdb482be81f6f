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

TEST(Summary, TotalsAreToldInJsonAndText)
{
    Summary summary = SmallSummary();
    summary.flowsNeverBegun = 2;
    const Json json = ToJson(summary);
    const std::string text = ToText(summary, "out");
    std::size_t told = 0;
    for (const ns3::EsxTotal& total : ns3::EsxTotals())
    {
        EXPECT_EQ(json.at(total.key), total.get(summary)) << total.key;
        if (*total.why)
        {
            EXPECT_THAT(text, HasSubstr(std::string(total.words) + ": " + total.why));
            ++told;
        }
    }
    EXPECT_GT(told, 0U);
    EXPECT_THAT(ToText(SmallSummary(), "out"), Not(HasSubstr("never begun")));
}

/// Another member makes old folders unreadable ("is missing"): it is another version, and this list
/// is then that of the new one.
TEST(Summary, AnotherMemberMakesAnotherSchema)
{
    Summary summary;
    summary.talkers.resize(1);
    summary.collectors.resize(1);
    summary.hosts.resize(1);
    const Json json = ToJson(summary);
    const Json flat = json.flatten();
    std::string members;
    for (const auto& [member, value] : flat.items())
    {
        members += member + " ";
    }
    EXPECT_EQ(json.at("schema"), "esx-netflow summary 2");
    EXPECT_EQ(members,
              "/schema /name /seed /run /versions/esx-netflow /versions/ns-3 /end_ns /verdict "
              "/expectations /steps /traffic/items /traffic/silent /traffic/captures /links "
              "/bound/sent_octets /bound/lost_octets /bound/least_lost_octets /bound/links "
              "/ledger/truth/packets /ledger/truth/octets /ledger/truth/records "
              "/ledger/exported/packets /ledger/exported/octets /ledger/exported/records "
              "/ledger/collected/packets /ledger/collected/octets /ledger/collected/records "
              "/ledger/ignored /ledger/lost /ledger/left /residual/packets /residual/octets "
              "/residual/records /exporters /flows /flows_never_begun /datagrams "
              "/top_talkers/0/exporter /top_talkers/0/vswitch /top_talkers/0/src "
              "/top_talkers/0/name /top_talkers/0/truth/packets /top_talkers/0/truth/octets "
              "/top_talkers/0/truth/records /top_talkers/0/collected/packets "
              "/top_talkers/0/collected/octets /top_talkers/0/collected/records "
              "/top_talkers/0/left/packets /top_talkers/0/left/octets "
              "/top_talkers/0/left/records /hosts/0/name /hosts/0/edition /hosts/0/unstable "
              "/hosts/0/halted /hosts/0/cache_high_water /hosts/0/purgatory_high_water "
              "/hosts/0/heap_high_water /hosts/0/vswitches /collectors/0/node "
              "/collectors/0/received/packets /collectors/0/received/octets "
              "/collectors/0/received/records /collectors/0/datagrams "
              "/collectors/0/sequence_failures /collectors/0/records_missing "
              "/collectors/0/datagrams_late /collectors/0/datagrams_duplicate "
              "/collectors/0/restarts /collectors/0/datagrams_refused "
              "/collectors/0/buffer_drops ");
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
