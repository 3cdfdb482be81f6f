// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-writer.h"

#include <iterator>
#include <vector>

namespace esxnf
{

namespace
{

constexpr uint32_t MAGIC_NANOSECONDS = 0xa1b23c4d;
constexpr uint32_t VERSION_2_4 = 0x00040002; // of a little-endian file
constexpr uint32_t SNAP_LENGTH = 65535;
constexpr uint32_t LINKTYPE_ETHERNET = 1;
constexpr int64_t NS_PER_SECOND = 1'000'000'000;
constexpr std::size_t IP_HEADER = 20;
constexpr std::size_t UDP_HEADER = 8;
constexpr uint8_t PROTOCOL_UDP = 17;
constexpr uint8_t TTL = 64;
// Locally administered: no device has them.
constexpr uint8_t MACS_AND_TYPE[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};

using Bytes = std::vector<uint8_t>;

void
Append16(Bytes& bytes, uint32_t value)
{
    bytes.push_back(static_cast<uint8_t>(value >> 8));
    bytes.push_back(static_cast<uint8_t>(value));
}

void
Append32(Bytes& bytes, uint32_t value)
{
    Append16(bytes, value >> 16);
    Append16(bytes, value & 0xffff);
}

/// Files are little-endian whatever machine writes them: the same bytes everywhere.
void
AppendLittle32(Bytes& bytes, uint32_t value)
{
    for (unsigned shift : {0U, 8U, 16U, 24U})
    {
        bytes.push_back(static_cast<uint8_t>(value >> shift));
    }
}

/// The sum of 16-bit words of RFC 1071, not yet folded.
uint32_t
SumWords(const uint8_t* data, std::size_t size)
{
    uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < size; i += 2)
    {
        sum += static_cast<uint32_t>(data[i] << 8 | data[i + 1]);
    }
    return size % 2 ? sum + static_cast<uint32_t>(data[size - 1] << 8) : sum;
}

uint16_t
FoldChecksum(uint32_t sum)
{
    while (sum >> 16)
    {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<uint16_t>(~sum);
}

void
Store16(Bytes& bytes, std::size_t at, uint16_t value)
{
    bytes[at] = static_cast<uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<uint8_t>(value);
}

Bytes
MakeFrame(const UdpPath& udp, uint16_t identification, const uint8_t* data, std::size_t size)
{
    Bytes frame(std::begin(MACS_AND_TYPE), std::end(MACS_AND_TYPE));
    const std::size_t ip = frame.size();
    const auto udpLength = static_cast<uint32_t>(UDP_HEADER + size);
    Append16(frame, 0x4500); // version 4, no options, ToS 0
    Append16(frame, static_cast<uint32_t>(IP_HEADER) + udpLength);
    Append16(frame, identification);
    Append16(frame, 0x4000); // don't fragment
    Append16(frame, TTL << 8 | PROTOCOL_UDP);
    Append16(frame, 0);
    Append32(frame, udp.sourceAddress);
    Append32(frame, udp.destinationAddress);
    Store16(frame, ip + 10, FoldChecksum(SumWords(&frame[ip], IP_HEADER)));
    Append16(frame, udp.sourcePort);
    Append16(frame, udp.destinationPort);
    Append16(frame, udpLength);
    Append16(frame, 0);
    frame.insert(frame.end(), data, data + size);
    const uint16_t checksum =
        FoldChecksum(SumWords(&frame[ip + 12], frame.size() - ip - 12) + PROTOCOL_UDP + udpLength);
    Store16(frame, ip + IP_HEADER + 6, checksum ? checksum : 0xffff); // 0 would mean "none"
    return frame;
}

void
Write(OutputFile& file, const Bytes& bytes)
{
    file.Write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

} // namespace

CaptureWriter::CaptureWriter(const std::string& path, const UdpPath& udp, OutputKind kind)
    : m_udp(udp),
      m_file(path, kind)
{
    Bytes header;
    for (uint32_t word : {MAGIC_NANOSECONDS, VERSION_2_4, 0U, 0U, SNAP_LENGTH, LINKTYPE_ETHERNET})
    {
        AppendLittle32(header, word);
    }
    esxnf::Write(m_file, header);
}

void
CaptureWriter::Write(int64_t unixNs, const uint8_t* data, std::size_t size)
{
    Write(m_udp, unixNs, data, size);
}

void
CaptureWriter::Write(const UdpPath& udp, int64_t unixNs, const uint8_t* data, std::size_t size)
{
    const Bytes frame = MakeFrame(udp, m_identification++, data, size);
    const auto length = static_cast<uint32_t>(frame.size());
    Bytes packet;
    for (uint32_t word : {static_cast<uint32_t>(unixNs / NS_PER_SECOND),
                          static_cast<uint32_t>(unixNs % NS_PER_SECOND),
                          length,
                          length})
    {
        AppendLittle32(packet, word);
    }
    packet.insert(packet.end(), frame.begin(), frame.end());
    esxnf::Write(m_file, packet);
}

void
CaptureWriter::Flush()
{
    m_file.Flush();
}

void
CaptureWriter::Close()
{
    m_file.Close();
}

} // namespace esxnf
