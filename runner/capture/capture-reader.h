// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Captures for the commands: a file or standard input, read by netflow/capture-file, with errors as
 * exceptions and with what was odd in words.
 */
#ifndef ESXNF_CAPTURE_READER_H
#define ESXNF_CAPTURE_READER_H

#include "netflow/capture-clock.h"
#include "netflow/capture-file.h"
#include "netflow/link-layer.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace esxnf
{

using netflow::CapturedFrame;
using netflow::LinkLayer;
using netflow::UdpDatagram;
using netflow::UdpFinding;

/// The file is damaged or not what it should be; the message names file, packet and reason.
class CaptureError : public std::runtime_error
{
  public:
    using std::runtime_error::runtime_error;
};

/// Trust in the lengths that a capture states, by an option.
enum class CapturedLengths : uint8_t
{
    TRUE, //!< packets that are shorter than their IP total length are cut and not metered
    LOST, //!< who cut the packets wrote captured = original: the IP total length counts
};

/// A link type as people call it.
std::string LinkTypeName(int linkType);

/// Events that a clock met, a line each. \param oddOnly nothing of what there was none of; without,
/// the first line is always there
std::vector<std::string> DescribeClock(const netflow::ClockCounts& counts,
                                       uint64_t recordsOverSteps,
                                       bool oddOnly);

/// Oddities of the frames of a capture, a line each.
std::vector<std::string> DescribeCapture(const netflow::CaptureCounts& counts,
                                         CapturedLengths lengths);

/// A capture file, read once from front to back.
class CaptureReader
{
  public:
    /// Throws CaptureError if there is no such file, it is no capture, or its link type is unknown
    /// here. \param path "-" reads standard input
    explicit CaptureReader(const std::string& path,
                           CapturedLengths lengths = CapturedLengths::TRUE);

    /// Reads the next frame. \return false at the end; throws CaptureError there if the file is
    /// damaged
    bool Next(CapturedFrame& frame);

    /// Reads up to \p max frames, as CaptureFile::NextBatch() does. \return 0 at the end; throws as
    /// Next()
    std::size_t NextBatch(CapturedFrame* frames, std::size_t max);

    /// The flow key and size of a frame of this capture.
    netflow::PacketSummary Parse(const CapturedFrame& frame);

    /// The same, written to \p summary: faster for a usual frame.
    void ParseTo(netflow::PacketSummary& summary, const CapturedFrame& frame)
    {
        if (!frame.link.IsEthernet() ||
            !netflow::ParseUsual(frame.data, frame.captured, frame.wire, summary))
        {
            summary = Parse(frame);
        }
    }

    /// Frames read so far.
    uint64_t GetCount() const;

    /// Oddities of the frames, a line each.
    std::vector<std::string> Describe() const;

  private:
    const std::string m_path;
    const CapturedLengths m_lengths;
    netflow::CaptureFile m_file;
};

} // namespace esxnf

#endif // ESXNF_CAPTURE_READER_H
