// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/datagram-text.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

netflow::V5Record
WebRecord()
{
    netflow::V5Record record;
    record.srcAddr = 0x0a000001;
    record.dstAddr = 0xc0a8fffe;
    record.srcPort = 40000;
    record.dstPort = 80;
    record.input = 4;
    record.output = 2;
    record.dPkts = 3;
    record.dOctets = UINT32_MAX;
    record.first = 15;
    record.last = UINT32_MAX;
    record.prot = 6;
    record.tos = 0xb8;
    record.tcpFlags = 0x1b;
    return record;
}

TEST(DatagramTextTest, HeaderOnOneLine)
{
    netflow::V5Header header;
    header.count = 8;
    header.sysUptime = 15020;
    header.unixSecs = 1'700'000'015;
    header.unixNsecs = 20'000'001;
    header.flowSequence = 60;
    header.engineType = 1;
    header.engineId = 2;
    EXPECT_EQ(HeaderToText(header),
              "engine 1/2 sequence 60 count 8 uptime 15.020 time 2023-11-14T22:13:35.020000001Z");
    header.samplingMode = 1;
    header.samplingInterval = 100;
    header.unixNsecs = UINT32_MAX;
    EXPECT_EQ(HeaderToText(header),
              "engine 1/2 sequence 60 count 8 uptime 15.020 time 2023-11-14T22:13:35Z and "
              "4294967295 nanoseconds, which is not valid sampling mode 1 interval 100");
}

TEST(DatagramTextTest, RecordOnOneLine)
{
    EXPECT_EQ(RecordToText(WebRecord()),
              "tcp 10.0.0.1:40000 > 192.168.255.254:80 tos 0xb8 in 4 out 2 packets 3 "
              "octets 4294967295 first 0.015 last 4294967.295 flags ...AP.SF");
}

TEST(DatagramTextTest, ProtocolsByNameOrNumber)
{
    netflow::V5Record record;
    for (const auto& [protocol, name] : {std::pair<int, std::string>{1, "icmp "},
                                         {2, "igmp "},
                                         {17, "udp "},
                                         {47, "protocol 47 "}})
    {
        record.prot = static_cast<uint8_t>(protocol);
        EXPECT_EQ(RecordToText(record).rfind(name, 0), 0U) << name;
    }
}

TEST(DatagramTextTest, FieldsThatOthersFillInAreShown)
{
    netflow::V5Record record = WebRecord();
    record.nextHop = 0x0a0000fe;
    record.dstAs = 65000;
    record.srcMask = 24;
    record.pad2 = 1;
    const std::string text = RecordToText(record);
    EXPECT_NE(text.find(" nexthop 10.0.0.254 as 0>65000 mask 24>0 pad 0x00,0x0001"),
              std::string::npos)
        << text;
}

TEST(DatagramTextTest, DatagramIsItsHeaderThenItsRecords)
{
    const netflow::V5Header header;
    EXPECT_EQ(DatagramToText(header, {WebRecord()}),
              HeaderToText(header) + "\n  " + RecordToText(WebRecord()) + "\n");
}

} // namespace
} // namespace esxnf
