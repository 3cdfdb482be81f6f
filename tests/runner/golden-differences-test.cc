// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/golden-differences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string>
Summaries(const char* golden, const char* now)
{
    return DifferencesOfSummaries(Json::parse(golden), Json::parse(now));
}

std::string
Table(const std::vector<std::string>& rows)
{
    std::string table =
        "exporter,vswitch,src,dst,proto,sport,dport,tos,input,cause,packets,octets,records\n";
    for (const std::string& row : rows)
    {
        table += "esx1,prod1,10.0.0.1,10.0.0.2,6," + row + "\n";
    }
    return table;
}

TEST(GoldenDifferences, CountsOfOneThingAreOneLine)
{
    EXPECT_THAT(Summaries(R"({"ledger": {"sent": {"packets": 3, "octets": 30, "records": 1}}})",
                          R"({"ledger": {"sent": {"packets": 4, "octets": 40, "records": 1}}})"),
                ElementsAre("ledger.sent: packets was 3, is 4; octets was 30, is 40"));
}

TEST(GoldenDifferences, HostsAndCollectorsGoByTheirNames)
{
    EXPECT_THAT(Summaries(R"({"hosts": [{"name": "esx1", "mark": 1}],
                              "collectors": [{"node": "nf1", "datagrams": 1}]})",
                          R"({"hosts": [{"name": "esx0", "mark": 0}, {"name": "esx1", "mark": 2}],
                              "collectors": [{"node": "nf1", "datagrams": 2}]})"),
                ElementsAre("hosts.esx1.mark: was 1, is 2",
                            R"(hosts.esx0: was not there, is {"name":"esx0","mark":0})",
                            "collectors.nf1.datagrams: was 1, is 2"));
}

TEST(GoldenDifferences, ItemsWithoutNamesGoByNumber)
{
    EXPECT_THAT(Summaries(R"({"steps": [{"exit": 0}, {"exit": 0}]})",
                          R"({"steps": [{"exit": 0}, {"exit": 1}]})"),
                ElementsAre("steps.1.exit: was 0, is 1"));
}

TEST(GoldenDifferences, AnotherOrderIsADifference)
{
    EXPECT_THAT(Summaries(R"({"hosts": [{"name": "a"}, {"name": "b"}]})",
                          R"({"hosts": [{"name": "b"}, {"name": "a"}]})"),
                ElementsAre("hosts: another order"));
    EXPECT_THAT(DifferencesOfTables("lost",
                                    Table({"1,80,0,3,arp,1,10,1", "2,80,0,3,arp,1,10,1"}),
                                    Table({"2,80,0,3,arp,1,10,1", "1,80,0,3,arp,1,10,1"})),
                ElementsAre("lost flows: another order"));
}

TEST(GoldenDifferences, ManyNumbersAreCut)
{
    Json golden;
    Json now;
    for (int i = 0; i < 42; ++i)
    {
        golden["n" + std::to_string(i)] = 1;
        now["n" + std::to_string(i)] = 2;
    }
    const std::vector<std::string> lines = DifferencesOfSummaries(golden, now);
    ASSERT_EQ(lines.size(), 41U);
    EXPECT_EQ(lines.back(), "summary: and 2 more");
}

TEST(GoldenDifferences, EqualTablesDoNotDiffer)
{
    EXPECT_THAT(
        DifferencesOfTables("lost", Table({"1,80,0,3,arp,1,10,1"}), Table({"1,80,0,3,arp,1,10,1"})),
        IsEmpty());
}

TEST(GoldenDifferences, FlowsThatDifferByTheMostOctetsComeFirst)
{
    EXPECT_THAT(
        DifferencesOfTables(
            "lost",
            Table({"1,80,0,3,arp,1,10,1", "2,80,0,3,arp,9,900,1", "4,80,0,3,arp,1,10,1"}),
            Table({"1,80,0,3,arp,2,20,1", "3,80,0,3,port,1,10,1", "4,80,0,3,arp,2,10,1"})),
        ElementsAre(
            "lost flows that differ: 2 by more octets, 1 by fewer, 1 otherwise",
            "lost flow esx1/prod1 10.0.0.1:2 -> 10.0.0.2:80 tcp, port 3: arp was 9 packets, "
            "900 octets, 1 record, is nothing",
            "lost flow esx1/prod1 10.0.0.1:1 -> 10.0.0.2:80 tcp, port 3: arp was 1 packet, "
            "10 octets, 1 record, is 2 packets, 20 octets, 1 record",
            "lost flow esx1/prod1 10.0.0.1:3 -> 10.0.0.2:80 tcp, port 3: port was nothing, "
            "is 1 packet, 10 octets, 1 record",
            "lost flow esx1/prod1 10.0.0.1:4 -> 10.0.0.2:80 tcp, port 3: arp was 1 packet, "
            "10 octets, 1 record, is 2 packets, 10 octets, 1 record"));
}

TEST(GoldenDifferences, ManyFlowsAreCutAndAllAreCounted)
{
    std::vector<std::string> rows;
    for (int i = 0; i < 100; ++i)
    {
        rows.push_back(std::to_string(1000 + i) + ",80,0,3,arp,1,10,1");
    }
    const std::vector<std::string> lines = DifferencesOfTables("lost", Table({}), Table(rows));
    ASSERT_EQ(lines.size(), 42U);
    EXPECT_EQ(lines.front(), "lost flows that differ: 100 by more octets, 0 by fewer, 0 otherwise");
    EXPECT_EQ(lines.back(), "lost flows: and 60 more");
}

TEST(GoldenDifferences, FlowsAreComparedByTheNamesOfTheColumns)
{
    const std::string golden = Table({"1,80,0,3,arp,1,10,1"});
    std::string now = golden;
    now.replace(now.find('\n'), 1, ",new\n");
    now.replace(now.rfind('\n'), 1, ",7\n");
    EXPECT_THAT(DifferencesOfTables("lost", golden, now),
                ElementsAre("lost flows: other columns, the same flows: 'run --update' writes it "
                            "anew"));
    now.replace(now.find("arp,1,"), 6, "arp,2,");
    EXPECT_THAT(DifferencesOfTables("lost", golden, now),
                ElementsAre(::testing::HasSubstr("0 by fewer, 1 otherwise"),
                            ::testing::HasSubstr("arp was 1 packet,")));
}

} // namespace
} // namespace esxnf
