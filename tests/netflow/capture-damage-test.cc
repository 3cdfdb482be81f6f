// SPDX-License-Identifier: GPL-2.0-only
// Captures in every state of damage: what is whole is read, before it and behind it, and the damage
// is told with the packet's number.
#include "netflow/capture-file.h"
#include "tests/netflow/capture-octets.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace netflow
{
namespace
{

using test::Append;
using test::Bytes;

constexpr std::size_t PACKETS = 6;
constexpr std::size_t PACKET_OCTETS = 44;

/// A file and where each of its packets ends; the first place is where the first one begins.
struct Capture
{
    Bytes bytes;
    std::vector<std::size_t> ends;
};

Capture
Pcap()
{
    Capture capture;
    Append(capture.bytes, {0xa1b23c4d, 0x00040002, 0, 0, 65535, 1});
    capture.ends.push_back(capture.bytes.size());
    for (uint32_t i = 0; i < PACKETS; ++i)
    {
        Append(capture.bytes, {1'700'000'000U, i, PACKET_OCTETS, PACKET_OCTETS});
        capture.bytes.resize(capture.bytes.size() + PACKET_OCTETS);
        capture.ends.push_back(capture.bytes.size());
    }
    return capture;
}

Capture
Pcapng()
{
    Capture capture;
    Append(capture.bytes, {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28});
    Append(capture.bytes, {1, 20, 1, 0, 20});
    capture.ends.push_back(capture.bytes.size());
    for (uint32_t i = 0; i < PACKETS; ++i)
    {
        constexpr uint32_t LENGTH = 32 + PACKET_OCTETS;
        Append(capture.bytes, {6, LENGTH, 0, 0x60000, i, PACKET_OCTETS, PACKET_OCTETS});
        capture.bytes.resize(capture.bytes.size() + PACKET_OCTETS);
        Append(capture.bytes, {LENGTH});
        capture.ends.push_back(capture.bytes.size());
    }
    return capture;
}

/// Outcome of reading a file.
struct Outcome
{
    std::size_t frames{0};
    std::string damage;
};

Outcome
Read(const Bytes& content)
{
    Outcome outcome;
    CaptureFile file(test::ReadFrom(content));
    outcome.damage = file.Open();
    if (!outcome.damage.empty())
    {
        return outcome;
    }
    CapturedFrame frame;
    while (file.NextBatch(&frame, 1) == 1)
    {
        ++outcome.frames;
        frame.link.Parse(frame.data, frame.captured, frame.wire);
    }
    outcome.damage = file.DescribeDamage();
    return outcome;
}

std::string
PacketNumber(std::size_t number)
{
    return "packet " + std::to_string(number) + ": ";
}

TEST(CaptureDamageTest, CutAnywhereWhatIsWholeIsReadAndTheRestIsTold)
{
    for (const Capture& capture : {Pcap(), Pcapng()})
    {
        for (std::size_t size = capture.ends[0]; size <= capture.bytes.size(); ++size)
        {
            const Outcome outcome = Read({capture.bytes.begin(), capture.bytes.begin() + size});
            std::size_t whole = 0;
            while (whole < PACKETS && capture.ends[whole + 1] <= size)
            {
                ++whole;
            }
            EXPECT_EQ(outcome.frames, whole) << size;
            const bool clean = size == capture.ends[whole];
            EXPECT_EQ(outcome.damage.empty(), clean) << size << outcome.damage;
            if (!clean)
            {
                EXPECT_NE(outcome.damage.find(PacketNumber(whole + 1)), std::string::npos)
                    << size << outcome.damage;
            }
        }
    }
}

TEST(CaptureDamageTest, CutInItsHeadItIsNoCapture)
{
    for (const Capture& capture : {Pcap(), Pcapng()})
    {
        for (std::size_t size = 0; size < 24; ++size)
        {
            const Outcome outcome = Read({capture.bytes.begin(), capture.bytes.begin() + size});
            EXPECT_EQ(outcome.frames, 0U);
            EXPECT_FALSE(outcome.damage.empty()) << size;
        }
    }
}

TEST(CaptureDamageTest, ReadingGoesOnBehindAPacketOfAnImpossibleLength)
{
    for (const auto& [capture, field] : {std::pair(Pcap(), 8), std::pair(Pcapng(), 20)})
    {
        for (std::size_t packet = 0; packet + 2 < PACKETS; ++packet)
        {
            for (uint32_t length : {UINT32_MAX, 0x80000000U, 262145U})
            {
                Bytes bytes = capture.bytes;
                std::memcpy(&bytes[capture.ends[packet] + field], &length, sizeof(length));
                const Outcome outcome = Read(bytes);
                EXPECT_EQ(outcome.frames, PACKETS - 1) << length;
                EXPECT_EQ(outcome.damage.find(PacketNumber(packet + 1)), 0U) << outcome.damage;
            }
        }
    }
}

TEST(CaptureDamageTest, ReadingGoesOnBehindOctetsThatAreNoPackets)
{
    for (const Capture& capture : {Pcap(), Pcapng()})
    {
        for (std::size_t octets : {1, 4, 100, 700'000}) // the last more than the reader's window
        {
            Bytes bytes = capture.bytes;
            bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(capture.ends[2]),
                         octets,
                         0xff);
            const Outcome outcome = Read(bytes);
            EXPECT_EQ(outcome.frames, PACKETS) << octets;
            EXPECT_EQ(outcome.damage.find(PacketNumber(3)), 0U) << outcome.damage;
            EXPECT_NE(outcome.damage.find("passed over " + std::to_string(octets) + " octets"),
                      std::string::npos)
                << outcome.damage;
        }
    }
}

TEST(CaptureDamageTest, ABlockWhoseLengthIsWrongCostsOnlyItself)
{
    const Capture capture = Pcapng();
    for (uint32_t length : {0U, 8U, 30U, 80U, 1000U, 0x10000000U, UINT32_MAX})
    {
        Bytes bytes = capture.bytes;
        std::memcpy(&bytes[capture.ends[1] + 4], &length, sizeof(length));
        const Outcome outcome = Read(bytes);
        EXPECT_EQ(outcome.frames, PACKETS - 1) << length;
        EXPECT_EQ(outcome.damage.find(PacketNumber(2)), 0U) << outcome.damage;
    }
}

TEST(CaptureDamageTest, ASnapLengthOfZeroIsNoLimit)
{
    Bytes bytes = Pcap().bytes;
    std::memset(&bytes[16], 0, 4);
    const Outcome outcome = Read(bytes);
    EXPECT_EQ(outcome.frames, PACKETS);
    EXPECT_EQ(outcome.damage, "");
}

TEST(CaptureDamageTest, AWrongMagicIsNoCapture)
{
    for (uint32_t magic : {0U, 0xa1b2c3d5U, 0x4d3cb2a0U, UINT32_MAX})
    {
        Bytes bytes = Pcap().bytes;
        std::memcpy(bytes.data(), &magic, sizeof(magic));
        const Outcome outcome = Read(bytes);
        EXPECT_EQ(outcome.frames, 0U);
        EXPECT_NE(outcome.damage.find("unknown file format"), std::string::npos) << outcome.damage;
    }
}

TEST(CaptureDamageTest, RandomOctetsNeverGetMoreOutThanIsInThem)
{
    std::mt19937 random(20080101); // the same octets everywhere
    for (unsigned round = 0; round < 300; ++round)
    {
        Bytes bytes = (round % 2 ? Pcap() : Pcapng()).bytes;
        const std::size_t from = round % 3 ? 24 : 0; // behind the magic, or anywhere
        for (unsigned i = 0; i < 1 + round % 20; ++i)
        {
            bytes[from + random() % (bytes.size() - from)] = static_cast<uint8_t>(random());
        }
        const Outcome outcome = Read(bytes);
        EXPECT_LE(outcome.frames, bytes.size() / 16);
    }
}

} // namespace
} // namespace netflow
