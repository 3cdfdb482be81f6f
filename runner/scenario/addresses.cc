// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/addresses.h"

#include <sstream>

namespace esxnf
{

std::map<ns3::Ipv4Address, std::string>
NamesOfAddresses(const Scenario& scenario)
{
    std::map<ns3::Ipv4Address, std::string> names;
    for (const Host& host : scenario.hosts)
    {
        for (const Vmknic& vmknic : host.vmknics)
        {
            names.emplace(vmknic.address.address, host.name + ":" + vmknic.name);
        }
        for (const Vm& vm : host.vms)
        {
            for (const Nic& nic : vm.nics)
            {
                names.emplace(nic.address.address, vm.name);
            }
        }
    }
    for (const Node& node : scenario.nodes)
    {
        if (node.address)
        {
            names.emplace(node.address->address, node.name);
        }
    }
    return names;
}

std::string
ToDotted(ns3::Ipv4Address address)
{
    std::ostringstream text;
    address.Print(text);
    return text.str();
}

} // namespace esxnf
