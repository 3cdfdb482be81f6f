// SPDX-License-Identifier: GPL-2.0-only
// What the timeline of a scenario does to its links, for the forecast of exports: a link's state at
// any time, and for how long an episode is still felt after its end.
#ifndef ESXNF_LINK_TIMETABLE_H
#define ESXNF_LINK_TIMETABLE_H

#include "runner/scenario/scenario.h"

#include "ns3/queue-size.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace esxnf
{

constexpr double RECORDS_A_DATAGRAM = 30; //!< of a full one
constexpr double RECORD_OCTETS = 48;
constexpr double DATAGRAM_OCTETS = 70; //!< beside records: NetFlow 24, UDP and IPv4 28, Ethernet 18
constexpr double ON_ITS_WAY_S = 1;     //!< a margin for what is neither here nor there

/// A link during a span in which nothing changes.
struct LinkState
{
    double rate;   //!< bit/s; 0: down
    bool isFaulty; //!< loses, damages, doubles or delays frames
    ns3::QueueSize queue;

    /// \return how many export datagrams can wait, at most
    double GetQueuedDatagrams() const;
};

class LinkTimetable
{
  public:
    explicit LinkTimetable(const Scenario& scenario);

    /// \param link its index in the scenario  \param time s
    LinkState StateOf(int link, double time) const;
    /// \return true if it may lose frames at some time, though its queue has room
    bool IsEverDisturbed(int link) const;
    /// For a while after an episode a link gives out, or loses, what waited in it.
    /// \return true if it does so in [begin, end), in s
    bool IsSettling(int link, double begin, double end) const;
    /// \return when links are as they were again after episodes, in s
    std::vector<double> GetSettledTimes() const;

  private:
    struct Settling
    {
        double begin;
        double end;
        const Link* link;
    };

    void Settle(const Link& link);

    const Scenario& m_scenario;
    std::unordered_map<std::string, std::vector<const TimelineStep*>> m_episodes; //!< by link
    std::vector<Settling> m_settling;
};

} // namespace esxnf

#endif // ESXNF_LINK_TIMETABLE_H
