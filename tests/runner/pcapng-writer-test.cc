// SPDX-License-Identifier: GPL-2.0-only
// Other readers judge whole files in the end-to-end tests; here are the octets.
#include "runner/capture/pcapng-writer.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

std::string
Octets(std::initializer_list<unsigned> octets)
{
    std::string text;
    for (const unsigned octet : octets)
    {
        text += static_cast<char>(octet);
    }
    return text;
}

const std::string SECTION =
    Octets({0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1, 0,
            0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28,   0,    0, 0});

TEST(PcapngWriter, BeginsWithASectionHeader)
{
    EXPECT_EQ(PcapngWriter().GetFile(), SECTION);
}

TEST(PcapngWriter, InterfaceHasANameAndNanoseconds)
{
    PcapngWriter writer;
    EXPECT_EQ(writer.AddInterface("lost", PcapngWriter::LINK_RAW_IP), 0U);
    EXPECT_EQ(writer.AddInterface("eth0", PcapngWriter::LINK_ETHERNET), 1U);
    const std::string block =
        Octets({1,   0,   0,   0,   40, 0, 0, 0, 101, 0, 0, 0, 0, 0, 0, 0, 2,  0, 4, 0,
                'l', 'o', 's', 't', 9,  0, 1, 0, 9,   0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0});
    EXPECT_EQ(writer.GetFile().substr(SECTION.size(), block.size()), block);
}

TEST(PcapngWriter, PacketIsPaddedAndHasItsComment)
{
    PcapngWriter writer;
    writer.AddPacket(1, 0x0000000512345678, {7, 8, 9}, "ab");
    EXPECT_EQ(writer.GetFile().substr(SECTION.size()),
              Octets({6,    0,    0,    0,    48,  0,   0, 0, 1, 0, 0, 0, 5,  0, 0, 0,
                      0x78, 0x56, 0x34, 0x12, 3,   0,   0, 0, 3, 0, 0, 0, 7,  8, 9, 0,
                      1,    0,    2,    0,    'a', 'b', 0, 0, 0, 0, 0, 0, 48, 0, 0, 0}));
}

TEST(PcapngWriter, PacketWithoutACommentHasNoOptions)
{
    PcapngWriter writer;
    writer.AddPacket(0, 0, {7, 8, 9, 10}, "");
    EXPECT_EQ(writer.GetFile().size(), SECTION.size() + 36);
}

} // namespace
} // namespace esxnf
