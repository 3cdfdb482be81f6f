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

/// The uplinks of a port group's team; the standby ones last.
std::vector<std::pair<std::string, bool>>
TeamOf(const Station& station)
{
    const auto active = station.group->policy->GetActiveUplinks();
    const auto standby = station.group->policy->GetStandbyUplinks();
    std::vector<std::pair<std::string, bool>> team;
    const auto isStandby = [&](const std::string& uplink) {
        return std::count(standby.begin(), standby.end(), uplink) > 0;
    };
    for (const auto& uplink : active.empty() ? station.vSwitch->uplinks : active)
    {
        if (!isStandby(uplink))
        {
            team.emplace_back(uplink, false);
        }
    }
    for (const auto& uplink : standby)
    {
        team.emplace_back(uplink, true);
    }
    return team;
}

} // namespace

uint16_t
Station::GetTag() const
{
    return interface ? interface->GetVlan() : group && group->vlan != VGT ? group->vlan : 0;
}

std::string
Station::GetPath() const
{
    return group ? group->path : interface ? interface->path : node->path;
}

std::string
Station::GetName() const
{
    return group       ? fmt::format("port group {} of {}", group->name, host->name)
           : interface ? node->name + ":" + interface->name
                       : node->name;
}

bool
Station::IsAt(const Scenario& scenario, const CableEnd& end) const
{
    return node && end.node == node - scenario.nodes.data() &&
           (!interface || interface->GetPort() == end.interface);
}

FrameGraph::FrameGraph(const Scenario& scenario)
    : m_scenario(scenario),
      m_cabling(scenario)
{
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
    return m_cabling.IsCut(link);
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
FrameGraph::AddStations()
{
    for (const auto& host : m_scenario.hosts)
    {
        for (const auto& vSwitch : host.vSwitches)
        {
            for (const auto& group : vSwitch.portGroups)
            {
                m_groups.emplace(std::pair(&vSwitch, group.name), m_stations.size());
                m_stations.push_back({&host, &vSwitch, &group, nullptr, nullptr, {}});
            }
        }
    }
    for (const auto& node : m_scenario.nodes)
    {
        if (node.address)
        {
            m_nodes.emplace(node.name, m_stations.size());
            m_stations.push_back({nullptr, nullptr, nullptr, &node, nullptr, {}});
        }
        for (const auto& interface : node.interfaces)
        {
            m_nodes.emplace(node.name + ":" + interface.name, m_stations.size());
            m_stations.push_back({nullptr, nullptr, nullptr, &node, &interface, {}});
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
    if (station.node)
    {
        for (const auto& plug : GetPlugs(station))
        {
            AttachBy(station, "", plug, false);
        }
        return;
    }
    for (const auto& [uplink, standby] : TeamOf(station))
    {
        if (const auto plug = m_cabling.FindUplink(*station.host, uplink))
        {
            AttachBy(station, uplink, *plug, standby);
        }
    }
}

/// A station is at a state if frames get there and back.
void
FrameGraph::AttachBy(Station& station, const std::string& uplink, const Plug& plug, bool standby)
{
    const CableEnd& other = m_cabling.At(plug.GetOther());
    const uint16_t tag = station.GetTag();
    if (IsCut(plug.link) || other.kind == CableEnd::Kind::Nothing)
    {
        return;
    }
    if (other.kind !=
        CableEnd::Kind::Switch) // a cable without a switch: counted once, at its first end
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
    for (const auto& ends : m_cabling.GetEnds())
    {
        for (const auto& end : ends)
        {
            if (end.kind == CableEnd::Kind::Switch)
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
            const auto plug = m_cabling.FindUplink(*station.host, uplink);
            if (!plug || IsCut(plug->link))
            {
                continue;
            }
            const CableEnd& outside = m_cabling.At(plug->GetOther());
            for (const uint16_t vlan : named)
            {
                if (outside.kind == CableEnd::Kind::Switch && outside.Has(vlan))
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
    for (const auto& plug : m_cabling.GetPlugs(node))
    {
        const CableEnd& mine = m_cabling.At(plug);
        const CableEnd& other = m_cabling.At(plug.GetOther());
        const auto tag = mine.Egress(vlan);
        if (!tag || other.kind != CableEnd::Kind::Switch || IsCut(plug.link))
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
FrameGraph::FindNode(const std::string& name) const
{
    const auto found = m_nodes.find(name);
    return found == m_nodes.end() ? std::nullopt : std::optional(found->second);
}

/// All cables at a station: a port group's are those of its vSwitch, in its team or not.
std::vector<Plug>
FrameGraph::GetPlugs(const Station& station) const
{
    std::vector<Plug> plugs;
    if (station.node)
    {
        for (const auto& plug : m_cabling.GetPlugs(station.node - m_scenario.nodes.data()))
        {
            if (station.IsAt(m_scenario, m_cabling.At(plug)))
            {
                plugs.push_back(plug);
            }
        }
        return plugs;
    }
    for (const auto& uplink : station.vSwitch->uplinks)
    {
        if (const auto plug = m_cabling.FindUplink(*station.host, uplink))
        {
            plugs.push_back(*plug);
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
