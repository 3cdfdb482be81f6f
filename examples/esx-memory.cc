// SPDX-License-Identifier: GPL-2.0-only
// A virtual machine grows and takes the host to the hard state, in which the module's heap may not
// grow: the new flows of a port scan are shed for want of memory.
//
//   ESX host "esx1", 4 GiB
//   +----------------------------------------------+
//   |  scanner   victim   db (grows)   vmk0        |
//   |   .11       .12                   .5         |
//   |    |         |                     |         |         1 Gb/s
//   |  ==+=========+=====================+== vSwitch0 == vmnic0 ---- collector 10.0.0.9:2055
//   +----------------------------------------------+
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

using namespace ns3;

/// Prints the states as they follow each other.
void
StateChanged(EsxHostMemory::State from, EsxHostMemory::State to)
{
    std::cout << Simulator::Now().As(Time::S) << " memory " << EsxHostMemory::ToString(from)
              << " -> " << EsxHostMemory::ToString(to) << "\n";
}

int
main(int argc, char* argv[])
{
    std::string policy = "DropNew";
    CommandLine cmd(__FILE__);
    cmd.AddValue("policy", "of the flow cache: DropNew, EvictOldest, EvictOldestDrop", policy);
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

    constexpr uint64_t mib = 1024 * 1024ULL;
    Ptr<EsxHostMemory> memory = CreateObject<EsxHostMemory>();
    memory->SetAttribute("Total", UintegerValue(4096 * mib)); // the VMkernel has 512 of these
    host->AggregateObject(memory);
    memory->AddVirtualMachine("db", 3584 * mib, 3560 * mib, 1024 * mib); // 24 can be reclaimed
    memory->TraceConnectWithoutContext("State", MakeCallback(&StateChanged));
    Simulator::Schedule(Seconds(20), &EsxHostMemory::Grow, memory, "db", 3584 * mib, 256 * mib);

    Ptr<Node> scanner = esx.AddVm(host, "scanner");
    Ptr<Node> victim = esx.AddVm(host, "victim");
    const Ipv4Mask mask("/24");
    esx.AddVnic(host, "scanner", "VM Network", Ipv4InterfaceAddress("10.0.0.11", mask));
    esx.AddVnic(host, "victim", "VM Network", Ipv4InterfaceAddress("10.0.0.12", mask));
    esx.AddVmknic(host, "vmk0", "VM Network", Ipv4InterfaceAddress("10.0.0.5", mask));

    EsxTcpSynScanOptions scan; // 50 SYNs a second and as many answers, from 40 s to 90 s
    scan.every = MilliSeconds(20);
    scan.lastPort = 20000;
    scan.start = Seconds(40);
    scan.stop = Seconds(90);
    EsxTrafficHelper().TcpSynScan(scanner, {victim}, scan);

    EsxNetflowHelper netflow;
    netflow.SetModuleAttribute("CachePolicy", StringValue(policy));
    netflow.InstallCollector(collector.Get(0));
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");

    EsxLedgerHelper books;
    Ptr<EsxLedger> ledger = books.InstallAll();
    Ptr<EsxExpectations> expectations = books.GetExpectations();
    expectations->AtLeast({"netflow.packets.shed", "no_memory"}, policy == "DropNew" ? 1 : 0);
    Simulator::Stop(Seconds(130));
    Simulator::Run();

    uint64_t shed = 0;
    for (const EsxFlow& flow : ledger->GetFlows())
    {
        const auto loss = flow.losses.find("no_memory");
        shed += loss == flow.losses.end() ? 0 : loss->second.packets;
    }
    std::cout << shed << " packets were shed for want of memory\n";
    const bool pass = expectations->AllPass(); // residual 0 is part of it
    std::cout << (pass ? "as expected\n" : "not as expected\n");
    Simulator::Destroy();
    return pass ? 0 : 1;
}
