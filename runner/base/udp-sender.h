// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Sends datagrams to a real collector over a connected UDP socket. Failures are counted and
 * never end anything: the next datagram is tried as if nothing had happened.
 */
#ifndef ESXNF_UDP_SENDER_H
#define ESXNF_UDP_SENDER_H

#include "runner/base/endpoint.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>

namespace esxnf
{

/// Spreads departures over time.
class Pacer
{
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// How much lateness is made up for by sending faster. Short enough for a socket buffer to take
    /// the burst.
    static constexpr std::chrono::milliseconds BURST{5};

    /// \param rate departures a second; 0: as fast as possible
    explicit Pacer(double rate);

    /// When the next datagram may leave, given the present. Not later than \p now: at once.
    TimePoint NextDeparture(TimePoint now);

  private:
    std::chrono::nanoseconds m_interval;
    TimePoint m_next;
};

/// Counts of datagrams by their fate.
struct UdpSendStatistics
{
    uint64_t sent{0};    //!< handed to the kernel
    uint64_t refused{0}; //!< ICMP errors noticed: nobody listens, or no way there; those datagrams
                         //!< count as sent
    uint64_t noBuffers{0}; //!< not sent: ENOBUFS or ENOMEM
    uint64_t failed{0};    //!< not sent for any other reason
    int lastError{0};      //!< errno of the latest of these
};

/// A datagram among several.
struct DatagramView
{
    const uint8_t* data;
    std::size_t size;
};

/// One source address, one port, one target, for its whole life.
class UdpSender
{
  public:
    /// Keeps 45 ms of datagrams in a default socket buffer: a collector may sleep that long.
    static constexpr double DEFAULT_RATE = 2000;

    /**
     * Throws NetworkError if a name has no address or the socket cannot be opened.
     * \param source address to send from; empty: the system's choice. One that this machine does
     * not have needs CAP_NET_RAW
     * \param rate datagrams a second at most; 0: no limit
     */
    explicit UdpSender(const Endpoint& target, const std::string& source = "", double rate = 0);
    ~UdpSender();
    UdpSender(const UdpSender&) = delete;
    UdpSender& operator=(const UdpSender&) = delete;

    /// Sends one datagram when the rate allows it. \return false if the kernel did not take it
    bool Send(const uint8_t* data, std::size_t size);

    /**
     * Sends several datagrams, each as Send() would, but with few system calls unless a rate is
     * set: as segments of one large buffer (UDP_SEGMENT) where they are of one size and the kernel
     * can, else with sendmmsg.
     * \param taken set for each: whether the kernel took it
     */
    void SendBatch(const DatagramView* datagrams, std::size_t count, bool* taken);

    /// As many as SendBatch() hands over at once.
    static constexpr std::size_t BATCH = 44; // of 1464 octets: what fits in 65507

    /// Whether the source is no address of this machine: then nobody tells if datagrams arrive.
    bool IsForeign() const;

    /// Asks the socket for an error that no Send() has told yet, then returns the counts.
    const UdpSendStatistics& GetStatistics();

  private:
    uint64_t TakeIcmpErrors();
    ssize_t SendSegments(const DatagramView* datagrams, std::size_t count);
    ssize_t SendMany(const DatagramView* datagrams, std::size_t count);
    bool NoteError(int error);
    void CountUnsent(int error, std::size_t count);

    int m_socket;
    Pacer m_pacer;
    bool m_paced;
    bool m_foreign{false};
    bool m_segments{false}; // the kernel cuts large buffers into datagrams
    UdpSendStatistics m_statistics;
};

} // namespace esxnf

#endif // ESXNF_UDP_SENDER_H
