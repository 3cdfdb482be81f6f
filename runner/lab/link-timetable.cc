// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/link-timetable.h"

#include <algorithm>

namespace esxnf
{

double
LinkState::GetQueuedDatagrams() const
{
    return queue.GetUnit() == ns3::PACKETS ? queue.GetValue()
                                           : queue.GetValue() / (RECORD_OCTETS + DATAGRAM_OCTETS);
}

LinkTimetable::LinkTimetable(const Scenario& scenario)
    : m_scenario(scenario)
{
    for (const auto& step : m_scenario.timeline)
    {
        if (step.kind == StepKind::LinkDown || step.kind == StepKind::LinkSet)
        {
            m_episodes[step.link].push_back(&step);
        }
    }
    for (const auto& link : m_scenario.links)
    {
        Settle(link);
    }
}

void
LinkTimetable::Settle(const Link& link)
{
    const auto episodes = m_episodes.find(link.name);
    if (episodes == m_episodes.end())
    {
        return;
    }
    const LinkState own{static_cast<double>(link.rate.GetBitRate()), false, link.queue};
    const double fullBits = 8 * (RECORDS_A_DATAGRAM * RECORD_OCTETS + DATAGRAM_OCTETS);
    for (const auto* step : episodes->second)
    {
        if (step->length)
        {
            const double end = (step->at + *step->length).GetSeconds();
            const double drains = own.GetQueuedDatagrams() * fullBits / own.rate;
            m_settling.push_back({end, end + ON_ITS_WAY_S + drains, &link});
        }
    }
}

LinkState
LinkTimetable::StateOf(int index, double time) const
{
    const Link& link = m_scenario.links[index];
    LinkState state{static_cast<double>(link.rate.GetBitRate()),
                    link.loss + link.bitErrors + link.duplicate + link.reorder > 0,
                    link.queue};
    const auto episodes = m_episodes.find(link.name);
    if (episodes == m_episodes.end())
    {
        return state;
    }
    for (const auto* step : episodes->second)
    {
        if (step->Covers(ns3::Seconds(time)))
        {
            state.rate = step->kind == StepKind::LinkDown ? 0
                         : step->set.rate ? static_cast<double>(step->set.rate->GetBitRate())
                                          : state.rate;
            const auto& set = step->set;
            state.isFaulty |= set.loss.value_or(0) + set.bitErrors.value_or(0) +
                                  set.duplicate.value_or(0) + set.reorder.value_or(0) >
                              0;
            state.queue = step->set.queue.value_or(state.queue);
        }
    }
    return state;
}

bool
LinkTimetable::IsEverDisturbed(int link) const
{
    return m_episodes.count(m_scenario.links[link].name) || m_scenario.links[link].loss > 0;
}

bool
LinkTimetable::IsSettling(int link, double begin, double end) const
{
    return std::any_of(m_settling.begin(), m_settling.end(), [&](const Settling& settling) {
        return settling.link == &m_scenario.links[link] && begin < settling.end &&
               end > settling.begin;
    });
}

std::vector<double>
LinkTimetable::GetSettledTimes() const
{
    std::vector<double> times;
    for (const auto& settling : m_settling)
    {
        times.push_back(settling.end);
    }
    return times;
}

} // namespace esxnf
