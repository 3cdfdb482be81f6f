// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture-reader.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

namespace esxnf
{

namespace
{

constexpr uint16_t ETHERTYPE_IPV4 = 0x0800;
constexpr uint16_t ETHERTYPE_IPV6 = 0x86dd;
constexpr uint32_t ETHERNET_HEADER = 14;
constexpr uint32_t VLAN_TAG = 4;
constexpr uint8_t PROTOCOL_UDP = 17;
constexpr uint32_t UDP_HEADER = 8;
constexpr uint32_t UDP_LENGTH_OFFSET = 4;
constexpr uint32_t MORE_FRAGMENTS = 0x2000;

uint32_t
Read16(const uint8_t* p)
{
    return static_cast<uint32_t>(p[0]) << 8 | p[1];
}

std::string
LinkTypeName(int linkType)
{
    const char* name = pcap_datalink_val_to_name(linkType);
    return name ? fmt::format("{} ({})", name, pcap_datalink_val_to_description(linkType))
                : fmt::format("number {}", linkType);
}

} // namespace

CaptureReader::CaptureReader(const std::string& path)
    : m_source(OpenCapture(path))
{
    const int linkType = m_source->GetLinkType();
    m_ethernet = linkType == DLT_EN10MB;
    if (!m_ethernet && linkType != DLT_RAW && linkType != DLT_IPV4)
    {
        throw CaptureError(fmt::format("{}: link type {} is not supported; Ethernet and raw IP are",
                                       path,
                                       LinkTypeName(linkType)));
    }
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

netflow::PacketSummary
CaptureReader::Parse(const CapturedFrame& frame) const
{
    if (m_ethernet)
    {
        return netflow::ParseEthernet(frame.data, frame.captured, frame.wire);
    }
    const bool ipv6 = frame.captured > 0 && frame.data[0] >> 4 == 6;
    return netflow::ParsePayload(ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4,
                                 frame.data,
                                 frame.captured,
                                 frame.wire);
}

UdpFinding
CaptureReader::FindUdp(const CapturedFrame& frame, uint16_t port, UdpDatagram& datagram) const
{
    const netflow::PacketSummary summary = Parse(frame);
    if (summary.verdict != netflow::FrameVerdict::METERABLE ||
        summary.key.protocol != PROTOCOL_UDP || summary.key.destinationPort != port)
    {
        return UdpFinding::OTHER;
    }
    // The parser has seen that this is IPv4 behind at most two tags, and an IP header captured with
    // ports.
    uint32_t start = m_ethernet ? ETHERNET_HEADER : 0;
    while (m_ethernet && Read16(frame.data + start - 2) != ETHERTYPE_IPV4)
    {
        start += VLAN_TAG;
    }
    const uint8_t* ip = frame.data + start;
    const uint32_t header = (ip[0] & 0x0fU) * 4;
    datagram = {summary.key.source, summary.key.sourcePort, ip + header + UDP_HEADER, 0};
    if ((Read16(ip + 6) & MORE_FRAGMENTS) != 0)
    {
        return UdpFinding::FRAGMENT;
    }
    if (frame.captured - start < summary.octets || summary.octets < header + UDP_HEADER)
    {
        return UdpFinding::INCOMPLETE;
    }
    const uint32_t length = Read16(ip + header + UDP_LENGTH_OFFSET);
    if (length < UDP_HEADER || length > summary.octets - header)
    {
        return UdpFinding::INCOMPLETE;
    }
    datagram.size = length - UDP_HEADER;
    return UdpFinding::FOUND;
}

uint64_t
CaptureReader::GetCount() const
{
    return m_count;
}

} // namespace esxnf
