// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/pcap-file-capture.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

constexpr uint32_t MAGIC_MICROSECONDS = 0xa1b2c3d4;
constexpr uint32_t MAGIC_NANOSECONDS = 0xa1b23c4d;
constexpr uint32_t VERSION_2_4[2] = {0x00040002, 0x00020004}; // two fields; little, big endian
constexpr std::size_t FILE_HEADER = 24;
constexpr std::size_t VERSION_AT = 4;
constexpr std::size_t SNAP_LENGTH_AT = 16;
constexpr std::size_t PACKET_HEADER = 16;
constexpr std::size_t FRACTION_AT = 4;
constexpr std::size_t CAPTURED_AT = 8;
constexpr std::size_t WIRE_AT = 12;
constexpr uint64_t NS_PER_SECOND = 1'000'000'000;
constexpr uint32_t MAX_CAPTURED = 262144; // libpcap's MAXIMUM_SNAPLEN: what is longer is damage
// Many packets a system call, and yet in the processor's second cache when they are looked at.
constexpr std::size_t BLOCK = 512U << 10;
static_assert(BLOCK >= PACKET_HEADER + MAX_CAPTURED, "the longest packet must fit");

} // namespace

std::unique_ptr<PcapFileCapture>
PcapFileCapture::TryOpen(const std::string& path, int linkType)
{
    struct stat status = {};
    if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    {
        return nullptr; // a pipe must not be opened twice
    }
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
    {
        return nullptr;
    }
    std::unique_ptr<PcapFileCapture> capture(new PcapFileCapture(path, linkType, file));
    return capture->ReadFileHeader() ? std::move(capture) : nullptr;
}

PcapFileCapture::PcapFileCapture(const std::string& path, int linkType, int file)
    : m_path(path),
      m_linkType(linkType),
      m_file(file),
      m_block(new uint8_t[BLOCK])
{
}

PcapFileCapture::~PcapFileCapture()
{
    close(m_file);
}

/// \return false if this is a job for libpcap
bool
PcapFileCapture::ReadFileHeader()
{
    if (!Load(0) || m_blockSize < FILE_HEADER)
    {
        return false;
    }
    for (const bool swapped : {false, true})
    {
        m_swapped = swapped;
        const uint32_t magic = Field(m_block.get());
        if (magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS)
        {
            m_fractionUnit = magic == MAGIC_MICROSECONDS ? 1000 : 1;
            m_snapLength = Field(m_block.get() + SNAP_LENGTH_AT);
            if (m_snapLength == 0 || m_snapLength > MAX_CAPTURED) // bogus: as libpcap takes it
            {
                m_snapLength = MAX_CAPTURED;
            }
            m_position = FILE_HEADER;
            const uint32_t version = Field(m_block.get() + VERSION_AT);
            return version == VERSION_2_4[0] || version == VERSION_2_4[1];
        }
    }
    return false;
}

/// A field of 32 bits in the file's byte order.
uint32_t
PcapFileCapture::Field(const uint8_t* at) const
{
    uint32_t value;
    std::memcpy(&value, at, sizeof(value));
    return m_swapped ? __builtin_bswap32(value) : value;
}

/// Reads the block that begins at an offset. \return false if there is no octet
bool
PcapFileCapture::Load(uint64_t offset)
{
    m_blockOffset = offset;
    m_blockSize = 0;
    m_position = 0;
    while (m_blockSize < BLOCK)
    {
        const ssize_t got = pread(m_file,
                                  m_block.get() + m_blockSize,
                                  BLOCK - m_blockSize,
                                  static_cast<off_t>(offset + m_blockSize));
        if (got > 0)
        {
            m_blockSize += static_cast<std::size_t>(got);
        }
        else if (got == 0 || errno != EINTR)
        {
            if (got < 0)
            {
                Blame(fmt::format("cannot be read: {}", std::strerror(errno)));
            }
            break;
        }
    }
    return m_blockSize > 0;
}

/// What ends the file; the first that is found: a block that cannot be read whole looks cut off.
void
PcapFileCapture::Blame(const std::string& damage)
{
    if (m_damage.empty())
    {
        m_damage = damage;
    }
}

/// Whether the block holds so many octets from the next packet on.
bool
PcapFileCapture::Holds(std::size_t octets) const
{
    return m_blockSize - m_position >= octets;
}

std::size_t
PcapFileCapture::NextBatch(CapturedFrame* frames, std::size_t max)
{
    std::size_t count = m_swapped ? 0 : ReadSound(frames, max);
    while (count < max && Read(frames[count], count == 0))
    {
        ++count;
    }
    if (count == 0 && !m_damage.empty())
    {
        throw DamagedPacket(m_path, m_count + 1, m_damage);
    }
    m_count += count;
    return count;
}

/// Reads frames of this machine's byte order as long as nothing is unusual: the short way.
std::size_t
PcapFileCapture::ReadSound(CapturedFrame* frames, std::size_t max)
{
    const uint8_t* at = m_block.get() + m_position;
    std::size_t left = m_blockSize - m_position;
    const uint32_t unit = m_fractionUnit;
    const uint32_t longest = m_snapLength; // MAX_CAPTURED at the most
    std::size_t count = 0;
    while (count < max && left >= PACKET_HEADER)
    {
        uint32_t fields[4];
        std::memcpy(fields, at, sizeof(fields));
        const auto& [seconds, fraction, captured, wire] = fields;
        const uint64_t ns = uint64_t{fraction} * unit;
        if (captured > longest || captured > left - PACKET_HEADER || captured > wire ||
            ns >= NS_PER_SECOND)
        {
            break;
        }
        frames[count] = {static_cast<int64_t>(seconds * NS_PER_SECOND + ns),
                         at + PACKET_HEADER,
                         captured,
                         wire};
        ++count;
        at += PACKET_HEADER + captured;
        left -= PACKET_HEADER + captured;
    }
    m_position = m_blockSize - left;
    return count;
}

/**
 * Reads the next frame.
 * \param mayMove the block may move: no frame of this batch was read yet
 * \return false if there is none in the block, at the end, and where there is damage
 */
bool
PcapFileCapture::Read(CapturedFrame& frame, bool mayMove)
{
    if (!Holds(PACKET_HEADER) && !(mayMove && Load(m_blockOffset + m_position)))
    {
        return false; // the end of the block or of the file
    }
    if (!Holds(PACKET_HEADER))
    {
        Blame(fmt::format("truncated: {} octets of its header of {}",
                          m_blockSize - m_position,
                          PACKET_HEADER));
        return false;
    }
    const uint8_t* at = m_block.get() + m_position;
    const uint32_t octets = Field(at + CAPTURED_AT);
    if (octets > MAX_CAPTURED)
    {
        m_damage = fmt::format("{} octets captured; {} at most are possible", octets, MAX_CAPTURED);
        return false;
    }
    const CapturedHeader header{Field(at),
                                uint64_t{Field(at + FRACTION_AT)} * m_fractionUnit,
                                std::min(octets, m_snapLength), // the rest is passed over
                                Field(at + WIRE_AT)};
    if (!IsSound(header))
    {
        m_damage = DescribeDamage(header);
        return false;
    }
    if (!Holds(PACKET_HEADER + octets))
    {
        if (!mayMove || !Load(m_blockOffset + m_position))
        {
            return false;
        }
        if (!Holds(PACKET_HEADER + octets))
        {
            Blame(fmt::format("truncated: {} octets of {}",
                              m_blockSize - m_position - PACKET_HEADER,
                              octets));
            return false;
        }
        at = m_block.get() + m_position;
    }
    frame.unixNs = static_cast<int64_t>(header.seconds * NS_PER_SECOND + header.fraction);
    frame.data = at + PACKET_HEADER;
    frame.captured = header.captured;
    frame.wire = header.wire;
    m_position += PACKET_HEADER + octets;
    return true;
}

int
PcapFileCapture::GetLinkType() const
{
    return m_linkType;
}

} // namespace esxnf
