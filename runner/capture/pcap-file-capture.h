// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Reads uncompressed pcap files in blocks, and gives out frames where they lie: no call and no copy
 * a packet, where libpcap's loop costs more than metering does (bench/RESULTS.md). A block stays in
 * the processor's cache, so this is faster than mapping the file (docs/decisions.md); and a file
 * that shrinks meanwhile is shorter, no more.
 */
#ifndef ESXNF_PCAP_FILE_CAPTURE_H
#define ESXNF_PCAP_FILE_CAPTURE_H

#include "runner/capture/capture-source.h"

namespace esxnf
{

/// A pcap file of version 2.4, either byte order, micro- or nanoseconds.
class PcapFileCapture : public CaptureSource
{
  public:
    /**
     * Opens a file.
     * \param path a file that libpcap has opened: its header is known to be sound
     * \param linkType as libpcap calls it
     * \return nullptr if it is no regular file, or not of the kind above; throws nothing
     */
    static std::unique_ptr<PcapFileCapture> TryOpen(const std::string& path, int linkType);

    ~PcapFileCapture() override;
    PcapFileCapture(const PcapFileCapture&) = delete;
    PcapFileCapture& operator=(const PcapFileCapture&) = delete;

    std::size_t NextBatch(CapturedFrame* frames, std::size_t max) override;
    int GetLinkType() const override;

  private:
    PcapFileCapture(const std::string& path, int linkType, int file);

    bool ReadFileHeader();
    bool Load(uint64_t offset);
    void Blame(const std::string& damage);
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
    const std::unique_ptr<uint8_t[]> m_block;
    uint64_t m_blockOffset{0}; // in the file
    std::size_t m_blockSize{0};
    std::size_t m_position{0}; // in the block: the next packet
    std::string m_damage;      // told when all frames before it have been returned
    uint64_t m_count{0};       // frames returned
};

} // namespace esxnf

#endif // ESXNF_PCAP_FILE_CAPTURE_H
