// SPDX-License-Identifier: GPL-2.0-only
#include "runner/console/console-record.h"

#include "runner/lab/export-commands.h"
#include "runner/scenario/yaml-emitter.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace esxnf
{

namespace
{

/// "30s", "1.5s": exact to the nanosecond
std::string
TimeText(ns3::Time time)
{
    constexpr int64_t NS_PER_SECOND = 1'000'000'000;
    const int64_t ns = time.GetNanoSeconds();
    std::string text = fmt::format("{}.{:09}", ns / NS_PER_SECOND, ns % NS_PER_SECOND);
    text.erase(text.find_last_not_of('0') + 1);
    text.erase(text.find_last_not_of('.') + 1);
    return text + "s";
}

/// "console", unless the scenario has a session of that name.
std::string
FreeSessionName(const Scenario& scenario)
{
    std::set<std::string> taken;
    for (const TimelineStep& step : scenario.timeline)
    {
        taken.insert(step.session);
    }
    std::string name = "console";
    for (int i = 2; taken.count(name) > 0; ++i)
    {
        name = fmt::format("console{}", i);
    }
    return name;
}

Json
ToStep(const TypedStep& typed, const std::string& host, const std::string& session)
{
    Json step = {{"at", TimeText(typed.at)}, {"host", host}, {"session", session}};
    if (!typed.key.empty())
    {
        step["press"] = typed.key;
        return step;
    }
    step["run"] = typed.line;
    step["expect"] = {{"running", typed.outcome.running}};
    if (typed.outcome.exit)
    {
        step["expect"]["exit"] = *typed.outcome.exit;
    }
    else if (typed.outcome.waits)
    {
        step["expect"]["exit"] = "any"; // it never ran
    }
    if (!FindExportCommands(typed.line).empty())
    {
        step["may_be_idle"] = true;
    }
    return step;
}

} // namespace

bool
IsRecordable(const std::string& line)
{
    constexpr std::size_t LONGEST = 4000; // characters: definitions.command of the schema
    try
    {
        const std::string text = EmitYaml({{"run", line}});
        return line.size() <= LONGEST &&
               YamlDocument::Parse(text, "line").GetRoot().at("run") == line;
    }
    catch (const std::exception&)
    {
        return false; // not UTF-8, or nothing that YAML can hold
    }
}

Scenario
ForRehearsal(const Scenario& scenario, bool withTimeline)
{
    Json root = scenario.document.GetRoot();
    if (!withTimeline)
    {
        root["timeline"] = Json::array();
        root["expect"] = Json::array();
    }
    for (Json& traffic : root["traffic"])
    {
        traffic["may_be_silent"] = true;
    }
    return ParseScenario(EmitYaml(root), scenario.document.At(Severity::Info, "", "").place.file);
}

Scenario
Record(const Scenario& scenario,
       const std::string& host,
       const std::deque<TypedStep>& typed,
       ns3::Time end)
{
    Json root = scenario.document.GetRoot();
    root["run"]["duration"] = TimeText(end);
    const std::string session = FreeSessionName(scenario);
    Json& timeline = root["timeline"];
    for (std::size_t i = scenario.timeline.size(); i-- > 0;)
    {
        if (scenario.timeline[i].at > end)
        {
            timeline.erase(i);
        }
    }
    for (const TypedStep& step : typed)
    {
        root["timeline"].push_back(ToStep(step, host, session));
    }
    return ParseScenario(EmitYaml(root), scenario.document.At(Severity::Info, "", "").place.file);
}

void
AddTypedSteps(const Scenario& record, const std::deque<TypedStep>& typed, Summary& summary)
{
    const std::size_t first = record.timeline.size() - typed.size();
    for (std::size_t i = 0; i < typed.size(); ++i)
    {
        const TimelineStep& step = record.timeline[first + i];
        if (step.expect)
        {
            summary.steps.push_back(Judge({&step, typed[i].outcome}));
        }
    }
    std::stable_sort(summary.steps.begin(),
                     summary.steps.end(),
                     [](const StepVerdict& a, const StepVerdict& b) { return a.at < b.at; });
}

} // namespace esxnf
