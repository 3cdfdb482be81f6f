// SPDX-License-Identifier: GPL-2.0-only
// A whole run: VMs with IP stacks send UDP datagrams of many flows to their neighbours.
//   --way=esx     vNICs at one vSwitch
//   --way=bridge  CsmaNetDevices, each with a cable of its own to a BridgeNetDevice
//   --meter=netflow   on the vSwitch: NetFlow, ledger, attribution
//   --meter=flowmon   FlowMonitor on all nodes
//   --meter=none
// Prints datagrams received, flows seen, CPU seconds of the process, and octets allocated at the
// end of the run. bench/simulation.py compares.
#include "ns3/applications-module.h"
#include "ns3/bridge-helper.h"
#include "ns3/command-line.h"
#include "ns3/config.h"
#include "ns3/csma-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-ledger-helper.h"
#include "ns3/esx-ledger.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/esx-netflow.h"
#include "ns3/flow-monitor-helper.h"
#include "ns3/internet-module.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/traffic-control-helper.h"
#include "ns3/traffic-control-layer.h"
#include "ns3/uinteger.h"

#include <ctime>
#include <iostream>
#include <malloc.h>
#include <string>
#include <vector>

using namespace ns3;

namespace
{

constexpr uint16_t PORT = 9;
constexpr uint32_t OCTETS = 512;
constexpr uint16_t FIRST_PORT = 1024;

double
CpuSeconds()
{
    timespec time = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

uint64_t
AllocatedOctets()
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// Sends datagrams to a neighbour, their source ports in turn: past the sockets, not the IP stack.
class Sender : public Application
{
  public:
    Sender(Ipv4Address from, Ipv4Address to, uint32_t flows, uint64_t datagrams, Time gap)
        : m_from(from),
          m_to(to),
          m_flows(flows),
          m_left(datagrams),
          m_gap(gap)
    {
    }

  private:
    void StartApplication() override
    {
        m_ip = GetNode()->GetObject<Ipv4L3Protocol>();
        Ipv4Header header;
        header.SetDestination(m_to);
        Socket::SocketErrno error;
        m_route = m_ip->GetRoutingProtocol()->RouteOutput(nullptr, header, nullptr, error);
        Send();
    }

    void Send()
    {
        UdpHeader udp;
        udp.SetSourcePort(FIRST_PORT + m_sent++ % m_flows);
        udp.SetDestinationPort(PORT);
        const Ptr<Packet> packet = Create<Packet>(OCTETS);
        packet->AddHeader(udp);
        m_ip->Send(packet, m_from, m_to, UdpL4Protocol::PROT_NUMBER, m_route);
        if (--m_left > 0)
        {
            Simulator::Schedule(m_gap, &Sender::Send, this);
        }
    }

    Ipv4Address m_from;
    Ipv4Address m_to;
    uint32_t m_flows;
    uint64_t m_left;
    Time m_gap;
    uint64_t m_sent{0};
    Ptr<Ipv4L3Protocol> m_ip;
    Ptr<Ipv4Route> m_route;
};

NetDeviceContainer
BuildBridge(const NodeContainer& nodes)
{
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", StringValue("10Gbps"));
    csma.SetChannelAttribute("Delay", StringValue("500ns"));
    csma.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("1000p"));
    const Ptr<Node> bridge = CreateObject<Node>();
    NetDeviceContainer ports;
    NetDeviceContainer devices;
    for (uint32_t i = 0; i < nodes.GetN(); ++i)
    {
        const NetDeviceContainer ends = csma.Install(NodeContainer(nodes.Get(i), bridge));
        devices.Add(ends.Get(0));
        ports.Add(ends.Get(1));
    }
    BridgeHelper().Install(bridge, ports);
    return devices;
}

} // namespace

int
main(int argc, char** argv)
{
    uint32_t vms = 8;
    uint32_t flows = 64;
    uint64_t datagrams = 200'000;
    double rate = 160'000;
    std::string way = "esx";
    std::string meter = "none";
    CommandLine cmd(__FILE__);
    cmd.AddValue("vms", "VMs", vms);
    cmd.AddValue("flows", "flows in total", flows);
    cmd.AddValue("datagrams", "datagrams in total", datagrams);
    cmd.AddValue("rate", "datagrams a second", rate);
    cmd.AddValue("way", "esx or bridge", way);
    cmd.AddValue("meter", "netflow, flowmon or none", meter);
    cmd.Parse(argc, argv);

    Config::SetDefault("ns3::ArpCache::PendingQueueSize", UintegerValue(1000)); // none is lost
    NodeContainer nodes(vms);
    EsxHostHelper esx;
    const Ptr<EsxHost> host = esx.CreateHost("esx1");
    host->AddVSwitch("vSwitch0")->AddPortGroup("VM Network");
    const NetDeviceContainer devices =
        way == "bridge" ? BuildBridge(nodes) : esx.Install(nodes, host, "VM Network");
    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    stack.Install(nodes);
    const auto addresses = Ipv4AddressHelper("10.0.0.0", "255.255.0.0").Assign(devices);
    TrafficControlHelper traffic; // on equal terms: no queue disc before any device
    for (uint32_t i = 0; i < vms; ++i)
    {
        if (nodes.Get(i)->GetObject<TrafficControlLayer>()->GetRootQueueDiscOnDevice(
                devices.Get(i)))
        {
            traffic.Uninstall(devices.Get(i));
        }
    }
    const auto sinks =
        PacketSinkHelper("ns3::UdpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), PORT))
            .Install(nodes);
    for (uint32_t i = 0; i < vms; ++i)
    {
        const auto sender = Create<Sender>(addresses.GetAddress(i),
                                           addresses.GetAddress((i + 1) % vms),
                                           std::max(1U, flows / vms),
                                           datagrams / vms,
                                           Seconds(vms / rate));
        nodes.Get(i)->AddApplication(sender);
        sender->SetStartTime(Seconds(1 + i / rate));
    }
    FlowMonitorHelper monitoring;
    Ptr<FlowMonitor> monitor;
    Ptr<EsxNetflow> module;
    EsxLedgerHelper books;
    if (meter == "flowmon")
    {
        monitor = monitoring.Install(nodes);
    }
    else if (meter == "netflow")
    {
        std::vector<uint16_t> ids;
        module = EsxNetflowHelper().Install(host);
        books.InstallAll();
        std::string refused = module->Load();
        refused += module->Register({"vSwitch0"}, ids);
        NS_ABORT_MSG_IF(!refused.empty(), refused);
    }
    const uint64_t before = AllocatedOctets();
    Simulator::Stop(Seconds(1.5 + static_cast<double>(datagrams) / rate));
    Simulator::Run();
    const uint64_t after = AllocatedOctets();
    uint64_t received = 0;
    for (uint32_t i = 0; i < vms; ++i)
    {
        received += DynamicCast<PacketSink>(sinks.Get(i))->GetTotalRx() / OCTETS;
    }
    const std::size_t seen = monitor  ? monitor->GetFlowStats().size()
                             : module ? books.GetLedger()->GetFlows().size()
                                      : 0;
    std::cout << "received=" << received << " flows=" << seen << " allocated=" << after - before
              << " cpu=" << CpuSeconds() << '\n';
    Simulator::Destroy();
    return received == datagrams / vms * vms ? 0 : 1;
}
