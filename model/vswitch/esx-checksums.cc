// SPDX-License-Identifier: GPL-2.0-only
#include "model/vswitch/esx-checksums.h"

namespace ns3
{

namespace
{

constexpr std::size_t MIN_IP_HEADER = 20;
constexpr uint8_t PROTOCOL_ICMP = 1;
constexpr uint8_t PROTOCOL_TCP = 6;

uint32_t
Read16(const uint8_t* octets)
{
    return octets[0] << 8 | octets[1];
}

/// Adds octets to a one's complement sum that is not folded yet.
uint32_t
Sum(const uint8_t* octets, std::size_t size, uint32_t sum = 0)
{
    for (std::size_t i = 0; i + 1 < size; i += 2)
    {
        sum += Read16(octets + i);
    }
    return size % 2 ? sum + (octets[size - 1] << 8) : sum;
}

/// Writes the checksum of a sum, unless one is there.
void
Fill(uint8_t* checksum, uint32_t sum)
{
    if (Read16(checksum) == 0)
    {
        sum = (sum & 0xffff) + (sum >> 16);
        sum = ~((sum & 0xffff) + (sum >> 16));
        checksum[0] = static_cast<uint8_t>(sum >> 8);
        checksum[1] = static_cast<uint8_t>(sum);
    }
}

} // namespace

void
EsxFillIpChecksums(uint8_t* octets, std::size_t size)
{
    if (size < MIN_IP_HEADER || octets[0] >> 4 != 4)
    {
        return;
    }
    const std::size_t header = (octets[0] & 15) * 4;
    const std::size_t total = Read16(octets + 2);
    if (header < MIN_IP_HEADER || size < header || total < header)
    {
        return;
    }
    Fill(octets + 10, Sum(octets, header));
    const bool isFragment = (Read16(octets + 6) & 0x3fff) != 0;
    const std::size_t payload = total - header;
    uint8_t* const data = octets + header;
    if (isFragment || size < total)
    {
        return;
    }
    if (octets[9] == PROTOCOL_ICMP && payload >= 8)
    {
        Fill(data + 2, Sum(data, payload));
    }
    else if (octets[9] == PROTOCOL_TCP && payload >= 20)
    {
        const uint32_t pseudo =
            Sum(octets + 12, 8, PROTOCOL_TCP + static_cast<uint32_t>(payload)); // both addresses
        Fill(data + 16, Sum(data, payload, pseudo));
    }
}

void
EsxFillFrameChecksums(uint8_t* octets, std::size_t size)
{
    constexpr uint32_t IPV4 = 0x0800;
    constexpr uint32_t VLAN = 0x8100;
    std::size_t type = 12;
    while (size >= type + 4 && Read16(octets + type) == VLAN)
    {
        type += 4;
    }
    if (size >= type + 2 && Read16(octets + type) == IPV4)
    {
        EsxFillIpChecksums(octets + type + 2, size - type - 2);
    }
}

} // namespace ns3
