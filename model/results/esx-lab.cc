// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-lab.h"

#include "ns3/esx-address-pools.h"
#include "ns3/esx-export-tracker.h"
#include "ns3/esx-json.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-router.h"
#include "ns3/esx-table.h"
#include "ns3/ipv4.h"
#include "ns3/node-list.h"
#include "ns3/uinteger.h"

#include <set>

namespace ns3
{

namespace
{

/// Addresses of a device; none without an interface.
std::vector<Ipv4InterfaceAddress>
AddressesOf(const Ptr<NetDevice>& device)
{
    std::vector<Ipv4InterfaceAddress> addresses;
    const Ptr<Ipv4> ip = device->GetNode()->GetObject<Ipv4>();
    const int32_t interface = ip ? ip->GetInterfaceForDevice(device) : -1;
    for (uint32_t i = 0; interface >= 0 && i < ip->GetNAddresses(interface); ++i)
    {
        addresses.push_back(ip->GetAddress(interface, i));
    }
    return addresses;
}

/// The vSwitch that has a port group, or had it before it was deleted.
std::string
SwitchOf(const Ptr<EsxHost>& host, const std::string& portGroup)
{
    if (const Ptr<EsxVSwitch> vSwitch = host->FindPortGroup(portGroup))
    {
        return vSwitch->GetName();
    }
    UintegerValue first;
    host->GetAttribute("PortsetBase", first);
    std::string name;
    for (auto id = static_cast<uint16_t>(first.Get()); host->GetVSwitchById(id); ++id)
    {
        const Ptr<EsxVSwitch> vSwitch = host->GetVSwitchById(id);
        name = vSwitch->HasPortGroup(portGroup) ? vSwitch->GetName() : name;
    }
    return name;
}

/// The port group of a vmknic: that of the latest port that had its name.
std::string
PortGroupOf(const Ptr<EsxHost>& host, const std::string& vmknic)
{
    UintegerValue first;
    host->GetAttribute("PortsetBase", first);
    std::string group;
    for (auto id = static_cast<uint16_t>(first.Get()); host->GetVSwitchById(id); ++id)
    {
        for (const Ptr<EsxPort>& port : host->GetVSwitchById(id)->GetPorts())
        {
            group = port->GetName() == vmknic ? port->GetPortGroup() : group;
        }
    }
    return group;
}

std::vector<Ptr<EsxHost>>
HostsOfSimulation()
{
    std::vector<Ptr<EsxHost>> hosts;
    for (auto node = NodeList::Begin(); node != NodeList::End(); ++node)
    {
        if (const Ptr<EsxHost> host = (*node)->GetObject<EsxHost>())
        {
            hosts.push_back(host);
        }
    }
    return hosts;
}

/// Nodes that are neither a host's VMkernel nor a VM.
std::vector<Ptr<Node>>
OtherNodes()
{
    std::set<Ptr<Node>> ofHosts;
    for (const Ptr<EsxHost>& host : HostsOfSimulation())
    {
        ofHosts.insert(host->GetVmkernelNode());
        for (const EsxHost::Guest& guest : host->GetGuests())
        {
            ofHosts.insert(guest.node);
        }
    }
    std::vector<Ptr<Node>> others;
    for (auto node = NodeList::Begin(); node != NodeList::End(); ++node)
    {
        if (ofHosts.count(*node) == 0)
        {
            others.push_back(*node);
        }
    }
    return others;
}

/// Of a node, but not 127.0.0.1.
std::vector<Ipv4InterfaceAddress>
AddressesOf(const Ptr<Node>& node)
{
    std::vector<Ipv4InterfaceAddress> all;
    for (uint32_t i = 0; i < node->GetNDevices(); ++i)
    {
        for (const Ipv4InterfaceAddress& address : AddressesOf(node->GetDevice(i)))
        {
            if (address.GetLocal() != Ipv4Address::GetLoopback())
            {
                all.push_back(address);
            }
        }
    }
    return all;
}

bool
IsCollector(const Ptr<Node>& node)
{
    bool found = false;
    for (uint32_t i = 0; i < node->GetNApplications(); ++i)
    {
        found = found || DynamicCast<EsxNetflowCollector>(node->GetApplication(i));
    }
    return found;
}

/// "10.6.125.51/24"
std::string
ToText(const Ipv4InterfaceAddress& address)
{
    return EsxAddressKey(address.GetLocal()) + "/" +
           std::to_string(address.GetMask().GetPrefixLength());
}

std::string
ToText(Time time)
{
    return std::to_string(time.GetNanoSeconds()) + "ns";
}

std::string
TimeOf(const Ptr<Object>& object, const std::string& attribute)
{
    TimeValue value;
    object->GetAttribute(attribute, value);
    return ToText(value.Get());
}

uint64_t
NumberOf(const Ptr<Object>& object, const std::string& attribute)
{
    UintegerValue value;
    object->GetAttribute(attribute, value);
    return value.Get();
}

void
AddNic(EsxJson& json, const EsxLabNic& nic)
{
    json.BeginObject().Text("portgroup", nic.portGroup);
    if (nic.address)
    {
        json.Text("address", ToText(*nic.address));
    }
    json.EndObject();
}

void
AddVSwitch(EsxJson& json, const Ptr<EsxHost>& host, const Ptr<EsxVSwitch>& vSwitch)
{
    json.Key(vSwitch->GetName()).BeginObject().Key("portgroups").BeginObject();
    for (const EsxVSwitch::PortGroup& group : vSwitch->GetPortGroups())
    {
        json.Key(group.name).BeginObject().Number("vlan", group.vlan).EndObject();
    }
    json.EndObject().Key("uplinks").BeginArray();
    for (const Ptr<EsxUplink>& uplink : host->GetUplinks())
    {
        if (uplink->GetVSwitch() == vSwitch)
        {
            json.Text(uplink->GetName());
        }
    }
    json.EndArray().EndObject();
}

void
AddVms(EsxJson& json, const Ptr<EsxHost>& host, const std::vector<EsxLabNic>& nics)
{
    json.Key("vms").BeginObject();
    for (const EsxHost::Guest& guest : host->GetGuests())
    {
        json.Key(guest.name).BeginObject().Key("nics").BeginArray();
        for (const EsxLabNic& nic : nics)
        {
            if (nic.vm == guest.name)
            {
                AddNic(json, nic);
            }
        }
        json.EndArray().EndObject();
    }
    json.EndObject();
}

/// "collector", "internet", "router", "server" (any other node with addresses), "switch"
const char*
KindOf(const Ptr<Node>& node)
{
    const Ptr<Ipv4> ip = node->GetObject<Ipv4>();
    return IsCollector(node)                                  ? "collector"
           : node->GetObject<EsxAddressPools>()               ? "internet"
           : !ip                                              ? "switch"
           : DynamicCast<EsxRouter>(ip->GetRoutingProtocol()) ? "router"
                                                              : "server";
}

/// Collectors and servers have an address; routers have interfaces, numbered as they were added.
void
AddNode(EsxJson& json, const Ptr<Node>& node)
{
    const std::vector<Ipv4InterfaceAddress> addresses = AddressesOf(node);
    const std::string kind = KindOf(node);
    json.Key(EsxNodeName(node)).BeginObject().Text("kind", kind);
    if (kind == "router")
    {
        json.Key("interfaces").BeginObject();
        for (std::size_t i = 0; i < addresses.size(); ++i)
        {
            json.Key("eth" + std::to_string(i)).BeginObject();
            json.Text("address", ToText(addresses[i])).EndObject();
        }
        json.EndObject();
    }
    else if (!addresses.empty())
    {
        json.Text("address", ToText(addresses.front()));
    }
    json.EndObject();
}

void
AddHost(EsxJson& json, const Ptr<EsxHost>& host)
{
    const std::vector<EsxLabNic> nics = EsxNicsOf(host);
    json.Key(host->GetName()).BeginObject();
    json.Text("uptime_at_start", TimeOf(host, "UptimeAtStart"));
    json.Key("vswitches").BeginObject();
    for (auto id = static_cast<uint16_t>(NumberOf(host, "PortsetBase")); host->GetVSwitchById(id);
         ++id)
    {
        AddVSwitch(json, host, host->GetVSwitchById(id));
    }
    json.EndObject().Key("vmknics").BeginObject();
    for (const EsxLabNic& nic : nics)
    {
        if (nic.vm.empty())
        {
            json.Key(nic.port);
            AddNic(json, nic);
        }
    }
    json.EndObject();
    AddVms(json, host, nics);
    if (const Ptr<EsxNetflow> module = host->GetObject<EsxNetflow>())
    {
        json.Key("netflow").BeginObject().Number("purgatory_max", NumberOf(module, "PurgatoryMax"));
        json.Text("idle_timeout", TimeOf(module, "IdleTimeout"));
        json.Text("active_timeout", TimeOf(module, "ActiveTimeout")).EndObject();
        json.Key("memory").BeginObject();
        json.Text("netflow_heap", std::to_string(NumberOf(module, "HeapMax")) + "B").EndObject();
    }
    json.EndObject();
}

} // namespace

std::vector<EsxLabNic>
EsxNicsOf(const Ptr<EsxHost>& host)
{
    std::vector<EsxLabNic> nics;
    const auto add = [&](const std::string& vm,
                         const std::string& port,
                         const std::string& group,
                         const Ptr<NetDevice>& device) {
        const std::vector<Ipv4InterfaceAddress> all = AddressesOf(device);
        const auto first = all.empty() ? std::nullopt : std::optional(all.front());
        nics.push_back({vm, port, group, SwitchOf(host, group), first});
    };
    for (const EsxHost::Vmknic& vmknic : host->GetVmknics())
    {
        add("", vmknic.name, PortGroupOf(host, vmknic.name), vmknic.device);
    }
    for (const EsxHost::Guest& guest : host->GetGuests())
    {
        for (std::size_t i = 0; i < guest.vnics.size(); ++i)
        {
            add(guest.name,
                guest.name + ".eth" + std::to_string(i),
                guest.portGroups[i],
                guest.vnics[i]);
        }
    }
    return nics;
}

std::map<Ipv4Address, std::string>
EsxNamesOfAddresses()
{
    std::map<Ipv4Address, std::string> names;
    for (const Ptr<EsxHost>& host : HostsOfSimulation())
    {
        for (const EsxLabNic& nic : EsxNicsOf(host))
        {
            if (nic.address)
            {
                names.emplace(nic.address->GetLocal(),
                              nic.vm.empty() ? host->GetName() + ":" + nic.port : nic.vm);
            }
        }
    }
    for (const Ptr<Node>& node : OtherNodes())
    {
        for (const Ipv4InterfaceAddress& address : AddressesOf(node))
        {
            names.emplace(address.GetLocal(), EsxNodeName(node));
        }
    }
    return names;
}

std::string
EsxDescribeLab(const std::vector<EsxLabLink>& links)
{
    EsxJson json;
    json.BeginObject().Text("schema", "esx-netflow lab 1").Key("hosts").BeginObject();
    for (const Ptr<EsxHost>& host : HostsOfSimulation())
    {
        AddHost(json, host);
    }
    json.EndObject().Key("nodes").BeginObject();
    for (const Ptr<Node>& node : OtherNodes())
    {
        AddNode(json, node);
    }
    json.EndObject().Key("links").BeginArray();
    for (const EsxLabLink& link : links)
    {
        json.BeginObject().Text("name", link.name).Key("endpoints").BeginArray();
        json.Text(link.ends[0]).Text(link.ends[1]).EndArray();
        json.Text("rate", std::to_string(link.rateBps) + "bps");
        json.Text("delay", ToText(link.delay));
        link.isContended ? json : json.Text("contention", "none");
        json.EndObject();
    }
    return json.EndArray().EndObject().Take();
}

} // namespace ns3
