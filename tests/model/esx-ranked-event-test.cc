// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-event-heap.h"
#include "ns3/esx-ranked-event.h"
#include "ns3/object-factory.h"
#include "ns3/simulator.h"

#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace ns3
{
namespace
{

class RankedEventTest : public testing::Test
{
  protected:
    RankedEventTest()
    {
        ObjectFactory factory;
        factory.SetTypeId(EsxEventHeap::GetTypeId());
        Simulator::SetScheduler(factory);
    }

    ~RankedEventTest() override
    {
        Simulator::Destroy();
    }

    class Told : public EsxRankedEvent
    {
      public:
        Told(RankedEventTest& test, uint64_t rank, Origin origin = {})
            : EsxRankedEvent(rank, std::move(origin)),
              m_test(test)
        {
        }

      private:
        void Happen() override
        {
            m_test.Tell(std::to_string(GetRank()));
        }

        RankedEventTest& m_test;
    };

    void Tell(const std::string& name)
    {
        m_happened.push_back(name);
        m_contexts.push_back(Simulator::GetContext());
        m_tell ? m_tell() : void();
    }

    void Rank(uint64_t rank, int64_t ms, uint32_t context = 7)
    {
        EsxRankedEvent::Schedule(context, MilliSeconds(ms), new Told(*this, rank));
    }

    void Plain(const std::string& name, int64_t ms)
    {
        Simulator::Schedule(MilliSeconds(ms), &RankedEventTest::Tell, this, name);
    }

    std::vector<std::string> m_happened;
    std::vector<uint32_t> m_contexts;
    std::function<void()> m_tell; //!< is called by each of them
};

using Names = std::vector<std::string>;

TEST_F(RankedEventTest, ComesBehindAllOthersOfItsInstantInOrderOfRanks)
{
    Rank(9, 1);
    Rank(3, 1);
    Plain("a", 1);
    Rank(4, 0);
    Simulator::Schedule(MilliSeconds(1), [this] {
        Rank(1, 0);
        Plain("late", 0);
    });
    Simulator::Run();
    EXPECT_EQ(m_happened, (Names{"4", "a", "late", "1", "3", "9"}));
}

TEST_F(RankedEventTest, EqualRanksComeAsScheduled)
{
    Rank(5, 1, 1);
    Rank(5, 1, 2);
    Simulator::Run();
    EXPECT_EQ(m_contexts, (std::vector<uint32_t>{1, 2}));
}

TEST_F(RankedEventTest, EqualRanksComeInOrderOfOriginsWithThoseUnknownFirst)
{
    using Origin = EsxRankedEvent::Origin;
    uint32_t context = 0;
    for (const Origin& origin : {Origin{{7, 2}, {5, 0}}, Origin{{6, 9}}, Origin{{7, 2}}, Origin{}})
    {
        EsxRankedEvent::Schedule(++context, MilliSeconds(1), new Told(*this, 5, origin));
    }
    Simulator::Run();
    EXPECT_EQ(m_contexts, (std::vector<uint32_t>{4, 2, 3, 1}));
}

TEST_F(RankedEventTest, OriginsAreThoseOfWhatHappens)
{
    std::vector<EsxRankedEvent::Origin> told;
    m_tell = [&told] { told.push_back(EsxRankedEvent::GetOriginFromNow()); };
    Plain("a", 1);
    EsxRankedEvent::Schedule(0, MilliSeconds(1), new Told(*this, 5, {{4, 3}}));
    EsxRankedEvent::Schedule(0, MilliSeconds(1), new Told(*this, 6));
    Plain("b", 2);
    Simulator::Run();
    EXPECT_EQ(told,
              (std::vector<EsxRankedEvent::Origin>{{{1'000'000, 0}},
                                                   {{1'000'000, 6}, {4, 3}},
                                                   {{1'000'000, 7}},
                                                   {{2'000'000, 0}}}));
}

TEST_F(RankedEventTest, HasAPartWithoutARankInItsInstant)
{
    std::vector<EsxRankedEvent::Origin> told;
    m_tell = [&told] {
        Simulator::ScheduleNow(
            Callback<void>([&told] { told.push_back(EsxRankedEvent::GetOriginFromNow()); }));
    };
    EsxRankedEvent::Schedule(0, MilliSeconds(1), new Told(*this, 5, {{4, 3}}));
    Rank(6, 1);
    Simulator::Run();
    EXPECT_EQ(told,
              (std::vector<EsxRankedEvent::Origin>{{{1'000'000, 6}, {4, 3}}, {{1'000'000, 7}}}));
}

TEST_F(RankedEventTest, RunsInTheContextOfItsNode)
{
    Rank(uint64_t{1} << 63, 1, 42);
    Plain("setup", 1); // scheduled without a node
    Simulator::Run();
    EXPECT_EQ(m_contexts, (std::vector<uint32_t>{Simulator::NO_CONTEXT, 42}));
}

TEST_F(RankedEventTest, AnotherListOfEventsTakesItAsAnyOther)
{
    ObjectFactory factory;
    factory.SetTypeId("ns3::MapScheduler");
    Simulator::SetScheduler(factory);
    ASSERT_FALSE(EsxEventHeap::IsInUse());
    Rank(9, 1);
    Plain("a", 1);
    Simulator::Run();
    EXPECT_EQ(m_happened, (Names{"9", "a"}));
    EXPECT_EQ(m_contexts[0], 7U);
}

} // namespace
} // namespace ns3
