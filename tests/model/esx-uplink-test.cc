// SPDX-License-Identifier: GPL-2.0-only
#include "esx-fixture.h"

#include "ns3/application-container.h"
#include "ns3/bridge-helper.h"
#include "ns3/csma-helper.h"
#include "ns3/error-model.h"
#include "ns3/esx-host-helper.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-address-helper.h"
#include "ns3/queue.h"
#include "ns3/udp-echo-helper.h"
#include "ns3/uinteger.h"

using namespace ns3;

using EsxUplinkTest = EsxTest;
using EsxUplinkDeathTest = EsxTest;

TEST_F(EsxUplinkTest, FirstUplinkWithLinkUpIsUsed)
{
    auto a = AddVm("a");
    AddUplink();
    AddUplink();
    const Mac48Address outside("02:00:00:00:00:99");
    Send(a, outside);
    EXPECT_EQ(Where(), "wire0");
    host->GetUplink("vmnic0")->SetDown(true);
    Simulator::Run();
    EXPECT_EQ(Where(), "wire1") << "physical switches are told";
    Send(a, outside);
    EXPECT_EQ(Where(), "wire1");
    host->GetUplink("vmnic0")->SetDown(false);
    Simulator::Run();
    EXPECT_EQ(Where(), "wire0");
    Send(a, outside);
    EXPECT_EQ(Where(), "wire0");
}

TEST_F(EsxUplinkTest, NothingComesInOverALinkThatIsDown)
{
    auto a = AddVm("a");
    auto station = AddUplink();
    host->GetUplink("vmnic0")->SetDown(true);
    Send(station, a->GetAddress());
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::LINK_DOWN);
}

TEST_F(EsxUplinkTest, AllUplinksDownIsNoUplink)
{
    auto a = AddVm("a");
    AddUplink();
    host->GetUplink("vmnic0")->SetDown(true);
    Send(a, Mac48Address("02:00:00:00:00:99"));
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::NO_UPLINK);
}

TEST_F(EsxUplinkTest, FramesAboveTheNicsMtuAreDropped)
{
    auto a = AddVm("a");
    AddUplink();
    vSwitch->SetAttribute("Mtu", UintegerValue(9000));
    host->GetUplink("vmnic0")->GetDevice()->SetMtu(1500);
    Send(a, Mac48Address("02:00:00:00:00:99"), 1500);
    EXPECT_EQ(Where(), "wire0");
    Send(a, Mac48Address("02:00:00:00:00:99"), 1501);
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::UPLINK_OVERSIZE);
    EXPECT_EQ(drops[0].port, host->GetUplink("vmnic0")->GetPortId());
}

TEST_F(EsxUplinkTest, FramesThatTheNicRefusesAreDroppedAndNotCounted)
{
    auto a = AddVm("a");
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", StringValue("1Mbps"));
    csma.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("1p"));
    Ptr<Node> outside = CreateObject<Node>();
    auto devices = csma.Install(NodeContainer(host->GetVmkernelNode(), outside));
    auto uplink = host->AddUplink(vSwitch, devices.Get(0));
    int captured = 0;
    vSwitch->GetPort(uplink->GetPortId())
        ->TraceConnectWithoutContext(
            "Egress",
            Callback<void, Ptr<const Packet>>([&captured](Ptr<const Packet>) { ++captured; }));
    for (int i = 0; i < 5; ++i)
    {
        a->Send(Create<Packet>(1000), devices.Get(1)->GetAddress(), IPV4);
    }
    const EsxPortCounters counters = Counters(uplink->GetPortId());
    EXPECT_EQ(counters.framesOut + counters.Drops(EsxDropCause::UPLINK_REFUSED), 5u);
    EXPECT_GT(counters.Drops(EsxDropCause::UPLINK_REFUSED), 0u);
    EXPECT_EQ(counters.octetsOut, 1000 * counters.framesOut) << "without the device's headers";
    EXPECT_EQ(captured, static_cast<int>(counters.framesOut));
}

TEST_F(EsxUplinkTest, OtherReadersOfTheNicKeepTheirPacket)
{
    auto a = AddVm("a");
    auto station = AddUplink();
    Note(host->GetVmkernelNode(), "reader", true);
    Send(station, a->GetAddress());
    ASSERT_EQ(arrivals.size(), 2u);
    EXPECT_NE(PeekPointer(arrivals[0].packet), PeekPointer(arrivals[1].packet));
    EXPECT_EQ(Where(), "a reader");
}

TEST_F(EsxUplinkTest, NicOfADeletedSwitchCanServeAnother)
{
    auto station = AddUplink();
    Ptr<NetDevice> nic = host->GetUplink("vmnic0")->GetDevice();
    host->RemoveVSwitch("vSwitch0");
    vSwitch = host->AddVSwitch("vSwitch1");
    vSwitch->AddPortGroup("VM Network");
    auto b = AddVm("b");
    EXPECT_EQ(host->AddUplink(vSwitch, nic)->GetName(), "vmnic0");
    Send(station, b->GetAddress());
    EXPECT_EQ(Where(), "b") << "once";
}

namespace
{

/// Sends UDP echo requests from a guest to a node outside and back from outside to the guest,
/// through CSMA and an ordinary bridge, and counts what returns.
class EndToEnd : public ::testing::Test
{
  protected:
    void TearDown() override
    {
        Simulator::Destroy();
    }

    uint64_t Echo(Ptr<Node> client, Ptr<Node> server, Ipv4Address address, uint32_t size)
    {
        UdpEchoServerHelper(9).Install(server).Start(Seconds(0));
        UdpEchoClientHelper echo(address, 9);
        echo.SetAttribute("MaxPackets", UintegerValue(10));
        // Longer than ns-3's ARP jitter of 10 ms: its ARP holds 3 packets, one echo of 3 fragments.
        echo.SetAttribute("Interval", TimeValue(MilliSeconds(100)));
        echo.SetAttribute("PacketSize", UintegerValue(size));
        auto app = echo.Install(client).Get(0);
        uint64_t returned = 0;
        app->TraceConnectWithoutContext(
            "Rx",
            Callback<void, Ptr<const Packet>>([&returned](Ptr<const Packet>) { ++returned; }));
        Simulator::Stop(Seconds(5));
        Simulator::Run();
        return returned;
    }

    EndToEnd()
    {
        host = esx.CreateHost("esx1");
        vSwitch = esx.AddVSwitch(host, "vSwitch0");
        vSwitch->AddPortGroup("VM Network");
        guest = esx.AddVm(host, "web1");
        esx.AddVnic(host, "web1", "VM Network", {"10.0.0.1", "255.255.255.0"});
        switchNode = CreateObject<Node>();
        outside = CreateObject<Node>();
        CsmaHelper csma;
        auto toHost = csma.Install(NodeContainer(host->GetVmkernelNode(), switchNode));
        auto toOutside = csma.Install(NodeContainer(outside, switchNode));
        host->AddUplink(vSwitch, toHost.Get(0));
        BridgeHelper().Install(switchNode, NetDeviceContainer(toHost.Get(1), toOutside.Get(1)));
        InternetStackHelper().Install(outside);
        Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.2").Assign(toOutside.Get(0));
    }

    EsxHostHelper esx;
    Ptr<EsxHost> host;
    Ptr<EsxVSwitch> vSwitch;
    Ptr<Node> guest;
    Ptr<Node> switchNode;
    Ptr<Node> outside;
};

} // namespace

TEST_F(EndToEnd, GuestReachesANodeBehindABridge)
{
    EXPECT_EQ(Echo(guest, outside, "10.0.0.2", 100), 10u);
}

TEST_F(EndToEnd, NodeBehindABridgeReachesAGuestWithFragments)
{
    EXPECT_EQ(Echo(outside, guest, "10.0.0.1", 4000), 10u);
    const EsxPortCounters totals = vSwitch->GetTotals();
    EXPECT_EQ(totals.framesIn, totals.framesAccepted);
    EXPECT_GE(totals.framesIn, 2 * 10 * 3u) << "3 fragments each way";
}

TEST_F(EndToEnd, VmknicReachesANodeBehindABridge)
{
    esx.AddVmknic(host, "vmk0", "VM Network", {"10.0.0.3", "255.255.255.0"});
    EXPECT_EQ(Echo(host->GetVmkernelNode(), outside, "10.0.0.2", 1472), 10u);
}

TEST_F(EndToEnd, UplinkKeepsVlanTagsInThePayload)
{
    vSwitch->AddPortGroup("VGT", 4095);
    esx.AddVnic(host, "web1", "VGT", {"10.0.1.1", "255.255.255.0"});
    // 802.1Q on CSMA: protocol 0x8100, and the tag's TCI and the inner EtherType begin the payload.
    const uint8_t payload[] = {0x00, 0x65, 0x08, 0x00, 0x45};
    std::vector<std::vector<uint8_t>> seen;
    guest->RegisterProtocolHandler(Node::ProtocolHandler([&seen](Ptr<NetDevice>,
                                                                 Ptr<const Packet> packet,
                                                                 uint16_t,
                                                                 const Address&,
                                                                 const Address&,
                                                                 NetDevice::PacketType) {
                                       std::vector<uint8_t> bytes(packet->GetSize());
                                       packet->CopyData(bytes.data(), bytes.size());
                                       seen.push_back(bytes);
                                   }),
                                   0x8100,
                                   nullptr);
    Ptr<NetDevice> wire = outside->GetDevice(0);
    wire->Send(Create<Packet>(payload, sizeof(payload)),
               host->GetGuest("web1")->vnics[1]->GetAddress(),
               0x8100);
    Simulator::Run();
    ASSERT_EQ(seen.size(), 1u);
    ASSERT_EQ(seen[0].size(), 46u) << "padded by the wire";
    EXPECT_TRUE(std::equal(std::begin(payload), std::end(payload), seen[0].begin()));
}

namespace
{

/// A device that can send with its own address only, as PointToPointNetDevice.
class OwnAddressDevice : public SimpleNetDevice
{
  public:
    bool SupportsSendFrom() const override
    {
        return false;
    }
};

} // namespace

TEST_F(EsxUplinkDeathTest, DevicesThatCannotServeAreRefused)
{
    Ptr<Node> vmkernel = host->GetVmkernelNode();
    auto own = CreateObject<OwnAddressDevice>();
    vmkernel->AddDevice(own);
    EXPECT_DEATH(host->AddUplink(vSwitch, own),
                 "vmnic0: a ns3::SimpleNetDevice cannot be an uplink");
    auto vmknic = host->AddVmknic("vmk0", "VM Network");
    EXPECT_DEATH(host->AddUplink(vSwitch, vmknic), "no physical NIC");
    auto a = AddVm("a");
    EXPECT_DEATH(host->AddUplink(vSwitch, a), "device of the VMkernel node");
    EXPECT_DEATH(host->AddUplink(vSwitch, nullptr), "device of the VMkernel node");
}

TEST_F(EsxUplinkDeathTest, AnIpInterfaceIsRefusedBeforeAndAfterAdoption)
{
    Ptr<Node> vmkernel = host->GetVmkernelNode();
    InternetStackHelper().Install(vmkernel);
    CsmaHelper csma;
    auto first = csma.Install(vmkernel);
    auto second = csma.Install(vmkernel);
    Ipv4AddressHelper addresses("10.0.0.0", "255.255.255.0");
    addresses.Assign(first);
    EXPECT_DEATH(host->AddUplink(vSwitch, first.Get(0)), "carries no IP interface");
    host->AddUplink(vSwitch, second.Get(0));
    addresses.Assign(second);
    EXPECT_DEATH(Simulator::Run(), "vmnic0: an uplink carries no IP interface");
}

TEST_F(EsxUplinkDeathTest, ANicServesOneSwitch)
{
    AddUplink();
    auto other = host->AddVSwitch("vSwitch1");
    EXPECT_DEATH(host->AddUplink(other, host->GetUplink("vmnic0")->GetDevice()),
                 "vmnic0 is an uplink of vSwitch vSwitch0 already");
}
