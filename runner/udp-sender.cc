// SPDX-License-Identifier: GPL-2.0-only
#include "runner/udp-sender.h"

#include "runner/cli.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace esxnf
{

namespace
{

const sockaddr*
Generic(const sockaddr_in& address)
{
    return reinterpret_cast<const sockaddr*>(&address);
}

} // namespace

Pacer::Pacer(double rate)
    : m_interval(rate > 0 ? static_cast<int64_t>(1e9 / rate) : 0)
{
}

Pacer::TimePoint
Pacer::NextDeparture(TimePoint now)
{
    const TimePoint departure = std::max(m_next, now - BURST);
    m_next = departure + m_interval;
    return departure;
}

UdpSender::UdpSender(const Endpoint& target, const std::string& source, double rate)
    : m_socket(-1),
      m_pacer(rate)
{
    const sockaddr_in to = Resolve(target);
    const sockaddr_in from = source.empty() ? sockaddr_in{} : Resolve({source, 0});
    m_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (m_socket < 0 || (!source.empty() && bind(m_socket, Generic(from), sizeof(from)) != 0) ||
        connect(m_socket, Generic(to), sizeof(to)) != 0)
    {
        const std::string reason = std::strerror(errno);
        close(m_socket);
        throw CommandError(EXIT_COLLECTOR,
                           fmt::format("cannot send to {}{}: {}",
                                       target.ToString(),
                                       source.empty() ? "" : " from " + source,
                                       reason));
    }
}

UdpSender::~UdpSender()
{
    close(m_socket);
}

bool
UdpSender::Send(const uint8_t* data, std::size_t size)
{
    std::this_thread::sleep_until(m_pacer.NextDeparture(std::chrono::steady_clock::now()));
    for (;;)
    {
        if (send(m_socket, data, size, 0) >= 0)
        {
            ++m_statistics.sent;
            return true;
        }
        if (errno == EINTR)
        {
            continue;
        }
        m_statistics.lastError = errno;
        if (errno != ECONNREFUSED)
        {
            ++(errno == ENOBUFS || errno == ENOMEM ? m_statistics.noBuffers : m_statistics.failed);
            return false;
        }
        // An ICMP error about an earlier datagram; this one was not looked at. Telling it has
        // cleared it.
        ++m_statistics.refused;
    }
}

const UdpSendStatistics&
UdpSender::GetStatistics()
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(m_socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNREFUSED)
    {
        ++m_statistics.refused;
        m_statistics.lastError = error;
    }
    return m_statistics;
}

} // namespace esxnf
