// SPDX-License-Identifier: GPL-2.0-only
#include "esx-tcp-request-server.h"

#include "model/host/esx-socket-tools.h"

#include "ns3/abort.h"
#include "ns3/double.h"
#include "ns3/inet-socket-address.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/simulator.h"
#include "ns3/tcp-socket-factory.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/uinteger.h"

#include <algorithm>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxTcpRequestServer");
NS_OBJECT_ENSURE_REGISTERED(EsxTcpRequestServer);

namespace
{

void
PutNetworkOrder(uint8_t* to, uint32_t value)
{
    for (int i = 0; i < 4; ++i)
    {
        to[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
    }
}

uint32_t
GetNetworkOrder(const uint8_t* from)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i)
    {
        value = value << 8 | from[i];
    }
    return value;
}

} // namespace

TypeId
EsxTcpRequestServer::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxTcpRequestServer")
            .SetParent<Application>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxTcpRequestServer>()
            .AddAttribute("Port",
                          "TCP port to listen on, on all addresses of the node.",
                          UintegerValue(80),
                          MakeUintegerAccessor(&EsxTcpRequestServer::m_port),
                          MakeUintegerChecker<uint16_t>(1))
            .AddAttribute("TimeWait",
                          "How long a finished connection stays in TIME_WAIT. ns-3's own 240 s "
                          "would keep every "
                          "connection of the last minutes in the list that each arriving segment "
                          "is looked up in.",
                          TimeValue(Seconds(2)),
                          MakeTimeAccessor(&EsxTcpRequestServer::m_timeWait),
                          MakeTimeChecker(Time(0)))
            .AddTraceSource("Answered",
                            "A response was handed to the stack in full: client, bytes of the "
                            "request, bytes of the "
                            "response.",
                            MakeTraceSourceAccessor(&EsxTcpRequestServer::m_answeredTrace),
                            "ns3::EsxTcpRequestServer::AnsweredCallback");
    return tid;
}

EsxTcpRequestServer::RequestHeader
EsxTcpRequestServer::EncodeHeader(uint32_t request, uint32_t response)
{
    RequestHeader header;
    PutNetworkOrder(header.data(), request);
    PutNetworkOrder(header.data() + 4, response);
    return header;
}

uint64_t
EsxTcpRequestServer::GetAccepted() const
{
    return m_accepted;
}

uint64_t
EsxTcpRequestServer::GetAnswered() const
{
    return m_answered;
}

uint64_t
EsxTcpRequestServer::GetRefused() const
{
    return m_refused;
}

size_t
EsxTcpRequestServer::GetOpen() const
{
    return m_connections.size();
}

void
EsxTcpRequestServer::DoDispose()
{
    for (auto& [id, connection] : m_connections)
    {
        EsxDetach(connection.socket);
    }
    m_connections.clear();
    m_listener = nullptr;
    Application::DoDispose();
}

void
EsxTcpRequestServer::StartApplication()
{
    m_listener = Socket::CreateSocket(GetNode(), TcpSocketFactory::GetTypeId());
    m_listener->SetAttribute("MaxSegLifetime",
                             DoubleValue(m_timeWait.GetSeconds() / 2)); // forks inherit it
    const bool bound = m_listener->Bind(InetSocketAddress(Ipv4Address::GetAny(), m_port)) == 0;
    NS_ABORT_MSG_IF(!bound,
                    "EsxTcpRequestServer: TCP port " << m_port << " of node " << GetNode()->GetId()
                                                     << " is taken");
    m_listener->SetAcceptCallback(MakeNullCallback<bool, Ptr<Socket>, const Address&>(),
                                  MakeCallback(&EsxTcpRequestServer::HandleAccept, this));
    m_listener->Listen();
}

void
EsxTcpRequestServer::StopApplication()
{
    if (m_listener)
    {
        EsxLeave(m_listener);
        m_listener = nullptr;
    }
    while (!m_connections.empty())
    {
        Drop(m_connections.begin()->first);
    }
}

void
EsxTcpRequestServer::HandleAccept(Ptr<Socket> socket, const Address& from)
{
    if (!m_listener) // the handshake outlived the server
    {
        Simulator::ScheduleNow(&EsxAbort, socket);
        return;
    }
    const uint64_t id = m_accepted++;
    Connection& connection = m_connections[id];
    connection.socket = socket;
    connection.from = from;
    socket->SetRecvCallback(MakeCallback(&EsxTcpRequestServer::HandleRead, this, id));
    socket->SetSendCallback(MakeCallback(&EsxTcpRequestServer::HandleSend, this, id));
    const auto closed = MakeCallback(&EsxTcpRequestServer::HandleClose, this, id);
    socket->SetCloseCallbacks(closed, closed);
}

void
EsxTcpRequestServer::HandleRead(uint64_t id, Ptr<Socket> socket)
{
    Connection* connection = Find(id);
    if (!connection)
    {
        return;
    }
    // Recv gives an empty packet once the peer has closed.
    for (auto packet = socket->Recv(); packet && packet->GetSize() > 0; packet = socket->Recv())
    {
        Receive(*connection, packet);
    }
    if (connection->request < HEADER_SIZE)
    {
        Drop(id);
    }
    else if (connection->received >= connection->request)
    {
        Answer(id, *connection);
    }
}

void
EsxTcpRequestServer::HandleSend(uint64_t id, Ptr<Socket> /* socket */, uint32_t /* available */)
{
    Connection* connection = Find(id);
    if (connection && connection->received >= connection->request)
    {
        Answer(id, *connection);
    }
}

void
EsxTcpRequestServer::HandleClose(uint64_t id, Ptr<Socket> /* socket */)
{
    if (Find(id))
    {
        Drop(id);
    }
}

void
EsxTcpRequestServer::Receive(Connection& connection, const Ptr<Packet>& packet)
{
    if (connection.received < HEADER_SIZE)
    {
        const auto missing = HEADER_SIZE - static_cast<uint32_t>(connection.received);
        packet->CopyData(connection.header.data() + connection.received, missing);
        if (packet->GetSize() >= missing)
        {
            connection.request = GetNetworkOrder(connection.header.data());
            connection.response = GetNetworkOrder(connection.header.data() + 4);
        }
    }
    connection.received += packet->GetSize();
}

void
EsxTcpRequestServer::Answer(uint64_t id, Connection& connection)
{
    while (connection.sent < connection.response)
    {
        const auto chunk =
            std::min(connection.socket->GetTxAvailable(), connection.response - connection.sent);
        if (chunk == 0 || connection.socket->Send(Create<Packet>(chunk)) < 0)
        {
            return; // HandleSend goes on when the peer has taken some
        }
        connection.sent += chunk;
    }
    ++m_answered;
    NS_LOG_LOGIC("node " << GetNode()->GetId() << " answered with " << connection.response
                         << " octets");
    m_answeredTrace(connection.from, connection.request, connection.response);
    Forget(id, &EsxLeave);
}

void
EsxTcpRequestServer::Drop(uint64_t id)
{
    ++m_refused;
    Forget(id, &EsxAbort);
}

void
EsxTcpRequestServer::Forget(uint64_t id, void (*release)(const Ptr<Socket>&))
{
    // Later, because a socket's callback may be running, and must not be replaced while it does.
    Simulator::ScheduleNow(release, m_connections.at(id).socket);
    m_connections.erase(id);
}

EsxTcpRequestServer::Connection*
EsxTcpRequestServer::Find(uint64_t id)
{
    const auto found = m_connections.find(id);
    return found == m_connections.end() ? nullptr : &found->second;
}

} // namespace ns3
