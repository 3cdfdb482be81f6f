// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/export-flow.h"

#include <algorithm>
#include <boost/graph/boykov_kolmogorov_max_flow.hpp>

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
    long distance;
    Traits::edge_descriptor predecessor;
};

using Pipes = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, Joint, Pipe>;

class FlowNetwork
{
  public:
    FlowNetwork(const FrameGraph& graph, const std::function<int64_t(int)>& capacityOf)
        : m_graph(graph),
          m_capacityOf(capacityOf),
          m_source(boost::add_vertex(m_pipes)),
          m_sink(boost::add_vertex(m_pipes))
    {
    }

    /// The physical links that frames of these domains cross, once, whatever VLAN they are in.
    void AddLinks(const std::set<int>& domains)
    {
        const auto& states = m_graph.GetStates();
        std::set<int> added;
        for (const auto& edge : boost::make_iterator_range(boost::edges(states)))
        {
            const auto a = boost::source(edge, states);
            const auto b = boost::target(edge, states);
            const int link = states[edge].link;
            if (domains.count(m_graph.GetDomain(a)) && added.insert(link).second)
            {
                const auto capacity = m_capacityOf(link);
                Join(At(states[a].node), At(states[b].node), link, capacity, capacity);
            }
        }
    }

    void AddExport(const PlannedExport& planned, int64_t demand)
    {
        const auto host = boost::add_vertex(m_pipes);
        Join(m_source, host, -1, demand, 0);
        for (const auto& way : m_graph.GetStations()[planned.station].ways)
        {
            const auto there = At(m_graph.GetStates()[way.state].node);
            Join(host, way.link < 0 ? there : Uplink(way.link, there), -1, UNBOUNDED, 0);
        }
    }

    void AddCollector(std::size_t station)
    {
        for (const auto& way : m_graph.GetStations()[station].ways)
        {
            const auto capacity = way.link < 0 ? UNBOUNDED : m_capacityOf(way.link);
            Join(At(m_graph.GetStates()[way.state].node), m_sink, way.link, capacity, 0);
        }
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

    Vertex At(int node)
    {
        const auto found = m_vertices.find(node);
        return found != m_vertices.end()
                   ? found->second
                   : m_vertices.emplace(node, boost::add_vertex(m_pipes)).first->second;
    }

    /// Several exports may share one.
    Vertex Uplink(int link, Vertex there)
    {
        const auto found = m_uplinks.find(link);
        if (found != m_uplinks.end())
        {
            return found->second;
        }
        const auto made = boost::add_vertex(m_pipes);
        Join(made, there, link, m_capacityOf(link), 0);
        return m_uplinks.emplace(link, made).first->second;
    }

    void Join(Vertex a, Vertex b, int link, int64_t there, int64_t back)
    {
        const auto out = boost::add_edge(a, b, Pipe{link, there, 0, {}}, m_pipes).first;
        const auto in = boost::add_edge(b, a, Pipe{link, back, 0, {}}, m_pipes).first;
        m_pipes[out].reverse = in;
        m_pipes[in].reverse = out;
    }

    const FrameGraph& m_graph;
    const std::function<int64_t(int)>& m_capacityOf;
    Pipes m_pipes;
    const Vertex m_source;
    const Vertex m_sink;
    std::map<int, Vertex> m_vertices; //!< by node, or cable
    std::map<int, Vertex> m_uplinks;  //!< by link: the host's end
};

} // namespace

ExportFlow
FindExportFlow(const FrameGraph& graph,
               const std::vector<const PlannedExport*>& exports,
               const std::function<int64_t(const PlannedExport&)>& demandOf,
               const std::function<int64_t(int)>& capacityOf)
{
    FlowNetwork network(graph, capacityOf);
    std::set<std::size_t> collectors;
    std::set<int> domains;
    for (const auto* planned : exports)
    {
        collectors.insert(planned->collector);
        for (const auto& way : graph.GetStations()[planned->collector].ways)
        {
            domains.insert(graph.GetDomain(way.state));
        }
    }
    network.AddLinks(domains);
    for (const auto* planned : exports)
    {
        network.AddExport(*planned, demandOf(*planned));
    }
    for (const auto collector : collectors)
    {
        network.AddCollector(collector);
    }
    return network.Solve();
}

} // namespace esxnf
