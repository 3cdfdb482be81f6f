// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/udp-listener.h"

#include "runner/base/user-error.h"

#include "ns3/esx-table.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

constexpr std::size_t MAX_UDP_PAYLOAD = 65507; // 65535 less IPv4 and UDP headers
constexpr int RECEIVE_BUFFER = 4 << 20; // octets wished for; the system may grant less (rmem_max)

} // namespace

UdpListener::UdpListener(const Endpoint& local)
    : m_socket(-1),
      m_buffer(MAX_UDP_PAYLOAD)
{
    const sockaddr_in address = Resolve(local);
    m_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(m_socket, SOL_SOCKET, SO_RCVBUF, &RECEIVE_BUFFER, sizeof(RECEIVE_BUFFER));
    if (m_socket < 0 ||
        bind(m_socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    {
        const std::string reason = std::strerror(errno);
        close(m_socket);
        throw NetworkError(fmt::format("cannot listen on {}: {}", local.ToString(), reason));
    }
}

UdpListener::~UdpListener()
{
    close(m_socket);
}

bool
UdpListener::Receive(std::chrono::milliseconds wait, netflow::UdpDatagram& datagram)
{
    pollfd waiting{m_socket, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(wait.count())) <= 0)
    {
        return false;
    }
    sockaddr_in source{};
    socklen_t length = sizeof(source);
    const ssize_t size =
        recvfrom(m_socket,
                 m_buffer.data(),
                 m_buffer.size(),
                 MSG_DONTWAIT, // a datagram with a wrong checksum vanishes after poll()
                 reinterpret_cast<sockaddr*>(&source),
                 &length);
    if (size < 0)
    {
        return false;
    }
    datagram = {ntohl(source.sin_addr.s_addr),
                ntohs(source.sin_port),
                m_buffer.data(),
                static_cast<std::size_t>(size)};
    return true;
}

Endpoint
UdpListener::GetLocal() const
{
    sockaddr_in address{};
    socklen_t length = sizeof(address);
    getsockname(m_socket, reinterpret_cast<sockaddr*>(&address), &length);
    return {ns3::EsxAddressKey(ns3::Ipv4Address(ntohl(address.sin_addr.s_addr))),
            ntohs(address.sin_port)};
}

} // namespace esxnf
