// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-check.h"

#include "runner/base/number-text.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

namespace esxnf
{

ScenarioNotes::ScenarioNotes(const Scenario& scenario)
    : m_scenario(scenario)
{
}

Diagnostics
ScenarioNotes::Sorted() const
{
    auto sorted = m_messages;
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
    return sorted;
}

void
ScenarioNotes::Error(const std::string& path, const std::string& what)
{
    Say(Severity::Error, path, what);
}

void
ScenarioNotes::Warn(const std::string& path, const std::string& what)
{
    Say(Severity::Warning, path, what);
}

void
ScenarioNotes::CheckPositive(const ns3::Time& time, const std::string& path)
{
    if (!time.IsStrictlyPositive())
    {
        Error(path, "must be longer than 0s");
    }
}

void
ScenarioNotes::CheckWithinRun(const ns3::Time& time, const std::string& path)
{
    const auto duration = m_scenario.run.duration;
    if (time > duration)
    {
        Warn(path, fmt::format("{} is after the end of the run ({})", Text(time), Text(duration)));
    }
}

std::string
ScenarioNotes::Line(const std::string& path) const
{
    const Diagnostic there = m_scenario.At(Severity::Error, path, "");
    return there.place.line > 0 ? fmt::format("line {}", there.place.line) : there.where;
}

bool
ScenarioNotes::Has(const std::string& path, const std::string& key) const
{
    return m_scenario.document.GetRoot().at(Json::json_pointer(path)).contains(key);
}

void
ScenarioNotes::Say(Severity severity, const std::string& path, const std::string& what)
{
    constexpr std::size_t maxMessages = 50;
    m_messages.push_back(m_scenario.At(severity, path, what));
    if (m_messages.size() >= maxMessages && HasErrors(m_messages))
    {
        throw TooMany();
    }
}

void
ScenarioNotes::SayUnknown(const std::string& what,
                          const std::string& name,
                          const std::string& path,
                          const std::vector<std::string>& allowed)
{
    Error(path, fmt::format("'{}' is no {}; {}", name, what, Suggest(name, allowed)));
}

std::string
Text(const ns3::Time& value)
{
    return DurationToText(value.GetNanoSeconds());
}

std::string
Text(ns3::Ipv4Address value)
{
    return ns3::EsxDotted(value);
}

namespace
{

/// The series is kept in memory until the end of the run.
void
WarnOfLongSeries(const Scenario& scenario, ScenarioNotes& notes)
{
    constexpr double HOST_SAMPLE = 400; // octets, about
    constexpr double LINK_SAMPLE = 110; // likewise, of each end
    constexpr double GB = 1e9;
    if (!scenario.outputs.seriesEvery.IsStrictlyPositive())
    {
        return;
    }
    const double samples =
        scenario.run.duration.GetSeconds() / scenario.outputs.seriesEvery.GetSeconds();
    const double octets = samples * (HOST_SAMPLE * static_cast<double>(scenario.hosts.size()) +
                                     2 * LINK_SAMPLE * static_cast<double>(scenario.links.size()));
    if (octets > GB)
    {
        notes.Warn(scenario.outputs.path + "/series/every",
                   fmt::format("{:.0f} samples take about {:.0f} GB of memory: let them be fewer, "
                               "or leave them out by 0s",
                               samples,
                               octets / GB));
    }
}

void
CheckOutputs(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes)
{
    ScenarioNotes::Taken captures;
    for (std::size_t i = 0; i < scenario.outputs.pcap.size(); ++i)
    {
        const auto& name = scenario.outputs.pcap[i];
        const auto path = scenario.outputs.path + "/pcap/" + std::to_string(i);
        notes.Known(lab.captures, "link or interface", name, path);
        notes.Take(captures, "capture", name, path);
    }
    WarnOfLongSeries(scenario, notes);
}

} // namespace

Diagnostics
SemanticCheck(const Scenario& scenario)
{
    ScenarioNotes notes(scenario);
    try
    {
        CheckAttributes(scenario, notes);
        const auto lab = CheckParts(scenario, notes);
        CheckTraffic(scenario, lab, notes);
        CheckTimeline(scenario, lab, notes);
        CheckExpectations(scenario, lab, notes);
        CheckOutputs(scenario, lab, notes);
    }
    catch (const ScenarioNotes::TooMany&)
    {
        // what there is, is enough
    }
    return notes.Sorted();
}

} // namespace esxnf
