// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Reads whatever libpcap reads: pcap and pcapng, from files and pipes.
 */
#ifndef ESXNF_LIBPCAP_CAPTURE_H
#define ESXNF_LIBPCAP_CAPTURE_H

#include "runner/capture/capture-source.h"

#include <vector>

struct pcap;

namespace esxnf
{

/// A capture in libpcap's hands.
class LibpcapCapture : public CaptureSource
{
  public:
    /// Throws CaptureError if there is no such file or it is no capture. \param path "-" reads
    /// standard input
    explicit LibpcapCapture(const std::string& path);

    std::size_t NextBatch(CapturedFrame* frames, std::size_t max) override;
    int GetLinkType() const override;

  private:
    struct Closer
    {
        void operator()(pcap* handle) const;
    };

    bool Read(CapturedFrame& frame);

    std::string m_path;
    std::unique_ptr<pcap, Closer> m_handle;
    std::vector<uint8_t> m_octets; // of the present batch: libpcap reuses its buffer for each frame
    bool m_waits{false};           // reads what may come later: a frame shall not wait for others
    std::string m_damage;          // told when all frames before it have been returned
    uint64_t m_count{0};           // frames returned
};

} // namespace esxnf

#endif // ESXNF_LIBPCAP_CAPTURE_H
