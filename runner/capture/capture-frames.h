// SPDX-License-Identifier: GPL-2.0-only
// Frames of a capture for an EsxInjector. The runner's builder makes one for each sender of traffic
// of kind pcap.
#ifndef ESXNF_CAPTURE_FRAMES_H
#define ESXNF_CAPTURE_FRAMES_H

#include "runner/capture/capture-reader.h"

#include "ns3/esx-capture-frames.h"

namespace esxnf
{

/// EsxCaptureFrames that throws CaptureError if the file cannot be read.
class CaptureFrames : public ns3::EsxCaptureFrames
{
  public:
    explicit CaptureFrames(const std::string& path);
};

} // namespace esxnf

#endif // ESXNF_CAPTURE_FRAMES_H
