// SPDX-License-Identifier: GPL-2.0-only
#include "esx-host-helper.h"

#include "ns3/abort.h"
#include "ns3/arp-cache.h"
#include "ns3/boolean.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/ipv4-static-routing.h"
#include "ns3/log.h"
#include "ns3/names.h"
#include "ns3/pcap-file-wrapper.h"
#include "ns3/string.h"
#include "ns3/traffic-control-helper.h"
#include "ns3/uinteger.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxHostHelper");

EsxHostHelper::EsxHostHelper()
{
    m_hostFactory.SetTypeId("ns3::EsxHost");
    m_vSwitchFactory.SetTypeId("ns3::EsxVSwitch");
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
        devices.Add(host->AddVnic(name, portGroup));
    }
    return devices;
}

int64_t
EsxHostHelper::AssignStreams(const EsxHostContainer& hosts, int64_t stream) const
{
    NodeContainer nodes = hosts.GetVmkernelNodes();
    nodes.Add(hosts.GetGuests());
    return InternetStackHelper().AssignStreams(nodes, stream);
}

Ptr<EsxVSwitch>
EsxHostHelper::AddVSwitch(Ptr<EsxHost> host, const std::string& name) const
{
    return host->AddVSwitch(name, m_vSwitchFactory.Create<EsxVSwitch>());
}

Ptr<Node>
EsxHostHelper::AddVm(Ptr<EsxHost> host, const std::string& name) const
{
    Ptr<Node> node = CreateObject<Node>();
    host->AddGuest(name, node);
    InstallStack(node);
    return node;
}

Ptr<EsxVnic>
EsxHostHelper::AddVnic(Ptr<EsxHost> host,
                       const std::string& guest,
                       const std::string& portGroup,
                       const Ipv4InterfaceAddress& address,
                       Ipv4Address gateway) const
{
    Ptr<EsxVnic> vnic = host->AddVnic(guest, portGroup);
    AssignAddress(vnic, address, gateway);
    return vnic;
}

Ptr<EsxVmknic>
EsxHostHelper::AddVmknic(Ptr<EsxHost> host,
                         const std::string& name,
                         const std::string& portGroup,
                         const Ipv4InterfaceAddress& address,
                         Ipv4Address gateway) const
{
    Ptr<EsxVmknic> vmknic = host->AddVmknic(name, portGroup);
    const uint32_t interface = AssignAddress(vmknic, address, gateway);
    const Ptr<ArpCache> arp =
        vmknic->GetNode()->GetObject<Ipv4L3Protocol>()->GetInterface(interface)->GetArpCache();
    arp->SetAttribute("PendingQueueSize", UintegerValue(m_arpQueue));
    arp->SetAttribute("DeadTimeout", TimeValue(Time(0)));
    return vmknic;
}

void
EsxHostHelper::SetGuestRate(Ptr<EsxVnic> vnic, DataRate rate) const
{
    vnic->SetGuestRate(rate);
    TrafficControlHelper::Default().Install(vnic);
}

void
EsxHostHelper::InstallStack(Ptr<Node> node) const
{
    if (node->GetObject<Ipv4>())
    {
        return;
    }
    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    // Static routes only: global routing walks over channels, and a vSwitch is none.
    stack.SetRoutingHelper(Ipv4StaticRoutingHelper());
    stack.Install(node);
    node->GetObject<Ipv4>()->SetAttribute("IpForward", BooleanValue(false));
}

uint32_t
EsxHostHelper::AssignAddress(Ptr<NetDevice> device,
                             const Ipv4InterfaceAddress& address,
                             Ipv4Address gateway) const
{
    InstallStack(device->GetNode());
    Ptr<Ipv4> ipv4 = device->GetNode()->GetObject<Ipv4>();
    const uint32_t interface = ipv4->AddInterface(device);
    ipv4->AddAddress(interface, address);
    ipv4->SetUp(interface);
    if (gateway != Ipv4Address::GetZero())
    {
        Ptr<Ipv4StaticRouting> routing = Ipv4StaticRoutingHelper().GetStaticRouting(ipv4);
        NS_ABORT_MSG_IF(!routing, "a gateway needs static routing on the node");
        routing->SetDefaultRoute(gateway, interface);
    }
    return interface;
}

void
EsxHostHelper::EnablePcap(const std::string& prefix,
                          Ptr<EsxVSwitch> vSwitch,
                          uint16_t port,
                          EsxPcapDirection direction,
                          bool explicitFilename,
                          uint32_t snapLength) const
{
    Ptr<EsxPort> captured = vSwitch->GetPort(port);
    NS_ABORT_MSG_IF(!captured, "vSwitch " << vSwitch->GetName() << " has no port " << port);
    const std::string filename = explicitFilename ? prefix
                                                  : prefix + "-" + vSwitch->GetHost()->GetName() +
                                                        "-" + vSwitch->GetName() + "-" +
                                                        std::to_string(port) + ".pcap";
    const Ptr<PcapFileWrapper> file = CreateCapture(filename, snapLength);
    PcapHelper pcap;
    if (direction != EsxPcapDirection::EGRESS)
    {
        pcap.HookDefaultSink<EsxPort>(captured, "Ingress", file);
    }
    if (direction != EsxPcapDirection::INGRESS)
    {
        pcap.HookDefaultSink<EsxPort>(captured, "Egress", file);
    }
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
    PcapHelper pcap;
    const std::string filename =
        explicitFilename ? prefix : pcap.GetFilenameFromDevice(prefix, device);
    pcap.HookDefaultSink<EsxVirtualNetDevice>(captured,
                                              promiscuous ? "PromiscSniffer" : "Sniffer",
                                              CreateCapture(filename));
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
