// SPDX-License-Identifier: GPL-2.0-only
// CheckNetworks() and CheckRoutes(): what is wrong with the lab's addresses and routes, and who
// does not reach whom over routers.
#include "runner/lab/lab-check.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

std::string
NetworkOf(const IpInterface& at)
{
    const auto& [address, mask] = at.address;
    return fmt::format("{}/{}", ns3::EsxDotted(address.CombineMask(mask)), mask.GetPrefixLength());
}

bool
Overlap(const IpInterface& a, const IpInterface& b)
{
    return a.address.SharesNetworkWith(b.address.address) ||
           b.address.SharesNetworkWith(a.address.address);
}

class NetworkChecker
{
  public:
    explicit NetworkChecker(const IpGraph& graph)
        : m_graph(graph),
          m_scenario(graph.GetFrames().GetScenario())
    {
    }

    Diagnostics Check()
    {
        const auto& interfaces = m_graph.GetInterfaces();
        std::vector<std::size_t> routers;
        for (std::size_t j = 0; j < interfaces.size(); ++j)
        {
            if (interfaces[j].router)
            {
                routers.push_back(j);
            }
        }
        for (std::size_t i = 0; i < interfaces.size(); ++i)
        {
            for (const std::size_t j : routers)
            {
                // Two routers once; a router and another node from the other's side.
                if (m_messages.size() < MOST && (interfaces[i].router ? j < i : true) &&
                    Overlap(interfaces[i], interfaces[j]))
                {
                    CheckPair(interfaces[i], interfaces[j]);
                }
            }
        }
        for (const auto& node : m_scenario.nodes)
        {
            if (node.kind == NodeKind::Router)
            {
                CheckRouter(node);
            }
        }
        return std::move(m_messages);
    }

  private:
    static constexpr std::size_t MOST = 10; //!< messages

    void Say(const std::string& path, const std::string& what)
    {
        m_messages.push_back(m_scenario.At(Severity::Error, path, what));
    }

    /// Of a router's network. Others' networks may be one by number only: labs reuse them.
    void CheckPair(const IpInterface& at, const IpInterface& router)
    {
        const bool meets = m_graph.GetFrames().Joins(at.station, router.station);
        if (at.address.mask != router.address.mask && (meets || at.router))
        {
            Say(at.path + "/address",
                fmt::format("the network {} of {} overlaps {} of {}: {}",
                            NetworkOf(at),
                            at.name,
                            NetworkOf(router),
                            router.name,
                            meets ? "one of the masks is wrong" : "a network is in one place"));
        }
        else if (at.router && (!meets || at.owner == router.owner))
        {
            Say(at.path + "/address",
                fmt::format("the network {} is that of {}, too, and {}",
                            NetworkOf(at),
                            router.name,
                            meets ? "a router has one interface on a network"
                                  : "frames do not get from one to the other"));
        }
    }

    void CheckRouter(const Node& router)
    {
        const auto& own = m_graph.GetInterfaces(router.name);
        if (m_graph.GetRoutes(router.name).empty() && !router.globalRouting)
        {
            CheckNeighbours(router, own);
        }
        for (const auto& route : m_graph.GetRoutes(router.name))
        {
            const auto way = m_graph.Follow(router.name, route.network);
            const std::string network =
                fmt::format("{}/{}", ns3::EsxDotted(route.network), route.mask.GetPrefixLength());
            if (way.isLoop && m_messages.size() < MOST && m_loops.insert(network).second)
            {
                Say(router.path + (router.routes.empty() ? "" : "/routes"),
                    fmt::format("{}, for {}", way.fault, network));
            }
        }
    }

    /// A router behind which others are needs routes to what is behind them.
    void CheckNeighbours(const Node& router, const std::vector<std::size_t>& own)
    {
        const auto& interfaces = m_graph.GetInterfaces();
        for (const auto& other : interfaces)
        {
            const auto isNext = [&](std::size_t i) {
                return m_graph.GetFrames().Joins(interfaces[i].station, other.station);
            };
            if (other.router && other.router != &router && other.router->interfaces.size() > 1 &&
                std::any_of(own.begin(), own.end(), isNext))
            {
                Say(router.path,
                    fmt::format("{} has no routes, and {} has networks behind it: it needs "
                                "'routes' or 'routing: global'",
                                router.name,
                                other.owner));
                return;
            }
        }
    }

    const IpGraph& m_graph;
    const Scenario& m_scenario;
    Diagnostics m_messages;
    std::set<std::string> m_loops; //!< networks whose loop is told
};

} // namespace

Diagnostics
CheckNetworks(const IpGraph& graph)
{
    return NetworkChecker(graph).Check();
}

Diagnostics
CheckRoutes(const IpGraph& graph)
{
    constexpr std::size_t most = 10;
    const auto& scenario = graph.GetFrames().GetScenario();
    std::set<std::string> told;
    Diagnostics messages;
    const auto check = [&](const Traffic& traffic, const std::string& from, const std::string& to) {
        const auto target = graph.AddressOf(to, from);
        if (!target)
        {
            return;
        }
        const auto there = graph.Follow(from, *target);
        if (there.fault.empty() && there.hops.size() < 2)
        {
            return; // no router is on the way
        }
        const auto& own = graph.GetInterfaces(from);
        const bool isNear = std::any_of(own.begin(), own.end(), [&](std::size_t i) {
            return graph.GetInterfaces()[i].address.SharesNetworkWith(*target);
        });
        if (there.hops.empty() && isNear && traffic.IsInjected())
        {
            return; // CheckVlans() warns of it
        }
        const auto source = there.hops.empty()
                                ? *target
                                : graph.GetInterfaces()[there.hops[0].from].address.address;
        const bool answers =
            !traffic.IsInjected() || traffic.isAnswered || !traffic.profile.empty();
        const auto back = there.fault.empty() && answers
                              ? graph.Follow(to, graph.AddressOf(from, to).value_or(source))
                              : IpWay();
        const auto& fault = there.fault.empty() ? back.fault : there.fault;
        if (!fault.empty() && messages.size() < most && told.insert(fault).second)
        {
            messages.push_back(scenario.At(
                Severity::Error,
                traffic.path,
                there.fault.empty() ? fmt::format("{} does not answer {}: {}", to, from, fault)
                                    : fmt::format("{} does not reach {}: {}", from, to, fault)));
        }
    };
    for (const auto& traffic : scenario.traffic)
    {
        for (const auto& from : traffic.from)
        {
            for (const auto& to : traffic.to)
            {
                check(traffic, from, to);
            }
        }
    }
    return messages;
}

Diagnostics
CheckMoves(const FrameGraph& graph)
{
    const auto& scenario = graph.GetScenario();
    Diagnostics messages;
    for (const auto& step : scenario.timeline)
    {
        const Host* to = nullptr;
        const Host* from = nullptr;
        const Vm* moved = nullptr;
        if (step.vmotionTo.empty())
        {
            continue;
        }
        for (const auto& host : scenario.hosts)
        {
            to = host.name == step.vmotionTo ? &host : to;
            for (const auto& vm : host.vms)
            {
                from = vm.name == step.vm ? &host : from;
                moved = vm.name == step.vm ? &vm : moved;
            }
        }
        const bool isMove = to && from && moved && to != from;
        for (const auto& nic : isMove ? moved->nics : std::vector<Nic>())
        {
            const auto old = graph.FindGroup(*from, nic.portGroup);
            const auto next = graph.FindGroup(*to, nic.portGroup);
            if (old && next && !graph.Joins(*old, *next))
            {
                messages.push_back(scenario.At(
                    Severity::Error,
                    step.path + "/vmotion/to",
                    fmt::format(
                        "frames do not get from '{}' of {} to that of {}, where {} moves: {}",
                        nic.portGroup,
                        from->name,
                        to->name,
                        moved->name,
                        graph.Reason(*old, *next))));
            }
        }
    }
    return messages;
}

} // namespace esxnf
