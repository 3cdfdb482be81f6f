// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-event-heap.h"
#include "ns3/event-impl.h"
#include "ns3/make-event.h"
#include "ns3/map-scheduler.h"

#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace ns3
{
namespace
{

/// The list under test beside ns-3's own. Events that are taken out of both are compared.
class EventHeapTest : public testing::Test
{
  protected:
    ~EventHeapTest() override
    {
        while (!m_heap->IsEmpty())
        {
            Take();
        }
        EXPECT_TRUE(m_map->IsEmpty());
    }

    void Insert(uint64_t time)
    {
        Scheduler::Event event;
        event.impl = MakeEvent([] {});
        event.key.m_ts = time;
        event.key.m_uid = m_nextUid++;
        event.key.m_context = event.key.m_uid % 7;
        m_waiting.push_back(event);
        m_heap->Insert(event);
        m_map->Insert(event);
    }

    void Remove(std::size_t index)
    {
        const Scheduler::Event event = m_waiting[index];
        m_waiting.erase(m_waiting.begin() + static_cast<std::ptrdiff_t>(index));
        m_heap->Remove(event);
        m_map->Remove(event);
        event.impl->Unref(); // as Simulator::Remove() does
    }

    /// \return time of the event that was next
    uint64_t Take()
    {
        EXPECT_FALSE(m_map->IsEmpty());
        const Scheduler::Event peeked = m_heap->PeekNext();
        const Scheduler::Event taken = m_heap->RemoveNext();
        const Scheduler::Event expected = m_map->RemoveNext();
        EXPECT_EQ(peeked.impl, taken.impl);
        EXPECT_EQ(taken.impl, expected.impl);
        EXPECT_EQ(taken.key.m_uid, expected.key.m_uid);
        EXPECT_EQ(taken.key.m_context, expected.key.m_context);
        for (std::size_t i = 0; i < m_waiting.size(); ++i)
        {
            if (m_waiting[i].impl == expected.impl)
            {
                m_waiting.erase(m_waiting.begin() + static_cast<std::ptrdiff_t>(i));
                break;
            }
        }
        expected.impl->Unref();
        return expected.key.m_ts;
    }

    Ptr<EsxEventHeap> m_heap{CreateObject<EsxEventHeap>()};
    Ptr<MapScheduler> m_map{CreateObject<MapScheduler>()};
    std::vector<Scheduler::Event> m_waiting;
    uint32_t m_nextUid{1};
};

TEST_F(EventHeapTest, EventsOfOneInstantComeInTheOrderInWhichTheyWerePlanned)
{
    for (int i = 0; i < 100; ++i)
    {
        Insert(i % 3);
    }
}

TEST_F(EventHeapTest, TheOrderIsThatOfTheMapWhateverIsInsertedAndRemoved)
{
    std::mt19937 random(1); // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    uint64_t now = 0;
    for (int step = 0; step < 100'000; ++step)
    {
        const uint32_t what = random() % 100;
        const bool grows = step / 1000 % 2 == 0;
        if (what < (grows ? 60U : 35U) || m_waiting.empty())
        {
            Insert(now + random() % (random() % 2 ? 3 : 1000));
        }
        else if (what < 80)
        {
            now = Take();
        }
        else
        {
            Remove(random() % m_waiting.size());
        }
        ASSERT_EQ(m_heap->IsEmpty(), m_map->IsEmpty());
        ASSERT_FALSE(HasFailure()) << "step " << step;
    }
}

TEST_F(EventHeapTest, WhatWasRemovedIsNotFreedWhileItIsInTheHeap)
{
    Insert(1);
    Insert(2);
    Insert(3);
    Remove(1);
    Remove(1);
    for (int i = 0; i < 10; ++i)
    {
        Insert(2); // likely in the places in memory of those two, were they free
    }
}

TEST_F(EventHeapTest, WhatWasRemovedLastIsFreedAtTheEnd)
{
    Insert(1);
    Insert(2);
    Insert(3);
    Remove(2);
    EXPECT_EQ(Take(), 1U);
    EXPECT_EQ(Take(), 2U);
    EXPECT_TRUE(m_heap->IsEmpty());
}

} // namespace
} // namespace ns3
