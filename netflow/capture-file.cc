// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/capture-file.h"

#include "netflow/pcap-format.h"
#include "netflow/pcapng-format.h"

#include <cstring>
#include <utility>

namespace netflow
{

namespace
{

/// How files begin that a program has compressed, and which.
struct Compression
{
    std::string magic;
    const char* program;
};

const Compression COMPRESSIONS[] = {
    {"\x1f\x8b", "gzip"},
    {"\x28\xb5\x2f\xfd", "zstd"},
    {"\x04\x22\x4d\x18", "lz4"},
    {std::string("\xfd"
                 "7zXZ"),
     "xz"},
    {"BZh", "bzip2"},
};

std::string
DescribeUnknown(const uint8_t* data, std::size_t size)
{
    for (const Compression& compression : COMPRESSIONS)
    {
        if (size >= compression.magic.size() &&
            std::memcmp(data, compression.magic.data(), compression.magic.size()) == 0)
        {
            const std::string program = compression.program;
            return "compressed with " + program + ": unpack it first, or pipe it in ('" + program +
                   " -dc FILE |' before the command, '-' as the capture)";
        }
    }
    return "unknown file format: neither pcap nor pcapng";
}

} // namespace

CaptureFormat::CaptureFormat(OctetWindow& window, CaptureCounts& counts)
    : m_window(window),
      m_counts(counts)
{
}

std::size_t
CaptureFormat::NextBatch(CapturedFrame* frames, std::size_t max)
{
    m_read = ReadUsual(frames, max);
    while (m_read < max && Read(frames[m_read], m_read == 0))
    {
        ++m_read;
    }
    m_counts.packets += m_read;
    return std::exchange(m_read, 0);
}

std::size_t
CaptureFormat::ReadUsual(CapturedFrame*, std::size_t)
{
    return 0;
}

bool
CaptureFormat::Recover(const std::string& damage)
{
    Blame(damage);
    do
    {
        m_window.Pass(1);
        ++m_counts.passedOver;
        if (!m_window.Fetch(1))
        {
            return false;
        }
    } while (!IsPlausible());
    return true;
}

void
CaptureFormat::Blame(const std::string& damage)
{
    ++m_counts.damages;
    if (m_counts.firstDamage.empty())
    {
        m_counts.firstDamage = NextPacket() + damage;
    }
}

std::string
CaptureFormat::NextPacket() const
{
    return "packet " + std::to_string(m_counts.packets + m_read + 1) + ": ";
}

uint32_t
CaptureFormat::Field(const uint8_t* at) const
{
    uint32_t value;
    std::memcpy(&value, at, sizeof(value));
    return m_swapped ? __builtin_bswap32(value) : value;
}

uint16_t
CaptureFormat::Field16(const uint8_t* at) const
{
    uint16_t value;
    std::memcpy(&value, at, sizeof(value));
    return m_swapped ? __builtin_bswap16(value) : value;
}

bool
CaptureFormat::EndIn(const std::string& what, uint64_t expected)
{
    const std::size_t there = m_window.GetSize();
    if (!m_window.GetError().empty())
    {
        Blame(m_window.GetError());
    }
    else if (there > 0)
    {
        return Recover("truncated: " + std::to_string(there) + " octets of " + what +
                       std::to_string(expected));
    }
    m_counts.passedOver += there;
    m_window.Pass(there);
    return false;
}

CaptureFile::CaptureFile(ReadOctets read)
    : m_window(std::move(read))
{
}

CaptureFile::~CaptureFile() = default;

std::string
CaptureFile::Open()
{
    if (!m_window.Fetch(4))
    {
        const std::string& error = m_window.GetError();
        return !error.empty()
                   ? error
                   : "truncated: " + std::to_string(m_window.GetSize()) + " octets are no capture";
    }
    if (auto pcap = std::make_unique<PcapFormat>(m_window, m_counts); pcap->KnowsMagic())
    {
        const std::string wrong = pcap->ReadHead();
        m_format = std::move(pcap);
        return wrong;
    }
    if (PcapngFormat::KnowsMagic(m_window.Get()))
    {
        m_format = std::make_unique<PcapngFormat>(m_window, m_counts);
        return "";
    }
    return DescribeUnknown(m_window.Get(), m_window.GetSize());
}

std::size_t
CaptureFile::NextBatch(CapturedFrame* frames, std::size_t max)
{
    return m_format->NextBatch(frames, max);
}

PacketSummary
CaptureFile::Parse(const CapturedFrame& frame, bool trustIpLength)
{
    constexpr uint32_t MAX_IP = 65535;
    PacketSummary summary = frame.link.Parse(frame.data, frame.captured, frame.wire);
    m_counts.offloaded += summary.offloaded;
    if (summary.verdict == FrameVerdict::TOTAL_LENGTH_EXCEEDS_FRAME && frame.captured == frame.wire)
    {
        ++m_counts.cut;
        return trustIpLength ? frame.link.Parse(frame.data, frame.captured, frame.captured + MAX_IP)
                             : summary;
    }
    return summary;
}

std::string
CaptureFile::DescribeDamage() const
{
    if (m_counts.damages == 0)
    {
        return "";
    }
    std::string text = m_counts.firstDamage;
    if (m_counts.damages > 1)
    {
        text += ", and damage at " + std::to_string(m_counts.damages - 1) + " later places";
    }
    return text + "; passed over " + std::to_string(m_counts.passedOver) + " octets, read " +
           std::to_string(m_counts.packets) + " packets";
}

} // namespace netflow
