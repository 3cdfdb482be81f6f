// SPDX-License-Identifier: GPL-2.0-only
// A script makes a result folder: the same files that the program's runs write, so that its
// commands and notebooks read it. Records die on a slow link, and 'explain' says where.
//
//   ESX host "esx1"
//   +-------------------------------------+
//   |   web       app       vmk0          |
//   |   .11       .12        .5           |
//   |    |         |         | 10.0.0.0/24|            64 kb/s
//   |  ==+=========+=========+== vSwitch0 == vmnic0 ------------- collector 10.0.0.9:2055
//   +-------------------------------------+
//
//   esx-results --output=out-results
//   esx-netflow report out-results
//   esx-netflow verify out-results
//   esx-netflow explain out-results --flow 'web->app' --lost --limit 1
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

using namespace ns3;

int
main(int argc, char* argv[])
{
    Time duration = Seconds(60);
    std::string output = "out-esx-results";
    CommandLine cmd(__FILE__);
    cmd.AddValue("duration", "simulated time", duration);
    cmd.AddValue("output", "folder for the results", output);
    cmd.Parse(argc, argv);
    SystemPath::MakeDirectories(output);

    EsxHostHelper esx;
    Ptr<EsxHost> host = esx.CreateHost("esx1");
    Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
    vSwitch->AddPortGroup("VM Network");

    NodeContainer collector(1);
    Names::Add("collector", collector.Get(0)); // the names of nodes in all files
    Names::Add("esx1", host->GetVmkernelNode());
    InternetStackHelper().Install(collector);
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", StringValue("64kbps"));
    csma.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("2p"));
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
    requests.every = "ns3::ConstantRandomVariable[Constant=0.02]";
    traffic.TcpRequest(web, app, requests);

    EsxNetflowHelper netflow;
    netflow.InstallCollector(collector.Get(0));
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");

    EsxLedgerHelper books;
    EsxResultsHelper results;
    results.Install(books.InstallAll());
    results.AddLink("collector-link", wire, "esx1:vmnic0", "collector:eth0");
    results.EnableCaptures(output);
    books.GetExpectations()->Conservation();
    books.GetExpectations()->AtLeast({"collector.records.received"}, 1);

    Simulator::Stop(duration);
    Simulator::Run();
    results.Write(output, books.GetExpectations());
    std::cout << "results: " << output << "\n";
    const bool pass = books.GetExpectations()->AllPass();
    Simulator::Destroy();
    return pass ? 0 : 1;
}
