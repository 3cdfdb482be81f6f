// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Captures from a network interface of this machine, with libpcap. Never blocks but in Wait(). The
 * command probe uses it; what the frames mean is LinkLayer's business.
 */
#ifndef ESXNF_LIVE_CAPTURE_H
#define ESXNF_LIVE_CAPTURE_H

#include "runner/capture/capture-reader.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

struct pcap;

namespace esxnf
{

/// Packets that were lost before the program saw them.
struct LiveDrops
{
    uint64_t kernel{0}; //!< packets that found no room in the kernel's buffer
    uint64_t interface {
        0
    }; //!< dropped by the interface or its driver
};

/// A capture in progress. Frames are cut behind what a flow key needs.
class LiveCapture
{
  public:
    /// Throws CaptureError if there is no such interface, it is down, its link type is unknown here
    /// or the process may not capture. \param promiscuous also take frames to other stations
    LiveCapture(const std::string& interface, bool promiscuous);

    /// Takes a frame that is there. \return false if none is; throws CaptureError if the interface
    /// fails. Its octets stay valid until the next call.
    bool Next(CapturedFrame& frame);

    /// Waits until there may be a frame, a signal came, or time is up.
    void Wait(std::chrono::milliseconds timeout) const;

    /// Since the beginning.
    LiveDrops GetDrops() const;

  private:
    struct Closer
    {
        void operator()(pcap* handle) const;
    };

    void Activate(bool promiscuous);

    const std::string m_interface;
    std::unique_ptr<pcap, Closer> m_handle;
    LinkLayer m_link;
    int64_t m_fractionUnit{1}; // nanoseconds
    int m_descriptor{-1};      // libpcap's
};

} // namespace esxnf

#endif // ESXNF_LIVE_CAPTURE_H
