// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/endpoint.h"
#include "runner/capture/capture-reader.h"
#include "tests/scratch-folder.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <pcap/pcap.h>
#include <vector>

namespace esxnf
{
namespace
{

using Bytes = std::vector<uint8_t>;

constexpr uint32_t MAGIC_US = 0xa1b2c3d4;
constexpr uint32_t MAGIC_NS = 0xa1b23c4d;
constexpr uint32_t ETHERNET = 1;
constexpr uint32_t RAW = 101;

void
Append32(Bytes& bytes, uint32_t value)
{
    const auto* p = reinterpret_cast<const uint8_t*>(&value); // captures are in any machine's order
    bytes.insert(bytes.end(), p, p + sizeof(value));
}

Bytes
FileHeader(uint32_t magic, uint32_t linkType)
{
    Bytes bytes;
    for (uint32_t word : {magic, 0x00040002U, 0U, 0U, 65535U, linkType})
    {
        Append32(bytes, word);
    }
    return bytes;
}

void
AppendPacket(Bytes& bytes, uint32_t fraction, const Bytes& data, uint32_t wire)
{
    for (uint32_t word : {1'700'000'000U, fraction, static_cast<uint32_t>(data.size()), wire})
    {
        Append32(bytes, word);
    }
    bytes.insert(bytes.end(), data.begin(), data.end());
}

/// IPv4 and UDP headers from 10.0.0.1:5000 to port 2055, 3 octets of payload.
Bytes
UdpPacket()
{
    return {0x45, 0, 0, 31, 0,    1,    0,    0,    64, 17, 0, 0, 10,  0,   0,  1,
            10,   0, 0, 2,  0x13, 0x88, 0x08, 0x07, 0,  11, 0, 0, 'a', 'b', 'c'};
}

class CaptureReaderTest : public testing::Test
{
  protected:
    CaptureReader Open(const Bytes& content, CapturedLengths lengths = CapturedLengths::TRUE)
    {
        std::remove(path.c_str()); // overwriting makes some file systems wait for the disk
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(content.data()),
                   static_cast<std::streamsize>(content.size()));
        return CaptureReader(path, lengths);
    }

    UdpFinding FindUdp(uint16_t port)
    {
        return frame.link.FindUdp(frame.data, frame.captured, frame.wire, port, datagram);
    }

    const ScratchFolder scratch;
    const std::string path{scratch.Path("capture")};
    CapturedFrame frame;
    UdpDatagram datagram;
};

TEST_F(CaptureReaderTest, MicrosecondsAndNanosecondsBecomeNanoseconds)
{
    for (const auto& [magic, unit] : {std::pair<uint32_t, int>{MAGIC_US, 1000}, {MAGIC_NS, 1}})
    {
        Bytes file = FileHeader(magic, ETHERNET);
        AppendPacket(file, 123456, Bytes(60), 1514);
        CaptureReader reader = Open(file);
        ASSERT_TRUE(reader.Next(frame));
        EXPECT_EQ(frame.unixNs, 1'700'000'000'000'000'000 + 123456 * unit);
        EXPECT_EQ(frame.captured, 60U);
        EXPECT_EQ(frame.wire, 1514U);
        EXPECT_FALSE(reader.Next(frame));
        EXPECT_EQ(reader.GetCount(), 1U);
    }
}

TEST_F(CaptureReaderTest, RawIpIsParsedByItsVersion)
{
    Bytes file = FileHeader(MAGIC_NS, RAW);
    Bytes ipv6(40);
    ipv6[0] = 0x60;
    AppendPacket(file, 0, UdpPacket(), 31);
    AppendPacket(file, 1, ipv6, 40);
    CaptureReader reader = Open(file);
    reader.Next(frame);
    EXPECT_EQ(reader.Parse(frame).key.sourcePort, 5000U);
    reader.Next(frame);
    EXPECT_EQ(reader.Parse(frame).verdict, netflow::FrameVerdict::NOT_IPV4);
}

TEST_F(CaptureReaderTest, OtherLinkTypesAreRefusedByName)
{
    try
    {
        Open(FileHeader(MAGIC_NS, 105));
        FAIL();
    }
    catch (const CaptureError& error)
    {
        EXPECT_NE(std::strstr(error.what(), "IEEE802_11"), nullptr) << error.what();
    }
}

TEST_F(CaptureReaderTest, DamageIsToldWithThePacketsNumber)
{
    Bytes file = FileHeader(MAGIC_NS, ETHERNET);
    AppendPacket(file, 0, Bytes(60), 60);
    AppendPacket(file, 1, Bytes(60), 60);
    file.pop_back();
    CaptureReader reader = Open(file);
    EXPECT_TRUE(reader.Next(frame));
    try
    {
        reader.Next(frame);
        FAIL();
    }
    catch (const CaptureError& error)
    {
        EXPECT_NE(std::strstr(error.what(), "packet 2: truncated"), nullptr) << error.what();
    }
    EXPECT_EQ(reader.GetCount(), 1U);
}

TEST_F(CaptureReaderTest, TruncationKeepsThePacketsBeforeIt)
{
    std::ifstream whole(ENF_SOURCE_DIR "/tests/data/differential_input_a.pcap", std::ios::binary);
    const Bytes content{std::istreambuf_iterator<char>(whole), {}};
    ASSERT_GT(content.size(), FileHeader(MAGIC_NS, ETHERNET).size());
    uint64_t before = 0;
    std::vector<std::size_t> lengths; // every one in the headers, then some in each packet
    for (std::size_t length = 0; length < content.size(); length += length < 100 ? 1 : 23)
    {
        lengths.push_back(length);
    }
    lengths.push_back(content.size());
    for (std::size_t length : lengths)
    {
        uint64_t count = 0;
        try
        {
            CaptureReader reader = Open(Bytes(content.begin(), content.begin() + length));
            while (reader.Next(frame))
            {
                ++count;
            }
        }
        catch (const CaptureError&)
        {
            EXPECT_LT(length, content.size());
        }
        EXPECT_GE(count, before);
        before = count;
    }
    EXPECT_EQ(before, 27U);
}

TEST_F(CaptureReaderTest, ReadsWhatLibpcapReads)
{
    for (const uint32_t magic : {MAGIC_US, MAGIC_NS})
    {
        Bytes file = FileHeader(magic, ETHERNET);
        for (uint32_t i = 0; i < 300; ++i) // 10 MB: some lie across the ends of the reader's window
        {
            AppendPacket(file, i, Bytes(i * 400 % 65536, static_cast<uint8_t>(i)), 262144);
        }
        CaptureReader reader = Open(file);
        char error[PCAP_ERRBUF_SIZE];
        pcap_t* const reference =
            pcap_open_offline_with_tstamp_precision(path.c_str(),
                                                    PCAP_TSTAMP_PRECISION_NANO,
                                                    error);
        ASSERT_NE(reference, nullptr) << error;
        pcap_pkthdr* header = nullptr;
        const u_char* data = nullptr;
        while (pcap_next_ex(reference, &header, &data) == 1)
        {
            ASSERT_TRUE(reader.Next(frame));
            EXPECT_EQ(frame.unixNs, header->ts.tv_sec * 1'000'000'000 + header->ts.tv_usec);
            EXPECT_EQ(frame.wire, header->len);
            ASSERT_EQ(frame.captured, header->caplen);
            EXPECT_TRUE(std::equal(data, data + header->caplen, frame.data));
        }
        EXPECT_EQ(reader.GetCount(), 300U);
        EXPECT_FALSE(reader.Next(frame));
        pcap_close(reference);
    }
}

TEST_F(CaptureReaderTest, ACutPacketWhoseLengthWasLostCountsByItsIpTotalLengthIfAsked)
{
    Bytes file = FileHeader(MAGIC_NS, RAW);
    Bytes cut = UdpPacket();
    cut.pop_back();
    AppendPacket(file, 0, cut, 30);
    for (const CapturedLengths lengths : {CapturedLengths::TRUE, CapturedLengths::LOST})
    {
        CaptureReader reader = Open(file, lengths);
        ASSERT_TRUE(reader.Next(frame));
        const netflow::PacketSummary packet = reader.Parse(frame);
        const bool trusted = lengths == CapturedLengths::LOST;
        EXPECT_EQ(packet.verdict == netflow::FrameVerdict::METERABLE, trusted);
        EXPECT_EQ(packet.octets, trusted ? 31U : 30U);
        ASSERT_EQ(reader.Describe().size(), 1U);
        EXPECT_EQ(reader.Describe()[0].find("packets shorter than their IP total length 1: "), 0U);
        EXPECT_EQ(reader.Describe()[0].find("--trust-ip-length") == std::string::npos, trusted);
    }
}

TEST_F(CaptureReaderTest, AnIpTotalLengthOf0MeansTheFramesLength)
{
    Bytes file = FileHeader(MAGIC_NS, RAW);
    Bytes packet = UdpPacket();
    packet[2] = packet[3] = 0;
    AppendPacket(file, 0, packet, 31);
    CaptureReader reader = Open(file);
    ASSERT_TRUE(reader.Next(frame));
    EXPECT_EQ(reader.Parse(frame).octets, 31U);
    EXPECT_EQ(reader.Parse(frame).key.sourcePort, 5000U);
    EXPECT_EQ(reader.Describe()[0].find("packets of IP total length 0 2: "), 0U);
}

TEST_F(CaptureReaderTest, FindsTheDatagramsOfAPort)
{
    Bytes file = FileHeader(MAGIC_NS, RAW);
    AppendPacket(file, 0, UdpPacket(), 31);
    CaptureReader reader = Open(file);
    reader.Next(frame);
    EXPECT_EQ(FindUdp(2056), UdpFinding::OTHER);
    ASSERT_EQ(FindUdp(2055), UdpFinding::FOUND);
    EXPECT_EQ(std::string(datagram.data, datagram.data + datagram.size), "abc");
    EXPECT_EQ(ns3::EsxDotted(datagram.sourceAddress), "10.0.0.1");
    EXPECT_EQ(datagram.sourcePort, 5000U);
}

TEST_F(CaptureReaderTest, EveryCutOfADatagramIsIncompleteOrOther)
{
    for (std::size_t length = 0; length < UdpPacket().size(); ++length)
    {
        Bytes file = FileHeader(MAGIC_NS, RAW);
        Bytes packet = UdpPacket();
        packet.resize(length);
        AppendPacket(file, 0, packet, 31);
        CaptureReader reader = Open(file);
        reader.Next(frame);
        EXPECT_NE(FindUdp(2055), UdpFinding::FOUND) << length;
    }
}

} // namespace
} // namespace esxnf
