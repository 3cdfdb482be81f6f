// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Reads captures (pcap and pcapng, micro- or nanoseconds) frame by frame, and knows how their
 * frames begin: Ethernet or raw IP.
 */
#ifndef ESXNF_CAPTURE_READER_H
#define ESXNF_CAPTURE_READER_H

#include "netflow/packet-parser.h"
#include "runner/endpoint.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

struct pcap;

namespace esxnf
{

/// The file is damaged or not what it should be; the message names file, packet and reason.
class CaptureError : public std::runtime_error
{
  public:
    using std::runtime_error::runtime_error;
};

/// One frame of a capture. The octets stay valid until the next one is read.
struct CapturedFrame
{
    int64_t unixNs{0}; //!< ns since 1970, before 2106 (as far as NetFlow v5 counts)
    const uint8_t* data{nullptr};
    uint32_t captured{0}; //!< octets at data
    uint32_t wire{0};     //!< octets on the wire, >= captured
};

/// What FindUdp() found.
enum class UdpFinding : uint8_t
{
    OTHER,      //!< not UDP to that port
    FRAGMENT,   //!< the first fragment of a datagram
    INCOMPLETE, //!< not wholly captured, or its length is wrong
    FOUND,
};

/// A capture file, read once from front to back.
class CaptureReader
{
  public:
    /// Throws CaptureError if there is no such file, it is no capture, or its link type is unknown
    /// here. \param path "-" reads standard input
    explicit CaptureReader(const std::string& path);

    /// Reads the next frame. \return false at the end; throws CaptureError where the file is
    /// damaged
    bool Next(CapturedFrame& frame);

    /// The flow key and size of a frame of this capture.
    netflow::PacketSummary Parse(const CapturedFrame& frame) const;

    /// Looks for a UDP datagram to a port. \param datagram set if the result is not OTHER; its data
    /// only if FOUND
    UdpFinding FindUdp(const CapturedFrame& frame, uint16_t port, UdpDatagram& datagram) const;

    /// Frames read so far.
    uint64_t GetCount() const;

  private:
    struct Closer
    {
        void operator()(pcap* handle) const;
    };

    [[noreturn]] void Fail(const std::string& reason) const;

    std::string m_path;
    std::unique_ptr<pcap, Closer> m_handle;
    bool m_ethernet{true};
    uint64_t m_count{0};
};

} // namespace esxnf

#endif // ESXNF_CAPTURE_READER_H
