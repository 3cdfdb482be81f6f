// SPDX-License-Identifier: GPL-2.0-only
// What is said of failures and of the loss that links bring to exports.
#include "runner/lab/lab-check.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

namespace
{

constexpr std::size_t MAX_SPANS = 10;
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

std::string
NamesOf(const FrameGraph& graph, const std::vector<int>& links)
{
    std::vector<std::string> names;
    names.reserve(links.size());
    for (const int link : links)
    {
        names.push_back(graph.GetScenario().links[link].name);
    }
    return fmt::format("{} {}", links.size() == 1 ? "link" : "links", Names(names));
}

std::string
What(const FrameGraph& graph, const ExportSpan& span)
{
    const auto start = fmt::format("export to {}, {:.6g}s to {:.6g}s: ",
                                   graph.GetStations()[span.collector].GetName(),
                                   span.begin,
                                   span.end);
    const auto planned =
        span.most > span.least * 1.01
            ? fmt::format("{:.4g} to {:.4g} records/s are planned", span.least, span.most)
            : fmt::format("{:.4g} records/s are planned", span.least);
    switch (span.verdict)
    {
    case ExportVerdict::NotChecked:
        return start + "loss not checked: " + span.reason;
    case ExportVerdict::None:
        return start + "no loss is expected: " + planned;
    case ExportVerdict::Possible:
        return start + "loss is possible: " + planned + ", and " + span.reason;
    case ExportVerdict::Loss:
        break;
    }
    const std::string bottleneck = span.cut.empty()
                                       ? "no link leads there meanwhile"
                                       : fmt::format("{} {} {:.4g}/s",
                                                     NamesOf(graph, span.cut),
                                                     span.cut.size() == 1 ? "carries" : "carry",
                                                     span.capacity);
    return fmt::format("{}at least {:.3g} % of the records are lost: {}, and {}",
                       start,
                       span.leastLoss * 100,
                       planned,
                       bottleneck);
}

} // namespace

Diagnostics
CheckFailures(const FrameGraph& graph, const std::vector<PlannedExport>& exports)
{
    Diagnostics messages;
    std::set<std::pair<const Host*, std::size_t>> told; // a restarted net-netflow says nothing new
    const auto failures = SinglePointsOfFailure(graph, exports);
    for (std::size_t i = 0; i < exports.size() && told.size() < MAX_SPANS; ++i)
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

Diagnostics
TellForecast(const FrameGraph& graph, const std::vector<ExportSpan>& forecast)
{
    Diagnostics messages;
    for (const auto& span : forecast)
    {
        const bool isLoss = span.verdict == ExportVerdict::Loss;
        messages.push_back(graph.GetScenario().At(isLoss ? Severity::Warning : Severity::Info,
                                                  span.first->path,
                                                  What(graph, span)));
        if (messages.size() == MAX_SPANS && forecast.size() > MAX_SPANS)
        {
            messages.push_back(
                graph.GetScenario().At(Severity::Info,
                                       span.first->path,
                                       fmt::format("and {} more spans of time: --json tells all",
                                                   forecast.size() - MAX_SPANS)));
            break;
        }
    }
    return messages;
}

} // namespace esxnf
