// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/cabling.h"

#include <algorithm>

namespace esxnf
{

bool
CableEnd::Has(uint16_t vlan) const
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
CableEnd::Ingress(uint16_t tag) const
{
    const uint16_t vlan = tag != 0 ? tag : untagged;
    return Has(vlan) ? std::optional(vlan) : std::nullopt;
}

/// As EsxPhysicalSwitch::Send() does. \return the tag of a frame of this VLAN that goes out
std::optional<uint16_t>
CableEnd::Egress(uint16_t vlan) const
{
    if (!Has(vlan))
    {
        return std::nullopt;
    }
    return trunk && vlan != untagged ? vlan : 0;
}

Cabling::Cabling(const Scenario& scenario)
    : m_scenario(scenario)
{
    FindCuts();
    ResolveEnds();
}

const CableEnd&
Cabling::At(const Plug& plug) const
{
    return m_ends[plug.link][plug.end];
}

const std::vector<std::array<CableEnd, 2>>&
Cabling::GetEnds() const
{
    return m_ends;
}

const std::vector<Plug>&
Cabling::GetPlugs(std::size_t node) const
{
    return m_ports[node];
}

std::optional<Plug>
Cabling::FindUplink(const Host& host, const std::string& uplink) const
{
    const auto found = m_uplinks.find(host.name + ":" + uplink);
    return found == m_uplinks.end() ? std::nullopt : std::optional(found->second);
}

bool
Cabling::IsCut(int link) const
{
    return m_cut.count(link) > 0;
}

void
Cabling::FindCuts()
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

CableEnd
Cabling::Resolve(const LinkEnd& end,
                 const std::string& path,
                 const std::unordered_map<std::string, int>& nodes,
                 const std::unordered_map<std::string, const Host*>& hosts) const
{
    CableEnd made;
    made.path = path;
    if (const auto node = nodes.find(end.node); node != nodes.end())
    {
        const Node& found = m_scenario.nodes[node->second];
        made.node = node->second;
        made.interface = end.interface;
        made.kind =
            found.kind == NodeKind::Switch ? CableEnd::Kind::Switch : CableEnd::Kind::Interface;
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
                made.kind = CableEnd::Kind::Uplink;
                made.host = host->second;
                made.vSwitch = &vSwitch;
            }
        }
    }
    return made;
}

void
Cabling::ResolveEnds()
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
        auto& made = m_ends.emplace_back();
        for (const int end : {0, 1})
        {
            const Plug plug{static_cast<int>(i), end};
            const LinkEnd& written = end == 0 ? link.a : link.b;
            made[end] =
                Resolve(written, link.path + "/endpoints/" + std::to_string(end), nodes, hosts);
            if (made[end].node >= 0)
            {
                m_ports[made[end].node].push_back(plug);
            }
            else if (made[end].kind == CableEnd::Kind::Uplink)
            {
                m_uplinks.emplace(written.ToString(), plug);
            }
        }
    }
}

} // namespace esxnf
