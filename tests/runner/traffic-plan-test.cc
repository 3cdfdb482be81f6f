// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/traffic-plan.h"
#include "tests/runner/scenario-lab.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

/// What is planned of the lab with its traffic in place of the lab's own.
std::vector<PlannedTraffic>
Plan(const std::string& items, Scenario& scenario)
{
    auto text = g_lab;
    const auto begin = text.find("traffic:\n");
    text.replace(begin, text.find("timeline:\n") - begin, "traffic:\n" + items);
    scenario = ParseScenario(text, "lab.yaml");
    const FrameGraph graph(scenario);
    return PlanTraffic(graph);
}

TEST(TrafficPlan, LoadOfDatagramsCountsTheirHeaders)
{
    Scenario scenario;
    const auto plan =
        Plan("  - {name: a, app: udp-cbr, from: web1, to: nf1, rate: 80kbps, packet: 100B}\n",
             scenario);
    ASSERT_EQ(plan.size(), 1u);
    EXPECT_DOUBLE_EQ(plan[0].load, 100 * 8 * (100 + 28 + 18)); // 100 datagrams a second
    EXPECT_EQ(plan[0].links, (std::vector<int>{0, 1, 2}));
    EXPECT_TRUE(plan[0].random.empty());
}

TEST(TrafficPlan, WithinAVSwitchNoLinkIsCrossed)
{
    Scenario scenario;
    const auto plan = Plan("  - {name: a, app: udp-cbr, from: web1, to: db1}\n", scenario);
    ASSERT_EQ(plan.size(), 1u);
    EXPECT_TRUE(plan[0].links.empty());
}

TEST(TrafficPlan, ScanTakesOneTargetAfterAnother)
{
    Scenario scenario;
    const auto plan =
        Plan("  - {name: a, app: tcp-syn-scan, from: web1, to: [db1, nf1], ports: 1-100, "
             "every: 10ms, start: 5s}\n",
             scenario);
    ASSERT_EQ(plan.size(), 2u);
    EXPECT_DOUBLE_EQ(plan[0].start, 5);
    EXPECT_DOUBLE_EQ(plan[0].stop, 6);
    EXPECT_DOUBLE_EQ(plan[1].start, 6);
    EXPECT_DOUBLE_EQ(plan[1].stop, 7);
    EXPECT_DOUBLE_EQ(plan[1].flows, 100);
}

TEST(TrafficPlan, WhatIsRandomIsSaidToBe)
{
    Scenario scenario;
    const auto plan = Plan("  - {name: a, app: tcp-request, from: web1, to: db1, every: "
                           "exponential(1s)}\n",
                           scenario);
    ASSERT_EQ(plan.size(), 1u);
    EXPECT_EQ(plan[0].random, "traffic a is random");
}

} // namespace
} // namespace esxnf
