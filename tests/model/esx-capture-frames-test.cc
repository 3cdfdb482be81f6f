// SPDX-License-Identifier: GPL-2.0-only
#include "tests/scratch-folder.h"

#include "ns3/esx-capture-frames.h"

#include <fstream>
#include <gtest/gtest.h>

namespace ns3
{
namespace
{

class EsxCaptureFramesTest : public testing::Test
{
  protected:
    void Append(std::initializer_list<uint32_t> words)
    {
        for (uint32_t word : words)
        {
            content.append(reinterpret_cast<const char*>(&word), sizeof(word));
        }
    }

    void Head(uint32_t linkType)
    {
        Append({0xa1b2c3d4, 0x00040002, 0, 0, 65535, linkType});
    }

    /// An Ethernet frame with octets that are no IPv4 behind it.
    void Packet(uint32_t seconds, uint32_t captured = 20, uint32_t wire = 20)
    {
        Append({seconds, 0, captured, wire});
        content += std::string("\2\0\0\0\0\2\2\0\0\0\0\1\x08\x06", 14).substr(0, captured);
        content.append(captured > 14 ? captured - 14 : 0, 'x');
    }

    std::string Open()
    {
        const std::string path = scratch.Path("capture");
        std::ofstream(path, std::ios::binary) << content;
        return frames->Open(path);
    }

    const esxnf::ScratchFolder scratch;
    std::string content;
    const Ptr<EsxCaptureFrames> frames = CreateObject<EsxCaptureFrames>();
    EsxInjectedFrame frame;
};

TEST_F(EsxCaptureFramesTest, FramesComeAtTheDistancesOfTheCaptureByItsClock)
{
    Head(1);
    for (uint32_t second : {1000, 1001, 950, 951, 960, 980, 999})
    {
        Packet(second);
    }
    ASSERT_EQ(Open(), "");
    std::vector<int64_t> seconds;
    while (frames->Next(frame))
    {
        seconds.push_back(frame.at.GetMilliSeconds() / 1000);
        EXPECT_EQ(frame.protocol, 0x0806);
        EXPECT_EQ(*frame.source, Mac48Address("02:00:00:00:00:01"));
        EXPECT_EQ(frame.packet->GetSize(), 6U);
    }
    EXPECT_EQ(seconds, (std::vector<int64_t>{0, 1, 1, 2, 11, 31, 50}));
    EXPECT_EQ(frames->GetDamage(), "");
}

TEST_F(EsxCaptureFramesTest, WhatASnapLengthCutOffIsZerosAndFramesWithoutAHeaderAreLeftOut)
{
    Head(1);
    Packet(1, 14, 20);
    Packet(2, 18, 100);
    ASSERT_EQ(Open(), "");
    ASSERT_TRUE(frames->Next(frame));
    EXPECT_EQ(frame.packet->GetSize(), 86U);
    EXPECT_FALSE(frames->Next(frame));
}

TEST_F(EsxCaptureFramesTest, DamageIsToldWhenAllThatCouldBeReadHasCome)
{
    Head(1);
    Packet(1);
    content += "the end";
    ASSERT_EQ(Open(), "");
    EXPECT_TRUE(frames->Next(frame));
    EXPECT_EQ(frames->GetDamage(), "");
    EXPECT_FALSE(frames->Next(frame));
    EXPECT_EQ(frames->GetDamage().find("packet 2: truncated"), 0U) << frames->GetDamage();
}

TEST_F(EsxCaptureFramesTest, WhatIsNoCaptureSaysSo)
{
    EXPECT_NE(frames->Open(scratch.Path("none")).find("No such file"), std::string::npos);
    content = "only text";
    EXPECT_NE(Open().find("unknown file format"), std::string::npos);
    content.clear();
    Head(105);
    EXPECT_NE(Open().find("link type 105"), std::string::npos);
}

} // namespace
} // namespace ns3
