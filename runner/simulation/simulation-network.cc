// SPDX-License-Identifier: GPL-2.0-only
// The builder's part for what is outside of the hosts: nodes, physical switches, and the cables
// between them and the hosts.
#include "runner/lab/frame-graph.h"
#include "runner/simulation/attribute-scope.h"
#include "runner/simulation/simulation-world.h"

#include "ns3/boolean.h"
#include "ns3/config.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/internet-stack-helper.h"
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
        if (node.kind == NodeKind::Collector)
        {
            InternetStackHelper stack;
            stack.SetIpv6StackInstall(false);
            stack.Install(made);
            EsxNetflowHelper netflow;
            ForKeys(m_scenario,
                    node.path,
                    "ns3::EsxNetflowCollector",
                    [&netflow](const auto& name, const auto& value) {
                        netflow.SetCollectorAttribute(name, value);
                    });
            netflow.InstallCollector(made, node.listen);
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
        const AttributeScope scope(m_scenario, node.path);
        Connect(node.name);
        CheckAttributesArrived(m_scenario, node.path, {m_world.nodes.at(node.name)});
    }
}

/// Makes a switch of a node's devices; gives a collector its address.
void
Simulation::Builder::Connect(const std::string& nodeName)
{
    const Ptr<ns3::Node> made = m_world.nodes.at(nodeName);
    const Node& node = *std::find_if(m_scenario.nodes.begin(),
                                     m_scenario.nodes.end(),
                                     [&](const Node& n) { return n.name == nodeName; });
    const NetDeviceContainer devices = PhysicalDevices(made);
    if (node.kind == NodeKind::Switch && devices.GetN() > 0)
    {
        MakeSwitch(node);
    }
    if (node.kind == NodeKind::Collector && devices.GetN() > 0)
    {
        const Ptr<Ipv4> ipv4 = made->GetObject<Ipv4>();
        const uint32_t interface = ipv4->AddInterface(devices.Get(0));
        ipv4->AddAddress(interface, {node.address->address, node.address->mask});
        ipv4->SetUp(interface);
    }
}

/// Both ends of each traffic, and each vmknic and collector on its network.
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
            if (node.kind == NodeKind::Collector)
            {
                pairs.emplace_back(host->GetVmkernelNode(), m_world.nodes.at(node.name));
            }
        }
    }
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
                cable.AddWatcher([made, number](bool down) { made->SetDown(number, down); });
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

/// What closes a loop is blocked at both of its ends, so that nothing passes there.
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
