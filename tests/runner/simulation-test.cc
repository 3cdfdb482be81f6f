// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/simulation.h"
#include "tests/scratch-folder.h"

#include "ns3/node-list.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

/// A scenario, the instant in which its simulation ends, and whether it is finished then.
struct End
{
    const char* scenario;
    const char* at;
    bool isFinished;
};

class SimulationEnd : public testing::TestWithParam<End>
{
};

TEST_P(SimulationEnd, NothingOutlivesIt)
{
    const ScratchFolder captures;
    std::vector<ns3::Ptr<ns3::Node>> nodes;
    {
        const Scenario scenario =
            LoadScenario(std::string(ENF_SOURCE_DIR "/scenarios/") + GetParam().scenario + ".yaml");
        SimulationOptions options;
        options.directory = captures.GetPath().string();
        options.captureEverything = options.annotate = true;
        options.exportedAfterNetwork = true;
        options.exported = [](const auto&, auto, const auto&) {};
        Simulation simulation(scenario, options);
        simulation.RunTo(ns3::Time(GetParam().at));
        GetParam().isFinished ? simulation.Finish() : void();
        nodes.assign(ns3::NodeList::Begin(), ns3::NodeList::End());
    }
    ASSERT_GT(nodes.size(), 2u);
    for (const auto& node : nodes)
    {
        for (auto parts = node->GetAggregateIterator(); parts.HasNext();)
        {
            const auto part = parts.Next();
            const uint32_t ours = part == node ? 3 : 1; // and those of the vector and of parts
            EXPECT_EQ(part->GetReferenceCount(), ours) << part->GetInstanceTypeId().GetName();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Scenarios,
                         SimulationEnd,
                         testing::Values(End{"quickstart", "10s", false},
                                         End{"quickstart", "60s", true},
                                         End{"losses", "20s", false},
                                         End{"two-hosts", "8s", true},
                                         End{"routed-wan", "8s", false},
                                         End{"memory-pressure", "8s", false},
                                         End{"migration", "8s", false}),
                         [](const auto& info) { return "End" + std::to_string(info.index); });

} // namespace
} // namespace esxnf
