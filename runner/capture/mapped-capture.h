// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Reads uncompressed pcap files out of memory that the file is mapped to: no system call and no
 * copy a packet, where libpcap's loop costs more than metering does (bench/RESULTS.md).
 *
 * The file is mapped in windows, so that a capture of any size needs the same memory.
 */
#ifndef ESXNF_MAPPED_CAPTURE_H
#define ESXNF_MAPPED_CAPTURE_H

#include "runner/capture/capture-source.h"

namespace esxnf
{

/// A pcap file of version 2.4, either byte order, micro- or nanoseconds.
class MappedCapture : public CaptureSource
{
  public:
    /**
     * Maps a file.
     * \param path a file that libpcap has opened: its header is known to be sound
     * \param linkType as libpcap calls it
     * \return nullptr if it is no regular file, or not of the kind above; throws nothing
     */
    static std::unique_ptr<MappedCapture> TryOpen(const std::string& path, int linkType);

    ~MappedCapture() override;
    MappedCapture(const MappedCapture&) = delete;
    MappedCapture& operator=(const MappedCapture&) = delete;

    std::size_t NextBatch(CapturedFrame* frames, std::size_t max) override;
    int GetLinkType() const override;

  private:
    MappedCapture(const std::string& path, int linkType, int file);

    bool ReadFileHeader();
    bool MapFrom(uint64_t offset);
    void Unmap();
    bool Holds(std::size_t octets) const;
    std::size_t ReadSound(CapturedFrame* frames, std::size_t max);
    bool Read(CapturedFrame& frame, bool mayMove);
    uint32_t Field(const uint8_t* at) const;

    const std::string m_path;
    const int m_linkType;
    const int m_file;
    bool m_swapped{false};         // written by a machine of the other byte order
    uint32_t m_fractionUnit{1000}; // nanoseconds
    uint32_t m_snapLength{0};
    uint64_t m_windowOffset{0}; // in the file
    const uint8_t* m_window{nullptr};
    std::size_t m_windowSize{0};
    std::size_t m_position{0}; // in the window: the next packet
    std::string m_damage;      // told when all frames before it have been returned
    uint64_t m_count{0};       // frames returned
};

} // namespace esxnf

#endif // ESXNF_MAPPED_CAPTURE_H
