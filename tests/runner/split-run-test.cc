// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/split-run.h"
#include "tests/scratch-folder.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

HostBook
BookWithCollector(const std::string& address)
{
    std::string text = R"(version: 1
name: apart
run: {duration: 20s, arp: static}
hosts:
  esx1:
    netflow: {idle_timeout: 1s}
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {P: {}, K: {}}}}
    vmknics: {vmk0: {portgroup: K, address: 10.1.0.1/16}}
    vms:
      a: {nics: [{portgroup: P, address: 10.1.1.1/16}]}
      b: {nics: [{portgroup: P, address: 10.1.1.2/16}]}
nodes: {nf1: {kind: collector, address: COLLECTOR/16}}
links:
  - {endpoints: [esx1:vmnic0, nf1:eth0]}
traffic:
  - {name: t, app: flows, from: a, to: b, start: 3s, every: 10ms}
timeline:
  - {at: 1s, host: esx1, run: vmkload_mod netflow}
  - {at: 2s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 COLLECTOR}
)";
    const std::string name = "COLLECTOR";
    for (std::size_t at = 0; (at = text.find(name)) != std::string::npos;)
    {
        text.replace(at, name.size(), address);
    }
    const Scenario scenario = ParseScenario(text, "apart.yaml");
    const ScratchFolder folder;
    SimulateApart(scenario, {"esx1"}, folder.GetPath().string(), {});
    return HostBook::Read(folder.Path("esx1.book"));
}

TEST(SplitRun, KeepsTheHeadersOfDatagramsThatTheStackSendsAtOnce)
{
    HostBook book = BookWithCollector("10.1.2.1");
    ASSERT_GT(book.polls.size(), 1U);
    constexpr std::size_t IP = 14; // octets of Ethernet's header
    constexpr std::size_t HEADERS = IP + 20 + 8;
    SnapshotReader sends(std::move(book.sends));
    for (std::size_t i = 0; i < book.polls.size(); ++i)
    {
        const std::vector<uint64_t>& row = sends.Next();
        ASSERT_GT(row.size(), 2U);
        EXPECT_EQ(row[0], 0U) << "the vmknic";
        EXPECT_EQ(row[1], HEADERS);
        const auto* const octets = reinterpret_cast<const uint8_t*>(&row[2]);
        EXPECT_EQ(octets[IP + 9], 17) << "UDP";
        EXPECT_EQ(octets[IP + 5], i) << "IP identification";
    }
}

TEST(SplitRun, KeepsNoHeadersWhereTheStackRefusesDatagrams)
{
    const HostBook book = BookWithCollector("10.2.0.1"); // no route goes there
    ASSERT_GT(book.polls.size(), 1U);
    EXPECT_TRUE(book.sends.empty());
}

} // namespace
} // namespace esxnf
