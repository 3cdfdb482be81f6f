// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/packet-parser.h"
#include "tests/netflow/testing.h"

#include <set>

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

TEST(PacketParser, EveryFieldOfATcpPacketIsRead)
{
    Frame frame = TcpFrame();
    frame.tos = 0xb8;
    const PacketSummary packet = Parse(frame.Build());
    ASSERT_EQ(packet.verdict, FrameVerdict::METERABLE);
    EXPECT_EQ(packet.key.source, 0x0a010203U);
    EXPECT_EQ(packet.key.destination, 0x0a040506U);
    EXPECT_EQ(packet.key.sourcePort, 40000);
    EXPECT_EQ(packet.key.destinationPort, 443);
    EXPECT_EQ(packet.key.protocol, 6);
    EXPECT_EQ(packet.key.tos, 0xb8);
    EXPECT_EQ(packet.key.vSwitch, 0);
    EXPECT_EQ(packet.key.input, 0);
    EXPECT_EQ(packet.key.unused, 0);
    EXPECT_EQ(packet.tcpFlags, 0x12);
    EXPECT_EQ(packet.octets, 40U);
}

TEST(PacketParser, PortsAreReadForTheFiveProtocolsThatHaveThemAndForNoOther)
{
    const std::set<int> withPorts{6, 17, 33, 132, 136};
    for (int protocol = 0; protocol < 256; ++protocol)
    {
        Frame frame;
        frame.protocol = static_cast<uint8_t>(protocol);
        frame.payload = Tcp(0x1234, 0x5678, 0xff);
        const PacketSummary packet = Parse(frame.Build());
        SCOPED_TRACE(protocol);
        ASSERT_EQ(packet.verdict, FrameVerdict::METERABLE);
        EXPECT_EQ(packet.key.protocol, protocol);
        const bool ports = withPorts.count(protocol) != 0;
        EXPECT_EQ(packet.key.sourcePort, ports ? 0x1234 : 0);
        EXPECT_EQ(packet.key.destinationPort, ports ? 0x5678 : protocol == 1 ? 0x1234 : 0);
        EXPECT_EQ(packet.tcpFlags, protocol == 6 ? 0xff : 0);
    }
}

TEST(PacketParser, IcmpHasTypeAndCodeAsDestinationPort)
{
    Frame frame;
    frame.protocol = 1;
    frame.payload = {3, 13};
    const PacketSummary packet = Parse(frame.Build());
    EXPECT_EQ(packet.verdict, FrameVerdict::METERABLE);
    EXPECT_EQ(packet.key.sourcePort, 0);
    EXPECT_EQ(packet.key.destinationPort, 3 * 256 + 13);
}

TEST(PacketParser, IgmpHasNoPorts)
{
    Frame frame;
    frame.protocol = 2;
    frame.headerWords = 6; // router alert
    frame.payload = {0x16, 0, 1, 2, 224, 0, 0, 5};
    const PacketSummary packet = Parse(frame.Build());
    EXPECT_EQ(packet.verdict, FrameVerdict::METERABLE);
    EXPECT_EQ(packet.key.sourcePort, 0);
    EXPECT_EQ(packet.key.destinationPort, 0);
    EXPECT_EQ(packet.octets, 32U);
}

TEST(PacketParser, OneOrTwoVlanTagsAreSkippedAndAThirdIsNotIpv4)
{
    for (const std::vector<uint16_t>& tags : std::vector<std::vector<uint16_t>>{{0x8100},
                                                                                {0x88a8},
                                                                                {0x9100},
                                                                                {0x88a8, 0x8100},
                                                                                {0x9100, 0x8100},
                                                                                {0x8100, 0x8100}})
    {
        Frame frame = UdpFrame();
        frame.tags = tags;
        const PacketSummary packet = Parse(frame.Build());
        EXPECT_EQ(packet.verdict, FrameVerdict::METERABLE);
        EXPECT_EQ(packet.key.destinationPort, 53);
        EXPECT_EQ(packet.octets, 28U) << "VLAN tags count nothing";
    }
    Frame frame = UdpFrame();
    frame.tags = {0x88a8, 0x8100, 0x8100};
    const PacketSummary packet = Parse(frame.Build());
    EXPECT_EQ(packet.verdict, FrameVerdict::NOT_IPV4);
    EXPECT_EQ(packet.octets, 4U + 28U);
}

TEST(PacketParser, OtherEtherTypesCountTheirOctetsWithPadding)
{
    for (uint16_t etherType : {0x0806, 0x86dd, 0x0026 /* LLC: a length */, 0x88cc, 0x0801})
    {
        Frame frame = UdpFrame();
        frame.etherType = etherType;
        frame.padding = 18;
        EXPECT_EQ(Parse(frame.Build()).verdict, FrameVerdict::NOT_IPV4);
        EXPECT_EQ(Parse(frame.Build()).octets, 46U);
        frame.tags = {0x8100};
        EXPECT_EQ(Parse(frame.Build()).verdict, FrameVerdict::NOT_IPV4);
        EXPECT_EQ(Parse(frame.Build()).octets, 46U);
    }
}

TEST(PacketParser, PaddingIsNotCounted)
{
    Frame frame = UdpFrame();
    frame.padding = 18;
    EXPECT_EQ(Parse(frame.Build()).octets, 28U);
}

TEST(PacketParser, OptionsOfEveryLengthAreSkipped)
{
    for (uint8_t words = 5; words <= 15; ++words)
    {
        Frame frame = TcpFrame();
        frame.headerWords = words;
        const PacketSummary packet = Parse(frame.Build());
        EXPECT_EQ(packet.verdict, FrameVerdict::METERABLE);
        EXPECT_EQ(packet.key.destinationPort, 443);
        EXPECT_EQ(packet.tcpFlags, 0x12);
        EXPECT_EQ(packet.octets, words * 4U + 20);
    }
}

TEST(PacketParser, OnlyTheFirstFragmentHasPortsAndFlags)
{
    constexpr uint16_t MORE_FRAGMENTS = 0x2000;
    constexpr uint16_t DO_NOT_FRAGMENT = 0x4000;
    for (uint16_t flags : {uint16_t{0}, MORE_FRAGMENTS, DO_NOT_FRAGMENT, uint16_t{0x8000}})
    {
        for (uint16_t offset : {0, 1, 185, 0x1000, 0x1fff})
        {
            for (const Frame& whole : {TcpFrame(), UdpFrame()})
            {
                Frame frame = whole;
                frame.fragment = flags | offset;
                const PacketSummary packet = Parse(frame.Build());
                EXPECT_EQ(packet.verdict, FrameVerdict::METERABLE);
                EXPECT_EQ(packet.key.sourcePort != 0, offset == 0);
                EXPECT_EQ(packet.key.destinationPort != 0, offset == 0);
                EXPECT_EQ(packet.tcpFlags, offset == 0 && frame.protocol == 6 ? 0x12 : 0);
            }
        }
    }
    Frame icmp;
    icmp.protocol = 1;
    icmp.payload = {8, 1};
    icmp.fragment = 100;
    EXPECT_EQ(Parse(icmp.Build()).key.destinationPort, 0);
    icmp.fragment = MORE_FRAGMENTS;
    EXPECT_EQ(Parse(icmp.Build()).key.destinationPort, 0x0801);
}

TEST(PacketParser, PayloadTooShortForPortsIsMeteredWithoutThem)
{
    for (std::size_t octets = 0; octets <= 20; ++octets)
    {
        Frame frame = TcpFrame();
        frame.payload.resize(octets);
        frame.padding = 26; // must not be taken for payload
        PacketSummary packet = Parse(frame.Build());
        EXPECT_EQ(packet.verdict, FrameVerdict::METERABLE);
        EXPECT_EQ(packet.octets, 20 + octets);
        EXPECT_EQ(packet.key.sourcePort, octets >= 4 ? 40000 : 0) << octets;
        EXPECT_EQ(packet.key.destinationPort, octets >= 4 ? 443 : 0) << octets;
        EXPECT_EQ(packet.tcpFlags, octets >= 14 ? 0x12 : 0) << octets;

        Frame icmp;
        icmp.protocol = 1;
        icmp.payload.assign(octets, 8);
        icmp.padding = 26;
        packet = Parse(icmp.Build());
        EXPECT_EQ(packet.verdict, FrameVerdict::METERABLE);
        EXPECT_EQ(packet.key.destinationPort, octets >= 2 ? 0x0808 : 0) << octets;
    }
}

TEST(PacketParser, VersionOtherThan4IsMalformed)
{
    for (uint8_t version = 0; version < 16; ++version)
    {
        Frame frame = UdpFrame();
        frame.version = version;
        const PacketSummary packet = Parse(frame.Build());
        EXPECT_EQ(packet.verdict,
                  version == 4 ? FrameVerdict::METERABLE : FrameVerdict::BAD_VERSION);
        EXPECT_EQ(packet.octets, 28U);
    }
}

TEST(PacketParser, HeaderLengthBelow5WordsIsMalformed)
{
    for (uint8_t words = 0; words < 5; ++words)
    {
        Frame frame = UdpFrame();
        frame.headerWords = words;
        EXPECT_EQ(Parse(frame.Build()).verdict, FrameVerdict::BAD_HEADER_LENGTH);
    }
}

TEST(PacketParser, TotalLengthIsAtLeastTheHeader)
{
    for (uint8_t words : {5, 6, 15})
    {
        Frame frame;
        frame.headerWords = words;
        frame.padding = 10;
        for (int total : {1, 19, words * 4 - 1})
        {
            frame.totalLength = total;
            EXPECT_EQ(Parse(frame.Build()).verdict, FrameVerdict::TOTAL_LENGTH_TOO_SHORT);
            EXPECT_EQ(Parse(frame.Build()).octets, words * 4U + 10) << "as on the wire";
        }
        frame.totalLength = words * 4;
        EXPECT_EQ(Parse(frame.Build()).verdict, FrameVerdict::METERABLE);
    }
}

TEST(PacketParser, ATotalLengthOfZeroIsThatOfTheFrame)
{
    for (Frame frame : {UdpFrame(), TcpFrame()}) // segments that an adapter was to cut
    {
        const PacketSummary usual = Parse(frame.Build());
        frame.totalLength = 0;
        const PacketSummary offloaded = Parse(frame.Build());
        EXPECT_EQ(offloaded.verdict, FrameVerdict::METERABLE);
        EXPECT_EQ(offloaded.octets, usual.octets);
        EXPECT_EQ(offloaded.key, usual.key);
        EXPECT_TRUE(offloaded.offloaded && !usual.offloaded);
    }
}

TEST(PacketParser, TotalLengthIsAtMostTheFrame)
{
    for (const std::vector<uint16_t>& tags :
         {std::vector<uint16_t>{}, std::vector<uint16_t>{0x8100}})
    {
        Frame frame = UdpFrame();
        frame.tags = tags;
        frame.padding = 2;
        frame.totalLength = 30;
        EXPECT_EQ(Parse(frame.Build()).verdict, FrameVerdict::METERABLE);
        EXPECT_EQ(Parse(frame.Build()).octets, 30U);
        frame.totalLength = 31;
        EXPECT_EQ(Parse(frame.Build()).verdict, FrameVerdict::TOTAL_LENGTH_EXCEEDS_FRAME);
        EXPECT_EQ(Parse(frame.Build()).octets, 30U);
        frame.totalLength = 65535;
        EXPECT_EQ(Parse(frame.Build()).verdict, FrameVerdict::TOTAL_LENGTH_EXCEEDS_FRAME);
    }
}

TEST(PacketParser, PayloadIsParsedAsBehindItsEthernetHeader)
{
    Frame frame = TcpFrame();
    frame.tags = {0x8100};
    const Bytes bytes = frame.Build();
    const auto rest = static_cast<uint32_t>(bytes.size()) - ETHERNET;
    const PacketSummary packet = ParsePayload(0x8100, bytes.data() + ETHERNET, rest, rest);
    EXPECT_EQ(packet.verdict, FrameVerdict::METERABLE);
    EXPECT_EQ(packet.key, Parse(bytes).key);
    EXPECT_EQ(ParsePayload(0x0806, bytes.data() + ETHERNET, rest, rest).verdict,
              FrameVerdict::NOT_IPV4);
}

TEST(PacketParser, ParseOctetsSufficeForTheLongestHeaders)
{
    Frame frame = TcpFrame();
    frame.tags = {0x88a8, 0x8100};
    frame.headerWords = 15;
    frame.payload.resize(1000);
    const Bytes bytes = frame.Build();
    EXPECT_EQ(ParseExactly(bytes, ETHERNET + PARSE_OCTETS, bytes.size()).verdict,
              FrameVerdict::METERABLE);
}

TEST(PacketParser, TheShortWayGivesWhatTheLongOneDoes)
{
    test::Random random(7);
    unsigned usual = 0;
    for (int round = 0; round < 50'000; ++round)
    {
        Frame frame = round % 2 == 0 ? TcpFrame() : UdpFrame();
        frame.payload.resize(frame.payload.size() + random.Below(20));
        Bytes bytes = frame.Build();
        for (uint64_t changes = random.Below(3); changes > 0; --changes)
        {
            bytes[ETHERNET - 2 + random.Below(bytes.size() - ETHERNET)] =
                static_cast<uint8_t>(random.Below(256));
        }
        const auto captured = static_cast<uint32_t>(random.Below(bytes.size() + 1));
        const auto wire = static_cast<uint32_t>(bytes.size() + random.Below(3) - 1);
        const Bytes exactly(bytes.begin(), bytes.begin() + captured); // reading on would be seen
        PacketSummary summary;
        summary.key.unused = 7; // left by another packet
        if (ParseUsual(exactly.data(), captured, wire, summary))
        {
            const PacketSummary expected = ParseEthernet(exactly.data(), captured, wire);
            ASSERT_EQ(summary.key, expected.key) << round;
            ASSERT_EQ(summary.octets, expected.octets) << round;
            ASSERT_EQ(summary.tcpFlags, expected.tcpFlags) << round;
            ASSERT_EQ(summary.verdict, expected.verdict) << round;
            ++usual;
        }
    }
    EXPECT_GT(usual, 1000U);
    const Bytes bytes = TcpFrame().Build();
    const auto size = static_cast<uint32_t>(bytes.size());
    PacketSummary summary;
    EXPECT_TRUE(ParseUsual(bytes.data(), size, size, summary));
    EXPECT_FALSE(ParseUsual(bytes.data(), ETHERNET + 33, size, summary)) << "TCP flags are cut off";
}

TEST(PacketParser, EveryVerdictHasItsOwnName)
{
    std::set<std::string> names;
    for (unsigned verdict = 0; verdict < FRAME_VERDICTS; ++verdict)
    {
        names.insert(ToString(static_cast<FrameVerdict>(verdict)));
    }
    EXPECT_EQ(names.size(), FRAME_VERDICTS);
    EXPECT_STREQ(ToString(FrameVerdict::TRANSPORT_TRUNCATED), "transport_truncated");
}

TEST(PacketParser, AnEthernetHeaderWithNothingBehindItIsRead)
{
    Frame frame = UdpFrame();
    frame.etherType = 0x0806;
    Bytes bytes = frame.Build();
    bytes.resize(ETHERNET);
    EXPECT_EQ(Parse(bytes).verdict, FrameVerdict::NOT_IPV4);
    bytes.resize(ETHERNET - 1);
    EXPECT_EQ(Parse(bytes).verdict, FrameVerdict::ETHERNET_TRUNCATED);
}

TEST(PacketParser, AVlanTagWithNothingBehindItIsRead)
{
    Frame frame = UdpFrame();
    frame.etherType = 0x0806;
    frame.tags = {0x8100};
    Bytes bytes = frame.Build();
    bytes.resize(ETHERNET + 4);
    EXPECT_EQ(Parse(bytes).verdict, FrameVerdict::NOT_IPV4);
    bytes.resize(ETHERNET + 3);
    EXPECT_EQ(Parse(bytes).verdict, FrameVerdict::VLAN_TRUNCATED);
}

} // namespace
} // namespace netflow
