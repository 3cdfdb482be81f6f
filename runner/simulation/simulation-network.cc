// SPDX-License-Identifier: GPL-2.0-only
// The builder's part for what is outside of the hosts: nodes, physical switches, and the cables
// between them and the hosts.
#include "runner/lab/frame-graph.h"
#include "runner/simulation/attribute-scope.h"
#include "runner/simulation/simulation-world.h"

#include "ns3/boolean.h"
#include "ns3/config.h"
#include "ns3/esx-address-pools.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-router-helper.h"
#include "ns3/ipv4.h"
#include "ns3/names.h"
#include "ns3/uinteger.h"

#include <algorithm>

namespace esxnf
{

using namespace ns3;

void
Simulation::Builder::MakeNodes()
{
    for (const Node& node : m_scenario.nodes)
    {
        const AttributeScope scope(m_scenario, node.path);
        const Ptr<ns3::Node> made = CreateObject<ns3::Node>();
        Names::Add(node.name, made);
        m_world.nodes[node.name] = made;
        if (node.kind == NodeKind::Router)
        {
            EsxRouterHelper::Install(made);
        }
        if (node.kind == NodeKind::Collector || node.kind == NodeKind::Server ||
            node.kind == NodeKind::Internet)
        {
            EsxRouterHelper::InstallServer(made);
        }
        if (node.kind == NodeKind::Internet)
        {
            const auto pools = CreateObject<EsxAddressPools>();
            for (const AddressPool& pool : node.pools)
            {
                pools->Add(pool.network.address,
                           pool.network.mask,
                           pool.weight,
                           pool.addresses,
                           pool.zipf);
            }
            made->AggregateObject(pools);
        }
        if (node.kind == NodeKind::Collector)
        {
            const auto collector = EsxNetflowHelper().InstallCollector(made, node.listen).Get(0);
            m_world.collectors[node.name] = DynamicCast<EsxNetflowCollector>(collector);
        }
    }
}

void
Simulation::Builder::MakeCables()
{
    for (const Link& link : m_scenario.links)
    {
        const AttributeScope scope(m_scenario, link.path);
        const auto& cable = m_world.cables[link.name] =
            std::make_unique<Cable>(link, NodeOf(link.a), NodeOf(link.b));
        CheckAttributesArrived(m_scenario, link.path, {cable->GetDevice(0), cable->GetDevice(1)});
        for (const unsigned end : {0U, 1U}) // where a datagram died is told by the link's name
        {
            const Ptr<NetDevice> device = cable->GetDevice(end);
            Names::Add(device->GetNode(), link.name, device);
        }
    }
    for (const Node& node : m_scenario.nodes)
    {
        if (node.kind == NodeKind::Router)
        {
            continue; // when all others have their addresses
        }
        const AttributeScope scope(m_scenario, node.path);
        if (node.kind == NodeKind::Switch &&
            PhysicalDevices(m_world.nodes.at(node.name)).GetN() > 0)
        {
            MakeSwitch(node);
        }
        if (node.address)
        {
            MakeEndNode(node);
        }
        CheckAttributesArrived(m_scenario, node.path, {m_world.nodes.at(node.name)});
    }
    MakeRouters();
}

/// \return the device and its link; null if no link ends there
std::pair<Ptr<NetDevice>, const Link*>
Simulation::Builder::FindEnd(const std::string& node, const std::string& interface) const
{
    for (const Link& link : m_scenario.links)
    {
        for (const auto& [end, index] : {std::pair(link.a, 0U), std::pair(link.b, 1U)})
        {
            if (end.node == node && end.interface == interface)
            {
                return {m_world.cables.at(link.name)->GetDevice(index), &link};
            }
        }
    }
    return {nullptr, nullptr};
}

/// A collector or server.
void
Simulation::Builder::MakeEndNode(const Node& node)
{
    if (const auto [device, link] = FindEnd(node.name, "eth0"); device)
    {
        EsxRouterHelper::AddInterface(device,
                                      {node.address->address, node.address->mask},
                                      node.gateway.value_or(Ipv4Address::GetZero()));
        if (node.kind == NodeKind::Server)
        {
            AddQueueDisc(m_scenario, link->path, link->queueDisc, device);
        }
    }
}

void
Simulation::Builder::MakeRouters()
{
    const auto isRouter = [](const Node& node) { return node.kind == NodeKind::Router; };
    if (std::any_of(m_scenario.nodes.begin(), m_scenario.nodes.end(), isRouter))
    {
        const FrameGraph frames(m_scenario);
        const IpGraph graph(frames);
        for (const Node& node : m_scenario.nodes)
        {
            if (isRouter(node))
            {
                const AttributeScope scope(m_scenario, node.path);
                MakeRouter(node, graph.GetRoutes(node.name));
                CheckAttributesArrived(m_scenario, node.path, {m_world.nodes.at(node.name)});
            }
        }
    }
}

void
Simulation::Builder::MakeRouter(const Node& node, const std::vector<IpRoute>& routes)
{
    for (const RouterInterface& interface : node.interfaces)
    {
        const auto [port, link] = FindEnd(node.name, interface.GetPort());
        const uint16_t vlan = interface.GetVlan();
        const Ptr<NetDevice> device =
            vlan == 0 ? port : Ptr<NetDevice>(EsxRouterHelper::AddVlan(port, vlan));
        device->SetMtu(interface.mtu);
        ApplyKeys(m_scenario.attributes, interface.path, device);
        EsxRouterHelper::AddInterface(device, {interface.address.address, interface.address.mask});
        if (vlan == 0)
        {
            AddQueueDisc(m_scenario, link->path, link->queueDisc, device);
        }
    }
    for (const IpRoute& route : routes)
    {
        EsxRouterHelper::AddRoute(m_world.nodes.at(node.name),
                                  route.network,
                                  route.mask,
                                  route.via);
    }
}

/// Both ends of each traffic, each vmknic and collector, and each router with all, on their
/// networks.
void
Simulation::Builder::FillArpCaches()
{
    std::vector<std::pair<Ptr<ns3::Node>, Ptr<ns3::Node>>> pairs;
    for (const Traffic& traffic : m_scenario.traffic)
    {
        for (const std::string& from : traffic.from)
        {
            for (const std::string& to : traffic.to)
            {
                pairs.emplace_back(m_world.nodes.at(from), m_world.nodes.at(to));
            }
        }
    }
    for (const Ptr<EsxHost>& host : m_world.hosts)
    {
        for (const Node& node : m_scenario.nodes)
        {
            if (node.kind == NodeKind::Collector || node.kind == NodeKind::Router)
            {
                pairs.emplace_back(host->GetVmkernelNode(), m_world.nodes.at(node.name));
            }
        }
    }
    for (const Node& node : m_scenario.nodes)
    {
        for (const auto& [name, other] : m_world.nodes)
        {
            if (node.kind == NodeKind::Router && node.name != name)
            {
                pairs.emplace_back(m_world.nodes.at(node.name), other);
            }
        }
    }
    const auto isNoIp = [](const auto& pair) { // what only injects frames has no IP stack
        return !pair.first->template GetObject<Ipv4>() || !pair.second->template GetObject<Ipv4>();
    };
    pairs.erase(std::remove_if(pairs.begin(), pairs.end(), isNoIp), pairs.end());
    EsxHostHelper::FillArp(pairs);
}

void
Simulation::Builder::MakeSwitch(const Node& node)
{
    const Ptr<EsxPhysicalSwitch> made = CreateObject<EsxPhysicalSwitch>();
    m_world.nodes.at(node.name)->AggregateObject(made);
    for (const Link& link : m_scenario.links)
    {
        Cable& cable = *m_world.cables.at(link.name);
        for (const auto& [end, index] : {std::pair(link.a, 0U), std::pair(link.b, 1U)})
        {
            if (end.node == node.name)
            {
                const auto number = static_cast<uint16_t>(std::stoul(end.interface));
                made->AddPort(number, cable.GetDevice(index));
            }
        }
    }
    const std::vector<uint16_t> used = made->GetPorts();
    for (const SwitchPort& port : node.ports)
    {
        const auto number = static_cast<uint16_t>(std::stoul(port.name));
        if (std::find(used.begin(), used.end(), number) != used.end())
        {
            port.trunk ? made->SetTrunk(number, port.allowed, port.native)
                       : made->SetAccess(number, port.vlan);
        }
    }
}

/// Blocks links that close a loop at both of their ends, so that nothing passes there.
void
Simulation::Builder::BlockLoops()
{
    const FrameGraph graph(m_scenario);
    for (std::size_t i = 0; i < m_scenario.links.size(); ++i)
    {
        const Link& link = m_scenario.links[i];
        for (const LinkEnd& end : {link.a, link.b})
        {
            if (graph.IsBlocked(static_cast<int>(i)))
            {
                m_world.nodes.at(end.node)->GetObject<EsxPhysicalSwitch>()->SetBlocked(
                    static_cast<uint16_t>(std::stoul(end.interface)),
                    true);
            }
        }
    }
}

Ptr<ns3::Node>
Simulation::Builder::NodeOf(const LinkEnd& end) const
{
    const auto host = m_world.hostsByName.find(end.node);
    return host != m_world.hostsByName.end() ? host->second->GetVmkernelNode()
                                             : m_world.nodes.at(end.node);
}

} // namespace esxnf
