// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The parser on captures that end early and on damaged octets.
 */
#include "netflow/packet-parser.h"
#include "tests/netflow/testing.h"

namespace netflow
{
namespace
{

using test::Bytes;
using test::ETHERNET;
using test::Frame;
using test::Parse;
using test::ParseExactly;
using test::Tcp;
using test::TcpFrame;
using test::UdpFrame;

/// The verdict that the rules give a right frame of which only the first octets were captured.
FrameVerdict
ExpectedWhenCut(const Frame& frame, std::size_t captured)
{
    const std::size_t ip = ETHERNET + 4 * frame.tags.size();
    const std::size_t transport = ip + frame.headerWords * 4;
    const bool laterFragment = (frame.fragment & 0x1fff) != 0;
    const std::size_t payload = frame.payload.size();
    std::size_t needed = 0;
    if (!laterFragment && frame.protocol == 1 && payload >= 2)
    {
        needed = 2;
    }
    else if (!laterFragment && (frame.protocol == 6 || frame.protocol == 17) && payload >= 4)
    {
        needed = frame.protocol == 6 && payload >= 14 ? 14 : 4;
    }
    return captured < ETHERNET                            ? FrameVerdict::ETHERNET_TRUNCATED
           : captured < ip                                ? FrameVerdict::VLAN_TRUNCATED
           : captured < transport                         ? FrameVerdict::IPV4_TRUNCATED
           : needed != 0 && captured < transport + needed ? FrameVerdict::TRANSPORT_TRUNCATED
                                                          : FrameVerdict::METERABLE;
}

TEST(PacketParserTruncation, CutAtEveryLengthItNeverReadsPastTheCapture)
{
    std::vector<Frame> frames;
    for (const std::vector<uint16_t>& tags :
         std::vector<std::vector<uint16_t>>{{}, {0x8100}, {0x88a8, 0x8100}})
    {
        for (uint8_t words : {5, 6, 15})
        {
            for (uint16_t fragment : {0x0000, 0x2000, 0x2001})
            {
                for (uint8_t protocol : {1, 2, 6, 17})
                {
                    for (std::size_t payload : {0, 1, 2, 3, 4, 13, 14, 20})
                    {
                        Frame frame;
                        frame.tags = tags;
                        frame.headerWords = words;
                        frame.fragment = fragment;
                        frame.protocol = protocol;
                        frame.payload = Tcp(1, 2, 3);
                        frame.payload.resize(payload);
                        frame.padding = 3;
                        frames.push_back(frame);
                    }
                }
            }
        }
    }
    for (const Frame& frame : frames)
    {
        const Bytes bytes = frame.Build();
        const PacketSummary whole = Parse(bytes);
        ASSERT_EQ(whole.verdict, FrameVerdict::METERABLE);
        for (std::size_t captured = 0; captured <= bytes.size(); ++captured)
        {
            const PacketSummary cut = ParseExactly(bytes, captured, bytes.size());
            ASSERT_EQ(cut.verdict, ExpectedWhenCut(frame, captured)) << captured;
            if (cut.verdict == FrameVerdict::METERABLE)
            {
                ASSERT_EQ(cut.key, whole.key);
                ASSERT_EQ(cut.tcpFlags, whole.tcpFlags);
                ASSERT_EQ(cut.octets, whole.octets);
            }
        }
    }
}

TEST(PacketParserTruncation, TruncatedFramesCountWhatTheyHadOnTheWire)
{
    Frame frame = TcpFrame();
    frame.padding = 6; // 40 octets of packet, 46 after the Ethernet header
    const Bytes bytes = frame.Build();
    EXPECT_EQ(ParseExactly(bytes, 0, 60).octets, 46U);
    EXPECT_EQ(ParseExactly(bytes, 13, 60).octets, 46U);
    EXPECT_EQ(ParseExactly(bytes, 14 + 19, 60).octets, 46U);
    EXPECT_EQ(ParseExactly(bytes, 14 + 30, 60).octets, 46U) << "not metered: by the wire";
    EXPECT_EQ(ParseExactly(bytes, 10, 10).octets, 0U);
    frame.tags = {0x8100};
    EXPECT_EQ(ParseExactly(frame.Build(), 15, 64).octets, 46U);
    EXPECT_EQ(ParseExactly(frame.Build(), 15, 15).octets, 0U);
}

TEST(PacketParserTruncation, ACaptureThatEndsInsideTheIpv4HeaderIsTruncatedWhateverTheHeaderSays)
{
    Frame frame = UdpFrame();
    frame.version = 6;
    frame.headerWords = 3;
    const Bytes bytes = frame.Build();
    EXPECT_EQ(ParseExactly(bytes, ETHERNET + 19, bytes.size()).verdict,
              FrameVerdict::IPV4_TRUNCATED);
    EXPECT_EQ(ParseExactly(bytes, ETHERNET + 20, bytes.size()).verdict, FrameVerdict::BAD_VERSION);
}

TEST(PacketParserTruncation, RandomOctetsAreParsedWithoutReadingPastThem)
{
    test::Random random(1);
    for (int i = 0; i < 200'000; ++i)
    {
        Frame frame = random.Chance(50) ? TcpFrame() : UdpFrame();
        frame.headerWords = static_cast<uint8_t>(random.Below(16));
        frame.tags.assign(random.Below(4), 0x8100);
        Bytes bytes = frame.Build();
        for (uint64_t flips = random.Below(6); flips > 0; --flips)
        {
            bytes[12 + random.Below(bytes.size() - 12)] = static_cast<uint8_t>(random.Below(256));
        }
        const std::size_t captured = random.Below(bytes.size() + 1);
        const PacketSummary packet = ParseExactly(bytes, captured, bytes.size());
        ASSERT_LE(packet.octets, bytes.size());
        if (packet.verdict == FrameVerdict::METERABLE)
        {
            ASSERT_GE(packet.octets, 20U); // rule R11
        }
    }
}

} // namespace
} // namespace netflow
