// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/simulation/split-run.h"
#include "tests/scratch-folder.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>
#include <utility>

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

/// Of more hosts than are simulated at once: most of them are in copies of this process.
class SplitRunOfManyHosts : public testing::Test
{
  protected:
    /// \param traffic keys of what one VM of each host sends to another
    static Scenario Lab(const std::string& traffic)
    {
        std::string hosts = "hosts:\n";
        std::string links = "links:\n  - {endpoints: [nf1:eth0, sw1:99]}\n";
        std::string items = "traffic:\n";
        std::string timeline = "timeline:\n";
        for (int number = 1; number <= 30; ++number)
        {
            const auto add = [number](std::string& to, std::string text) {
                for (std::size_t at = 0; (at = text.find('#')) != std::string::npos;)
                {
                    text.replace(at, 1, std::to_string(number));
                }
                to += text;
            };
            add(hosts,
                R"(  esx#:
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {P: {}}}}
    vmknics: {vmk0: {portgroup: P, address: 10.1.#.1/16}}
    vms:
      a#: {nics: [{portgroup: P, address: 10.1.#.2/16}]}
      b#: {nics: [{portgroup: P, address: 10.1.#.3/16}]}
)");
            add(links, "  - {endpoints: [esx#:vmnic0, sw1:#]}\n");
            add(items, "  - {name: t#, from: a#, to: b#, " + traffic + "}\n");
            add(timeline, R"(  - {at: 1s, host: esx#, run: vmkload_mod netflow}
  - {at: 2s, host: esx#, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.1.99.1}
)");
        }
        return ParseScenario("version: 1\nname: many\nrun: {duration: 20s, arp: static}\n" + hosts +
                                 "nodes: {sw1: {kind: switch}, nf1: {kind: collector, address: "
                                 "10.1.99.1/16}}\n" +
                                 links + items + timeline,
                             "many.yaml");
    }

    void SimulateAll(const Scenario& scenario, std::function<bool(const Progress&)> heartbeat) const
    {
        std::set<std::string> names;
        for (const Host& host : scenario.hosts)
        {
            names.insert(host.name);
        }
        SimulateApart(scenario, names, m_folder.GetPath().string(), std::move(heartbeat));
    }

    static std::string Content(const std::string& path)
    {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    const ScratchFolder m_folder;
};

TEST_F(SplitRunOfManyHosts, ABookIsTheSameWhicheverHostsAreSimulatedToo)
{
    for (const char* const traffic : {"app: flows, start: 3s, every: exponential(50ms)",
                                      "app: flows, start: 0s, every: exponential(50ms)",
                                      "app: udp-cbr, start: 3s, stop: 4s, rate: 1Mbps"})
    {
        const Scenario scenario = Lab(traffic);
        SimulateAll(scenario, {});
        for (const std::string name : {"esx1", "esx17", "esx30", "esx9"})
        {
            const ScratchFolder alone;
            SimulateApart(scenario, {name}, alone.GetPath().string(), {});
            const std::string book = alone.Path(name + ".book");
            EXPECT_FALSE(HostBook::Read(book).journal.empty());
            EXPECT_EQ(Content(book), Content(m_folder.Path(name + ".book"))) << name << traffic;
        }
    }
}

TEST_F(SplitRunOfManyHosts, AFailureOfACopyIsSeenHere)
{
    const Scenario scenario = Lab("app: flows, start: 3s, every: 50ms");
    std::filesystem::create_directory(m_folder.Path("esx1.book")); // no file can be there
    EXPECT_THROW(SimulateAll(scenario, {}), UserError);
    EXPECT_FALSE(std::filesystem::exists(m_folder.Path("esx30.book")));
}

TEST_F(SplitRunOfManyHosts, TheHeartbeatEndsACopy)
{
    const Scenario scenario = Lab("app: flows, start: 3s, every: 500us");
    bool isCopyAtWork = false;
    const auto beat = [&](const Progress& now) {
        isCopyAtWork = now.now == ns3::Seconds(1); // where the first step of the timeline is
        return !isCopyAtWork;
    };
    EXPECT_THROW(SimulateAll(scenario, beat), InterruptedError);
    EXPECT_TRUE(isCopyAtWork);
    EXPECT_FALSE(std::filesystem::exists(m_folder.Path("esx1.book")));
}

} // namespace
} // namespace esxnf
