// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Writes UDP datagrams as a capture: nanosecond pcap of Ethernet frames, as one would see them in
 * front of a collector. The command probe uses it; what is in the datagrams is not its business.
 */
#ifndef ESXNF_CAPTURE_WRITER_H
#define ESXNF_CAPTURE_WRITER_H

#include "runner/base/output-file.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace esxnf
{

/// Addresses and ports of the datagrams of a capture, in host byte order.
struct UdpPath
{
    uint32_t sourceAddress{0};
    uint32_t destinationAddress{0};
    uint16_t sourcePort{0};
    uint16_t destinationPort{0};
};

/// A capture file that is being written.
class CaptureWriter
{
  public:
    /// Throws UserError if the file cannot be written.
    CaptureWriter(const std::string& path,
                  const UdpPath& udp,
                  OutputKind kind = OutputKind::STREAM);

    /// Appends a datagram; throws as above. \param unixNs its time, ns since 1970
    void Write(int64_t unixNs, const uint8_t* data, std::size_t size);
    /// The same of another path.
    void Write(const UdpPath& udp, int64_t unixNs, const uint8_t* data, std::size_t size);

    /// Writes what is buffered; throws as above.
    void Flush();

    /// The last call; throws as above.
    void Close();

  private:
    const UdpPath m_udp;
    OutputFile m_file;
    uint16_t m_identification{0};
};

} // namespace esxnf

#endif // ESXNF_CAPTURE_WRITER_H
