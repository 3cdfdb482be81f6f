// SPDX-License-Identifier: GPL-2.0-only
#include "esx-ranked-event.h"

#include "esx-event-heap.h"

#include "ns3/simulator.h"

namespace ns3
{

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

} // namespace ns3
