// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/lab-check.h"
#include "runner/lab/vm-homes.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

/// An adapter's port group; null: none.
const PortGroup*
GroupOf(const Host& host, const Nic& nic)
{
    const VSwitch* const vSwitch = host.FindVSwitchOf(nic.portGroup);
    const auto isIt = [&nic](const PortGroup& each) { return each.name == nic.portGroup; };
    return vSwitch ? &*std::find_if(vSwitch->portGroups.begin(), vSwitch->portGroups.end(), isIt)
                   : nullptr;
}

/// A property of an adapter or its port group by which each packet decides; empty: none.
std::string
DecidedBy(const Host& host, const Nic& nic)
{
    const PortGroup* const group = GroupOf(host, nic);
    return nic.guestRate.GetBitRate() > 0        ? nic.portGroup + ": guest_rate makes frames wait"
           : group && group->policy->IsShaping() ? "port group " + group->name + " shapes"
           : group && group->vlan == 4095        ? "port group " + group->name + " has VLAN 4095"
                                                 : "";
}

/// A team of uplinks that looks at each frame; empty: none.
std::string
TeamOf(const Host& host, const Nic& nic)
{
    const PortGroup* const group = GroupOf(host, nic);
    return group && (group->policy->GetTeaming() == ns3::EsxPortPolicy::MAC_HASH ||
                     group->policy->GetTeaming() == ns3::EsxPortPolicy::IP_HASH)
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
    explicit FidelityCheck(const IpGraph& graph)
        : m_graph(graph),
          m_scenario(graph.GetFrames().GetScenario()),
          m_homes(m_scenario),
          m_routes(graph.GetFrames())
    {
    }

    /// The reason for which flows from one node to another go by packets; empty: none that is known
    /// before.
    std::string ReasonOf(const std::string& from, const std::string& to)
    {
        const VmHome a = m_homes.Of(from);
        const VmHome b = m_homes.Of(to);
        const VmHomes::Meeting meeting = VmHomes::Meet(a, b);
        if (meeting.isWithinVSwitch)
        {
            const std::string reason = DecidedAt(m_scenario, a, *meeting.a);
            return reason.empty() ? DecidedAt(m_scenario, b, *meeting.b) : reason;
        }
        const auto target = m_graph.AddressOf(to, from);
        const IpWay way = target ? m_graph.Follow(from, *target) : IpWay();
        const auto& interfaces = m_graph.GetInterfaces();
        std::string reason;
        for (const IpHop& hop : way.hops)
        {
            reason = reason.empty()
                         ? ReasonBetween(interfaces[hop.from].station, interfaces[hop.to].station)
                         : reason;
        }
        for (const bool isSender : {true, false})
        {
            const VmHome& home = isSender ? a : b;
            for (const Nic& nic : home.vm && !way.hops.empty() ? home.vm->nics : std::vector<Nic>())
            {
                const auto used = isSender ? way.hops.front().from : way.hops.back().to;
                if (reason.empty() && nic.path == interfaces[used].path)
                {
                    reason = isSender ? TeamOf(*home.host, nic) : "";
                    reason = reason.empty() ? DecidedAt(m_scenario, home, nic) : reason;
                }
            }
        }
        return reason;
    }

  private:
    /// Of the way between two stations of the lab.
    std::string ReasonBetween(std::size_t from, std::size_t to)
    {
        const auto route = m_routes.To(to).From(from);
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

    const IpGraph& m_graph;
    const Scenario& m_scenario;
    VmHomes m_homes;
    FrameRouteCache m_routes;
};

} // namespace

Diagnostics
CheckFidelity(const IpGraph& graph)
{
    const Scenario& scenario = graph.GetFrames().GetScenario();
    FidelityCheck check(graph);
    Diagnostics messages;
    for (const Traffic& traffic : scenario.traffic)
    {
        if (!traffic.inFlowFidelity)
        {
            continue;
        }
        std::size_t byPackets = 0;
        std::string first;
        for (const std::string& from : traffic.from)
        {
            for (const std::string& to : traffic.to)
            {
                std::string reason = check.ReasonOf(from, to);
                const bool answers = traffic.isAnswered || !traffic.profile.empty();
                reason = reason.empty() && answers ? check.ReasonOf(to, from) : reason;
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
