// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/export-plan.h"

#include "runner/lab/export-commands.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <boost/graph/dominator_tree.hpp>
#include <cctype>

namespace esxnf
{

namespace
{

class ExportPlanner
{
  public:
    explicit ExportPlanner(const FrameGraph& graph)
        : m_graph(graph),
          m_scenario(graph.GetScenario()),
          m_routes(graph)
    {
    }

    std::vector<PlannedExport> Plan()
    {
        for (const auto& node : m_scenario.nodes)
        {
            if (node.kind == NodeKind::Collector && node.address)
            {
                m_collectors.emplace(ns3::EsxAddressKey(node.address->address), &node);
                for (const auto& name : node.names)
                {
                    m_collectors.emplace(LowerCase(name), &node);
                }
            }
        }
        std::map<std::string, const Host*> hosts;
        for (const auto& host : m_scenario.hosts)
        {
            hosts.emplace(host.name, &host);
        }
        for (const auto& step : m_scenario.timeline)
        {
            const auto host = hosts.find(step.host);
            if (step.kind == StepKind::Console && host != hosts.end())
            {
                for (const auto& command : FindExportCommands(step.command))
                {
                    Add(*host->second, step, command);
                }
            }
        }
        return std::move(m_plan);
    }

  private:
    static std::string LowerCase(std::string text)
    {
        for (char& c : text)
        {
            c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
        return text;
    }

    void Add(const Host& host, const TimelineStep& step, const ns3::EsxNetNetflowOptions& command)
    {
        const auto found = m_collectors.find(LowerCase(command.collector));
        if (found == m_collectors.end() || !UnknownVSwitches(host, command.vSwitches).empty())
        {
            return;
        }
        const Node& collector = *found->second;
        const auto target = m_graph.FindNode(collector.name);
        const auto vmknic =
            std::find_if(host.vmknics.begin(), host.vmknics.end(), [&](const auto& v) {
                return v.address.SharesNetworkWith(collector.address->address);
            });
        const auto station = vmknic == host.vmknics.end()
                                 ? std::nullopt
                                 : m_graph.FindGroup(host, vmknic->portGroup);
        if (!station || !target || !m_graph.Joins(*station, *target))
        {
            return;
        }
        const auto route = m_routes.To(*target).From(*station);
        m_plan.push_back({&host, &*vmknic, *station, *target, *route, step.path + "/run"});
    }

    const FrameGraph& m_graph;
    const Scenario& m_scenario;
    std::map<std::string, const Node*> m_collectors; //!< by address and by host name
    FrameRouteCache m_routes;
    std::vector<PlannedExport> m_plan;
};

} // namespace

std::vector<PlannedExport>
PlanExports(const FrameGraph& graph)
{
    return ExportPlanner(graph).Plan();
}

namespace
{

/// Each thing that can fail is a vertex: states of switches, links, then the collector and hosts.
/// One search from a collector answers for all hosts.
class FailureSearch
{
  public:
    using Ways = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;
    using Vertex = Ways::vertex_descriptor;

    FailureSearch(const FrameGraph& graph, std::size_t collector)
        : m_graph(graph),
          m_states(graph.GetStates()),
          m_firstLink(boost::num_vertices(m_states)),
          m_collector(m_firstLink + graph.GetScenario().links.size()),
          m_ways(m_collector + 1)
    {
        std::set<int> domains; // others have no part in it, though their VLANs share links
        for (const auto& way : graph.GetStations()[collector].ways)
        {
            domains.insert(graph.GetDomain(way.state));
            Join(m_collector, way.link, way.state);
        }
        for (const auto& edge : boost::make_iterator_range(boost::edges(m_states)))
        {
            const auto a = boost::source(edge, m_states);
            const auto b = boost::target(edge, m_states);
            if (domains.count(graph.GetDomain(a)))
            {
                Join(a, m_states[edge].link, b);
                Join(b, m_states[edge].link, a);
            }
        }
    }

    Vertex AddHost(const Station& station)
    {
        const auto host = boost::add_vertex(m_ways);
        for (const auto& way : station.ways)
        {
            Join(way.state, way.link, host);
        }
        return host;
    }

    void Search()
    {
        m_dominators.assign(boost::num_vertices(m_ways), Ways::null_vertex());
        boost::lengauer_tarjan_dominator_tree(
            m_ways,
            m_collector,
            boost::make_iterator_property_map(m_dominators.begin(),
                                              boost::get(boost::vertex_index, m_ways)));
    }

    /// \return from a host to the collector
    std::vector<std::string> NamesOf(Vertex host) const
    {
        const auto& scenario = m_graph.GetScenario();
        std::vector<std::string> names;
        for (auto at = m_dominators[host]; at != m_collector && at != Ways::null_vertex();
             at = m_dominators[at])
        {
            if (at >= m_firstLink)
            {
                names.push_back(scenario.links[at - m_firstLink].name);
            }
            else if (m_states[at].node >= 0)
            {
                names.push_back(scenario.nodes[m_states[at].node].name);
            }
        }
        return names;
    }

  private:
    void Join(Vertex from, int link, Vertex to)
    {
        if (link < 0)
        {
            boost::add_edge(from, to, m_ways);
            return;
        }
        boost::add_edge(from, m_firstLink + link, m_ways);
        boost::add_edge(m_firstLink + link, to, m_ways);
    }

    const FrameGraph& m_graph;
    const FrameStates& m_states;
    const Vertex m_firstLink;
    const Vertex m_collector;
    Ways m_ways;
    std::vector<Vertex> m_dominators;
};

} // namespace

std::vector<std::vector<std::string>>
SinglePointsOfFailure(const FrameGraph& graph, const std::vector<PlannedExport>& plan)
{
    std::map<std::size_t, FailureSearch> searches; // by collector
    std::vector<FailureSearch::Vertex> hosts;
    for (const auto& planned : plan)
    {
        auto search = searches.find(planned.collector);
        if (search == searches.end())
        {
            search =
                searches.emplace(planned.collector, FailureSearch(graph, planned.collector)).first;
        }
        hosts.push_back(search->second.AddHost(graph.GetStations()[planned.station]));
    }
    for (auto& [collector, search] : searches)
    {
        search.Search();
    }
    std::vector<std::vector<std::string>> names;
    for (std::size_t i = 0; i < plan.size(); ++i)
    {
        names.push_back(searches.at(plan[i].collector).NamesOf(hosts[i]));
    }
    return names;
}

} // namespace esxnf
