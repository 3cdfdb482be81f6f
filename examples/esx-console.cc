// SPDX-License-Identifier: GPL-2.0-only
// An administrator at the service console: the technical note's commands, and what they print.
//
//   ESX host "esx1"
//   +-------------------------------------+
//   |   web       app       vmk0          |   console: vmkload_mod, net-netflow, ps, kill
//   |   .11       .12        .5           |
//   |    |         |         | 10.0.0.0/24|            1 Gb/s
//   |  ==+=========+=========+== vSwitch0 == vmnic0 ------------- collector 10.0.0.9:2055
//   +-------------------------------------+
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

using namespace ns3;

/// Types a line and shows what it prints.
void
Type(Ptr<EsxConsoleSession> session, std::string line)
{
    const EsxConsoleResult result = session->Execute(line);
    std::cout << Simulator::Now().As(Time::S) << " # " << line << "\n"
              << result.output << result.errors;
}

int
main(int argc, char* argv[])
{
    CommandLine cmd(__FILE__);
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
    const Ipv4Mask mask("/24");
    esx.AddVnic(host, "web", "VM Network", Ipv4InterfaceAddress("10.0.0.11", mask));
    esx.AddVnic(host, "app", "VM Network", Ipv4InterfaceAddress("10.0.0.12", mask));
    esx.AddVmknic(host, "vmk0", "VM Network", Ipv4InterfaceAddress("10.0.0.5", mask));

    EsxTrafficHelper traffic;
    EsxUdpCbrOptions voice;
    voice.start = Seconds(1);
    voice.stop = Seconds(40);
    traffic.UdpCbr(web, app, voice);

    EsxNetflowHelper netflow;
    netflow.Install(host); // the module's file; the administrator loads it
    netflow.InstallCollector(collector.Get(0));

    Ptr<EsxConsole> console = CreateObject<EsxConsole>();
    console->SetHost(host);
    console->AddName("nf-collector1.mycompany.com", "10.0.0.9");
    host->AggregateObject(console);
    Ptr<EsxConsoleSession> session = console->OpenSession();
    const std::pair<int, const char*> lines[] = {
        {2, "vmkload_mod netflow"},
        {3, "vmkload_mod -l | grep netflow"},
        {4, "vmkload_app -S -i vmktcp net-netflow -e vSwitch1 nf-collector1.mycompany.com"},
        {5, "vmkload_app -S -i vmktcp net-netflow -e vSwitch0 nf-collector1.mycompany.com"},
        {30, "ps | grep net-netflow"},
        {70, "tail -n 3 /var/log/vmkernel"},
        {71, "vmkload_mod -u netflow"}, // refused: net-netflow runs
    };
    for (const auto& [second, line] : lines)
    {
        Simulator::Schedule(Seconds(second), &Type, session, std::string(line));
    }

    EsxLedgerHelper books;
    Ptr<EsxLedger> ledger = books.InstallAll();
    Ptr<EsxExpectations> expectations = books.GetExpectations();
    expectations->AtLeast({"netflow.records.sent"}, 2);
    Simulator::Stop(Seconds(80));
    Simulator::Run();
    const bool pass = expectations->AllPass() && console->GetProcesses().size() == 1;
    std::cout << (pass ? "as expected\n" : "not as expected\n");
    Simulator::Destroy();
    return pass ? 0 : 1;
}
