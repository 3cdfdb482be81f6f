// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-check.h"

#include "ns3/esx-vswitch.h"

#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

class LabChecker
{
  public:
    LabChecker(const Scenario& scenario, ScenarioNotes& notes)
        : m_scenario(scenario),
          m_notes(notes)
    {
    }

    LabNames Check()
    {
        CheckRun();
        for (const auto& host : m_scenario.hosts)
        {
            CheckHost(host);
        }
        for (const auto& node : m_scenario.nodes)
        {
            CheckNode(node);
        }
        CheckAddressesOfPools();
        for (const auto& link : m_scenario.links)
        {
            CheckEnd(link.a, link.path + "/endpoints/0");
            CheckEnd(link.b, link.path + "/endpoints/1");
            CheckLink(link);
        }
        for (const auto& node : m_scenario.nodes)
        {
            CheckSwitchPorts(node);
        }
        return std::move(m_lab);
    }

  private:
    using Taken = ScenarioNotes::Taken;

    /// Names of one host while its parts are checked.
    struct HostNames
    {
        const Host& host;
        Taken portGroups;
        Taken uplinks;
        std::map<std::string, std::size_t> connected; //!< NICs by vSwitch
    };

    void CheckRun()
    {
        const auto& run = m_scenario.run;
        m_notes.CheckPositive(run.duration, run.path + "/duration");
        const auto path = run.path + "/wallclock_start";
        const auto date = fmt::gmtime(static_cast<std::time_t>(run.wallclockStart));
        if (fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", date) !=
            m_scenario.document.GetRoot().at(Json::json_pointer(path)).get<std::string>())
        {
            m_notes.Error(path, "there is no such day in the calendar");
        }
    }

    void CheckHost(const Host& host)
    {
        constexpr std::size_t lastSwitchId = 127;
        m_notes.Take(m_names, "name", host.name, host.path);
        m_lab.hosts[host.name] = &host;
        const auto& netflow = host.netflow;
        m_notes.CheckPositive(netflow.activeTimeout, netflow.path + "/active_timeout");
        m_notes.CheckPositive(netflow.idleTimeout, netflow.path + "/idle_timeout");
        m_notes.CheckPositive(netflow.scanInterval, netflow.path + "/scan_interval");
        if (netflow.meteringDelay > ns3::Seconds(1))
        {
            m_notes.Error(netflow.path + "/metering_delay", "must not be more than 1s");
        }
        if (host.portsetBase + host.vSwitches.size() - 1 > lastSwitchId)
        {
            m_notes.Error(host.path + "/portset_base",
                          "switch IDs end at 127: fewer vSwitches or a lower portset_base");
        }
        HostNames names{host, {}, {}, {}};
        for (const auto& vSwitch : host.vSwitches)
        {
            CheckVSwitch(vSwitch, names);
        }
        for (const auto& vmknic : host.vmknics)
        {
            CheckNic(vmknic, names);
            m_lab.captures[host.name + ":" + vmknic.name] = true;
        }
        CheckMemory(host);
        CheckVmknicNetworks(host);
        for (const auto& vm : host.vms)
        {
            CheckVm(vm, names);
        }
        CheckPortCounts(names);
    }

    /// Reservations are admitted at power-on: together they fit, or a VM could not be started.
    void CheckMemory(const Host& host)
    {
        uint64_t reserved = host.kernelBytes;
        for (const Vm& vm : host.vms)
        {
            reserved += vm.reservationBytes;
            if (vm.memoryBytes > 0 && host.memoryBytes == 0)
            {
                m_notes.Error(vm.path + "/memory", host.name + " has no memory.total");
            }
            if (vm.reservationBytes > vm.memoryBytes)
            {
                m_notes.Error(vm.path + "/reservation", "is more than the VM's memory");
            }
            if (vm.touchedBytes > vm.memoryBytes)
            {
                m_notes.Error(vm.path + "/touched", "is more than the VM's memory");
            }
            if (host.memoryBytes > 0 && reserved > host.memoryBytes)
            {
                m_notes.Error(vm.path + "/reservation",
                              "reservations and memory.kernel are more than memory.total");
            }
        }
        if (host.memoryBytes > 0 && host.kernelBytes > host.memoryBytes)
        {
            m_notes.Error(host.path + "/memory/kernel", "is more than memory.total");
        }
    }

    void CheckVSwitch(const VSwitch& vSwitch, HostNames& names)
    {
        for (std::size_t i = 0; i < vSwitch.uplinks.size(); ++i)
        {
            const auto path = vSwitch.path + "/uplinks/" + std::to_string(i);
            m_notes.Take(names.uplinks, "uplink", vSwitch.uplinks[i], path);
            AddInterface(names.host.name, vSwitch.uplinks[i]);
        }
        if (vSwitch.uplinks.size() > ns3::EsxVSwitch::MAX_UPLINKS)
        {
            m_notes.Error(
                vSwitch.path + "/uplinks",
                fmt::format("a vSwitch has at most {} uplinks", ns3::EsxVSwitch::MAX_UPLINKS));
        }
        CheckPolicy(*vSwitch.policy, vSwitch, vSwitch.path);
        for (const auto& group : vSwitch.portGroups)
        {
            m_notes.Take(names.portGroups, "port group", group.name, group.path);
            CheckPolicy(*group.policy, vSwitch, group.path);
        }
    }

    /// A part of a policy that was not written here was inherited, and is told where it was
    /// written.
    void CheckPolicy(const ns3::EsxPortPolicy& policy,
                     const VSwitch& vSwitch,
                     const std::string& path)
    {
        std::map<std::string, bool> known;
        for (const auto& uplink : vSwitch.uplinks)
        {
            known[uplink] = true;
        }
        Taken listed;
        for (const auto& [key, names] : {std::pair("active", policy.GetActiveUplinks()),
                                         std::pair("standby", policy.GetStandbyUplinks())})
        {
            for (std::size_t i = 0; i < names.size(); ++i)
            {
                const auto place = fmt::format("{}/teaming/{}/{}", path, key, i);
                if (m_notes.Has(path, "teaming") && m_notes.Has(path + "/teaming", key))
                {
                    m_notes.Known(known, "uplink of " + vSwitch.name, names[i], place);
                    m_notes.Take(listed, "uplink", names[i], place);
                }
            }
        }
        if (!policy.IsShaping() || !m_notes.Has(path, "shaping"))
        {
            return;
        }
        if (policy.GetAverageRate().GetBitRate() == 0 || policy.GetBurstSize() == 0)
        {
            m_notes.Error(path + "/shaping", "average and burst must be more than 0");
        }
        else if (policy.GetPeakRate() < policy.GetAverageRate())
        {
            m_notes.Error(path + "/shaping", "the peak rate must not be below the average rate");
        }
    }

    void CheckPortCounts(HostNames& names)
    {
        for (const auto& vSwitch : names.host.vSwitches)
        {
            const auto connected = names.connected[vSwitch.name];
            if (connected > vSwitch.ports)
            {
                m_notes.Error(vSwitch.path + "/ports",
                              fmt::format("{} virtual NICs and vmknics are connected to {} ports",
                                          connected,
                                          vSwitch.ports));
            }
        }
    }

    void CheckNic(const Nic& nic, HostNames& names)
    {
        const auto& host = names.host;
        const auto what = "port group of " + host.name;
        if (m_notes.Known(names.portGroups, what, nic.portGroup, nic.path + "/portgroup"))
        {
            ++names.connected[host.FindVSwitchOf(nic.portGroup)->name];
        }
        CheckQueueDisc(nic.queueDisc, nic.path);
        CheckAddress(nic.address, nic.path + "/address");
        if (m_notes.Has(nic.path, "guest_rate") && nic.guestRate.GetBitRate() == 0)
        {
            m_notes.Error(nic.path + "/guest_rate", "must be more than 0bps");
        }
        CheckGateway(nic.gateway, nic.address, nic.path + "/gateway");
        if (nic.mac)
        {
            m_notes.Take(m_macs, "MAC address", Text(*nic.mac), nic.path + "/mac");
        }
    }

    void CheckGateway(const std::optional<ns3::Ipv4Address>& gateway,
                      const InterfaceAddress& own,
                      const std::string& path)
    {
        if (gateway && (!own.SharesNetworkWith(*gateway) || gateway == own.address))
        {
            m_notes.Error(path,
                          fmt::format("{} is not another address of the network of {}/{}",
                                      Text(*gateway),
                                      Text(own.address),
                                      own.mask.GetPrefixLength()));
        }
    }

    void CheckQueueDisc(const QueueDiscSettings& disc, const std::string& path)
    {
        constexpr uint32_t frame = 1514; // what a bucket must hold to let any frame pass
        const bool packetsOnly = disc.kind == "fq_codel" || disc.kind == "pfifo_fast";
        if (packetsOnly && disc.size.GetUnit() != ns3::QueueSizeUnit::PACKETS)
        {
            m_notes.Error(path + "/queue_disc/size", disc.kind + " counts packets, such as 1000p");
        }
        if (disc.kind == "tbf" && disc.burstBytes < frame)
        {
            m_notes.Error(path + "/queue_disc/burst",
                          fmt::format("must be at least {}B, or no full frame passes", frame));
        }
        if (disc.kind == "tbf" && disc.rate.GetBitRate() == 0)
        {
            m_notes.Error(path + "/queue_disc/rate", "must be more than 0bps");
        }
    }

    void CheckVm(const Vm& vm, HostNames& names)
    {
        m_notes.Take(m_names, "name", vm.name, vm.path);
        LabNames::Addresses addresses;
        for (const auto& nic : vm.nics)
        {
            m_lab.captures[fmt::format("{}:eth{}", vm.name, addresses.size())] = true;
            CheckNic(nic, names);
            CheckMtu(vm, nic, names.host);
            addresses.push_back(nic.address);
            if (nic.gateway)
            {
                m_lab.gateways.insert(vm.name);
            }
        }
        m_lab.vms[vm.name] = true;
        m_lab.senders[vm.name] = addresses;
        m_lab.receivers[vm.name] = addresses;
    }

    void CheckMtu(const Vm& vm, const Nic& nic, const Host& host)
    {
        const VSwitch* vSwitch = host.FindVSwitchOf(nic.portGroup);
        if (vSwitch && vm.mtu > vSwitch->mtu)
        {
            m_notes.Warn(vm.path + "/mtu",
                         fmt::format("vSwitch {} drops packets of more than {} bytes",
                                     vSwitch->name,
                                     vSwitch->mtu));
        }
    }

    /// The VMkernel stack has one route to a network: a second vmknic there is never used for
    /// sending.
    void CheckVmknicNetworks(const Host& host)
    {
        std::map<std::pair<uint32_t, uint32_t>, std::string> first; // by network and mask
        for (const auto& vmknic : host.vmknics)
        {
            const auto& [address, mask] = vmknic.address;
            const auto key = std::pair(address.CombineMask(mask).Get(), mask.Get());
            const auto [found, isNew] = first.emplace(key, vmknic.name);
            if (!isNew)
            {
                m_notes.Warn(
                    vmknic.path + "/address",
                    fmt::format(
                        "is on the network of {}, by which the VMkernel sends all traffic to it",
                        found->second));
            }
        }
    }

    void CheckAddress(const InterfaceAddress& address, const std::string& path)
    {
        const auto ip = address.address;
        const bool hasEnds =
            address.mask.GetPrefixLength() < 31; // RFC 3021: a /31 has no broadcast address
        const bool isEnd =
            ip == ip.CombineMask(address.mask) || ip.IsSubnetDirectedBroadcast(address.mask);
        if (CheckUnicast(ip, path, hasEnds && isEnd))
        {
            m_notes.Take(m_addresses, "address", ip, path);
        }
    }

    bool CheckUnicast(ns3::Ipv4Address ip, const std::string& path, bool isEnd = false)
    {
        const auto net = ip.Get() >> 24;
        const bool isUnicast =
            net > 0 && net != 127 && net < 224; // else this host, loopback, multicast, reserved
        if (!isUnicast || isEnd)
        {
            m_notes.Error(path, fmt::format("{} cannot be the address of an interface", Text(ip)));
        }
        return isUnicast && !isEnd;
    }

    void CheckNode(const Node& node)
    {
        m_notes.Take(m_names, "name", node.name, node.path);
        m_lab.nodes[node.name] = &node;
        if (node.kind == NodeKind::Router)
        {
            CheckRouter(node);
        }
        if (node.kind == NodeKind::Internet)
        {
            CheckPools(node);
        }
        if (node.kind != NodeKind::Router && node.kind != NodeKind::Switch)
        {
            CheckEndNode(node);
        }
    }

    /// An address is in one place: in no two pools, and in none if an interface has it.
    void CheckPools(const Node& node)
    {
        if (node.pools.empty())
        {
            m_notes.Error(
                node.path,
                "'pools' are missing; allowed: a list such as [{network: 198.51.0.0/16}]");
        }
        for (const auto& pool : node.pools)
        {
            const auto& [network, mask] = pool.network;
            const auto path = pool.path + "/network";
            if (network != network.CombineMask(mask))
            {
                m_notes.Error(path,
                              fmt::format("is an address within the network {}/{}",
                                          Text(network.CombineMask(mask)),
                                          mask.GetPrefixLength()));
            }
            CheckUnicast(network, path);
            for (const auto& [other, place] : m_pools)
            {
                if (pool.network.SharesNetworkWith(other.address) ||
                    other.SharesNetworkWith(network))
                {
                    m_notes.Error(path,
                                  fmt::format("overlaps the network of {}", m_notes.Line(place)));
                }
            }
            m_pools.emplace_back(pool.network, path);
        }
    }

    /// When all addresses are known.
    void CheckAddressesOfPools()
    {
        for (const auto& [address, path] : m_addresses)
        {
            for (const auto& [network, place] : m_pools)
            {
                if (network.SharesNetworkWith(address))
                {
                    m_notes.Error(path,
                                  fmt::format("{} is an address of the pool of {}",
                                              Text(address),
                                              m_notes.Line(place)));
                }
            }
        }
    }

    /// A collector, server or internet.
    void CheckEndNode(const Node& node)
    {
        AddInterface(node.name, "eth0");
        for (std::size_t i = 0; i < node.names.size(); ++i)
        {
            m_notes.Take(m_hostNames,
                         "host name",
                         node.names[i],
                         node.path + "/names/" + std::to_string(i));
        }
        if (!node.address)
        {
            m_notes.Error(node.path, "'address' is missing; allowed: one such as 10.6.125.84/24");
            return;
        }
        CheckAddress(*node.address, node.path + "/address");
        CheckGateway(node.gateway, *node.address, node.path + "/gateway");
        m_lab.receivers[node.name] = {*node.address};
        if (node.kind != NodeKind::Collector)
        {
            m_lab.senders[node.name] = {*node.address};
        }
        if (node.kind != NodeKind::Collector && node.gateway)
        {
            m_lab.gateways.insert(node.name);
        }
    }

    void CheckRouter(const Node& router)
    {
        if (router.interfaces.empty())
        {
            m_notes.Error(router.path,
                          "'interfaces' are missing; allowed: {eth0: {address: 10.6.125.1/24}}");
        }
        for (const auto& interface : router.interfaces)
        {
            AddInterface(router.name, interface.GetPort());
            CheckAddress(interface.address, interface.path + "/address");
            if (interface.GetVlan() > 4094)
            {
                m_notes.Error(interface.path, "VLANs end at 4094");
            }
        }
        Taken networks;
        for (const auto& route : router.routes)
        {
            const auto& [network, mask] = route.to;
            m_notes.Take(networks,
                         "route to",
                         fmt::format("{}/{}", Text(network), mask.GetPrefixLength()),
                         route.path + "/to");
            if (network != network.CombineMask(mask))
            {
                m_notes.Error(route.path + "/to",
                              fmt::format("is an address within the network {}/{}",
                                          Text(network.CombineMask(mask)),
                                          mask.GetPrefixLength()));
            }
            const auto leads = [&](const RouterInterface& at) {
                return at.address.SharesNetworkWith(route.via) && at.address.address != route.via;
            };
            if (std::none_of(router.interfaces.begin(), router.interfaces.end(), leads))
            {
                m_notes.Error(route.path + "/via",
                              fmt::format("{} is not another address on a network of {}",
                                          Text(route.via),
                                          router.name));
            }
        }
    }

    void CheckSwitchPorts(const Node& node)
    {
        for (const auto& interface : node.interfaces)
        {
            CheckPlugged(node.name + ":" + interface.GetPort(), interface.path);
        }
        if (node.kind == NodeKind::Server || node.kind == NodeKind::Internet)
        {
            CheckPlugged(node.name + ":eth0", node.path);
        }
        for (const auto& port : node.ports)
        {
            if (!m_interfaces[node.name].count(port.name))
            {
                m_notes.Warn(port.path, fmt::format("no link ends at {}:{}", node.name, port.name));
            }
        }
    }

    void CheckPlugged(const std::string& end, const std::string& path)
    {
        if (!m_ends.count(end))
        {
            m_notes.Error(path, "no link ends at " + end);
        }
    }

    void CheckLink(const Link& link)
    {
        m_notes.Take(m_lab.links, "link", link.name, link.path + "/name");
        m_lab.captures[link.name] = true;
        if (!link.queueDisc.kind.empty() && !TakesQueueDisc(link.a) && !TakesQueueDisc(link.b))
        {
            m_notes.Error(link.path + "/queue_disc",
                          "no end of this link is an ESX uplink, a server or an untagged interface "
                          "of a router");
        }
        CheckQueueDisc(link.queueDisc, link.path);
        if (!link.isContended && !link.queueDisc.kind.empty())
        {
            m_notes.Error(link.path + "/contention",
                          "none: nothing would wait in the link's queue_disc");
        }
        m_notes.CheckPositive(link.reorderDelay, link.path + "/reorder_delay");
        if (link.rate.GetBitRate() == 0)
        {
            m_notes.Error(
                link.path + "/rate",
                "must be more than 0bps; {at, link, down: true} in the timeline cuts a link");
        }
    }

    bool TakesQueueDisc(const LinkEnd& end) const
    {
        const auto node = m_lab.nodes.find(end.node);
        if (node == m_lab.nodes.end())
        {
            return m_lab.hosts.count(end.node) > 0;
        }
        const auto& interfaces = node->second->interfaces;
        return node->second->kind == NodeKind::Server ||
               std::any_of(interfaces.begin(), interfaces.end(), [&end](const auto& interface) {
                   return interface.name == end.interface;
               });
    }

    void CheckEnd(const LinkEnd& end, const std::string& path)
    {
        const auto node = m_lab.nodes.find(end.node);
        if (node != m_lab.nodes.end() && node->second->kind == NodeKind::Switch)
        {
            if (end.interface.find_first_not_of("0123456789") != std::string::npos ||
                end.interface[0] == '0')
            {
                m_notes.Error(path,
                              fmt::format("a switch has numbered ports such as {}:1", end.node));
                return;
            }
            AddInterface(end.node, end.interface);
        }
        else if (m_notes.Known(m_names, "host or node", end.node, path))
        {
            m_notes.Known(m_interfaces[end.node], "interface of " + end.node, end.interface, path);
        }
        m_notes.Take(m_ends, "endpoint", end.ToString(), path);
    }

    void AddInterface(const std::string& owner, const std::string& name)
    {
        m_interfaces[owner][name] = true;
        m_lab.captures[owner + ":" + name] = true;
    }

    const Scenario& m_scenario;
    ScenarioNotes& m_notes;
    LabNames m_lab;
    Taken m_names; //!< hosts, VMs and nodes share one namespace
    ScenarioNotes::TakenOf<ns3::Ipv4Address> m_addresses;
    std::vector<std::pair<InterfaceAddress, std::string>> m_pools; //!< with their paths
    Taken m_macs;
    Taken m_hostNames;
    Taken m_ends;
    std::map<std::string, std::map<std::string, bool>>
        m_interfaces; //!< where links may end, by host or node
};

} // namespace

LabNames
CheckParts(const Scenario& scenario, ScenarioNotes& notes)
{
    return LabChecker(scenario, notes).Check();
}

} // namespace esxnf
