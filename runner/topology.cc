// SPDX-License-Identifier: GPL-2.0-only
#include "runner/topology.h"

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/kruskal_min_spanning_tree.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

Topology::Topology(const Scenario& scenario)
    : m_scenario(scenario)
{
    for (const auto& step : scenario.timeline)
    {
        const bool toTheEnd = !step.length || step.at + *step.length >= scenario.run.duration;
        if (step.kind == StepKind::LinkDown && step.at.IsZero() && toTheEnd)
        {
            m_cutLinks.insert(step.link);
        }
    }
    for (const auto& host : scenario.hosts)
    {
        AddHost(host);
    }
    for (const auto& node : scenario.nodes)
    {
        Add(node.kind == NodeKind::Switch ? VertexKind::Switch : VertexKind::Collector,
            node.name,
            "");
    }
    for (std::size_t i = 0; i < scenario.links.size(); ++i)
    {
        const auto& link = scenario.links[i];
        const auto a = FindEnd(link.a);
        const auto b = FindEnd(link.b);
        if (a && b)
        {
            Connect(*a, *b, {static_cast<int>(i), IsCut(link)});
        }
    }
}

const Scenario&
Topology::GetScenario() const
{
    return m_scenario;
}

const TopologyGraph&
Topology::GetGraph() const
{
    return m_graph;
}

std::optional<Topology::Vertex>
Topology::Find(const std::string& name) const
{
    const auto found = m_vertices.find(name);
    return found == m_vertices.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Topology::Vertex>
Topology::FindEnd(const LinkEnd& end) const
{
    const auto node = Find(end.node); // a switch or a collector; a host itself is no vertex
    const auto uplink = Find(end.ToString());
    if (!node && uplink && m_graph[*uplink].kind != VertexKind::Uplink)
    {
        return std::nullopt;
    }
    return node ? node : uplink;
}

bool
Topology::IsCut(const Link& link) const
{
    return m_cutLinks.count(link.name) > 0;
}

Topology::Vertex
Topology::Add(VertexKind kind, const std::string& name, const std::string& host)
{
    const auto vertex = boost::add_vertex(TopologyVertex{kind, name, host}, m_graph);
    m_vertices.emplace(name, vertex);
    return vertex;
}

void
Topology::Connect(Vertex a, Vertex b, const TopologyArc& arc)
{
    boost::add_edge(a, b, arc, m_graph);
    boost::add_edge(b, a, arc, m_graph);
}

void
Topology::AddHost(const Host& host)
{
    std::map<std::string, std::pair<Vertex, Vertex>>
        switchOf; // by port group: the two sides of its vSwitch
    for (const auto& vSwitch : host.vSwitches)
    {
        const auto name = host.name + "/" + vSwitch.name;
        const auto up = Add(VertexKind::VSwitch, name, host.name);
        const auto down = Add(VertexKind::VSwitchDown, name, host.name);
        for (const auto& uplinkName : vSwitch.uplinks)
        {
            const auto uplink = Add(VertexKind::Uplink, host.name + ":" + uplinkName, host.name);
            boost::add_edge(up, uplink, m_graph);
            boost::add_edge(uplink, down, m_graph);
        }
        for (const auto& group : vSwitch.portGroups)
        {
            switchOf.emplace(group.name, std::pair(up, down));
        }
    }
    const auto plugIn =
        [&](VertexKind kind, const std::string& name, const std::string& portGroup) {
            const auto nic = Add(kind, name, host.name);
            const auto found = switchOf.find(portGroup);
            if (found != switchOf.end())
            {
                Connect(nic, found->second.first, {});
                boost::add_edge(found->second.second, nic, m_graph);
            }
        };
    for (const auto& vmknic : host.vmknics)
    {
        plugIn(VertexKind::Vmknic, host.name + ":" + vmknic.name, vmknic.portGroup);
    }
    for (const auto& vm : host.vms)
    {
        for (std::size_t i = 0; i < vm.nics.size(); ++i)
        {
            plugIn(VertexKind::VmNic, fmt::format("{}:eth{}", vm.name, i), vm.nics[i].portGroup);
        }
    }
}

namespace
{

/// The physical switches and the links between them; an edge's weight is the link's index, so ties
/// cannot be.
using SwitchGraph = boost::adjacency_list<boost::vecS,
                                          boost::vecS,
                                          boost::undirectedS,
                                          boost::no_property,
                                          boost::property<boost::edge_weight_t, int>>;

/// The links of the tree that lead from one switch to another, which are in one component.
std::vector<int>
TreePath(const SwitchGraph& tree, std::size_t from, std::size_t to)
{
    std::vector<SwitchGraph::edge_descriptor> towards(boost::num_vertices(tree));
    auto recorder = boost::record_edge_predecessors(towards.data(), boost::on_tree_edge());
    boost::breadth_first_search(tree, from, boost::visitor(boost::make_bfs_visitor(recorder)));
    std::vector<int> links;
    for (auto at = to; at != from; at = boost::source(towards[at], tree))
    {
        links.push_back(boost::get(boost::edge_weight, tree, towards[at]));
    }
    return links;
}

} // namespace

Diagnostics
CheckLoops(const Topology& topology)
{
    constexpr std::size_t maxTold = 10;
    const auto& scenario = topology.GetScenario();
    const auto& graph = topology.GetGraph();
    SwitchGraph switches(boost::num_vertices(graph)); // same indices; other vertices stay isolated
    for (std::size_t i = 0; i < scenario.links.size(); ++i)
    {
        const auto& link = scenario.links[i];
        const auto a = topology.FindEnd(link.a);
        const auto b = topology.FindEnd(link.b);
        const bool joinsSwitches =
            a && b && graph[*a].kind == VertexKind::Switch && graph[*b].kind == VertexKind::Switch;
        if (joinsSwitches && !topology.IsCut(link))
        {
            boost::add_edge(*a, *b, static_cast<int>(i), switches);
        }
    }
    std::vector<SwitchGraph::edge_descriptor> treeEdges;
    boost::kruskal_minimum_spanning_tree(switches, std::back_inserter(treeEdges));
    SwitchGraph tree(boost::num_vertices(graph));
    std::set<int> treeLinks;
    for (const auto& edge : treeEdges)
    {
        const auto link = boost::get(boost::edge_weight, switches, edge);
        treeLinks.insert(link);
        boost::add_edge(boost::source(edge, switches), boost::target(edge, switches), link, tree);
    }
    Diagnostics messages;
    for (const auto& edge : boost::make_iterator_range(boost::edges(switches)))
    {
        const auto closing = boost::get(boost::edge_weight, switches, edge);
        if (treeLinks.count(closing) || messages.size() == maxTold)
        {
            continue;
        }
        auto loop = TreePath(tree, boost::source(edge, switches), boost::target(edge, switches));
        loop.push_back(closing);
        std::sort(loop.begin(), loop.end());
        std::vector<std::string> names;
        for (const auto link : loop)
        {
            names.push_back(scenario.links[link].name);
        }
        messages.push_back(scenario.At(Severity::Error,
                                       scenario.links[closing].path,
                                       fmt::format("closes a loop of switches without spanning "
                                                   "tree: {}; a broadcast would circle for ever, "
                                                   "remove one of these links",
                                                   fmt::join(names, ", "))));
    }
    return messages;
}

} // namespace esxnf
