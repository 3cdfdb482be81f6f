// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CHECKSUMS_H
#define ESX_CHECKSUMS_H

#include <cstddef>
#include <cstdint>

namespace ns3
{

/**
 * Fills in the checksums that ns-3 left 0 in an IPv4 packet: of the header, and of a whole TCP
 * segment or ICMP message. A checksum that is there stays. UDP's stays 0, which means that there is
 * none (RFC 768). For what is written: ns-3 computes none while it simulates.
 * \param octets the packet, as much of it as there is
 */
void EsxFillIpChecksums(uint8_t* octets, std::size_t size);

/// The same in an Ethernet frame, also behind VLAN tags; frames of other protocols are left alone.
void EsxFillFrameChecksums(uint8_t* octets, std::size_t size);

} // namespace ns3

#endif // ESX_CHECKSUMS_H
