// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/ip-graph.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

namespace
{

constexpr uint16_t NODE_MTU = 1500; // of collectors, servers, internets and vmknics

/// \return whether packets for an address are at their target there
bool
Answers(const IpInterface& at, ns3::Ipv4Address to)
{
    const auto isIn = [to](const AddressPool& pool) { return pool.network.SharesNetworkWith(to); };
    return at.address.address == to ||
           (at.node && std::any_of(at.node->pools.begin(), at.node->pools.end(), isIn));
}

} // namespace

IpGraph::IpGraph(const FrameGraph& graph)
    : m_frames(graph)
{
    AddHosts();
    AddNodes();
    AddGlobalRoutes();
}

const FrameGraph&
IpGraph::GetFrames() const
{
    return m_frames;
}

const std::vector<IpInterface>&
IpGraph::GetInterfaces() const
{
    return m_interfaces;
}

const std::vector<std::size_t>&
IpGraph::GetInterfaces(const std::string& owner) const
{
    static const std::vector<std::size_t> none;
    const auto found = m_owned.find(owner);
    return found == m_owned.end() ? none : found->second;
}

const std::vector<IpRoute>&
IpGraph::GetRoutes(const std::string& router) const
{
    return m_routes.at(router);
}

void
IpGraph::Add(const std::string& owner, IpInterface interface)
{
    interface.owner = owner;
    m_byAddress.emplace(interface.address.address, m_interfaces.size());
    m_owned[owner].push_back(m_interfaces.size());
    m_interfaces.push_back(std::move(interface));
}

void
IpGraph::AddHosts()
{
    for (const auto& host : m_frames.GetScenario().hosts)
    {
        const auto add = [&](const std::string& owner,
                             const std::string& name,
                             const Nic& nic,
                             uint16_t mtu) {
            if (const auto station = m_frames.FindGroup(host, nic.portGroup))
            {
                const std::string full = owner + ":" + name;
                Add(owner, {"", full, nic.path, nic.address, nic.gateway, *station, mtu, nullptr});
            }
        };
        for (const auto& vmknic : host.vmknics)
        {
            add(host.name, vmknic.name, vmknic, NODE_MTU);
        }
        for (const auto& vm : host.vms)
        {
            for (std::size_t i = 0; i < vm.nics.size(); ++i)
            {
                add(vm.name, fmt::format("eth{}", i), vm.nics[i], vm.mtu);
            }
        }
    }
}

void
IpGraph::AddNodes()
{
    for (const auto& node : m_frames.GetScenario().nodes)
    {
        const auto station = m_frames.FindNode(node.name);
        if (station && node.address)
        {
            Add(node.name,
                {"",
                 node.name + ":eth0",
                 node.path,
                 *node.address,
                 node.gateway,
                 *station,
                 NODE_MTU,
                 nullptr,
                 &node});
        }
        if (node.kind != NodeKind::Router)
        {
            continue;
        }
        for (const auto& interface : node.interfaces)
        {
            const auto name = node.name + ":" + interface.name;
            Add(node.name,
                {"",
                 name,
                 interface.path,
                 interface.address,
                 std::nullopt,
                 *m_frames.FindNode(name),
                 interface.mtu,
                 &node,
                 &node});
        }
        auto& routes = m_routes[node.name];
        for (const auto& route : node.routes)
        {
            routes.push_back({route.to.address, route.to.mask, route.via});
        }
    }
}

/// Routers and the networks between them are vertices.
void
IpGraph::AddGlobalRoutes()
{
    using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS>;
    using Vertex = Graph::vertex_descriptor;
    Graph graph;
    std::map<std::string, Vertex> routers;
    std::vector<std::pair<Vertex, std::size_t>> networks; // with the first interface of each
    std::map<std::pair<Vertex, Vertex>, std::size_t> interfaceOf; // by network and router
    for (std::size_t i = 0; i < m_interfaces.size(); ++i)
    {
        const auto& at = m_interfaces[i];
        if (!at.router)
        {
            continue;
        }
        if (!routers.count(at.owner))
        {
            routers.emplace(at.owner, boost::add_vertex(graph));
        }
        auto network = std::find_if(networks.begin(), networks.end(), [&](const auto& known) {
            const auto& other = m_interfaces[known.second];
            return other.address.mask == at.address.mask &&
                   other.address.SharesNetworkWith(at.address.address) &&
                   m_frames.Joins(other.station, at.station);
        });
        if (network == networks.end())
        {
            network = networks.insert(network, {boost::add_vertex(graph), i});
        }
        boost::add_edge(routers.at(at.owner), network->first, graph);
        interfaceOf.emplace(std::pair(network->first, routers.at(at.owner)), i);
    }
    for (const auto& [name, router] : routers)
    {
        if (!m_interfaces[m_owned.at(name).front()].router->globalRouting)
        {
            continue;
        }
        std::vector<Vertex> before(boost::num_vertices(graph), Graph::null_vertex());
        const auto record = boost::record_predecessors(before.data(), boost::on_tree_edge());
        boost::breadth_first_search(graph, router, boost::visitor(boost::make_bfs_visitor(record)));
        for (const auto& [network, first] : networks)
        {
            Vertex next = Graph::null_vertex(); // the router that is reached first
            Vertex over = network;              // the network on which it is
            while (before[over] != Graph::null_vertex() && before[over] != router)
            {
                next = before[over];
                over = before[next];
            }
            const auto& [address, mask] = m_interfaces[first].address;
            const IpRoute route{address.CombineMask(mask), mask, {}};
            const auto isSame = [&](const IpRoute& own) {
                return own.network == route.network && own.mask == route.mask;
            };
            auto& routes = m_routes[name];
            if (next != Graph::null_vertex() && before[over] == router &&
                std::none_of(routes.begin(), routes.end(), isSame)) // its own come first
            {
                routes.push_back(route);
                routes.back().via = m_interfaces[interfaceOf.at({over, next})].address.address;
            }
        }
    }
}

/// As Ipv4StaticRouting looks routes up: the longest prefix, of equal ones the last.
std::optional<IpGraph::Step>
IpGraph::FindStep(const std::string& at, ns3::Ipv4Address to) const
{
    std::optional<Step> best;
    int longest = -1;
    const auto take = [&](const Step& step, int length) {
        if (length >= longest)
        {
            longest = length;
            best = step;
        }
    };
    const auto& own = GetInterfaces(at);
    for (const auto i : own)
    {
        const auto& [address, mask] = m_interfaces[i].address;
        if (address.CombineMask(mask) == to.CombineMask(mask))
        {
            take({i, to, true}, mask.GetPrefixLength());
        }
    }
    const auto routes = m_routes.find(at);
    for (const auto& route : routes == m_routes.end() ? std::vector<IpRoute>() : routes->second)
    {
        for (const auto i : own)
        {
            if (to.CombineMask(route.mask) == route.network &&
                m_interfaces[i].address.SharesNetworkWith(route.via))
            {
                take({i, route.via, false}, route.mask.GetPrefixLength());
                break;
            }
        }
    }
    for (const auto i : own)
    {
        if (m_interfaces[i].gateway)
        {
            take({i, *m_interfaces[i].gateway, false}, 0);
        }
    }
    return best;
}

IpWay
IpGraph::Follow(const std::string& from, ns3::Ipv4Address to) const
{
    IpWay way;
    std::vector<std::string> passed{from};
    const auto isAt = [&](std::size_t i) { return Answers(m_interfaces[i], to); };
    while (true)
    {
        const std::string& at = passed.back();
        const auto& own = GetInterfaces(at);
        if (std::any_of(own.begin(), own.end(), isAt))
        {
            return way;
        }
        const auto step = FindStep(at, to);
        if (!step || !(way.fault = FaultOf(*step, at, to)).empty())
        {
            way.fault = step ? way.fault : MissingRoute(at, to);
            return way;
        }
        const auto next = m_byAddress.at(step->next);
        const std::string& owner = m_interfaces[next].owner;
        way.hops.push_back({step->from, next});
        way.isLoop = std::count(passed.begin(), passed.end(), owner) > 0;
        passed.push_back(owner);
        if (way.isLoop)
        {
            const auto first = std::find(passed.begin(), passed.end(), owner);
            way.fault = fmt::format("a routing loop: {}", fmt::join(first, passed.end(), ", "));
            return way;
        }
    }
}

std::string
IpGraph::MissingRoute(const std::string& at, ns3::Ipv4Address to) const
{
    return m_routes.count(at) ? fmt::format("{} has no route to {}", at, ns3::EsxDotted(to))
                              : fmt::format("{} has no gateway, and {} is on no network of it",
                                            at,
                                            ns3::EsxDotted(to));
}

/// \return why the next node does not get it; empty: it does
std::string
IpGraph::FaultOf(const Step& step, const std::string& at, ns3::Ipv4Address target) const
{
    const auto& from = m_interfaces[step.from];
    const auto found = m_byAddress.find(step.next);
    const std::string next = ns3::EsxDotted(step.next);
    const std::string what = step.isDirect ? next
                             : m_routes.count(at)
                                 ? fmt::format("the next router {} of {}", next, at)
                                 : fmt::format("the gateway {} of {}", next, at);
    if (found == m_byAddress.end())
    {
        return fmt::format("no node has the address of {}", what);
    }
    const auto& to = m_interfaces[found->second];
    if (!step.isDirect && !to.router && !Answers(to, target))
    {
        return to.node && !to.node->pools.empty()
                   ? fmt::format("{} is in no pool of {}", ns3::EsxDotted(target), to.owner)
                   : fmt::format("{} is {}, which is no router", what, to.owner);
    }
    if (m_frames.Joins(from.station, to.station))
    {
        return "";
    }
    if (from.address.mask != to.address.mask)
    {
        return fmt::format("{} takes {} for one of its network, as its mask is /{}; that of {} is "
                           "/{}",
                           from.name,
                           next,
                           from.address.mask.GetPrefixLength(),
                           to.name,
                           to.address.mask.GetPrefixLength());
    }
    return fmt::format("frames do not get from {} to {}: {}",
                       from.name,
                       to.name,
                       m_frames.Reason(from.station, to.station));
}

std::optional<ns3::Ipv4Address>
IpGraph::AddressOf(const std::string& node, const std::string& sender) const
{
    const auto& theirs = GetInterfaces(node);
    for (const auto i : theirs)
    {
        const Node* const own = m_interfaces[i].node;
        if (own && !own->pools.empty())
        {
            return own->pools.front().network.address;
        }
        for (const auto j : GetInterfaces(sender))
        {
            if (m_interfaces[j].address.SharesNetworkWith(m_interfaces[i].address.address))
            {
                return m_interfaces[i].address.address;
            }
        }
    }
    return theirs.empty() ? std::nullopt
                          : std::optional(m_interfaces[theirs.front()].address.address);
}

} // namespace esxnf
