// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/link-layer.h"

#include <gtest/gtest.h>
#include <vector>

namespace netflow
{
namespace
{

using Bytes = std::vector<uint8_t>;

constexpr int ETHERNET = 1;
constexpr int COOKED = 113;
constexpr int COOKED_V2 = 276;

/// IPv4 and UDP headers from 10.0.0.1:5000 to port 2055, 3 octets of payload.
const Bytes PACKET = {0x45, 0, 0, 31, 0,    1,    0,    0,    64, 17, 0, 0, 10,  0,   0,  1,
                      10,   0, 0, 2,  0x13, 0x88, 0x08, 0x07, 0,  11, 0, 0, 'a', 'b', 'c'};

Bytes
operator+(Bytes front, const Bytes& back)
{
    front.insert(front.end(), back.begin(), back.end());
    return front;
}

/// A link header of \p size octets that names a protocol at \p at.
Bytes
Header(std::size_t size, std::size_t at, uint16_t protocol)
{
    Bytes header(size);
    header[at] = static_cast<uint8_t>(protocol >> 8);
    header[at + 1] = static_cast<uint8_t>(protocol);
    return header;
}

/// A link type, and the frame of it that carries PACKET.
struct Form
{
    int linkType;
    Bytes header;
};

const std::vector<Form> FORMS = {
    {ETHERNET, Header(14, 12, 0x0800)},
    {COOKED, Header(16, 14, 0x0800)},
    {COOKED_V2, Header(20, 0, 0x0800)},
    {12, {}},
    {14, {}},
    {101, {}},
    {228, {}},
    {0, {2, 0, 0, 0}},
    {0, {0, 0, 0, 2}},
    {108, {0, 0, 0, 2}},
};

PacketSummary
Parse(int linkType, const Bytes& frame)
{
    const auto size = static_cast<uint32_t>(frame.size());
    return LinkLayer::FromLinkType(linkType)->Parse(frame.data(), size, size);
}

TEST(LinkLayerTest, ThePacketBehindEveryLinkHeaderIsFound)
{
    for (const Form& form : FORMS)
    {
        const auto summary = Parse(form.linkType, form.header + PACKET);
        EXPECT_EQ(summary.verdict, FrameVerdict::METERABLE) << form.linkType;
        EXPECT_EQ(summary.key.sourcePort, 5000) << form.linkType;
        EXPECT_EQ(summary.octets, PACKET.size()) << form.linkType;
    }
}

TEST(LinkLayerTest, UdpIsFoundBehindEveryLinkHeader)
{
    for (const Form& form : FORMS)
    {
        const Bytes frame = form.header + PACKET;
        const auto size = static_cast<uint32_t>(frame.size());
        UdpDatagram datagram;
        const auto link = LinkLayer::FromLinkType(form.linkType);
        ASSERT_EQ(link->FindUdp(frame.data(), size, size, 2055, datagram), UdpFinding::FOUND);
        EXPECT_EQ(std::string(datagram.data, datagram.data + datagram.size), "abc");
    }
}

TEST(LinkLayerTest, AFrameThatEndsInItsLinkHeaderIsTruncated)
{
    for (const Form& form : FORMS)
    {
        for (std::size_t size = 0; size < form.header.size(); ++size)
        {
            const Bytes frame(form.header.begin(), form.header.begin() + size);
            EXPECT_EQ(Parse(form.linkType, frame).verdict, FrameVerdict::ETHERNET_TRUNCATED)
                << form.linkType << ' ' << size;
        }
    }
}

TEST(LinkLayerTest, Ipv6IsNotIpv4WhateverTheLinkLayer)
{
    Bytes ipv6(40);
    ipv6[0] = 0x60;
    for (const Bytes& frame : {ipv6, Bytes{30, 0, 0, 0} + ipv6, Bytes{24, 0, 0, 0} + ipv6})
    {
        const int linkType = frame.size() == 40 ? 101 : 0;
        EXPECT_EQ(Parse(linkType, frame).verdict, FrameVerdict::NOT_IPV4);
        EXPECT_EQ(Parse(linkType, frame).octets, 40U);
    }
    EXPECT_EQ(Parse(COOKED, Header(16, 14, 0x86dd) + ipv6).verdict, FrameVerdict::NOT_IPV4);
}

TEST(LinkLayerTest, TheOutermostVlanIsTold)
{
    const Bytes tags = {0x20, 0x65, 0x81, 0x00, 0x00, 0x07, 0x08, 0x00}; // 101 of priority 1, 7
    const std::vector<std::pair<int, Bytes>> forms = {{ETHERNET, Header(14, 12, 0x88a8)},
                                                      {COOKED, Header(16, 14, 0x8100)},
                                                      {COOKED_V2, Header(20, 0, 0x9100)}};
    for (const auto& [linkType, header] : forms)
    {
        const Bytes frame = header + tags + PACKET;
        const auto link = LinkLayer::FromLinkType(linkType);
        EXPECT_EQ(link->FindVlan(frame.data(), static_cast<uint32_t>(frame.size())), 101);
        EXPECT_EQ(link->FindVlan(frame.data(), static_cast<uint32_t>(header.size()) + 3), 0);
        EXPECT_EQ(Parse(linkType, frame).verdict, FrameVerdict::METERABLE);
    }
}

TEST(LinkLayerTest, AFrameWithoutTagHasNoVlan)
{
    for (const Form& form : FORMS)
    {
        const Bytes frame = form.header + PACKET;
        const auto link = LinkLayer::FromLinkType(form.linkType);
        EXPECT_EQ(link->FindVlan(frame.data(), static_cast<uint32_t>(frame.size())), 0);
    }
}

TEST(LinkLayerTest, PaddingIsWhatIsLeftBehindThePacket)
{
    const Bytes frame = Header(14, 12, 0x8100) + Bytes{0, 7, 8, 0} + PACKET + Bytes(11);
    const auto size = static_cast<uint32_t>(frame.size());
    const auto link = LinkLayer::FromLinkType(ETHERNET);
    EXPECT_EQ(link->GetPadding(frame.data(), size - 11, size, 31), 11U);
    EXPECT_EQ(link->GetTags(frame.data(), size), 4U);
}

TEST(LinkLayerTest, OtherLinkTypesAreNotKnown)
{
    for (int linkType : {2, 105, 127, 147, -1})
    {
        EXPECT_FALSE(LinkLayer::FromLinkType(linkType)) << linkType;
    }
}

} // namespace
} // namespace netflow
