// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_STEERED_SCHEDULER_H
#define ESX_STEERED_SCHEDULER_H

#include "esx-event-heap.h"
#include "esx-real-clock.h"

#include "ns3/event-id.h"
#include "ns3/nstime.h"

#include <cstdint>
#include <functional>

namespace ns3
{

/**
 * A list of events that waits, tells and pauses: it can pace a run by the wall clock (attribute
 * RealTime, or SetWait() for a clock of one's own); it tells every BEAT events, so that somebody
 * may look at a clock, however much happens within an instant; and it can put a pause into a run at
 * an exact place: before all events of an instant that came up during the run, behind those that
 * were planned before it. The order of all other events is ns-3's own.
 *
 * A script paces its run by
 * `--SchedulerType=ns3::EsxSteeredScheduler --ns3::EsxSteeredScheduler::RealTime=true`.
 */
class EsxSteeredScheduler : public EsxEventHeap
{
  public:
    static TypeId GetTypeId();
    EsxSteeredScheduler();

    /// Puts one in the place of the simulator's. \return it; the simulator owns it
    static EsxSteeredScheduler* Install();

    /// From now on events come up "during the run". Called once, after all that is planned.
    void BeginRun();

    /// Stops the simulator at an instant, not earlier than now; see above for the exact place.
    /// Replaces a pause that has not come yet.
    void PauseAt(Time at);

    /// \param wait called before each event with its time; empty: nobody waits
    void SetWait(std::function<void(Time)> wait);

    /// \param beat called every BEAT events with the time of the next one; empty: nobody is told.
    /// May call PauseAt() for a later instant than that
    void SetBeat(std::function<void(Time)> beat);

    static constexpr uint32_t BEAT = 1024; //!< some milliseconds of real time

    void Insert(const Event& event) override;
    Event RemoveNext() override;

  private:
    bool m_insertsPause{false};
    bool m_isPausePlanned{false};
    EventId m_pause;
    uint32_t m_place{0}; //!< of pauses among the events of an instant
    std::function<void(Time)> m_wait;
    std::function<void(Time)> m_beat;
    uint32_t m_untilBeat{BEAT};
    bool m_realTime{false}; //!< attribute RealTime
    EsxRealClock m_clock;
};

} // namespace ns3

#endif // ESX_STEERED_SCHEDULER_H
