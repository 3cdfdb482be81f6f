// SPDX-License-Identifier: GPL-2.0-only
// A real collector gets what a simulated host exports, if asked for at the pace of the wall clock.
// The simulated one gets what the network does not lose.
//
//   ESX host "esx1"
//   +----------------------------------+
//   |   web      app      vmk0         |
//   |   .11      .12       .5          |
//   |    |        |        | 10.0.0.0/24
//   |  ==+========+========+= vSwitch0 == vmnic0 ------ collector 10.0.0.9:2055
//   +------------------------ | -------+
//                             +······················· a real one: --collector, --port
//
//   nfcapd -p 2055 -w /tmp/flows &
//   esx-real-collector --collector=127.0.0.1 --port=2055 --realTime
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

#include <iostream>

using namespace ns3;

int
main(int argc, char* argv[])
{
    Time duration = Seconds(20);
    bool realTime = false;
    Ipv4Address address = Ipv4Address::GetLoopback();
    uint16_t port = 2055;
    CommandLine cmd(__FILE__);
    cmd.AddValue("duration", "simulated time", duration);
    cmd.AddValue("realTime", "run at the pace of the wall clock", realTime);
    cmd.AddValue("collector", "IPv4 address of the real collector", address);
    cmd.AddValue("port", "its UDP port", port);
    cmd.Parse(argc, argv);
    Config::SetDefault("ns3::EsxSteeredScheduler::RealTime", BooleanValue(realTime));
    Simulator::SetScheduler(ObjectFactory("ns3::EsxSteeredScheduler"));

    EsxHostHelper esx;
    Ptr<EsxHost> host = esx.CreateHost("esx1");
    Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
    vSwitch->AddPortGroup("VM Network");
    NodeContainer collector(1);
    InternetStackHelper().Install(collector);
    CsmaHelper csma;
    NetDeviceContainer wire =
        csma.Install(NodeContainer(host->GetVmkernelNode(), collector.Get(0)));
    host->AddUplink(vSwitch, wire.Get(0));
    Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.9").Assign(wire.Get(1));
    Ptr<Node> web = esx.AddVm(host, "web");
    Ptr<Node> app = esx.AddVm(host, "app");
    const Ipv4Mask mask("255.255.255.0");
    esx.AddVnic(host, "web", "VM Network", Ipv4InterfaceAddress("10.0.0.11", mask));
    esx.AddVnic(host, "app", "VM Network", Ipv4InterfaceAddress("10.0.0.12", mask));
    esx.AddVmknic(host, "vmk0", "VM Network", Ipv4InterfaceAddress("10.0.0.5", mask));

    EsxTcpRequestOptions requests;
    requests.start = Seconds(1);
    requests.stop = duration;
    EsxTrafficHelper().TcpRequest(web, app, requests);
    EsxNetflowHelper netflow;
    netflow.InstallCollector(collector.Get(0));
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");
    EsxLedgerHelper books;
    EsxRealCollectorHelper real(address, port);
    real.Install(host, books.InstallAll());

    Simulator::Stop(duration);
    Simulator::Run();
    const EsxRealCollectorHelper::Counts counts = real.GetCounts();
    std::cout << counts.sent << " datagrams to " << address << ":" << port << ", " << counts.refused
              << " refused, " << counts.failed << " not sent\n";
    const bool balances = books.GetLedger()->GetResidual() == netflow::Counts{};
    Simulator::Destroy();
    return counts.sent > 0 && balances ? 0 : 1;
}
