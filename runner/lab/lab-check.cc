// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/lab-check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

Diagnostics
CheckLoops(const FrameGraph& graph)
{
    constexpr std::size_t maxTold = 10;
    const Scenario& scenario = graph.GetScenario();
    const auto& loops = graph.GetLoops();
    Diagnostics messages;
    for (std::size_t i = 0; i < loops.size(); ++i)
    {
        const Link& closing = scenario.links[loops[i].closing];
        if (i == maxTold)
        {
            messages.push_back(
                scenario.At(messages.back().severity,
                            closing.path,
                            fmt::format("and {} more loops", loops.size() - maxTold)));
            break;
        }
        std::vector<std::string> names;
        for (const auto link : loops[i].links)
        {
            names.push_back(scenario.links[link].name);
        }
        const auto loop = fmt::format("{} (VLAN {})", fmt::join(names, ", "), loops[i].vlan);
        messages.push_back(
            scenario.run.spanningTree
                ? scenario.At(Severity::Info,
                              closing.path,
                              fmt::format("blocked by the spanning tree: link {} closes a loop: {}",
                                          closing.name,
                                          loop))
                : scenario.At(Severity::Error,
                              closing.path,
                              fmt::format("closes a loop of switches without spanning tree: {}; a "
                                          "broadcast would circle for ever: remove one of these "
                                          "links, or use --spanning-tree",
                                          loop)));
    }
    return messages;
}

namespace
{

void
Append(Diagnostics& all, const Diagnostics& more)
{
    all.insert(all.end(), more.begin(), more.end());
}

std::vector<std::string>
NamesOf(const Scenario& scenario, const std::vector<int>& links)
{
    std::vector<std::string> names;
    names.reserve(links.size());
    for (const int link : links)
    {
        names.push_back(scenario.links[link].name);
    }
    return names;
}

Json
ToJson(const FrameGraph& graph, const ExportSpan& span)
{
    static const std::map<ExportVerdict, std::string> VERDICTS = {
        {ExportVerdict::NotChecked, "not_checked"},
        {ExportVerdict::Loss, "loss"},
        {ExportVerdict::Possible, "possible"},
        {ExportVerdict::None, "none"}};
    Json json = {{"collector", graph.GetStations()[span.collector].GetName()},
                 {"begin_s", span.begin},
                 {"end_s", span.end},
                 {"verdict", VERDICTS.at(span.verdict)}};
    if (span.verdict != ExportVerdict::NotChecked)
    {
        json["least_records_per_s"] = span.least;
        json["most_records_per_s"] = span.most;
        json["carried_records_per_s"] = span.capacity;
        json["least_loss"] = span.leastLoss;
        json["bottleneck"] = NamesOf(graph.GetScenario(), span.cut);
    }
    json["reason"] = span.reason;
    return json;
}

Json
FactsOf(const FrameGraph& graph,
        const std::vector<PlannedExport>& exports,
        const std::vector<ExportSpan>& forecast)
{
    const auto& scenario = graph.GetScenario();
    Json facts = {{"blocked", Json::array()},
                  {"exports", Json::array()},
                  {"capacity", Json::object()},
                  {"forecast", Json::array()}};
    for (std::size_t i = 0; i < scenario.links.size(); ++i)
    {
        if (graph.IsBlocked(static_cast<int>(i)))
        {
            facts["blocked"].push_back(scenario.links[i].name);
        }
    }
    const auto failures = SinglePointsOfFailure(graph, exports);
    for (std::size_t i = 0; i < exports.size(); ++i)
    {
        const auto& planned = exports[i];
        facts["exports"].push_back({{"host", planned.host->name},
                                    {"vmknic", planned.vmknic->name},
                                    {"collector", graph.GetStations()[planned.collector].GetName()},
                                    {"links", NamesOf(scenario, planned.route.links)},
                                    {"delay_ns", planned.route.GetDelay(scenario).GetNanoSeconds()},
                                    {"single_points_of_failure", failures[i]}});
    }
    const auto capacity = CapacityOf(graph, exports);
    facts["capacity"] = {{"bits_per_s", capacity.bitsPerSecond},
                         {"links", NamesOf(scenario, capacity.cut)}};
    for (const auto& span : forecast)
    {
        facts["forecast"].push_back(ToJson(graph, span));
    }
    return facts;
}

} // namespace

LabReport
CheckLab(const Scenario& scenario)
{
    const FrameGraph graph(scenario);
    LabReport report{CheckLoops(graph), CheckVlans(graph), {}, {}};
    Append(report.findings, CheckCommands(scenario));
    Append(report.findings, CheckExport(graph));
    const auto exports = PlanExports(graph);
    const auto forecast = ForecastExports(graph, exports);
    report.forecast = CheckFailures(graph, exports);
    Append(report.forecast, TellForecast(graph, forecast));
    report.facts = FactsOf(graph, exports, forecast);
    return report;
}

Diagnostics
WarningsOf(const LabReport& report)
{
    Diagnostics warnings;
    for (Diagnostic diagnostic : report.findings)
    {
        if (diagnostic.severity != Severity::Info)
        {
            diagnostic.severity = Severity::Warning;
            warnings.push_back(std::move(diagnostic));
        }
    }
    return warnings;
}

} // namespace esxnf
