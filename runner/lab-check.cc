// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab-check.h"

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

LabReport
CheckLab(const Scenario& scenario)
{
    const FrameGraph graph(scenario);
    LabReport report{CheckLoops(graph), CheckVlans(graph)};
    const Diagnostics exports = CheckExport(graph);
    report.findings.insert(report.findings.end(), exports.begin(), exports.end());
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
