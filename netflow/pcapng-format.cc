// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/pcapng-format.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace netflow
{

namespace
{

constexpr uint32_t SECTION = 0x0a0d0d0a; // the same in either byte order
constexpr uint32_t INTERFACE = 1;
constexpr uint32_t OBSOLETE_PACKET = 2;
constexpr uint32_t SIMPLE_PACKET = 3;
constexpr uint32_t ENHANCED_PACKET = 6;
constexpr uint32_t LAST_NUMBER = 11; // and then there are these, which a program may leave out:
constexpr uint32_t CUSTOM[2] = {0x00000bad, 0x40000bad};

constexpr uint32_t ORDER_MAGIC = 0x1a2b3c4d;
constexpr uint32_t BODY_AT = 8;
constexpr uint32_t SMALLEST = 12;
constexpr uint32_t SMALLEST_SECTION = 28;
constexpr uint32_t SMALLEST_INTERFACE = 20;
constexpr uint32_t PACKET_DATA_AT = 28; // of enhanced and obsolete ones
constexpr uint32_t SIMPLE_DATA_AT = 12;
constexpr uint32_t TRAILER = 4;          // the size again
constexpr uint32_t MAX_BLOCK = 16 << 20; // as libpcap: what is longer is damage
constexpr uint32_t MAX_CAPTURED = 262144;
static_assert(OctetWindow::SIZE >= PACKET_DATA_AT + MAX_CAPTURED, "the longest packet must fit");

constexpr uint16_t OPTION_RESOLUTION = 9; // if_tsresol
constexpr uint16_t OPTION_OFFSET = 14;    // if_tsoffset
constexpr uint8_t MICROSECONDS = 6;
constexpr uint8_t POWER_OF_TWO = 0x80;

__extension__ using Wide = __int128;

} // namespace

bool
PcapngFormat::KnowsMagic(const uint8_t* data)
{
    return std::memcmp(data, &SECTION, sizeof(SECTION)) == 0;
}

bool
PcapngFormat::Read(CapturedFrame& frame, bool mayMove)
{
    Block block;
    while (FindBlock(block, mayMove))
    {
        bool isPacket = false;
        std::string damage;
        switch (block.type)
        {
        case SECTION:
            damage = BeginSection(block);
            break;
        case INTERFACE:
            damage = AddInterface(block);
            break;
        case OBSOLETE_PACKET:
        case SIMPLE_PACKET:
        case ENHANCED_PACKET:
            damage = Fill(frame, block);
            isPacket = damage.empty();
            break;
        default: // names, statistics, secrets, others: nothing that is metered
            break;
        }
        if (!damage.empty())
        {
            Blame(damage);
            m_counts.passedOver += block.size;
        }
        m_window.Pass(block.visible);
        m_longBlock = block.size - block.visible;
        if (isPacket)
        {
            return true;
        }
    }
    return false;
}

/// Goes to the next block that is whole. \return false as Read()
bool
PcapngFormat::FindBlock(Block& block, bool mayMove)
{
    for (;;)
    {
        if (m_longBlock > 0 && (!mayMove || !FinishLongBlock()))
        {
            return false;
        }
        if (m_window.GetSize() < SMALLEST && (!mayMove || !m_window.Fetch(SMALLEST)))
        {
            if (!mayMove || !EndIn("a block of at least ", SMALLEST))
            {
                return false;
            }
            continue;
        }
        const bool swapped = m_swapped;
        std::string damage = ReadHead(block);
        if (damage.empty())
        {
            if (m_window.GetSize() < block.visible && (!mayMove || !m_window.Fetch(block.visible)))
            {
                m_swapped = swapped; // the head is read again
                if (!mayMove || !EndIn("a block of ", block.size))
                {
                    return false;
                }
                continue;
            }
            if (IsWhole(block))
            {
                return true;
            }
            damage = "the two lengths of a block differ";
        }
        m_swapped = swapped;
        if (!mayMove || !Recover(damage))
        {
            return false;
        }
    }
}

/// Type and size of the next block; of a section, its byte order. \return what is wrong
std::string
PcapngFormat::ReadHead(Block& block)
{
    const uint8_t* at = m_window.Get();
    block.type = Field(at);
    if (block.type == SECTION)
    {
        m_swapped = false;
        m_swapped = Field(at + BODY_AT) != ORDER_MAGIC;
        if (Field(at + BODY_AT) != ORDER_MAGIC)
        {
            return "a section without a byte order";
        }
    }
    block.size = Field(at + 4);
    block.visible = std::min<std::size_t>(block.size, OctetWindow::SIZE);
    return block.size < SMALLEST || block.size % 4 != 0 || block.size > MAX_BLOCK
               ? "a block of " + std::to_string(block.size) + " octets"
               : "";
}

/// Whether the end of a block says the same size; of longer ones than the window: later.
bool
PcapngFormat::IsWhole(const Block& block) const
{
    return block.size > OctetWindow::SIZE ||
           Field(m_window.Get() + block.size - TRAILER) == block.size;
}

bool
PcapngFormat::FinishLongBlock()
{
    if (!m_window.Skip(std::exchange(m_longBlock, 0)))
    {
        Blame("truncated: a block of more than " + std::to_string(OctetWindow::SIZE) + " octets");
        return false;
    }
    return true;
}

bool
PcapngFormat::IsPlausible()
{
    if (!m_window.Fetch(SMALLEST))
    {
        return false;
    }
    const bool swapped = m_swapped;
    const uint32_t type = Field(m_window.Get());
    Block block;
    const bool plausible = (type == SECTION || (type > 0 && type <= LAST_NUMBER) ||
                            type == CUSTOM[0] || type == CUSTOM[1]) &&
                           ReadHead(block).empty() && block.size <= OctetWindow::SIZE &&
                           m_window.Fetch(block.size) && IsWhole(block);
    m_swapped = swapped;
    return plausible;
}

std::string
PcapngFormat::BeginSection(const Block& block)
{
    m_interfaces.clear();
    return block.size < SMALLEST_SECTION ? "a section header is too short" : "";
}

std::string
PcapngFormat::AddInterface(const Block& block)
{
    const uint8_t* at = m_window.Get();
    if (block.size < SMALLEST_INTERFACE)
    {
        return "an interface description is too short";
    }
    Interface interface {
        Field16(at + BODY_AT), {}, Field(at + BODY_AT + 4), MICROSECONDS, 0
    };
    interface.link = LinkLayer::FromLinkType(interface.linkType).value_or(LinkLayer());
    const std::size_t end = block.visible - TRAILER;
    for (std::size_t option = BODY_AT + 8; option + 4 <= end;)
    {
        const uint16_t code = Field16(at + option);
        const uint16_t size = Field16(at + option + 2);
        const uint8_t* value = at + option + 4;
        option += 4 + (size + 3U) / 4 * 4;
        if (code == 0 || option > end)
        {
            break;
        }
        if (code == OPTION_RESOLUTION && size == 1)
        {
            interface.resolution = *value;
        }
        else if (code == OPTION_OFFSET && size == 8)
        {
            uint64_t seconds;
            std::memcpy(&seconds, value, sizeof(seconds));
            seconds = m_swapped ? __builtin_bswap64(seconds) : seconds;
            interface.offset = static_cast<int64_t>(seconds);
        }
    }
    m_interfaces.push_back(interface);
    return "";
}

std::string
PcapngFormat::Fill(CapturedFrame& frame, const Block& block)
{
    Packet packet;
    if (!ReadPacket(block, packet))
    {
        return "a packet block is too short";
    }
    if (packet.interface >= m_interfaces.size())
    {
        return "of interface " + std::to_string(packet.interface) + ", which no block describes";
    }
    const Interface& interface = m_interfaces[packet.interface];
    const uint32_t longest = interface.snapLength > 0 ? interface.snapLength : UINT32_MAX;
    if (block.type == SIMPLE_PACKET)
    {
        packet.captured = std::min(
            {packet.wire, longest, static_cast<uint32_t>(block.size - SIMPLE_DATA_AT - TRAILER)});
    }
    const uint64_t room = block.size - packet.dataAt - TRAILER;
    if (packet.captured > room || packet.captured > MAX_CAPTURED)
    {
        return std::to_string(packet.captured) + " octets captured; " +
               std::to_string(std::min<uint64_t>(room, MAX_CAPTURED)) + " at most are possible";
    }
    m_counts.aboveWire += packet.captured > packet.wire;
    if (!interface.link.IsKnown())
    {
        ++m_counts.unknownLinks;
        m_counts.unknownLinkType =
            m_counts.unknownLinkType < 0 ? interface.linkType : m_counts.unknownLinkType;
    }
    frame.unixNs = packet.timed ? ToUnixNs(packet, interface) : NO_TIME;
    frame.data = m_window.Get() + packet.dataAt;
    frame.captured = std::min(packet.captured, longest); // the rest is passed over
    frame.wire = std::max(packet.captured, packet.wire);
    frame.link = interface.link;
    return "";
}

/// Reads a packet block of any kind. \return false if it is too short for its fields
bool
PcapngFormat::ReadPacket(const Block& block, Packet& packet) const
{
    const uint8_t* body = m_window.Get() + BODY_AT;
    packet = {};
    if (block.type == SIMPLE_PACKET)
    {
        packet.dataAt = SIMPLE_DATA_AT;
        packet.wire = Field(body);
    }
    else if (block.size >= PACKET_DATA_AT + TRAILER)
    {
        packet.dataAt = PACKET_DATA_AT;
        packet.interface = block.type == ENHANCED_PACKET ? Field(body) : Field16(body);
        packet.time = uint64_t{Field(body + 4)} << 32 | Field(body + 8);
        packet.timed = true;
        packet.captured = Field(body + 12);
        packet.wire = Field(body + 16);
    }
    return packet.dataAt > 0 && block.size >= packet.dataAt + TRAILER;
}

/// By resolution and offset of its interface.
int64_t
PcapngFormat::ToUnixNs(const Packet& packet, const Interface& interface)
{
    Wide ns = 0;
    const unsigned digits = interface.resolution & ~POWER_OF_TWO & 0xffU;
    if ((interface.resolution & POWER_OF_TWO) != 0)
    {
        ns = digits < 96 ? Wide{packet.time} * NS_PER_SECOND >> digits : 0;
    }
    else
    {
        ns = packet.time;
        for (unsigned i = digits; i < 9; ++i)
        {
            ns *= 10;
        }
        for (unsigned i = digits; i > 9 && ns > 0; --i)
        {
            ns /= 10;
        }
    }
    ns += Wide{interface.offset} * NS_PER_SECOND;
    const bool possible = ns >= 0 && ns <= MAX_UNIX_NS;
    m_counts.outOfYears += !possible;
    return possible ? static_cast<int64_t>(ns) : ns < 0 ? NO_TIME : MAX_UNIX_NS;
}

} // namespace netflow
