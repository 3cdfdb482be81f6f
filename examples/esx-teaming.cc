// SPDX-License-Identifier: GPL-2.0-only
// A team of two uplinks in a VLAN: vmnic0 fails at 20 s and is back at 40 s. The flow records of a
// guest that talks to the outside tell by which uplink it did.
//
//   ESX host "esx1"
//   +--------------------------------------------+        physical switch
//   |   web (VLAN 101)          vmk0 (untagged)  |       +-----------------+
//   |   10.1.101.11             10.0.0.5         |   +---| 1 trunk         |
//   |    |                       |            vmnic0-+   | 3 access 101 ---|--- db 10.1.101.21
//   |  ==+=======================+== vSwitch0    |       | 4 access 1   ---|--- collector 10.0.0.9
//   |                                         vmnic1-----| 2 trunk         |
//   +--------------------------------------------+       +-----------------+
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

using namespace ns3;

int
main(int argc, char* argv[])
{
    CommandLine cmd(__FILE__);
    cmd.Parse(argc, argv);

    EsxHostHelper esx;
    Ptr<EsxHost> host = esx.CreateHost("esx1");
    Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
    vSwitch->AddPortGroup("VMkernel");
    vSwitch->AddPortGroup("Prod-101", 101);
    Ptr<EsxPortPolicy> team = CreateObject<EsxPortPolicy>();
    team->SetAttribute("Teaming", StringValue("Explicit"));
    team->SetAttribute("ActiveUplinks", StringValue("vmnic0"));
    team->SetAttribute("StandbyUplinks", StringValue("vmnic1"));
    vSwitch->SetPolicy(team);

    Ptr<Node> switchNode = CreateObject<Node>();
    NodeContainer outside(2); // db, collector
    InternetStackHelper().Install(outside);
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", StringValue("1Gbps"));
    NetDeviceContainer stations;
    for (uint16_t number = 1; number <= 4; ++number)
    {
        Ptr<Node> far = number <= 2 ? host->GetVmkernelNode() : outside.Get(number - 3);
        NetDeviceContainer ends = csma.Install(NodeContainer(far, switchNode));
        stations.Add(ends.Get(0));
    }
    Ptr<EsxPhysicalSwitch> physicalSwitch = EsxPhysicalSwitchHelper().Install(switchNode);
    physicalSwitch->SetTrunk(1, {1, 101});
    physicalSwitch->SetTrunk(2, {1, 101});
    physicalSwitch->SetAccess(3, 101);
    Ptr<EsxUplink> vmnic0 = host->AddUplink(vSwitch, stations.Get(0));
    host->AddUplink(vSwitch, stations.Get(1));
    Ipv4AddressHelper("10.1.101.0", "255.255.255.0", "0.0.0.21").Assign(stations.Get(2));
    Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.9").Assign(stations.Get(3));

    Ptr<Node> web = esx.AddVm(host, "web");
    const Ipv4Mask mask("255.255.255.0");
    esx.AddVnic(host, "web", "Prod-101", Ipv4InterfaceAddress("10.1.101.11", mask));
    esx.AddVmknic(host, "vmk0", "VMkernel", Ipv4InterfaceAddress("10.0.0.5", mask));

    EsxUdpCbrOptions voice;
    voice.start = Seconds(1);
    voice.stop = Seconds(60);
    EsxTrafficHelper().UdpCbr(web, outside.Get(0), voice);

    EsxNetflowHelper netflow;
    netflow.SetModuleAttribute("ActiveTimeout", TimeValue(Seconds(10)));
    netflow.InstallCollector(outside.Get(1));
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");
    EsxLedgerHelper books;
    books.InstallAll();
    const auto cut = [&](bool down) {
        vmnic0->SetDown(down);
        physicalSwitch->SetDown(1, down);
    };
    Simulator::Schedule(Seconds(20), [&] { cut(true); });
    Simulator::Schedule(Seconds(40), [&] { cut(false); });
    Simulator::Stop(Seconds(90));
    Simulator::Run();

    std::cout << EsxTop::Format(EsxTop(*host).Sample());
    const bool pass = books.GetExpectations()->AllPass() &&
                      vSwitch->GetPort(3)->GetCounters().framesOut > 0; // vmnic1
    std::cout << (pass ? "every packet has its place\n" : "something is missing\n");
    Simulator::Destroy();
    return pass ? 0 : 1;
}
