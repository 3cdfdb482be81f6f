// SPDX-License-Identifier: GPL-2.0-only
// Inside of Simulation: the timeline of a scenario becomes events of the simulator. Steps at
// a console are World's; changes by an episode, and the way back afterwards, are made
// here.
#ifndef ESXNF_SIMULATION_TIMELINE_H
#define ESXNF_SIMULATION_TIMELINE_H

#include "runner/simulation/simulation-world.h"

#include <functional>
#include <string>

namespace esxnf
{

class Simulation::Timeline
{
  public:
    /// \param world whole: hosts, nodes and cables are made
    explicit Timeline(World& world);
    /// Plans all steps.
    void Schedule();

  private:
    /// The functions that begin an episode and end it (empty: nothing does).
    struct Episode
    {
        std::function<void()> begin;
        std::function<void()> end;
    };

    void ScheduleStep(const TimelineStep& step);
    void ScheduleVmStep(const TimelineStep& step);
    void ScheduleEpisode(const TimelineStep& step);
    Episode EpisodeOf(const TimelineStep& step);
    Episode PressureOf(const TimelineStep& step);
    ns3::Ptr<ns3::EsxNetflowCollector> CollectorOf(const std::string& node) const;

    World& m_world;
};

} // namespace esxnf

#endif // ESXNF_SIMULATION_TIMELINE_H
