// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CAPTURE_FRAMES_H
#define ESX_CAPTURE_FRAMES_H

#include "ns3/esx-injector.h"

#include <memory>
#include <string>
#include <vector>

namespace netflow
{
struct CaptureCounts;
struct ClockCounts;
} // namespace netflow

namespace ns3
{

/**
 * Frames of a capture (pcap or pcapng) for an EsxInjector, at the distances of the capture, by the
 * reader and the clock of `esx-netflow probe`: so both make the same records of a capture.
 *
 * The first frame comes at once. Octets beyond a snap length are zeros, unless headers are missing:
 * then the frame is as short as captured. A packet that was cut without a note of its length is as
 * short, too, unless the attribute TrustIpLength says that its IP total length counts. Frames
 * shorter than their link header and of unknown link types are left out.
 */
class EsxCaptureFrames : public EsxFrameSource
{
  public:
    static TypeId GetTypeId();
    EsxCaptureFrames();
    ~EsxCaptureFrames() override;

    /// Opens a capture; once. \return what is wrong with it, or nothing
    std::string Open(const std::string& path);

    bool Next(EsxInjectedFrame& frame) override;

    /// Damage behind the frames read so far, once Next() has returned false; empty: none.
    std::string GetDamage() const;

    /// Oddities of the frames read so far, and of their times. Only of an open capture.
    const netflow::CaptureCounts& GetCounts() const;
    netflow::ClockCounts GetClockCounts() const;

  private:
    struct Impl;

    bool Read();

    bool m_trustIpLength{false};
    std::unique_ptr<Impl> m_impl;
};

} // namespace ns3

#endif // ESX_CAPTURE_FRAMES_H
