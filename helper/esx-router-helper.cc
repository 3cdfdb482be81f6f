// SPDX-License-Identifier: GPL-2.0-only
#include "esx-router-helper.h"

#include "model/host/esx-icmp.h"

#include "ns3/boolean.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-router.h"
#include "ns3/esx-table.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-static-routing-helper.h"

namespace ns3
{

namespace
{

void
InstallStack(const Ptr<Node>& node)
{
    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    // Static routes only: global routing walks over channels, and a vSwitch is none.
    stack.SetRoutingHelper(Ipv4StaticRoutingHelper());
    stack.Install(node);
    EsxIcmp::Install(node);
}

/// \return nullptr if the node has none
Ptr<Ipv4StaticRouting>
RoutesOf(const Ptr<Node>& node)
{
    const auto ipv4 = node ? node->GetObject<Ipv4>() : nullptr;
    return ipv4 ? Ipv4StaticRoutingHelper().GetStaticRouting(ipv4) : nullptr;
}

} // namespace

void
EsxRouterHelper::Install(const NodeContainer& nodes)
{
    for (auto node = nodes.Begin(); node != nodes.End(); ++node)
    {
        NS_ABORT_MSG_IF((*node)->GetObject<Ipv4>(),
                        "EsxRouterHelper: node " << (*node)->GetId()
                                                 << " has an IPv4 stack already");
        InstallStack(*node);
        (*node)->GetObject<Ipv4>()->SetRoutingProtocol(CreateObject<EsxRouter>());
    }
}

void
EsxRouterHelper::InstallServer(const NodeContainer& nodes)
{
    for (auto node = nodes.Begin(); node != nodes.End(); ++node)
    {
        if (!(*node)->GetObject<Ipv4>())
        {
            InstallStack(*node);
            (*node)->GetObject<Ipv4>()->SetAttribute("IpForward", BooleanValue(false));
        }
    }
}

Ptr<EsxVlanNetDevice>
EsxRouterHelper::AddVlan(const Ptr<NetDevice>& trunk, uint16_t vlan)
{
    const auto device = CreateObject<EsxVlanNetDevice>();
    trunk->GetNode()->AddDevice(device);
    device->SetTrunk(trunk, vlan);
    return device;
}

uint32_t
EsxRouterHelper::AddInterface(const Ptr<NetDevice>& device,
                              const Ipv4InterfaceAddress& address,
                              Ipv4Address gateway)
{
    const auto ipv4 = device->GetNode()->GetObject<Ipv4>();
    NS_ABORT_MSG_IF(!ipv4,
                    "node " << device->GetNode()->GetId() << " has no IPv4 stack for "
                            << EsxDotted(address.GetLocal()));
    const uint32_t interface = ipv4->AddInterface(device);
    ipv4->AddAddress(interface, address);
    ipv4->SetUp(interface);
    EsxHostHelper::UseEsxArp(device);
    if (gateway != Ipv4Address::GetZero())
    {
        const auto routing = RoutesOf(device->GetNode());
        NS_ABORT_MSG_IF(!routing, "a gateway needs static routing on the node");
        routing->SetDefaultRoute(gateway, interface);
    }
    return interface;
}

void
EsxRouterHelper::AddRoute(const Ptr<Node>& node,
                          Ipv4Address network,
                          Ipv4Mask mask,
                          Ipv4Address via)
{
    const auto routing = RoutesOf(node);
    NS_ABORT_MSG_IF(!routing, "EsxRouterHelper: a route needs a node with static routing");
    const auto ipv4 = node->GetObject<Ipv4>();
    for (uint32_t i = 1; i < ipv4->GetNInterfaces(); ++i) // 0: the loopback
    {
        if (ipv4->GetAddress(i, 0).IsInSameSubnet(via))
        {
            routing->AddNetworkRouteTo(network, mask, via, i);
            return;
        }
    }
    NS_ABORT_MSG("EsxRouterHelper: node " << node->GetId() << " has no interface on the network of "
                                          << via << ", the next router to " << network);
}

} // namespace ns3
