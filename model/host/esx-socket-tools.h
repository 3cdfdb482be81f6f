// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SOCKET_TOOLS_H
#define ESX_SOCKET_TOOLS_H

// Tools of the traffic applications of this module, to leave a TCP socket or to look for a way
// out of their node. ns-3 keeps every TCP socket in its TcpL4Protocol until the connection is over,
// so an application that has lost interest must take back its callbacks, and must not open sockets
// that can never be released.

#include "ns3/ipv4-address.h"
#include "ns3/ipv4-route.h"
#include "ns3/ptr.h"
#include "ns3/socket.h"

namespace ns3
{

class Node;

/// \return the route a new connection from \p node to \p destination would take, null if there is
/// none
Ptr<Ipv4Route> EsxRouteTo(const Ptr<Node>& node, Ipv4Address destination);

/// Takes back all callbacks of \p socket. Later data is read and thrown away: a full
/// receive buffer would hold the peer in zero-window probes for ever.
void EsxDetach(const Ptr<Socket>& socket);

/// EsxDetach, then an orderly close. The TCP stack holds the socket until the connection is over.
void EsxLeave(const Ptr<Socket>& socket);

/// EsxDetach, then the end of a TCP connection at once: the peer gets a RST (nobody does while the
/// handshake is under way), the stack releases socket and port. For connections given up half-way:
/// ns-3 would repeat the FIN of an orderly close every second for ever if the peer is gone or
/// closes at the same moment.
void EsxAbort(const Ptr<Socket>& socket);

} // namespace ns3

#endif // ESX_SOCKET_TOOLS_H
