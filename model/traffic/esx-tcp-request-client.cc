// SPDX-License-Identifier: GPL-2.0-only
#include "esx-tcp-request-client.h"

#include "esx-tcp-request-server.h"
#include "model/host/esx-socket-tools.h"

#include "ns3/abort.h"
#include "ns3/inet-socket-address.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/packet.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/tcp-socket-factory.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxTcpRequestClient");
NS_OBJECT_ENSURE_REGISTERED(EsxTcpRequestClient);

namespace
{

/// A size in bytes: drawn, if there is something to draw from. \param least bytes
uint32_t
Draw(const Ptr<RandomVariableStream>& sizes, uint32_t fixed, uint32_t least)
{
    constexpr double most = std::numeric_limits<uint32_t>::max();
    return sizes ? static_cast<uint32_t>(
                       std::clamp(std::round(sizes->GetValue()), double(least), most))
                 : fixed;
}

} // namespace

TypeId
EsxTcpRequestClient::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxTcpRequestClient")
            .SetParent<Application>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxTcpRequestClient>()
            .AddAttribute("Remote",
                          "The server: an InetSocketAddress. No default.",
                          AddressValue(),
                          MakeAddressAccessor(&EsxTcpRequestClient::m_remote),
                          MakeAddressChecker())
            .AddAttribute("RequestSize",
                          "Bytes of a request, at least 8: they carry both sizes to the server.",
                          UintegerValue(512),
                          MakeUintegerAccessor(&EsxTcpRequestClient::m_requestSize),
                          MakeUintegerChecker<uint32_t>(EsxTcpRequestServer::HEADER_SIZE))
            .AddAttribute("ResponseSize",
                          "Bytes of a response.",
                          UintegerValue(4096),
                          MakeUintegerAccessor(&EsxTcpRequestClient::m_responseSize),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("RequestSizes",
                          "Bytes of each request, drawn anew, at least 8; none: RequestSize.",
                          PointerValue(),
                          MakePointerAccessor(&EsxTcpRequestClient::m_requestSizes),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute("ResponseSizes",
                          "Bytes of each response, drawn anew; none: ResponseSize.",
                          PointerValue(),
                          MakePointerAccessor(&EsxTcpRequestClient::m_responseSizes),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute("Interval",
                          "Seconds from the start of one request to the start of the next, drawn "
                          "anew each time.",
                          StringValue("ns3::ConstantRandomVariable[Constant=1.0]"),
                          MakePointerAccessor(&EsxTcpRequestClient::m_interval),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute("Timeout",
                          "A request that is not completed after this time has failed.",
                          TimeValue(Seconds(60)),
                          MakeTimeAccessor(&EsxTcpRequestClient::m_timeout),
                          MakeTimeChecker(TimeStep(1)))
            .AddTraceSource("Started",
                            "A request starts: its number.",
                            MakeTraceSourceAccessor(&EsxTcpRequestClient::m_startedTrace),
                            "ns3::EsxTcpRequestClient::StartedCallback")
            .AddTraceSource("Completed",
                            "A request is completed: its number, the time since its start.",
                            MakeTraceSourceAccessor(&EsxTcpRequestClient::m_completedTrace),
                            "ns3::EsxTcpRequestClient::CompletedCallback")
            .AddTraceSource("Failed",
                            "A request has failed: its number, the reason.",
                            MakeTraceSourceAccessor(&EsxTcpRequestClient::m_failedTrace),
                            "ns3::EsxTcpRequestClient::FailedCallback");
    return tid;
}

int64_t
EsxTcpRequestClient::AssignStreams(int64_t stream)
{
    m_interval->SetStream(stream);
    int64_t used = 1;
    for (const auto& sizes : {m_requestSizes, m_responseSizes})
    {
        if (sizes && !DynamicCast<ConstantRandomVariable>(sizes))
        {
            sizes->SetStream(stream + used++);
        }
    }
    return used;
}

uint64_t
EsxTcpRequestClient::GetStarted() const
{
    return m_started;
}

uint64_t
EsxTcpRequestClient::GetCompleted() const
{
    return m_completed;
}

uint64_t
EsxTcpRequestClient::GetFailed() const
{
    return m_failed;
}

size_t
EsxTcpRequestClient::GetOpen() const
{
    return m_requests.size();
}

void
EsxTcpRequestClient::DoDispose()
{
    m_next.Cancel();
    for (auto& [id, request] : m_requests)
    {
        request.timeout.Cancel();
        EsxDetach(request.socket);
    }
    m_requests.clear();
    m_interval = nullptr;
    m_requestSizes = nullptr;
    m_responseSizes = nullptr;
    Application::DoDispose();
}

void
EsxTcpRequestClient::StartApplication()
{
    NS_ABORT_MSG_IF(!InetSocketAddress::IsMatchingType(m_remote),
                    "EsxTcpRequestClient: Remote is not an IPv4 address and port");
    StartRequest();
}

void
EsxTcpRequestClient::StopApplication()
{
    m_next.Cancel();
    while (!m_requests.empty())
    {
        Fail(m_requests.begin()->first, STOPPED);
    }
}

void
EsxTcpRequestClient::StartRequest()
{
    const Time interval = Seconds(m_interval->GetValue());
    NS_ABORT_MSG_IF(interval.IsStrictlyNegative(), "EsxTcpRequestClient: Interval is negative");
    // At least one time step, or an Interval that draws 0 would stop the clock.
    m_next =
        Simulator::Schedule(Max(interval, TimeStep(1)), &EsxTcpRequestClient::StartRequest, this);

    const uint64_t id = m_started++;
    m_startedTrace(id);
    const auto socket = Connect(id);
    if (!socket)
    {
        ++m_failed;
        m_failedTrace(id, NOT_CONNECTED);
        return;
    }
    Request& request = m_requests[id];
    request.socket = socket;
    request.start = Simulator::Now();
    request.size = Draw(m_requestSizes, m_requestSize, EsxTcpRequestServer::HEADER_SIZE);
    request.response = Draw(m_responseSizes, m_responseSize, 0);
    NS_LOG_LOGIC("node " << GetNode()->GetId() << " request " << id << ": " << request.size
                         << " octets, wants " << request.response);
    request.timeout =
        Simulator::Schedule(m_timeout, &EsxTcpRequestClient::Fail, this, id, TIMED_OUT);
}

Ptr<Socket>
EsxTcpRequestClient::Connect(uint64_t id)
{
    // ns-3 would keep a socket whose Connect found no route, and its port, for ever.
    if (!EsxRouteTo(GetNode(), InetSocketAddress::ConvertFrom(m_remote).GetIpv4()))
    {
        return nullptr;
    }
    const auto socket = Socket::CreateSocket(GetNode(), TcpSocketFactory::GetTypeId());
    if (socket->Bind() == -1)
    {
        return nullptr;
    }
    socket->SetConnectCallback(MakeCallback(&EsxTcpRequestClient::HandleConnected, this, id),
                               MakeCallback(&EsxTcpRequestClient::HandleNotConnected, this, id));
    socket->SetSendCallback(MakeCallback(&EsxTcpRequestClient::HandleSend, this, id));
    socket->SetRecvCallback(MakeCallback(&EsxTcpRequestClient::HandleRead, this, id));
    const auto closed = MakeCallback(&EsxTcpRequestClient::HandleClose, this, id);
    socket->SetCloseCallbacks(closed, closed);
    socket->Connect(m_remote);
    return socket;
}

void
EsxTcpRequestClient::HandleConnected(uint64_t id, Ptr<Socket> socket)
{
    if (Request* request = Find(id))
    {
        const auto header = EsxTcpRequestServer::EncodeHeader(request->size, request->response);
        const auto packet = Create<Packet>(header.data(), EsxTcpRequestServer::HEADER_SIZE);
        request->sent = std::min(socket->GetTxAvailable(), request->size);
        // One write, so that header and zeros share segments.
        packet->AddAtEnd(Create<Packet>(request->sent - EsxTcpRequestServer::HEADER_SIZE)); // zeros
        socket->Send(packet);
    }
}

void
EsxTcpRequestClient::HandleNotConnected(uint64_t id, Ptr<Socket> /* socket */)
{
    if (Find(id))
    {
        Fail(id, NOT_CONNECTED);
    }
}

void
EsxTcpRequestClient::HandleSend(uint64_t id, Ptr<Socket> socket, uint32_t available)
{
    Request* request = Find(id);
    const auto chunk = request ? std::min(available, request->size - request->sent) : 0;
    if (chunk > 0 && socket->Send(Create<Packet>(chunk)) > 0)
    {
        request->sent += chunk;
    }
}

void
EsxTcpRequestClient::HandleRead(uint64_t id, Ptr<Socket> socket)
{
    Request* request = Find(id);
    // Recv gives an empty packet once the peer has closed.
    for (auto packet = socket->Recv(); packet && packet->GetSize() > 0; packet = socket->Recv())
    {
        if (request)
        {
            request->received += packet->GetSize();
        }
    }
}

void
EsxTcpRequestClient::HandleClose(uint64_t id, Ptr<Socket> socket)
{
    const Request* request = Find(id);
    if (!request)
    {
        return;
    }
    if (request->sent < request->size || request->received < request->response)
    {
        Fail(id, CLOSED);
        return;
    }
    const Time duration = Simulator::Now() - request->start;
    // Here and not later: ns-3 limits the repetitions of a FIN only if this callback sent it.
    socket->ShutdownSend();
    Forget(id, &EsxDetach);
    ++m_completed;
    NS_LOG_LOGIC("node " << GetNode()->GetId() << " request " << id << " took "
                         << duration.As(Time::MS));
    m_completedTrace(id, duration);
}

void
EsxTcpRequestClient::Fail(uint64_t id, Failure reason)
{
    Forget(id, &EsxAbort);
    ++m_failed;
    NS_LOG_INFO("node " << GetNode()->GetId() << " request " << id << " failed, reason "
                        << unsigned(reason));
    m_failedTrace(id, reason);
}

void
EsxTcpRequestClient::Forget(uint64_t id, void (*release)(const Ptr<Socket>&))
{
    Request& request = m_requests.at(id);
    // Removed, not cancelled: a cancelled event stays in the queue until its time.
    Simulator::Remove(request.timeout);
    // Later, because a socket's callback may be running, and must not be replaced while it does.
    Simulator::ScheduleNow(release, request.socket);
    m_requests.erase(id);
}

EsxTcpRequestClient::Request*
EsxTcpRequestClient::Find(uint64_t id)
{
    const auto found = m_requests.find(id);
    return found == m_requests.end() ? nullptr : &found->second;
}

} // namespace ns3
