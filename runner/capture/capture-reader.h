// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Reads captures (pcap and pcapng, micro- or nanoseconds), frame by frame or in batches, and knows
 * how their frames begin. Where the frames come from is a CaptureSource's business, what is in them
 * that of LinkLayer.
 */
#ifndef ESXNF_CAPTURE_READER_H
#define ESXNF_CAPTURE_READER_H

#include "runner/capture/capture-source.h"
#include "runner/capture/link-layer.h"

#include <cstdint>
#include <memory>
#include <string>

namespace esxnf
{

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

    /// Reads up to \p max frames, as CaptureSource::NextBatch() does. \return 0 at the end
    std::size_t NextBatch(CapturedFrame* frames, std::size_t max);

    /// The flow key and size of a frame of this capture.
    netflow::PacketSummary Parse(const CapturedFrame& frame) const
    {
        return m_link.Parse(frame.data, frame.captured, frame.wire);
    }

    /// How all frames of this capture begin.
    const LinkLayer& GetLink() const;

    /// Looks for a UDP datagram to a port. \param datagram set if the result is not OTHER; its data
    /// only if FOUND
    UdpFinding FindUdp(const CapturedFrame& frame, uint16_t port, UdpDatagram& datagram) const;

    /// Frames read so far.
    uint64_t GetCount() const;

  private:
    std::unique_ptr<CaptureSource> m_source;
    LinkLayer m_link;
    uint64_t m_count{0};
};

} // namespace esxnf

#endif // ESXNF_CAPTURE_READER_H
