// SPDX-License-Identifier: GPL-2.0-only
#include "esx-host-helper.h"

#include "model/vswitch/esx-checksums.h"
#include "model/vswitch/esx-vlan-header.h"

#include "ns3/abort.h"
#include "ns3/arp-cache.h"
#include "ns3/boolean.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-router-helper.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/esx-vlan-net-device.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/log.h"
#include "ns3/names.h"
#include "ns3/pcap-file-wrapper.h"
#include "ns3/pointer.h"
#include "ns3/red-queue-disc.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/traffic-control-helper.h"
#include "ns3/traffic-control-layer.h"
#include "ns3/uinteger.h"

#include <map>
#include <tuple>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxHostHelper");

namespace
{

/// \return nullptr if the device has no IPv4 interface, or one that needs no ARP
Ptr<ArpCache>
ArpCacheOf(const Ptr<NetDevice>& device)
{
    const auto ipv4 = device->GetNode()->GetObject<Ipv4L3Protocol>();
    const int32_t interface = ipv4 ? ipv4->GetInterfaceForDevice(device) : -1;
    return interface < 0 ? nullptr : ipv4->GetInterface(interface)->GetArpCache();
}

void
Require(const Ptr<EsxHost>& host)
{
    NS_ABORT_MSG_UNLESS(host, "there is no ESX host to work on: make one with CreateHost()");
}

/// Enters the addresses that \p of has in the subnets of \p in, for good.
void
EnterInArp(const Ptr<Ipv4Interface>& in, const Ptr<Ipv4Interface>& of)
{
    for (uint32_t i = 0; in != of && i < of->GetNAddresses(); ++i)
    {
        const Ipv4Address address = of->GetAddress(i).GetLocal();
        bool near = false;
        for (uint32_t j = 0; j < in->GetNAddresses(); ++j)
        {
            near = near || in->GetAddress(j).IsInSameSubnet(address);
        }
        if (near)
        {
            const Ptr<ArpCache> arp = in->GetArpCache();
            ArpCache::Entry* const known = arp->Lookup(address);
            ArpCache::Entry* const entry = known ? known : arp->Add(address);
            entry->SetMacAddress(of->GetDevice()->GetAddress());
            entry->MarkPermanent();
        }
    }
}

std::vector<Ptr<Ipv4Interface>>
ArpInterfacesOf(const Ptr<Node>& node)
{
    const auto ipv4 = node->GetObject<Ipv4L3Protocol>();
    NS_ABORT_MSG_IF(!ipv4, "node " << node->GetId() << " has no IPv4 stack to fill the ARP of");
    std::vector<Ptr<Ipv4Interface>> interfaces;
    for (uint32_t i = 0; i < ipv4->GetNInterfaces(); ++i)
    {
        if (ipv4->GetInterface(i)->GetArpCache())
        {
            interfaces.push_back(ipv4->GetInterface(i));
        }
    }
    return interfaces;
}

/// A device's way to the physical network: null: there is none; VLAN of the tag that its frames
/// carry there, 0: none.
using Port = std::pair<Ptr<NetDevice>, uint16_t>;

Port
PhysicalPortOf(const Ptr<NetDevice>& device)
{
    const auto adapter = DynamicCast<EsxVirtualNetDevice>(device);
    if (!adapter)
    {
        return EsxVlanNetDevice::PortOf(device);
    }
    const Ptr<EsxPort> port =
        adapter->IsLinkUp() ? adapter->GetVSwitch()->GetPort(adapter->GetPortId()) : nullptr;
    Ptr<EsxUplink> uplink = port ? port->GetTeamUplink() : nullptr;
    const auto& all =
        port ? adapter->GetVSwitch()->GetHost()->GetUplinks() : std::vector<Ptr<EsxUplink>>();
    for (const Ptr<EsxUplink>& other : all) // a team that hashes takes any
    {
        uplink = uplink || other->GetVSwitch() != adapter->GetVSwitch() ? uplink : other;
    }
    const bool tagged = port && port->GetVlan() != ESX_VLAN_GUEST;
    return uplink ? Port{uplink->GetDevice(), tagged ? port->GetVlan() : uint16_t{0}} : Port{};
}

/// Enters devices in the address tables of the physical switches. Where there is none, but perhaps
/// a bridge of ns-3, vNICs and vmknics announce themselves one after the other, at the pace of a
/// slow link: no queue is to overflow.
void
TellSwitches(const std::map<uint32_t, std::vector<Ptr<Ipv4Interface>>>& interfacesOfNode)
{
    Time at = MicroSeconds(1);
    for (const auto& [node, interfaces] : interfacesOfNode)
    {
        for (const Ptr<Ipv4Interface>& interface : interfaces)
        {
            const auto [port, vlan] = PhysicalPortOf(interface->GetDevice());
            const auto far = port ? EsxPhysicalSwitch::FarEndOf(*port) : nullptr;
            const auto next = far ? far->GetNode()->GetObject<EsxPhysicalSwitch>() : nullptr;
            const auto adapter = DynamicCast<EsxVirtualNetDevice>(interface->GetDevice());
            if (next)
            {
                next->Enter(Mac48Address::ConvertFrom(interface->GetDevice()->GetAddress()),
                            *far,
                            vlan);
            }
            else if (adapter && port && !(far && far->GetNode()->GetObject<Ipv4>()))
            {
                Simulator::Schedule(at, &EsxVirtualNetDevice::Announce, adapter);
                at += MicroSeconds(20);
            }
        }
    }
}

} // namespace

EsxHostHelper::EsxHostHelper()
{
    m_hostFactory.SetTypeId("ns3::EsxHost");
    m_vSwitchFactory.SetTypeId("ns3::EsxVSwitch");
    m_vnicFactory.SetTypeId("ns3::EsxVnic");
    m_vmknicFactory.SetTypeId("ns3::EsxVmknic");
    m_uplinkFactory.SetTypeId("ns3::EsxUplink");
}

void
EsxHostHelper::SetHostAttribute(const std::string& name, const AttributeValue& value)
{
    m_hostFactory.Set(name, value);
}

void
EsxHostHelper::SetVSwitchAttribute(const std::string& name, const AttributeValue& value)
{
    m_vSwitchFactory.Set(name, value);
}

void
EsxHostHelper::SetVnicAttribute(const std::string& name, const AttributeValue& value)
{
    m_vnicFactory.Set(name, value);
}

void
EsxHostHelper::SetVmknicAttribute(const std::string& name, const AttributeValue& value)
{
    m_vmknicFactory.Set(name, value);
}

void
EsxHostHelper::SetUplinkAttribute(const std::string& name, const AttributeValue& value)
{
    m_uplinkFactory.Set(name, value);
}

void
EsxHostHelper::SetVmkernelArpQueue(uint32_t packets)
{
    m_arpQueue = packets;
}

Ptr<EsxHost>
EsxHostHelper::CreateHost(const std::string& name) const
{
    Ptr<EsxHost> host = m_hostFactory.Create<EsxHost>();
    host->SetAttribute("Name", StringValue(name));
    Ptr<Node> node = CreateObject<Node>();
    node->AggregateObject(host);
    return host;
}

EsxHostContainer
EsxHostHelper::Install(const NodeContainer& vmkernels) const
{
    EsxHostContainer hosts;
    for (auto node = vmkernels.Begin(); node != vmkernels.End(); ++node)
    {
        NS_ABORT_MSG_IF((*node)->GetObject<EsxHost>(),
                        "node " << (*node)->GetId() << " is an ESX host already");
        Ptr<EsxHost> host = m_hostFactory.Create<EsxHost>();
        host->SetAttribute("Name", StringValue("esx" + std::to_string(hosts.GetN() + 1)));
        (*node)->AggregateObject(host);
        hosts.Add(host);
    }
    return hosts;
}

NetDeviceContainer
EsxHostHelper::Install(const NodeContainer& guests,
                       Ptr<EsxHost> host,
                       const std::string& portGroup) const
{
    Require(host);
    NetDeviceContainer devices;
    for (auto node = guests.Begin(); node != guests.End(); ++node)
    {
        std::string name;
        for (const EsxHost::Guest& guest : host->GetGuests())
        {
            name = guest.node == *node ? guest.name : name;
        }
        if (name.empty())
        {
            name = Names::FindName(*node);
            name = name.empty() ? "vm" + std::to_string((*node)->GetId()) : name;
            host->AddGuest(name, *node);
        }
        devices.Add(host->AddVnic(name, portGroup, m_vnicFactory.Create<EsxVnic>()));
    }
    return devices;
}

int64_t
EsxHostHelper::AssignStreams(const NodeContainer& nodes, int64_t stream)
{
    int64_t used = InternetStackHelper().AssignStreams(nodes, stream);
    for (auto node = nodes.Begin(); node != nodes.End(); ++node)
    {
        ApplicationContainer applications;
        for (uint32_t i = 0; i < (*node)->GetNApplications(); ++i)
        {
            applications.Add((*node)->GetApplication(i));
        }
        used += EsxTrafficHelper().AssignStreams(applications, stream + used);
        for (uint32_t i = 0; i < (*node)->GetNDevices(); ++i)
        {
            PointerValue model;
            if ((*node)->GetDevice(i)->GetAttributeFailSafe("ReceiveErrorModel", model))
            {
                const auto impairment = model.Get<EsxLinkImpairment>();
                used += impairment ? impairment->AssignStreams(stream + used) : 0;
            }
        }
        const auto host = (*node)->GetObject<EsxHost>();
        for (const Ptr<EsxUplink>& uplink :
             host ? host->GetUplinks() : std::vector<Ptr<EsxUplink>>())
        {
            const auto red = DynamicCast<RedQueueDisc>(uplink->GetQueueDisc());
            used += red ? red->AssignStreams(stream + used) : 0;
        }
    }
    return used;
}

int64_t
EsxHostHelper::AssignStreams(const EsxHostContainer& hosts, int64_t stream)
{
    NodeContainer nodes = hosts.GetVmkernelNodes();
    nodes.Add(hosts.GetGuests());
    return AssignStreams(nodes, stream);
}

Ptr<EsxVSwitch>
EsxHostHelper::AddVSwitch(Ptr<EsxHost> host, const std::string& name) const
{
    Require(host);
    return host->AddVSwitch(name, m_vSwitchFactory.Create<EsxVSwitch>());
}

void
EsxHostHelper::InstallVSwitch(const EsxHostContainer& hosts,
                              const std::string& name,
                              const std::string& portGroup) const
{
    for (auto host = hosts.Begin(); host != hosts.End(); ++host)
    {
        AddVSwitch(*host, name)->AddPortGroup(portGroup);
    }
}

void
EsxHostHelper::InstallUplinks(const NetDeviceContainer& nics, const std::string& vSwitch) const
{
    for (auto nic = nics.Begin(); nic != nics.End(); ++nic)
    {
        const auto host = (*nic)->GetNode()->GetObject<EsxHost>();
        Require(host);
        host->AddUplink(host->GetVSwitch(vSwitch), *nic, "", m_uplinkFactory.Create<EsxUplink>());
    }
}

NetDeviceContainer
EsxHostHelper::InstallVmknics(const EsxHostContainer& hosts,
                              const std::string& name,
                              const std::string& portGroup) const
{
    NetDeviceContainer vmknics;
    for (auto host = hosts.Begin(); host != hosts.End(); ++host)
    {
        EsxRouterHelper::InstallServer((*host)->GetVmkernelNode());
        vmknics.Add((*host)->AddVmknic(name, portGroup, m_vmknicFactory.Create<EsxVmknic>()));
    }
    return vmknics;
}

Ptr<Node>
EsxHostHelper::AddVm(Ptr<EsxHost> host, const std::string& name) const
{
    Require(host);
    Ptr<Node> node = CreateObject<Node>();
    host->AddGuest(name, node);
    EsxRouterHelper::InstallServer(node);
    return node;
}

Ptr<EsxVnic>
EsxHostHelper::AddVnic(Ptr<EsxHost> host,
                       const std::string& guest,
                       const std::string& portGroup,
                       const Ipv4InterfaceAddress& address,
                       Ipv4Address gateway) const
{
    Require(host);
    Ptr<EsxVnic> vnic = host->AddVnic(guest, portGroup, m_vnicFactory.Create<EsxVnic>());
    EsxRouterHelper::InstallServer(vnic->GetNode());
    EsxRouterHelper::AddInterface(vnic, address, gateway);
    return vnic;
}

Ptr<EsxVmknic>
EsxHostHelper::AddVmknic(Ptr<EsxHost> host,
                         const std::string& name,
                         const std::string& portGroup,
                         const Ipv4InterfaceAddress& address,
                         Ipv4Address gateway) const
{
    Require(host);
    Ptr<EsxVmknic> vmknic = host->AddVmknic(name, portGroup, m_vmknicFactory.Create<EsxVmknic>());
    EsxRouterHelper::InstallServer(vmknic->GetNode());
    EsxRouterHelper::AddInterface(vmknic, address, gateway);
    ArpCacheOf(vmknic)->SetAttribute("PendingQueueSize", UintegerValue(m_arpQueue));
    return vmknic;
}

void
EsxHostHelper::UseEsxArp(const NetDeviceContainer& devices)
{
    constexpr uint32_t SPREAD_US = 250000;
    constexpr uint32_t STRIDE_US = 7919; // a prime: neighbours are far apart, and all differ
    for (auto device = devices.Begin(); device != devices.End(); ++device)
    {
        const Ptr<ArpCache> arp = ArpCacheOf(*device);
        NS_ABORT_MSG_IF(!arp,
                        "a device of node " << (*device)->GetNode()->GetId()
                                            << " has no IPv4 interface with ARP");
        uint8_t mac[6];
        Mac48Address::ConvertFrom((*device)->GetAddress()).CopyTo(mac);
        const uint64_t number = mac[3] << 16 | mac[4] << 8 | mac[5];
        arp->SetDeadTimeout(Time(0));
        (*device)->SetAttributeFailSafe("FilterArp", BooleanValue(true)); // of a vSwitch
        const bool isVmknic = DynamicCast<EsxVmknic>(*device) != nullptr;
        const Time spread = MicroSeconds(isVmknic ? 0 : number * STRIDE_US % SPREAD_US);
        arp->SetWaitReplyTimeout(Seconds(1) + spread);
    }
}

void
EsxHostHelper::FillArp(const NodeContainer& nodes)
{
    std::vector<std::pair<Ptr<Node>, Ptr<Node>>> pairs;
    for (uint32_t i = 0; i < nodes.GetN(); ++i)
    {
        pairs.emplace_back(nodes.Get(i), nodes.Get(i)); // a node alone is announced, too
        for (uint32_t j = 0; j < i; ++j)
        {
            pairs.emplace_back(nodes.Get(j), nodes.Get(i));
        }
    }
    FillArp(pairs);
}

void
EsxHostHelper::FillArp(const std::vector<std::pair<Ptr<Node>, Ptr<Node>>>& pairs)
{
    std::map<uint32_t, std::vector<Ptr<Ipv4Interface>>> interfacesOfNode; // by ID
    for (const auto& [one, other] : pairs)
    {
        const auto mine = ArpInterfacesOf(one);
        const auto theirs = ArpInterfacesOf(other);
        for (const Ptr<Ipv4Interface>& here : mine)
        {
            for (const Ptr<Ipv4Interface>& there : theirs)
            {
                EnterInArp(here, there);
                EnterInArp(there, here);
            }
        }
        interfacesOfNode.emplace(one->GetId(), mine);
        interfacesOfNode.emplace(other->GetId(), theirs);
    }
    Simulator::ScheduleNow([interfacesOfNode] { TellSwitches(interfacesOfNode); });
}

void
EsxHostHelper::SetGuestRate(Ptr<EsxVnic> vnic, DataRate rate) const
{
    NS_ABORT_MSG_UNLESS(vnic, "a guest's rate is set on its vNIC");
    const auto control = vnic->GetNode()->GetObject<TrafficControlLayer>();
    NS_ABORT_MSG_IF(!control || control->GetRootQueueDiscOnDevice(vnic),
                    "node " << vnic->GetNode()->GetId() << ": the vNIC "
                            << (control ? "has a queue disc already, SetGuestRate() comes once"
                                        : "needs an IPv4 stack first"));
    vnic->SetGuestRate(rate);
    TrafficControlHelper::Default().Install(vnic);
}

Ptr<PcapFileWrapper>
EsxHostHelper::EnablePcap(const std::string& prefix,
                          Ptr<EsxVSwitch> vSwitch,
                          uint16_t port,
                          EsxPcapDirection direction,
                          bool explicitFilename,
                          uint32_t snapLength) const
{
    NS_ABORT_MSG_UNLESS(vSwitch, "a capture of a port needs a vSwitch");
    Ptr<EsxPort> captured = vSwitch->GetPort(port);
    NS_ABORT_MSG_IF(!captured, "vSwitch " << vSwitch->GetName() << " has no port " << port);
    const std::string filename = explicitFilename ? prefix
                                                  : prefix + "-" + vSwitch->GetHost()->GetName() +
                                                        "-" + vSwitch->GetName() + "-" +
                                                        std::to_string(port) + ".pcap";
    const Ptr<PcapFileWrapper> file = CreateCapture(filename, snapLength);
    if (direction != EsxPcapDirection::EGRESS)
    {
        Capture(captured, "Ingress", file);
    }
    if (direction != EsxPcapDirection::INGRESS)
    {
        Capture(captured, "Egress", file);
    }
    return file;
}

Ptr<PcapFileWrapper>
EsxHostHelper::CreateCapture(const std::string& filename, uint32_t snapLength)
{
    constexpr uint32_t linkTypeEthernet = 1;
    Ptr<PcapFileWrapper> file = CreateObject<PcapFileWrapper>();
    file->SetAttribute("NanosecMode", BooleanValue(true));
    file->SetAttribute("CaptureSize", UintegerValue(snapLength));
    file->Open(filename, std::ios::out);
    NS_ABORT_MSG_IF(file->Fail(), "cannot write the capture " << filename);
    file->Init(linkTypeEthernet);
    return file;
}

void
EsxHostHelper::EnablePcapInternal(std::string prefix,
                                  Ptr<NetDevice> device,
                                  bool promiscuous,
                                  bool explicitFilename)
{
    Ptr<EsxVirtualNetDevice> captured = DynamicCast<EsxVirtualNetDevice>(device);
    if (!captured)
    {
        NS_LOG_INFO("device " << device << " is neither vNIC nor vmknic"); // as ns-3's helpers do
        return;
    }
    const std::string filename =
        explicitFilename ? prefix : PcapHelper().GetFilenameFromDevice(prefix, device);
    Capture(captured, promiscuous ? "PromiscSniffer" : "Sniffer", CreateCapture(filename));
}

void
EsxHostHelper::Capture(const Ptr<Object>& object,
                       const std::string& trace,
                       const Ptr<PcapFileWrapper>& file)
{
    const bool connected = object->TraceConnectWithoutContext(
        trace,
        Callback<void, Ptr<const Packet>>([file](Ptr<const Packet> frame) {
            std::vector<uint8_t> octets(frame->GetSize());
            frame->CopyData(octets.data(), frame->GetSize());
            EsxFillFrameChecksums(octets.data(), octets.size());
            file->Write(Simulator::Now(), octets.data(), frame->GetSize());
        }));
    NS_ABORT_MSG_UNLESS(connected, "there is no trace source " << trace << " to capture");
}

void
EsxHostHelper::EnableAsciiInternal(Ptr<OutputStreamWrapper> stream,
                                   std::string prefix,
                                   Ptr<NetDevice> device,
                                   bool explicitFilename)
{
    Ptr<EsxVirtualNetDevice> traced = DynamicCast<EsxVirtualNetDevice>(device);
    if (!traced)
    {
        NS_LOG_INFO("device " << device << " is neither vNIC nor vmknic"); // as ns-3's helpers do
        return;
    }
    Packet::EnablePrinting();
    AsciiTraceHelper ascii;
    if (!stream)
    {
        const std::string filename =
            explicitFilename ? prefix : ascii.GetFilenameFromDevice(prefix, device);
        stream = ascii.CreateFileStream(filename);
        ascii.HookDefaultDequeueSinkWithoutContext<EsxVirtualNetDevice>(traced, "MacTx", stream);
        ascii.HookDefaultDropSinkWithoutContext<EsxVirtualNetDevice>(traced, "MacTxDrop", stream);
        ascii.HookDefaultReceiveSinkWithoutContext<EsxVirtualNetDevice>(traced, "MacRx", stream);
        return;
    }
    // One file for many devices: each line says whose it is.
    const std::string context = "/NodeList/" + std::to_string(device->GetNode()->GetId()) +
                                "/DeviceList/" + std::to_string(device->GetIfIndex()) +
                                "/$ns3::EsxVirtualNetDevice/";
    ascii.HookDefaultDequeueSinkWithContext<EsxVirtualNetDevice>(traced,
                                                                 context + "MacTx",
                                                                 "MacTx",
                                                                 stream);
    ascii.HookDefaultDropSinkWithContext<EsxVirtualNetDevice>(traced,
                                                              context + "MacTxDrop",
                                                              "MacTxDrop",
                                                              stream);
    ascii.HookDefaultReceiveSinkWithContext<EsxVirtualNetDevice>(traced,
                                                                 context + "MacRx",
                                                                 "MacRx",
                                                                 stream);
}

} // namespace ns3
