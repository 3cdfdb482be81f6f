// SPDX-License-Identifier: GPL-2.0-only
#include "tests/model/traffic-fixture.h"

#include "ns3/double.h"
#include "ns3/error-model.h"
#include "ns3/esx-tcp-request-client.h"
#include "ns3/esx-tcp-request-server.h"
#include "ns3/inet-socket-address.h"
#include "ns3/pointer.h"
#include "ns3/uinteger.h"

#include <map>
#include <set>

using namespace ns3;

namespace
{

class EsxTcpRequestClientTest : public TrafficTest
{
  protected:
    /// Two nodes; requests of 2000 bytes for 40000 bytes from 1 s on, each 100 ms, until 2 s: ten
    /// of them.
    void Build(const std::string& delay = "100us")
    {
        m_nodes = MakeNodes(2);
        Join(m_nodes, "10.0.0.0", delay);
        m_server = CreateObject<EsxTcpRequestServer>();
        m_nodes.Get(1)->AddApplication(m_server);

        m_client = CreateObject<EsxTcpRequestClient>();
        m_client->SetAttribute("Remote", AddressValue(InetSocketAddress("10.0.0.2", 80)));
        m_client->SetAttribute("RequestSize", UintegerValue(2000));
        m_client->SetAttribute("ResponseSize", UintegerValue(40000));
        m_client->SetAttribute("Interval",
                               StringValue("ns3::ConstantRandomVariable[Constant=0.1]"));
        m_client->SetStartTime(Seconds(1));
        m_client->SetStopTime(Seconds(2));
        m_nodes.Get(0)->AddApplication(m_client);

        m_client->TraceConnectWithoutContext("Started", Callback<void, uint64_t>([this](uint64_t) {
                                                 m_starts.push_back(Simulator::Now());
                                             }));
        using Failed = Callback<void, uint64_t, EsxTcpRequestClient::Failure>;
        m_client->TraceConnectWithoutContext(
            "Failed",
            Failed(
                [this](uint64_t, EsxTcpRequestClient::Failure reason) { ++m_failures[reason]; }));
    }

    /// The starts of a run with exponential intervals of 50 ms.
    std::vector<Time> ExponentialStarts(uint64_t run)
    {
        RngSeedManager::SetRun(run);
        m_starts.clear();
        Build();
        m_client->SetAttribute("Interval",
                               StringValue("ns3::ExponentialRandomVariable[Mean=0.05]"));
        EXPECT_EQ(m_client->AssignStreams(7), 1);
        Simulator::Run();
        Simulator::Destroy();
        return m_starts;
    }

    NodeContainer m_nodes;
    Ptr<EsxTcpRequestServer> m_server;
    Ptr<EsxTcpRequestClient> m_client;
    std::vector<Time> m_starts;
    std::map<EsxTcpRequestClient::Failure, int> m_failures;
};

TEST_F(EsxTcpRequestClientTest, OpensOneConnectionForEachRequest)
{
    Build();
    Simulator::Run();
    std::set<uint16_t> ports;
    for (const auto& sent : m_sent)
    {
        if (sent.IsFirstSyn())
        {
            ports.insert(sent.tcp.GetSourcePort());
        }
    }
    EXPECT_EQ(m_client->GetStarted(), 10U);
    EXPECT_EQ(Count([](const Sent& s) { return s.IsFirstSyn(); }), 10U);
    EXPECT_EQ(ports.size(), 10U);
    EXPECT_EQ(m_server->GetAccepted(), 10U);
    EXPECT_EQ(m_client->GetCompleted(), 10U);
    EXPECT_EQ(m_client->GetFailed(), 0U);
}

TEST_F(EsxTcpRequestClientTest, BothSidesCloseInOrder)
{
    Build();
    Simulator::Run();
    const auto finsTo = [&](const char* address) {
        return Count([=](const Sent& s) {
            return s.Has(TcpHeader::FIN) && s.ip.GetDestination() == Ipv4Address(address);
        });
    };
    EXPECT_EQ(finsTo("10.0.0.1"), 10U);
    EXPECT_EQ(finsTo("10.0.0.2"), 10U);
    EXPECT_EQ(Count([](const Sent& s) { return s.Has(TcpHeader::RST); }), 0U);
}

TEST_F(EsxTcpRequestClientTest, BytesAreExactlyThoseAskedFor)
{
    Build();
    Simulator::Run();
    EXPECT_EQ(TcpDataTo("10.0.0.2"), 10 * 2000U);
    EXPECT_EQ(TcpDataTo("10.0.0.1"), 10 * 40000U);
}

TEST_F(EsxTcpRequestClientTest, IntervalIsFromStartToStartAndEndsBeforeStopTime)
{
    Build("20ms");
    Simulator::Run();
    ASSERT_EQ(m_starts.size(), 10U);
    for (size_t i = 0; i < m_starts.size(); ++i)
    {
        EXPECT_EQ(m_starts[i], Seconds(1) + MilliSeconds(100) * i);
    }
}

TEST_F(EsxTcpRequestClientTest, SlowRequestsOverlap)
{
    Build("100ms"); // a handshake alone takes two intervals
    m_client->SetStopTime(Seconds(0));
    m_client->SetAttribute("ResponseSize", UintegerValue(100));
    size_t open = 0;
    Simulator::Schedule(Seconds(3), [&] { open = m_client->GetOpen(); });
    Simulator::Stop(Seconds(3.01));
    Simulator::Run();
    EXPECT_GE(open, 3U);
    EXPECT_EQ(m_client->GetStarted(),
              m_client->GetCompleted() + m_client->GetFailed() + m_client->GetOpen());
    EXPECT_GT(m_client->GetCompleted(), 10U);
}

TEST_F(EsxTcpRequestClientTest, RequestLargerThanTheSendBufferIsSentInFull)
{
    Build();
    m_client->SetAttribute("RequestSize", UintegerValue(1000000));
    m_client->SetAttribute("ResponseSize", UintegerValue(0));
    m_client->SetAttribute("Interval", StringValue("ns3::ConstantRandomVariable[Constant=10]"));
    m_client->SetStopTime(Seconds(9));
    Simulator::Run();
    EXPECT_EQ(m_client->GetCompleted(), 1U);
    EXPECT_EQ(TcpDataTo("10.0.0.2"), 1000000U);
}

TEST_F(EsxTcpRequestClientTest, ExponentialStartsFollowSeedAndRun)
{
    const auto first = ExponentialStarts(1);
    EXPECT_GT(first.size(), 5U);
    EXPECT_EQ(first, ExponentialStarts(1));
    EXPECT_NE(first, ExponentialStarts(2));
}

TEST_F(EsxTcpRequestClientTest, SocketsAreReleasedWhenRequestsAreDone)
{
    Build();
    m_client->SetStopTime(Seconds(0));
    m_client->SetAttribute("ResponseSize", UintegerValue(1000));
    m_client->SetAttribute("Interval", StringValue("ns3::ConstantRandomVariable[Constant=0.01]"));
    size_t clients = 0;
    size_t servers = 0;
    Simulator::Schedule(Seconds(6.995), [&] {
        clients = TcpSockets(m_nodes.Get(0));
        servers = TcpSockets(m_nodes.Get(1));
    });
    Simulator::Stop(Seconds(7));
    Simulator::Run();
    EXPECT_GE(m_client->GetCompleted(), 598U);
    EXPECT_EQ(clients, m_client->GetOpen());
    EXPECT_LE(servers, 1 + 200 + 2U) << "listener, two seconds of TIME_WAIT, those under way";
}

TEST_F(EsxTcpRequestClientTest, RequestsOpenAtStopTimeHaveFailedAndLeaveNoSocket)
{
    Build("100ms");
    Simulator::Run(); // ends by itself
    EXPECT_EQ(m_client->GetStarted(), 10U);
    EXPECT_GT(m_failures[EsxTcpRequestClient::STOPPED], 0);
    EXPECT_EQ(m_client->GetStarted(), m_client->GetCompleted() + m_client->GetFailed());
    EXPECT_EQ(m_client->GetOpen(), 0U);
    EXPECT_EQ(m_server->GetOpen(), 0U);
    EXPECT_EQ(TcpSockets(m_nodes.Get(0)), 0U);
    EXPECT_EQ(TcpSockets(m_nodes.Get(1)), 1U) << "the listener";
    const auto late = Count([](const Sent& s) {
        return s.at > Seconds(2) && s.ip.GetSource() == Ipv4Address("10.0.0.1") &&
               !s.Has(TcpHeader::RST);
    });
    EXPECT_EQ(late, 0U) << "after StopTime the client sends resets only";
}

TEST_F(EsxTcpRequestClientTest, StopAtAnyMomentOfARequestEndsTheConnection)
{
    for (int moment = 0; moment < 60; ++moment) // over all round trips of a request
    {
        Build("20ms");
        m_client->SetStopTime(Seconds(1.1) + MilliSeconds(5) * moment + NanoSeconds(moment % 3));
        Simulator::Run();
        EXPECT_LT(m_sent.back().at, Seconds(10)) << moment;
        EXPECT_EQ(TcpSockets(m_nodes.Get(0)), 0U) << moment;
        EXPECT_EQ(TcpSockets(m_nodes.Get(1)), 1U) << moment;
        m_sent.clear();
        Simulator::Destroy();
    }
}

TEST_F(EsxTcpRequestClientTest, RequestsAcrossALossyLinkLeaveNoSocket)
{
    Build("1ms");
    const auto errors = CreateObject<RateErrorModel>();
    errors->SetAttribute("ErrorUnit", StringValue("ERROR_UNIT_PACKET"));
    errors->SetAttribute("ErrorRate", DoubleValue(0.1));
    errors->AssignStreams(3);
    for (uint32_t i = 0; i < 2; ++i)
    {
        m_nodes.Get(i)->GetDevice(1)->SetAttribute("ReceiveErrorModel", PointerValue(errors));
    }
    m_client->SetStopTime(Seconds(21));
    Simulator::Run();
    EXPECT_EQ(m_client->GetStarted(), 200U);
    EXPECT_GT(m_client->GetCompleted(), 100U);
    EXPECT_EQ(TcpSockets(m_nodes.Get(0)), 0U);
}

TEST_F(EsxTcpRequestClientTest, ClosedPortFailsByTimeout)
{
    Build();
    m_client->SetAttribute("Remote", AddressValue(InetSocketAddress("10.0.0.2", 81)));
    m_client->SetAttribute("Timeout", TimeValue(MilliSeconds(500)));
    Simulator::Run();
    EXPECT_EQ(m_failures[EsxTcpRequestClient::TIMED_OUT] + m_failures[EsxTcpRequestClient::STOPPED],
              10);
    EXPECT_GE(m_failures[EsxTcpRequestClient::TIMED_OUT], 5);
    EXPECT_EQ(TcpSockets(m_nodes.Get(0)), 0U);
}

TEST_F(EsxTcpRequestClientTest, WithoutARouteEveryRequestFailsAndNoSocketIsLeft)
{
    Build();
    m_client->SetAttribute("Remote", AddressValue(InetSocketAddress("192.168.7.7", 80)));
    Simulator::Run();
    EXPECT_EQ(m_failures[EsxTcpRequestClient::NOT_CONNECTED], 10);
    EXPECT_EQ(TcpSockets(m_nodes.Get(0)), 0U);
}

TEST_F(EsxTcpRequestClientTest, ServerThatEndsInTheMiddleFailsTheRequest)
{
    Build("10ms");
    m_client->SetAttribute("ResponseSize", UintegerValue(10000000));
    m_client->SetAttribute("Interval", StringValue("ns3::ConstantRandomVariable[Constant=100]"));
    m_client->SetStopTime(Seconds(50));
    m_server->SetStopTime(Seconds(1.3));
    Simulator::Run();
    EXPECT_EQ(m_failures[EsxTcpRequestClient::CLOSED], 1);
    EXPECT_EQ(TcpSockets(m_nodes.Get(0)), 0U);
    EXPECT_EQ(TcpSockets(m_nodes.Get(1)), 0U);
}

TEST_F(EsxTcpRequestClientTest, IntervalZeroDoesNotStopTheClock)
{
    Build();
    m_client->SetAttribute("Interval", StringValue("ns3::ConstantRandomVariable[Constant=0]"));
    m_client->SetStopTime(Seconds(1) + NanoSeconds(50));
    Simulator::Run();
    EXPECT_EQ(m_client->GetStarted(), 50U);
}

TEST_F(EsxTcpRequestClientTest, RequestTooShortForItsHeaderIsRefused)
{
    EXPECT_FALSE(
        CreateObject<EsxTcpRequestClient>()->SetAttributeFailSafe("RequestSize", UintegerValue(7)));
}

TEST_F(EsxTcpRequestClientTest, RunThatIsCutOffInTheMiddleIsDisposedOf)
{
    Build("100ms");
    Simulator::Stop(Seconds(1.55));
    Simulator::Run();
    EXPECT_GT(m_client->GetOpen(),
              0U); // TearDown destroys them: a sanitizer build sees what is left
}

} // namespace
