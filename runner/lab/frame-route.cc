// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/frame-route.h"

#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/property_map/function_property_map.hpp>
#include <limits>

namespace esxnf
{

namespace
{

constexpr double NOWHERE = std::numeric_limits<double>::infinity();

double
WeightOf(const Scenario& scenario, int link)
{
    return link < 0 ? 0 : static_cast<double>(scenario.links[link].delay.GetNanoSeconds()) + 1;
}

} // namespace

ns3::Time
FrameRoute::GetDelay(const Scenario& scenario) const
{
    ns3::Time delay;
    for (const auto link : links)
    {
        delay += scenario.links[link].delay;
    }
    return delay;
}

ns3::Time
FrameRoute::GetDelayOf(const Scenario& scenario, uint32_t frameOctets) const
{
    ns3::Time delay = GetDelay(scenario);
    for (const auto link : links)
    {
        const auto& rate = scenario.links[link].rate;
        delay += rate.GetBitRate() > 0 ? rate.CalculateBytesTxTime(frameOctets) : ns3::Time();
    }
    return delay;
}

FrameRoutes::FrameRoutes(const FrameGraph& graph, std::size_t target)
    : m_graph(graph)
{
    const auto& scenario = graph.GetScenario();
    FrameStates states = graph.GetStates(); // and the target as one more vertex
    const auto end = boost::add_vertex(FrameState{-1, 0}, states);
    for (const auto& way : graph.GetStations()[target].ways)
    {
        boost::add_edge(end, way.state, FrameEdge{way.link}, states);
    }
    const auto count = boost::num_vertices(states);
    m_distance.assign(count, NOWHERE);
    m_towards.resize(count);
    m_linkTowards.assign(count, -1);
    const auto weight = boost::make_function_property_map<FrameStates::edge_descriptor>(
        [&](const FrameStates::edge_descriptor& edge) {
            return WeightOf(scenario, states[edge].link);
        });
    boost::dijkstra_shortest_paths(states,
                                   end,
                                   boost::weight_map(weight)
                                       .distance_map(m_distance.data())
                                       .predecessor_map(m_towards.data())
                                       .distance_inf(NOWHERE));
    for (Vertex state = 0; state < end; ++state)
    {
        double best = NOWHERE; // of parallel links the predecessor map does not say which
        for (const auto& edge : boost::make_iterator_range(boost::out_edges(state, states)))
        {
            const auto link = states[edge].link;
            if (boost::target(edge, states) == m_towards[state] && WeightOf(scenario, link) < best)
            {
                best = WeightOf(scenario, link);
                m_linkTowards[state] = link;
            }
        }
    }
}

std::optional<FrameRoute>
FrameRoutes::From(std::size_t station) const
{
    const Station& from = m_graph.GetStations()[station];
    const auto route = From(from, false);
    return route ? route : From(from, true);
}

std::optional<FrameRoute>
FrameRoutes::From(const Station& station, bool standby) const
{
    const auto& scenario = m_graph.GetScenario();
    const Station::Way* first = nullptr;
    double best = NOWHERE;
    for (const auto& way : station.ways)
    {
        const double length = m_distance[way.state] + WeightOf(scenario, way.link);
        if (way.standby == standby && length < best)
        {
            best = length;
            first = &way;
        }
    }
    if (!first)
    {
        return std::nullopt;
    }
    FrameRoute route;
    const auto add = [&route](int link) {
        if (link >= 0)
        {
            route.links.push_back(link);
        }
    };
    add(first->link);
    for (auto state = first->state; state + 1 < m_distance.size(); state = m_towards[state])
    {
        if (m_graph.GetStates()[state].node >= 0)
        {
            route.nodes.push_back(m_graph.GetStates()[state].node);
        }
        add(m_linkTowards[state]);
    }
    return route;
}

const FrameRoutes&
FrameRouteCache::To(std::size_t station)
{
    const auto found = m_routes.find(station);
    return found != m_routes.end()
               ? found->second
               : m_routes.emplace(station, FrameRoutes(m_graph, station)).first->second;
}

} // namespace esxnf
