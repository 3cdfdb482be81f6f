// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-steered-scheduler.h"
#include "ns3/simulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace ns3
{
namespace
{

using testing::ElementsAre;

class SteeredSchedulerTest : public testing::Test
{
  protected:
    ~SteeredSchedulerTest() override
    {
        Simulator::Destroy();
    }

    /// Plans an event that leaves its name.
    void Plan(int ms, const std::string& name)
    {
        Simulator::Schedule(MilliSeconds(ms) - Simulator::Now(),
                            [this, name] { m_seen.push_back(name); });
    }

    EsxSteeredScheduler* m_scheduler{EsxSteeredScheduler::Install()};
    std::vector<std::string> m_seen;
};

TEST_F(SteeredSchedulerTest, APauseStandsBetweenWhatWasPlannedAndWhatCameUp)
{
    Plan(10, "planned");
    m_scheduler->BeginRun();
    Plan(10, "came up");
    m_scheduler->PauseAt(MilliSeconds(10));
    Simulator::Run();
    EXPECT_THAT(m_seen, ElementsAre("planned"));
    EXPECT_EQ(Simulator::Now(), MilliSeconds(10));
    Plan(10, "typed");
    m_scheduler->PauseAt(MilliSeconds(11));
    Simulator::Run();
    EXPECT_THAT(m_seen, ElementsAre("planned", "came up", "typed"));
}

TEST_F(SteeredSchedulerTest, APauseAtThePresentIsNoStep)
{
    m_scheduler->BeginRun();
    Plan(0, "came up");
    m_scheduler->PauseAt(MilliSeconds(0));
    Simulator::Run();
    m_scheduler->PauseAt(MilliSeconds(0));
    Simulator::Run();
    EXPECT_THAT(m_seen, ElementsAre());
}

TEST_F(SteeredSchedulerTest, ANewPauseReplacesTheOld)
{
    m_scheduler->BeginRun();
    m_scheduler->PauseAt(MilliSeconds(10));
    m_scheduler->PauseAt(MilliSeconds(20));
    m_scheduler->PauseAt(MilliSeconds(20));
    Simulator::Run();
    EXPECT_EQ(Simulator::Now(), MilliSeconds(20));
    m_scheduler->PauseAt(MilliSeconds(20));
    Plan(20, "came up");
    Simulator::Run();
    EXPECT_THAT(m_seen, ElementsAre());
}

TEST_F(SteeredSchedulerTest, EventsThatWereCancelledDoNotHappen)
{
    m_scheduler->BeginRun();
    const auto event = Simulator::Schedule(MilliSeconds(5), [this] { m_seen.push_back("no"); });
    Simulator::Schedule(MilliSeconds(4), [event] { Simulator::Cancel(event); });
    const auto other = Simulator::Schedule(MilliSeconds(6), [this] { m_seen.push_back("no"); });
    Simulator::Remove(other);
    m_scheduler->PauseAt(MilliSeconds(10));
    Simulator::Run();
    EXPECT_THAT(m_seen, ElementsAre());
}

TEST_F(SteeredSchedulerTest, EachEventIsWaitedForBeforeItHappens)
{
    Plan(3, "a");
    Plan(5, "b");
    std::vector<Time> waits;
    m_scheduler->SetWait([&](Time at) { waits.push_back(at); });
    Simulator::Run();
    EXPECT_THAT(waits, ElementsAre(MilliSeconds(3), MilliSeconds(5)));
    EXPECT_THAT(m_seen, ElementsAre("a", "b"));
}

} // namespace
} // namespace ns3
