// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/exit-code.h"
#include "runner/results/results-tables.h"
#include "runner/results/results.h"
#include "runner/simulation/simulation.h"
#include "tests/scratch-folder.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

namespace fs = std::filesystem;

using testing::HasSubstr;

TEST(ResultsTables, ARowIsAsItsHeader)
{
    FlowRow row;
    row.exporter = "esx1";
    row.vSwitch = "vSwitch0";
    row.engine = 1;
    row.source = 0x0a067d33;
    row.destination = 0xffffffff;
    row.protocol = 17;
    row.sourcePort = 65535;
    row.destinationPort = 53;
    row.tos = 184;
    row.input = 4;
    row.output = 0;
    row.packets = 5'000'000'000;
    row.octets = UINT64_MAX;
    row.firstMs = 4'294'967'296;
    row.lastMs = 4'294'967'300;
    row.tcpFlags = 0x1b;
    row.reason = "idle";
    row.datagram = 0;
    row.inputPort = "web1.eth0";
    EXPECT_EQ(ToCsv(row),
              "esx1,vSwitch0,1,10.6.125.51,255.255.255.255,17,65535,53,184,4,0,5000000000,"
              "18446744073709551615,4294967296,4294967300,27,idle,0,web1.eth0,");
    EXPECT_STREQ(
        FlowColumns(),
        "exporter,vswitch,engine,src,dst,proto,sport,dport,tos,input,output,packets,octets,"
        "first_ms,last_ms,tcp_flags,reason,datagram,input_port,output_port");
}

TEST(ResultsTables, NoDatagramIsAnEmptyCell)
{
    EXPECT_THAT(ToCsv(FlowRow()), testing::EndsWith(",0,,,,"));
}

TEST(ResultsTables, MillisecondsKeepNanoseconds)
{
    EXPECT_EQ(ToMilliseconds(ns3::NanoSeconds(0)), "0.000000");
    EXPECT_EQ(ToMilliseconds(ns3::NanoSeconds(1'002'134'567)), "1002.134567");
}

TEST(ResultsTables, ASampleHasAllItsCounters)
{
    SeriesSample sample{ns3::MilliSeconds(1500),
                        "esx1",
                        1,
                        2,
                        3,
                        4,
                        5,
                        6,
                        7,
                        8,
                        9,
                        10,
                        11,
                        12,
                        13,
                        14,
                        15,
                        {}};
    std::string losses;
    for (std::size_t i = 0; i < SeriesLosses().size(); ++i)
    {
        sample.losses.push_back(100 + i);
        losses += "," + std::to_string(100 + i);
    }
    EXPECT_EQ(ToCsv(sample), "1500.000000,esx1,1,2,3,4,5,6,7,8,9,10,11" + losses + ",12,13,14,15");
}

class ResultFolderTest : public testing::Test
{
  protected:
    static void Write(const fs::path& path, const std::string& text)
    {
        std::ofstream(path) << text;
    }

    std::string Refusal(const fs::path& target) const
    {
        try
        {
            ResultFolder folder(target.string());
        }
        catch (const UserError& error)
        {
            EXPECT_EQ(ExitCodeOf(error), EXIT_USAGE);
            return error.what();
        }
        return "none";
    }

    std::ptrdiff_t CountEntries() const
    {
        return std::distance(fs::directory_iterator(m_home), fs::directory_iterator());
    }

    const ScratchFolder m_scratch;
    const fs::path& m_home{m_scratch.GetPath()};
    const std::string m_ours = std::string(R"({"schema": ")") + SUMMARY_SCHEMA + "\"}";
};

TEST_F(ResultFolderTest, AppearsAtCommitAndNotBefore)
{
    const fs::path target = m_home / "deep" / "lab";
    {
        ResultFolder folder(target.string());
        Write(fs::path(folder.GetPath()) / "a", "1");
        EXPECT_FALSE(fs::exists(target));
        folder.Commit();
    }
    EXPECT_TRUE(fs::exists(target / "a"));
    EXPECT_EQ(std::distance(fs::directory_iterator(m_home / "deep"), fs::directory_iterator()), 1);
}

TEST_F(ResultFolderTest, LeavesNothingWithoutCommit)
{
    {
        ResultFolder folder((m_home / "lab").string());
    }
    EXPECT_EQ(CountEntries(), 0);
}

TEST_F(ResultFolderTest, ReplacesAnEarlierResultAsAWhole)
{
    const fs::path target = m_home / "lab";
    fs::create_directory(target);
    Write(target / "summary.json", m_ours);
    Write(target / "stale.pcap", "x");
    ResultFolder folder(target.string() + "/");
    Write(fs::path(folder.GetPath()) / "summary.json", m_ours);
    folder.Commit();
    EXPECT_FALSE(fs::exists(target / "stale.pcap"));
    EXPECT_TRUE(fs::exists(target / "summary.json"));
    EXPECT_EQ(CountEntries(), 1);
}

TEST_F(ResultFolderTest, TakesAnEmptyFolder)
{
    fs::create_directory(m_home / "lab");
    ResultFolder folder((m_home / "lab").string());
    folder.Commit();
    EXPECT_EQ(CountEntries(), 1);
}

TEST_F(ResultFolderTest, NeverReplacesWhatIsNotOurs)
{
    fs::create_directory(m_home / "photos");
    Write(m_home / "photos" / "cat.jpg", "meow");
    EXPECT_THAT(Refusal(m_home / "photos"), HasSubstr("neither empty nor a result folder"));
    Write(m_home / "photos" / "summary.json", R"({"cats": 1})");
    EXPECT_THAT(Refusal(m_home / "photos"), HasSubstr("neither empty nor a result folder"));
    Write(m_home / "photos" / "summary.json", "no JSON");
    EXPECT_THAT(Refusal(m_home / "photos"), HasSubstr("neither empty nor a result folder"));
    Write(m_home / "photos" / "summary.json", "[1]");
    EXPECT_THAT(Refusal(m_home / "photos"), HasSubstr("neither empty nor a result folder"));
    EXPECT_TRUE(fs::exists(m_home / "photos" / "cat.jpg"));
}

TEST_F(ResultFolderTest, RefusesWhatIsNoFolder)
{
    Write(m_home / "file", "x");
    EXPECT_THAT(Refusal(m_home / "file"), HasSubstr("is no folder"));
    EXPECT_THAT(Refusal(m_home / "file" / "below"), HasSubstr("cannot write results"));
}

TEST_F(ResultFolderTest, NamesAreRelativeToTheWorkingDirectory)
{
    const fs::path before = fs::current_path();
    fs::current_path(m_home);
    EXPECT_THAT(Refusal("."), HasSubstr("working directory"));
    {
        ResultFolder folder("lab");
        folder.Commit();
    }
    fs::current_path(before);
    EXPECT_TRUE(fs::exists(m_home / "lab"));
}

} // namespace
} // namespace esxnf
