// SPDX-License-Identifier: GPL-2.0-only
// The lab's trunk is cut from 10 s to 15 s and carries 64 kbit/s, 40 000 octets, from 30 s to 35 s.
#include "runner/results/export-bound.h"
#include "runner/results/summary.h"
#include "scenario-lab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

using ns3::Seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class ExportBoundTest : public testing::Test
{
  protected:
    /// Frames of 1000 octets. \param received s; negative: lost
    void Send(unsigned count, double sent, double received)
    {
        const std::optional<ns3::Time> at =
            received < 0 ? std::nullopt : std::optional(ns3::Time(Seconds(received)));
        const Node& collector = m_scenario.nodes.back();
        m_frames.insert(m_frames.end(),
                        count,
                        {&m_scenario.hosts[0], &collector, 1000, Seconds(sent), at, received < 0});
    }

    ExportBound Find() const
    {
        return FindExportBound(m_scenario, m_frames, Seconds(60));
    }

    const Scenario m_scenario = ParseScenario(g_lab, "lab.yaml");
    std::vector<ExportedFrame> m_frames;
};

TEST_F(ExportBoundTest, LinkCarriesItsRateForTheLengthOfASpan)
{
    Send(40, 31, 34);
    Send(60, 32, -1);
    const ExportBound bound = Find();
    EXPECT_EQ(bound.sent, 100'000);
    EXPECT_EQ(bound.lost, 60'000);
    EXPECT_EQ(bound.leastLost, 60'000);
    EXPECT_THAT(bound.links, ElementsAre("trunk"));
    EXPECT_TRUE(bound.Holds());
}

TEST_F(ExportBoundTest, MoreThanALinkCarriesContradictsTheBooks)
{
    Send(41, 31, 34);
    EXPECT_EQ(Find().leastLost, 1000);
    Summary summary;
    EXPECT_EQ(summary.GetVerdict(), RunVerdict::PASS);
    summary.bound = Find();
    EXPECT_EQ(summary.GetVerdict(), RunVerdict::UNBALANCED);
    EXPECT_THAT(ToText(summary, "out"), testing::HasSubstr("LESS WAS LOST THAN THE LINKS ALLOW"));
}

TEST_F(ExportBoundTest, WhatWaitsUntilTheNextSpanDoesNotCount)
{
    Send(100, 34, 36);
    EXPECT_EQ(Find().leastLost, 0);
    Send(41, 34, 35); // before the link is as fast as it was
    EXPECT_EQ(Find().leastLost, 1000);
}

TEST_F(ExportBoundTest, CutLinkCarriesNothing)
{
    Send(10, 10, 10.5); // sent before the cut, in the instant of it
    EXPECT_EQ(Find().leastLost, 0);
    Send(10, 12, -1);
    EXPECT_EQ(Find().leastLost, 10'000);
    EXPECT_THAT(Find().links, IsEmpty());
    Send(1, 12, 14);
    EXPECT_FALSE(Find().Holds());
}

TEST_F(ExportBoundTest, SpansAddUp)
{
    Send(50, 31, -1);
    Send(10, 12, -1);
    Send(10, 50, 51);
    EXPECT_EQ(Find().leastLost, 20'000);
    EXPECT_EQ(Find().lost, 60'000);
}

} // namespace
} // namespace esxnf
