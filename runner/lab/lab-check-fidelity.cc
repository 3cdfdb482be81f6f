// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/lab-check.h"
#include "runner/lab/vm-homes.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

/// An adapter's port group and its policy; null: none.
std::pair<const PortGroup*, const PortPolicy*>
GroupOf(const Host& host, const Nic& nic)
{
    const VSwitch* const vSwitch = host.FindVSwitchOf(nic.portGroup);
    if (!vSwitch)
    {
        return {};
    }
    const auto& groups = vSwitch->portGroups;
    const auto group = std::find_if(groups.begin(), groups.end(), [&nic](const PortGroup& each) {
        return each.name == nic.portGroup;
    });
    return group == groups.end()
               ? std::pair<const PortGroup*, const PortPolicy*>()
               : std::pair(&*group, group->policy ? &*group->policy : &vSwitch->policy);
}

/// A property of an adapter or its port group by which each packet decides; empty: none.
std::string
DecidedBy(const Host& host, const Nic& nic)
{
    const auto [group, policy] = GroupOf(host, nic);
    return nic.guestRate.GetBitRate() > 0 ? nic.portGroup + ": guest_rate makes frames wait"
           : group && policy->shaping     ? "port group " + group->name + " shapes"
           : group && group->vlan == 4095 ? "port group " + group->name + " has VLAN 4095"
                                          : "";
}

/// A team of uplinks that looks at each frame; empty: none.
std::string
TeamOf(const Host& host, const Nic& nic)
{
    const auto [group, policy] = GroupOf(host, nic);
    return group && (policy->teaming == "MacHash" || policy->teaming == "IpHash")
               ? "port group " + group->name + " chooses an uplink for each frame"
               : "";
}

/// Something at an adapter or its host by which each packet decides, or that sees each.
std::string
DecidedAt(const Scenario& scenario, const VmHome& home, const Nic& nic)
{
    if (home.host->netflow.meteringDelay.IsStrictlyPositive())
    {
        return "metering_delay of " + home.host->name + " depends on each";
    }
    for (const std::string& captured : scenario.outputs.pcap)
    {
        if (captured.substr(0, captured.find(':')) == home.vm->name)
        {
            return captured + " is captured";
        }
    }
    return DecidedBy(*home.host, nic);
}

/// Tells why flows go by packets.
class FidelityCheck
{
  public:
    explicit FidelityCheck(const FrameGraph& graph)
        : m_graph(graph),
          m_scenario(graph.GetScenario()),
          m_homes(m_scenario),
          m_routes(graph)
    {
    }

    /// The reason for which flows between two nodes go by packets; empty: none that is known
    /// before.
    std::string ReasonOf(const std::string& from, const std::string& to)
    {
        const VmHome a = m_homes.Of(from);
        const VmHome b = m_homes.Of(to);
        const VmHomes::Meeting meeting = VmHomes::Meet(a, b);
        const Nic* const mine = b.vm ? meeting.a : NicTowards(a, to);
        if (!a.vm || !mine)
        {
            return a.vm ? "frames pass routers, or are for an internet" : from + " is no VM";
        }
        std::string reason;
        if (!meeting.isWithinVSwitch)
        {
            reason = TeamOf(*a.host, *mine);
        }
        if (!meeting.isWithinVSwitch && reason.empty())
        {
            reason = ReasonBetween(m_graph.FindGroup(*a.host, mine->portGroup),
                                   b.vm ? m_graph.FindGroup(*b.host, meeting.b->portGroup)
                                        : m_graph.FindNode(to));
        }
        reason = reason.empty() ? DecidedAt(m_scenario, a, *mine) : reason;
        return reason.empty() && b.vm ? DecidedAt(m_scenario, b, *meeting.b) : reason;
    }

  private:
    /// The adapter of a VM on the network of a server; null: none.
    const Nic* NicTowards(const VmHome& from, const std::string& name) const
    {
        if (!from.vm)
        {
            return nullptr;
        }
        for (const Node& node : m_scenario.nodes)
        {
            for (const Nic& nic : from.vm->nics)
            {
                if (node.name == name && node.kind != NodeKind::Internet && node.address &&
                    nic.address.SharesNetworkWith(node.address->address))
                {
                    return &nic;
                }
            }
        }
        return nullptr;
    }

    /// Of the way between two stations of the lab.
    std::string ReasonBetween(std::optional<std::size_t> from, std::optional<std::size_t> to)
    {
        const auto route = from && to ? m_routes.To(*to).From(*from) : std::nullopt;
        for (const int index : route ? route->links : std::vector<int>())
        {
            const Link& link = m_scenario.links[index];
            if (link.isContended)
            {
                return "frames cross links, where they wait for others: " + link.name;
            }
            for (const std::string& captured : m_scenario.outputs.pcap)
            {
                if (captured == link.name || captured == link.a.ToString() ||
                    captured == link.b.ToString())
                {
                    return captured + " is captured";
                }
            }
        }
        return m_scenario.run.staticArp ? ""
                                        : "physical switches forget addresses: no 'arp: static'";
    }

    const FrameGraph& m_graph;
    const Scenario& m_scenario;
    VmHomes m_homes;
    FrameRouteCache m_routes;
};

} // namespace

Diagnostics
CheckFidelity(const FrameGraph& graph)
{
    const Scenario& scenario = graph.GetScenario();
    FidelityCheck check(graph);
    Diagnostics messages;
    for (const Traffic& traffic : scenario.traffic)
    {
        if (traffic.fidelity != "flow")
        {
            continue;
        }
        std::size_t byPackets = 0;
        std::string first;
        for (const std::string& from : traffic.from)
        {
            for (const std::string& to : traffic.to)
            {
                const std::string reason = check.ReasonOf(from, to);
                byPackets += reason.empty() ? 0 : 1;
                if (first.empty() && !reason.empty())
                {
                    first = fmt::format("{} to {}: {}", from, to, reason);
                }
            }
        }
        if (byPackets > 0)
        {
            messages.push_back(scenario.At(
                Severity::Info,
                traffic.path,
                fmt::format(
                    "'fidelity: flow': {} of {} pairs of sender and receiver go by packets ({})",
                    byPackets,
                    traffic.from.size() * traffic.to.size(),
                    first)));
        }
    }
    return messages;
}

} // namespace esxnf
