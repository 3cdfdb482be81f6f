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
constexpr int64_t NS_PER_SECOND = 1'000'000'000;

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

void
CaptureReader::Closer::operator()(pcap* handle) const
{
    pcap_close(handle);
}

CaptureReader::CaptureReader(const std::string& path)
    : m_path(path)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    m_handle.reset(
        pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error));
    if (!m_handle)
    {
        const std::string reason = error; // begins with the path if the file cannot be opened
        throw CaptureError(reason.rfind(path, 0) == 0 ? reason : path + ": " + reason);
    }
    const int linkType = pcap_datalink(m_handle.get());
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
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    const int result = pcap_next_ex(m_handle.get(), &header, &data);
    if (result == PCAP_ERROR_BREAK) // the end of the file
    {
        return false;
    }
    if (result != 1)
    {
        Fail(pcap_geterr(m_handle.get()));
    }
    if (header->caplen > header->len)
    {
        Fail(fmt::format("{} octets captured of {}", header->caplen, header->len));
    }
    // At nanosecond precision tv_usec holds nanoseconds.
    const int64_t seconds = header->ts.tv_sec;
    const int64_t fraction = header->ts.tv_usec;
    if (seconds < 0 || seconds > UINT32_MAX || fraction < 0 || fraction >= NS_PER_SECOND)
    {
        Fail("its time is not one of the years 1970 to 2106");
    }
    ++m_count;
    frame = {seconds * NS_PER_SECOND + fraction, data, header->caplen, header->len};
    return true;
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

void
CaptureReader::Fail(const std::string& reason) const
{
    throw CaptureError(fmt::format("{}: packet {}: {}", m_path, m_count + 1, reason));
}

} // namespace esxnf
