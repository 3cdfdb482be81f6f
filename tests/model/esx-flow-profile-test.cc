// SPDX-License-Identifier: GPL-2.0-only
#include "tests/scratch-folder.h"

#include "ns3/esx-flow-profile.h"

#include <fstream>
#include <gtest/gtest.h>

using namespace ns3;

namespace
{

const std::string HEADER =
    "START_TIME,END_TIME,L3_PROTO,L4_PROTO,SRC_PORT,DST_PORT,PACKETS,BYTES,PACKETS_REV,BYTES_REV\n";

class EsxFlowProfileTest : public ::testing::Test
{
  protected:
    std::string Read(const std::string& text)
    {
        const std::string path = scratch.Path("profile.csv");
        std::ofstream(path) << text;
        const std::string wrong = EsxReadFlowProfile(path, flows, others);
        return wrong.substr(wrong.empty() ? 0 : path.size());
    }

    const esxnf::ScratchFolder scratch;
    std::vector<EsxProfiledFlow> flows;
    uint64_t others{0};
};

} // namespace

TEST_F(EsxFlowProfileTest, FlowsComeInOrderOfBeginFromTheFirstOneOn)
{
    EXPECT_EQ(
        Read(HEADER + "2500,3000,4,17,1000,53,1,60,2,400\r\n1000,2000,4,6,1024,80,4,200,0,0\n"),
        "");
    ASSERT_EQ(flows.size(), 2u);
    EXPECT_EQ(flows[0].begin, 0);
    EXPECT_EQ(flows[0].end, 1'000'000'000);
    EXPECT_EQ(flows[0].protocol, 6);
    EXPECT_EQ(flows[0].answerPackets, 0u);
    EXPECT_EQ(flows[1].begin, 1'500'000'000);
    EXPECT_EQ(flows[1].destinationPort, 53);
    EXPECT_EQ(flows[1].answerOctets, 400u);
}

TEST_F(EsxFlowProfileTest, ColumnsComeInAnyOrderWithAddressesAndOthers)
{
    EXPECT_EQ(Read("DST_IP,SRC_IP,X,BYTES_REV,PACKETS_REV,BYTES,PACKETS,DST_PORT,SRC_PORT,L4_PROTO,"
                   "L3_PROTO,END_TIME,START_TIME\n"
                   "10.0.0.2,10.0.0.1,y,0,0,28,1,2048,0,1,4,7,7\n"),
              "");
    ASSERT_EQ(flows.size(), 1u);
    EXPECT_EQ(flows[0].source, 0x0a000001u);
    EXPECT_EQ(flows[0].destination, 0x0a000002u);
    EXPECT_EQ(flows[0].octets, 28u);
}

TEST_F(EsxFlowProfileTest, FlowsOfIpv6AreLeftOutAndCounted)
{
    EXPECT_EQ(Read(HEADER + "1,2,6,6,1,2,1,60,0,0\n1,2,4,6,1,2,1,60,0,0\n"), "");
    EXPECT_EQ(flows.size(), 1u);
    EXPECT_EQ(others, 1u);
    flows.clear();
    EXPECT_EQ(Read(HEADER + "1,2,6,6,1,2,1,60,0,0\n"), ": there is no flow of IPv4 in it");
}

TEST_F(EsxFlowProfileTest, WhatIsWrongIsToldWithItsLine)
{
    EXPECT_EQ(Read(""), ": cannot be read, or is empty");
    EXPECT_EQ(Read("START_TIME,END_TIME\n1,2\n"), ":1: there is no column L3_PROTO");
    EXPECT_EQ(Read(HEADER + "1,2,4,6,1,2,1\n"), ":2: BYTES is no number from 0 to 1099511627776: ");
    EXPECT_EQ(Read(HEADER + "1,2,4,6,1,2,1,60,0,0\n\n-1,2,4,6,1,2,1,60,0,0\n"),
              ":4: START_TIME is no number from 0 to 8796093022208: -1");
    EXPECT_EQ(Read(HEADER + "1,2,4,6,70000,2,1,60,0,0\n"),
              ":2: SRC_PORT is no number from 0 to 65535: 70000");
    EXPECT_EQ(Read(HEADER + "1,2,5,6,1,2,1,60,0,0\n"), ":2: L3_PROTO is 4 or 6");
    EXPECT_EQ(Read(HEADER + "3,2,4,6,1,2,1,60,0,0\n"), ":2: END_TIME is before START_TIME");
    EXPECT_EQ(Read(HEADER + "1,2,4,6,1,2,0,0,0,0\n"), ":2: PACKETS is at least 1");
    EXPECT_EQ(Read(HEADER + "1,2,4,6,1,2,2,60,0,0\n"),
              ":2: BYTES: 2 packets have 80 to 131070 octets");
    EXPECT_EQ(Read(HEADER + "1,2,4,17,1,2,1,28,1,27\n"),
              ":2: BYTES_REV: 1 packets have 28 to 65535 octets");
    EXPECT_EQ(Read("SRC_IP," + HEADER + "::1,1,2,4,17,1,2,1,28,0,0\n"),
              ":2: SRC_IP is no IPv4 address: ::1");
}
