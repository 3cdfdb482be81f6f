// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-reader.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

namespace esxnf
{

namespace
{

std::string
LinkTypeName(int linkType)
{
    const char* name = pcap_datalink_val_to_name(linkType);
    return name ? fmt::format("{} ({})", name, pcap_datalink_val_to_description(linkType))
                : fmt::format("number {}", linkType);
}

LinkLayer
FindLink(const std::string& path, int linkType)
{
    const std::optional<LinkLayer> link = LinkLayer::FromLinkType(linkType);
    if (!link)
    {
        throw CaptureError(fmt::format("{}: link type {} is not supported; these are: {}",
                                       path,
                                       LinkTypeName(linkType),
                                       LinkLayer::GetNames()));
    }
    return *link;
}

} // namespace

CaptureReader::CaptureReader(const std::string& path)
    : m_source(OpenCapture(path)),
      m_link(FindLink(path, m_source->GetLinkType()))
{
}

bool
CaptureReader::Next(CapturedFrame& frame)
{
    return NextBatch(&frame, 1) == 1;
}

std::size_t
CaptureReader::NextBatch(CapturedFrame* frames, std::size_t max)
{
    const std::size_t count = m_source->NextBatch(frames, max);
    m_count += count;
    return count;
}

UdpFinding
CaptureReader::FindUdp(const CapturedFrame& frame, uint16_t port, UdpDatagram& datagram) const
{
    return m_link.FindUdp(frame.data, frame.captured, frame.wire, port, datagram);
}

const LinkLayer&
CaptureReader::GetLink() const
{
    return m_link;
}

uint64_t
CaptureReader::GetCount() const
{
    return m_count;
}

} // namespace esxnf
