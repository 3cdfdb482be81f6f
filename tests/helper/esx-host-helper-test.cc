// SPDX-License-Identifier: GPL-2.0-only
#include "tests/scratch-folder.h"

#include "ns3/arp-cache.h"
#include "ns3/boolean.h"
#include "ns3/esx-host-helper.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-routing-table-entry.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/ipv4-static-routing.h"
#include "ns3/ipv6.h"
#include "ns3/pcap-file.h"
#include "ns3/simulator.h"
#include "ns3/uinteger.h"

#include <gtest/gtest.h>

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
