// SPDX-License-Identifier: GPL-2.0-only
#include "model/host/esx-socket-tools.h"

#include "ns3/abort.h"
#include "ns3/callback.h"
#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-header.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/ipv4-routing-protocol.h"
#include "ns3/node.h"
#include "ns3/packet.h"
#include "ns3/simulator.h"
#include "ns3/tcp-header.h"
#include "ns3/tcp-l4-protocol.h"

namespace ns3
{

namespace
{

constexpr uint8_t TCP_PROTOCOL = 6;

void
Discard(Ptr<Socket> socket)
{
    // Recv gives an empty packet, again and again, once the peer has closed.
    for (auto packet = socket->Recv(); packet && packet->GetSize() > 0; packet = socket->Recv())
    {
    }
}

/// Keeps \p socket alive until the event that calls this.
void
HoldSocket(Ptr<Socket> /* socket */)
{
}

} // namespace

Ptr<Ipv4Route>
EsxRouteTo(const Ptr<Node>& node, Ipv4Address destination)
{
    const auto ipv4 = node->GetObject<Ipv4>();
    NS_ABORT_MSG_IF(!ipv4 || !ipv4->GetRoutingProtocol(),
                    "node " << node->GetId() << " has no IPv4 stack");
    if (destination.IsLocalMulticast())
    {
        return nullptr; // ns-3's routing ends the process where no device is given for 224.0.0.x
    }
    Ipv4Header header;
    header.SetDestination(destination);
    Socket::SocketErrno error;
    return ipv4->GetRoutingProtocol()->RouteOutput(nullptr, header, nullptr, error);
}

void
EsxDetach(const Ptr<Socket>& socket)
{
    const auto none = MakeNullCallback<void, Ptr<Socket>>();
    socket->SetConnectCallback(none, none);
    socket->SetCloseCallbacks(none, none);
    socket->SetSendCallback(MakeNullCallback<void, Ptr<Socket>, uint32_t>());
    socket->SetAcceptCallback(MakeNullCallback<bool, Ptr<Socket>, const Address&>(),
                              MakeNullCallback<void, Ptr<Socket>, const Address&>());
    socket->SetRecvCallback(MakeCallback(&Discard));
}

void
EsxLeave(const Ptr<Socket>& socket)
{
    EsxDetach(socket);
    socket->Close();
}

void
EsxAbort(const Ptr<Socket>& socket)
{
    EsxDetach(socket);
    Address local;
    Address peer;
    if (socket->GetPeerName(peer) != 0 || socket->GetSockName(local) != 0)
    {
        return; // over already
    }
    const auto from = InetSocketAddress::ConvertFrom(peer);
    const auto to = InetSocketAddress::ConvertFrom(local);
    const auto ipv4 = socket->GetNode()->GetObject<Ipv4L3Protocol>();
    const int32_t interface = ipv4->GetInterfaceForAddress(to.GetIpv4());
    if (interface < 0)
    {
        socket->Close(); // the address was taken away: no segment can reach the socket any more
        return;
    }
    // TcpSocketBase resets a connection only by itself, so it gets a reason: a segment as if from
    // the peer, with flags that no state accepts. It crosses no device.
    TcpHeader tcp;
    tcp.SetFlags(TcpHeader::FIN | TcpHeader::RST);
    tcp.SetSourcePort(from.GetPort());
    tcp.SetDestinationPort(to.GetPort());
    if (Node::ChecksumEnabled())
    {
        tcp.EnableChecksums();
    }
    tcp.InitializeChecksum(from.GetIpv4(), to.GetIpv4(), TCP_PROTOCOL);
    const auto segment = Create<Packet>();
    segment->AddHeader(tcp);
    Ipv4Header ip;
    ip.SetSource(from.GetIpv4());
    ip.SetDestination(to.GetIpv4());
    ip.SetProtocol(TCP_PROTOCOL);
    // ns-3 schedules the report of a new connection with a bare pointer, perhaps for this very
    // instant.
    Simulator::Schedule(TimeStep(1), &HoldSocket, socket);
    socket->GetNode()->GetObject<TcpL4Protocol>()->Receive(segment,
                                                           ip,
                                                           ipv4->GetInterface(interface));
}

} // namespace ns3
