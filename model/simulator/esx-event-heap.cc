// SPDX-License-Identifier: GPL-2.0-only
#include "esx-event-heap.h"

#include "esx-ranked-event.h"

#include "ns3/assert.h"

#include <algorithm>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxEventHeap);

namespace
{

// Node ids are below this bit; the id that means "no node" has all bits.
constexpr uint32_t RANKED = 0x80000000;
constexpr uint32_t RANKED_MASK = 0xc0000000;

uint32_t g_lists = 0;    // of this kind
uint64_t g_rankedAt = 0; // instant of the latest ranked event

bool
IsRanked(const Scheduler::Event& event)
{
    return (event.key.m_context & RANKED_MASK) == RANKED;
}

const EsxRankedEvent&
AsRanked(const Scheduler::Event& event)
{
    return *static_cast<const EsxRankedEvent*>(event.impl);
}

/// Whether an event of the same instant comes later.
bool
IsLaterInInstant(const Scheduler::Event& a, const Scheduler::Event& b)
{
    const bool isRanked = IsRanked(a);
    if (isRanked != IsRanked(b))
    {
        return isRanked;
    }
    if (isRanked)
    {
        const EsxRankedEvent& first = AsRanked(a);
        const EsxRankedEvent& second = AsRanked(b);
        if (first.GetRank() != second.GetRank())
        {
            return first.GetRank() > second.GetRank();
        }
        if (first.GetOrigin() != second.GetOrigin())
        {
            return first.GetOrigin() > second.GetOrigin();
        }
    }
    return a.key.m_uid > b.key.m_uid;
}

/// For the heap of the standard library, whose first one is the greatest: the next event is.
struct IsLater
{
    bool operator()(const Scheduler::Event& a, const Scheduler::Event& b) const
    {
        return a.key.m_ts != b.key.m_ts ? a.key.m_ts > b.key.m_ts : IsLaterInInstant(a, b);
    }
};

} // namespace

TypeId
EsxEventHeap::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxEventHeap")
                            .SetParent<Scheduler>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxEventHeap>();
    return tid;
}

EsxEventHeap::EsxEventHeap()
{
    ++g_lists;
    g_rankedAt = 0;
}

EsxEventHeap::~EsxEventHeap()
{
    --g_lists;
    for (EventImpl* removed : m_removed)
    {
        removed->Unref();
    }
}

void
EsxEventHeap::Insert(const Event& event)
{
    const IsLater isLater;
    if (m_soonest.impl)
    {
        const bool isSooner = isLater(m_soonest, event);
        Push(isSooner ? m_soonest : event);
        if (isSooner)
        {
            m_soonest = event;
        }
    }
    else if (m_heap.empty() || isLater(m_heap.front(), event))
    {
        m_soonest = event;
    }
    else
    {
        Push(event);
    }
}

bool
EsxEventHeap::IsEmpty() const
{
    return !m_soonest.impl && m_heap.empty();
}

Scheduler::Event
EsxEventHeap::PeekNext() const
{
    NS_ASSERT(!IsEmpty());
    return m_soonest.impl ? m_soonest : m_heap.front();
}

bool
EsxEventHeap::IsInUse()
{
    return g_lists > 0;
}

bool
EsxEventHeap::HasRankedAt(Time instant)
{
    return g_rankedAt > 0 && g_rankedAt == static_cast<uint64_t>(instant.GetTimeStep());
}

uint32_t
EsxEventHeap::MarkRanked(uint32_t context)
{
    NS_ASSERT((context & RANKED_MASK) == 0);
    return IsInUse() ? context | RANKED : context;
}

Scheduler::Event
EsxEventHeap::RemoveNext()
{
    Event next = m_soonest;
    if (next.impl)
    {
        m_soonest.impl = nullptr;
    }
    else
    {
        NS_ASSERT(!m_heap.empty());
        next = m_heap.front();
        Pop();
    }
    if (IsRanked(next))
    {
        next.key.m_context &= ~RANKED;
        g_rankedAt = next.key.m_ts;
    }
    return next;
}

void
EsxEventHeap::Remove(const Event& event)
{
    NS_ASSERT(!IsEmpty());
    if (event.impl == m_soonest.impl)
    {
        m_soonest.impl = nullptr;
    }
    else if (!m_heap.empty() && event.impl == m_heap.front().impl)
    {
        Pop();
    }
    else
    {
        event.impl->Ref(); // or its place in memory might be another event's before it is left out
        m_removed.insert(event.impl);
    }
}

void
EsxEventHeap::Push(const Event& event)
{
    m_heap.push_back(event);
    std::push_heap(m_heap.begin(), m_heap.end(), IsLater());
}

/// Takes the first one away, and those behind it that were removed.
void
EsxEventHeap::Pop()
{
    do
    {
        std::pop_heap(m_heap.begin(), m_heap.end(), IsLater());
        m_heap.pop_back();
        if (m_removed.empty() || m_heap.empty() || m_removed.erase(m_heap.front().impl) == 0)
        {
            return;
        }
        m_heap.front().impl->Unref();
    } while (true);
}

} // namespace ns3
