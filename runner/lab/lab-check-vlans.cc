// SPDX-License-Identifier: GPL-2.0-only
// CheckVlans(): traffic and IP networks say who is to meet; the frame graph says who does.
#include "runner/lab/frame-route.h"
#include "runner/lab/lab-check.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <boost/pending/disjoint_sets.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

namespace
{

constexpr std::size_t MAX_TOLD = 10;

/// An interface with an address, and where it is plugged in.
struct Interface
{
    std::string name; //!< web1:eth0
    InterfaceAddress address;
    std::size_t station;
};

class VlanChecker
{
  public:
    explicit VlanChecker(const FrameGraph& graph)
        : m_graph(graph),
          m_scenario(graph.GetScenario()),
          m_routes(graph)
    {
    }

    Diagnostics Check()
    {
        FindInterfaces();
        CheckTraffic();
        CheckLoads();
        CheckNetworks();
        CheckTeams();
        CheckOneWayLinks();
        return std::move(m_messages);
    }

  private:
    /// Counts messages of one kind; the first that is too much says so.
    class Teller
    {
      public:
        Teller(VlanChecker& checker, Severity severity)
            : m_checker(checker),
              m_severity(severity)
        {
        }

        bool IsFull() const
        {
            return m_told >= MAX_TOLD;
        }

        void Say(const std::string& path, const std::string& what)
        {
            if (m_told++ < MAX_TOLD)
            {
                m_checker.m_messages.push_back(m_checker.m_scenario.At(m_severity, path, what));
            }
        }

        /// \param path of the last that was not told
        void End(const std::string& path)
        {
            if (m_told > MAX_TOLD)
            {
                m_checker.m_messages.push_back(
                    m_checker.m_scenario.At(m_severity,
                                            path,
                                            fmt::format("and {} more", m_told - MAX_TOLD)));
            }
        }

      private:
        VlanChecker& m_checker;
        const Severity m_severity;
        std::size_t m_told{0};
    };

    void FindInterfaces()
    {
        for (const auto& host : m_scenario.hosts)
        {
            const auto add = [&](const std::string& owner, const std::string& nic, const Nic& at) {
                if (const auto station = m_graph.FindGroup(host, at.portGroup))
                {
                    m_interfaces[owner].push_back({nic, at.address, *station});
                }
            };
            for (const auto& vmknic : host.vmknics)
            {
                add("\n" + host.name, host.name + ":" + vmknic.name, vmknic); // no VM's name
            }
            for (const auto& vm : host.vms)
            {
                for (std::size_t i = 0; i < vm.nics.size(); ++i)
                {
                    add(vm.name, fmt::format("{}:eth{}", vm.name, i), vm.nics[i]);
                }
            }
        }
        for (const auto& node : m_scenario.nodes)
        {
            const auto station = m_graph.FindNode(node.name);
            if (station && node.address)
            {
                m_interfaces[node.name].push_back({node.name, *node.address, *station});
            }
            for (const auto& interface : node.interfaces)
            {
                const auto name = node.name + ":" + interface.name;
                m_interfaces[node.name].push_back(
                    {name, interface.address, *m_graph.FindNode(name)});
            }
        }
    }

    /// The interfaces that two would use: as EsxTrafficHelper::AddressOf() does.
    std::pair<const Interface*, const Interface*> FindPair(const std::string& from,
                                                           const std::string& to) const
    {
        const auto ours = m_interfaces.find(from);
        const auto theirs = m_interfaces.find(to);
        if (ours != m_interfaces.end() && theirs != m_interfaces.end())
        {
            for (const auto& target : theirs->second)
            {
                for (const auto& source : ours->second)
                {
                    if (source.address.SharesNetworkWith(target.address.address))
                    {
                        return {&source, &target};
                    }
                }
            }
        }
        return {nullptr, nullptr};
    }

    /// Injected frames are metered whether they arrive or not.
    void CheckTraffic()
    {
        CheckTraffic(false, Severity::Error);
        CheckTraffic(true, Severity::Warning);
    }

    void CheckTraffic(bool injected, Severity severity)
    {
        Teller teller(*this, severity);
        std::string last;
        for (const auto& traffic : m_scenario.traffic)
        {
            if (traffic.IsInjected() != injected)
            {
                continue;
            }
            std::set<std::pair<std::size_t, std::size_t>> told;
            for (const auto& from : traffic.from)
            {
                for (const auto& to : traffic.to)
                {
                    const auto [source, target] = FindPair(from, to);
                    AddLoad(traffic, source, target);
                    if (source && !m_graph.Joins(source->station, target->station) &&
                        told.emplace(source->station, target->station).second)
                    {
                        last = traffic.path;
                        m_cutOff.insert({source->station, target->station});
                        teller.Say(traffic.path,
                                   fmt::format("{}, at {}, does not reach {}, at {}: {}",
                                               source->name,
                                               m_graph.GetStations()[source->station].GetName(),
                                               target->name,
                                               m_graph.GetStations()[target->station].GetName(),
                                               teller.IsFull() ? ""
                                                               : m_graph.Reason(source->station,
                                                                                target->station)));
                    }
                }
            }
        }
        teller.End(last);
    }

    /// Of traffic whose rate the scenario gives.
    void AddLoad(const Traffic& traffic, const Interface* source, const Interface* target)
    {
        constexpr double HEADERS = 28 + 18; // of UDP and IPv4; of Ethernet, with the FCS
        if (!traffic.app->Has(TrafficApp::CONSTANT) || !source || MeetInside(*source, *target))
        {
            return;
        }
        const auto route = m_routes.To(target->station).From(source->station);
        const Station& from = m_graph.GetStations()[source->station];
        std::string at = from.host ? from.host->name : from.node->name;
        for (const int index : route ? route->links : std::vector<int>())
        {
            const Link& link = m_scenario.links[index];
            const bool isForth = link.a.node == at;
            at = isForth ? link.b.node : link.a.node;
            Load& load = m_loads[{index, isForth}];
            const double bits = static_cast<double>(traffic.rate.GetBitRate()) *
                                (1 + HEADERS / traffic.packetBytes);
            load.changes[traffic.start] += bits;
            load.changes[traffic.stop] -= bits;
            load.names.insert(traffic.name);
        }
    }

    bool MeetInside(const Interface& source, const Interface& target) const
    {
        const Station& a = m_graph.GetStations()[source.station];
        const Station& b = m_graph.GetStations()[target.station];
        return a.vSwitch && a.vSwitch == b.vSwitch && a.GetTag() == b.GetTag();
    }

    void CheckLoads()
    {
        Teller teller(*this, Severity::Info);
        std::string last;
        for (const auto& [way, load] : m_loads)
        {
            const Link& link = m_scenario.links[way.first];
            double sum = 0;
            double most = 0;
            for (const auto& [at, change] : load.changes)
            {
                most = std::max(most, sum += change);
            }
            const auto rate = static_cast<double>(link.rate.GetBitRate());
            if (link.isContended && most > rate * (1 + 1e-9)) // sums of doubles
            {
                last = link.path;
                teller.Say(
                    last,
                    fmt::format("link {} carries {:.0f} of {:.0f} bit/s that come to {} from {}",
                                link.name,
                                rate,
                                most,
                                (way.second ? link.a : link.b).ToString(),
                                fmt::join(load.names, ", ")));
            }
        }
        teller.End(last);
    }

    /// Those on one IP network are to meet. The largest part of a network is it, others are cut
    /// off.
    void CheckNetworks()
    {
        std::map<std::pair<uint32_t, uint32_t>, std::set<std::size_t>> networks;
        for (const auto& [owner, interfaces] : m_interfaces)
        {
            for (const auto& at : interfaces)
            {
                const auto& [address, mask] = at.address;
                networks[{address.CombineMask(mask).Get(), mask.Get()}].insert(at.station);
            }
        }
        Teller teller(*this, Severity::Warning);
        std::string last;
        for (const auto& [network, stations] : networks)
        {
            const auto parts = Parts({stations.begin(), stations.end()});
            const auto whole =
                std::max_element(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
                    return a.size() < b.size();
                }); // first of equals
            for (auto part = parts.begin(); part != parts.end(); ++part)
            {
                const auto station = part->front();
                const auto other = whole->front();
                if (part == whole || m_cutOff.count({station, other}) ||
                    m_cutOff.count({other, station}) || IsInside(station) || IsInside(other))
                {
                    continue;
                }
                last = m_graph.GetStations()[station].GetPath();
                teller.Say(last,
                           fmt::format("{} is cut off from {}, which is on the same network "
                                       "({}/{}): {}",
                                       m_graph.GetStations()[station].GetName(),
                                       m_graph.GetStations()[other].GetName(),
                                       ns3::EsxDotted(network.first),
                                       ns3::Ipv4Mask(network.second).GetPrefixLength(),
                                       teller.IsFull() ? "" : m_graph.Reason(station, other)));
            }
        }
        teller.End(last);
    }

    /// Whoever is on a vSwitch without uplinks is meant to be alone.
    bool IsInside(std::size_t station) const
    {
        const Station& at = m_graph.GetStations()[station];
        return at.vSwitch && at.vSwitch->uplinks.empty();
    }

    /// Stations that meet, in order; linear, as all may be on one network.
    std::vector<std::vector<std::size_t>> Parts(const std::vector<std::size_t>& stations) const
    {
        std::vector<int> rank(stations.size());
        std::vector<int> parent(stations.size());
        boost::disjoint_sets<int*, int*> sets(rank.data(), parent.data());
        std::map<int, int> firstOf;                                     // by domain
        std::map<std::pair<const VSwitch*, uint16_t>, int> firstInside; // by vSwitch and VLAN
        for (int i = 0; i < static_cast<int>(stations.size()); ++i)
        {
            sets.make_set(i);
            const Station& station = m_graph.GetStations()[stations[i]];
            if (station.vSwitch)
            {
                const auto key = std::pair(station.vSwitch, station.GetTag());
                sets.union_set(i, firstInside.emplace(key, i).first->second);
            }
            for (const auto& way : station.ways)
            {
                sets.union_set(i, firstOf.emplace(m_graph.GetDomain(way.state), i).first->second);
            }
        }
        std::vector<std::vector<std::size_t>> parts;
        std::map<int, std::size_t> partOf;
        for (int i = 0; i < static_cast<int>(stations.size()); ++i)
        {
            const auto [found, isNew] = partOf.emplace(sets.find_set(i), parts.size());
            if (isNew)
            {
                parts.emplace_back();
            }
            parts[found->second].push_back(stations[i]);
        }
        return parts;
    }

    /// A port may use any uplink of its team.
    void CheckTeams()
    {
        Teller teller(*this, Severity::Warning);
        std::string last;
        for (const auto& station : m_graph.GetStations())
        {
            const auto& ways = station.ways;
            const auto strays = [&](const auto& way) {
                return m_graph.GetDomain(way.state) != m_graph.GetDomain(ways[0].state);
            };
            const auto stray = std::find_if(ways.begin(), ways.end(), strays);
            if (station.group && stray != ways.end() && !IsUnused(station))
            {
                last = station.GetPath();
                teller.Say(last,
                           fmt::format("{} and {} are uplinks of one team and lead {} to networks "
                                       "that do not meet",
                                       ways[0].uplink,
                                       stray->uplink,
                                       station.GetName()));
            }
        }
        teller.End(last);
    }

    /// \return true if nobody is in a port group
    bool IsUnused(const Station& station) const
    {
        const auto isIn = [&](const Nic& nic) { return nic.portGroup == station.group->name; };
        const auto& host = *station.host;
        return std::none_of(host.vmknics.begin(), host.vmknics.end(), isIn) &&
               std::none_of(host.vms.begin(), host.vms.end(), [&](const Vm& vm) {
                   return std::any_of(vm.nics.begin(), vm.nics.end(), isIn);
               });
    }

    void CheckOneWayLinks()
    {
        Teller teller(*this, Severity::Warning);
        std::string last;
        for (const auto& [index, vlan] : m_graph.GetOneWayLinks())
        {
            const Link& link = m_scenario.links[index];
            last = link.path;
            teller.Say(last,
                       fmt::format("link {} carries frames of VLAN {} one way only: its ends, {} "
                                   "and {}, tag them differently; give both ports the same native "
                                   "VLAN or the same mode",
                                   link.name,
                                   vlan,
                                   link.a.ToString(),
                                   link.b.ToString()));
        }
        teller.End(last);
    }

    /// Of a link in a direction.
    struct Load
    {
        std::map<ns3::Time, double> changes; //!< bit/s
        std::set<std::string> names;         //!< of traffic
    };

    const FrameGraph& m_graph;
    const Scenario& m_scenario;
    FrameRouteCache m_routes;
    Diagnostics m_messages;
    std::map<std::pair<int, bool>, Load> m_loads; //!< by link, true: from its first end
    std::map<std::string, std::vector<Interface>> m_interfaces; //!< by VM, node, host's VMkernel
    std::set<std::pair<std::size_t, std::size_t>> m_cutOff;     //!< told as traffic
};

} // namespace

Diagnostics
CheckVlans(const FrameGraph& graph)
{
    return VlanChecker(graph).Check();
}

} // namespace esxnf
