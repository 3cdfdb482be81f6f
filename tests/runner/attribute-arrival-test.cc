// SPDX-License-Identifier: GPL-2.0-only
// Each x-attribute of the schema, wherever it stands, arrives with a value other than its default
// at an object of the simulation. A key in a place where nobody applies keys fails here.
#include "runner/scenario/scenario-schema.h"
#include "runner/scenario/scenario.h"
#include "runner/simulation/attribute-scope.h"
#include "runner/simulation/simulation.h"

#include "ns3/channel.h"
#include "ns3/node-list.h"
#include "ns3/pointer.h"
#include "ns3/string.h"
#include "ns3/tbf-queue-disc.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <iterator>
#include <optional>
#include <set>

namespace esxnf
{
namespace
{

using ns3::Ptr;
using ns3::TypeId;

/// A lab with a part of each kind: nodes, NICs with each queue disc, links, traffic, steps.
const std::string g_allParts = R"(version: 1
name: lab
run: {duration: 4s}
hosts:
  esx1:
    netflow: {purgatory_max: 16}
    memory: {total: 16GiB, netflow_heap: 4MiB}
    vswitches:
      vSwitch0:
        uplinks: [vmnic0, vmnic1]
        portgroups: {A: {security: {promiscuous: accept}, teaming: {failback: false, notify: false}, shaping: {average: 1Mbps}}, B: {}}
        security: {promiscuous: accept}
        teaming: {failback: false, notify: false}
        shaping: {average: 1Mbps}
    vmknics:
      vmk0: {portgroup: B, address: 10.6.125.11/16, queue_disc: {kind: codel}}
    vms:
      a: {memory: 1GiB, nics: [{portgroup: A, address: 10.6.125.51/16, queue_disc: {kind: fifo}}, {portgroup: B, address: 10.7.0.51/16, queue_disc: {kind: pfifo_fast}}]}
      b: {nics: [{portgroup: A, address: 10.6.125.52/16, queue_disc: {kind: red}}, {portgroup: B, address: 10.7.0.52/16, queue_disc: {kind: fq_codel}}, {portgroup: B, address: 10.8.0.52/16, queue_disc: {kind: tbf}}]}
nodes:
  sw1: {kind: switch}
  nf1: {kind: collector, address: 10.6.125.84/16}
  srv: {kind: server, address: 10.6.125.90/16}
  r1: {kind: router, interfaces: {eth0: {address: 10.6.125.1/16}}}
links:
  - {name: up, endpoints: [esx1:vmnic0, sw1:1], burst_loss: {enter: 0, leave: 1}}
  - {endpoints: [nf1:eth0, sw1:2]}
  - {endpoints: [srv:eth0, sw1:3], duplex: half, queue_disc: {kind: fifo}}
  - {endpoints: [r1:eth0, sw1:4]}
traffic:
  - {name: t1, app: udp-cbr, from: a, to: b}
  - {name: t2, app: udp-on-off, from: a, to: b}
  - {name: t3, app: tcp-bulk, from: a, to: b, size: 1kB}
  - {name: t4, app: tcp-request, from: a, to: b, port: 80}
  - {name: t5, app: tcp-syn-scan, from: a, to: b}
  - {name: t6, app: flows, from: a, to: b, answers: {}}
  - {name: t7, app: pcap, from: a, to: b, file: CAPTURE}
  - {name: t8, app: icmp-echo, from: a, to: b}
timeline:
  - {at: 1s, host: esx1, run: vmkload_mod netflow}
  - {at: 1500ms, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84, may_be_idle: true}
  - {at: 2s, host: esx1, memory_pressure: {netflow_heap: 2MiB}}
  - {at: 2s, link: up, set: {rate: 1Gbps, burst_loss: {enter: 0, leave: 1}}}
  - {at: 2s, node: nf1, set: {service_time: 0s}}
)";

std::string
Replaced(std::string text, const std::string& piece, const std::string& by)
{
    return text.replace(text.find(piece), piece.size(), by);
}

Scenario
LabWithAllParts(const Overrides& overrides = {})
{
    const auto text =
        Replaced(g_allParts, "CAPTURE", ENF_SOURCE_DIR "/tests/data/differential_input_a.pcap");
    return ParseScenario(text, "lab.yaml", overrides);
}

/// Every definition's key that names attributes: "link.rate ns3::EsxEthernetNetDevice::DataRate".
void
Collect(const Json& schema, const std::string& part, std::set<std::string>& names)
{
    for (const auto& [key, child] : schema.items())
    {
        if (child.is_object())
        {
            Collect(child, key == "properties" || key == "definitions" ? part : key, names);
        }
        if (key == "x-attribute")
        {
            for (const auto& name : child.is_array() ? child : Json::array({child}))
            {
                names.insert(part + " " + name.get<std::string>());
            }
        }
    }
}

/// A value that a key may have and does not have in the lab.
Json
Another(const Json& schema, const Json& present)
{
    static const std::map<std::string, Json> byDefinition{{"time", "37ms"},
                                                          {"interval", "37ms"},
                                                          {"random_time", "37ms"},
                                                          {"random_number", 37},
                                                          {"random_bytes", "1037B"},
                                                          {"rate", "37Mbps"},
                                                          {"queue", "37p"},
                                                          {"bytes", "37KiB"},
                                                          {"memory_size", "1037MiB"},
                                                          {"mac", "00:50:56:00:00:37"},
                                                          {"uplinks", Json::array({"vmnic1"})},
                                                          {"cidr", "172.16.0.0/12"}};
    const auto ref = schema.value("$ref", "");
    const auto found = byDefinition.find(ref.substr(ref.rfind('/') + 1));
    if (found != byDefinition.end())
    {
        return found->second;
    }
    if (const Json* words = Keyword(schema, "enum"))
    {
        return present == words->back() ? words->front() : words->back();
    }
    const auto type = Keyword(schema, "type")->get<std::string>();
    if (type == "boolean")
    {
        return Json(present != Json(true));
    }
    const Json minimum = *Keyword(schema, "minimum");
    return type == "integer" ? Json(minimum.get<int64_t>() + 37)
                             : Json(minimum.get<double>() + 0.37);
}

/// A place in the document where a key may stand that names attributes.
struct Place
{
    std::string pointer;
    std::string key;
    Json value;
};

void
FindPlaces(const Json& value,
           const Json& schema,
           const std::string& pointer,
           std::vector<Place>& places)
{
    for (std::size_t i = 0; value.is_array() && ItemSchema(schema) && i < value.size(); ++i)
    {
        FindPlaces(value[i], *ItemSchema(schema), JoinPointer(pointer, std::to_string(i)), places);
    }
    if (!value.is_object())
    {
        return;
    }
    const Json none = Json::object();
    const Json* properties = Keyword(schema, "properties");
    for (const auto& [key, child] : (properties ? *properties : none).items())
    {
        if (Keyword(child, "x-attribute") && AppliesTo(child, Selected(value, schema)))
        {
            const Json present = value.contains(key) ? value.at(key) : Json();
            places.push_back({JoinPointer(pointer, key), key, Another(child, present)});
        }
    }
    for (const auto& [key, child] : value.items())
    {
        FindPlaces(child, *MemberSchema(schema, key), JoinPointer(pointer, key), places);
    }
}

/// The value of an attribute as text; of a random variable its type and parameters.
std::string
Spelt(const Ptr<ns3::AttributeValue>& value, const Ptr<const ns3::AttributeChecker>& checker)
{
    const auto pointer = ns3::DynamicCast<ns3::PointerValue>(value);
    const Ptr<ns3::Object> object = pointer ? pointer->GetObject() : nullptr;
    if (!object)
    {
        return value->SerializeToString(checker);
    }
    std::string text = object->GetInstanceTypeId().GetName();
    for (std::size_t i = 0; i < object->GetInstanceTypeId().GetAttributeN(); ++i)
    {
        const auto info = object->GetInstanceTypeId().GetAttribute(i);
        const auto parameter = info.checker->Create();
        object->GetAttribute(info.name, *parameter);
        text += "|" + parameter->SerializeToString(info.checker);
    }
    return text;
}

/// \param [out] counts how many objects have the value of each setting at an instant, by attribute
void
Count(const Scenario& lab,
      const std::vector<AttributeSetting>& settings,
      ns3::Time at,
      std::map<std::string, int>& counts)
{
    Simulation simulation(lab, {});
    simulation.RunTo(at);
    std::vector<Ptr<ns3::Object>> roots;
    for (const auto& host : simulation.GetHosts())
    {
        roots.push_back(host);
        roots.push_back(host->GetVSwitch("vSwitch0")->GetPortGroupPolicy("A"));
    }
    for (auto node = ns3::NodeList::Begin(); node != ns3::NodeList::End(); ++node)
    {
        roots.push_back(*node);
        for (uint32_t i = 0; i < (*node)->GetNDevices(); ++i)
        {
            roots.push_back((*node)->GetDevice(i)->GetChannel());
        }
    }
    const auto objects = ObjectsFrom(roots);
    for (const AttributeSetting& setting : settings)
    {
        const TypeId type = TypeId::LookupByName(setting.type);
        TypeId::AttributeInformation info;
        type.LookupAttributeByName(setting.name, &info);
        const auto wanted = info.checker->CreateValidValue(ns3::StringValue(setting.value));
        int& count = counts[setting.type + "::" + setting.name];
        for (const auto& object : objects)
        {
            const TypeId its = object->GetInstanceTypeId();
            Ptr<ns3::AttributeValue> value = info.checker->Create();
            if (!(its == type || its.IsChildOf(type)))
            {
                continue;
            }
            if (!object->GetAttributeFailSafe(setting.name, *value)) // ns-3's TBF only tells so
            {
                const auto tbf = ns3::DynamicCast<ns3::TbfQueueDisc>(object);
                ASSERT_TRUE(tbf) << setting.type << "::" << setting.name;
                value = setting.name == "Rate" ? ns3::DataRateValue(tbf->GetRate()).Copy()
                                               : ns3::UintegerValue(tbf->GetBurst()).Copy();
            }
            count += Spelt(value, info.checker) == Spelt(wanted, info.checker) ? 1 : 0;
        }
    }
}

std::vector<AttributeSetting>
SettingsAt(const Scenario& lab, const std::string& path)
{
    std::vector<AttributeSetting> found;
    for (const auto& [part, settings] : lab.attributes)
    {
        std::copy_if(settings.begin(),
                     settings.end(),
                     std::back_inserter(found),
                     [&path](const AttributeSetting& setting) { return setting.path == path; });
    }
    return found;
}

/// The lab with one value changed; none: the value does not go with others of this place.
std::optional<Scenario>
Changed(const Place& place)
{
    Overrides overrides{{place.pointer, place.value}};
    if (place.key == "edition") // of esx3i no console line can be typed
    {
        overrides.emplace_back("/timeline", Json::array());
    }
    try
    {
        return LabWithAllParts(overrides);
    }
    catch (const ScenarioError&)
    {
        return std::nullopt;
    }
}

/// Whether settings are of what is made in their part: a key of traffic may be an attribute of one
/// application and something else of others.
bool
AreOf(const Scenario& lab, const std::vector<AttributeSetting>& settings)
{
    for (const Traffic& traffic : lab.traffic)
    {
        if (settings.front().path.rfind(traffic.path + "/", 0) == 0)
        {
            return std::any_of(settings.begin(), settings.end(), [&](const auto& setting) {
                return setting.type == traffic.app->sender;
            });
        }
    }
    return true;
}

TEST(AttributeArrival, EachKeyThatNamesAnAttributeReachesAnObject)
{
    std::set<std::string> missing;
    Collect(Schema(), "", missing);
    ASSERT_GT(missing.size(), 80u);
    const Scenario plain = LabWithAllParts();
    std::vector<Place> places;
    FindPlaces(plain.document.GetRoot(), Schema(), "", places);
    for (const Place& place : places)
    {
        SCOPED_TRACE(place.pointer + ": " + place.value.dump());
        const auto changed = Changed(place);
        if (!changed)
        {
            continue; // other places have this key: see below
        }
        const auto settings = SettingsAt(*changed, place.pointer);
        ASSERT_FALSE(settings.empty());
        if (!AreOf(*changed, settings))
        {
            continue; // the same
        }
        // Steps of the lab change at 2 s what the host and the link have before
        const bool isStep = place.pointer.rfind("/timeline", 0) == 0;
        const auto at = ns3::MilliSeconds(isStep ? 2500 : 1900);
        std::map<std::string, int> before;
        std::map<std::string, int> after;
        Count(plain, settings, at, before);
        Count(*changed, settings, at, after);
        int arrived = 0;
        for (const auto& [name, count] : after)
        {
            if (count > before.at(name))
            {
                ++arrived;
                missing.erase(place.key + " " + name);
            }
        }
        EXPECT_GT(arrived, 0);
    }
    EXPECT_TRUE(missing.empty()) << fmt::format("{}", fmt::join(missing, "\n"));
}

} // namespace
} // namespace esxnf
