// SPDX-License-Identifier: GPL-2.0-only
#include "tests/model/traffic-fixture.h"

#include "ns3/esx-tcp-request-server.h"
#include "ns3/inet-socket-address.h"
#include "ns3/socket.h"
#include "ns3/tcp-socket-factory.h"
#include "ns3/uinteger.h"

using namespace ns3;

namespace
{

/// A hand-made client: writes given bytes at given times.
class EsxTcpRequestServerTest : public TrafficTest
{
  protected:
    void Build()
    {
        m_nodes = MakeNodes(2);
        Join(m_nodes, "10.0.0.0");
        m_server = CreateObject<EsxTcpRequestServer>();
        m_nodes.Get(1)->AddApplication(m_server);
        m_client = Socket::CreateSocket(m_nodes.Get(0), TcpSocketFactory::GetTypeId());
        m_client->SetRecvCallback(Callback<void, Ptr<Socket>>([this](Ptr<Socket> socket) {
            for (auto packet = socket->Recv(); packet && packet->GetSize() > 0;
                 packet = socket->Recv())
            {
                m_received += packet->GetSize();
            }
        }));
        Simulator::Schedule(Seconds(1), [this] {
            m_client->Bind();
            m_client->Connect(InetSocketAddress("10.0.0.2", 80));
        });
    }

    void WriteAt(const Time& when, const std::vector<uint8_t>& bytes)
    {
        Simulator::Schedule(when, [this, bytes] {
            m_client->Send(Create<Packet>(bytes.data(), static_cast<uint32_t>(bytes.size())));
        });
    }

    static std::vector<uint8_t> Header(uint32_t request, uint32_t response)
    {
        const auto header = EsxTcpRequestServer::EncodeHeader(request, response);
        return {header.begin(), header.end()};
    }

    void CloseAt(const Time& when)
    {
        Simulator::Schedule(when, [this] { m_client->Close(); });
    }

    NodeContainer m_nodes;
    Ptr<EsxTcpRequestServer> m_server;
    Ptr<Socket> m_client;
    uint64_t m_received{0};
};

TEST_F(EsxTcpRequestServerTest, HeaderIsTwoNumbersInNetworkOrder)
{
    EXPECT_EQ(EsxTcpRequestServer::EncodeHeader(0x01020304, 0xfffefdfc),
              (EsxTcpRequestServer::RequestHeader{1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc}));
}

TEST_F(EsxTcpRequestServerTest, HeaderThatArrivesInPiecesIsUnderstood)
{
    Build();
    auto request = Header(11, 5000);
    request.resize(11);
    for (size_t i = 0; i < request.size(); ++i)
    {
        EXPECT_EQ(m_received, 0U);
        WriteAt(Seconds(2) + MilliSeconds(300) * i, {request[i]});
    }
    CloseAt(Seconds(9));
    Simulator::Run();
    EXPECT_EQ(m_server->GetAnswered(), 1U);
    EXPECT_EQ(m_received, 5000U);
}

TEST_F(EsxTcpRequestServerTest, AnswersOnlyAfterTheWholeRequest)
{
    Build();
    auto request = Header(100, 5000);
    request.resize(99);
    WriteAt(Seconds(2), request);
    Simulator::Stop(Seconds(3));
    Simulator::Run();
    EXPECT_EQ(m_received, 0U);
    EXPECT_EQ(m_server->GetOpen(), 1U);
    WriteAt(Seconds(0), {0});
    CloseAt(Seconds(2));
    Simulator::Run();
    EXPECT_EQ(m_received, 5000U);
}

TEST_F(EsxTcpRequestServerTest, AnswerLargerThanTheSendBufferArrivesInFull)
{
    Build();
    WriteAt(Seconds(2), Header(8, 3000000));
    CloseAt(Seconds(30));
    Simulator::Run();
    EXPECT_EQ(m_received, 3000000U);
}

TEST_F(EsxTcpRequestServerTest, RequestShorterThanItsHeaderIsClosedWithoutAnAnswer)
{
    Build();
    WriteAt(Seconds(2), Header(7, 5000));
    CloseAt(Seconds(3));
    Simulator::Run();
    EXPECT_EQ(m_received, 0U);
    EXPECT_EQ(m_server->GetRefused(), 1U);
    EXPECT_EQ(m_server->GetOpen(), 0U);
    EXPECT_EQ(TcpSockets(m_nodes.Get(1)), 1U) << "the listener";
}

TEST_F(EsxTcpRequestServerTest, BytesAfterTheRequestAreIgnored)
{
    Build();
    auto request = Header(8, 100);
    request.resize(5000);
    WriteAt(Seconds(2), request);
    CloseAt(Seconds(3));
    Simulator::Run();
    EXPECT_EQ(m_received, 100U);
    EXPECT_EQ(m_server->GetAnswered(), 1U);
}

TEST_F(EsxTcpRequestServerTest, PeerThatClosesEarlyGetsAReset)
{
    Build();
    m_client->SetAttribute("RcvBufSize", UintegerValue(20000)); // so that the answer takes its time
    WriteAt(Seconds(2), Header(8, 4000000000U));
    CloseAt(Seconds(2.01));
    Simulator::Run();
    EXPECT_EQ(m_server->GetRefused(), 1U);
    EXPECT_EQ(m_server->GetOpen(), 0U);
    EXPECT_EQ(Count([](const Sent& s) {
                  return s.Has(TcpHeader::RST) && s.ip.GetSource() == Ipv4Address("10.0.0.2");
              }),
              1U);
    EXPECT_LT(m_sent.back().at, Seconds(2.03)); // what the link had queued
    EXPECT_EQ(TcpSockets(m_nodes.Get(1)), 1U) << "the listener";
}

TEST_F(EsxTcpRequestServerTest, PeerThatClosesWithoutARequestIsDropped)
{
    Build();
    CloseAt(Seconds(2));
    Simulator::Run();
    EXPECT_EQ(m_server->GetRefused(), 1U);
    EXPECT_EQ(TcpSockets(m_nodes.Get(1)), 1U);
}

TEST_F(EsxTcpRequestServerTest, FinishedConnectionWaitsForTimeWaitOnly)
{
    Build();
    m_server->SetAttribute("TimeWait", TimeValue(Seconds(5)));
    WriteAt(Seconds(2), Header(8, 100));
    CloseAt(Seconds(3));
    size_t before = 0;
    Simulator::Schedule(Seconds(7.9), [&] { before = TcpSockets(m_nodes.Get(1)); });
    Simulator::Stop(Seconds(8.1));
    Simulator::Run();
    EXPECT_EQ(before, 2U);
    EXPECT_EQ(TcpSockets(m_nodes.Get(1)), 1U);
}

TEST_F(EsxTcpRequestServerTest, StopTimeClosesListenerAndConnections)
{
    Build();
    m_server->SetStopTime(Seconds(2));
    CloseAt(Seconds(3));
    Simulator::Run();
    EXPECT_EQ(m_server->GetAccepted(), 1U);
    EXPECT_EQ(m_server->GetOpen(), 0U);
    EXPECT_EQ(TcpSockets(m_nodes.Get(1)), 0U);
}

TEST_F(EsxTcpRequestServerTest, TakenPortIsTheUsersMistake)
{
    Build();
    m_nodes.Get(1)->AddApplication(CreateObject<EsxTcpRequestServer>());
    EXPECT_DEATH(Simulator::Run(), "TCP port 80 of node 1 is taken");
}

} // namespace
