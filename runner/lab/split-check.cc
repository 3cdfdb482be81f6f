// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/split-check.h"

#include "runner/lab/vm-homes.h"

#include "ns3/esx-console.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

class CouplingFinder
{
  public:
    explicit CouplingFinder(const Scenario& scenario)
        : m_scenario(scenario),
          m_homes(scenario)
    {
    }

    Diagnostics Find()
    {
        if (m_scenario.hosts.empty())
        {
            Add(m_scenario.run.path, "there is no host to simulate apart");
        }
        if (!m_scenario.run.staticArp)
        {
            Add(m_scenario.run.path,
                "ARP requests of a host come to all others; 'arp: static' has none");
        }
        for (const Host& host : m_scenario.hosts)
        {
            if (host.netflow.meteringDelay.IsStrictlyPositive())
            {
                Add(host.netflow.path,
                    host.name + "'s exports wait until its guests' frames are metered "
                                "(metering_delay)");
            }
        }
        for (const Traffic& traffic : m_scenario.traffic)
        {
            Look(traffic);
        }
        for (const TimelineStep& step : m_scenario.timeline)
        {
            Look(step);
        }
        for (const Expectation& expectation : m_scenario.expect)
        {
            Look(expectation);
        }
        for (const std::string& name : m_scenario.outputs.pcap)
        {
            if (m_homes.Of(name.substr(0, name.find(':'))).host)
            {
                Add("/outputs/pcap", "the capture " + name + " is of a guest's frames");
            }
        }
        return std::move(m_couplings);
    }

  private:
    void Add(const std::string& path, const std::string& what)
    {
        m_couplings.push_back(m_scenario.At(Severity::Error, path, "cannot be split: " + what));
    }

    /// The first pair of an item that couples is enough.
    void Look(const Traffic& traffic)
    {
        for (const std::string& from : traffic.from)
        {
            for (const std::string& to : traffic.to)
            {
                const VmHome a = m_homes.Of(from);
                const VmHome b = m_homes.Of(to);
                const bool comesToNone = !b.host && (!a.host || traffic.IsOneWay());
                if (comesToNone || VmHomes::AreNeighbours(a, b))
                {
                    continue;
                }
                const auto place = [](const std::string& name, const VmHome& home) {
                    return home.host ? name + " on " + home.host->name : name;
                };
                Add(traffic.path,
                    fmt::format("{} from {} to {} comes over the network",
                                b.host ? "traffic" : "the answer to traffic",
                                place(from, a),
                                place(to, b)));
                return;
            }
        }
    }

    /// Whether physical switches, and so other hosts, hear of ports of a vSwitch.
    bool IsHeard(const VSwitch& vSwitch) const
    {
        const auto notifies = [](const PortGroup& group) {
            return group.policy->NotifiesSwitches();
        };
        return m_scenario.hosts.size() > 1 && !vSwitch.uplinks.empty() &&
               (vSwitch.policy->NotifiesSwitches() ||
                std::any_of(vSwitch.portGroups.begin(), vSwitch.portGroups.end(), notifies));
    }

    void Look(const TimelineStep& step)
    {
        switch (step.kind)
        {
        case StepKind::Console:
            for (const std::string& name : ns3::EsxConsole::GetCommandNames(true))
            {
                if (step.command.find(name) != std::string::npos)
                {
                    Add(step.path, "answers to " + name + " come back to " + step.host);
                }
            }
            break;
        case StepKind::Vmotion:
            Add(step.path, step.vm + " moves to another host");
            break;
        case StepKind::NodeDown:
            Add(step.path, step.node + " answers exports with ICMP errors while it is down");
            break;
        case StepKind::Power:
        case StepKind::Connection:
        case StepKind::MacChange:
            LookAtVm(step);
            break;
        case StepKind::LinkDown:
            LookAtTeams(step);
            LookAtSwitches(step);
            break;
        case StepKind::Press:
        case StepKind::Signal:
        case StepKind::LinkSet:
        case StepKind::MemoryPressure:
        case StepKind::NodeSet:
        case StepKind::Grow:
            break; // stays with its host or in the network
        }
    }

    void LookAtVm(const TimelineStep& step)
    {
        const VmHome home = m_homes.Of(step.vm);
        const bool appears = step.on || step.kind == StepKind::MacChange;
        const auto isHeard = [&](const Nic& nic) {
            const VSwitch* const vSwitch = home.host->FindVSwitchOf(nic.portGroup);
            return vSwitch && IsHeard(*vSwitch);
        };
        const auto isTeamed = [&](const Nic& nic) {
            const VSwitch* const vSwitch = home.host->FindVSwitchOf(nic.portGroup);
            return vSwitch && vSwitch->uplinks.size() > 1;
        };
        if (!appears && std::any_of(home.vm->nics.begin(), home.vm->nics.end(), isTeamed))
        {
            Add(step.path,
                "what is sent to " + step.vm + " then leaves " + home.host->name +
                    " by one uplink and comes back by another");
        }
        if (appears && std::any_of(home.vm->nics.begin(), home.vm->nics.end(), isHeard))
        {
            Add(step.path,
                home.host->name + " tells the network where " + step.vm +
                    " is (notify_switches), and other hosts hear it");
        }
    }

    /// Frames that a switch cannot send where they are bound go to all its other ports.
    void LookAtSwitches(const TimelineStep& step)
    {
        const auto isSwitch = [&](const LinkEnd& end) {
            return std::any_of(m_scenario.nodes.begin(),
                               m_scenario.nodes.end(),
                               [&](const Node& node) {
                                   return node.name == end.node && node.kind == NodeKind::Switch;
                               });
        };
        const auto isHost = [&](const LinkEnd& end) {
            return std::any_of(m_scenario.hosts.begin(),
                               m_scenario.hosts.end(),
                               [&](const Host& host) { return host.name == end.node; });
        };
        for (const Link& link : m_scenario.links)
        {
            if (link.name == step.link && m_scenario.hosts.size() > 1 && !isHost(link.a) &&
                !isHost(link.b) && (isSwitch(link.a) || isSwitch(link.b)))
            {
                Add(step.path,
                    "while " + step.link +
                        " is down switches flood to all hosts what was bound "
                        "there");
            }
        }
    }

    void LookAtTeams(const TimelineStep& step)
    {
        for (const Link& link : m_scenario.links)
        {
            for (const LinkEnd& end : {link.a, link.b})
            {
                for (const Host& host : m_scenario.hosts)
                {
                    for (const VSwitch& vSwitch : host.vSwitches)
                    {
                        const bool isOf = std::count(vSwitch.uplinks.begin(),
                                                     vSwitch.uplinks.end(),
                                                     end.interface) > 0;
                        if (link.name == step.link && end.node == host.name && isOf &&
                            IsHeard(vSwitch))
                        {
                            Add(step.path,
                                host.name + " tells the network that ports moved to another uplink "
                                            "(notify_switches), and other hosts hear it");
                        }
                    }
                }
            }
        }
    }

    void Look(const Expectation& expectation)
    {
        if (expectation.check == CHECK_DETERMINISTIC)
        {
            Add(expectation.path, "the second run of 'deterministic' would be split, too");
        }
        const bool readsRecords =
            expectation.check == "conservation" || expectation.metric == "netflow.residual" ||
            expectation.metric.rfind("flow.", 0) == 0 || expectation.over.rfind("flow.", 0) == 0;
        if (expectation.during && readsRecords)
        {
            Add(expectation.path, "records are known at the end only, not within a time span");
        }
    }

    const Scenario& m_scenario;
    VmHomes m_homes;
    Diagnostics m_couplings;
};

} // namespace

Diagnostics
FindCouplings(const Scenario& scenario)
{
    return CouplingFinder(scenario).Find();
}

} // namespace esxnf
