// SPDX-License-Identifier: GPL-2.0-only
#include "runner/topology.h"

#include <fmt/format.h>

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

} // namespace esxnf
