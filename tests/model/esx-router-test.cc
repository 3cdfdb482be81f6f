// SPDX-License-Identifier: GPL-2.0-only
// EsxRouter's ICMP messages and EsxVlanNetDevice, between nodes on full-duplex links.
#include "ns3/esx-ethernet-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-router-helper.h"
#include "ns3/esx-router.h"
#include "ns3/icmpv4.h"
#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/simulator.h"
#include "ns3/traffic-control-helper.h"
#include "ns3/udp-socket-factory.h"
#include "ns3/uinteger.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

using namespace ns3;

namespace
{

constexpr uint8_t ICMP = 1;
constexpr uint8_t UDP = 17;

/// a (10.0.1.2) - r1 - r2 - b (10.0.3.2); r1 and r2 know the way by static routes.
class EsxRouterTest : public ::testing::Test
{
  protected:
    EsxRouterTest()
    {
        nodes.Create(4);
        a = nodes.Get(0);
        b = nodes.Get(3);
        EsxRouterHelper::InstallServer(NodeContainer(a, b));
        EsxRouterHelper::Install(NodeContainer(nodes.Get(1), nodes.Get(2)));
        for (uint32_t i = 0; i < 3; ++i)
        {
            links.push_back(EsxEthernetHelper().Install(nodes.Get(i), nodes.Get(i + 1)));
        }
        Add(links[0].Get(0), "10.0.1.2", "10.0.1.1");
        Add(links[0].Get(1), "10.0.1.1");
        Add(links[1].Get(0), "10.0.2.1");
        Add(links[1].Get(1), "10.0.2.2");
        Add(links[2].Get(0), "10.0.3.1");
        Add(links[2].Get(1), "10.0.3.2", "10.0.3.1");
        EsxRouterHelper::AddRoute(nodes.Get(1), "10.0.3.0", "255.255.255.0", "10.0.2.2");
        EsxRouterHelper::AddRoute(nodes.Get(2), "10.0.1.0", "255.255.255.0", "10.0.2.1");
        Listen(a);
        Listen(b);
    }

    ~EsxRouterTest() override
    {
        Simulator::Destroy();
    }

    static void Add(const Ptr<NetDevice>& device,
                    const char* address,
                    const char* gateway = "0.0.0.0")
    {
        EsxRouterHelper::AddInterface(device, {address, "255.255.255.0"}, gateway);
    }

    /// Notes what comes to a node: "3/1 from 10.0.2.2" of ICMP, "1000 B" of UDP.
    void Listen(const Ptr<Node>& node)
    {
        const bool isA = node == a;
        node->GetObject<Ipv4L3Protocol>()->TraceConnectWithoutContext(
            "LocalDeliver",
            Callback<void, const Ipv4Header&, Ptr<const Packet>, uint32_t>(
                [this, isA](const Ipv4Header& header, Ptr<const Packet> packet, uint32_t) {
                    std::ostringstream text;
                    if (header.GetProtocol() == UDP)
                    {
                        text << packet->GetSize() - 8 << " B";
                    }
                    else if (header.GetProtocol() == ICMP)
                    {
                        Icmpv4Header icmp;
                        packet->PeekHeader(icmp);
                        text << unsigned{icmp.GetType()} << "/" << unsigned{icmp.GetCode()}
                             << " from " << header.GetSource();
                    }
                    (isA ? atA : atB).push_back(text.str());
                }));
    }

    /// A datagram with DF from a: ns-3's sockets set no DF.
    void SendWithDf(const char* to, uint32_t octets)
    {
        Ipv4Header header;
        header.SetSource("10.0.1.2");
        header.SetDestination(to);
        header.SetProtocol(UDP);
        header.SetTtl(64);
        header.SetPayloadSize(octets + 8);
        header.SetDontFragment();
        const Ptr<Packet> packet = Create<Packet>(octets + 8);
        packet->AddHeader(header);
        links[0].Get(0)->Send(packet, links[0].Get(1)->GetAddress(), 0x0800);
        Simulator::Run();
    }

    /// A datagram from a.
    void Send(const char* to, uint32_t octets, uint8_t ttl = 64)
    {
        const auto socket = Socket::CreateSocket(a, UdpSocketFactory::GetTypeId());
        socket->SetIpTtl(ttl);
        socket->Bind();
        socket->Connect(InetSocketAddress(to, 9));
        socket->Send(Create<Packet>(octets));
        Simulator::Run();
    }

    /// Where r1 passes packets of a on, without that anybody has to see each; null: nowhere.
    Ptr<NetDevice> PassageTo(const char* to, uint32_t octets = 1500)
    {
        Ipv4Header header;
        header.SetSource("10.0.1.2");
        header.SetDestination(to);
        header.SetPayloadSize(octets - header.GetSerializedSize());
        source = Mac48Address::ConvertFrom(links[0].Get(0)->GetAddress());
        destination = Mac48Address::ConvertFrom(links[0].Get(1)->GetAddress());
        uint16_t tag = 0;
        const auto routing = nodes.Get(1)->GetObject<Ipv4>()->GetRoutingProtocol();
        return DynamicCast<EsxRouter>(routing)->FindPassage(*links[0].Get(1),
                                                            header,
                                                            source,
                                                            destination,
                                                            tag);
    }

    using Texts = std::vector<std::string>;

    Mac48Address source; //!< of the frames that PassageTo() found
    Mac48Address destination;
    NodeContainer nodes;
    Ptr<Node> a;
    Ptr<Node> b;
    std::vector<NetDeviceContainer> links;
    Texts atA;
    Texts atB;
};

TEST_F(EsxRouterTest, PassesDatagramsOnAndItsNeighbourAnswers)
{
    Send("10.0.3.2", 1000);
    EXPECT_EQ(atB, Texts{"1000 B"});
    EXPECT_EQ(atA, Texts{"3/3 from 10.0.3.2"}); // nobody listens on the port
}

TEST_F(EsxRouterTest, WithoutARouteTellsThatTheNetworkIsUnreachable)
{
    Send("10.9.9.9", 1000);
    EXPECT_EQ(atA, Texts{"3/0 from 10.0.1.1"});
}

TEST_F(EsxRouterTest, WhereNobodyAnswersArpTellsThatTheHostIsUnreachable)
{
    Send("10.0.3.77", 1000);
    EXPECT_EQ(atA, Texts{"3/1 from 10.0.2.2"});
}

TEST_F(EsxRouterTest, MakesFragmentsForASmallerMtu)
{
    links[1].Get(0)->SetMtu(600);
    Send("10.0.3.2", 1400);
    EXPECT_EQ(atB, Texts{"1400 B"});
}

TEST_F(EsxRouterTest, OfDfTellsThatFragmentationIsNeededAndDropsThePacket)
{
    links[1].Get(0)->SetMtu(600);
    SendWithDf("10.0.3.2", 1400);
    EXPECT_EQ(atA, Texts{"3/4 from 10.0.1.1"});
    EXPECT_TRUE(atB.empty());
    atA.clear();
    SendWithDf("10.0.3.2", 572); // with 28 octets of headers just 600
    EXPECT_EQ(atB, Texts{"572 B"});
    SendWithDf("10.0.3.2", 573);
    EXPECT_EQ(atA.back(), "3/4 from 10.0.1.1");
}

TEST_F(EsxRouterTest, TellsThatTheTimeToLiveIsUsedUp)
{
    Send("10.0.3.2", 1000, 2);
    EXPECT_EQ(atA, Texts{"11/0 from 10.0.2.2"});
    EXPECT_TRUE(atB.empty());
}

/// An error about an error would go round for ever; only the first fragment is told of.
TEST_F(EsxRouterTest, NobodyNeedsToSeeEachPacketWhileArpKnowsBothNeighboursForGood)
{
    Send("10.0.3.2", 100);
    EsxHostHelper::FillArp(NodeContainer(nodes.Get(1), nodes.Get(2), b));
    EXPECT_EQ(PassageTo("10.0.3.2"), nullptr) << "each packet renews what was learned of a";
    EsxHostHelper::FillArp(nodes);
    const Ptr<NetDevice> out = links[1].Get(0);
    EXPECT_EQ(PassageTo("10.0.3.2"), out);
    EXPECT_EQ(source, out->GetAddress());
    EXPECT_EQ(destination, links[1].Get(1)->GetAddress());
    EXPECT_EQ(PassageTo("10.0.2.2"), out); // the neighbour itself
    EXPECT_EQ(PassageTo("10.0.3.2", 1501), nullptr) << "fragments";
    EXPECT_EQ(PassageTo("10.0.2.1"), nullptr) << "for the router itself";
    EXPECT_EQ(PassageTo("10.0.2.9"), nullptr) << "asked for by ARP";
    EXPECT_EQ(PassageTo("10.0.2.255"), nullptr);
    EXPECT_EQ(PassageTo("239.1.1.1"), nullptr);
    EXPECT_EQ(PassageTo("192.0.2.1"), nullptr) << "no route";
}

TEST_F(EsxRouterTest, SomebodySeesEachPacketWhereItWaitsIsTracedOrDropped)
{
    EsxHostHelper::FillArp(nodes);
    const auto ipv4 = nodes.Get(1)->GetObject<Ipv4>();
    ipv4->SetForwarding(1, false);
    EXPECT_EQ(PassageTo("10.0.3.2"), nullptr);
    ipv4->SetForwarding(1, true);
    ipv4->SetDown(1);
    EXPECT_EQ(PassageTo("10.0.3.2"), nullptr);
    ipv4->SetUp(1);
    EXPECT_NE(PassageTo("10.0.3.2"), nullptr);
    const auto traced = Callback<void, Ptr<const Packet>>([](Ptr<const Packet>) {});
    links[0].Get(1)->TraceConnectWithoutContext("MacRx", traced);
    EXPECT_EQ(PassageTo("10.0.3.2"), nullptr);
    links[0].Get(1)->TraceDisconnectWithoutContext("MacRx", traced);
    EXPECT_NE(PassageTo("10.0.3.2"), nullptr);
    TrafficControlHelper::Default().Install(links[1].Get(0));
    EXPECT_EQ(PassageTo("10.0.3.2"), nullptr);
}

TEST_F(EsxRouterTest, TellsNothingOfErrorsAndOfLaterFragments)
{
    Send("10.9.9.9", 4000); // three fragments leave a
    EXPECT_EQ(atA, Texts{"3/0 from 10.0.1.1"});
    atA.clear();
    Ipv4Header header;
    header.SetSource("10.9.9.1"); // no route back: the port unreachable of b dies at r2
    header.SetDestination("10.0.3.2");
    header.SetProtocol(UDP);
    header.SetTtl(64);
    header.SetPayloadSize(8);
    const Ptr<Packet> packet = Create<Packet>(8);
    packet->AddHeader(header);
    links[0].Get(0)->Send(packet, links[0].Get(1)->GetAddress(), 0x0800);
    Simulator::Run();
    EXPECT_EQ(atB, Texts{"0 B"});
    EXPECT_TRUE(atA.empty());
}

/// A router on a stick: hosts of two VLANs meet over one trunk.
TEST(EsxVlanNetDeviceTest, RoutesBetweenTheVlansOfATrunk)
{
    NodeContainer nodes;
    nodes.Create(4); // switch, router, one host in each VLAN
    const Ptr<EsxPhysicalSwitch> made = CreateObject<EsxPhysicalSwitch>();
    nodes.Get(0)->AggregateObject(made);
    std::vector<NetDeviceContainer> links;
    for (uint16_t i = 1; i < 4; ++i)
    {
        links.push_back(EsxEthernetHelper().Install(nodes.Get(0), nodes.Get(i)));
        made->AddPort(i, links.back().Get(0));
    }
    made->SetTrunk(1, {101, 102});
    made->SetAccess(2, 101);
    made->SetAccess(3, 102);
    EsxRouterHelper::Install(nodes.Get(1));
    EsxRouterHelper::InstallServer(NodeContainer(nodes.Get(2), nodes.Get(3)));
    for (const uint16_t vlan : {101, 102})
    {
        const auto device = EsxRouterHelper::AddVlan(links[0].Get(1), vlan);
        EXPECT_EQ(device->GetVlan(), vlan);
        const std::string net = "10.1." + std::to_string(vlan);
        EsxRouterHelper::AddInterface(device, {(net + ".1").c_str(), "255.255.255.0"});
        EsxRouterHelper::AddInterface(links[vlan - 100].Get(1),
                                      {(net + ".2").c_str(), "255.255.255.0"},
                                      (net + ".1").c_str());
    }
    uint32_t received = 0;
    const auto sink = Socket::CreateSocket(nodes.Get(3), UdpSocketFactory::GetTypeId());
    sink->Bind(InetSocketAddress(Ipv4Address::GetAny(), 9));
    sink->SetRecvCallback(Callback<void, Ptr<Socket>>(
        [&received](Ptr<Socket> socket) { received += socket->Recv()->GetSize(); }));
    const auto source = Socket::CreateSocket(nodes.Get(2), UdpSocketFactory::GetTypeId());
    source->Connect(InetSocketAddress("10.1.102.2", 9));
    source->Send(Create<Packet>(1472)); // a full packet, and a tag beside it
    Simulator::Run();
    EXPECT_EQ(received, 1472u);
    EXPECT_EQ(made->GetPortOf(Mac48Address::ConvertFrom(links[0].Get(1)->GetAddress()), 102), 1);
    Simulator::Destroy();
}

TEST(EsxVlanNetDeviceDeathTest, NeedsATrunkOfItsNodeAndAVlan)
{
    NodeContainer nodes;
    nodes.Create(2);
    const auto link = EsxEthernetHelper().Install(nodes);
    EXPECT_DEATH(EsxRouterHelper::AddVlan(link.Get(0), 4095), "VLAN 4095 is not one of 1 to 4094");
    const auto device = CreateObject<EsxVlanNetDevice>();
    nodes.Get(0)->AddDevice(device);
    EXPECT_DEATH(device->SetTrunk(link.Get(1), 5), "both devices must be of one node");
    Simulator::Destroy();
}

TEST(EsxRouterHelperDeathTest, TheNextRouterIsOnANetworkOfTheNode)
{
    const auto node = CreateObject<Node>();
    EsxRouterHelper::Install(node);
    EXPECT_DEATH(EsxRouterHelper::AddRoute(node, "10.0.0.0", "255.0.0.0", "10.1.1.1"),
                 "has no interface on the network of 10.1.1.1");
    EXPECT_DEATH(EsxRouterHelper::Install(node), "has an IPv4 stack already");
    Simulator::Destroy();
}

} // namespace
