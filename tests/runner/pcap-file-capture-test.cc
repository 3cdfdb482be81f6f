// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-source.h"
#include "runner/capture/libpcap-capture.h"
#include "runner/capture/pcap-file-capture.h"
#include "tests/scratch-folder.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace esxnf
{
namespace
{

using Bytes = std::vector<uint8_t>;

constexpr uint32_t MAGIC_US = 0xa1b2c3d4;
constexpr uint32_t MAGIC_NS = 0xa1b23c4d;
constexpr uint32_t SNAP_LENGTH = 96;

/// Writes pcap files of either byte order.
class Writer
{
  public:
    explicit Writer(bool swapped = false, uint32_t magic = MAGIC_NS, uint32_t snap = SNAP_LENGTH)
        : m_swapped(swapped)
    {
        Put32(magic);
        Put32(swapped ? 0x00020004U : 0x00040002U); // versions 2 and 4, 16 bits each
        for (uint32_t word : {0U, 0U, snap, 1U})
        {
            Put32(word);
        }
    }

    void Packet(uint32_t fraction, uint32_t captured, uint32_t wire)
    {
        for (uint32_t word : {1'700'000'000U, fraction, captured, wire})
        {
            Put32(word);
        }
        for (uint32_t i = 0; i < captured; ++i)
        {
            bytes.push_back(static_cast<uint8_t>(i + fraction));
        }
    }

    void Put32(uint32_t value)
    {
        value = m_swapped ? __builtin_bswap32(value) : value;
        const auto* p = reinterpret_cast<const uint8_t*>(&value);
        bytes.insert(bytes.end(), p, p + sizeof(value));
    }

    Bytes bytes;

  private:
    const bool m_swapped;
};

using Frame = std::tuple<int64_t, uint32_t, Bytes>; // time, wire, octets

class PcapFileCaptureTest : public testing::Test
{
  protected:
    void Write(const Bytes& content)
    {
        std::remove(path.c_str());
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(content.data()),
                   static_cast<std::streamsize>(content.size()));
    }

    std::unique_ptr<PcapFileCapture> Open()
    {
        return PcapFileCapture::TryOpen(path, DLT_EN10MB);
    }

    /// All frames that a source returns before its end or its damage.
    std::vector<Frame> ReadAll(CaptureSource& source, std::size_t batch)
    {
        std::vector<Frame> all;
        std::vector<CapturedFrame> frames(batch);
        damage.clear();
        try
        {
            while (const std::size_t count = source.NextBatch(frames.data(), batch))
            {
                for (std::size_t i = 0; i < count; ++i)
                {
                    const uint8_t* data = frames[i].data;
                    all.emplace_back(frames[i].unixNs,
                                     frames[i].wire,
                                     Bytes(data, data + frames[i].captured));
                }
            }
        }
        catch (const CaptureError& error)
        {
            damage = error.what();
        }
        return all;
    }

    const ScratchFolder scratch;
    const std::string path{scratch.Path("capture")};
    std::string damage;
};

TEST_F(PcapFileCaptureTest, ReadsWhatLibpcapReads)
{
    for (const bool swapped : {false, true})
    {
        for (const uint32_t magic : {MAGIC_US, MAGIC_NS})
        {
            Writer writer(swapped, magic);
            for (uint32_t i = 0; i < 300; ++i)
            {
                writer.Packet(i, i % 130, i % 130 + i); // some are longer than the snap length
            }
            Write(writer.bytes);
            LibpcapCapture reference(path);
            const auto expected = ReadAll(reference, 1);
            ASSERT_EQ(expected.size(), 300U);
            for (const std::size_t batch : {1, 7, 32, 1000})
            {
                EXPECT_EQ(ReadAll(*Open(), batch), expected) << batch;
            }
        }
    }
}

TEST_F(PcapFileCaptureTest, EveryTruncationKeepsTheFramesBeforeItAsLibpcapDoes)
{
    Writer writer;
    for (uint32_t i = 0; i < 5; ++i)
    {
        writer.Packet(i, 20 + i, 60);
    }
    for (std::size_t length = 24; length <= writer.bytes.size(); ++length)
    {
        Write(Bytes(writer.bytes.begin(), writer.bytes.begin() + static_cast<ptrdiff_t>(length)));
        LibpcapCapture reference(path);
        const auto expected = ReadAll(reference, 3);
        const std::string expectedDamage = damage;
        EXPECT_EQ(ReadAll(*Open(), 3), expected) << length;
        EXPECT_EQ(damage.empty(), expectedDamage.empty()) << length << damage;
        const std::string number = ": packet " + std::to_string(expected.size() + 1) + ": ";
        EXPECT_TRUE(damage.empty() || damage.find(number) != std::string::npos) << damage;
    }
}

TEST_F(PcapFileCaptureTest, SnapLengthZeroMeansNoLimit)
{
    Writer writer(false, MAGIC_NS, 0);
    writer.Packet(1, 1500, 1500);
    Write(writer.bytes);
    const auto frames = ReadAll(*Open(), 4);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(std::get<Bytes>(frames[0]).size(), 1500U);
}

TEST_F(PcapFileCaptureTest, AbsurdLengthsAreDamageAfterTheFramesBefore)
{
    for (const uint32_t length : {262145U, 0x7fffffffU, 0xffffffffU})
    {
        Writer writer;
        writer.Packet(1, 60, 60);
        for (uint32_t word : {0U, 0U, length, length})
        {
            writer.Put32(word);
        }
        Write(writer.bytes);
        const auto capture = Open();
        EXPECT_EQ(ReadAll(*capture, 32).size(), 1U);
        EXPECT_NE(damage.find("packet 2: " + std::to_string(length)), std::string::npos) << damage;
    }
}

TEST_F(PcapFileCaptureTest, FramesAcrossTheEndOfAWindowAreWhole)
{
    // 20 MB in frames of odd lengths: some lie across each of the window's ends.
    Writer writer(false, MAGIC_NS, 65535);
    for (uint32_t i = 0; i < 2000; ++i)
    {
        writer.Packet(i, 9001 + i, 20000);
    }
    Write(writer.bytes);
    LibpcapCapture reference(path);
    const auto expected = ReadAll(reference, 32);
    ASSERT_EQ(expected.size(), 2000U);
    EXPECT_TRUE(ReadAll(*Open(), 32) == expected);
}

TEST_F(PcapFileCaptureTest, WhatItDoesNotReadIsLeftToLibpcap)
{
    Write({'t', 'e', 'x', 't'});
    EXPECT_EQ(Open(), nullptr);
    Writer modified(false, 0xa1b2cd34); // a variant of Linux 2.2 times, longer packet headers
    Write(modified.bytes);
    EXPECT_EQ(Open(), nullptr);
    Writer old;
    old.bytes[6] = 3; // version 2.3 swaps the two lengths
    Write(old.bytes);
    EXPECT_EQ(Open(), nullptr);
    std::remove(path.c_str());
    EXPECT_EQ(Open(), nullptr) << "no such file";
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(Open(), nullptr) << "opening a pipe would wait for a writer";
}

TEST_F(PcapFileCaptureTest, AFileThatShrinksIsReadAsFarAsItGoes)
{
    Writer writer(false, MAGIC_NS, 65535);
    for (uint32_t i = 0; i < 1000; ++i)
    {
        writer.Packet(i, 9000, 9000);
    }
    Write(writer.bytes);
    const auto capture = Open();
    CapturedFrame frame;
    ASSERT_EQ(capture->NextBatch(&frame, 1), 1U);
    ASSERT_EQ(truncate(path.c_str(), 6'000'000), 0); // in a later block
    const auto rest = ReadAll(*capture, 32);
    EXPECT_EQ(rest.size() + 1, (6'000'000U - 24) / 9016);
    EXPECT_NE(damage.find("truncated"), std::string::npos) << damage;
}

} // namespace
} // namespace esxnf
