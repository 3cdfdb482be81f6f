// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The lab of a simulation as its nodes tell it: who has which address, and at which port. Written
 * as lab.json, whose hosts, nodes and links look like those of a scenario.
 */
#ifndef ESX_LAB_H
#define ESX_LAB_H

#include "ns3/esx-host.h"
#include "ns3/ipv4-interface-address.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ns3
{

/// An adapter of a VM, or a vmknic.
struct EsxLabNic
{
    std::string vm;   //!< empty: a vmknic
    std::string port; //!< "web1.eth0", "vmk0"
    std::string portGroup;
    std::string vSwitch;
    std::optional<Ipv4InterfaceAddress> address; //!< its first one
};

/// A link between two devices that are no vSwitch's.
struct EsxLabLink
{
    std::string name;
    std::string ends[2]; //!< "esx1:vmnic0", "sw1:1"
    uint64_t rateBps{0};
    Time delay;
    bool isContended{true}; //!< frames wait for each other
};

/// Of a host: its vmknics, then its VMs' adapters, in order of creation.
std::vector<EsxLabNic> EsxNicsOf(const Ptr<EsxHost>& host);

/// Names by address: a VM's, "esx1:vmk0", or a node's. Of several that have one, the first: hosts
/// in order of node IDs, then other nodes.
std::map<Ipv4Address, std::string> EsxNamesOfAddresses();

/// lab.json. Call before Simulator::Destroy().
std::string EsxDescribeLab(const std::vector<EsxLabLink>& links);

} // namespace ns3

#endif // ESX_LAB_H
