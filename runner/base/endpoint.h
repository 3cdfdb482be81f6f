// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Addresses of the real network: IPv4 and a UDP port, as text and as a socket wants them.
 */
#ifndef ESXNF_ENDPOINT_H
#define ESXNF_ENDPOINT_H

#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <string>

namespace esxnf
{

/// net-netflow's default.
constexpr uint16_t DEFAULT_COLLECTOR_PORT = 2055;

/// Where datagrams go or come from. The host may be a name, or empty for any address of this host.
struct Endpoint
{
    std::string host;
    uint16_t port{0};

    /// "host:port"
    std::string ToString() const;
};

/// Reads "HOST:PORT" or "HOST"; throws UserError if that is not what it is.
Endpoint ParseEndpoint(const std::string& text, uint16_t defaultPort = DEFAULT_COLLECTOR_PORT);

/// Reads "ADDRESS:PORT" or "PORT"; throws UserError.
Endpoint ParseListenEndpoint(const std::string& text);

/// Asks the system's resolver for an IPv4 address; throws NetworkError.
sockaddr_in Resolve(const Endpoint& endpoint);

} // namespace esxnf

#endif // ESXNF_ENDPOINT_H
