// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/drawing.h"
#include "runner/lab/lab-check.h"
#include "tests/runner/scenario-lab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The messages of a check, as lines. The lab's net-netflow is started in line 31.
template <typename Check>
std::vector<std::string>
Lines(Check check, const std::string& text)
{
    const auto scenario = ParseScenario(text, "lab.yaml");
    std::vector<std::string> lines;
    const FrameGraph frames(scenario);
    for (const auto& message : check(frames))
    {
        lines.push_back(message.ToString());
    }
    return lines;
}

std::vector<std::string>
Export(const std::string& text)
{
    return Lines([](const FrameGraph& frames) { return CheckExport(IpGraph(frames)); }, text);
}

std::vector<std::string>
Loops(const std::string& text)
{
    return Lines(CheckLoops, text);
}

const std::string g_at = "lab.yaml:31:39: timeline[1].run: ";

TEST(ExportPath, OnTheVmknicsOwnNetworkIsToldWithItsLinks)
{
    EXPECT_THAT(Export(g_lab),
                ElementsAre("lab.yaml:31:39: info: timeline[1].run: esx1:vmk0 reaches nf1 "
                            "(10.6.125.84) on its own network by "
                            "links esx1.vmnic0-sw1.1, trunk, collector-link, one way in 30us and "
                            "a full datagram in 66.24us"));
}

TEST(ExportPath, CollectorIsFoundByItsHostName)
{
    EXPECT_THAT(Export(LabWith("10.6.125.84:2055", "nf1.mycompany.com")),
                ElementsAre(HasSubstr("info: ")));
}

TEST(ExportPath, NeedsAVmknic)
{
    auto text =
        LabWith("      vmk0: {portgroup: VMkernel, address: 10.6.125.11/24, gateway: 10.6.125.1}\n",
                "");
    text.replace(text.find("    vmknics:\n"), 13, "    vmknics: {}\n");
    text.replace(text.find(", \"esx1:vmk0\""), 13, "");
    EXPECT_THAT(
        Export(text),
        ElementsAre("lab.yaml:30:39: timeline[1].run: esx1 has no vmknic: net-netflow needs a "
                    "VMkernel virtual "
                    "interface on the network where the collector nf1 (10.6.125.84) is located"));
}

TEST(ExportPath, NeedsARouteToAnotherNetwork)
{
    EXPECT_THAT(
        Export(LabWith("10.6.125.11/24, gateway: 10.6.125.1", "10.9.0.11/24")),
        ElementsAre(g_at +
                    "no route from esx1 to nf1 (10.6.125.84): no vmknic is on its network (vmk0 "
                    "10.9.0.11/24) and none has a gateway"));
}

TEST(ExportPath, GatewayIsNamedWhenTheNetworkIsRouted)
{
    EXPECT_THAT(
        Export(LabWith("10.6.125.11/24, gateway: 10.6.125.1", "10.9.0.11/24, gateway: 10.9.0.1")),
        ElementsAre(g_at + "esx1 does not reach nf1 (10.6.125.84): no node has the address of the "
                           "gateway 10.9.0.1 of esx1"));
}

TEST(ExportPath, LinkCutForTheWholeRunIsNamed)
{
    EXPECT_THAT(
        Export(LabWith("at: 10s, for: 5s, link: trunk, down",
                       "at: 0s, for: 60s, link: collector-link, down")),
        ElementsAre(
            g_at +
            "esx1:vmk0 does not reach nf1 (10.6.125.84) on its own network: cut for the whole run: "
            "link collector-link"));
}

TEST(ExportPath, LinkDownForAWhileIsAnEpisodeAndNoError)
{
    EXPECT_THAT(Export(LabWith("at: 10s, for: 5s", "at: 0s, for: 59s")),
                ElementsAre(HasSubstr("info: ")));
    EXPECT_THAT(Export(LabWith("at: 10s, for: 5s", "at: 1s, for: 5s")),
                ElementsAre(HasSubstr("info: ")));
}

TEST(ExportPath, MissingPieceIsNamed)
{
    const std::string start =
        g_at + "esx1:vmk0 does not reach nf1 (10.6.125.84) on its own network: ";
    EXPECT_THAT(Export(LabWith("{portgroup: VMkernel, a", "{portgroup: Inside, a")),
                ElementsAre(start + "vSwitch1 has no uplink"));
    EXPECT_THAT(Export(LabWith("[esx1:vmnic0, sw1:1]", "[sw1:1, sw2:9], loss: 0")),
                ElementsAre(start + "no link is at esx1:vmnic0"));
    EXPECT_THAT(Export(LabWith("[nf1:eth0, sw2:2]", "[sw1:7, sw2:2]")),
                ElementsAre(start + "no link is at nf1:eth0"));
    EXPECT_THAT(Export(LabWith("[sw1:2, sw2:1]", "[sw1:2, sw1:3]")),
                ElementsAre(start + "no link joins sw1, at esx1:vmnic0, and sw2, at nf1"));
}

TEST(ExportPath, UnknownCollectorIsNamed)
{
    EXPECT_THAT(
        Export(LabWith("10.6.125.84:2055", "10.6.125.48:2055")),
        ElementsAre(g_at +
                    "no collector has the address 10.6.125.48; did you mean '10.6.125.84'?"));
}

TEST(ExportPath, OtherPortIsAWarning)
{
    EXPECT_THAT(Export(LabWith(":2055", ":4242")),
                ElementsAre("lab.yaml:31:39: warning: timeline[1].run: sends to port 4242, and nf1 "
                            "listens on port 2055",
                            HasSubstr("info: ")));
}

TEST(ExportPath, OnlyNetNetflowLinesAreAsked)
{
    EXPECT_THAT(Export(LabWith("vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055",
                               "vmkping 10.6.125.84")),
                IsEmpty());
    EXPECT_THAT(Export(LabWith("-e vSwitch0 10.6.125.84:2055", "-h")), IsEmpty());
    EXPECT_THAT(Export(LabWith("net-netflow -e vSwitch0",
                               "/usr/lib/vmware/bin/net-netflow -s 100 -p -e vSwitch0")),
                ElementsAre(HasSubstr("info: ")));
}

TEST(ExportPath, HostNamesHaveNoCase)
{
    EXPECT_THAT(Export(LabWith("10.6.125.84:2055", "NF1.mycompany.COM")),
                ElementsAre(HasSubstr("info: ")));
}

TEST(ExportPath, SecondUplinkOfAnotherHostIsNoBridge)
{
    // esx2's vSwitch has an uplink on each of two networks: it joins them for its VMs, never for
    // others
    Scenario scenario = ParseScenario(LabWith("[sw1:2, sw2:1]", "[sw1:2, sw1:3]"), "lab.yaml");
    Host host;
    host.name = "esx2";
    host.vSwitches.emplace_back();
    host.vSwitches[0].name = "v";
    host.vSwitches[0].uplinks = {"vmnic0", "vmnic1"};
    host.vSwitches[0].portGroups.emplace_back();
    host.vSwitches[0].portGroups[0].name = "P";
    host.vSwitches[0].portGroups[0].policy = ns3::CreateObject<ns3::EsxPortPolicy>();
    host.vms.emplace_back();
    host.vms[0].nics.emplace_back();
    host.vms[0].nics[0].portGroup = "P";
    scenario.hosts.push_back(host);
    for (const auto& [uplink, node] : {std::pair("vmnic0", "sw1"), std::pair("vmnic1", "sw2")})
    {
        Link link;
        link.name = uplink;
        link.a = {"esx2", uplink};
        link.b = {node, "8"};
        scenario.links.push_back(link);
    }
    const FrameGraph frames(scenario);
    const auto messages = CheckExport(IpGraph(frames));
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_THAT(messages[0].what, HasSubstr("no link joins sw1"));
}

TEST(Loops, TreeHasNone)
{
    EXPECT_THAT(Loops(g_lab), IsEmpty());
}

TEST(Loops, ParallelLinksAreOne)
{
    EXPECT_THAT(
        Loops(LabWith("traffic:", "  - {name: spare, endpoints: [sw1:9, sw2:9]}\ntraffic:")),
        ElementsAre("lab.yaml:25:5: links[3]: closes a loop of switches without spanning tree: "
                    "trunk, spare (VLAN 1); a broadcast would circle for ever: remove one of these "
                    "links, or use --spanning-tree"));
}

TEST(Loops, CableFromASwitchToItselfIsOne)
{
    EXPECT_THAT(Loops(LabWith("traffic:", "  - {name: oops, endpoints: [sw1:8, sw1:9]}\ntraffic:")),
                ElementsAre(HasSubstr(": oops (VLAN 1);")));
}

TEST(Loops, AllLinksOfALongOneAreNamed)
{
    auto text = LabWith("nodes:\n", "nodes:\n  sw3: {kind: switch}\n");
    text.replace(
        text.find("traffic:"),
        0,
        "  - {name: a, endpoints: [sw2:8, sw3:1]}\n  - {name: b, endpoints: [sw3:2, sw1:9]}\n");
    EXPECT_THAT(
        Loops(text),
        ElementsAre(HasSubstr(
            "links[4]: closes a loop of switches without spanning tree: trunk, a, b (VLAN 1);")));
}

TEST(Loops, TrunksThatShareNoVlanCloseNone)
{
    const std::string ports = "{kind: switch, ports: {9: {mode: access, vlan: 7}}}";
    auto text = LabWith("sw1: {kind: switch}\n  sw2: {kind: switch}",
                        "sw1: " + ports + "\n  sw2: " + ports);
    text.replace(text.find("traffic:"), 0, "  - {name: spare, endpoints: [sw1:9, sw2:9]}\n");
    EXPECT_THAT(Loops(text), IsEmpty());
}

TEST(Loops, OfALoopTheSlowestLinkIsNamedThenTheLast)
{
    const std::string loop = "  - {name: a, endpoints: [sw1:8, sw2:8], rate: 2Gbps}\n"
                             "  - {name: b, endpoints: [sw1:9, sw2:9], rate: 2Gbps}\n";
    auto text = g_lab;
    text.replace(text.find("traffic:"), 0, loop);
    EXPECT_THAT(Loops(text),
                ElementsAre(HasSubstr("links[1]: closes a loop"), HasSubstr("links[4]: closes")));
}

TEST(Loops, SpanningTreeBlocksExactlyThoseThatAreNamed)
{
    auto text = LabWith("duration: 60s", "duration: 60s, spanning_tree: true");
    text.replace(text.find("traffic:"), 0, "  - {name: spare, endpoints: [sw1:9, sw2:9]}\n");
    const auto scenario = ParseScenario(text, "lab.yaml");
    const FrameGraph graph(scenario);
    for (int link = 0; link < 4; ++link)
    {
        EXPECT_EQ(graph.IsBlocked(link), link == 3) << link;
    }
    EXPECT_THAT(Loops(text),
                ElementsAre("lab.yaml:25:5: info: links[3]: blocked by the spanning tree: link "
                            "spare closes a loop: trunk, spare (VLAN 1)"));
}

TEST(Loops, CutLinkClosesNone)
{
    auto text = LabWith("traffic:", "  - {name: spare, endpoints: [sw1:9, sw2:9]}\ntraffic:");
    text.replace(text.find("at: 10s, for: 5s, link: trunk"), 29, "at: 0s, link: spare");
    EXPECT_THAT(Loops(text), IsEmpty());
}

TEST(LabCheck, SurvivesAnyShape)
{
    Scenario scenario;
    scenario.name = "odd \"name\"\\";
    EXPECT_THAT(CheckLoops(FrameGraph(scenario)), IsEmpty());
    const FrameGraph frames(scenario);
    EXPECT_THAT(CheckExport(IpGraph(frames)), IsEmpty());
    EXPECT_EQ(ToDot(DrawLab(scenario)),
              "graph \"odd \\\"name\\\"\\\\\" {\n"
              "  node [fontname=\"sans-serif\", style=filled, fillcolor=white];\n"
              "  edge [fontname=\"sans-serif\", fontsize=10];\n}\n");
    Host host; // twice the same, a NIC without a port group, an uplink given twice
    host.name = "h";
    host.vSwitches.resize(2);
    host.vSwitches[0].uplinks = {"vmnic0", "vmnic0"};
    host.vmknics.resize(2);
    host.vms.resize(1);
    host.vms[0].nics.resize(2);
    scenario.hosts = {host, host};
    Node collector; // without an address
    collector.kind = NodeKind::Collector;
    scenario.nodes = {Node(), Node(), collector};
    Link dangling;
    dangling.a = {"nowhere", "1"};
    Link inside;
    inside.a = inside.b = {"h", "vmk0"};
    Link self;
    self.a = self.b = {"", "1"};
    scenario.links = {dangling, inside, self, self};
    TimelineStep step;
    step.host = "h";
    step.command = "vmkload_app -i vmktcp net-netflow -e  x:y:z";
    scenario.timeline = {step};
    EXPECT_EQ(CheckLoops(FrameGraph(scenario)).size(),
              2u); // the two cables of the nameless switch to itself
    const FrameGraph odd(scenario);
    EXPECT_EQ(CheckExport(IpGraph(odd)).size(), 0u); // "x:y:z" belongs to -e
    EXPECT_EQ(CheckLab(scenario).facts.at("exports").size(), 0u);
}

TEST(LabCheck, TenThousandNodesAreAnswered)
{
    constexpr int count = 10000;
    Scenario scenario = ParseScenario(LabWith("[sw1:2, sw2:1]", "[sw1:2, sw1:3]"), "lab.yaml");
    scenario.links.erase(scenario.links.begin() + 1);
    for (int i = 0; i <= count; ++i) // sw1 - s0 - s1 - … - sw2
    {
        Node node;
        node.name = "s" + std::to_string(i);
        Link link;
        link.name = "l" + std::to_string(i);
        link.a = {i == 0 ? "sw1" : "s" + std::to_string(i - 1), "1"};
        link.b = {i == count ? "sw2" : node.name, "2"};
        scenario.nodes.push_back(node);
        scenario.links.push_back(link);
    }
    const FrameGraph graph(scenario);
    EXPECT_THAT(CheckLoops(graph), IsEmpty());
    EXPECT_EQ(CheckLab(scenario).facts.at("exports").at(0).at("single_points_of_failure").size(),
              2u * count + 5u); // every link and switch of the row
    EXPECT_THAT(CheckExport(IpGraph(graph)).at(0).what, HasSubstr("l5, l6 and 9995 more"));
}

} // namespace
} // namespace esxnf
