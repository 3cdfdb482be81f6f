// SPDX-License-Identifier: GPL-2.0-only
// Fixed work for counting instructions: COUNT frames from guest to guest, without IP stacks, so
// that hardly anything but what this repository adds is counted.
//   bench-instructions-ns3 switch COUNT     from one guest to another over a vSwitch, no tap
//   bench-instructions-ns3 tap COUNT        the same, metered: parser, cache, ledger, scans
//   bench-instructions-ns3 hostsN COUNT     N hosts of 16 guests at a physical switch, metered,
//   with
//                                           the ledger's tracker: to a guest of the next host
#include "ns3/esx-ethernet-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-ledger-helper.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-physical-switch-helper.h"
#include "ns3/simulator.h"
#include "ns3/string.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace ns3;

namespace
{

constexpr uint16_t IPV4 = 0x0800;

Ptr<EsxVnic>
AddVm(Ptr<EsxHost> host, const std::string& name)
{
    host->AddGuest(name, CreateObject<Node>());
    return host->AddVnic(name, "VM Network");
}

/// A UDP packet of one of 256 flows.
Ptr<Packet>
MakePacket(uint8_t flow)
{
    uint8_t ip[64] = {0x45, 0, 0, 64, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 10, 1, 0, 1};
    ip[15] = flow;
    ip[23] = 53;
    return Create<Packet>(ip, sizeof(ip));
}

constexpr uint32_t GUESTS = 16; // of each of several hosts

/// Pairs that send frames: the first vNIC to the second, or each to the same guest's of the next
/// host in turn.
struct Senders
{
    std::vector<Ptr<EsxVnic>> vnics;
    std::vector<Ptr<Packet>> packets;
    bool inTurn{false};

    /// Sends a frame, and the next one 10 us later.
    void Send(uint32_t left)
    {
        const std::size_t from = inTurn ? left % vnics.size() : 0;
        const std::size_t to = inTurn ? (from + GUESTS) % vnics.size() : 1;
        vnics[from]->Send(packets[left % packets.size()]->Copy(), vnics[to]->GetAddress(), IPV4);
        if (left > 1)
        {
            Simulator::Schedule(MicroSeconds(10), &Senders::Send, this, left - 1);
        }
    }
};

/// Loads the module and registers the host's vSwitch.
void
Meter(const Ptr<EsxHost>& host)
{
    std::vector<uint16_t> ids;
    const Ptr<EsxNetflow> module = EsxNetflowHelper().Install(host);
    std::string refused = module->Load();
    refused += module->Register({"vSwitch0"}, ids);
    NS_ABORT_MSG_UNLESS(refused.empty(), refused);
}

/// Hosts at one physical switch. \return the first one
Ptr<EsxHost>
BuildHosts(uint32_t hosts, Senders& senders)
{
    EsxHostHelper esx;
    EsxEthernetHelper cables;
    cables.SetDeviceAttribute("DataRate", StringValue("10Gbps"));
    const Ptr<Node> middle = CreateObject<Node>();
    Ptr<EsxHost> first;
    for (uint32_t i = 0; i < hosts; ++i)
    {
        const std::string name = "esx" + std::to_string(i);
        const Ptr<EsxHost> host = esx.CreateHost(name);
        const Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
        vSwitch->AddPortGroup("VM Network");
        host->AddUplink(vSwitch, cables.Install(host->GetVmkernelNode(), middle).Get(0));
        for (uint32_t guest = 0; guest < GUESTS; ++guest)
        {
            senders.vnics.push_back(AddVm(host, name + "vm" + std::to_string(guest)));
        }
        Meter(host);
        first = first ? first : host;
    }
    EsxPhysicalSwitchHelper().Install(middle);
    EsxLedgerHelper().InstallAll();
    senders.inTurn = true;
    return first;
}

} // namespace

int
main(int argc, char** argv)
{
    const std::string step = argc == 3 ? argv[1] : "";
    const auto count = argc == 3 ? static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)) : 0;
    const auto hosts = step.rfind("hosts", 0) == 0
                           ? static_cast<uint32_t>(std::strtoul(step.c_str() + 5, nullptr, 10))
                           : 0;
    if ((step != "switch" && step != "tap" && hosts < 2) || count == 0)
    {
        std::fprintf(stderr, "usage: bench-instructions-ns3 switch|tap|hostsN COUNT\n");
        return 2;
    }
    Senders senders;
    Ptr<EsxHost> host;
    if (hosts > 0)
    {
        host = BuildHosts(hosts, senders);
    }
    else
    {
        host = CreateObject<EsxHost>();
        CreateObject<Node>()->AggregateObject(host);
        host->AddVSwitch("vSwitch0")->AddPortGroup("VM Network");
        senders.vnics = {AddVm(host, "a"), AddVm(host, "b")};
        if (step == "tap")
        {
            Meter(host);
        }
    }
    for (unsigned flow = 0; flow < 256; ++flow)
    {
        senders.packets.push_back(MakePacket(static_cast<uint8_t>(flow)));
    }
    Simulator::Schedule(MilliSeconds(hosts > 0 ? 1 : 0), &Senders::Send, &senders, count);
    Simulator::Run();
    uint64_t received = 0;
    for (const Ptr<EsxVnic>& vnic : senders.vnics)
    {
        const auto& counters = vnic->GetVSwitch()->GetPort(vnic->GetPortId())->GetCounters();
        received += counters.framesOut;
    }
    std::printf("%llu frames\n", static_cast<unsigned long long>(received));
    Simulator::Destroy();
    return received >= count ? 0 : 1 /* hosts: and what was flooded */;
}
