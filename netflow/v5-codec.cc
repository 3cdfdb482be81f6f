// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/v5-codec.h"

#include "netflow/time.h"

namespace netflow
{

namespace
{

// Offsets in octets.
namespace header_at
{
constexpr std::size_t VERSION = 0;
constexpr std::size_t COUNT = 2;
constexpr std::size_t SYS_UPTIME = 4;
constexpr std::size_t UNIX_SECS = 8;
constexpr std::size_t UNIX_NSECS = 12;
constexpr std::size_t FLOW_SEQUENCE = 16;
constexpr std::size_t ENGINE_TYPE = 20;
constexpr std::size_t ENGINE_ID = 21;
constexpr std::size_t SAMPLING = 22;
static_assert(SAMPLING + 2 == V5_HEADER_OCTETS);
} // namespace header_at

constexpr unsigned SAMPLING_INTERVAL_BITS = 14;
constexpr uint16_t SAMPLING_INTERVAL_MASK = (1U << SAMPLING_INTERVAL_BITS) - 1;

namespace record_at
{
constexpr std::size_t SRC_ADDR = 0;
constexpr std::size_t DST_ADDR = 4;
constexpr std::size_t NEXT_HOP = 8;
constexpr std::size_t INPUT = 12;
constexpr std::size_t OUTPUT = 14;
constexpr std::size_t D_PKTS = 16;
constexpr std::size_t D_OCTETS = 20;
constexpr std::size_t FIRST = 24;
constexpr std::size_t LAST = 28;
constexpr std::size_t SRC_PORT = 32;
constexpr std::size_t DST_PORT = 34;
constexpr std::size_t PAD1 = 36;
constexpr std::size_t TCP_FLAGS = 37;
constexpr std::size_t PROT = 38;
constexpr std::size_t TOS = 39;
constexpr std::size_t SRC_AS = 40;
constexpr std::size_t DST_AS = 42;
constexpr std::size_t SRC_MASK = 44;
constexpr std::size_t DST_MASK = 45;
constexpr std::size_t PAD2 = 46;
static_assert(PAD2 + 2 == V5_RECORD_OCTETS);
} // namespace record_at

void
Write16(uint8_t* out, uint16_t value)
{
    out[0] = static_cast<uint8_t>(value >> 8);
    out[1] = static_cast<uint8_t>(value);
}

void
Write32(uint8_t* out, uint32_t value)
{
    Write16(out, static_cast<uint16_t>(value >> 16));
    Write16(out + 2, static_cast<uint16_t>(value));
}

uint16_t
Read16(const uint8_t* in)
{
    return static_cast<uint16_t>(in[0] << 8 | in[1]);
}

uint32_t
Read32(const uint8_t* in)
{
    return static_cast<uint32_t>(Read16(in)) << 16 | Read16(in + 2);
}

} // namespace

const char*
ToString(V5Error error)
{
    switch (error)
    {
    case V5Error::NONE:
        return "none";
    case V5Error::TRUNCATED_HEADER:
        return "truncated header: fewer than 24 octets";
    case V5Error::WRONG_VERSION:
        return "version is not 5";
    case V5Error::BAD_COUNT:
        return "count is not 1 to 30";
    case V5Error::LENGTH_MISMATCH:
        return "length is not 24 + 48 * count";
    }
    return "unknown";
}

void
EncodeV5Header(const V5Header& header, uint8_t* out)
{
    Write16(out + header_at::VERSION, V5_VERSION);
    Write16(out + header_at::COUNT, header.count);
    Write32(out + header_at::SYS_UPTIME, header.sysUptime);
    Write32(out + header_at::UNIX_SECS, header.unixSecs);
    Write32(out + header_at::UNIX_NSECS, header.unixNsecs);
    Write32(out + header_at::FLOW_SEQUENCE, header.flowSequence);
    out[header_at::ENGINE_TYPE] = header.engineType;
    out[header_at::ENGINE_ID] = header.engineId;
    Write16(out + header_at::SAMPLING,
            static_cast<uint16_t>(header.samplingMode << SAMPLING_INTERVAL_BITS |
                                  (header.samplingInterval & SAMPLING_INTERVAL_MASK)));
}

void
EncodeV5Record(const V5Record& record, uint8_t* out)
{
    Write32(out + record_at::SRC_ADDR, record.srcAddr);
    Write32(out + record_at::DST_ADDR, record.dstAddr);
    Write32(out + record_at::NEXT_HOP, record.nextHop);
    Write16(out + record_at::INPUT, record.input);
    Write16(out + record_at::OUTPUT, record.output);
    Write32(out + record_at::D_PKTS, record.dPkts);
    Write32(out + record_at::D_OCTETS, record.dOctets);
    Write32(out + record_at::FIRST, record.first);
    Write32(out + record_at::LAST, record.last);
    Write16(out + record_at::SRC_PORT, record.srcPort);
    Write16(out + record_at::DST_PORT, record.dstPort);
    out[record_at::PAD1] = record.pad1;
    out[record_at::TCP_FLAGS] = record.tcpFlags;
    out[record_at::PROT] = record.prot;
    out[record_at::TOS] = record.tos;
    Write16(out + record_at::SRC_AS, record.srcAs);
    Write16(out + record_at::DST_AS, record.dstAs);
    out[record_at::SRC_MASK] = record.srcMask;
    out[record_at::DST_MASK] = record.dstMask;
    Write16(out + record_at::PAD2, record.pad2);
}

V5Header
DecodeV5Header(const uint8_t* in)
{
    V5Header header;
    header.count = Read16(in + header_at::COUNT);
    header.sysUptime = Read32(in + header_at::SYS_UPTIME);
    header.unixSecs = Read32(in + header_at::UNIX_SECS);
    header.unixNsecs = Read32(in + header_at::UNIX_NSECS);
    header.flowSequence = Read32(in + header_at::FLOW_SEQUENCE);
    header.engineType = in[header_at::ENGINE_TYPE];
    header.engineId = in[header_at::ENGINE_ID];
    const uint16_t sampling = Read16(in + header_at::SAMPLING);
    header.samplingMode = static_cast<uint8_t>(sampling >> SAMPLING_INTERVAL_BITS);
    header.samplingInterval = sampling & SAMPLING_INTERVAL_MASK;
    return header;
}

V5Record
DecodeV5Record(const uint8_t* in)
{
    V5Record record;
    record.srcAddr = Read32(in + record_at::SRC_ADDR);
    record.dstAddr = Read32(in + record_at::DST_ADDR);
    record.nextHop = Read32(in + record_at::NEXT_HOP);
    record.input = Read16(in + record_at::INPUT);
    record.output = Read16(in + record_at::OUTPUT);
    record.dPkts = Read32(in + record_at::D_PKTS);
    record.dOctets = Read32(in + record_at::D_OCTETS);
    record.first = Read32(in + record_at::FIRST);
    record.last = Read32(in + record_at::LAST);
    record.srcPort = Read16(in + record_at::SRC_PORT);
    record.dstPort = Read16(in + record_at::DST_PORT);
    record.pad1 = in[record_at::PAD1];
    record.tcpFlags = in[record_at::TCP_FLAGS];
    record.prot = in[record_at::PROT];
    record.tos = in[record_at::TOS];
    record.srcAs = Read16(in + record_at::SRC_AS);
    record.dstAs = Read16(in + record_at::DST_AS);
    record.srcMask = in[record_at::SRC_MASK];
    record.dstMask = in[record_at::DST_MASK];
    record.pad2 = Read16(in + record_at::PAD2);
    return record;
}

int64_t
UnixNs(const V5Header& header)
{
    const uint32_t nsecs = header.unixNsecs < V5_NSECS_BOUND ? header.unixNsecs : 0;
    return header.unixSecs * NS_PER_SECOND + nsecs;
}

int64_t
UnixNs(const V5Header& header, uint32_t uptime)
{
    return UnixNs(header) + static_cast<int32_t>(uptime - header.sysUptime) * NS_PER_MS;
}

V5Error
DecodeV5(const uint8_t* data, std::size_t size, V5Header& header, std::vector<V5Record>& records)
{
    records.clear();
    if (size < V5_HEADER_OCTETS)
    {
        return V5Error::TRUNCATED_HEADER;
    }
    if (Read16(data + header_at::VERSION) != V5_VERSION)
    {
        return V5Error::WRONG_VERSION;
    }
    const V5Header decoded = DecodeV5Header(data);
    if (decoded.count == 0 || decoded.count > V5_MAX_RECORDS)
    {
        return V5Error::BAD_COUNT;
    }
    if (size != V5_HEADER_OCTETS + decoded.count * V5_RECORD_OCTETS)
    {
        return V5Error::LENGTH_MISMATCH;
    }
    header = decoded;
    for (std::size_t i = 0; i < header.count; ++i)
    {
        records.push_back(DecodeV5Record(data + V5_HEADER_OCTETS + i * V5_RECORD_OCTETS));
    }
    return V5Error::NONE;
}

} // namespace netflow
