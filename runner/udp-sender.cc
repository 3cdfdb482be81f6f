// SPDX-License-Identifier: GPL-2.0-only
#include "runner/udp-sender.h"

#include "runner/cli.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
// clang-format off
#include <netinet/in.h>
#include <linux/errqueue.h> // needs struct timespec of the lines before it
// clang-format on
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
    // Without it Linux keeps ENOBUFS (a full queue of the device) to itself.
    const int yes = 1;
    setsockopt(m_socket, IPPROTO_IP, IP_RECVERR, &yes, sizeof(yes));
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
        const int error = errno;
        m_statistics.lastError = error;
        const uint64_t told = TakeIcmpErrors();
        if (told == 0 && error != ECONNREFUSED)
        {
            ++(error == ENOBUFS || error == ENOMEM ? m_statistics.noBuffers : m_statistics.failed);
            return false;
        }
        // ICMP errors about earlier datagrams; this one was not looked at. Telling has cleared
        // them. (Where the queue of errors was full, only the socket's error is left.)
        m_statistics.refused += std::max<uint64_t>(told, 1);
    }
}

/// Empties the socket's queue of errors. \return how many came from the network
uint64_t
UdpSender::TakeIcmpErrors()
{
    uint64_t count = 0;
    for (;;)
    {
        alignas(cmsghdr) uint8_t control[512];
        msghdr message = {};
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        if (recvmsg(m_socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        {
            return count;
        }
        for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part))
        {
            sock_extended_err error;
            if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR &&
                part->cmsg_len >= CMSG_LEN(sizeof(error)))
            {
                std::memcpy(&error, CMSG_DATA(part), sizeof(error));
                const bool fromNetwork = error.ee_origin == SO_EE_ORIGIN_ICMP;
                count += fromNetwork;
                m_statistics.lastError =
                    fromNetwork ? static_cast<int>(error.ee_errno) : m_statistics.lastError;
            }
        }
    }
}

const UdpSendStatistics&
UdpSender::GetStatistics()
{
    m_statistics.refused += TakeIcmpErrors();
    return m_statistics;
}

} // namespace esxnf
