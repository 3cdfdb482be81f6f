// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/udp-sender.h"

#include "runner/base/user-error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
// clang-format off
#include <netinet/in.h>
#include <linux/errqueue.h> // needs struct timespec of the lines before it
// clang-format on
#include <netinet/udp.h>
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

iovec
Piece(const DatagramView& datagram)
{
    return {const_cast<uint8_t*>(datagram.data), datagram.size};
}

/// How many datagrams from the first on can be segments of one buffer: all of one size, but the
/// last one may be shorter.
std::size_t
CountSegments(const DatagramView* datagrams, std::size_t count)
{
    constexpr std::size_t MAX_OCTETS = 65507; // of an IPv4 datagram
    const std::size_t size = std::max<std::size_t>(datagrams[0].size, 1);
    const std::size_t most = std::min({count, UdpSender::BATCH, MAX_OCTETS / size});
    std::size_t segments = 1;
    while (segments < most && datagrams[segments].size == size)
    {
        ++segments;
    }
    return segments < most && datagrams[segments].size < size ? segments + 1 : segments;
}

/// Errors of a way out that cannot segment: a small MTU, IPsec, a driver without checksums.
bool
IsNoSegmentation(int error)
{
    return error == EINVAL || error == EIO || error == EOPNOTSUPP || error == EMSGSIZE;
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
      m_pacer(rate),
      m_paced(rate > 0)
{
    const sockaddr_in to = Resolve(target);
    const sockaddr_in from = source.empty() ? sockaddr_in{} : Resolve({source, 0});
    m_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    const auto binds = [&] { return bind(m_socket, Generic(from), sizeof(from)) == 0; };
    bool isBound = source.empty() || binds();
    if (!isBound && errno == EADDRNOTAVAIL)
    {
        m_foreign = true; // Linux then makes the checksums of any source's datagrams
        isBound =
            setsockopt(m_socket, IPPROTO_IP, IP_TRANSPARENT, &yes, sizeof(yes)) == 0 && binds();
    }
    if (m_socket < 0 || !isBound || connect(m_socket, Generic(to), sizeof(to)) != 0)
    {
        const std::string reason =
            m_foreign && errno == EPERM
                ? fmt::format("it is no address of this machine. Be root, have the "
                              "capability CAP_NET_RAW, or add it: "
                              "ip address add {}/32 dev lo",
                              source)
                : std::strerror(errno);
        close(m_socket);
        throw NetworkError(fmt::format("cannot send to {}{}: {}",
                                       target.ToString(),
                                       source.empty() ? "" : " from " + source,
                                       reason));
    }
    // Without it Linux keeps ENOBUFS (a full queue of the device) to itself.
    setsockopt(m_socket, IPPROTO_IP, IP_RECVERR, &yes, sizeof(yes));
    // A kernel that does not know it would take the large buffer for one datagram.
    const int none = 0;
    m_segments = setsockopt(m_socket, SOL_UDP, UDP_SEGMENT, &none, sizeof(none)) == 0;
}

UdpSender::~UdpSender()
{
    close(m_socket);
}

bool
UdpSender::Send(const uint8_t* data, std::size_t size)
{
    if (m_paced)
    {
        std::this_thread::sleep_until(m_pacer.NextDeparture(std::chrono::steady_clock::now()));
    }
    while (send(m_socket, data, size, 0) < 0)
    {
        const int error = errno;
        if (!NoteError(error))
        {
            CountUnsent(error, 1);
            return false;
        }
    }
    ++m_statistics.sent;
    return true;
}

void
UdpSender::SendBatch(const DatagramView* datagrams, std::size_t count, bool* taken)
{
    std::size_t done = 0;
    while (done < count)
    {
        if (m_paced || count - done == 1)
        {
            taken[done] = Send(datagrams[done].data, datagrams[done].size);
            ++done;
            continue;
        }
        const std::size_t segments = m_segments ? CountSegments(datagrams + done, count - done) : 0;
        const std::size_t tried = segments > 1 ? segments : std::min(count - done, BATCH);
        const ssize_t sent = segments > 1 ? SendSegments(datagrams + done, segments)
                                          : SendMany(datagrams + done, tried);
        const int error = errno;
        if (sent > 0)
        {
            std::fill_n(taken + done, sent, true);
            done += static_cast<std::size_t>(sent);
            m_statistics.sent += static_cast<uint64_t>(sent);
        }
        else if (segments > 1 && IsNoSegmentation(error))
        {
            m_segments = false; // this way out cannot: other ways are left
        }
        else if (!NoteError(error))
        {
            // A large buffer is refused as a whole, of many datagrams the first one is.
            const std::size_t lost = segments > 1 ? segments : 1;
            std::fill_n(taken + done, lost, false);
            CountUnsent(error, lost);
            done += lost;
        }
    }
}

/// One large buffer, in pieces where they lie. \return how many datagrams were taken: all or -1
ssize_t
UdpSender::SendSegments(const DatagramView* datagrams, std::size_t count)
{
    iovec pieces[BATCH];
    for (std::size_t i = 0; i < count; ++i)
    {
        pieces[i] = Piece(datagrams[i]);
    }
    const auto size = static_cast<uint16_t>(datagrams[0].size);
    alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(size))] = {};
    msghdr message = {};
    message.msg_iov = pieces;
    message.msg_iovlen = count;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* option = CMSG_FIRSTHDR(&message);
    option->cmsg_level = SOL_UDP;
    option->cmsg_type = UDP_SEGMENT;
    option->cmsg_len = CMSG_LEN(sizeof(size));
    std::memcpy(CMSG_DATA(option), &size, sizeof(size));
    return sendmsg(m_socket, &message, 0) < 0 ? -1 : static_cast<ssize_t>(count);
}

/// \return how many datagrams were taken, at least one; -1: none, for a reason of the first one's
ssize_t
UdpSender::SendMany(const DatagramView* datagrams, std::size_t count)
{
    iovec pieces[BATCH];
    mmsghdr messages[BATCH] = {};
    for (std::size_t i = 0; i < count; ++i)
    {
        pieces[i] = Piece(datagrams[i]);
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    return sendmmsg(m_socket, messages, static_cast<unsigned>(count), 0);
}

/// \return whether to try again
bool
UdpSender::NoteError(int error)
{
    if (error == EINTR)
    {
        return true;
    }
    m_statistics.lastError = error;
    const uint64_t told = TakeIcmpErrors();
    if (told == 0 && error != ECONNREFUSED)
    {
        return false;
    }
    // ICMP errors about earlier datagrams; this one was not looked at. Telling has cleared them.
    // (Where the queue of errors was full, only the socket's error is left.)
    m_statistics.refused += std::max<uint64_t>(told, 1);
    return true;
}

/// Counts datagrams that the kernel did not take.
void
UdpSender::CountUnsent(int error, std::size_t count)
{
    (error == ENOBUFS || error == ENOMEM ? m_statistics.noBuffers : m_statistics.failed) += count;
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

bool
UdpSender::IsForeign() const
{
    return m_foreign;
}

const UdpSendStatistics&
UdpSender::GetStatistics()
{
    m_statistics.refused += TakeIcmpErrors();
    return m_statistics;
}

} // namespace esxnf
