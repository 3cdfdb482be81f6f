// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * From the bytes of a frame to a flow key. Called once per frame by the metering process's callers;
 * never reads past the captured bytes, keeps no state and builds no header objects.
 */
#ifndef NETFLOW_PACKET_PARSER_H
#define NETFLOW_PACKET_PARSER_H

#include "netflow/flow-key.h"

#include <cstdint>

namespace netflow
{

/// Verdict of the parser. Everything but METERABLE is a reason why a frame is not metered.
enum class FrameVerdict : uint8_t
{
    METERABLE,
    ETHERNET_TRUNCATED,         //!< fewer than 14 octets
    VLAN_TRUNCATED,             //!< ends inside an 802.1Q tag
    NOT_IPV4,                   //!< ARP, IPv6, LLC, more than two VLAN tags, any other EtherType
    IPV4_TRUNCATED,             //!< the capture ends inside the IPv4 header or its options
    BAD_VERSION,                //!< EtherType IPv4, version field not 4
    BAD_HEADER_LENGTH,          //!< IHL < 5
    TOTAL_LENGTH_TOO_SHORT,     //!< total length < header length
    TOTAL_LENGTH_EXCEEDS_FRAME, //!< total length > octets on the wire after layer 2
    TRANSPORT_TRUNCATED,        //!< the capture ends before ports or TCP flags that the packet has
    COUNT
};

constexpr unsigned FRAME_VERDICTS = static_cast<unsigned>(FrameVerdict::COUNT);

/// "not_ipv4", "ipv4_truncated", …
const char* ToString(FrameVerdict verdict);

/// Fields of a packet that are metered.
struct PacketSummary
{
    FlowKey key;        //!< vSwitch and input are left 0: the caller knows them
    uint32_t octets{0}; //!< IPv4: total length (the frame's, if that is 0); else octets on the wire
                        //!< after Ethernet header and VLAN tags
    uint8_t tcpFlags{0}; //!< TCP flags octet, 0 for other protocols (rule R15) and later fragments
    FrameVerdict verdict{FrameVerdict::NOT_IPV4};
    bool offloaded{false}; //!< total length 0: octets are the frame's (not set by ParseUsual)
};

/**
 * Parses an Ethernet frame with up to two VLAN tags (TPID 0x8100, 0x88a8, 0x9100).
 * \param frame first octet of the destination MAC address
 * \param captured octets readable at \p frame
 * \param wire octets of the frame on the wire without FCS (>= captured in a capture with a snap
 * length)
 */
PacketSummary ParseEthernet(const uint8_t* frame, uint32_t captured, uint32_t wire);

/**
 * Parses what follows the Ethernet header.
 * \param etherType protocol of \p payload; VLAN tags are skipped
 * \param payload first octet after the Ethernet header
 * \param captured octets readable at \p payload
 * \param wire octets on the wire after the Ethernet header, padding included
 */
PacketSummary ParsePayload(uint16_t etherType,
                           const uint8_t* payload,
                           uint32_t captured,
                           uint32_t wire);

/**
 * The usual frame, by a short way: an untagged Ethernet frame with IPv4 without options, TCP or
 * UDP, no later fragment, headers captured as a whole. \param summary set as ParseEthernet() would
 * return it, if the result is true \return false for every other frame: it is ParseEthernet()'s
 */
inline bool
ParseUsual(const uint8_t* frame, uint32_t captured, uint32_t wire, PacketSummary& summary)
{
    constexpr uint32_t ETHERNET = 14;
    constexpr uint32_t HEADERS = 20 + 14; // IPv4, and TCP up to its flags
    constexpr uint8_t TCP = 6;
    constexpr uint8_t UDP = 17;
    const auto read16 = [frame](uint32_t at) {
        return static_cast<uint16_t>(frame[at] << 8 | frame[at + 1]);
    };
    const auto read32 = [&](uint32_t at) { return uint32_t{read16(at)} << 16 | read16(at + 2); };
    // EtherType IPv4, version 4, five words of header.
    if (captured < ETHERNET + HEADERS || wire < captured || read16(12) != 0x0800 ||
        frame[ETHERNET] != 0x45)
    {
        return false;
    }
    const uint32_t octets = read16(ETHERNET + 2);
    const bool laterFragment = (read16(ETHERNET + 6) & 0x1fffU) != 0;
    const uint8_t protocol = frame[ETHERNET + 9];
    if (octets < HEADERS || octets > wire - ETHERNET || laterFragment ||
        (protocol != TCP && protocol != UDP))
    {
        return false;
    }
    summary.key.source = read32(ETHERNET + 12);
    summary.key.destination = read32(ETHERNET + 16);
    summary.key.sourcePort = read16(ETHERNET + 20);
    summary.key.destinationPort = read16(ETHERNET + 22);
    summary.key.vSwitch = 0;
    summary.key.input = 0;
    summary.key.protocol = protocol;
    summary.key.tos = frame[ETHERNET + 1];
    summary.key.unused = 0;
    summary.octets = octets;
    summary.tcpFlags = protocol == TCP ? frame[ETHERNET + 20 + 13] : 0;
    summary.verdict = FrameVerdict::METERABLE;
    return true;
}

/// Enough captured octets for every packet that the parser accepts: two VLAN tags, 60 octets of
/// IPv4, 14 of TCP.
constexpr uint32_t PARSE_OCTETS = 2 * 4 + 60 + 14;

} // namespace netflow

#endif // NETFLOW_PACKET_PARSER_H
