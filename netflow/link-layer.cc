// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/link-layer.h"

namespace netflow
{

namespace
{

constexpr uint16_t ETHERTYPE_IPV4 = 0x0800;
constexpr uint16_t ETHERTYPE_IPV6 = 0x86dd;
constexpr uint16_t ETHERTYPE_8021Q = 0x8100;
constexpr uint16_t ETHERTYPE_8021AD = 0x88a8;
constexpr uint16_t ETHERTYPE_QINQ_OLD = 0x9100;
constexpr uint16_t ETHERTYPE_OTHER = 0xffff; // reserved: no protocol's
constexpr uint32_t VLAN_TAG = 4;
constexpr uint16_t VLAN_ID = 0x0fff;

// Octets of each link header, and where it names the protocol that follows.
constexpr uint32_t ETHERNET_HEADER = 14;
constexpr uint32_t ETHERNET_PROTOCOL = 12;
constexpr uint32_t COOKED_HEADER = 16;
constexpr uint32_t COOKED_PROTOCOL = 14;
constexpr uint32_t COOKED_V2_HEADER = 20;
constexpr uint32_t COOKED_V2_PROTOCOL = 0;
constexpr uint32_t LOOPBACK_HEADER = 4;

constexpr uint8_t FAMILY_IPV4 = 2; // AF_INET of all systems

constexpr uint8_t PROTOCOL_UDP = 17;
constexpr uint32_t UDP_HEADER = 8;
constexpr uint32_t UDP_LENGTH_OFFSET = 4;
constexpr uint32_t MORE_FRAGMENTS = 0x2000;

uint16_t
Read16(const uint8_t* p)
{
    return static_cast<uint16_t>(p[0] << 8 | p[1]);
}

bool
IsVlanTag(uint16_t etherType)
{
    return etherType == ETHERTYPE_8021Q || etherType == ETHERTYPE_8021AD ||
           etherType == ETHERTYPE_QINQ_OLD;
}

/// The family's octets stand in the byte order of the machine that captured (link type NULL), or in
/// network order (LOOP). AF_INET6 differs between systems, so all but AF_INET is "other".
uint16_t
FamilyToEtherType(const uint8_t* family)
{
    const bool little = family[0] == FAMILY_IPV4 && family[1] == 0 && family[2] == 0 && !family[3];
    const bool big = family[0] == 0 && family[1] == 0 && family[2] == 0 && family[3] == FAMILY_IPV4;
    return little || big ? ETHERTYPE_IPV4 : ETHERTYPE_OTHER;
}

} // namespace

LinkLayer::LinkLayer(Kind kind)
    : m_kind(kind)
{
}

std::optional<LinkLayer>
LinkLayer::FromLinkType(int linkType)
{
    switch (linkType)
    {
    case 1:
        return LinkLayer(Kind::ETHERNET);
    case 113:
        return LinkLayer(Kind::COOKED);
    case 276:
        return LinkLayer(Kind::COOKED_V2);
    case 12:  // DLT_RAW of most systems
    case 14:  // DLT_RAW of OpenBSD
    case 101: // LINKTYPE_RAW
    case 228: // IPv4 only
    case 229: // IPv6 only
        return LinkLayer(Kind::RAW);
    case 0:   // NULL
    case 108: // LOOP
        return LinkLayer(Kind::LOOPBACK);
    default:
        return std::nullopt;
    }
}

const char*
LinkLayer::GetNames()
{
    return "Ethernet, Linux cooked (v1, v2), raw IP, null and loop";
}

uint16_t
LinkLayer::FindVlan(const uint8_t* frame, uint32_t captured) const
{
    const Header header = ReadHeader(frame, captured);
    const bool tagged =
        header.complete && IsVlanTag(header.etherType) && captured - header.size >= VLAN_TAG;
    return tagged ? Read16(frame + header.size) & VLAN_ID : 0;
}

uint32_t
LinkLayer::GetPadding(const uint8_t* frame, uint32_t captured, uint32_t wire, uint32_t octets) const
{
    return wire - FindPacket(frame, captured) - octets;
}

uint32_t
LinkLayer::GetTags(const uint8_t* frame, uint32_t captured) const
{
    return FindPacket(frame, captured) - ReadHeader(frame, captured).size;
}

UdpFinding
LinkLayer::FindUdp(const uint8_t* frame,
                   uint32_t captured,
                   uint32_t wire,
                   uint16_t port,
                   UdpDatagram& datagram) const
{
    const PacketSummary summary = Parse(frame, captured, wire);
    if (summary.verdict != FrameVerdict::METERABLE || summary.key.protocol != PROTOCOL_UDP ||
        summary.key.destinationPort != port)
    {
        return UdpFinding::OTHER;
    }
    const uint32_t start = FindPacket(frame, captured);
    const uint8_t* ip = frame + start; // the parser has seen its whole header, and ports behind it
    const uint32_t header = (ip[0] & 0x0fU) * 4;
    datagram = {summary.key.source, summary.key.sourcePort, ip + header + UDP_HEADER, 0};
    if ((Read16(ip + 6) & MORE_FRAGMENTS) != 0)
    {
        return UdpFinding::FRAGMENT;
    }
    if (captured - start < summary.octets || summary.octets < header + UDP_HEADER)
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

LinkLayer::Header
LinkLayer::ReadHeader(const uint8_t* frame, uint32_t captured) const
{
    const auto fixed = [&](uint32_t size, uint32_t protocol) {
        const bool complete = captured >= size;
        return Header{size, complete ? Read16(frame + protocol) : ETHERTYPE_OTHER, complete};
    };
    switch (m_kind)
    {
    case Kind::ETHERNET:
        return fixed(ETHERNET_HEADER, ETHERNET_PROTOCOL);
    case Kind::COOKED:
        return fixed(COOKED_HEADER, COOKED_PROTOCOL);
    case Kind::COOKED_V2:
        return fixed(COOKED_V2_HEADER, COOKED_V2_PROTOCOL);
    case Kind::LOOPBACK: {
        const bool complete = captured >= LOOPBACK_HEADER;
        return {LOOPBACK_HEADER, complete ? FamilyToEtherType(frame) : ETHERTYPE_OTHER, complete};
    }
    case Kind::UNKNOWN:
        return {0, ETHERTYPE_OTHER, true};
    case Kind::RAW:
        break;
    }
    const bool ipv6 = captured > 0 && frame[0] >> 4 == 6;
    return {0, ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4, true};
}

/// Where the IPv4 packet of a METERABLE frame begins: behind at most two tags.
uint32_t
LinkLayer::FindPacket(const uint8_t* frame, uint32_t captured) const
{
    const Header header = ReadHeader(frame, captured);
    uint32_t start = header.size;
    for (uint16_t type = header.etherType; IsVlanTag(type); type = Read16(frame + start - 2))
    {
        start += VLAN_TAG;
    }
    return start;
}

PacketSummary
LinkLayer::ParseOther(const uint8_t* frame, uint32_t captured, uint32_t wire) const
{
    const Header header = ReadHeader(frame, captured);
    if (!header.complete || wire < header.size)
    {
        PacketSummary refused;
        refused.verdict = FrameVerdict::ETHERNET_TRUNCATED;
        refused.octets = wire > header.size ? wire - header.size : 0;
        return refused;
    }
    return ParsePayload(header.etherType,
                        frame + header.size,
                        captured - header.size,
                        wire - header.size);
}

} // namespace netflow
