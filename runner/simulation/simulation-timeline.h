// SPDX-License-Identifier: GPL-2.0-only
// Inside of Simulation: the timeline of a scenario becomes events of the simulator. Steps at
// a console are World's; changes by an episode, and the way back afterwards, are made
// here.
#ifndef ESXNF_SIMULATION_TIMELINE_H
#define ESXNF_SIMULATION_TIMELINE_H

#include "runner/simulation/simulation-world.h"

#include <functional>
#include <string>
#include <vector>

namespace esxnf
{

class Simulation::Timeline
{
  public:
    /// \param world whole: hosts, nodes and cables are made
    explicit Timeline(World& world);
    /// Plans all steps. \param stream the first of random values that steps set
    void Schedule(int64_t stream);

  private:
    /// The functions that begin an episode and end it (empty: nothing does).
    struct Episode
    {
        std::function<void()> begin;
        std::function<void()> end;
    };

    /// A new value of an attribute, and the one it has before the run.
    struct Change
    {
        ns3::Ptr<ns3::Object> object;
        std::string attribute;
        ns3::Ptr<ns3::AttributeValue> before;
        ns3::Ptr<ns3::AttributeValue> value;
    };

    void ScheduleStep(const TimelineStep& step);
    void ScheduleAct(ns3::Time at,
                     uint32_t context,
                     const TimelineStep& step,
                     std::function<void()> act);
    void ScheduleVmStep(const TimelineStep& step);
    void ScheduleEpisode(const TimelineStep& step);
    Episode EpisodeOf(const TimelineStep& step);
    std::vector<ns3::Ptr<ns3::Object>> RootsOf(const TimelineStep& step) const;
    std::vector<Change> ChangesOf(const TimelineStep& step);

    World& m_world;
    int64_t m_stream{0};
};

} // namespace esxnf

#endif // ESXNF_SIMULATION_TIMELINE_H
