// SPDX-License-Identifier: GPL-2.0-only
// Captures that are odd and sound. Damaged ones: capture-damage-test.cc.
#include "netflow/capture-file.h"
#include "tests/netflow/capture-octets.h"

#include <gtest/gtest.h>
#include <tuple>

namespace netflow
{
namespace
{

using test::Append;
using test::AppendBlock;
using test::Bytes;

constexpr uint32_t MAGIC_US = 0xa1b2c3d4;
constexpr uint32_t MAGIC_NS = 0xa1b23c4d;
constexpr uint32_t MAGIC_KUZNETZOV = 0xa1b2cd34;
constexpr uint32_t T = 1'700'000'000;
constexpr int64_t T_NS = T * NS_PER_SECOND;

/// An Ethernet frame with IPv4 and UDP.
const Bytes FRAME = {2, 0,  0,  0, 0, 2,   2, 0, 0, 0,   0,  1,   8, 0, 0x45, 0, 0, 28, 0, 1, 0,
                     0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2, 0, 1,    0, 2, 0,  8, 0, 0};

/// Fields of a frame that a test compares.
struct Read
{
    int64_t unixNs;
    uint32_t wire;
    Bytes data;
    bool metered;

    bool operator==(const Read& other) const
    {
        return std::tie(unixNs, wire, data, metered) ==
               std::tie(other.unixNs, other.wire, other.data, other.metered);
    }
};

class CaptureFileTest : public testing::Test
{
  protected:
    /// Head of a pcap file. \param version major in the low half
    void Pcap(uint32_t magic,
              uint32_t version = 0x00040002,
              uint32_t snap = 65535,
              uint32_t link = 1)
    {
        Append(bytes, {magic}, swapped);
        const uint32_t both = swapped ? version << 16 | version >> 16 : version;
        Append(bytes, {both, 0, 0, snap, link}, swapped);
    }

    void Packet(uint32_t seconds,
                uint32_t fraction,
                const Bytes& data,
                uint32_t wire,
                uint32_t captured = 0)
    {
        captured = captured > 0 ? captured : static_cast<uint32_t>(data.size());
        Append(bytes, {seconds, fraction, captured, wire}, swapped);
        bytes.insert(bytes.end(), data.begin(), data.end());
    }

    void Section()
    {
        Bytes body;
        Append(body, {0x1a2b3c4d}, swapped);
        Append(body, {swapped ? 0x00010000U : 1U, UINT32_MAX, UINT32_MAX}, swapped);
        AppendBlock(bytes, 0x0a0d0d0a, body, swapped);
    }

    void Interface(uint32_t link, uint32_t snap = 0, const Bytes& options = {})
    {
        Bytes body;
        Append(body, {swapped ? link << 16 : link, snap}, swapped);
        body.insert(body.end(), options.begin(), options.end());
        AppendBlock(bytes, 1, body, swapped);
    }

    void Enhanced(uint32_t number, uint64_t time, const Bytes& data, uint32_t wire = 0)
    {
        const auto size = static_cast<uint32_t>(data.size());
        Bytes body;
        Append(body,
               {number,
                static_cast<uint32_t>(time >> 32),
                static_cast<uint32_t>(time),
                size,
                wire > 0 ? wire : size},
               swapped);
        body.insert(body.end(), data.begin(), data.end());
        AppendBlock(bytes, 6, body, swapped);
    }

    std::vector<Read> ReadAll(std::size_t most = SIZE_MAX, std::size_t batch = 4)
    {
        std::vector<Read> all;
        CaptureFile file(test::ReadFrom(bytes, most));
        wrong = file.Open();
        std::vector<CapturedFrame> frames(batch);
        while (wrong.empty())
        {
            const std::size_t count = file.NextBatch(frames.data(), batch);
            for (std::size_t i = 0; i < count; ++i)
            {
                const CapturedFrame& f = frames[i];
                all.push_back(
                    {f.unixNs,
                     f.wire,
                     Bytes(f.data, f.data + f.captured),
                     f.link.Parse(f.data, f.captured, f.wire).verdict == FrameVerdict::METERABLE});
            }
            if (count == 0)
            {
                break;
            }
        }
        counts = file.GetCounts();
        damage = wrong.empty() ? file.DescribeDamage() : "";
        return all;
    }

    Read Whole(int64_t unixNs) const
    {
        return {unixNs, 42, FRAME, true};
    }

    bool swapped{false};
    Bytes bytes;
    std::string wrong;
    std::string damage;
    CaptureCounts counts;
};

TEST_F(CaptureFileTest, PcapOfEitherOrderAndResolutionWithOldAndLongHeaders)
{
    for (const bool order : {false, true})
    {
        for (const auto& [magic, unit] :
             {std::pair(MAGIC_US, 1000), std::pair(MAGIC_NS, 1), std::pair(MAGIC_KUZNETZOV, 1000)})
        {
            swapped = order;
            bytes.clear();
            Pcap(magic);
            Bytes data = FRAME;
            if (magic == MAGIC_KUZNETZOV) // interface, protocol, type before the frame
            {
                data.insert(data.begin(), 8, 7);
            }
            Packet(T, 123456, data, 42, 42);
            EXPECT_EQ(ReadAll(), std::vector<Read>{Whole(T_NS + 123456 * unit)});
            EXPECT_EQ(damage, "");
        }
    }
}

TEST_F(CaptureFileTest, OldVersionsHaveTheirLengthsSwapped)
{
    for (const auto& [version, captured, wire] :
         {std::tuple(0x00020002U, 60U, 42U), {0x00030002U, 60U, 42U}, {0x00030002U, 42U, 60U}})
    {
        bytes.clear();
        Pcap(MAGIC_US, version);
        Packet(T, 0, FRAME, wire, captured);
        EXPECT_EQ(ReadAll(), (std::vector<Read>{{T_NS, 60, FRAME, true}}));
    }
    bytes.clear();
    Pcap(MAGIC_US, 0x00050002);
    ReadAll();
    EXPECT_EQ(wrong, "version 2.5 of pcap is not known; allowed: 2.0 to 2.4");
}

TEST_F(CaptureFileTest, WhatIsLongerThanTheSnapLengthIsPassedOver)
{
    Pcap(MAGIC_US, 0x00040002, 40);
    Packet(T, 0, FRAME, 42);
    Packet(T, 1, Bytes(20), 20);
    const std::vector<Read> read = ReadAll();
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read[0].data.size(), 40U);
    EXPECT_EQ(read[1].data.size(), 20U);
}

TEST_F(CaptureFileTest, MoreCapturedThanThereWasCountsByTheLargerLength)
{
    Pcap(MAGIC_US);
    Packet(T, 0, FRAME, 20);
    Packet(T, 1, FRAME, 42);
    EXPECT_EQ(ReadAll(), (std::vector<Read>{Whole(T_NS), Whole(T_NS + 1000)}));
    EXPECT_EQ(counts.aboveWire, 1U);
    EXPECT_EQ(damage, "");
}

TEST_F(CaptureFileTest, AFractionOfASecondOrMoreIsCarriedAndNamed)
{
    Pcap(MAGIC_US);
    Packet(T, 0, FRAME, 42);
    Packet(T, 1'000'000, FRAME, 42);
    Packet(T, 2'500'000, FRAME, 42);
    EXPECT_EQ(ReadAll(),
              (std::vector<Read>{Whole(T_NS),
                                 Whole(T_NS + NS_PER_SECOND),
                                 Whole(T_NS + 2'500 * NS_PER_MS)}));
    EXPECT_EQ(counts.carried, 2U);
    EXPECT_EQ(counts.firstCarried, "packet 2: a fraction of 1000000 us");
}

TEST_F(CaptureFileTest, EachPacketIsOfItsOwnInterface)
{
    Bytes nanoseconds;
    Append(nanoseconds, {0x00010009, 9, 0});
    Bytes binaryLater; // 2^-10 s, and three hours later
    Append(binaryLater, {0x00010009, 0x8a, 0x0008000e, 10800, 0, 0});
    Section();
    Interface(1, 65535);
    Interface(1, 262144, nanoseconds);
    Interface(101, 0, binaryLater);
    Interface(1, 20);
    const Bytes packet(FRAME.begin() + 14, FRAME.end());
    Enhanced(0, uint64_t{T} * 1'000'000 + 5, FRAME);
    Enhanced(1, uint64_t{T} * 1'000'000'000 + 7, FRAME);
    Enhanced(2, uint64_t{T} * 1024 + 512, packet);
    Enhanced(3, uint64_t{T} * 1'000'000, FRAME);
    const Bytes cut(FRAME.begin(), FRAME.begin() + 20);
    EXPECT_EQ(ReadAll(),
              (std::vector<Read>{Whole(T_NS + 5000),
                                 Whole(T_NS + 7),
                                 {T_NS + 10800 * NS_PER_SECOND + 500 * NS_PER_MS, 28, packet, true},
                                 {T_NS, 42, cut, false}}));
    EXPECT_EQ(damage, "");
}

TEST_F(CaptureFileTest, SectionsOfEitherByteOrderHaveInterfacesOfTheirOwn)
{
    Bytes later;
    for (const bool order : {false, true, false})
    {
        swapped = order;
        Section();
        Interface(order ? 101 : 1);
        Enhanced(0,
                 uint64_t{T} * 1'000'000,
                 order ? Bytes(FRAME.begin() + 14, FRAME.end()) : FRAME);
    }
    const std::vector<Read> read = ReadAll();
    ASSERT_EQ(read.size(), 3U);
    EXPECT_TRUE(read[0].metered && read[1].metered && read[2].metered);
    EXPECT_EQ(read[1].data.size(), 28U);
    EXPECT_EQ(damage, "");
}

TEST_F(CaptureFileTest, ResolutionsAndOffsetsOfAllKinds)
{
    const auto timeOf = [this](uint32_t resolution, uint64_t time, int64_t offset) {
        bytes.clear();
        Bytes options;
        Append(options, {0x00010009, resolution, 0x0008000e});
        const auto* p = reinterpret_cast<const uint8_t*>(&offset);
        options.insert(options.end(), p, p + 8);
        Append(options, {0});
        Section();
        Interface(1, 0, options);
        Enhanced(0, time, FRAME);
        return ReadAll().front().unixNs;
    };
    EXPECT_EQ(timeOf(0, T, 0), T_NS);
    EXPECT_EQ(timeOf(3, uint64_t{T} * 1000 + 1, 0), T_NS + NS_PER_MS);
    EXPECT_EQ(timeOf(12, 1'999'999'999'999, T), T_NS + 1'999'999'999);
    EXPECT_EQ(timeOf(127, UINT64_MAX, T), T_NS);
    EXPECT_EQ(timeOf(0x80, T, -3600), T_NS - 3600 * NS_PER_SECOND);
    EXPECT_EQ(timeOf(0xbf, UINT64_MAX, T), T_NS + 1'999'999'999); // 2^-63 s
    EXPECT_EQ(timeOf(0xff, UINT64_MAX, T), T_NS);
    EXPECT_EQ(counts.outOfYears, 0U);
    EXPECT_EQ(timeOf(0, UINT64_MAX, INT64_MAX), MAX_UNIX_NS);
    EXPECT_EQ(counts.outOfYears, 1U);
    EXPECT_EQ(timeOf(0, T, INT64_MIN), NO_TIME);
    EXPECT_EQ(counts.outOfYears, 1U);
}

TEST_F(CaptureFileTest, SimpleAndObsoletePacketsAreReadAndOtherBlocksPassedOver)
{
    Section();
    AppendBlock(bytes, 4, Bytes(40)); // names
    Interface(1, 42);
    Bytes simple;
    Append(simple, {60});
    simple.insert(simple.end(), FRAME.begin(), FRAME.end());
    AppendBlock(bytes, 3, simple);
    AppendBlock(bytes,
                0x40000bad,
                Bytes(600'000)); // a custom block longer than the reader's window
    Bytes obsolete;
    const uint64_t time = uint64_t{T} * 1'000'000;
    Append(obsolete, {0, static_cast<uint32_t>(time >> 32), static_cast<uint32_t>(time), 42, 42});
    obsolete.insert(obsolete.end(), FRAME.begin(), FRAME.end());
    AppendBlock(bytes, 2, obsolete);
    AppendBlock(bytes, 5, Bytes(20)); // statistics
    EXPECT_EQ(ReadAll(), (std::vector<Read>{{NO_TIME, 60, FRAME, true}, Whole(T_NS)}));
    EXPECT_EQ(damage, "");
}

TEST_F(CaptureFileTest, PacketsOfAnUnknownLinkTypeAreToldAndTheOthersRead)
{
    Section();
    Interface(105);
    Interface(1);
    Enhanced(0, uint64_t{T} * 1'000'000, FRAME);
    Enhanced(1, uint64_t{T} * 1'000'000, FRAME);
    EXPECT_EQ(ReadAll(), (std::vector<Read>{{T_NS, 42, FRAME, false}, Whole(T_NS)}));
    EXPECT_EQ(counts.unknownLinks, 1U);
    EXPECT_EQ(counts.unknownLinkType, 105);
}

TEST_F(CaptureFileTest, WhatIsCompressedSaysHowToReadIt)
{
    for (const auto& [magic, program] : {std::pair(Bytes{0x1f, 0x8b, 8, 0}, "gzip"),
                                         std::pair(Bytes{0x28, 0xb5, 0x2f, 0xfd}, "zstd"),
                                         std::pair(Bytes{4, 0x22, 0x4d, 0x18}, "lz4"),
                                         std::pair(Bytes{0xfd, '7', 'z', 'X', 'Z', 0}, "xz"),
                                         std::pair(Bytes{'B', 'Z', 'h', '9'}, "bzip2")})
    {
        bytes = magic;
        bytes.resize(100);
        ReadAll();
        EXPECT_NE(wrong.find(std::string(program) + " -dc FILE |"), std::string::npos) << wrong;
    }
}

TEST_F(CaptureFileTest, PipesGiveTheSameAsFilesInAnyPieces)
{
    Section();
    Interface(1);
    for (uint32_t i = 0; i < 300; ++i)
    {
        Enhanced(0, uint64_t{T} * 1'000'000 + i, Bytes(i * 17, 1));
    }
    const Bytes pcapng = bytes;
    bytes.clear();
    Pcap(MAGIC_NS);
    for (uint32_t i = 0; i < 300; ++i)
    {
        Packet(T, i, Bytes(i * 17, 1), i * 17);
    }
    const Bytes pcap = bytes;
    for (const Bytes& content : {pcap, pcapng})
    {
        bytes = content;
        const std::vector<Read> all = ReadAll();
        ASSERT_EQ(all.size(), 300U);
        for (std::size_t most : {1, 13, 4096})
        {
            EXPECT_TRUE(ReadAll(most, 32) == all) << most;
        }
    }
}

TEST_F(CaptureFileTest, AFrameOfAPipeDoesNotWaitForOthers)
{
    Pcap(MAGIC_NS);
    Packet(T, 0, FRAME, 42);
    std::size_t given = 0;
    bool asked = false;
    CaptureFile file([&](uint8_t* to, std::size_t max) -> std::ptrdiff_t {
        asked = given == bytes.size();
        const std::size_t count = std::min(max, bytes.size() - given);
        std::memcpy(to, bytes.data() + given, count);
        given += count;
        return static_cast<std::ptrdiff_t>(count);
    });
    EXPECT_EQ(file.Open(), "");
    CapturedFrame frames[8];
    EXPECT_EQ(file.NextBatch(frames, 8), 1U);
    EXPECT_FALSE(asked); // that would have waited
}

} // namespace
} // namespace netflow
