// SPDX-License-Identifier: GPL-2.0-only
#include "esx-ranked-event.h"

#include "esx-event-heap.h"

#include "ns3/simulator.h"

namespace ns3
{

bool EsxRankedEvent::g_isNow = false;
uint64_t EsxRankedEvent::g_rank = 0;
uint64_t EsxRankedEvent::g_order = NO_ORDER;
EsxRankedEvent::Origin EsxRankedEvent::g_origin;

EsxRankedEvent::EsxRankedEvent(uint64_t rank, Origin origin)
    : m_rank(rank),
      m_origin(std::move(origin))
{
}

EsxRankedEvent::~EsxRankedEvent() = default;

void
EsxRankedEvent::Schedule(uint32_t context, Time delay, EsxRankedEvent* event)
{
    Simulator::ScheduleWithContext(EsxEventHeap::MarkRanked(context), delay, event);
}

EsxRankedEvent::Origin
EsxRankedEvent::GetOriginFromNow()
{
    const Time now = Simulator::Now();
    if (!g_isNow && !EsxEventHeap::HasRankedAt(now))
    {
        return {{now.GetNanoSeconds(), 0}};
    }
    Origin origin;
    origin.reserve(g_origin.size() + 2);
    origin.emplace_back(now.GetNanoSeconds(), g_rank);
    if (g_order != NO_ORDER)
    {
        origin.emplace_back(0, g_order);
    }
    origin.insert(origin.end(), g_origin.begin(), g_origin.end());
    return origin;
}

void
EsxRankedEvent::Notify()
{
    g_rank = m_rank + 1;
    g_order = NO_ORDER;
    if (!m_origin.empty() || !g_origin.empty()) // rarely
    {
        g_origin = std::move(m_origin);
    }
    g_isNow = true;
    Happen();
    g_isNow = false;
}

} // namespace ns3
