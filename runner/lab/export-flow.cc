// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/export-flow.h"

#include <algorithm>
#include <boost/graph/boykov_kolmogorov_max_flow.hpp>
#include <unordered_map>

namespace esxnf
{

namespace
{

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;

struct Pipe
{
    int link; //!< -1: none
    int64_t capacity;
    int64_t residual;
    Traits::edge_descriptor reverse;
};

struct Joint
{
    boost::default_color_type color;
    long distance = 0;
    Traits::edge_descriptor predecessor;
};

using Pipes = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, Joint, Pipe>;

class FlowNetwork
{
  public:
    FlowNetwork(const Scenario& scenario, const std::function<int64_t(int)>& capacityOf)
        : m_source(boost::add_vertex(m_pipes)),
          m_sink(boost::add_vertex(m_pipes))
    {
        for (const Node& node : scenario.nodes)
        {
            m_vertices.emplace(node.name, boost::add_vertex(m_pipes));
        }
        for (std::size_t i = 0; i < scenario.links.size(); ++i)
        {
            const Link& link = scenario.links[i];
            const auto capacity = capacityOf(static_cast<int>(i));
            Join(At(link.a), At(link.b), static_cast<int>(i), capacity, capacity);
        }
    }

    void Add(const ExportSupply& supply)
    {
        const auto host = boost::add_vertex(m_pipes);
        Join(m_source, host, -1, supply.amount, 0);
        for (const auto& uplink : supply.uplinks)
        {
            const auto found = m_vertices.find(uplink); // else no link is there
            if (found != m_vertices.end())
            {
                Join(host, found->second, -1, UNBOUNDED, 0);
            }
        }
        Join(m_vertices.at(supply.collector), m_sink, -1, supply.amount, 0);
    }

    ExportFlow Solve()
    {
        ExportFlow flow;
        flow.amount = boost::boykov_kolmogorov_max_flow(m_pipes,
                                                        boost::get(&Pipe::capacity, m_pipes),
                                                        boost::get(&Pipe::residual, m_pipes),
                                                        boost::get(&Pipe::reverse, m_pipes),
                                                        boost::get(&Joint::predecessor, m_pipes),
                                                        boost::get(&Joint::color, m_pipes),
                                                        boost::get(&Joint::distance, m_pipes),
                                                        boost::get(boost::vertex_index, m_pipes),
                                                        m_source,
                                                        m_sink);
        const auto isFar = [this](auto vertex) { // has a way to the sink yet
            return m_pipes[vertex].color == boost::white_color;
        };
        std::set<int> links;
        for (const auto& pipe : boost::make_iterator_range(boost::edges(m_pipes)))
        {
            if (m_pipes[pipe].link >= 0 && m_pipes[pipe].capacity > 0 &&
                !isFar(boost::source(pipe, m_pipes)) && isFar(boost::target(pipe, m_pipes)))
            {
                links.insert(m_pipes[pipe].link);
            }
        }
        flow.cut.assign(links.begin(), links.end());
        return flow;
    }

  private:
    using Vertex = Pipes::vertex_descriptor;

    /// Of a node, or of an uplink: a host passes nothing on.
    Vertex At(const LinkEnd& end)
    {
        const auto node = m_vertices.find(end.node);
        if (node != m_vertices.end())
        {
            return node->second;
        }
        const auto [uplink, isNew] = m_vertices.emplace(end.ToString(), m_source);
        if (isNew)
        {
            uplink->second = boost::add_vertex(m_pipes);
        }
        return uplink->second;
    }

    void Join(Vertex a, Vertex b, int link, int64_t there, int64_t back)
    {
        const auto out = boost::add_edge(a, b, Pipe{link, there, 0, {}}, m_pipes).first;
        const auto in = boost::add_edge(b, a, Pipe{link, back, 0, {}}, m_pipes).first;
        m_pipes[out].reverse = in;
        m_pipes[in].reverse = out;
    }

    Pipes m_pipes;
    const Vertex m_source;
    const Vertex m_sink;
    std::unordered_map<std::string, Vertex> m_vertices; //!< by node, or end at a host
};

} // namespace

ExportFlow
FindExportFlow(const Scenario& scenario,
               const std::vector<ExportSupply>& supplies,
               const std::function<int64_t(int)>& capacityOf)
{
    FlowNetwork network(scenario, capacityOf);
    for (const ExportSupply& supply : supplies)
    {
        network.Add(supply);
    }
    return network.Solve();
}

ExportFlow
CapacityOf(const FrameGraph& graph, const std::vector<PlannedExport>& exports)
{
    const Scenario& scenario = graph.GetScenario();
    const FrameStates& states = graph.GetStates();
    std::vector<ExportSupply> supplies;
    std::set<int> domains;
    std::set<int> links; // that frames of these exports may cross
    for (const auto& planned : exports)
    {
        const Station& from = graph.GetStations()[planned.station];
        ExportSupply supply{{}, graph.GetStations()[planned.collector].node->name, UNBOUNDED};
        for (const auto* station : {&from, &graph.GetStations()[planned.collector]})
        {
            for (const auto& way : station->ways)
            {
                domains.insert(graph.GetDomain(way.state));
                links.insert(way.link < 0 ? -1 - states[way.state].node : way.link);
            }
        }
        for (const auto& way : from.ways)
        {
            supply.uplinks.push_back(from.host->name + ":" + way.uplink);
        }
        supplies.push_back(std::move(supply));
    }
    for (const auto& edge : boost::make_iterator_range(boost::edges(states)))
    {
        if (domains.count(graph.GetDomain(boost::source(edge, states))) > 0)
        {
            links.insert(states[edge].link);
        }
    }
    return FindExportFlow(scenario, supplies, [&](int link) {
        return links.count(link) == 0 ? 0
               : !scenario.links[link].isContended
                   ? UNBOUNDED
                   : static_cast<int64_t>(scenario.links[link].rate.GetBitRate());
    });
}

} // namespace esxnf
