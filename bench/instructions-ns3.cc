// SPDX-License-Identifier: GPL-2.0-only
// Fixed work for counting instructions: COUNT frames from one guest to another over a vSwitch,
// without IP stacks, so that hardly anything but the vSwitch and its tap is counted.
//   bench-instructions-ns3 switch COUNT     no tap
//   bench-instructions-ns3 tap COUNT        the same, metered: parser, cache, ledger, scans
#include "ns3/esx-host.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-vnic.h"
#include "ns3/esx-vswitch.h"
#include "ns3/simulator.h"

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

/// Sends a frame, and the next one 10 us later.
void
Send(Ptr<EsxVnic> from, Address to, const std::vector<Ptr<Packet>>& packets, uint32_t left)
{
    from->Send(packets[left % packets.size()]->Copy(), to, IPV4);
    if (left > 1)
    {
        Simulator::Schedule(MicroSeconds(10), [=, &packets] { Send(from, to, packets, left - 1); });
    }
}

} // namespace

int
main(int argc, char** argv)
{
    const std::string step = argc == 3 ? argv[1] : "";
    const auto count = argc == 3 ? static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)) : 0;
    if ((step != "switch" && step != "tap") || count == 0)
    {
        std::fprintf(stderr, "usage: bench-instructions-ns3 switch|tap COUNT\n");
        return 2;
    }
    Ptr<Node> node = CreateObject<Node>();
    Ptr<EsxHost> host = CreateObject<EsxHost>();
    node->AggregateObject(host);
    host->AddVSwitch("vSwitch0")->AddPortGroup("VM Network");
    Ptr<EsxVnic> a = AddVm(host, "a");
    Ptr<EsxVnic> b = AddVm(host, "b");
    if (step == "tap")
    {
        std::vector<uint16_t> ids;
        Ptr<EsxNetflow> module = EsxNetflowHelper().Install(host);
        std::string refused = module->Load();
        refused += module->Register({"vSwitch0"}, ids);
        if (!refused.empty())
        {
            std::fprintf(stderr, "%s\n", refused.c_str());
            return 1;
        }
    }
    std::vector<Ptr<Packet>> packets;
    for (unsigned flow = 0; flow < 256; ++flow)
    {
        packets.push_back(MakePacket(static_cast<uint8_t>(flow)));
    }
    Simulator::Schedule(Seconds(0), [&] { Send(a, b->GetAddress(), packets, count); });
    Simulator::Run();
    const uint64_t forwarded = host->GetVSwitch("vSwitch0")->GetTotals().framesAccepted;
    std::printf("%llu frames\n", static_cast<unsigned long long>(forwarded));
    Simulator::Destroy();
    return forwarded == count ? 0 : 1;
}
