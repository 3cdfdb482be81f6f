// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-source.h"

#include "runner/capture/libpcap-capture.h"
#include "runner/capture/pcap-file-capture.h"

#include <fmt/format.h>

namespace esxnf
{

std::string
DescribeDamage(const CapturedHeader& header)
{
    return header.captured > header.wire
               ? fmt::format("{} octets captured of {}", header.captured, header.wire)
               : "its time is not one of the years 1970 to 2106";
}

CaptureError
DamagedPacket(const std::string& path, uint64_t number, const std::string& reason)
{
    return CaptureError(fmt::format("{}: packet {}: {}", path, number, reason));
}

std::unique_ptr<CaptureSource>
OpenCapture(const std::string& path)
{
    // libpcap reads the file's header in any case: it knows what a capture is and names link types.
    auto file = std::make_unique<LibpcapCapture>(path);
    std::unique_ptr<CaptureSource> own = PcapFileCapture::TryOpen(path, file->GetLinkType());
    return own ? std::move(own) : std::move(file);
}

} // namespace esxnf
