// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/capture/capture-reader.h"
#include "runner/capture/capture-writer.h"
#include "tests/scratch-folder.h"

#include <gtest/gtest.h>
#include <vector>

namespace esxnf
{
namespace
{

/// The Internet checksum over a header that holds its own: 0 if it is right.
uint16_t
Checksum(const uint8_t* data, std::size_t size, uint32_t sum = 0)
{
    for (std::size_t i = 0; i < size; ++i)
    {
        sum += i % 2 ? data[i] : static_cast<uint32_t>(data[i] << 8);
    }
    while (sum >> 16)
    {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<uint16_t>(~sum);
}

class CaptureWriterTest : public testing::Test
{
  protected:
    const ScratchFolder scratch;
    const std::string path = scratch.Path("capture");
    const UdpPath udp{0x7f000001, 0x0a000002, 49152, 2055};
};

TEST_F(CaptureWriterTest, DatagramsComeBackAsTheyWere)
{
    const std::vector<std::vector<uint8_t>> payloads = {{1, 2, 3}, std::vector<uint8_t>(1464, 7)};
    {
        CaptureWriter writer(path, udp);
        writer.Write(1'700'000'000'123'456'789, payloads[0].data(), payloads[0].size());
        writer.Write(1'700'000'001'000'000'000, payloads[1].data(), payloads[1].size());
        writer.Flush();
    }
    CaptureReader reader(path);
    CapturedFrame frame;
    for (const auto& payload : payloads)
    {
        ASSERT_TRUE(reader.Next(frame));
        UdpDatagram datagram;
        ASSERT_EQ(frame.link.FindUdp(frame.data, frame.captured, frame.wire, 2055, datagram),
                  UdpFinding::FOUND);
        EXPECT_EQ(std::vector<uint8_t>(datagram.data, datagram.data + datagram.size), payload);
        EXPECT_EQ(datagram.sourceAddress, udp.sourceAddress);
        EXPECT_EQ(datagram.sourcePort, udp.sourcePort);
        EXPECT_EQ(reader.Parse(frame).key.destination, udp.destinationAddress);
        EXPECT_EQ(frame.unixNs,
                  payload.size() == 3 ? 1'700'000'000'123'456'789 : 1'700'000'001'000'000'000);
    }
    EXPECT_FALSE(reader.Next(frame));
}

TEST_F(CaptureWriterTest, ChecksumsAreRight)
{
    for (const std::vector<uint8_t>& payload : {std::vector<uint8_t>{}, {9}, {1, 2, 3, 4}})
    {
        CaptureWriter writer(path, udp);
        writer.Write(0, payload.data(), payload.size());
        writer.Flush();
        CaptureReader reader(path);
        CapturedFrame frame;
        ASSERT_TRUE(reader.Next(frame));
        const uint8_t* ip = frame.data + 14;
        EXPECT_EQ(Checksum(ip, 20), 0);
        const auto length = static_cast<uint32_t>(8 + payload.size());
        EXPECT_EQ(Checksum(ip + 12, 8 + length, 17 + length), 0); // with the pseudo-header
    }
}

TEST_F(CaptureWriterTest, AFileThatCannotBeWrittenIsTheUsersError)
{
    EXPECT_THROW(CaptureWriter("/nonexistent/x.pcap", udp), UserError);
    const auto fill = [&] {
        CaptureWriter writer("/dev/full", udp);
        writer.Flush();
    };
    EXPECT_THROW(fill(), UserError);
}

} // namespace
} // namespace esxnf
