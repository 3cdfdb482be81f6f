// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Where the frames of a capture come from: the interface of all that reads captures, frame by
 * frame, in batches.
 *
 * CaptureReader uses one and knows what the frames mean. OpenCapture() chooses the implementation:
 * PcapFileCapture for uncompressed pcap files, LibpcapCapture for everything else.
 */
#ifndef ESXNF_CAPTURE_SOURCE_H
#define ESXNF_CAPTURE_SOURCE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace esxnf
{

/// The file is damaged or not what it should be; the message names file, packet and reason.
class CaptureError : public std::runtime_error
{
  public:
    using std::runtime_error::runtime_error;
};

/// One frame of a capture.
struct CapturedFrame
{
    int64_t unixNs{0}; //!< ns since 1970, before 2106 (as far as NetFlow v5 counts)
    const uint8_t* data{nullptr};
    uint32_t captured{0}; //!< octets at data
    uint32_t wire{0};     //!< octets on the wire, >= captured
};

/// A header of a frame as a capture has it.
struct CapturedHeader
{
    uint64_t seconds;  //!< since 1970
    uint64_t fraction; //!< nanoseconds of the second
    uint32_t captured;
    uint32_t wire;
};

/// A source of captured frames, read once from front to back.
class CaptureSource
{
  public:
    virtual ~CaptureSource() = default;

    /**
     * Reads some frames, at least one unless the capture is at its end.
     * \param frames set; their octets stay valid until the next call
     * \param max how many fit, >= 1
     * \return how many were read; 0 at the end. Throws CaptureError where the capture is damaged,
     * after all frames before the damage were returned
     */
    virtual std::size_t NextBatch(CapturedFrame* frames, std::size_t max) = 0;

    /// What the frames begin with, as libpcap numbers it (DLT_...).
    virtual int GetLinkType() const = 0;
};

/// Whether a frame can be like this.
inline bool
IsSound(const CapturedHeader& header)
{
    return header.captured <= header.wire && header.seconds <= UINT32_MAX &&
           header.fraction < 1'000'000'000;
}

/// Why a header is not sound.
std::string DescribeDamage(const CapturedHeader& header);

/// "FILE: packet NUMBER: REASON". \param number from 1
CaptureError DamagedPacket(const std::string& path, uint64_t number, const std::string& reason);

/// Throws CaptureError if there is no such file or it is no capture. \param path "-" reads
/// standard input
std::unique_ptr<CaptureSource> OpenCapture(const std::string& path);

} // namespace esxnf

#endif // ESXNF_CAPTURE_SOURCE_H
