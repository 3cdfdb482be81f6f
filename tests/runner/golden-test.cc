// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/cli.h"
#include "runner/results/golden.h"

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

/// A result folder and a folder of golden results, removed at the end.
class GoldenTest : public testing::Test
{
  protected:
    GoldenTest()
    {
        std::string name = (fs::temp_directory_path() / "golden-XXXXXX").string();
        m_home = mkdtemp(name.data());
        fs::create_directory(Results());
        Write(
            "summary.json",
            R"({"versions": {"ns-3": "3.37"}, "verdict": "pass", "expectations": [], "lost": {"arp": 3}})");
        Write("flows-lost.csv", "src,cause\na,arp\nb,arp\n");
    }

    ~GoldenTest() override
    {
        fs::remove_all(m_home);
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

    fs::path m_home;
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
    Write("summary.json", R"({"lost": {"arp": 2, "port": 1}})");
    Write("flows-lost.csv", "src,cause\na,arp\nb,port\n");
    EXPECT_THAT(Check(),
                ElementsAre("lost.arp: was 3, is 2",
                            "lost.port: was not there, is 1",
                            "lost flows: - b,arp",
                            "lost flows: + b,port"));
    EXPECT_EQ(UpdateGolden(Golden(), "lab", Results()).size(), 4U) << "an update says what changes";
    EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(GoldenTest, VersionsAndVerdictsAreNotKept)
{
    UpdateGolden(Golden(), "lab", Results());
    Write(
        "summary.json",
        R"({"versions": {"ns-3": "3.48"}, "verdict": "fail", "expectations": [1], "lost": {"arp": 3}})");
    EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(GoldenTest, MissingGoldenResultIsADifference)
{
    EXPECT_THAT(Check(), ElementsAre(HasSubstr("'run --update' writes it")));
}

TEST_F(GoldenTest, GoldenResultThatIsNoJsonIsADifference)
{
    UpdateGolden(Golden(), "lab", Results());
    std::ofstream(fs::path(Golden()) / "lab.json") << "<<<<<<< HEAD";
    EXPECT_THAT(Check(), ElementsAre(HasSubstr("is no JSON object")));
}

TEST_F(GoldenTest, NumberThatIsGoneIsNamed)
{
    UpdateGolden(Golden(), "lab", Results());
    Write("summary.json", R"({"lost": {}})");
    EXPECT_THAT(Check(), testing::Contains("lost.arp: was 3, is not there"));
}

TEST_F(GoldenTest, ScenarioWithoutFlowsKeepsNone)
{
    UpdateGolden(Golden(), "lab", Results());
    fs::remove(fs::path(Results()) / "flows-lost.csv");
    EXPECT_EQ(Check().size(), 3U) << "header and two flows are gone";
    UpdateGolden(Golden(), "lab", Results());
    EXPECT_FALSE(fs::exists(fs::path(Golden()) / "lab.lost.csv"));
    EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(GoldenTest, LongDifferencesAreCut)
{
    UpdateGolden(Golden(), "lab", Results());
    std::string table = "src,cause\n";
    for (int i = 0; i < 100; ++i)
    {
        table += std::to_string(1000 + i) + ",arp\n";
    }
    Write("flows-lost.csv", table);
    const std::vector<std::string> lines = Check();
    ASSERT_EQ(lines.size(), 41U);
    EXPECT_EQ(lines.back(), "lost flows: and 62 more lines");
}

TEST_F(GoldenTest, FolderThatCannotBeWrittenIsAUsageError)
{
    std::ofstream(m_home / "file") << "x";
    EXPECT_THROW(UpdateGolden((m_home / "file").string(), "lab", Results()), CommandError);
}

} // namespace
} // namespace esxnf
