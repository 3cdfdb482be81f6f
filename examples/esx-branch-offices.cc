// SPDX-License-Identifier: GPL-2.0-only
// Three sites of four ESX hosts, routers and WANs: the lab of scenarios/branch-offices.yaml, with
// the same results.
//
//   north1..4 --- north-switch --- north-router ---- 2 Mb/s ----+
//                                                           hq-router --- hq-switch --- nf1
//   south1..4 --- south-switch --- south-router ---- 2 Mb/s ----+             |
//                                                                          hq1..4
#include "ns3/core-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

using namespace ns3;

int
main(int argc, char* argv[])
{
    std::string output = "out-esx-branch-offices";
    CommandLine cmd(__FILE__);
    cmd.AddValue("output", "folder for the results", output);
    cmd.Parse(argc, argv);
    SystemPath::MakeDirectories(output);

    const auto make = [](const std::string& name) {
        const auto node = CreateObject<Node>();
        Names::Add(name, node);
        return node;
    };
    const auto address = [](int site, int last) { // 10.SITE.0.LAST/24
        return Ipv4InterfaceAddress(Ipv4Address((10U << 24) + (site << 16) + last), "/24");
    };
    EsxResultsHelper results;
    EsxEthernetHelper cable;
    cable.DisableFlowControl();
    cable.SetDeviceAttribute("Delay", StringValue("5us"));
    const auto connect = [&](const std::string& name, const std::string& a, const std::string& b) {
        const auto first = Names::Find<Node>(a.substr(0, a.find(':')));
        const auto second = Names::Find<Node>(b.substr(0, b.find(':')));
        const NetDeviceContainer ends = cable.Install(first, second);
        Names::Add(first, name, ends.Get(0));
        Names::Add(second, name, ends.Get(1));
        results.AddLink(name, ends, a, b);
        return ends;
    };
    const std::string sites[] = {"hq", "north", "south"};
    EsxHostHelper esx;
    EsxHostContainer hosts;
    NodeContainer switches;
    NodeContainer routers;
    int lans = 0;
    NetDeviceContainer uplinks;
    for (const std::string& site : sites)
    {
        switches.Add(make(site + "-switch"));
        routers.Add(make(site + "-router"));
        EsxRouterHelper::Install(routers.Get(lans));
        for (const std::string i : {"1", "2", "3", "4"})
        {
            hosts.Add(esx.CreateHost(site + i));
            Names::Add(site + i, hosts.Get(hosts.GetN() - 1)->GetVmkernelNode());
            const std::string port = site + "-switch:" + i;
            uplinks.Add(connect(site + i + "-link", site + i + ":vmnic0", port).Get(0));
        }
        const auto lan = connect(site + "-lan", site + "-router:eth0", site + "-switch:5").Get(0);
        EsxRouterHelper::AddInterface(lan, address(lans++, 1));
    }
    const Ptr<Node> collector = make("nf1");
    const auto nf1 = connect("nf1-link", "nf1:eth0", "hq-switch:6").Get(0);
    cable.SetDeviceAttribute("DataRate", StringValue("2Mbps"));
    cable.SetDeviceAttribute("Delay", StringValue("15ms"));
    const NetDeviceContainer wans[] = {connect("wan-north", "hq-router:eth1", "north-router:eth1"),
                                       connect("wan-south", "hq-router:eth2", "south-router:eth1")};
    EsxPhysicalSwitchHelper().Install(switches);
    EsxRouterHelper::InstallServer(collector);
    EsxRouterHelper::AddInterface(nf1, address(0, 84), "10.0.0.1");
    for (int site = 1; site < 3; ++site)
    {
        const Ipv4Address hq(site == 1 ? "192.168.1.1" : "192.168.2.1");
        const Ipv4Address branch(hq.Get() + 1);
        EsxRouterHelper::AddInterface(wans[site - 1].Get(0), {hq, "/30"});
        EsxRouterHelper::AddInterface(wans[site - 1].Get(1), {branch, "/30"});
        EsxRouterHelper::AddRoute(routers.Get(0), address(site, 0).GetLocal(), "/24", branch);
        EsxRouterHelper::AddRoute(routers.Get(site), "0.0.0.0", "/0", hq);
    }
    NodeContainer vms;
    NodeContainer stacks(routers, NodeContainer(collector));
    for (int i = 0; i < 12; ++i)
    {
        const Ptr<EsxHost> host = hosts.Get(i);
        const std::string vm = sites[i / 4] + "-vm" + std::to_string(i % 4 + 1);
        const Ipv4Address gateway = address(i / 4, 1).GetLocal();
        const Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
        vSwitch->AddPortGroup("VM Network");
        host->AddUplink(vSwitch, uplinks.Get(i));
        esx.AddVmknic(host, "vmk0", "VM Network", address(i / 4, 11 + i % 4), gateway);
        vms.Add(esx.AddVm(host, vm));
        stacks.Add(NodeContainer(vms.Get(i), host->GetVmkernelNode()));
        esx.AddVnic(host, vm, "VM Network", address(i / 4, 51 + i % 4), gateway);
        EsxUdpCbrOptions work{{Seconds(5), Seconds(55)}, static_cast<uint16_t>(5001 + i % 4)};
        work.rate = DataRate(i < 8 ? "600kbps" : "300kbps");
        work.packetSize = 1000;
        if (i >= 4) // to the head office
        {
            EsxTrafficHelper().UdpCbr(vms.Get(i), vms.Get(i % 4), work);
        }
    }
    EsxHostHelper::FillArp(stacks);
    EsxNetflowHelper netflow;
    netflow.SetModuleAttribute("ActiveTimeout", StringValue("1s"));
    netflow.InstallCollector(collector);
    netflow.InstallNetNetflow(hosts, "vSwitch0", "10.0.0.84").Start(Seconds(1));
    EsxLedgerHelper books;
    results.Install(books.InstallAll());
    results.EnableCaptures(output);
    Simulator::Stop(Seconds(60));
    Simulator::Run();
    results.Write(output);
    Simulator::Destroy();
    return 0;
}
