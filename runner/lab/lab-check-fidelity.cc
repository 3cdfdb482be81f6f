// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/lab-check.h"
#include "runner/lab/vm-homes.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

/// A property of the VM's port groups by which each packet decides; empty: none.
std::string
DecidedBy(const VmHome& home)
{
    for (const Nic& nic : home.vm->nics)
    {
        const VSwitch* const vSwitch = home.host->FindVSwitchOf(nic.portGroup);
        for (const PortGroup& group : vSwitch ? vSwitch->portGroups : std::vector<PortGroup>())
        {
            const PortPolicy& policy = group.policy ? *group.policy : vSwitch->policy;
            if (group.name == nic.portGroup && policy.shaping)
            {
                return "port group " + group.name + " shapes";
            }
            if (group.name == nic.portGroup && group.vlan == 4095)
            {
                return "port group " + group.name + " has VLAN 4095";
            }
        }
    }
    return "";
}

/// The reason for which flows between two nodes go by packets; empty: none that is known before.
std::string
ReasonOf(const Scenario& scenario, const VmHome& from, const VmHome& to)
{
    if (!VmHomes::AreNeighbours(from, to))
    {
        return "frames cross links, where they wait for others";
    }
    if (from.host->netflow.meteringDelay.IsStrictlyPositive())
    {
        return "metering_delay of " + from.host->name + " depends on each";
    }
    for (const VmHome& home : {from, to})
    {
        for (const std::string& captured : scenario.outputs.pcap)
        {
            if (captured.substr(0, captured.find(':')) == home.vm->name)
            {
                return captured + " is captured";
            }
        }
        const std::string reason = DecidedBy(home);
        if (!reason.empty())
        {
            return reason;
        }
    }
    return "";
}

} // namespace

Diagnostics
CheckFidelity(const Scenario& scenario)
{
    const VmHomes homes(scenario);
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
                const std::string reason = ReasonOf(scenario, homes.Of(from), homes.Of(to));
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
