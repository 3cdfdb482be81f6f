// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/endpoint.h"

#include "runner/base/number-text.h"
#include "runner/base/user-error.h"

#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <optional>

namespace esxnf
{

namespace
{

uint16_t
ParsePort(const std::string& text, const std::string& whole)
{
    const std::optional<uint64_t> port = ReadWhole(text, 0, UINT16_MAX);
    if (!port)
    {
        throw UserError(fmt::format("{}: '{}' is no UDP port (0 to 65535)", whole, text));
    }
    return static_cast<uint16_t>(*port);
}

/// More than one colon is an address of IPv6.
void
RefuseIpv6(const std::string& text)
{
    if (text.find(':') != text.rfind(':'))
    {
        throw UserError(fmt::format("'{}' is an address of IPv6, or has too many colons: "
                                    "datagrams go over IPv4, HOST:PORT",
                                    text));
    }
}

} // namespace

std::string
Endpoint::ToString() const
{
    return fmt::format("{}:{}", host.empty() ? "0.0.0.0" : host, port);
}

Endpoint
ParseEndpoint(const std::string& text, uint16_t defaultPort)
{
    RefuseIpv6(text);
    const std::size_t colon = text.find(':');
    Endpoint endpoint{text.substr(0, colon), defaultPort};
    if (endpoint.host.empty())
    {
        throw UserError(fmt::format("'{}' names no host: HOST[:PORT]", text));
    }
    if (colon != std::string::npos)
    {
        endpoint.port = ParsePort(text.substr(colon + 1), text);
    }
    if (endpoint.port == 0)
    {
        throw UserError(fmt::format("{}: nothing can be sent to port 0", text));
    }
    return endpoint;
}

Endpoint
ParseListenEndpoint(const std::string& text)
{
    RefuseIpv6(text);
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos)
    {
        return {"", ParsePort(text, text)};
    }
    return {text.substr(0, colon), ParsePort(text.substr(colon + 1), text)};
}

sockaddr_in
Resolve(const Endpoint& endpoint)
{
    addrinfo hints = {};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(endpoint.host.empty() ? nullptr : endpoint.host.c_str(),
                                  std::to_string(endpoint.port).c_str(),
                                  &hints,
                                  &found);
    if (error != 0)
    {
        throw NetworkError(
            fmt::format("{}: no IPv4 address: {}", endpoint.ToString(), gai_strerror(error)));
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    sockaddr_in address;
    std::memcpy(&address, found->ai_addr, sizeof(address));
    return address;
}

} // namespace esxnf
