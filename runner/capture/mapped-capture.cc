// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/mapped-capture.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
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
// Many packets a system call, few enough for the pages to be in a cache still when they are reused.
// The longest packet fits in several times.
constexpr std::size_t WINDOW = 4U << 20;

} // namespace

std::unique_ptr<MappedCapture>
MappedCapture::TryOpen(const std::string& path, int linkType)
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
    std::unique_ptr<MappedCapture> capture(new MappedCapture(path, linkType, file));
    return capture->ReadFileHeader() ? std::move(capture) : nullptr;
}

MappedCapture::MappedCapture(const std::string& path, int linkType, int file)
    : m_path(path),
      m_linkType(linkType),
      m_file(file)
{
}

MappedCapture::~MappedCapture()
{
    Unmap();
    close(m_file);
}

/// \return false if this is a job for libpcap
bool
MappedCapture::ReadFileHeader()
{
    if (!MapFrom(0) || m_windowSize < FILE_HEADER)
    {
        return false;
    }
    for (const bool swapped : {false, true})
    {
        m_swapped = swapped;
        const uint32_t magic = Field(m_window);
        if (magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS)
        {
            m_fractionUnit = magic == MAGIC_MICROSECONDS ? 1000 : 1;
            m_snapLength = Field(m_window + SNAP_LENGTH_AT);
            if (m_snapLength == 0 || m_snapLength > MAX_CAPTURED) // bogus: as libpcap takes it
            {
                m_snapLength = MAX_CAPTURED;
            }
            m_position = FILE_HEADER;
            const uint32_t version = Field(m_window + VERSION_AT);
            return version == VERSION_2_4[0] || version == VERSION_2_4[1];
        }
    }
    return false;
}

/// A field of 32 bits in the file's byte order.
uint32_t
MappedCapture::Field(const uint8_t* at) const
{
    uint32_t value;
    std::memcpy(&value, at, sizeof(value));
    return m_swapped ? __builtin_bswap32(value) : value;
}

/// Moves the window so that it begins at or before an offset. \return false if there is no octet
bool
MappedCapture::MapFrom(uint64_t offset)
{
    static const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    Unmap();
    struct stat status = {}; // again: the file may have grown, or shrunk
    const uint64_t fileSize =
        fstat(m_file, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
    m_windowOffset = offset; // of an empty window, should there be nothing to map
    m_position = 0;
    if (offset >= fileSize)
    {
        return false;
    }
    const uint64_t start = offset / page * page;
    const auto size = static_cast<std::size_t>(std::min<uint64_t>(WINDOW, fileSize - start));
    void* window = mmap(nullptr,
                        size,
                        PROT_READ,
                        MAP_PRIVATE | MAP_POPULATE,
                        m_file,
                        static_cast<off_t>(start));
    if (window == MAP_FAILED)
    {
        m_damage = fmt::format("cannot be mapped: {}", std::strerror(errno));
        return false;
    }
    m_window = static_cast<const uint8_t*>(window);
    m_windowOffset = start;
    m_windowSize = size;
    m_position = static_cast<std::size_t>(offset - start);
    return true;
}

void
MappedCapture::Unmap()
{
    if (m_window)
    {
        munmap(const_cast<uint8_t*>(m_window), m_windowSize);
    }
    m_window = nullptr;
    m_windowSize = 0;
}

/// Whether the window holds so many octets from the next packet on.
bool
MappedCapture::Holds(std::size_t octets) const
{
    return m_windowSize - m_position >= octets;
}

std::size_t
MappedCapture::NextBatch(CapturedFrame* frames, std::size_t max)
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
MappedCapture::ReadSound(CapturedFrame* frames, std::size_t max)
{
    const uint8_t* at = m_window + m_position;
    std::size_t left = m_windowSize - m_position;
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
    m_position = m_windowSize - left;
    return count;
}

/**
 * Reads the next frame.
 * \param mayMove the window may move: no frame of this batch was read yet
 * \return false if there is none in the window, at the end, and where there is damage
 */
bool
MappedCapture::Read(CapturedFrame& frame, bool mayMove)
{
    if (!Holds(PACKET_HEADER) && !(mayMove && MapFrom(m_windowOffset + m_position)))
    {
        return false; // the end of the window or of the file
    }
    if (!Holds(PACKET_HEADER))
    {
        m_damage = fmt::format("truncated: {} octets of its header of {}",
                               m_windowSize - m_position,
                               PACKET_HEADER);
        return false;
    }
    const uint8_t* at = m_window + m_position;
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
        if (!mayMove || !MapFrom(m_windowOffset + m_position))
        {
            return false;
        }
        if (!Holds(PACKET_HEADER + octets))
        {
            m_damage = fmt::format("truncated: {} octets of {}",
                                   m_windowSize - m_position - PACKET_HEADER,
                                   octets);
            return false;
        }
        at = m_window + m_position;
    }
    frame.unixNs = static_cast<int64_t>(header.seconds * NS_PER_SECOND + header.fraction);
    frame.data = at + PACKET_HEADER;
    frame.captured = header.captured;
    frame.wire = header.wire;
    m_position += PACKET_HEADER + octets;
    return true;
}

int
MappedCapture::GetLinkType() const
{
    return m_linkType;
}

} // namespace esxnf
