// SPDX-License-Identifier: GPL-2.0-only
#include "esx-ranked-event.h"

#include "esx-event-heap.h"

#include "ns3/simulator.h"

namespace ns3
{

uint64_t EsxRankedEvent::g_current = 0;

EsxRankedEvent::EsxRankedEvent(uint64_t rank)
    : m_rank(rank)
{
}

EsxRankedEvent::~EsxRankedEvent() = default;

void
EsxRankedEvent::Schedule(uint32_t context, Time delay, EsxRankedEvent* event)
{
    Simulator::ScheduleWithContext(EsxEventHeap::MarkRanked(context), delay, event);
}

bool
EsxRankedEvent::IsBehind(uint64_t rank)
{
    return g_current > rank + 1;
}

void
EsxRankedEvent::Notify()
{
    g_current = m_rank + 1;
    Happen();
    g_current = 0;
}

} // namespace ns3
