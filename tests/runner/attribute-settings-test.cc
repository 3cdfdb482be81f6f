// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/scenario/attribute-settings.h"
#include "runner/scenario/scenario-schema.h"
#include "runner/scenario/scenario.h"
#include "runner/simulation/attribute-scope.h"
#include "tests/runner/scenario-lab.h"

#include "ns3/esx-ethernet-net-device.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-tcp-request-client.h"
#include "ns3/pointer.h"
#include "ns3/random-variable-stream.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace esxnf
{
namespace
{

/// The attributes that each key names, by "part.key".
std::map<std::string, std::vector<std::string>>
KeysWithAttributes()
{
    std::map<std::string, std::vector<std::string>> keys;
    for (const auto& [part, schema] : Schema().at("definitions").items())
    {
        if (schema.contains("properties"))
        {
            for (const auto& [key, child] : schema.at("properties").items())
            {
                const auto named = child.value("x-attribute", Json::array());
                for (const Json& full : named.is_array() ? named : Json::array({named}))
                {
                    keys[part + "." + key].push_back(full);
                }
            }
        }
    }
    return keys;
}

TEST(AttributeSettings, EachKeyThatNamesAnAttributeNamesOneThatNs3Has)
{
    const auto keys = KeysWithAttributes();
    ASSERT_GT(keys.size(), 40u);
    for (const auto& [key, names] : keys)
    {
        for (const auto& full : names)
        {
            const auto last = full.rfind("::");
            ns3::TypeId type;
            ASSERT_TRUE(ns3::TypeId::LookupByNameFailSafe(full.substr(0, last), &type)) << key;
            const auto told = KeyOfAttribute(type, full.substr(last + 2)); // the first of several
            ASSERT_EQ(keys.count(told), 1u) << key << ": " << told;
            EXPECT_EQ(std::count(keys.at(told).begin(), keys.at(told).end(), full), 1) << key;
        }
    }
}

TEST(AttributeSettings, ValuesOfKeysAreSpeltAsNs3SpellsThem)
{
    const auto settings =
        ParseScenario(LabWith("purgatory_max: 1024", "idle_timeout: 2s, max_entries: 7"),
                      "lab.yaml")
            .attributes;
    std::map<std::string, std::string> spelt;
    for (const auto& setting : settings.at("/hosts/esx1"))
    {
        spelt[setting.name] = setting.value;
        EXPECT_FALSE(setting.byName);
    }
    EXPECT_EQ(spelt["IdleTimeout"], "2s");
    EXPECT_EQ(spelt["MaxEntries"], "7");
    EXPECT_EQ(spelt["HeapMax"], "4194304"); // 4 MiB
    EXPECT_EQ(spelt["Edition"], "Esx35");
    EXPECT_EQ(spelt["ExpireOnTcpEnd"], "false");
}

TEST(AttributeSettings, AmountsOfMemoryAreOctetsInEachUnit)
{
    for (const auto& [text, octets] : std::map<std::string, std::string>{{"1036KiB", "1060864"},
                                                                         {"3MiB", "3145728"},
                                                                         {"1.5MiB", "1572864"}})
    {
        const auto lab =
            ParseScenario(LabWith("purgatory_max: 1024}",
                                  "purgatory_max: 16}\n    memory: {netflow_heap: " + text + "}"),
                          "lab.yaml");
        const auto& settings = lab.attributes.at("/hosts/esx1");
        const auto isHeap = [](const AttributeSetting& each) { return each.name == "HeapMax"; };
        EXPECT_EQ(std::find_if(settings.begin(), settings.end(), isHeap)->value, octets) << text;
    }
}

TEST(AttributeSettings, AKeyGivesAnObjectItsValue)
{
    const auto lab = ParseScenario(LabWith("purgatory_max: 1024", "purgatory_max: 77"), "lab.yaml");
    const auto module = ns3::CreateObject<ns3::EsxNetflow>();
    ApplyKeys(lab.attributes, "/hosts/esx1", module);
    ns3::UintegerValue bound;
    module->GetAttribute("PurgatoryMax", bound);
    EXPECT_EQ(bound.Get(), 77u);
}

TEST(AttributeSettings, ARandomVariableIsEachObjectsOwn)
{
    const auto lab = ParseScenario(g_lab, "lab.yaml");
    const auto interval = [] {
        ns3::PointerValue value;
        ns3::CreateObject<ns3::EsxTcpRequestClient>()->GetAttribute("Interval", value);
        return value.GetObject();
    };
    const AttributeScope scope(lab, lab.traffic[1].path);
    const auto one = ns3::DynamicCast<ns3::ExponentialRandomVariable>(interval());
    ASSERT_TRUE(one);
    EXPECT_EQ(one->GetMean(), 0.1);
    EXPECT_NE(interval(), one);
}

TEST(AttributeSettings, WhatIsSetByNameHoldsForObjectsMadeInItsScope)
{
    const auto octets = [] {
        ns3::UintegerValue value;
        ns3::CreateObject<ns3::EsxEthernetNetDevice>()->GetAttribute("FrameOverhead", value);
        return value.Get();
    };
    const auto lab = ParseScenario(
        LabWith("delay: 20us", "attributes: {ns3::EsxEthernetNetDevice::FrameOverhead: 7}"),
        "lab.yaml");
    const auto before = octets();
    {
        const AttributeScope scope(lab, lab.links[2].path);
        EXPECT_EQ(octets(), 7u);
    }
    EXPECT_EQ(octets(), before);
}

TEST(AttributeSettings, ValuesThatCannotBeTriedAreNotTakenForGoodOnes)
{
    const auto text =
        LabWith("{duration: 60s}", "{duration: 60s, attributes: {ns3::TcpSocket::SegmentSize: 1}}");
    EXPECT_NO_THROW(ParseScenario(text, "lab.yaml"));
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{0, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    std::string why;
    try
    {
        ParseScenario(text, "lab.yaml");
    }
    catch (const UserError& error)
    {
        setrlimit(RLIMIT_NOFILE, &before); // sanitizers open a pipe to look at an object
        why = error.what();
    }
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(why, "the values of attributes cannot be tried: Too many open files");
}

} // namespace
} // namespace esxnf
