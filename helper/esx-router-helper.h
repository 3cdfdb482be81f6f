// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_ROUTER_HELPER_H
#define ESX_ROUTER_HELPER_H

#include "ns3/esx-vlan-net-device.h"
#include "ns3/ipv4-interface-address.h"
#include "ns3/node-container.h"

namespace ns3
{

/// Makes nodes routers or servers, and gives any node with an IPv4 stack interfaces and routes.
class EsxRouterHelper
{
  public:
    /// Makes nodes without a stack routers (EsxRouter): IPv4, forwarding, no route yet.
    static void Install(const NodeContainer& nodes);
    /// Gives nodes a stack as servers have it: IPv4, no forwarding. Those that have one keep it.
    static void InstallServer(const NodeContainer& nodes);

    /// \return the device of a VLAN of a trunk, of the same node. \param vlan 1 to 4094
    static Ptr<EsxVlanNetDevice> AddVlan(const Ptr<NetDevice>& trunk, uint16_t vlan);

    /**
     * Puts an address on a device. Its ARP cache follows EsxHostHelper::UseEsxArp().
     * \param gateway default router; Ipv4Address::GetZero(): none
     * \return the number of the node's interface
     */
    static uint32_t AddInterface(const Ptr<NetDevice>& device,
                                 const Ipv4InterfaceAddress& address,
                                 Ipv4Address gateway = Ipv4Address::GetZero());

    /// Adds a static route. \param via the next router, on a network of the node
    static void AddRoute(const Ptr<Node>& node,
                         Ipv4Address network,
                         Ipv4Mask mask,
                         Ipv4Address via);
};

} // namespace ns3

#endif // ESX_ROUTER_HELPER_H
