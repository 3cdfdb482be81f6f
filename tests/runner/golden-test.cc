// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/results/golden.h"
#include "tests/scratch-folder.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string HEADER =
    "exporter,vswitch,src,dst,proto,sport,dport,tos,input,cause,packets,octets,records\n";
const std::string FLOW_1 = "esx1,prod1,10.0.0.1,10.0.0.2,6,1024,80,0,3,";
const std::string FLOW_2 = "esx1,prod1,10.0.0.1,10.0.0.2,17,1025,53,4,3,";

/// A result folder and a folder of golden results.
class GoldenTest : public testing::Test
{
  protected:
    GoldenTest()
    {
        fs::create_directory(Results());
        Write(
            "summary.json",
            R"({"versions": {"ns-3": "3.37"}, "verdict": "pass", "expectations": [], "ledger": {"truth": {"packets": 9}}, "lost": {"arp": 3}})");
        Write("flows-lost.csv", HEADER + FLOW_1 + "arp,1,100,1\n" + FLOW_2 + "arp,1,100,1\n");
    }

    void Write(const std::string& name, const std::string& text) const
    {
        std::ofstream(fs::path(Results()) / name) << text;
    }

    std::string Results() const
    {
        return (m_home / "out").string();
    }

    std::string Golden() const
    {
        return (m_home / "deep" / "golden").string();
    }

    std::vector<std::string> Check() const
    {
        return CompareWithGolden(Golden(), "lab", Results());
    }

    const ScratchFolder m_scratch;
    const fs::path& m_home{m_scratch.GetPath()};
};

TEST_F(GoldenTest, WhatWasKeptIsEqual)
{
    EXPECT_THAT(UpdateGolden(Golden(), "lab", Results()), IsEmpty());
    EXPECT_THAT(Check(), IsEmpty());
    EXPECT_THAT(UpdateGolden(Golden(), "lab", Results()), IsEmpty());
}

TEST_F(GoldenTest, NumbersAndFlowsThatDifferAreNamed)
{
    UpdateGolden(Golden(), "lab", Results());
    Write("summary.json",
          R"({"ledger": {"truth": {"packets": 9}}, "lost": {"arp": 2, "port": 1}})");
    Write("flows-lost.csv", HEADER + FLOW_1 + "arp,1,100,1\n" + FLOW_2 + "port,2,220,1\n");
    EXPECT_THAT(Check(),
                ElementsAre("lost.arp: was 3, is 2",
                            "lost.port: was not there, is 1",
                            "lost flows that differ: 1 by more octets, 0 by fewer, 0 otherwise",
                            "lost flow esx1/prod1 10.0.0.1:1025 -> 10.0.0.2:53 udp, tos 4, port 3: "
                            "arp was 1 packet, 100 octets, 1 record, is nothing; "
                            "port was nothing, is 2 packets, 220 octets, 1 record"));
    EXPECT_EQ(UpdateGolden(Golden(), "lab", Results()).size(), 4U) << "an update says what changes";
    EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(GoldenTest, VersionsAndVerdictsAreNotKept)
{
    UpdateGolden(Golden(), "lab", Results());
    Write(
        "summary.json",
        R"({"versions": {"ns-3": "3.48"}, "verdict": "fail", "expectations": [1], "ledger": {"truth": {"packets": 9}}, "lost": {"arp": 3}})");
    EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(GoldenTest, MissingGoldenResultIsADifference)
{
    EXPECT_THAT(Check(), ElementsAre(HasSubstr("'run --update' writes it")));
}

TEST_F(GoldenTest, GoldenResultThatIsNoJsonIsTheUsersErrorAndIsReplaced)
{
    UpdateGolden(Golden(), "lab", Results());
    for (const char* broken : {"{\n<<<<<<< HEAD", "[\n]"})
    {
        std::ofstream(fs::path(Golden()) / "lab.json") << broken;
        EXPECT_THROW(Check(), UserError);
        UpdateGolden(Golden(), "lab", Results());
        EXPECT_THAT(Check(), IsEmpty());
    }
}

TEST_F(GoldenTest, ARunThatSawNoPacketOrHasNoEndIsNoGoldenResult)
{
    EXPECT_EQ(WhyNotGolden(Json::parse(R"({"ledger": {"truth": {"packets": 1}}})")), "");
    EXPECT_EQ(WhyNotGolden(Json::parse(R"({"ledger": {"truth": {"packets": 0}}})")),
              "no packet was metered");
    EXPECT_EQ(WhyNotGolden(Json::object()), "no packet was metered");
    EXPECT_EQ(WhyNotGolden(Json::parse(
                  R"({"verdict": "interrupted", "ledger": {"truth": {"packets": 1}}})")),
              "the run was interrupted");
    UpdateGolden(Golden(), "lab", Results());
    std::ofstream(fs::path(Golden()) / "lab.json") << "{}";
    EXPECT_THAT(Check(), ElementsAre(HasSubstr("proves nothing: no packet was metered")));
}

TEST_F(GoldenTest, NumberThatIsGoneIsNamed)
{
    UpdateGolden(Golden(), "lab", Results());
    Write("summary.json", R"({"ledger": {"truth": {"packets": 9}}, "lost": {}})");
    EXPECT_THAT(Check(), testing::Contains("lost.arp: was 3, is not there"));
}

TEST_F(GoldenTest, ScenarioWithoutFlowsKeepsNone)
{
    UpdateGolden(Golden(), "lab", Results());
    fs::remove(fs::path(Results()) / "flows-lost.csv");
    EXPECT_THAT(Check(), ElementsAre("lost flows: there is no table"));
    UpdateGolden(Golden(), "lab", Results());
    EXPECT_FALSE(fs::exists(fs::path(Golden()) / "lab.lost.csv"));
    EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(GoldenTest, TableOfAnotherVersionIsADifference)
{
    UpdateGolden(Golden(), "lab", Results());
    std::ofstream(fs::path(Golden()) / "lab.lost.csv") << "src,cause\na,arp\n";
    EXPECT_THAT(Check(), ElementsAre(HasSubstr("lacks columns")));
}

TEST_F(GoldenTest, FolderThatCannotBeWrittenIsAUsageError)
{
    std::ofstream(m_home / "file") << "x";
    EXPECT_THROW(UpdateGolden((m_home / "file").string(), "lab", Results()), UserError);
}

} // namespace
} // namespace esxnf
