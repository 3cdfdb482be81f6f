// SPDX-License-Identifier: GPL-2.0-only
// How the graph comes about; its loops are in frame-graph-loops.cc, what is missing between two
// stations in frame-graph-faults.cc.
#include "runner/lab/frame-graph.h"

#include <algorithm>
#include <boost/graph/connected_components.hpp>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

constexpr uint16_t VGT = 4095;
constexpr uint16_t LAST_VLAN = 4094;

const PortPolicy&
PolicyOf(const Station& station)
{
    return station.group->policy ? *station.group->policy : station.vSwitch->policy;
}

/// The uplinks of a port group's team; the standby ones last.
std::vector<std::pair<std::string, bool>>
TeamOf(const Station& station)
{
    const auto& policy = PolicyOf(station);
    std::vector<std::pair<std::string, bool>> team;
    const auto isStandby = [&](const std::string& uplink) {
        return std::count(policy.standby.begin(), policy.standby.end(), uplink) > 0;
    };
    for (const auto& uplink : policy.active.empty() ? station.vSwitch->uplinks : policy.active)
    {
        if (!isStandby(uplink))
        {
            team.emplace_back(uplink, false);
        }
    }
    for (const auto& uplink : policy.standby)
    {
        team.emplace_back(uplink, true);
    }
    return team;
}

} // namespace

uint16_t
Station::GetTag() const
{
    return group && group->vlan != VGT ? group->vlan : 0;
}

std::string
Station::GetPath() const
{
    return group ? group->path : collector->path;
}

std::string
Station::GetName() const
{
    return group ? fmt::format("port group {} of {}", group->name, host->name) : collector->name;
}

bool
FrameGraph::End::Has(uint16_t vlan) const
{
    if (!trunk)
    {
        return vlan == untagged;
    }
    return allowed.empty() ? vlan >= 1 && vlan <= LAST_VLAN
                           : std::binary_search(allowed.begin(), allowed.end(), vlan);
}

/// As EsxPhysicalSwitch::Classify() does. \return the VLAN of a frame that comes in with this tag
std::optional<uint16_t>
FrameGraph::End::Ingress(uint16_t tag) const
{
    const uint16_t vlan = tag != 0 ? tag : untagged;
    return Has(vlan) ? std::optional(vlan) : std::nullopt;
}

/// As EsxPhysicalSwitch::Send() does. \return the tag of a frame of this VLAN that goes out
std::optional<uint16_t>
FrameGraph::End::Egress(uint16_t vlan) const
{
    if (!Has(vlan))
    {
        return std::nullopt;
    }
    return trunk && vlan != untagged ? vlan : 0;
}

FrameGraph::FrameGraph(const Scenario& scenario)
    : m_scenario(scenario)
{
    FindCuts();
    ResolveEnds();
    AddStations();
    SeedVlans();
    Grow();
    FindLoops();
    FindDomains();
}

const Scenario&
FrameGraph::GetScenario() const
{
    return m_scenario;
}

const std::vector<Station>&
FrameGraph::GetStations() const
{
    return m_stations;
}

const FrameStates&
FrameGraph::GetStates() const
{
    return m_states;
}

const std::vector<FrameLoop>&
FrameGraph::GetLoops() const
{
    return m_loops;
}

bool
FrameGraph::IsBlocked(int link) const
{
    return m_blocked.count(link) > 0;
}

bool
FrameGraph::IsCut(int link) const
{
    return m_cut.count(link) > 0;
}

bool
FrameGraph::IsOpen(int link) const
{
    return !IsCut(link) && !IsBlocked(link);
}

int
FrameGraph::GetDomain(Vertex state) const
{
    return m_domains[state];
}

const std::map<int, uint16_t>&
FrameGraph::GetOneWayLinks() const
{
    return m_oneWay;
}

void
FrameGraph::FindCuts()
{
    std::set<std::string> names;
    for (const auto& step : m_scenario.timeline)
    {
        const bool toTheEnd = !step.length || step.at + *step.length >= m_scenario.run.duration;
        if (step.kind == StepKind::LinkDown && step.at.IsZero() && toTheEnd)
        {
            names.insert(step.link);
        }
    }
    for (std::size_t i = 0; i < m_scenario.links.size(); ++i)
    {
        if (names.count(m_scenario.links[i].name))
        {
            m_cut.insert(static_cast<int>(i));
        }
    }
}

FrameGraph::End
FrameGraph::Resolve(const LinkEnd& end,
                    const std::string& path,
                    const std::unordered_map<std::string, int>& nodes,
                    const std::unordered_map<std::string, const Host*>& hosts) const
{
    End made;
    made.path = path;
    if (const auto node = nodes.find(end.node); node != nodes.end())
    {
        const Node& found = m_scenario.nodes[node->second];
        made.node = node->second;
        made.kind = found.kind == NodeKind::Switch ? End::Kind::Switch : End::Kind::Collector;
        for (const auto& port : found.ports)
        {
            if (port.name == end.interface)
            {
                made.trunk = port.trunk;
                made.untagged = port.trunk ? port.native : port.vlan;
                made.allowed = port.allowed;
                std::sort(made.allowed.begin(), made.allowed.end());
                made.path = port.path;
            }
        }
    }
    else if (const auto host = hosts.find(end.node); host != hosts.end())
    {
        for (const auto& vSwitch : host->second->vSwitches)
        {
            const auto& uplinks = vSwitch.uplinks;
            if (std::find(uplinks.begin(), uplinks.end(), end.interface) != uplinks.end())
            {
                made.kind = End::Kind::Uplink;
                made.host = host->second;
                made.vSwitch = &vSwitch;
            }
        }
    }
    return made;
}

void
FrameGraph::ResolveEnds()
{
    std::unordered_map<std::string, int> nodes;
    std::unordered_map<std::string, const Host*> hosts;
    for (std::size_t i = 0; i < m_scenario.nodes.size(); ++i)
    {
        nodes.emplace(m_scenario.nodes[i].name, static_cast<int>(i));
    }
    for (const auto& host : m_scenario.hosts)
    {
        hosts.emplace(host.name, &host);
    }
    m_ports.resize(m_scenario.nodes.size());
    for (std::size_t i = 0; i < m_scenario.links.size(); ++i)
    {
        const auto& link = m_scenario.links[i];
        LinkEnds made;
        for (const int end : {0, 1})
        {
            const Plug plug{static_cast<int>(i), end};
            const LinkEnd& written = end == 0 ? link.a : link.b;
            made.ends[end] =
                Resolve(written, link.path + "/endpoints/" + std::to_string(end), nodes, hosts);
            if (made.ends[end].node >= 0)
            {
                m_ports[made.ends[end].node].push_back(plug);
            }
            else if (made.ends[end].kind == End::Kind::Uplink)
            {
                m_uplinks.emplace(written.ToString(), plug);
            }
        }
        m_links.push_back(std::move(made));
    }
}

void
FrameGraph::AddStations()
{
    for (const auto& host : m_scenario.hosts)
    {
        for (const auto& vSwitch : host.vSwitches)
        {
            for (const auto& group : vSwitch.portGroups)
            {
                m_groups.emplace(std::pair(&vSwitch, group.name), m_stations.size());
                m_stations.push_back({&host, &vSwitch, &group, nullptr, {}});
            }
        }
    }
    for (const auto& node : m_scenario.nodes)
    {
        if (node.kind == NodeKind::Collector)
        {
            m_collectors.emplace(node.name, m_stations.size());
            m_stations.push_back({nullptr, nullptr, nullptr, &node, {}});
        }
    }
    for (auto& station : m_stations)
    {
        Attach(station);
    }
}

void
FrameGraph::Attach(Station& station)
{
    if (station.collector)
    {
        for (const auto& plug : m_ports[station.collector - m_scenario.nodes.data()])
        {
            AttachBy(station, "", plug, false);
        }
        return;
    }
    for (const auto& [uplink, standby] : TeamOf(station))
    {
        const auto plug = m_uplinks.find(station.host->name + ":" + uplink);
        if (plug != m_uplinks.end())
        {
            AttachBy(station, uplink, plug->second, standby);
        }
    }
}

/// A station is at a state if frames get there and back.
void
FrameGraph::AttachBy(Station& station, const std::string& uplink, const Plug& plug, bool standby)
{
    const End& other = m_links[plug.link].ends[1 - plug.end];
    const uint16_t tag = station.GetTag();
    if (IsCut(plug.link) || other.kind == End::Kind::Nothing)
    {
        return;
    }
    if (other.kind != End::Kind::Switch) // a cable without a switch: counted once, at its first end
    {
        const int link = plug.end == 0 ? plug.link : -1;
        station.ways.push_back({uplink, link, At(-1 - plug.link, tag), standby});
        return;
    }
    const auto vlan = other.Ingress(tag);
    if (vlan && other.Egress(*vlan) == tag)
    {
        station.ways.push_back({uplink, plug.link, At(other.node, *vlan), standby});
    }
}

/// A loop is a fault also where nobody is yet: each port's own VLAN is looked at; and all VLANs
/// where guests may set tags: those that the lab names, and one that stands for all others.
void
FrameGraph::SeedVlans()
{
    std::set<uint16_t> named;
    for (const auto& link : m_links)
    {
        for (const auto& end : link.ends)
        {
            if (end.kind == End::Kind::Switch)
            {
                At(end.node, end.untagged);
                named.insert(end.untagged);
                named.insert(end.allowed.begin(), end.allowed.end());
            }
        }
    }
    const auto isVgt = [](const Station& station) {
        return station.group && station.group->vlan == VGT;
    };
    if (std::none_of(m_stations.begin(), m_stations.end(), isVgt))
    {
        return;
    }
    uint16_t other = 1;
    while (named.count(other))
    {
        ++other;
    }
    named.insert(std::min(other, LAST_VLAN));
    for (const auto& station : m_stations)
    {
        for (const auto& [uplink, standby] :
             isVgt(station) ? TeamOf(station) : std::vector<std::pair<std::string, bool>>())
        {
            const auto plug = m_uplinks.find(station.host->name + ":" + uplink);
            if (plug == m_uplinks.end() || IsCut(plug->second.link))
            {
                continue;
            }
            const End& outside = m_links[plug->second.link].ends[1 - plug->second.end];
            for (const uint16_t vlan : named)
            {
                if (outside.kind == End::Kind::Switch && outside.Has(vlan))
                {
                    At(outside.node, vlan);
                }
            }
        }
    }
}

FrameGraph::Vertex
FrameGraph::At(int node, uint16_t vlan)
{
    const auto key = static_cast<int64_t>(node) * (VGT + 1) + vlan;
    const auto found = m_stateOf.find(key);
    if (found != m_stateOf.end())
    {
        return found->second;
    }
    const auto made = boost::add_vertex(FrameState{node, vlan}, m_states);
    m_stateOf.emplace(key, made);
    return made;
}

/// From each state over its links, as a flood does; what is found is grown from, too.
void
FrameGraph::Grow()
{
    for (Vertex state = 0; state < boost::num_vertices(m_states); ++state)
    {
        if (m_states[state].node >= 0)
        {
            GrowFrom(state);
        }
    }
}

void
FrameGraph::GrowFrom(Vertex state)
{
    const auto [node, vlan] = m_states[state]; // by value: At() moves states
    for (const auto& plug : m_ports[node])
    {
        const End& mine = m_links[plug.link].ends[plug.end];
        const End& other = m_links[plug.link].ends[1 - plug.end];
        const auto tag = mine.Egress(vlan);
        if (!tag || other.kind != End::Kind::Switch || IsCut(plug.link))
        {
            continue;
        }
        const auto there = other.Ingress(*tag);
        if (!there)
        {
            continue;
        }
        const auto tagBack = other.Egress(*there);
        if (!tagBack || mine.Ingress(*tagBack) != vlan)
        {
            m_oneWay.emplace(plug.link, vlan);
            At(other.node, *there);
        }
        else
        {
            const auto far = At(other.node, *there);
            if (plug.end == 0) // once for both directions
            {
                boost::add_edge(state, far, FrameEdge{plug.link}, m_states);
            }
        }
    }
}

void
FrameGraph::FindDomains()
{
    m_domains.resize(boost::num_vertices(m_states));
    boost::connected_components(
        m_states,
        boost::make_iterator_property_map(m_domains.begin(),
                                          boost::get(boost::vertex_index, m_states)));
}

std::optional<std::size_t>
FrameGraph::FindGroup(const Host& host, const std::string& portGroup) const
{
    const VSwitch* vSwitch = host.FindVSwitchOf(portGroup);
    const auto found = m_groups.find(std::pair(vSwitch, portGroup));
    return found == m_groups.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t>
FrameGraph::FindCollector(const std::string& name) const
{
    const auto found = m_collectors.find(name);
    return found == m_collectors.end() ? std::nullopt : std::optional(found->second);
}

/// All cables at a station: a port group's are those of its vSwitch, in its team or not.
std::vector<FrameGraph::Plug>
FrameGraph::GetPlugs(const Station& station) const
{
    if (station.collector)
    {
        return m_ports[station.collector - m_scenario.nodes.data()];
    }
    std::vector<Plug> plugs;
    for (const auto& uplink : station.vSwitch->uplinks)
    {
        const auto plug = m_uplinks.find(station.host->name + ":" + uplink);
        if (plug != m_uplinks.end())
        {
            plugs.push_back(plug->second);
        }
    }
    return plugs;
}

bool
FrameGraph::IsUnplugged(const Station& station) const
{
    return GetPlugs(station).empty();
}

bool
FrameGraph::Joins(std::size_t a, std::size_t b) const
{
    const Station& one = m_stations[a];
    const Station& other = m_stations[b];
    if (one.vSwitch && one.vSwitch == other.vSwitch && one.GetTag() == other.GetTag())
    {
        return true;
    }
    return std::any_of(one.ways.begin(), one.ways.end(), [&](const auto& way) {
        return std::any_of(other.ways.begin(), other.ways.end(), [&](const auto& back) {
            return m_domains[way.state] == m_domains[back.state];
        });
    });
}

} // namespace esxnf
