// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/pcap-format.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace netflow
{

namespace
{

constexpr uint32_t MAGIC_MICROSECONDS = 0xa1b2c3d4;
constexpr uint32_t MAGIC_NANOSECONDS = 0xa1b23c4d;
constexpr uint32_t MAGIC_KUZNETZOV = 0xa1b2cd34; // microseconds, and eight octets more a header
constexpr std::size_t FILE_HEADER = 24;
constexpr std::size_t VERSION_AT = 4;
constexpr std::size_t SNAP_LENGTH_AT = 16;
constexpr std::size_t LINK_TYPE_AT = 20;
constexpr uint32_t LINK_TYPE = 0x03ffffff; // above are what it says about checksums
constexpr std::size_t USUAL_HEADER = 16;
constexpr uint32_t MAX_CAPTURED = 262144; // libpcap's MAXIMUM_SNAPLEN: what is longer is damage
static_assert(OctetWindow::SIZE >= 24 + MAX_CAPTURED, "the longest packet must fit");
// To be taken for a packet's header behind damage, octets must look like so many in a row.
constexpr unsigned HEADERS_IN_A_ROW = 3;
constexpr int64_t SECONDS_BETWEEN = 86400; // and be at most so far apart

} // namespace

bool
PcapFormat::KnowsMagic()
{
    for (const bool swapped : {false, true})
    {
        m_swapped = swapped;
        const uint32_t magic = Field(m_window.Get());
        if (magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS || magic == MAGIC_KUZNETZOV)
        {
            m_unit = magic == MAGIC_NANOSECONDS ? 1 : 1000;
            m_headerSize = magic == MAGIC_KUZNETZOV ? USUAL_HEADER + 8 : USUAL_HEADER;
            return true;
        }
    }
    return false;
}

std::string
PcapFormat::ReadHead()
{
    if (!m_window.Fetch(FILE_HEADER))
    {
        return "truncated: " + std::to_string(m_window.GetSize()) + " octets of the header of " +
               std::to_string(FILE_HEADER);
    }
    const uint8_t* head = m_window.Get();
    const unsigned major = Field16(head + VERSION_AT);
    const unsigned minor = Field16(head + VERSION_AT + 2);
    const bool isDg = major == 543 && minor == 0; // a vendor's tcpdump
    if ((major != 2 || minor > 4) && !isDg)
    {
        return "version " + std::to_string(major) + "." + std::to_string(minor) +
               " of pcap is not known; allowed: 2.0 to 2.4";
    }
    if (minor < 3)
    {
        m_lengths = LengthOrder::SWAPPED;
    }
    else if (minor == 3)
    {
        m_lengths = LengthOrder::LARGER_LAST;
    }
    m_snapLength = Field(head + SNAP_LENGTH_AT);
    if (m_snapLength == 0 || m_snapLength > MAX_CAPTURED) // bogus: as libpcap takes it
    {
        m_snapLength = MAX_CAPTURED;
    }
    m_linkType = static_cast<int>(Field(head + LINK_TYPE_AT) & LINK_TYPE);
    const std::optional<LinkLayer> link = LinkLayer::FromLinkType(m_linkType);
    m_window.Pass(FILE_HEADER);
    if (!link)
    {
        m_counts.unknownLinkType = m_linkType;
        return "link type " + std::to_string(m_linkType) +
               " is not supported; these are: " + LinkLayer::GetNames();
    }
    m_link = *link;
    return "";
}

/// Reads frames of this machine's byte order as long as nothing is unusual: the short way.
std::size_t
PcapFormat::ReadUsual(CapturedFrame* frames, std::size_t max)
{
    if (m_swapped || m_headerSize != USUAL_HEADER || m_lengths != LengthOrder::USUAL)
    {
        return 0;
    }
    const uint8_t* at = m_window.Get();
    std::size_t left = m_window.GetSize();
    const uint32_t unit = m_unit;
    const uint32_t longest = m_snapLength; // MAX_CAPTURED at the most
    const LinkLayer link = m_link;
    uint32_t latest = m_latest;
    std::size_t count = 0;
    while (count < max && left >= USUAL_HEADER)
    {
        uint32_t fields[4];
        std::memcpy(fields, at, sizeof(fields));
        const auto& [seconds, fraction, captured, wire] = fields;
        const uint64_t ns = uint64_t{fraction} * unit;
        if (captured > longest || captured > left - USUAL_HEADER || captured > wire ||
            ns >= NS_PER_SECOND)
        {
            break;
        }
        frames[count] = {static_cast<int64_t>(seconds * uint64_t{NS_PER_SECOND} + ns),
                         at + USUAL_HEADER,
                         captured,
                         wire,
                         link};
        latest = seconds;
        ++count;
        at += USUAL_HEADER + captured;
        left -= USUAL_HEADER + captured;
    }
    m_latest = latest;
    m_window.Pass(m_window.GetSize() - left);
    return count;
}

bool
PcapFormat::Read(CapturedFrame& frame, bool mayMove)
{
    for (;;)
    {
        if (m_window.GetSize() < m_headerSize && (!mayMove || !m_window.Fetch(m_headerSize)))
        {
            if (mayMove && EndIn("its header of ", m_headerSize))
            {
                continue;
            }
            return false;
        }
        const Header header = ReadHeader(m_window.Get());
        const std::size_t size = m_headerSize + header.captured;
        const bool sound = header.captured <= MAX_CAPTURED && !IsOddAndFar(header);
        if (sound && (m_window.GetSize() >= size || (mayMove && m_window.Fetch(size))))
        {
            Fill(frame, header);
            m_window.Pass(size);
            return true;
        }
        if (!mayMove)
        {
            return false;
        }
        const bool goesOn = sound ? EndIn("header and data of ", size)
                            : header.captured > MAX_CAPTURED
                                ? Recover(std::to_string(header.captured) + " octets captured; " +
                                          std::to_string(MAX_CAPTURED) + " at most are possible")
                                : Recover("its time and lengths fit no packet");
        if (!goesOn)
        {
            return false;
        }
    }
}

PcapFormat::Header
PcapFormat::ReadHeader(const uint8_t* at) const
{
    Header header{Field(at), Field(at + 4), Field(at + 8), Field(at + 12)};
    if (m_lengths == LengthOrder::SWAPPED ||
        (m_lengths == LengthOrder::LARGER_LAST && header.captured > header.wire))
    {
        std::swap(header.captured, header.wire);
    }
    return header;
}

/// Whether a header is odd and its time far from the one before: then it is none.
bool
PcapFormat::IsOddAndFar(const Header& header) const
{
    const int64_t step = int64_t{header.seconds} - m_latest;
    return (header.captured > header.wire || uint64_t{header.fraction} * m_unit >= NS_PER_SECOND) &&
           m_latest > 0 && header.seconds > 0 &&
           (step > SECONDS_BETWEEN || step < -SECONDS_BETWEEN);
}

/// Everything that is odd about a packet is told, and nothing of it is damage.
void
PcapFormat::Fill(CapturedFrame& frame, const Header& header)
{
    const uint64_t ns = uint64_t{header.fraction} * m_unit;
    if (ns >= NS_PER_SECOND && m_counts.carried++ == 0)
    {
        m_counts.firstCarried = NextPacket() + "a fraction of " + std::to_string(header.fraction) +
                                (m_unit == 1 ? " ns" : " us");
    }
    const uint64_t time = header.seconds * uint64_t{NS_PER_SECOND} + ns;
    m_counts.outOfYears += time > MAX_UNIX_NS;
    m_counts.aboveWire += header.captured > header.wire;
    frame.unixNs = static_cast<int64_t>(std::min<uint64_t>(time, MAX_UNIX_NS));
    frame.data = m_window.Get() + m_headerSize;
    frame.captured = std::min(header.captured, m_snapLength); // the rest is passed over
    frame.wire = std::max(header.captured, header.wire);
    frame.link = m_link;
    m_latest = header.seconds;
}

bool
PcapFormat::IsPlausibleHeader(const Header& header, uint32_t secondsBefore) const
{
    const int64_t step = int64_t{header.seconds} - secondsBefore;
    return header.captured > 0 && header.captured <= m_snapLength &&
           header.captured <= header.wire && header.wire <= MAX_CAPTURED &&
           uint64_t{header.fraction} * m_unit < NS_PER_SECOND &&
           (secondsBefore == 0 || (step <= SECONDS_BETWEEN && step >= -SECONDS_BETWEEN));
}

bool
PcapFormat::IsPlausible()
{
    std::size_t at = 0;
    uint32_t before = m_latest;
    for (unsigned i = 0; i < HEADERS_IN_A_ROW; ++i)
    {
        if (at + m_headerSize > OctetWindow::SIZE)
        {
            break;
        }
        if (!m_window.Fetch(at + m_headerSize))
        {
            return i > 1 && m_window.GetSize() == at; // the end of the file
        }
        const Header header = ReadHeader(m_window.Get() + at);
        if (!IsPlausibleHeader(header, before))
        {
            return false;
        }
        before = header.seconds;
        at += m_headerSize + header.captured;
    }
    return true;
}

} // namespace netflow
