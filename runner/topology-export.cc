// SPDX-License-Identifier: GPL-2.0-only
// CheckExport(): from each vmknic that net-netflow would use to the collector it names.
#include "runner/export-commands.h"
#include "runner/topology.h"

#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/filtered_graph.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sstream>

namespace esxnf
{

namespace
{

using Vertex = Topology::Vertex;

std::string
Text(ns3::Ipv4Address address)
{
    std::ostringstream text;
    address.Print(text);
    return text.str();
}

/// Breadth-first from a collector against the arcs: for each vertex the arc to take towards it.
class WayTo
{
  public:
    WayTo(const TopologyGraph& graph, Vertex collector, bool alsoCutLinks)
        : m_graph(graph),
          m_collector(collector),
          m_towards(boost::num_vertices(graph))
    {
        const auto usable = [&graph, alsoCutLinks](const TopologyGraph::edge_descriptor& arc) {
            return alsoCutLinks || !graph[arc].isCut;
        };
        const std::function<bool(const TopologyGraph::edge_descriptor&)> filter = usable;
        const auto open = boost::make_filtered_graph(graph, filter);
        boost::breadth_first_search(boost::make_reverse_graph(open),
                                    collector,
                                    boost::visitor(Recorder(m_towards)));
    }

    bool Reaches(Vertex from) const
    {
        return from == m_collector || m_towards[from];
    }

    /// The links on the way from a vertex that reaches the collector.
    std::vector<int> Links(Vertex from) const
    {
        std::vector<int> links;
        for (auto at = from; at != m_collector; at = boost::target(*m_towards[at], m_graph))
        {
            if (m_graph[*m_towards[at]].link >= 0)
            {
                links.push_back(m_graph[*m_towards[at]].link);
            }
        }
        return links;
    }

  private:
    using Arcs = std::vector<std::optional<TopologyGraph::edge_descriptor>>;

    struct Recorder : boost::default_bfs_visitor
    {
        explicit Recorder(Arcs& towards)
            : towards(towards)
        {
        }

        template <typename Edge, typename Graph>
        void tree_edge(Edge edge, const Graph& reversed) // boost's name
        {
            towards[boost::target(edge, reversed)] =
                boost::get(boost::edge_underlying, reversed, edge);
        }

        Arcs& towards;
    };

    const TopologyGraph& m_graph;
    const Vertex m_collector;
    Arcs m_towards;
};

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
    explicit ExportChecker(const Topology& topology)
        : m_topology(topology),
          m_scenario(topology.GetScenario())
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
                m_collectors.emplace(Text(node.address->address), &node);
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
            // A restarted net-netflow says nothing new.
            if (m_checked.emplace(host.name, command.collector, command.port).second)
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
        const auto where = fmt::format("{} ({})", collector.name, Text(address));
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
                                    Text(own),
                                    mask.GetPrefixLength());
            if (vmknic.gateway)
            {
                Say(m_fault,
                    path,
                    fmt::format("the network of {} is routed: {}:{} sends to gateway {}, which no "
                                "node is (routers are "
                                "not yet supported)",
                                where,
                                host.name,
                                vmknic.name,
                                Text(*vmknic.gateway)));
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
        const auto from = m_topology.Find(host.name + ":" + vmknic.name);
        const auto to = m_topology.Find(collector.name);
        const auto& way = FindWay(*to, false);
        if (way.Reaches(*from))
        {
            Say(Severity::Info,
                path,
                fmt::format("{}:{} reaches {} by {}",
                            host.name,
                            vmknic.name,
                            where,
                            Names(way.Links(*from), false)));
            return;
        }
        const auto& whole = FindWay(*to, true);
        const auto why = whole.Reaches(*from)
                             ? "cut for the whole run: " + Names(whole.Links(*from), true)
                             : ExplainGap(*to, host, vmknic);
        Say(m_fault,
            path,
            fmt::format("{}:{} does not reach {}: {}", host.name, vmknic.name, where, why));
    }

    /// Names the first thing that is missing, seen from the vmknic.
    std::string ExplainGap(Vertex collector, const Host& host, const Vmknic& vmknic) const
    {
        const auto& graph = m_topology.GetGraph();
        const VSwitch* vSwitch = host.FindVSwitchOf(vmknic.portGroup);
        if (!vSwitch)
        {
            return fmt::format("no vSwitch has the port group '{}'", vmknic.portGroup);
        }
        if (vSwitch->uplinks.empty())
        {
            return fmt::format("{} has no uplink", vSwitch->name);
        }
        // where the first cable at each end leads
        const auto uplink = host.name + ":" + vSwitch->uplinks[0];
        const auto nearest = [&graph](Vertex vertex) -> std::optional<Vertex> {
            for (const auto& arc : boost::make_iterator_range(boost::out_edges(vertex, graph)))
            {
                if (graph[arc].link >= 0)
                {
                    return boost::target(arc, graph);
                }
            }
            return std::nullopt;
        };
        const auto mine = nearest(*m_topology.Find(uplink));
        const auto theirs = nearest(collector);
        if (!mine)
        {
            return fmt::format("no link is at {}", uplink);
        }
        if (!theirs)
        {
            return fmt::format("no link is at {}:eth0", graph[collector].name);
        }
        return fmt::format("no link joins {}, at {}, and {}, at {}",
                           graph[*mine].name,
                           uplink,
                           graph[*theirs].name,
                           graph[collector].name);
    }

    std::string Names(const std::vector<int>& links, bool cutOnly) const
    {
        constexpr std::size_t maxListed = 8;
        std::vector<std::string> names;
        std::size_t count = 0;
        for (const auto link : links)
        {
            if (cutOnly && !m_topology.IsCut(m_scenario.links[link]))
            {
                continue;
            }
            if (++count <= maxListed)
            {
                names.push_back(m_scenario.links[link].name);
            }
        }
        const auto more = count > maxListed ? fmt::format(" and {} more", count - maxListed) : "";
        return fmt::format("{} {}{}", count == 1 ? "link" : "links", fmt::join(names, ", "), more);
    }

    /// There are many hosts and few collectors: one search for each collector answers for all
    /// hosts.
    const WayTo& FindWay(Vertex collector, bool alsoCutLinks)
    {
        const auto key = std::pair(collector, alsoCutLinks);
        auto found = m_ways.find(key);
        if (found == m_ways.end())
        {
            found =
                m_ways.emplace(key, WayTo(m_topology.GetGraph(), collector, alsoCutLinks)).first;
        }
        return found->second;
    }

    const Topology& m_topology;
    const Scenario& m_scenario;
    Severity m_fault = Severity::Error; //!< how a line that cannot work is told
    Diagnostics m_messages;
    std::map<std::string, const Node*> m_collectors; //!< by address and by host name
    std::set<std::tuple<std::string, std::string, uint16_t>> m_checked; //!< host, collector, port
    std::map<std::pair<Vertex, bool>, WayTo> m_ways;
};

} // namespace

Diagnostics
CheckExport(const Topology& topology)
{
    return ExportChecker(topology).Check();
}

} // namespace esxnf
