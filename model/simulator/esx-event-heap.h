// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_EVENT_HEAP_H
#define ESX_EVENT_HEAP_H

#include "ns3/nstime.h"
#include "ns3/scheduler.h"

#include <unordered_set>
#include <vector>

namespace ns3
{

/**
 * A list of events with the order of MapScheduler at a fraction of its instructions
 * (docs/decisions.md, "The list of events"), but that ranked events come last in their instant. The
 * soonest event stands aside of a heap, which most events that are soon to happen, as a vSwitch's
 * deliveries are, never see. Unlike ns-3's two heaps it searches for nothing when an event is
 * removed: that one stays until it would be next, and is left out then.
 *
 * The command line of a script takes it by `--SchedulerType=ns3::EsxEventHeap`.
 */
class EsxEventHeap : public Scheduler
{
  public:
    static TypeId GetTypeId();
    EsxEventHeap();
    ~EsxEventHeap() override;

    void Insert(const Event& event) override;
    bool IsEmpty() const override;
    Event PeekNext() const override;
    Event RemoveNext() override;
    void Remove(const Event& event) override;

    /// Whether the simulator's list of events is one of these.
    static bool IsInUse();

    /// Whether a ranked event has come up in an instant, the latest one of the simulation.
    static bool HasRankedAt(Time instant);

  private:
    friend class EsxRankedEvent;

    /// \return a node id that tells a list like this that the event is an EsxRankedEvent; the same
    /// id if the simulator's list is another one
    static uint32_t MarkRanked(uint32_t context);

    void Push(const Event& event);
    void Pop();

    Event m_soonest{};                        //!< before all of the heap; none if it has no impl
    std::vector<Event> m_heap;                //!< its first one is never one that was removed
    std::unordered_set<EventImpl*> m_removed; //!< still in the heap; each holds a reference
};

} // namespace ns3

#endif // ESX_EVENT_HEAP_H
