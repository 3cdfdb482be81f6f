// SPDX-License-Identifier: GPL-2.0-only
// Three ways to lose flow records. A port scan makes every packet a flow of its own; they outgrow
// purgatory, which is small and polled every 5 s only, then the module's heap, which is short from
// 60 s to 70 s, and always the slow link to the collector with its short queue.
//
//   ESX host "esx1"
//   +------------------------------------+
//   |  scanner  victim     vmk0          |
//   |   .11      .12        .5           |
//   |   |        |          | 10.0.0.0/24|       128 kb/s, 4 packets
//   |  =+========+==========+= vSwitch0 == vmnic0 ------------------- collector 10.0.0.9:2055
//   +------------------------------------+
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

#include <iomanip>

using namespace ns3;

int
main(int argc, char* argv[])
{
    uint32_t purgatory = 800;
    std::string linkRate = "128kbps";
    CommandLine cmd(__FILE__);
    cmd.AddValue("purgatory", "records that can wait for a poll", purgatory);
    cmd.AddValue("linkRate", "rate of the link to the collector", linkRate);
    cmd.Parse(argc, argv);

    EsxHostHelper esx;
    Ptr<EsxHost> host = esx.CreateHost("esx1");
    Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
    vSwitch->AddPortGroup("VM Network");

    NodeContainer collector(1);
    InternetStackHelper().Install(collector);
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", StringValue(linkRate));
    csma.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("4p"));
    NetDeviceContainer wire =
        csma.Install(NodeContainer(host->GetVmkernelNode(), collector.Get(0)));
    host->AddUplink(vSwitch, wire.Get(0)); // vmnic0
    Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.9").Assign(wire.Get(1));

    Ptr<Node> scanner = esx.AddVm(host, "scanner");
    Ptr<Node> victim = esx.AddVm(host, "victim");
    esx.AddVnic(host, "scanner", "VM Network", Ipv4InterfaceAddress("10.0.0.11", "/24"));
    esx.AddVnic(host, "victim", "VM Network", Ipv4InterfaceAddress("10.0.0.12", "/24"));
    esx.AddVmknic(host, "vmk0", "VM Network", Ipv4InterfaceAddress("10.0.0.5", "/24"));

    EsxTrafficHelper traffic;
    EsxTcpSynScanOptions scan; // 200 SYNs a second and as many answers: 400 records a second
    scan.every = MilliSeconds(5);
    scan.lastPort = 20000;
    scan.start = Seconds(1);
    scan.stop = Seconds(90);
    traffic.TcpSynScan(scanner, {victim}, scan);

    EsxNetflowHelper netflow;
    netflow.SetModuleAttribute("PurgatoryMax", UintegerValue(purgatory));
    netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(Seconds(5)));
    netflow.InstallCollector(collector.Get(0));
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");

    Ptr<EsxNetflow> module = host->GetObject<EsxNetflow>();
    Simulator::Schedule(Seconds(60), &EsxNetflow::SetHeapMax, module, 0);
    Simulator::Schedule(Seconds(70), &EsxNetflow::SetHeapMax, module, module->GetHeapMax());

    EsxLedgerHelper books;
    Ptr<EsxLedger> ledger = books.InstallAll();
    Ptr<EsxExpectations> expectations = books.GetExpectations();
    expectations->AtLeast({"netflow.records.dropped", "purgatory_full"}, 1);
    expectations->AtLeast({"netflow.packets.shed", "no_memory"}, 1);
    expectations->AtLeast({"netflow.records.lost", "device_queue"}, 1);
    Simulator::Stop(Seconds(130));
    Simulator::Run();

    std::map<std::string, netflow::Counts> places; // what became of all packets, over all flows
    for (const EsxFlow& flow : ledger->GetFlows())
    {
        places["truth"] += flow.truth;
        places["collected"] += flow.collected;
        for (const auto& [cause, counts] : flow.losses)
        {
            places["lost: " + cause] += counts;
        }
        for (const auto& [state, counts] : flow.left)
        {
            places["left: " + state] += counts;
        }
    }
    std::cout << std::setw(34) << "records" << std::setw(10) << "packets\n";
    for (const auto& [place, counts] : places)
    {
        std::cout << std::left << std::setw(24) << place << std::right << std::setw(10)
                  << counts.records << std::setw(9) << counts.packets << "\n";
    }
    const bool pass = expectations->AllPass(); // residual 0 is part of it
    std::cout << (pass ? "each loss happened and has its place\n" : "not as expected\n");
    Simulator::Destroy();
    return pass ? 0 : 1;
}
