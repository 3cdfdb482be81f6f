// SPDX-License-Identifier: GPL-2.0-only
// ns-3's list of events with three additions: it tells when an event is about to happen, so that
// somebody may wait for it (real time); it tells every so many events, so that somebody may look at
// a clock, however much happens within an instant; and it can put a pause into a run at an exact
// place: before all events of an instant that came up during the run, behind those that were
// planned before it. That is where the steps of a timeline stand, so what is done in a pause and
// what a timeline does have the same consequences. The order of all other events is ns-3's own.
//
// Simulation installs it; there is one at a time, as there is one simulator.
#ifndef ESXNF_STEERED_SCHEDULER_H
#define ESXNF_STEERED_SCHEDULER_H

#include "runner/simulation/event-heap.h"

#include "ns3/event-id.h"
#include "ns3/nstime.h"

#include <cstdint>
#include <functional>

namespace esxnf
{

class SteeredScheduler : public EventHeap
{
  public:
    static ns3::TypeId GetTypeId();
    SteeredScheduler();

    /// Puts one in the place of the simulator's. \return it; the simulator owns it
    static SteeredScheduler* Install();

    /// From now on events come up "during the run". Called once, after all that is planned.
    void BeginRun();

    /// Stops the simulator at an instant, not earlier than now; see above for the exact place.
    /// Replaces a pause that has not come yet.
    void PauseAt(ns3::Time at);

    /// \param wait called before each event with its time; empty: nobody waits
    void SetWait(std::function<void(ns3::Time)> wait);

    /// \param beat called every BEAT events with the time of the next one; empty: nobody is told.
    /// May call PauseAt() for a later instant than that
    void SetBeat(std::function<void(ns3::Time)> beat);

    static constexpr uint32_t BEAT = 1024; //!< some milliseconds of real time

    void Insert(const Event& event) override;
    Event RemoveNext() override;

  private:
    bool m_insertsPause{false};
    bool m_isPausePlanned{false};
    ns3::EventId m_pause;
    uint32_t m_place{0}; //!< of pauses among the events of an instant
    std::function<void(ns3::Time)> m_wait;
    std::function<void(ns3::Time)> m_beat;
    uint32_t m_untilBeat{BEAT};
};

} // namespace esxnf

#endif // ESXNF_STEERED_SCHEDULER_H
