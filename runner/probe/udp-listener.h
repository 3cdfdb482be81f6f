// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Receives UDP datagrams from the real network.
 */
#ifndef ESXNF_UDP_LISTENER_H
#define ESXNF_UDP_LISTENER_H

#include "netflow/link-layer.h"
#include "runner/base/endpoint.h"

#include <chrono>
#include <vector>

namespace esxnf
{

/// A bound UDP socket.
class UdpListener
{
  public:
    /// Throws NetworkError if it cannot be opened. \param local port 0: a free one
    explicit UdpListener(const Endpoint& local);
    ~UdpListener();
    UdpListener(const UdpListener&) = delete;
    UdpListener& operator=(const UdpListener&) = delete;

    /**
     * Waits for a datagram.
     * \param datagram its data stay valid until the next call
     * \return false if none came in time or a signal arrived
     */
    bool Receive(std::chrono::milliseconds wait, netflow::UdpDatagram& datagram);

    /// Where it listens, with the real port.
    Endpoint GetLocal() const;

  private:
    int m_socket;
    std::vector<uint8_t> m_buffer;
};

} // namespace esxnf

#endif // ESXNF_UDP_LISTENER_H
