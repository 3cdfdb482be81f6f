// SPDX-License-Identifier: GPL-2.0-only
// Frames of a capture for an EsxInjector, at the distances of the capture. The runner's builder
// makes one for each sender of traffic of kind pcap.
#ifndef ESXNF_CAPTURE_FRAMES_H
#define ESXNF_CAPTURE_FRAMES_H

#include "runner/capture/capture-reader.h"

#include "ns3/esx-injector.h"

namespace esxnf
{

/// The first frame comes at once. A frame that is older than the one before comes with it. What a
/// snap length cut off is zeros, unless headers are missing: then the frame is as short as
/// captured. Frames shorter than an Ethernet header are left out.
class CaptureFrames : public ns3::EsxFrameSource
{
  public:
    /// Throws CaptureError if the file cannot be read, or has another link layer than Ethernet or
    /// raw IP. Next() throws it where the file is damaged.
    explicit CaptureFrames(const std::string& path);

    bool Next(ns3::EsxInjectedFrame& frame) override;

  private:
    CaptureReader m_reader;
    int64_t m_first{-1}; //!< time of the first frame; negative: none was read
    int64_t m_latest{0};
};

} // namespace esxnf

#endif // ESXNF_CAPTURE_FRAMES_H
