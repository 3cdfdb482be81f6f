// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/pcapng-writer.h"

namespace esxnf
{

namespace
{

constexpr uint32_t SECTION_HEADER = 0x0a0d0d0a;
constexpr uint32_t INTERFACE_DESCRIPTION = 1;
constexpr uint32_t ENHANCED_PACKET = 6;
constexpr uint32_t BYTE_ORDER_MAGIC = 0x1a2b3c4d;

constexpr uint16_t OPTION_END = 0;
constexpr uint16_t OPTION_COMMENT = 1;
constexpr uint16_t OPTION_IF_NAME = 2;
constexpr uint16_t OPTION_IF_TSRESOL = 9;
constexpr char NANOSECONDS = 9; // 10^-9

/// Little-endian: the section header says so to any reader.
template <typename Number>
void
Put(std::string& text, Number number)
{
    for (std::size_t i = 0; i < sizeof(number); ++i)
    {
        text += static_cast<char>(static_cast<uint64_t>(number) >> (8 * i) & 0xff);
    }
}

/// Blocks and options are padded to 32 bits.
void
Pad(std::string& text)
{
    text.append((4 - text.size() % 4) % 4, '\0');
}

void
PutOption(std::string& text, uint16_t code, const std::string& value)
{
    Put(text, code);
    Put(text, static_cast<uint16_t>(value.size()));
    text += value;
    Pad(text);
}

} // namespace

PcapngWriter::PcapngWriter()
{
    std::string body;
    Put(body, BYTE_ORDER_MAGIC);
    Put(body, uint16_t{1}); // version 1.0
    Put(body, uint16_t{0});
    Put(body, UINT64_MAX); // length of the section: not given
    AddBlock(SECTION_HEADER, body);
}

uint32_t
PcapngWriter::AddInterface(const std::string& name, uint16_t linkType)
{
    std::string body;
    Put(body, linkType);
    Put(body, uint16_t{0}); // reserved
    Put(body, uint32_t{0}); // snapshot length: no limit
    PutOption(body, OPTION_IF_NAME, name);
    PutOption(body, OPTION_IF_TSRESOL, std::string(1, NANOSECONDS));
    PutOption(body, OPTION_END, "");
    AddBlock(INTERFACE_DESCRIPTION, body);
    return m_interfaces++;
}

void
PcapngWriter::AddPacket(uint32_t interface,
                        int64_t timeNs,
                        const std::vector<uint8_t>& octets,
                        const std::string& comment)
{
    const auto time = static_cast<uint64_t>(timeNs);
    std::string body;
    Put(body, interface);
    Put(body, static_cast<uint32_t>(time >> 32));
    Put(body, static_cast<uint32_t>(time));
    Put(body, static_cast<uint32_t>(octets.size())); // captured
    Put(body, static_cast<uint32_t>(octets.size())); // on the wire
    body.append(octets.begin(), octets.end());
    Pad(body);
    if (!comment.empty())
    {
        PutOption(body, OPTION_COMMENT, comment);
        PutOption(body, OPTION_END, "");
    }
    AddBlock(ENHANCED_PACKET, body);
}

const std::string&
PcapngWriter::GetFile() const
{
    return m_file;
}

void
PcapngWriter::AddBlock(uint32_t type, const std::string& body)
{
    constexpr uint32_t AROUND = 12; // type and twice the length
    const auto length = static_cast<uint32_t>(body.size()) + AROUND;
    Put(m_file, type);
    Put(m_file, length);
    m_file += body;
    Put(m_file, length);
}

} // namespace esxnf
