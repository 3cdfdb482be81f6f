// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * NetFlow version 5 on the wire: encoding and decoding of export datagrams, and of interface
 * numbers.
 *
 * The exporter encodes; the simulated collector and the tools decode. Field names are those of
 * Cisco's NetFlow Export Datagram Format, version 5; docs/netflow-v5-rules.md has the layout and
 * the rules R1 to R15. All values in host byte order here, big-endian on the wire.
 */
#ifndef NETFLOW_V5_CODEC_H
#define NETFLOW_V5_CODEC_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace netflow
{

constexpr uint16_t V5_VERSION = 5;
constexpr std::size_t V5_HEADER_OCTETS = 24;
constexpr std::size_t V5_RECORD_OCTETS = 48;
constexpr uint16_t V5_MAX_RECORDS = 30;
constexpr uint32_t V5_NSECS_BOUND = 1'000'000'000;
constexpr std::size_t V5_MAX_OCTETS = V5_HEADER_OCTETS + V5_MAX_RECORDS * V5_RECORD_OCTETS; // 1464

/// Header of an export datagram.
struct V5Header
{
    uint16_t count{0};        //!< records in the datagram, 1 to 30 (rule R2)
    uint32_t sysUptime{0};    //!< ms since the exporter booted, modulo 2^32 (rule R5)
    uint32_t unixSecs{0};     //!< seconds since 1970-01-01 UTC
    uint32_t unixNsecs{0};    //!< residual nanoseconds, < V5_NSECS_BOUND where they are valid (R7)
    uint32_t flowSequence{0}; //!< records of this engine in all earlier datagrams, modulo 2^32 (R3)
    uint8_t engineType{0};
    uint8_t engineId{0};
    uint8_t samplingMode{0};      //!< 2 bits; 0: none (rule R9)
    uint16_t samplingInterval{0}; //!< 14 bits
};

/// One flow record of an export datagram.
struct V5Record
{
    uint32_t srcAddr{0};
    uint32_t dstAddr{0};
    uint32_t nextHop{0};
    uint32_t dPkts{0};
    uint32_t dOctets{0}; //!< layer 3 octets (rule R11)
    uint32_t first{0};   //!< SysUptime of the first packet, ms (rule R5)
    uint32_t last{0};    //!< SysUptime of the last packet, ms
    uint16_t input{0};
    uint16_t output{0};
    uint16_t srcPort{0};
    uint16_t dstPort{0};
    uint16_t srcAs{0};
    uint16_t dstAs{0};
    uint8_t tcpFlags{0};
    uint8_t prot{0};
    uint8_t tos{0};
    uint8_t srcMask{0};
    uint8_t dstMask{0};
    uint8_t pad1{0}; //!< kept so that decoding and encoding again gives the same octets
    uint16_t pad2{0};
};

/// Why a datagram is refused (rules R1 and R2).
enum class V5Error : uint8_t
{
    NONE,
    TRUNCATED_HEADER, //!< fewer than 24 octets
    WRONG_VERSION,
    BAD_COUNT,       //!< 0, or more than 30
    LENGTH_MISMATCH, //!< not 24 + 48 * count octets
};

/// "truncated header", "version is not 5", …
const char* ToString(V5Error error);

/// Writes 24 octets.
void EncodeV5Header(const V5Header& header, uint8_t* out);

/// Writes 48 octets.
void EncodeV5Record(const V5Record& record, uint8_t* out);

/// Reads 24 octets.
V5Header DecodeV5Header(const uint8_t* in);

/// Reads 48 octets.
V5Record DecodeV5Record(const uint8_t* in);

/// When the datagram was sent, ns since 1970. Nanoseconds that are not valid count as 0.
int64_t UnixNs(const V5Header& header);

/// The same of an instant of uptime, such as First or Last: it may lie after the header's, too, and
/// is the nearest one modulo the wrap.
int64_t UnixNs(const V5Header& header, uint32_t uptime);

/**
 * Decodes a whole datagram.
 * \param header set if the result is NONE
 * \param records replaced; empty unless the result is NONE
 */
V5Error DecodeV5(const uint8_t* data,
                 std::size_t size,
                 V5Header& header,
                 std::vector<V5Record>& records);

/**
 * \name Interface numbers under net-netflow's option -p
 * The technote: the virtual switch's ID in the seven most significant bits, the port ID in the nine
 * least significant bits. "Interface 13 of virtual switch 2" is 1549 there, which makes that
 * switch's ID 3.
 */
/**@{*/
constexpr unsigned IF_INDEX_PORT_BITS = 9;

/// Port IDs of 512 and more alias: only their low nine bits fit (as only seven bits of the switch
/// ID do).
constexpr uint16_t
EncodeIfIndex(uint16_t vSwitch, uint16_t port)
{
    return static_cast<uint16_t>(vSwitch << IF_INDEX_PORT_BITS |
                                 (port & ((1U << IF_INDEX_PORT_BITS) - 1)));
}

constexpr uint16_t
IfIndexToSwitch(uint16_t ifIndex)
{
    return ifIndex >> IF_INDEX_PORT_BITS;
}

constexpr uint16_t
IfIndexToPort(uint16_t ifIndex)
{
    return ifIndex & ((1U << IF_INDEX_PORT_BITS) - 1);
}

/// Whether EncodeIfIndex() loses nothing.
constexpr bool
IfIndexIsUnique(uint16_t vSwitch, uint16_t port)
{
    const uint16_t ifIndex = EncodeIfIndex(vSwitch, port);
    return IfIndexToSwitch(ifIndex) == vSwitch && IfIndexToPort(ifIndex) == port;
}

/**@}*/

} // namespace netflow

#endif // NETFLOW_V5_CODEC_H
