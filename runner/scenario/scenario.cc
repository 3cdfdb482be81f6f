// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario.h"

#include "runner/scenario/scenario-reader.h"
#include "runner/scenario/scenario-validator.h"
#include "runner/scenario/yaml-emitter.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

/// Defaults that depend on other values, which a schema cannot give.
void
FillDerivedDefaults(Json& root)
{
    for (auto& link : root["links"])
    {
        if (!link.contains("name"))
        {
            auto name = fmt::format("{}-{}",
                                    link["endpoints"][0].get<std::string>(),
                                    link["endpoints"][1].get<std::string>());
            std::replace(name.begin(), name.end(), ':', '.');
            link["name"] = name.substr(0, 64); // as long as a name may be
        }
    }
    for (auto& traffic : root["traffic"])
    {
        if (!traffic.contains("stop"))
        {
            traffic["stop"] = root["run"]["duration"];
        }
    }
}

} // namespace

bool
InterfaceAddress::SharesNetworkWith(ns3::Ipv4Address other) const
{
    return address.CombineMask(mask) == other.CombineMask(mask);
}

const VSwitch*
Host::FindVSwitchOf(const std::string& portGroup) const
{
    for (const auto& vSwitch : vSwitches)
    {
        for (const auto& group : vSwitch.portGroups)
        {
            if (group.name == portGroup)
            {
                return &vSwitch;
            }
        }
    }
    return nullptr;
}

std::string
RouterInterface::GetPort() const
{
    return name.substr(0, name.find('.'));
}

uint16_t
RouterInterface::GetVlan() const
{
    const auto dot = name.find('.');
    return dot == std::string::npos ? 0 : static_cast<uint16_t>(std::stoul(name.substr(dot + 1)));
}

std::string
LinkEnd::ToString() const
{
    return node + ":" + interface;
}

bool
TimelineStep::CanFail() const
{
    return kind == StepKind::Console || kind == StepKind::Signal || kind == StepKind::Power ||
           kind == StepKind::Connection || kind == StepKind::Vmotion;
}

bool
TimelineStep::Covers(ns3::Time t) const
{
    return t >= at && (!length || t < at + *length);
}

Diagnostic
Scenario::At(Severity severity, const std::string& path, const std::string& what) const
{
    return document.At(severity, path, what);
}

std::string
Scenario::PathOf(const std::string& file) const
{
    const std::filesystem::path path(file);
    return path.is_absolute()
               ? file
               : (std::filesystem::path(document.GetFileName()).parent_path() / path).string();
}

bool
Traffic::IsInjected() const
{
    return app->kind == TrafficKind::Flows || app->kind == TrafficKind::Capture;
}

bool
Traffic::IsOneWay() const
{
    return app->Has(TrafficApp::ONE_WAY) && !isAnswered;
}

Scenario
BuildScenario(YamlDocument document, const Overrides& overrides, Diagnostics* warnings)
{
    for (const auto& [pointer, value] : overrides)
    {
        try
        {
            document.GetRoot()[Json::json_pointer(pointer)] = value;
        }
        catch (const Json::exception&)
        {
            const auto what =
                fmt::format("cannot be set to {}: there is no such place", value.dump());
            throw ScenarioError({{Severity::Error, {document.GetFileName(), 0, 0}, pointer, what}});
        }
    }
    ValidateForm(document);
    FillDefaults(document);
    FillDerivedDefaults(document.GetRoot());
    auto scenario = ReadScenario(std::move(document));
    auto diagnostics = SemanticCheck(scenario);
    if (HasErrors(diagnostics))
    {
        const auto isNoError = [](const Diagnostic& d) { return d.severity != Severity::Error; };
        diagnostics.erase(std::remove_if(diagnostics.begin(), diagnostics.end(), isNoError),
                          diagnostics.end());
        throw ScenarioError(std::move(diagnostics));
    }
    if (warnings)
    {
        *warnings = std::move(diagnostics);
    }
    return scenario;
}

Scenario
LoadScenario(const std::string& path, const Overrides& overrides, Diagnostics* warnings)
{
    return BuildScenario(YamlDocument::Load(path), overrides, warnings);
}

Scenario
ParseScenario(const std::string& text,
              const std::string& fileName,
              const Overrides& overrides,
              Diagnostics* warnings)
{
    return BuildScenario(YamlDocument::Parse(text, fileName), overrides, warnings);
}

std::string
ResolvedYaml(const Scenario& scenario)
{
    return EmitYaml(scenario.document.GetRoot());
}

} // namespace esxnf
