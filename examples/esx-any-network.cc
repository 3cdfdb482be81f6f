// SPDX-License-Identifier: GPL-2.0-only
// Guests are ordinary nodes and uplinks lead anywhere: ns-3's own helpers install stacks, addresses
// and an application on guests; a router leads over a point-to-point link to a server and the
// collector. FlowMonitor and the flow records see the same packets. Traces: esx-any-network-*.
//
//   "esx1"                                   CSMA          point-to-point
//   +-----------------------------+   10.1.1.0/24 .254     10.9.0.0/30     +--------+
//   | web .11   db .12   vmk0 .5  |         +--------+  10 Mbit/s, 2 ms    | server |
//   |  ==+========+=======+== vSwitch0 -----| router |---------------------| and    |
//   |                          vmnic0       +--------+                     | collector
//   +-----------------------------+                                        +--------+
#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/flow-monitor-module.h"
#include "ns3/internet-module.h"
#include "ns3/point-to-point-module.h"

using namespace ns3;

int
main(int argc, char* argv[])
{
    bool trace = false;
    CommandLine cmd(__FILE__);
    cmd.AddValue("trace", "Write captures and an ascii trace", trace);
    cmd.Parse(argc, argv);

    NodeContainer vmkernel(1);
    NodeContainer guests(2);
    NodeContainer outside(2); // router, server
    EsxHostHelper esx;
    EsxHostContainer hosts = esx.Install(vmkernel);
    Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(hosts.Get(0), "vSwitch0");
    vSwitch->AddPortGroup("VM Network");
    NetDeviceContainer cable = CsmaHelper().Install(NodeContainer(vmkernel.Get(0), outside.Get(0)));
    hosts.Get(0)->AddUplink(vSwitch, cable.Get(0));
    NetDeviceContainer vnics = esx.Install(guests, hosts.Get(0), "VM Network");
    PointToPointHelper wan;
    wan.SetDeviceAttribute("DataRate", StringValue("10Mbps"));
    wan.SetChannelAttribute("Delay", StringValue("2ms"));
    NetDeviceContainer far = wan.Install(outside);

    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    stack.Install(guests);
    stack.Install(outside);
    Ipv4AddressHelper("10.1.1.0", "255.255.255.0", "0.0.0.11").Assign(vnics);
    Ipv4AddressHelper("10.1.1.0", "255.255.255.0", "0.0.0.254").Assign(cable.Get(1));
    Ipv4AddressHelper("10.9.0.0", "255.255.255.252").Assign(far); // .1 and .2
    const Ipv4Address router("10.1.1.254");
    Ipv4StaticRoutingHelper routing;
    for (uint32_t i = 0; i < guests.GetN(); ++i)
    {
        routing.GetStaticRouting(guests.Get(i)->GetObject<Ipv4>())->SetDefaultRoute(router, 1);
    }
    routing.GetStaticRouting(outside.Get(1)->GetObject<Ipv4>())->SetDefaultRoute("10.9.0.1", 1);
    const Ipv4Mask mask("255.255.255.0");
    esx.AddVmknic(hosts.Get(0),
                  "vmk0",
                  "VM Network",
                  Ipv4InterfaceAddress("10.1.1.5", mask),
                  router);

    OnOffHelper web("ns3::UdpSocketFactory", InetSocketAddress("10.9.0.2", 9));
    web.SetConstantRate(DataRate("200kbps"));
    ApplicationContainer apps = web.Install(guests);
    apps.Start(Seconds(1));
    apps.Stop(Seconds(10));
    PacketSinkHelper("ns3::UdpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), 9))
        .Install(outside.Get(1));
    EsxNetflowHelper netflow;
    netflow.InstallCollector(outside.Get(1));
    netflow.InstallNetNetflow(hosts.Get(0), "vSwitch0", "10.9.0.2");
    EsxLedgerHelper books;
    books.InstallAll();
    esx.AssignStreams(hosts, 1);
    FlowMonitorHelper monitoring;
    Ptr<FlowMonitor> monitor = monitoring.Install(NodeContainer(guests, outside));
    if (trace)
    {
        esx.EnablePcap("esx-any-network", vnics);
        esx.EnableAscii(AsciiTraceHelper().CreateFileStream("esx-any-network.tr"), vnics);
    }
    Simulator::Stop(Seconds(40));
    Simulator::Run();

    uint64_t monitored = 0; // of the guests
    for (const auto& [id, flow] : monitor->GetFlowStats())
    {
        monitored += flow.txBytes == flow.rxBytes ? flow.rxPackets : 0;
    }
    const uint64_t sent = vSwitch->GetPort(3)->GetCounters().framesIn; // web's, with ARP
    std::cout << "FlowMonitor: " << monitored << " packets arrived; web sent " << sent
              << " frames\n";
    const bool pass = books.GetExpectations()->AllPass() && monitored > 800;
    Simulator::Destroy();
    return pass ? 0 : 1;
}
