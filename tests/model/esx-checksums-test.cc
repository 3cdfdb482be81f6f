// SPDX-License-Identifier: GPL-2.0-only
#include "model/vswitch/esx-checksums.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

using namespace ns3;

namespace
{

using Octets = std::vector<uint8_t>;

constexpr std::size_t HEADER_CHECKSUM = 10;

/// The example that RFC 1071's explanations use, 192.168.0.1 to 192.168.0.199: 0xb861.
Octets
Header(uint8_t protocol, std::size_t payload)
{
    const auto total = static_cast<uint8_t>(20 + payload);
    Octets packet{0x45, 0, 0,   total, 0, 0, 0x40, 0,   0x40, protocol,
                  0,    0, 192, 168,   0, 1, 192,  168, 0,    199};
    packet.resize(20 + payload);
    return packet;
}

/// One's complement sum over octets, which is 0xffff over what has its checksum.
uint32_t
Sum(const Octets& octets, std::size_t begin, std::size_t end, uint32_t sum = 0)
{
    for (std::size_t i = begin; i < end; ++i)
    {
        sum += (i - begin) % 2 ? octets[i] : octets[i] << 8;
    }
    while (sum >> 16)
    {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

uint32_t
Word(const Octets& octets, std::size_t at)
{
    return octets.at(at) << 8 | octets.at(at + 1);
}

TEST(EsxChecksums, OfAKnownHeader)
{
    Octets packet = Header(17, 95);
    EsxFillIpChecksums(packet.data(), packet.size());
    EXPECT_EQ(Word(packet, HEADER_CHECKSUM), 0xb861u);
    EXPECT_EQ(Word(packet, 26), 0u) << "UDP's may be none";
}

TEST(EsxChecksums, OfTcpAndIcmpWithOddLengths)
{
    Octets tcp = Header(6, 25);
    Octets icmp = Header(1, 11);
    for (std::size_t i = 20; i < tcp.size(); ++i)
    {
        tcp[i] = static_cast<uint8_t>(i == 36 || i == 37 ? 0 : i * 7);
    }
    icmp[20] = 8;
    icmp[30] = 0xab;
    EsxFillIpChecksums(tcp.data(), tcp.size());
    EsxFillIpChecksums(icmp.data(), icmp.size());
    EXPECT_EQ(Sum(tcp, 0, 20), 0xffffu);
    EXPECT_EQ(Sum(tcp, 20, tcp.size(), Sum(tcp, 12, 20) + 6 + 25), 0xffffu);
    EXPECT_EQ(Sum(icmp, 20, icmp.size()), 0xffffu);
}

TEST(EsxChecksums, WhatIsThereStays)
{
    Octets packet = Header(6, 20);
    packet[HEADER_CHECKSUM] = 0x12;
    packet[36] = 0x34;
    const Octets before = packet;
    EsxFillIpChecksums(packet.data(), packet.size());
    EXPECT_EQ(packet, before);
}

TEST(EsxChecksums, FragmentsAndCutPacketsGetThatOfTheirHeaderOnly)
{
    Octets fragment = Header(1, 16);
    fragment[6] = 0x20; // more fragments
    Octets cut = Header(6, 60);
    cut.resize(44);
    for (Octets* packet : {&fragment, &cut})
    {
        EsxFillIpChecksums(packet->data(), packet->size());
        EXPECT_EQ(Sum(*packet, 0, 20), 0xffffu);
        EXPECT_EQ(Sum(*packet, 20, packet->size()), 0u);
    }
}

TEST(EsxChecksums, BehindVlanTagsAndInNoOtherProtocol)
{
    const Octets packet = Header(17, 8);
    Octets tagged(12);
    for (int tag = 0; tag < 2; ++tag)
    {
        tagged.insert(tagged.end(), {0x81, 0x00, 0x00, 0x65});
    }
    tagged.insert(tagged.end(), {0x08, 0x00});
    tagged.insert(tagged.end(), packet.begin(), packet.end());
    Octets arp(12);
    arp.insert(arp.end(), {0x08, 0x06});
    arp.insert(arp.end(), packet.begin(), packet.end());
    const Octets before = arp;
    EsxFillFrameChecksums(tagged.data(), tagged.size());
    EsxFillFrameChecksums(arp.data(), arp.size());
    EXPECT_EQ(Sum(tagged, 22, 42), 0xffffu);
    EXPECT_EQ(arp, before);
}

TEST(EsxChecksums, NothingIsReadBehindTheEnd)
{
    const Octets whole = Header(6, 20);
    for (std::size_t size = 0; size <= whole.size(); ++size)
    {
        Octets frame(12);
        frame.insert(frame.end(), {0x81, 0x00, 0, 1, 0x08, 0x00});
        frame.insert(frame.end(), whole.begin(), whole.end());
        frame.resize(size + 4);
        frame.shrink_to_fit();
        EsxFillFrameChecksums(frame.data(), frame.size());
    }
    Octets longHeader = Header(6, 4);
    longHeader[0] = 0x4f; // 60 octets, which are not there
    const Octets before = longHeader;
    EsxFillIpChecksums(longHeader.data(), longHeader.size());
    EXPECT_EQ(longHeader, before);
}

} // namespace
