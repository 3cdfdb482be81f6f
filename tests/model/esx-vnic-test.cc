// SPDX-License-Identifier: GPL-2.0-only
#include "esx-fixture.h"

#include "ns3/ethernet-header.h"
#include "ns3/net-device-queue-interface.h"

#include <sstream>

using namespace ns3;

using EsxVnicTest = EsxTest;

namespace
{

using Sink = Callback<void, Ptr<const Packet>>;

/// Builds a host with two guests and a vmknic in a fresh simulation.
/// \return all MAC addresses, in one line
std::string
AddressesOfASimulation()
{
    Ptr<Node> node = CreateObject<Node>();
    Ptr<EsxHost> host = CreateObject<EsxHost>();
    node->AggregateObject(host);
    host->AddVSwitch("vSwitch0")->AddPortGroup("VM Network");
    std::ostringstream text;
    text << Mac48Address::ConvertFrom(host->AddVmknic("vmk0", "VM Network")->GetAddress());
    for (const std::string name : {"a", "b"})
    {
        host->AddGuest(name, CreateObject<Node>());
        text << " " << Mac48Address::ConvertFrom(host->AddVnic(name, "VM Network")->GetAddress());
    }
    Simulator::Destroy();
    return text.str();
}

} // namespace

TEST_F(EsxVnicTest, TwoSimulationsInOneProcessGiveTheSameAddresses)
{
    Simulator::Destroy(); // the fixture's own
    const std::string first = AddressesOfASimulation();
    EXPECT_EQ(first, AddressesOfASimulation());
    EXPECT_EQ(first, "00:50:56:00:00:01 00:0c:29:00:00:02 00:0c:29:00:00:03");
}

TEST_F(EsxVnicTest, IsAnEthernetDeviceWithoutQueueInterface)
{
    auto a = AddVm("a");
    EXPECT_TRUE(a->IsBroadcast());
    EXPECT_TRUE(a->IsMulticast());
    EXPECT_TRUE(a->NeedsArp());
    EXPECT_TRUE(a->SupportsSendFrom());
    EXPECT_FALSE(a->IsPointToPoint());
    EXPECT_FALSE(a->IsBridge());
    EXPECT_EQ(a->GetObject<NetDeviceQueueInterface>(), nullptr);
    EXPECT_EQ(a->GetChannel(), nullptr);
    EXPECT_EQ(Mac48Address::ConvertFrom(a->GetBroadcast()), Mac48Address::GetBroadcast());
}

TEST_F(EsxVnicTest, MtuIsSetWithinItsRange)
{
    auto a = AddVm("a");
    EXPECT_EQ(a->GetMtu(), 1500u);
    EXPECT_TRUE(a->SetMtu(9000));
    EXPECT_EQ(a->GetMtu(), 9000u);
    EXPECT_FALSE(a->SetMtu(9001));
    EXPECT_FALSE(a->SetMtu(67));
    EXPECT_EQ(a->GetMtu(), 9000u);
}

TEST_F(EsxVnicTest, LinkFollowsTheConnection)
{
    auto a = AddVm("a");
    int changes = 0;
    a->AddLinkChangeCallback(Callback<void>([&changes] { ++changes; }));
    EXPECT_TRUE(a->IsLinkUp());
    vSwitch->Disconnect(a->GetPortId());
    EXPECT_FALSE(a->IsLinkUp());
    EXPECT_EQ(changes, 1);
    vSwitch->Disconnect(a->GetPortId()); // already detached: nothing happens
    EXPECT_EQ(changes, 1);
    vSwitch->Connect(a, "VM Network", "a.eth0");
    EXPECT_TRUE(a->IsLinkUp());
    EXPECT_EQ(changes, 2);
}

TEST_F(EsxVnicTest, FramesOfADetachedVnicAreDroppedWithACause)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    int dropped = 0;
    a->TraceConnectWithoutContext("MacTxDrop", Sink([&dropped](Ptr<const Packet>) { ++dropped; }));
    vSwitch->Disconnect(a->GetPortId());
    EXPECT_FALSE(a->Send(Create<Packet>(100), b->GetAddress(), IPV4));
    EXPECT_EQ(dropped, 1);
    EXPECT_EQ(Counters(a->GetPortId()).Drops(EsxDropCause::DISCONNECTED), 1u);
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].port, a->GetPortId());
}

TEST_F(EsxVnicTest, VnicThatWasNeverConnectedDropsToo)
{
    Ptr<Node> node = CreateObject<Node>();
    Ptr<EsxVnic> vnic = CreateObject<EsxVnic>();
    node->AddDevice(vnic);
    EXPECT_FALSE(vnic->Send(Create<Packet>(100), Mac48Address::GetBroadcast(), IPV4));
}

TEST_F(EsxVnicTest, SniffersSeeEthernetFramesOfBothDirections)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    std::vector<Ptr<const Packet>> sniffed;
    std::vector<uint32_t> plain;
    a->TraceConnectWithoutContext("Sniffer",
                                  Sink([&sniffed](Ptr<const Packet> p) { sniffed.push_back(p); }));
    for (const char* trace : {"MacTx", "MacRx"})
    {
        a->TraceConnectWithoutContext(trace, Sink([&plain](Ptr<const Packet> p) {
                                          plain.push_back(p->GetSize());
                                      }));
    }
    Send(a, b->GetAddress(), 50);
    Send(b, a->GetAddress(), 60);
    ASSERT_EQ(sniffed.size(), 2u);
    EthernetHeader header;
    sniffed[0]->PeekHeader(header);
    EXPECT_EQ(header.GetSource(), Mac48Address::ConvertFrom(a->GetAddress()));
    EXPECT_EQ(sniffed[0]->GetSize(), 64u);
    sniffed[1]->PeekHeader(header);
    EXPECT_EQ(header.GetSource(), Mac48Address::ConvertFrom(b->GetAddress()));
    EXPECT_EQ(sniffed[1]->GetSize(), 74u);
    EXPECT_EQ(plain, (std::vector<uint32_t>{50, 60}));
}

TEST_F(EsxVnicTest, PromiscuousHandlersGetThePacketType)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    std::vector<NetDevice::PacketType> types;
    b->GetNode()->RegisterProtocolHandler(
        Node::ProtocolHandler([&types](Ptr<NetDevice>,
                                       Ptr<const Packet>,
                                       uint16_t,
                                       const Address&,
                                       const Address&,
                                       NetDevice::PacketType type) { types.push_back(type); }),
        0,
        b,
        true);
    Send(a, b->GetAddress());
    Send(a, Mac48Address::GetBroadcast());
    Send(a, Mac48Address::GetMulticast(Ipv4Address("224.0.0.5")));
    EXPECT_EQ(types,
              (std::vector<NetDevice::PacketType>{NetDevice::PACKET_HOST,
                                                  NetDevice::PACKET_BROADCAST,
                                                  NetDevice::PACKET_MULTICAST}));
}
