// SPDX-License-Identifier: GPL-2.0-only
// Two guests talk, the vSwitch is metered, records leave by the VMkernel's vmk0 as NetFlow version
// 5 and reach a collector. At the end the ledger says where every packet is.
//
//   ESX host "esx1"
//   +-------------------------------------+
//   |   web       app       vmk0          |
//   |   .11       .12        .5           |
//   |    |         |         | 10.0.0.0/24|            1 Gb/s
//   |  ==+=========+=========+== vSwitch0 == vmnic0 ------------- collector 10.0.0.9:2055
//   +-------------------------------------+
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

using namespace ns3;

int
main(int argc, char* argv[])
{
    Time duration = Seconds(60);
    std::string output = "esx-first.xml";
    CommandLine cmd(__FILE__);
    cmd.AddValue("duration", "simulated time", duration);
    cmd.AddValue("output", "file for the ledger", output);
    cmd.Parse(argc, argv);

    EsxHostHelper esx;
    Ptr<EsxHost> host = esx.CreateHost("esx1");
    Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
    vSwitch->AddPortGroup("VM Network");

    NodeContainer collector(1);
    InternetStackHelper().Install(collector);
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", StringValue("1Gbps"));
    NetDeviceContainer wire =
        csma.Install(NodeContainer(host->GetVmkernelNode(), collector.Get(0)));
    host->AddUplink(vSwitch, wire.Get(0)); // vmnic0
    Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.9").Assign(wire.Get(1));

    Ptr<Node> web = esx.AddVm(host, "web");
    Ptr<Node> app = esx.AddVm(host, "app");
    const Ipv4Mask mask("255.255.255.0");
    esx.AddVnic(host, "web", "VM Network", Ipv4InterfaceAddress("10.0.0.11", mask));
    esx.AddVnic(host, "app", "VM Network", Ipv4InterfaceAddress("10.0.0.12", mask));
    esx.AddVmknic(host, "vmk0", "VM Network", Ipv4InterfaceAddress("10.0.0.5", mask));

    EsxTrafficHelper traffic;
    EsxTcpRequestOptions requests;
    requests.start = Seconds(1);
    requests.stop = duration - Seconds(30);
    traffic.TcpRequest(web, app, requests);

    EsxNetflowHelper netflow;
    netflow.InstallCollector(collector.Get(0));
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");

    EsxLedgerHelper books;
    Ptr<EsxLedger> ledger = books.InstallAll();
    books.GetExpectations()->AtLeast({"collector.records.received"}, 1);

    Simulator::Stop(duration);
    Simulator::Run();

    for (const EsxFlow& flow : ledger->GetFlows())
    {
        std::cout << Ipv4Address(flow.key.source) << ":" << flow.key.sourcePort << " -> "
                  << Ipv4Address(flow.key.destination) << ":" << flow.key.destinationPort << "  "
                  << flow.truth.packets << " packets, " << flow.collected.packets << " collected\n";
    }
    books.SerializeToXmlFile(output);
    const bool pass = books.GetExpectations()->AllPass();
    std::cout << (pass ? "every packet has its place\n" : "the ledger does not balance\n");
    Simulator::Destroy();
    return pass ? 0 : 1;
}
