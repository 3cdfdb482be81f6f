// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/packet-parser.h"

#include "netflow/enum-table.h"

namespace netflow
{

namespace
{

constexpr uint32_t ETHERNET_HEADER = 14;
constexpr uint32_t ETHERTYPE_OFFSET = 12;
constexpr uint32_t VLAN_TAG = 4;
constexpr unsigned MAX_VLAN_TAGS = 2;
constexpr uint16_t ETHERTYPE_IPV4 = 0x0800;
constexpr uint16_t ETHERTYPE_8021Q = 0x8100;
constexpr uint16_t ETHERTYPE_8021AD = 0x88a8;
constexpr uint16_t ETHERTYPE_QINQ_OLD = 0x9100; // used before 802.1ad settled on 0x88a8

constexpr uint32_t IPV4_MIN_HEADER = 20;
constexpr uint32_t PORTS_OCTETS = 4;
constexpr uint32_t ICMP_TYPE_AND_CODE = 2;
constexpr uint32_t TCP_FLAGS_OFFSET = 13;

constexpr uint8_t PROTOCOL_ICMP = 1;
constexpr uint8_t PROTOCOL_TCP = 6;
constexpr uint8_t PROTOCOL_UDP = 17;
constexpr uint8_t PROTOCOL_DCCP = 33;
constexpr uint8_t PROTOCOL_SCTP = 132;
constexpr uint8_t PROTOCOL_UDP_LITE = 136;

uint16_t
Read16(const uint8_t* p)
{
    return static_cast<uint16_t>(p[0] << 8 | p[1]);
}

uint32_t
Read32(const uint8_t* p)
{
    return static_cast<uint32_t>(Read16(p)) << 16 | Read16(p + 2);
}

bool
IsVlanTag(uint16_t etherType)
{
    return etherType == ETHERTYPE_8021Q || etherType == ETHERTYPE_8021AD ||
           etherType == ETHERTYPE_QINQ_OLD;
}

bool
HasPorts(uint8_t protocol)
{
    return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP ||
           protocol == PROTOCOL_DCCP || protocol == PROTOCOL_UDP_LITE;
}

/// Rest of \p octets behind a header; 0 if they end inside it.
uint32_t
Behind(uint32_t header, uint32_t octets)
{
    return octets > header ? octets - header : 0;
}

PacketSummary
Refuse(FrameVerdict verdict, uint32_t octets)
{
    PacketSummary refused;
    refused.verdict = verdict;
    refused.octets = octets;
    return refused;
}

/**
 * Fills ports and flags of an unfragmented packet or first fragment. A packet whose own payload is
 * too short for its transport header keeps ports 0; a capture that ends before octets which the
 * packet has is an error. \param payload octets of IP payload by total length; captured: how many
 * of them can be read
 */
FrameVerdict
ParseTransport(PacketSummary& summary,
               const uint8_t* transport,
               uint32_t payload,
               uint32_t captured)
{
    const uint8_t protocol = summary.key.protocol;
    if (protocol == PROTOCOL_ICMP && payload >= ICMP_TYPE_AND_CODE)
    {
        if (captured < ICMP_TYPE_AND_CODE)
        {
            return FrameVerdict::TRANSPORT_TRUNCATED;
        }
        summary.key.destinationPort = Read16(transport); // type * 256 + code
    }
    else if (HasPorts(protocol) && payload >= PORTS_OCTETS)
    {
        const bool hasFlags = protocol == PROTOCOL_TCP && payload > TCP_FLAGS_OFFSET;
        if (captured < (hasFlags ? TCP_FLAGS_OFFSET + 1 : PORTS_OCTETS))
        {
            return FrameVerdict::TRANSPORT_TRUNCATED;
        }
        summary.key.sourcePort = Read16(transport);
        summary.key.destinationPort = Read16(transport + 2);
        summary.tcpFlags = hasFlags ? transport[TCP_FLAGS_OFFSET] : 0;
    }
    return FrameVerdict::METERABLE;
}

PacketSummary
ParseIpv4(const uint8_t* ip, uint32_t captured, uint32_t wire)
{
    if (captured < IPV4_MIN_HEADER)
    {
        return Refuse(FrameVerdict::IPV4_TRUNCATED, wire);
    }
    if (ip[0] >> 4 != 4)
    {
        return Refuse(FrameVerdict::BAD_VERSION, wire);
    }
    const uint32_t header = (ip[0] & 0x0fU) * 4;
    if (header < IPV4_MIN_HEADER)
    {
        return Refuse(FrameVerdict::BAD_HEADER_LENGTH, wire);
    }
    uint32_t total = Read16(ip + 2);
    PacketSummary summary;
    if (total < header)
    {
        if (total > 0 || wire < header)
        {
            return Refuse(FrameVerdict::TOTAL_LENGTH_TOO_SHORT, wire);
        }
        // An adapter was to cut this into segments (TSO): the frame's length is the packet's.
        total = wire;
        summary.offloaded = true;
    }
    if (total > wire)
    {
        return Refuse(FrameVerdict::TOTAL_LENGTH_EXCEEDS_FRAME, wire);
    }
    if (captured < header)
    {
        return Refuse(FrameVerdict::IPV4_TRUNCATED, wire);
    }
    summary.octets = total;
    summary.key.source = Read32(ip + 12);
    summary.key.destination = Read32(ip + 16);
    summary.key.protocol = ip[9];
    summary.key.tos = ip[1];
    summary.verdict = FrameVerdict::METERABLE;
    const bool laterFragment = (Read16(ip + 6) & 0x1fffU) != 0;
    if (!laterFragment)
    {
        const FrameVerdict verdict =
            ParseTransport(summary, ip + header, total - header, captured - header);
        if (verdict != FrameVerdict::METERABLE)
        {
            return Refuse(verdict, wire);
        }
    }
    return summary;
}

} // namespace

const char*
ToString(FrameVerdict verdict)
{
    static constexpr EnumName<FrameVerdict> NAMES[] = {
        {FrameVerdict::METERABLE, "meterable"},
        {FrameVerdict::ETHERNET_TRUNCATED, "ethernet_truncated"},
        {FrameVerdict::VLAN_TRUNCATED, "vlan_truncated"},
        {FrameVerdict::NOT_IPV4, "not_ipv4"},
        {FrameVerdict::IPV4_TRUNCATED, "ipv4_truncated"},
        {FrameVerdict::BAD_VERSION, "bad_version"},
        {FrameVerdict::BAD_HEADER_LENGTH, "bad_header_length"},
        {FrameVerdict::TOTAL_LENGTH_TOO_SHORT, "total_length_too_short"},
        {FrameVerdict::TOTAL_LENGTH_EXCEEDS_FRAME, "total_length_exceeds_frame"},
        {FrameVerdict::TRANSPORT_TRUNCATED, "transport_truncated"}};
    static_assert(NamesEach(NAMES));
    return NAMES[static_cast<unsigned>(verdict)].name;
}

PacketSummary
ParseEthernet(const uint8_t* frame, uint32_t captured, uint32_t wire)
{
    if (captured < ETHERNET_HEADER || wire < ETHERNET_HEADER)
    {
        return Refuse(FrameVerdict::ETHERNET_TRUNCATED, Behind(ETHERNET_HEADER, wire));
    }
    const uint8_t* payload = frame + ETHERNET_HEADER;
    const uint16_t etherType = Read16(frame + ETHERTYPE_OFFSET);
    return etherType == ETHERTYPE_IPV4
               ? ParseIpv4(payload, captured - ETHERNET_HEADER, wire - ETHERNET_HEADER)
               : ParsePayload(etherType,
                              payload,
                              captured - ETHERNET_HEADER,
                              wire - ETHERNET_HEADER);
}

PacketSummary
ParsePayload(uint16_t etherType, const uint8_t* payload, uint32_t captured, uint32_t wire)
{
    for (unsigned tags = 0; IsVlanTag(etherType) && tags < MAX_VLAN_TAGS; ++tags)
    {
        if (captured < VLAN_TAG || wire < VLAN_TAG)
        {
            return Refuse(FrameVerdict::VLAN_TRUNCATED, Behind(VLAN_TAG, wire));
        }
        etherType = Read16(payload + 2);
        payload += VLAN_TAG;
        captured -= VLAN_TAG;
        wire -= VLAN_TAG;
    }
    if (etherType != ETHERTYPE_IPV4)
    {
        return Refuse(FrameVerdict::NOT_IPV4, wire);
    }
    return ParseIpv4(payload, captured, wire);
}

} // namespace netflow
