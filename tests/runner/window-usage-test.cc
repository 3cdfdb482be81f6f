// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/results/window-usage.h"
#include "tests/runner/scenario-lab.h"
#include "tests/scratch-folder.h"

#include <fstream>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

class WindowUsageTest : public testing::Test
{
  protected:
    /// \param truth and collected: rows without what all have in common, host and vSwitch
    WindowUsage Read(const std::string& truth, const std::string& collected = "") const
    {
        const std::string flow = "exporter,vswitch,src,dst,proto,sport,dport,packets,octets,";
        std::ofstream(m_scratch.GetPath() / "records.csv")
            << flow << "first_ns,last_ns,output,station,datagram,input_port,output_port\n"
            << WithEnd(truth, ",sent,7,,");
        std::ofstream(m_scratch.GetPath() / "flows-collected.csv")
            << flow << "first_ms,last_ms,input_port,output_port\n"
            << WithEnd(collected, ",,");
        std::ofstream(m_scratch.GetPath() / "datagrams.csv")
            << "exporter,datagram,fate\nesx1,7," << m_fate << "\n";
        return {m_scratch.GetPath().string(), m_scenario, ns3::Seconds(10), ns3::Seconds(20)};
    }

    /// Every line with more cells at its end.
    static std::string WithEnd(const std::string& lines, const std::string& end)
    {
        std::string longer;
        for (const char c : lines)
        {
            longer += c == '\n' ? end + c : std::string(1, c);
        }
        return longer;
    }

    std::string m_fate{"received"}; //!< of datagram 7, which has all records
    const ScratchFolder m_scratch;
    const Scenario m_scenario{ParseScenario(g_lab, "lab.yaml")};
    const SourceKey m_web{"esx1", "vSwitch0", "10.6.125.51"};
};

TEST_F(WindowUsageTest, OfARecordOverTheWindowsEdgeAPartIsIn)
{
    // 8 s to 12 s, to the millisecond: half of it is in
    const WindowUsage usage =
        Read("esx1,vSwitch0,10.6.125.51,10.6.125.52,17,5000,53,8,800,8000000000,11999000000,5\n",
             "esx1,vSwitch0,10.6.125.51,10.6.125.52,17,5000,53,4,400,8000,11999\n");
    const auto& sums = usage.GetSources().at(m_web);
    EXPECT_DOUBLE_EQ(sums[TRUTH].octets, 400);
    EXPECT_DOUBLE_EQ(sums[TRUTH].packets, 4);
    EXPECT_DOUBLE_EQ(sums[TRUTH].records, 1);
    EXPECT_DOUBLE_EQ(sums[COLLECTED].octets, 200);
    EXPECT_DOUBLE_EQ(usage.GetOctetsTo({"esx1", "vSwitch0", "10.6.125.52"}, TRUTH), 400);
    EXPECT_DOUBLE_EQ(usage.GetOctetsTo({"esx1", "vSwitch0", "10.6.125.52"}, COLLECTED), 200);
    EXPECT_DOUBLE_EQ(usage.GetOctetsTo(m_web, TRUTH), 0);
}

TEST_F(WindowUsageTest, WhatIsOnTheWayIsKeptAndWhatIsLostIsNot)
{
    const std::string row =
        "esx1,vSwitch0,10.6.125.51,10.6.125.52,17,5000,53,8,800,12000000000,12999000000,5\n";
    m_fate = "sent";
    EXPECT_DOUBLE_EQ(Read(row).GetSources().at(m_web)[KEPT].octets, 800);
    m_fate = "lost_arp";
    EXPECT_DOUBLE_EQ(Read(row).GetSources().at(m_web)[KEPT].octets, 0);
}

TEST_F(WindowUsageTest, WhatIsOutsideOfTheWindowIsNotThere)
{
    const WindowUsage usage =
        Read("esx1,vSwitch0,10.6.125.51,10.6.125.52,17,5000,53,8,800,8000000000,9999000000,5\n"
             "esx1,vSwitch0,10.6.125.51,10.6.125.52,17,5000,53,8,800,20000000000,20001000000,5\n");
    EXPECT_TRUE(usage.GetSources().empty());
}

TEST_F(WindowUsageTest, PacketsThatWereShedAreNoRecord)
{
    const WindowUsage usage =
        Read("esx1,vSwitch0,10.6.125.51,10.6.125.52,17,5000,53,8,800,12000000000,12999000000,\n");
    EXPECT_DOUBLE_EQ(usage.GetSources().at(m_web)[TRUTH].packets, 8);
    EXPECT_DOUBLE_EQ(usage.GetSources().at(m_web)[TRUTH].records, 0);
}

TEST_F(WindowUsageTest, OnlyWhoAsksTriesPorts)
{
    const WindowUsage usage =
        Read("esx1,vSwitch0,10.6.125.51,10.6.125.52,6,5000,80,1,60,12000000000,12000000000,5\n"
             "esx1,vSwitch0,10.6.125.51,10.6.125.52,6,5001,80,1,60,12000000000,12000000000,5\n"
             "esx1,vSwitch0,10.6.125.51,10.6.125.52,6,80,5001,1,60,12000000000,12000000000,5\n"
             "esx1,vSwitch0,10.6.125.51,10.0.0.3,1,0,0,1,60,12000000000,12000000000,5\n");
    const auto& ports = usage.GetSources().at(m_web)[TRUTH].portsOf;
    ASSERT_EQ(ports.size(), 2U) << "destinations count, whatever is tried there";
    EXPECT_EQ(ports.at("10.6.125.52"), std::set<std::string_view>{"80"});
    EXPECT_TRUE(ports.at("10.0.0.3").empty());
}

TEST_F(WindowUsageTest, TablesOfAnotherScenarioAreRefused)
{
    EXPECT_THROW(Read("esx9,vSwitch0,10.6.125.51,10.6.125.52,17,5000,53,8,800,0,1,5\n"), UserError);
    EXPECT_THROW(Read("", "esx9,vSwitch0,10.6.125.51,10.6.125.52,17,5000,53,8,800,0,1\n"),
                 UserError);
}

} // namespace
} // namespace esxnf
