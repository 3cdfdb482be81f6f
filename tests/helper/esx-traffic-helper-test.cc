// SPDX-License-Identifier: GPL-2.0-only
#include "tests/model/traffic-fixture.h"

#include "ns3/esx-address-pools.h"
#include "ns3/esx-ethernet-helper.h"
#include "ns3/esx-router-helper.h"
#include "ns3/esx-tcp-request-client.h"
#include "ns3/esx-tcp-request-server.h"
#include "ns3/esx-tcp-syn-scan.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/esx-udp-cbr.h"
#include "ns3/inet-socket-address.h"
#include "ns3/pointer.h"
#include "ns3/random-variable-stream.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <map>
#include <set>
#include <tuple>

using namespace ns3;

namespace
{

class EsxTrafficHelperTest : public TrafficTest
{
  protected:
    NodeContainer JoinedNodes(uint32_t count)
    {
        const auto nodes = MakeNodes(count);
        Join(nodes, "10.0.0.0");
        return nodes;
    }

    /// Counts the bytes that a PacketSink receives.
    void Watch(const Ptr<Application>& sink)
    {
        using Rx = Callback<void, Ptr<const Packet>, const Address&>;
        const bool connected = sink->TraceConnectWithoutContext(
            "Rx",
            Rx([this](Ptr<const Packet> packet, const Address&) { m_bytes += packet->GetSize(); }));
        ASSERT_TRUE(connected);
    }

    EsxTrafficHelper m_traffic;
    uint64_t m_bytes{0};
};

TEST_F(EsxTrafficHelperTest, UdpCbrArrivesInFullAndMarked)
{
    const auto nodes = JoinedNodes(2);
    EsxUdpCbrOptions options;
    options.start = Seconds(1);
    options.stop = Seconds(2);
    options.port = 5060;
    options.rate = DataRate("512kb/s");
    options.packetSize = 200; // 3.125 ms each: 320 packets
    options.dscp = 46;
    const auto applications = m_traffic.UdpCbr(nodes.Get(0), nodes.Get(1), options);
    ASSERT_EQ(applications.GetN(), 2U);
    EXPECT_EQ(applications.Get(0)->GetNode(), nodes.Get(0));
    EXPECT_EQ(applications.Get(1)->GetNode(), nodes.Get(1));
    Watch(applications.Get(1));
    Simulator::Run();
    EXPECT_EQ(m_bytes, 320 * 200U);
    EXPECT_EQ(Count([](const Sent& s) { return s.ip.GetTos() == 184; }), 320U);
}

TEST_F(EsxTrafficHelperTest, TcpBulkDeliversItsTotalAndNoMore)
{
    const auto nodes = JoinedNodes(2);
    EsxTcpBulkOptions options;
    options.bytes = 1234567;
    const auto applications = m_traffic.TcpBulk(nodes.Get(0), nodes.Get(1), options);
    Watch(applications.Get(1));
    Simulator::Stop(Seconds(60));
    Simulator::Run();
    EXPECT_EQ(m_bytes, 1234567U);
}

TEST_F(EsxTrafficHelperTest, TcpBulkWithoutATotalEndsAtStop)
{
    const auto nodes = JoinedNodes(2);
    EsxTcpBulkOptions options;
    options.stop = MilliSeconds(300);
    Watch(m_traffic.TcpBulk(nodes.Get(0), nodes.Get(1), options).Get(1));
    Simulator::Stop(Seconds(60));
    Simulator::Run();
    EXPECT_GT(m_bytes, 1000000U);
    EXPECT_LT(m_sent.back().at, MilliSeconds(400)) << "what was in the send buffer, then silence";
}

TEST_F(EsxTrafficHelperTest, ClientsOfOnePortShareAServer)
{
    const auto nodes = JoinedNodes(3);
    EsxTcpRequestOptions options;
    options.port = 3306;
    options.stop = Seconds(3.5);
    const auto first = m_traffic.TcpRequest(nodes.Get(0), nodes.Get(2), options);
    options.response = 9;
    const auto second = m_traffic.TcpRequest(nodes.Get(1), nodes.Get(2), options);
    options.port = 3307;
    const auto third = m_traffic.TcpRequest(nodes.Get(1), nodes.Get(2), options);
    EXPECT_EQ(first.Get(1), second.Get(1));
    EXPECT_NE(first.Get(1), third.Get(1));
    Simulator::Run();
    EXPECT_EQ(first.Get(1)->GetObject<EsxTcpRequestServer>()->GetAnswered(), 8U);
    EXPECT_EQ(second.Get(0)->GetObject<EsxTcpRequestClient>()->GetCompleted(), 4U);
    EXPECT_EQ(TcpDataTo("10.0.0.1"), 4 * 4096U);
    EXPECT_EQ(TcpDataTo("10.0.0.2"), 4 * 9 + 4 * 9U);
}

TEST_F(EsxTrafficHelperTest, SinksAreSharedByPortAndProtocol)
{
    const auto nodes = JoinedNodes(3);
    const auto udp = m_traffic.UdpCbr(nodes.Get(0), nodes.Get(2), {});
    EXPECT_EQ(udp.Get(1), m_traffic.UdpCbr(nodes.Get(1), nodes.Get(2), {}).Get(1));
    const auto tcp = m_traffic.TcpBulk(nodes.Get(0), nodes.Get(2), {});
    EXPECT_NE(udp.Get(1), tcp.Get(1));
    EXPECT_EQ(nodes.Get(2)->GetNApplications(), 2U);
}

TEST_F(EsxTrafficHelperTest, BareAddressGetsNoReceiver)
{
    const auto nodes = JoinedNodes(2);
    EXPECT_EQ(m_traffic.UdpCbr(nodes.Get(0), Ipv4Address("10.0.0.2"), {}).GetN(), 1U);
    EXPECT_EQ(nodes.Get(1)->GetNApplications(), 0U);
}

TEST_F(EsxTrafficHelperTest, SynScanTakesItsTargetsInOrder)
{
    const auto nodes = JoinedNodes(3);
    EsxTcpSynScanOptions options;
    options.firstPort = 20;
    options.lastPort = 29;
    options.every = MicroSeconds(500);
    const auto scan = m_traffic.TcpSynScan(nodes.Get(0), {nodes.Get(2), nodes.Get(1)}, options);
    Simulator::Run();
    EXPECT_EQ(scan.Get(0)->GetObject<EsxTcpSynScan>()->GetSent(), 20U);
    std::set<std::pair<Ipv4Address, uint16_t>> probed;
    for (const auto& sent : m_sent)
    {
        if (sent.IsFirstSyn())
        {
            probed.emplace(sent.ip.GetDestination(), sent.tcp.GetDestinationPort());
        }
    }
    EXPECT_EQ(probed.size(), 20U);
    const auto first =
        std::find_if(m_sent.begin(), m_sent.end(), [](const Sent& s) { return s.IsFirstSyn(); });
    EXPECT_EQ(first->ip.GetDestination(), Ipv4Address("10.0.0.3"));
}

TEST_F(EsxTrafficHelperTest, TargetsAddressIsTheOneOnTheSendersSubnet)
{
    const auto nodes = MakeNodes(3); // 0 is on both subnets, 1 on the second only, 2 on both
    Join(NodeContainer(nodes.Get(0), nodes.Get(2)), "10.1.0.0");
    Join(NodeContainer(nodes.Get(0), nodes.Get(1), nodes.Get(2)), "10.2.0.0");
    EXPECT_EQ(EsxTrafficHelper::AddressOf(nodes.Get(2), nodes.Get(1)), Ipv4Address("10.2.0.3"));
    EXPECT_EQ(EsxTrafficHelper::AddressOf(nodes.Get(0), nodes.Get(1)), Ipv4Address("10.2.0.1"));
    EXPECT_EQ(EsxTrafficHelper::AddressOf(nodes.Get(1), nodes.Get(0)), Ipv4Address("10.2.0.2"));
    EXPECT_EQ(EsxTrafficHelper::AddressOf(nodes.Get(2), nodes.Get(0)), Ipv4Address("10.1.0.2"))
        << "two in common: the target's first";
}

TEST_F(EsxTrafficHelperTest, TargetElsewhereIsMeantByItsFirstAddress)
{
    const auto nodes = MakeNodes(3);
    Join(NodeContainer(nodes.Get(0), nodes.Get(1)), "10.1.0.0");
    Join(NodeContainer(nodes.Get(1), nodes.Get(2)), "10.2.0.0");
    EXPECT_EQ(EsxTrafficHelper::AddressOf(nodes.Get(2), nodes.Get(0)), Ipv4Address("10.2.0.2"));
}

TEST_F(EsxTrafficHelperTest, TargetWithoutAnAddressIsTheUsersMistake)
{
    const auto nodes = MakeNodes(2);
    EXPECT_DEATH(m_traffic.UdpCbr(nodes.Get(0), nodes.Get(1), {}), "node 1 has no IPv4 address");
}

TEST_F(EsxTrafficHelperTest, AssignStreamsCountsTheClientsThatDraw)
{
    const auto nodes = JoinedNodes(2);
    ApplicationContainer all;
    all.Add(m_traffic.UdpCbr(nodes.Get(0), nodes.Get(1), {}));
    all.Add(m_traffic.TcpRequest(nodes.Get(0), nodes.Get(1), {}));
    all.Add(m_traffic.TcpRequest(nodes.Get(1), nodes.Get(0), {}));
    EXPECT_EQ(m_traffic.AssignStreams(all, 100), 2);
    std::vector<int64_t> streams;
    for (const auto& client : {nodes.Get(0)->GetApplication(1), nodes.Get(1)->GetApplication(2)})
    {
        PointerValue interval;
        client->GetAttribute("Interval", interval);
        streams.push_back(interval.Get<RandomVariableStream>()->GetStream());
    }
    EXPECT_EQ(streams, (std::vector<int64_t>{100, 101}));
}

TEST_F(EsxTrafficHelperTest, AnyApplicationSendsAndGetsItsStreams)
{
    const auto nodes = JoinedNodes(2);
    const Ptr<Node> from = nodes.Get(0);
    ApplicationContainer made = m_traffic.Install(ObjectFactory("ns3::OnOffApplication"),
                                                  from,
                                                  nodes.Get(1),
                                                  {},
                                                  7,
                                                  "ns3::UdpSocketFactory");
    ASSERT_EQ(made.GetN(), 2u); // with a sink
    made.Add(m_traffic.Install(ObjectFactory("ns3::EsxIcmpEcho"), from, nodes.Get(1), {}, 0, ""));
    AddressValue remote;
    made.Get(0)->GetAttribute("Remote", remote);
    EXPECT_EQ(InetSocketAddress::ConvertFrom(remote.Get()).GetPort(), 7);
    Ipv4AddressValue asked;
    made.Get(2)->GetAttribute("Remote", asked);
    EXPECT_EQ(asked.Get(), EsxTrafficHelper::AddressOf(nodes.Get(1), from));
    EXPECT_EQ(m_traffic.AssignStreams(made, 100), 2);
    for (const auto& [name, stream] : {std::pair("OnTime", 100), std::pair("OffTime", 101)})
    {
        PointerValue variable;
        made.Get(0)->GetAttribute(name, variable);
        EXPECT_EQ(variable.Get<RandomVariableStream>()->GetStream(), stream) << name;
    }
}

TEST_F(EsxTrafficHelperTest, WhatIsMissingIsNamed)
{
    const auto nodes = JoinedNodes(2);
    const Ptr<Node> bare = CreateObject<Node>();
    const Ptr<Node> none;
    EXPECT_DEATH(m_traffic.UdpCbr(none, nodes.Get(1), {}),
                 "a sender with an IPv4 stack: it is null");
    EXPECT_DEATH(m_traffic.UdpCbr(bare, nodes.Get(1), {}), "a sender .*: node 2 has none");
    EXPECT_DEATH(m_traffic.TcpBulk(nodes.Get(0), bare, {}), "node 2 has no IPv4 stack");
    EXPECT_DEATH(m_traffic.TcpRequest(nodes.Get(0), Ipv4Address("224.0.0.1"), {}),
                 "traffic to 224.0.0.1: ns-3 has no route");
    EXPECT_DEATH(m_traffic.UdpCbr(nodes.Get(0), Ipv4Address("224.0.0.251"), {}),
                 "traffic to 224.0.0.251: ns-3 has no route");
    EXPECT_DEATH(m_traffic.TcpSynScan(nodes.Get(0), {}, {}), "a SYN scan needs a target");
    const ObjectFactory sink("ns3::PacketSink");
    EXPECT_DEATH(m_traffic.Install(sink, nodes.Get(0), nodes.Get(1), {}, 9, ""),
                 "ns3::PacketSink has no attribute Remote");
}

TEST_F(EsxTrafficHelperTest, NodeWithPoolsIsAllOfTheirAddressesBehindARouter)
{
    const NodeContainer nodes(3);
    const auto [farm, router, net] = std::tuple(nodes.Get(0), nodes.Get(1), nodes.Get(2));
    EsxRouterHelper::InstallServer(NodeContainer(farm, net));
    EsxRouterHelper::Install(router);
    const auto inner = EsxEthernetHelper().Install(farm, router);
    const auto outer = EsxEthernetHelper().Install(router, net);
    EsxRouterHelper::AddInterface(inner.Get(0), {"10.0.0.1", "255.255.255.0"}, "10.0.0.2");
    EsxRouterHelper::AddInterface(inner.Get(1), {"10.0.0.2", "255.255.255.0"});
    EsxRouterHelper::AddInterface(outer.Get(0), {"10.0.1.1", "255.255.255.0"});
    EsxRouterHelper::AddInterface(outer.Get(1), {"10.0.1.2", "255.255.255.0"}, "10.0.1.1");
    EsxRouterHelper::AddRoute(router, "0.0.0.0", "0.0.0.0", "10.0.1.2");
    const auto pools = CreateObject<EsxAddressPools>();
    pools->Add("198.18.0.0", "255.255.0.0", 1, 100);
    net->AggregateObject(pools);
    using Forward = Callback<void, const Ipv4Header&, Ptr<const Packet>, uint32_t>;
    std::map<std::string, int> forwarded;
    router->GetObject<Ipv4L3Protocol>()->TraceConnectWithoutContext(
        "UnicastForward",
        Forward([&](const Ipv4Header& ip, Ptr<const Packet>, uint32_t) {
            const Ipv4Mask pool("255.255.0.0");
            const bool comes = ip.GetSource().CombineMask(pool) == Ipv4Address("198.18.0.0");
            const bool goes = ip.GetDestination().CombineMask(pool) == Ipv4Address("198.18.0.0");
            ++forwarded[comes ? "in" : goes ? "out" : "else"];
        }));
    const auto flows = CreateObject<EsxSyntheticFlows>();
    flows->SetAttribute("Flows", UintegerValue(3));
    for (const auto& [name, value] :
         {std::pair("Packets", "1"), std::pair("Rtt", "0.01"), std::pair("AnswerPackets", "2")})
    {
        flows->SetAttribute(
            name,
            StringValue("ns3::ConstantRandomVariable[Constant=" + std::string(value) + "]"));
    }
    m_traffic.SyntheticFlows(net, {farm}, flows, {});
    Simulator::Stop(Seconds(20));
    Simulator::Run();
    EXPECT_EQ(forwarded, (std::map<std::string, int>{{"in", 3}, {"out", 6}}));
}

} // namespace
