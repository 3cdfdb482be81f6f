// SPDX-License-Identifier: GPL-2.0-only
#include "tests/scratch-folder.h"

#include "ns3/arp-cache.h"
#include "ns3/boolean.h"
#include "ns3/csma-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-router-helper.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/ethernet-header.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-routing-table-entry.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/ipv4-static-routing.h"
#include "ns3/ipv6.h"
#include "ns3/packet-sink.h"
#include "ns3/pcap-file.h"
#include "ns3/simulator.h"
#include "ns3/uinteger.h"

#include <gtest/gtest.h>
#include <set>

using namespace ns3;

namespace
{

class EsxHostHelperTest : public ::testing::Test
{
  protected:
    EsxHostHelperTest()
    {
        host = esx.CreateHost("esx1");
        vSwitch = esx.AddVSwitch(host, "vSwitch0");
        vSwitch->AddPortGroup("VM Network");
    }

    void TearDown() override
    {
        Simulator::Destroy();
    }

    /// Reads a capture. \return its packets' times in nanoseconds, and sizes
    std::vector<std::pair<uint64_t, uint32_t>> Read()
    {
        PcapFile file;
        file.Open(path, std::ios::in);
        EXPECT_FALSE(file.Fail());
        EXPECT_TRUE(file.IsNanoSecMode());
        EXPECT_EQ(file.GetDataLinkType(), 1u);
        std::vector<std::pair<uint64_t, uint32_t>> packets;
        uint8_t data[2048];
        uint32_t sec;
        uint32_t nsec;
        uint32_t captured;
        uint32_t size;
        uint32_t read;
        for (file.Read(data, sizeof(data), sec, nsec, captured, size, read); !file.Fail();
             file.Read(data, sizeof(data), sec, nsec, captured, size, read))
        {
            packets.emplace_back(sec * 1000000000ULL + nsec, size);
        }
        return packets;
    }

    Ptr<EsxVnic> AddVm(const std::string& name, const char* address)
    {
        esx.AddVm(host, name);
        return esx.AddVnic(host, name, "VM Network", {address, "255.255.255.0"});
    }

    EsxHostHelper esx;
    Ptr<EsxHost> host;
    Ptr<EsxVSwitch> vSwitch;
    const esxnf::ScratchFolder scratch;
    std::string path; //!< of the capture
};

uint32_t
PendingQueueSize(Ptr<NetDevice> device)
{
    Ptr<Ipv4L3Protocol> ipv4 = device->GetNode()->GetObject<Ipv4L3Protocol>();
    UintegerValue size;
    ipv4->GetInterface(ipv4->GetInterfaceForDevice(device))
        ->GetArpCache()
        ->GetAttribute("PendingQueueSize", size);
    return size.Get();
}

} // namespace

TEST_F(EsxHostHelperTest, ASwitchInAVirtualMachineHearsItsNic)
{
    const auto inside = CreateObject<EsxPhysicalSwitch>();
    const Ptr<EsxVnic> port = AddVm("bridge", "10.0.0.1");
    const Ptr<EsxVnic> sender = AddVm("sender", "10.0.0.2");
    port->GetNode()->AggregateObject(inside);
    inside->AddPort(1, port);
    int heard = 0;
    inside->TraceConnectWithoutContext(
        "Drop", // there is no other port
        Callback<void, Ptr<const Packet>, uint16_t, EsxPhysicalSwitchDrop>(
            [&heard](Ptr<const Packet>, uint16_t, EsxPhysicalSwitchDrop cause) {
                heard += cause == EsxPhysicalSwitchDrop::NO_PORT ? 1 : 0;
            }));
    Simulator::Schedule(Seconds(1), [sender] {
        sender->Send(Create<Packet>(100), Mac48Address::GetBroadcast(), 0x0800);
    });
    Simulator::Stop(Seconds(2));
    Simulator::Run();
    EXPECT_EQ(heard, 1);
}

TEST_F(EsxHostHelperTest, StacksAreIpv4WithoutForwarding)
{
    auto vmk0 = esx.AddVmknic(host, "vmk0", "VM Network", {"10.0.0.1", "255.255.255.0"});
    auto vnic = AddVm("web1", "10.0.0.2");
    for (const Ptr<Node>& node : {vmk0->GetNode(), vnic->GetNode()})
    {
        BooleanValue forward;
        node->GetObject<Ipv4L3Protocol>()->GetAttribute("IpForward", forward);
        EXPECT_FALSE(forward.Get());
        EXPECT_EQ(node->GetObject<Ipv6>(), nullptr);
    }
    EXPECT_EQ(PendingQueueSize(vmk0), 1000u);
    EXPECT_EQ(PendingQueueSize(vnic), 3u) << "ns-3's own";
}

TEST_F(EsxHostHelperTest, SecondVmknicUsesTheSameStack)
{
    esx.AddVmknic(host, "vmk0", "VM Network", {"10.0.0.1", "255.255.255.0"});
    esx.AddVmknic(host, "vmk1", "VM Network", {"10.0.1.1", "255.255.255.0"});
    EXPECT_EQ(host->GetVmkernelNode()->GetObject<Ipv4>()->GetNInterfaces(), 3u)
        << "with the loopback";
}

TEST_F(EsxHostHelperTest, GatewayIsTheDefaultRoute)
{
    auto vmk0 =
        esx.AddVmknic(host, "vmk0", "VM Network", {"10.0.0.1", "255.255.255.0"}, "10.0.0.254");
    Ptr<Ipv4> ipv4 = vmk0->GetNode()->GetObject<Ipv4>();
    EXPECT_EQ(Ipv4StaticRoutingHelper().GetStaticRouting(ipv4)->GetDefaultRoute().GetGateway(),
              Ipv4Address("10.0.0.254"));
}

TEST_F(EsxHostHelperTest, GuestsOfTwoHostsMayHaveOneName)
{
    AddVm("web1", "10.0.0.2");
    Ptr<EsxHost> other = esx.CreateHost("esx2");
    Ptr<Node> guest = esx.AddVm(other, "web1");
    EXPECT_EQ(other->GetGuest("web1")->node, guest);
    EXPECT_NE(other->GetGuest("web1")->node, host->GetGuest("web1")->node);
    EXPECT_EQ(other->GetName(), "esx2");
}

TEST_F(EsxHostHelperTest, AttributesHoldForWhatIsMadeAfterwards)
{
    esx.SetVSwitchAttribute("Ports", UintegerValue(120));
    esx.SetHostAttribute("PortsetBase", UintegerValue(7));
    EXPECT_EQ(esx.AddVSwitch(host, "prod1")->GetCapacity(), 128u);
    EXPECT_EQ(vSwitch->GetCapacity(), 64u);
    EXPECT_EQ(esx.AddVSwitch(esx.CreateHost("esx2"), "vSwitch0")->GetId(), 7u);
}

TEST_F(EsxHostHelperTest, IngressCaptureHoldsWhatIsOfferedToTheMeterInNanoseconds)
{
    auto a = AddVm("a", "10.0.0.1");
    auto b = AddVm("b", "10.0.0.2");
    const std::string prefix = scratch.Path("capture");
    path = prefix + "-esx1-vSwitch0-" + std::to_string(a->GetPortId()) + ".pcap";
    esx.EnablePcap(prefix, vSwitch, a->GetPortId(), EsxPcapDirection::INGRESS);
    Simulator::Schedule(NanoSeconds(1000000123), [&] {
        a->Send(Create<Packet>(100), b->GetAddress(), 0x88b5); // an EtherType for experiments
        b->Send(Create<Packet>(200), a->GetAddress(), 0x88b5);
        a->Send(Create<Packet>(1501), b->GetAddress(), 0x88b5);
    });
    Simulator::Run();
    Simulator::Destroy();
    EXPECT_EQ(Read(), (std::vector<std::pair<uint64_t, uint32_t>>{{1000000123, 114}}));
}

TEST_F(EsxHostHelperTest, CaptureOfBothDirectionsOfAPort)
{
    auto a = AddVm("a", "10.0.0.1");
    auto b = AddVm("b", "10.0.0.2");
    path = scratch.Path("both.pcap");
    esx.EnablePcap(path, vSwitch, a->GetPortId(), EsxPcapDirection::BOTH, true);
    a->Send(Create<Packet>(100), b->GetAddress(), 0x88b5);
    b->Send(Create<Packet>(200), a->GetAddress(), 0x88b5);
    Simulator::Run();
    Simulator::Destroy();
    EXPECT_EQ(Read(), (std::vector<std::pair<uint64_t, uint32_t>>{{0, 114}, {5000, 214}}));
}

TEST_F(EsxHostHelperTest, CaptureOfADeviceByNs3sOwnDoor)
{
    auto a = AddVm("a", "10.0.0.1");
    auto b = AddVm("b", "10.0.0.2");
    const std::string prefix = scratch.Path("device");
    path = prefix + "-" + std::to_string(a->GetNode()->GetId()) + "-" +
           std::to_string(a->GetIfIndex()) + ".pcap";
    esx.EnablePcap(prefix, a);
    a->Send(Create<Packet>(100), b->GetAddress(), 0x88b5);
    Simulator::Run();
    Simulator::Destroy();
    EXPECT_EQ(Read(), (std::vector<std::pair<uint64_t, uint32_t>>{{0, 114}}));
}

TEST_F(EsxHostHelperTest, CaptureThatCannotBeWrittenIsRefused)
{
    EXPECT_DEATH(esx.EnablePcap("/nonexistent/x.pcap", vSwitch, 1, EsxPcapDirection::BOTH, true),
                 "cannot write the capture /nonexistent/x.pcap");
    EXPECT_DEATH(esx.EnablePcap("x", vSwitch, 99, EsxPcapDirection::BOTH), "has no port 99");
}

namespace
{

Ptr<ArpCache>
ArpOf(const Ptr<NetDevice>& device)
{
    const auto ipv4 = device->GetNode()->GetObject<Ipv4L3Protocol>();
    return ipv4->GetInterface(ipv4->GetInterfaceForDevice(device))->GetArpCache();
}

} // namespace

TEST_F(EsxHostHelperTest, GuestsAndVmkernelsAskAgainAndNotTogether)
{
    const auto vmk0 = esx.AddVmknic(host, "vmk0", "VM Network", {"10.0.0.1", "255.255.255.0"});
    std::set<Time> waits;
    EXPECT_EQ(ArpOf(vmk0)->GetDeadTimeout(), Time(0));
    EXPECT_EQ(ArpOf(vmk0)->GetWaitReplyTimeout(), Seconds(1));
    for (int i = 2; i < 50; ++i)
    {
        const auto vnic = AddVm("vm" + std::to_string(i), ("10.0.0." + std::to_string(i)).c_str());
        EXPECT_EQ(ArpOf(vnic)->GetDeadTimeout(), Time(0));
        const Time wait = ArpOf(vnic)->GetWaitReplyTimeout();
        EXPECT_GE(wait, Seconds(1));
        EXPECT_LT(wait, Seconds(1.25));
        waits.insert(wait);
    }
    EXPECT_EQ(waits.size(), 48u);
}

TEST_F(EsxHostHelperTest, AGuestWhoseRequestsWereLostSendsAsSoonAsItIsAnswered)
{
    const auto a = AddVm("a", "10.0.0.1");
    const auto b = AddVm("b", "10.0.0.2");
    host->SetConnected("b", 0, false);
    Simulator::Schedule(Seconds(10), [&] { host->SetConnected("b", 0, true); });
    EsxUdpCbrOptions cbr;
    cbr.start = Seconds(1);
    cbr.rate = DataRate("4096b/s"); // a packet a second
    EsxTrafficHelper().UdpCbr(a->GetNode(), b->GetNode(), cbr);
    Time first = Time::Max();
    b->GetNode()->GetObject<Ipv4L3Protocol>()->TraceConnectWithoutContext(
        "LocalDeliver",
        Callback<void, const Ipv4Header&, Ptr<const Packet>, uint32_t>(
            [&](const Ipv4Header&, Ptr<const Packet>, uint32_t) {
                first = std::min(first, Simulator::Now());
            }));
    Simulator::Stop(Seconds(30));
    Simulator::Run();
    EXPECT_GT(first, Seconds(10));
    EXPECT_LT(first, Seconds(15)) << "not 100 s later, as in ns-3";
}

TEST_F(EsxHostHelperTest, FilledArpLeavesNothingToAsk)
{
    const auto vmk0 = esx.AddVmknic(host, "vmk0", "VM Network", {"10.0.0.9", "255.255.255.0"});
    const auto a = AddVm("a", "10.0.0.1");
    const auto b = AddVm("b", "10.0.0.2");
    esx.AddVm(host, "c");
    const auto c = esx.AddVnic(host, "c", "VM Network", {"10.0.7.3", "255.255.255.0"});
    const NodeContainer all(a->GetNode(), b->GetNode(), c->GetNode(), host->GetVmkernelNode());
    EsxHostHelper::FillArp(all);
    EsxHostHelper::FillArp(all); // once more changes nothing
    EXPECT_TRUE(ArpOf(a)->Lookup("10.0.0.2")->IsPermanent());
    EXPECT_EQ(ArpOf(a)->Lookup("10.0.0.2")->GetMacAddress(), b->GetAddress());
    EXPECT_EQ(ArpOf(vmk0)->Lookup("10.0.0.1")->GetMacAddress(), a->GetAddress());
    EXPECT_FALSE(ArpOf(a)->Lookup("10.0.7.3")) << "another subnet";
    EXPECT_FALSE(ArpOf(a)->Lookup("10.0.0.1")) << "its own";
    int asked = 0;
    for (const Ptr<EsxPort>& port : vSwitch->GetPorts())
    {
        port->TraceConnectWithoutContext(
            "Ingress",
            Callback<void, Ptr<const Packet>>([&](Ptr<const Packet> frame) {
                EthernetHeader ethernet(false);
                frame->PeekHeader(ethernet);
                asked += ethernet.GetLengthType() == 0x0806;
            }));
    }
    EsxUdpCbrOptions cbr;
    cbr.start = Seconds(1);
    const auto apps = EsxTrafficHelper().UdpCbr(a->GetNode(), b->GetNode(), cbr);
    Simulator::Stop(Seconds(2));
    Simulator::Run();
    EXPECT_GT(DynamicCast<PacketSink>(apps.Get(1))->GetTotalRx(), 0u);
    EXPECT_EQ(asked, 0);
    EXPECT_DEATH(EsxHostHelper::FillArp(NodeContainer(CreateObject<Node>())),
                 "has no IPv4 stack to fill the ARP of");
}

TEST_F(EsxHostHelperTest, PhysicalSwitchesKnowWhereFilledNodesAre)
{
    const Ptr<Node> rack = CreateObject<Node>();
    const auto physical = CreateObject<EsxPhysicalSwitch>();
    rack->AggregateObject(physical);
    const NetDeviceContainer link =
        CsmaHelper().Install(NodeContainer(host->GetVmkernelNode(), rack));
    host->AddUplink(vSwitch, link.Get(0));
    physical->AddPort(7, link.Get(1));
    const auto a = AddVm("a", "10.0.0.1");
    const Ptr<Node> server = CreateObject<Node>();
    const NetDeviceContainer cable = CsmaHelper().Install(NodeContainer(server, rack));
    physical->AddPort(3, cable.Get(1));
    EsxRouterHelper::InstallServer(server);
    EsxRouterHelper::AddInterface(cable.Get(0), {"10.0.0.2", "255.255.255.0"}, "0.0.0.0");
    int frames = 0;
    link.Get(0)->TraceConnectWithoutContext(
        "MacTx",
        Callback<void, Ptr<const Packet>>([&](Ptr<const Packet>) { ++frames; }));
    EsxHostHelper::FillArp(NodeContainer(a->GetNode(), server));
    Simulator::Stop(Seconds(1000));
    Simulator::Run();
    EXPECT_EQ(physical->GetPortOf(a->GetMac(), EsxPhysicalSwitch::DEFAULT_VLAN), 7u);
    EXPECT_EQ(physical->GetPortOf(Mac48Address::ConvertFrom(cable.Get(0)->GetAddress()),
                                  EsxPhysicalSwitch::DEFAULT_VLAN),
              3u);
    EXPECT_EQ(frames, 0) << "nobody tells them: other hosts would hear it";
}

TEST_F(EsxHostHelperTest, WhereThereIsNoPhysicalSwitchFilledNodesAnnounceThemselves)
{
    const Ptr<Node> bridge = CreateObject<Node>();
    const NetDeviceContainer link =
        CsmaHelper().Install(NodeContainer(host->GetVmkernelNode(), bridge));
    host->AddUplink(vSwitch, link.Get(0));
    std::vector<uint16_t> types;
    link.Get(0)->TraceConnectWithoutContext(
        "MacTx",
        Callback<void, Ptr<const Packet>>([&](Ptr<const Packet> frame) {
            EthernetHeader ethernet(false);
            frame->PeekHeader(ethernet);
            types.push_back(ethernet.GetLengthType());
        }));
    EsxHostHelper::FillArp(NodeContainer(AddVm("a", "10.0.0.1")->GetNode()));
    Simulator::Stop(Seconds(1));
    Simulator::Run();
    EXPECT_EQ(types, std::vector<uint16_t>{0x8035}); // reverse ARP
}

TEST_F(EsxHostHelperTest, VnicsCanHaveTheMacOfTheirScript)
{
    esx.AddVm(host, "a");
    esx.SetVnicAttribute("Address", Mac48AddressValue("00:50:56:00:00:01"));
    const auto vnic = esx.AddVnic(host, "a", "VM Network", {"10.0.0.1", "255.255.255.0"});
    EXPECT_EQ(vnic->GetMac(), Mac48Address("00:50:56:00:00:01"));
}

TEST_F(EsxHostHelperTest, CapturesHaveChecksums)
{
    const auto a = AddVm("a", "10.0.0.1");
    const auto b = AddVm("b", "10.0.0.2");
    path = scratch.Path("checksums.pcap");
    esx.EnablePcap(path, vSwitch, a->GetPortId(), EsxPcapDirection::BOTH, true);
    EsxTcpBulkOptions bulk;
    bulk.bytes = 5000;
    EsxTrafficHelper().TcpBulk(a->GetNode(), b->GetNode(), bulk);
    Simulator::Stop(Seconds(5));
    Simulator::Run();
    Simulator::Destroy();
    PcapFile file;
    file.Open(path, std::ios::in);
    uint8_t data[2048];
    uint32_t sec;
    uint32_t nsec;
    uint32_t captured;
    uint32_t size;
    uint32_t read;
    int packets = 0;
    for (file.Read(data, sizeof(data), sec, nsec, captured, size, read); !file.Fail();
         file.Read(data, sizeof(data), sec, nsec, captured, size, read))
    {
        if (data[12] == 8 && data[13] == 0)
        {
            uint32_t sum = 0;
            for (int i = 14; i < 34; i += 2)
            {
                sum += data[i] << 8 | data[i + 1];
            }
            EXPECT_EQ((sum & 0xffff) + (sum >> 16), 0xffffu);
            EXPECT_NE(data[14 + 20 + 16] << 8 | data[14 + 20 + 17], 0) << "of TCP";
            ++packets;
        }
    }
    EXPECT_GT(packets, 8);
}

using EsxHostHelperDeathTest = EsxHostHelperTest;

TEST_F(EsxHostHelperDeathTest, WhatIsMissingIsNamed)
{
    const auto a = AddVm("a", "10.0.0.1");
    EXPECT_DEATH(esx.AddVSwitch(nullptr, "vSwitch0"), "there is no ESX host to work on");
    EXPECT_DEATH(esx.AddVm(nullptr, "b"), "there is no ESX host to work on");
    EXPECT_DEATH(esx.AddVnic(host, "b", "VM Network", {"10.0.0.1", "/24"}), "has no guest b");
    EXPECT_DEATH(esx.AddVnic(host, "a", "VM Netwrok", {"10.0.0.1", "/24"}),
                 "has no port group \"VM Netwrok\"");
    EXPECT_DEATH(esx.Install(NodeContainer(1), nullptr, "VM Network"), "there is no ESX host");
    EXPECT_DEATH(esx.EnablePcap("x", nullptr, 1, EsxPcapDirection::BOTH), "needs a vSwitch");
    EXPECT_DEATH(esx.SetGuestRate(nullptr, DataRate("1Mbps")), "is set on its vNIC");
    const auto bare =
        DynamicCast<EsxVnic>(esx.Install(NodeContainer(1), host, "VM Network").Get(0));
    EXPECT_DEATH(esx.SetGuestRate(bare, DataRate("1Mbps")), "needs an IPv4 stack first");
    EXPECT_DEATH(EsxHostHelper::UseEsxArp(NetDeviceContainer(bare)),
                 "has no IPv4 interface with ARP");
    esx.SetGuestRate(a, DataRate("1Mbps"));
    EXPECT_DEATH(esx.SetGuestRate(a, DataRate("2Mbps")), "SetGuestRate.. comes once");
}
