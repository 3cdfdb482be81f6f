// SPDX-License-Identifier: GPL-2.0-only
// The shortest ways of frames to one station (Dijkstra's algorithm over delays): which links, how
// long. One search answers for all senders.
#ifndef ESXNF_FRAME_ROUTE_H
#define ESXNF_FRAME_ROUTE_H

#include "runner/lab/frame-graph.h"

#include <unordered_map>

namespace esxnf
{

struct FrameRoute
{
    std::vector<int> links; //!< indices in Scenario::links, from the sender on
    std::vector<int> nodes; //!< indices in Scenario::nodes: the switches on the way

    /// \return propagation delays of the links
    ns3::Time GetDelay(const Scenario& scenario) const;
    /// \return the same and the time that each link takes to send a frame, with header and FCS
    ns3::Time GetDelayOf(const Scenario& scenario, uint32_t frameOctets) const;
};

/**
 * By the active uplinks of a team, and by the standby ones where these lead nowhere. Of ways with
 * equal delays the one of fewer links is taken, then the one found first in order of the scenario.
 */
class FrameRoutes
{
  public:
    /// \param graph outlives this object; target: index of a station
    FrameRoutes(const FrameGraph& graph, std::size_t target);

    /// \return the way from a station; none if there is no way, or none outside a vSwitch
    std::optional<FrameRoute> From(std::size_t station) const;

  private:
    using Vertex = FrameGraph::Vertex;

    std::optional<FrameRoute> From(const Station& station, bool standby) const;

    const FrameGraph& m_graph;
    std::vector<double> m_distance; //!< to the target, by state; ns, and 1 for each link
    std::vector<Vertex> m_towards;  //!< the next state
    std::vector<int> m_linkTowards; //!< the link to it
};

/// The routes to each station that is asked for, searched once: there are many senders and few
/// targets.
class FrameRouteCache
{
  public:
    /// \param graph outlives this object
    explicit FrameRouteCache(const FrameGraph& graph)
        : m_graph(graph)
    {
    }

    const FrameRoutes& To(std::size_t station);

  private:
    const FrameGraph& m_graph;
    std::unordered_map<std::size_t, FrameRoutes> m_routes; //!< by target
};

} // namespace esxnf

#endif // ESXNF_FRAME_ROUTE_H
