// SPDX-License-Identifier: GPL-2.0-only
// CheckExport(): from each vmknic that net-netflow would use to the collector it names.
#include "netflow/v5-codec.h"
#include "runner/lab/export-commands.h"
#include "runner/lab/frame-route.h"
#include "runner/lab/lab-check.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

namespace
{

/// 24 + 30 * 48 octets of NetFlow, 28 of UDP and IPv4; 18 of Ethernet.
constexpr uint32_t FULL_DATAGRAM = netflow::V5_MAX_OCTETS + 28;
constexpr uint32_t FULL_DATAGRAM_FRAME = FULL_DATAGRAM + 18;

/// 30500 ns -> "30.5us"
std::string
Short(ns3::Time time)
{
    const auto ns = static_cast<double>(time.GetNanoSeconds());
    return ns < 1e3   ? fmt::format("{}ns", ns)
           : ns < 1e6 ? fmt::format("{:.5g}us", ns / 1e3)
           : ns < 1e9 ? fmt::format("{:.5g}ms", ns / 1e6)
                      : fmt::format("{:.5g}s", ns / 1e9);
}

/// Host names have no case.
std::string
LowerCase(std::string text)
{
    for (char& c : text)
    {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return text;
}

class ExportChecker
{
  public:
    ExportChecker(const IpGraph& addresses, Json* routed)
        : m_addresses(addresses),
          m_routed(routed),
          m_graph(addresses.GetFrames()),
          m_scenario(m_graph.GetScenario()),
          m_routes(m_graph)
    {
    }

    Diagnostics Check()
    {
        std::map<std::string, const Host*> hosts;
        for (const auto& host : m_scenario.hosts)
        {
            hosts.emplace(host.name, &host);
        }
        for (const auto& node : m_scenario.nodes)
        {
            if (node.kind == NodeKind::Collector && node.address)
            {
                m_collectors.emplace(ns3::EsxAddressKey(node.address->address), &node);
                for (const auto& name : node.names)
                {
                    m_collectors.emplace(LowerCase(name), &node);
                }
            }
        }
        for (const auto& step : m_scenario.timeline)
        {
            const auto host = hosts.find(step.host);
            if (step.kind == StepKind::Console && host != hosts.end())
            {
                CheckLine(*host->second, step);
            }
        }
        return std::move(m_messages);
    }

  private:
    void Say(Severity severity, const std::string& path, const std::string& what)
    {
        m_messages.push_back(m_scenario.At(severity, path, what));
    }

    void CheckLine(const Host& host, const TimelineStep& step)
    {
        for (const auto& command : FindExportCommands(step.command))
        {
            // A restarted net-netflow says nothing new, and one that cannot start reaches nobody.
            if (UnknownVSwitches(host, command.vSwitches).empty() &&
                m_checked.emplace(host.name, command.collector, command.port).second)
            {
                // A line that is judged by its own "expect" may be one that is meant to fail.
                m_fault = step.expect ? Severity::Warning : Severity::Error;
                CheckTarget(host, command.collector, command.port, step.path + "/run");
            }
        }
    }

    void CheckTarget(const Host& host,
                     const std::string& name,
                     uint16_t port,
                     const std::string& path)
    {
        const auto found = m_collectors.find(LowerCase(name));
        if (found == m_collectors.end())
        {
            std::vector<std::string> known;
            for (const auto& collector : m_collectors)
            {
                known.push_back(collector.first);
            }
            Say(m_fault,
                path,
                fmt::format("no collector has the address {}; {}", name, Suggest(name, known)));
            return;
        }
        const Node& collector = *found->second;
        if (port != collector.listen)
        {
            Say(Severity::Warning,
                path,
                fmt::format("sends to port {}, and {} listens on port {}",
                            port,
                            collector.name,
                            collector.listen));
        }
        CheckNetwork(host, collector, path);
    }

    /// "a VMkernel virtual interface (vmknic) exists on the network where your collector is
    /// located"
    void CheckNetwork(const Host& host, const Node& collector, const std::string& path)
    {
        const auto address = collector.address->address;
        const auto where = fmt::format("{} ({})", collector.name, ns3::EsxDotted(address));
        if (host.vmknics.empty())
        {
            Say(m_fault,
                path,
                fmt::format("{} has no vmknic: net-netflow needs a VMkernel virtual interface on "
                            "the network where the "
                            "collector {} is located",
                            host.name,
                            where));
            return;
        }
        for (const auto& vmknic : host.vmknics)
        {
            if (vmknic.address.SharesNetworkWith(address))
            {
                CheckWay(host, vmknic, collector, where + " on its own network", path);
                return;
            }
        }
        std::string networks;
        for (const auto& vmknic : host.vmknics)
        {
            const auto& [own, mask] = vmknic.address;
            networks += fmt::format("{}{} {}/{}",
                                    networks.empty() ? "" : ", ",
                                    vmknic.name,
                                    ns3::EsxDotted(own),
                                    mask.GetPrefixLength());
            if (vmknic.gateway)
            {
                CheckRoute(host, collector, where, path);
                return;
            }
        }
        Say(m_fault,
            path,
            fmt::format(
                "no route from {} to {}: no vmknic is on its network ({}) and none has a gateway",
                host.name,
                where,
                networks));
    }

    void CheckWay(const Host& host,
                  const Vmknic& vmknic,
                  const Node& collector,
                  const std::string& where,
                  const std::string& path)
    {
        const auto from = m_graph.FindGroup(host, vmknic.portGroup);
        const auto to = m_graph.FindNode(collector.name);
        const auto name = host.name + ":" + vmknic.name;
        if (from && to && m_graph.Joins(*from, *to))
        {
            const FrameRoute route = *m_routes.To(*to).From(*from);
            Say(Severity::Info,
                path,
                fmt::format("{} reaches {} by {}, one way in {} and a full datagram in {}",
                            name,
                            where,
                            Names(route.links),
                            Short(route.GetDelay(m_scenario)),
                            Short(route.GetDelayOf(m_scenario, FULL_DATAGRAM_FRAME))));
            return;
        }
        const auto faults = from && to ? m_graph.Explain(*from, *to) : std::nullopt;
        std::vector<std::string> why;
        for (const auto& fault : faults.value_or(std::vector<FrameFault>()))
        {
            why.push_back(fault.what);
        }
        if (why.empty())
        {
            why.push_back(ExplainGap(collector, host, vmknic));
        }
        Say(m_fault,
            path,
            fmt::format("{} does not reach {}: {}", name, where, fmt::join(why, "; ")));
    }

    /// Over routers, there and back; ICMP errors come back.
    void CheckRoute(const Host& host,
                    const Node& collector,
                    const std::string& where,
                    const std::string& path)
    {
        const auto way = m_addresses.Follow(host.name, collector.address->address);
        if (!way.fault.empty())
        {
            Say(m_fault,
                path,
                fmt::format("{} does not reach {}: {}", host.name, where, way.fault));
            return;
        }
        const auto& first = m_addresses.GetInterfaces()[way.hops.front().from];
        const auto back = m_addresses.Follow(collector.name, first.address.address);
        if (!back.fault.empty())
        {
            Say(Severity::Warning,
                path,
                fmt::format("there is no way back from {} to {}: {}",
                            collector.name,
                            first.name,
                            back.fault));
        }
        TellRoute(way, first.name, where, path);
        if (m_routed)
        {
            m_routed->back()["host"] = host.name;
            m_routed->back()["vmknic"] = first.name.substr(host.name.size() + 1);
            m_routed->back()["collector"] = collector.name;
        }
    }

    void TellRoute(const IpWay& way,
                   const std::string& from,
                   const std::string& where,
                   const std::string& path)
    {
        FrameRoute whole;
        std::vector<std::string> routers;
        std::vector<std::string> critical; // what fails alone
        for (const auto& [out, in] : way.hops)
        {
            const auto& sender = m_addresses.GetInterfaces()[out];
            const auto& receiver = m_addresses.GetInterfaces()[in];
            if (sender.router)
            {
                routers.push_back(sender.owner);
                critical.push_back(sender.owner);
            }
            if (sender.mtu < FULL_DATAGRAM)
            {
                Say(Severity::Warning,
                    sender.path,
                    fmt::format("a full datagram ({} octets) to {} is fragmented here, as the MTU "
                                "is {}; with DF it would be lost",
                                FULL_DATAGRAM,
                                where,
                                sender.mtu));
            }
            const auto part = m_routes.To(receiver.station).From(sender.station);
            if (part)
            {
                whole.links.insert(whole.links.end(), part->links.begin(), part->links.end());
            }
            PlannedExport planned{};
            planned.station = sender.station;
            planned.collector = receiver.station;
            const auto alone = SinglePointsOfFailure(m_graph, {planned}).at(0);
            critical.insert(critical.end(), alone.begin(), alone.end());
        }
        Say(Severity::Info,
            path,
            fmt::format("{} reaches {} over {} by {}, one way in {} and a full datagram in {}{}",
                        from,
                        where,
                        fmt::join(routers, ", "),
                        Names(whole.links),
                        Short(whole.GetDelay(m_scenario)),
                        Short(whole.GetDelayOf(m_scenario, FULL_DATAGRAM_FRAME)),
                        Narrowest(whole.links)));
        if (m_routed)
        {
            std::vector<std::string> links;
            for (const int link : whole.links)
            {
                links.push_back(m_scenario.links[link].name);
            }
            m_routed->push_back({{"routers", routers},
                                 {"links", links},
                                 {"delay_ns", whole.GetDelay(m_scenario).GetNanoSeconds()},
                                 {"single_points_of_failure", critical}});
        }
        Say(Severity::Info,
            path,
            fmt::format("alone cut {} off from {}: {}", from, where, fmt::join(critical, ", ")));
    }

    std::string Narrowest(const std::vector<int>& links) const
    {
        const auto slower = [this](int a, int b) {
            const Link& one = m_scenario.links[a];
            const Link& other = m_scenario.links[b];
            return one.isContended && (!other.isContended || one.rate < other.rate);
        };
        const auto least = std::min_element(links.begin(), links.end(), slower);
        const bool isBound = least != links.end() && m_scenario.links[*least].isContended;
        return !isBound ? ""
                        : fmt::format("; the narrowest link is {}, {} kbit/s",
                                      m_scenario.links[*least].name,
                                      m_scenario.links[*least].rate.GetBitRate() / 1e3);
    }

    /// Names the first thing that is missing, seen from the vmknic.
    std::string ExplainGap(const Node& collector, const Host& host, const Vmknic& vmknic) const
    {
        const VSwitch* vSwitch = host.FindVSwitchOf(vmknic.portGroup);
        if (!vSwitch)
        {
            return fmt::format("no vSwitch has the port group '{}'", vmknic.portGroup);
        }
        if (vSwitch->uplinks.empty())
        {
            return fmt::format("{} has no uplink", vSwitch->name);
        }
        const auto uplink = host.name + ":" + vSwitch->uplinks[0];
        const auto mine = Neighbour(uplink);
        const auto theirs = Neighbour(collector.name + ":eth0");
        if (mine.empty())
        {
            return fmt::format("no link is at {}", uplink);
        }
        if (theirs.empty())
        {
            return fmt::format("no link is at {}:eth0", collector.name);
        }
        return fmt::format("no link joins {}, at {}, and {}, at {}",
                           mine,
                           uplink,
                           theirs,
                           collector.name);
    }

    /// \return the node that the cable at an interface leads to; empty: there is none
    std::string Neighbour(const std::string& end) const
    {
        for (const auto& link : m_scenario.links)
        {
            if (link.a.ToString() == end)
            {
                return link.b.node;
            }
            if (link.b.ToString() == end)
            {
                return link.a.node;
            }
        }
        return "";
    }

    std::string Names(const std::vector<int>& links) const
    {
        constexpr std::size_t maxListed = 8;
        std::vector<std::string> names;
        for (std::size_t i = 0; i < links.size() && i < maxListed; ++i)
        {
            names.push_back(m_scenario.links[links[i]].name);
        }
        const auto count = links.size();
        const auto more = count > maxListed ? fmt::format(" and {} more", count - maxListed) : "";
        return fmt::format("{} {}{}", count == 1 ? "link" : "links", fmt::join(names, ", "), more);
    }

    const IpGraph& m_addresses;
    Json* const m_routed;
    const FrameGraph& m_graph;
    const Scenario& m_scenario;
    Severity m_fault = Severity::Error; //!< how a line that cannot work is told
    Diagnostics m_messages;
    std::map<std::string, const Node*> m_collectors; //!< by address and by host name
    std::set<std::tuple<std::string, std::string, uint16_t>> m_checked; //!< host, collector, port
    FrameRouteCache m_routes;
};

} // namespace

Diagnostics
CheckExport(const IpGraph& graph, Json* routed)
{
    return ExportChecker(graph, routed).Check();
}

} // namespace esxnf
