// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/lab-check.h"

#include <algorithm>
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

constexpr std::size_t MAX_EXPORTS = 10;
constexpr std::size_t MAX_LISTED = 8;

std::string
Names(std::vector<std::string> names)
{
    const auto count = names.size();
    names.resize(std::min(count, MAX_LISTED));
    return fmt::format("{}{}",
                       fmt::join(names, ", "),
                       count > MAX_LISTED ? fmt::format(" and {} more", count - MAX_LISTED) : "");
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
FactsOf(const FrameGraph& graph, const std::vector<PlannedExport>& exports)
{
    const auto& scenario = graph.GetScenario();
    Json facts = {{"blocked", Json::array()},
                  {"exports", Json::array()},
                  {"capacity", Json::object()}};
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
    facts["capacity"] = {{"bits_per_s",
                          capacity.amount < UNBOUNDED ? Json(static_cast<double>(capacity.amount))
                                                      : Json()}, // nothing bounds them
                         {"links", NamesOf(scenario, capacity.cut)}};
    return facts;
}

} // namespace

Diagnostics
CheckFailures(const FrameGraph& graph, const std::vector<PlannedExport>& exports)
{
    Diagnostics messages;
    std::set<std::pair<const Host*, std::size_t>> told; // a restarted net-netflow says nothing new
    const auto failures = SinglePointsOfFailure(graph, exports);
    for (std::size_t i = 0; i < exports.size() && told.size() < MAX_EXPORTS; ++i)
    {
        const auto& planned = exports[i];
        if (told.emplace(planned.host, planned.collector).second)
        {
            messages.push_back(graph.GetScenario().At(
                Severity::Info,
                planned.path,
                fmt::format("single points of failure of the export from {} to {}: {}",
                            planned.host->name,
                            graph.GetStations()[planned.collector].GetName(),
                            failures[i].empty() ? "none" : Names(failures[i]))));
        }
    }
    return messages;
}

LabReport
CheckLab(const Scenario& scenario)
{
    const FrameGraph graph(scenario);
    const IpGraph addresses(graph);
    LabReport report{CheckLoops(graph), CheckVlans(graph), {}, {}};
    Append(report.loops, CheckNetworks(addresses));
    Append(report.findings, CheckRoutes(addresses));
    Append(report.findings, CheckMoves(graph));
    Append(report.findings, CheckCommands(scenario));
    Append(report.findings, CheckFidelity(addresses));
    Json routed = Json::array();
    Append(report.findings, CheckExport(addresses, &routed));
    const auto exports = PlanExports(graph);
    report.failures = CheckFailures(graph, exports);
    report.facts = FactsOf(graph, exports);
    report.facts["exports"].insert(report.facts["exports"].end(), routed.begin(), routed.end());
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
