// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Any octets as a frame of any link layer, captured whole or in part: the parser keeps to the
 * octets that are there, and what it calls an IPv4 packet can be one.
 *
 * The first octet tells how much longer the frame was on the wire.
 */
#include "check.h"
#include "netflow/link-layer.h"

#include <vector>

namespace
{

void
ParseAs(int linkType, const std::vector<uint8_t>& frame, uint32_t wire)
{
    const auto link = netflow::LinkLayer::FromLinkType(linkType);
    const auto captured = static_cast<uint32_t>(frame.size());
    const netflow::PacketSummary summary = link->Parse(frame.data(), captured, wire);
    FUZZ_CHECK(link->FindVlan(frame.data(), captured) <= 4095);
    FUZZ_CHECK(summary.octets <= wire);
    netflow::UdpDatagram datagram;
    const auto finding =
        link->FindUdp(frame.data(), captured, wire, summary.key.destinationPort, datagram);
    if (summary.verdict != netflow::FrameVerdict::METERABLE)
    {
        FUZZ_CHECK(finding == netflow::UdpFinding::OTHER);
        FUZZ_CHECK(summary.key == netflow::FlowKey{});
        return;
    }
    FUZZ_CHECK(summary.octets >= 20);
    FUZZ_CHECK(summary.tcpFlags == 0 || summary.key.protocol == 6);
    FUZZ_CHECK(link->GetPadding(frame.data(), captured, wire, summary.octets) <=
               wire - summary.octets);
    if (finding == netflow::UdpFinding::FOUND)
    {
        FUZZ_CHECK(datagram.data >= frame.data());
        FUZZ_CHECK(datagram.data + datagram.size <= frame.data() + frame.size());
    }
}

} // namespace

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size)
{
    if (size == 0)
    {
        return 0;
    }
    const std::vector<uint8_t> frame(data + 1, data + size); // exactly as long as it is
    const auto wire = static_cast<uint32_t>(frame.size() + data[0] * 8U);
    for (int linkType : {0, 1, 12, 101, 108, 113, 228, 229, 276})
    {
        ParseAs(linkType, frame, wire);
    }
    return 0;
}
