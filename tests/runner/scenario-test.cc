// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-schema.h"
#include "runner/scenario/scenario-validator.h"
#include "runner/scenario/scenario.h"
#include "tests/runner/scenario-lab.h"

#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <sstream>

namespace esxnf
{
namespace
{

Scenario
Lab(const Overrides& overrides = {})
{
    return ParseScenario(g_lab, "lab.yaml", overrides);
}

std::string
ErrorOf(const std::string& text, const Overrides& overrides = {})
{
    try
    {
        ParseScenario(text, "lab.yaml", overrides);
    }
    catch (const ScenarioError& error)
    {
        EXPECT_TRUE(HasErrors(error.GetDiagnostics()));
        return error.what();
    }
    return "accepted";
}

std::string
ReadFile(const std::string& name)
{
    std::ifstream file(std::string(ENF_SOURCE_DIR) + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_FALSE(text.str().empty()) << name;
    return text.str();
}

TEST(Scenario, ValuesHaveTheirTypes)
{
    const auto lab = Lab();
    EXPECT_EQ(lab.name, "lab");
    EXPECT_EQ(lab.run.duration, ns3::Seconds(60));
    const auto& host = lab.hosts.at(0);
    EXPECT_EQ(host.name, "esx1");
    EXPECT_EQ(host.vSwitches.at(0).uplinks, std::vector<std::string>{"vmnic0"});
    EXPECT_EQ(host.vSwitches.at(1).portGroups.at(0).name, "Inside");
    EXPECT_EQ(host.vmknics.at(0).name, "vmk0");
    EXPECT_EQ(host.vmknics.at(0).address.address, ns3::Ipv4Address("10.6.125.11"));
    EXPECT_EQ(host.vmknics.at(0).address.mask, ns3::Ipv4Mask("255.255.255.0"));
    EXPECT_EQ(host.vmknics.at(0).gateway, ns3::Ipv4Address("10.6.125.1"));
    EXPECT_EQ(host.vms.at(0).nics.at(0).mac, ns3::Mac48Address("00:50:56:00:00:01"));
    EXPECT_FALSE(host.vms.at(1).nics.at(0).mac);
    EXPECT_EQ(host.FindVSwitchOf("Inside"), &host.vSwitches[1]);
    EXPECT_EQ(host.FindVSwitchOf("Outside"), nullptr);
    EXPECT_EQ(lab.nodes.at(0).kind, NodeKind::Switch);
    EXPECT_EQ(lab.nodes.at(2).names, std::vector<std::string>{"nf1.mycompany.com"});
    const auto& link = lab.links.at(2);
    EXPECT_EQ(link.a.ToString(), "nf1:eth0");
    EXPECT_EQ(link.delay, ns3::MicroSeconds(20));
}

TEST(Scenario, TrafficAndTimelineHaveTheirTypes)
{
    const auto lab = Lab();
    EXPECT_EQ(lab.traffic.at(0).rate, ns3::DataRate(64000));
    EXPECT_EQ(lab.traffic.at(0).packetBytes, 160u);
    EXPECT_EQ(lab.traffic.at(1).to, std::vector<std::string>{"db1"});
    EXPECT_EQ(lab.traffic.at(1).app->word, "tcp-request");
    EXPECT_EQ(lab.traffic.at(2).lastPort, 100);
    EXPECT_EQ(lab.timeline.at(1).kind, StepKind::Console);
    EXPECT_EQ(lab.timeline.at(1).id, "nf");
    EXPECT_EQ(lab.timeline.at(2).kind, StepKind::LinkDown);
    EXPECT_EQ(lab.attributes.at("/timeline/3").at(0).value, "131072");
    EXPECT_EQ(lab.timeline.at(4).rate, ns3::DataRate("64kbps"));
    EXPECT_EQ(lab.attributes.at("/timeline/4").size(), 1u);
    EXPECT_EQ(lab.timeline.at(5).signal, "TERM");
    const auto& bound = lab.expect.at(1);
    EXPECT_EQ(bound.bound, "at_most");
    EXPECT_EQ(bound.high, 3);
    EXPECT_LT(bound.low, -1e300);
    EXPECT_EQ(bound.during->end, ns3::Seconds(20));
}

TEST(Scenario, EachApplicationOfTheSchemaHasItsRowAndItsType)
{
    const Json& words = Schema().at("definitions").at("traffic").at("properties").at("app");
    std::vector<std::string> rows;
    for (const TrafficApp& app : GetTrafficApps())
    {
        rows.push_back(app.word);
        ns3::TypeId type;
        EXPECT_TRUE(ns3::TypeId::LookupByNameFailSafe(app.sender, &type)) << app.sender;
    }
    EXPECT_EQ(words.at("enum").get<std::vector<std::string>>(), rows);
}

TEST(Scenario, EpisodesCoverTheirStartAndNotTheirEnd)
{
    const auto lab = Lab();
    const auto& down = lab.timeline.at(2);
    EXPECT_FALSE(down.Covers(ns3::Seconds(9)));
    EXPECT_TRUE(down.Covers(ns3::Seconds(10)));
    EXPECT_FALSE(down.Covers(ns3::Seconds(15)));
}

TEST(Scenario, DefaultsComeFromTheSchema)
{
    const auto lab = Lab();
    EXPECT_EQ(lab.run.seed, 1u);
    EXPECT_EQ(lab.run.wallclockStart, 1224979200); // 2008-10-26T00:00:00Z
    EXPECT_EQ(lab.hosts[0].netflow.purgatoryMax, 1024u);
    EXPECT_EQ(lab.hosts[0].netflow.heapBytes, 4u << 20);
    EXPECT_EQ(lab.hosts[0].netflow.activeTimeout, ns3::Seconds(300));
    EXPECT_EQ(lab.hosts[0].netflow.idleTimeout, ns3::Seconds(15));
    EXPECT_EQ(lab.hosts[0].vSwitches[0].ports, 56);
    EXPECT_EQ(lab.nodes[2].listen, 2055);
    EXPECT_EQ(lab.links[0].name, "esx1.vmnic0-sw1.1");
    EXPECT_EQ(lab.links[0].rate, ns3::DataRate("1Gbps"));
    EXPECT_EQ(lab.traffic[1].stop, ns3::Seconds(60));
    EXPECT_EQ(lab.outputs.seriesEvery, ns3::Seconds(1));
}

/// Calls a function with each named property of the schema.
void
ForEachProperty(const Json& part, const std::function<void(const std::string&, const Json&)>& visit)
{
    for (const auto& [key, child] : part.items())
    {
        if (key == "properties")
        {
            for (const auto& [name, property] : child.items())
            {
                visit(name, property);
            }
        }
        if (child.is_structured())
        {
            ForEachProperty(child, visit);
        }
    }
}

TEST(Schema, EveryPropertyIsDescribed)
{
    const auto schema = Json::parse(g_scenarioSchema);
    ForEachProperty(schema, [&schema](const std::string& name, const Json& property) {
        const auto target = property.value("$ref", "#").substr(1);
        const auto& behind = target.empty() ? property : schema[Json::json_pointer(target)];
        EXPECT_TRUE(property.contains("description") || behind.contains("description")) << name;
    });
}

TEST(Schema, WhatComesLaterSaysSo)
{
    const auto schema = Json::parse(g_scenarioSchema);
    ForEachProperty(schema, [](const std::string& name, const Json& property) {
        const bool isLater =
            property.contains("x-later") || property.value("$ref", "") == "#/definitions/later";
        const auto text = property.value("description", "");
        EXPECT_TRUE(!isLater || text.find("ot yet supported") != std::string::npos)
            << name << ": " << text;
    });
}

TEST(Scenario, OverridesReplaceValuesAndAreChecked)
{
    const auto lab = Lab(
        {{"/run/seed", 7}, {"/hosts/esx1/netflow/purgatory_max", 64}, {"/links/0/rate", "10Mbps"}});
    EXPECT_EQ(lab.run.seed, 7u);
    EXPECT_EQ(lab.hosts[0].netflow.purgatoryMax, 64u);
    EXPECT_EQ(lab.links[0].rate, ns3::DataRate("10Mbps"));
    EXPECT_EQ(
        ErrorOf(g_lab, {{"/run/seed", 0}}),
        "lab.yaml:3:1: run.seed: 0 is not allowed; allowed: a whole number from 1 to 4294967295");
    EXPECT_EQ(ErrorOf(g_lab, {{"/run/sead", 1}}),
              "lab.yaml:3:1: run.sead: unknown key 'sead'; did you mean 'seed'?");
    EXPECT_EQ(ErrorOf(g_lab, {{"/links/x", 1}}),
              "lab.yaml: /links/x: cannot be set to 1: there is no such place");
    EXPECT_EQ(ErrorOf(g_lab, {{"links", 1}}),
              "lab.yaml: links: cannot be set to 1: there is no such place");
}

TEST(Scenario, ResolvedYamlResolvesToItself)
{
    for (const auto& text : {g_lab, ReadFile("scenarios/quickstart.yaml")})
    {
        const auto once = ResolvedYaml(ParseScenario(text, "a"));
        EXPECT_EQ(ResolvedYaml(ParseScenario(once, "b")), once);
        EXPECT_NE(once.find("wallclock_start: \"2008-10-26T00:00:00Z\""), std::string::npos);
    }
}

TEST(Scenario, FreeKeysAreForAnchorsOnly)
{
    const auto lab = ParseScenario("x-nic: &n {portgroup: VM Network}\n" +
                                       LabWith("{portgroup: VM Network, address: 10.6.125.51/24",
                                               "{<<: *n, address: 10.6.125.51/24"),
                                   "lab.yaml");
    EXPECT_EQ(lab.hosts[0].vms[0].nics[0].portGroup, "VM Network");
    EXPECT_EQ(ResolvedYaml(lab).find("x-nic"), std::string::npos);
}

TEST(Scenario, TimesBeyondTheEndAreWarnings)
{
    Diagnostics warnings;
    ParseScenario(LabWith("at: 50s", "at: 70s"), "lab.yaml", {}, &warnings);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(warnings[0].ToString(),
              "lab.yaml:35:10: warning: timeline[5].at: 70s is after the end of the run (60s)");
}

TEST(Scenario, SecondVmknicOfANetworkIsAWarning)
{
    Diagnostics warnings;
    ParseScenario(
        LabWith("    vms:", "      vmk1: {portgroup: VMkernel, address: 10.6.125.12/24}\n    vms:"),
        "lab.yaml",
        {},
        &warnings);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(warnings[0].ToString(),
              "lab.yaml:14:44: warning: hosts.esx1.vmknics.vmk1.address: is on the network of "
              "vmk0, by which the VMkernel "
              "sends all traffic to it");
}

TEST(Scenario, NicsMustNotOutnumberThePorts)
{
    std::string vms;
    for (int i = 1; i <= 9; ++i)
    {
        vms +=
            fmt::format("      v{0}: {{nics: [{{portgroup: Inside, address: 172.16.0.{0}/24}}]}}\n",
                        i);
    }
    auto text = LabWith("    vms:\n", "    vms:\n" + vms);
    text.replace(text.find("vSwitch1: {"), 11, "vSwitch1: {ports: 8, ");
    EXPECT_EQ(ErrorOf(text),
              "lab.yaml:11:25: hosts.esx1.vswitches.vSwitch1.ports: 10 virtual NICs and vmknics "
              "are connected to 8 ports");
}

TEST(Scenario, AtMostFiftyErrorsAreTold)
{
    std::string nodes;
    for (int i = 0; i < 200; ++i)
    {
        nodes += "  c" + std::to_string(i) + ": {kind: collector}\n";
    }
    const auto sense = ErrorOf(LabWith("nodes:\n", "nodes:\n" + nodes));
    EXPECT_EQ(std::count(sense.begin(), sense.end(), '\n'), 49);
    std::string kinds;
    for (int i = 0; i < 200; ++i)
    {
        kinds += "  c" + std::to_string(i) + ": {kind: colector}\n";
    }
    const auto form = ErrorOf(LabWith("nodes:\n", "nodes:\n" + kinds));
    EXPECT_EQ(std::count(form.begin(), form.end(), '\n'), 49);
}

TEST(Scenario, CutAnywhereItIsAnErrorOrFine)
{
    const auto text = ReadFile("scenarios/quickstart.yaml");
    int accepted = 0;
    for (std::size_t length = 0; length <= text.size(); ++length)
    {
        const auto error = ErrorOf(text.substr(0, length));
        accepted += error == "accepted";
        EXPECT_TRUE(error == "accepted" || error.rfind("lab.yaml:", 0) == 0)
            << length << ": " << error;
    }
    EXPECT_GT(accepted, 0);
    EXPECT_LT(accepted, static_cast<int>(text.size()));
}

TEST(Scenario, RandomBytesAreAnErrorOrFine)
{
    const auto text = ReadFile("scenarios/quickstart.yaml");
    const std::string alphabet = "{}[]:,-&*!|>'\"%@`#?~ \n\t<=0a/.\\\x04\x80\xff";
    std::mt19937 random(1);
    for (int round = 0; round < 300; ++round)
    {
        auto changed = text;
        for (unsigned edits = 1 + random() % 4; edits > 0; --edits)
        {
            const auto at = random() % changed.size();
            const char c =
                random() % 4 ? alphabet[random() % alphabet.size()] : static_cast<char>(random());
            random() % 2 ? changed.insert(at, 1, c) : changed.replace(at, 1 + random() % 8, 1, c);
        }
        const auto error = ErrorOf(changed);
        EXPECT_TRUE(error == "accepted" || error.rfind("lab.yaml:", 0) == 0) << error;
    }
}

TEST(Scenario, WrongTypesEverywhereAreErrors)
{
    std::set<std::string> places; // every value and every map and list it is in
    const auto leaves = YamlDocument::Parse(g_lab, "lab.yaml").GetRoot().flatten();
    for (const auto& [pointer, leaf] : leaves.items())
    {
        for (auto place = Json::json_pointer(pointer); !place.empty(); place.pop_back())
        {
            places.insert(place.to_string());
        }
    }
    const Json values[] =
        {nullptr, -1.5, "\n", std::string(4000, 'a'), {{"a", 1}}, Json::array({{}})};
    int number = 0;
    for (const auto& place : places)
    {
        const auto& value = values[number++ % std::size(values)];
        const auto error = ErrorOf(g_lab, {{place, value}});
        EXPECT_TRUE(error == "accepted" || error.rfind("lab.yaml:", 0) == 0) << place << error;
    }
}

} // namespace
} // namespace esxnf
