// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/export-demand.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

constexpr double CACHE_OCTETS = 80;     // of a live record: docs/semantics.md
constexpr double PURGATORY_OCTETS = 64; // of a place in purgatory

} // namespace

ExportDemand::ExportDemand(const FrameGraph& graph,
                           const std::vector<PlannedTraffic>& traffic,
                           const LinkTimetable& links)
    : m_graph(graph),
      m_scenario(graph.GetScenario()),
      m_traffic(traffic),
      m_links(links)
{
}

/// From a flow's begin to the moment its record leaves.
double
ExportDemand::Soonest(const PlannedExport& planned)
{
    const auto& netflow = planned.host->netflow;
    return netflow.expireOnTcpEnd
               ? 0
               : std::min(netflow.idleTimeout, netflow.activeTimeout).GetSeconds();
}

double
ExportDemand::Latest(const PlannedExport& planned, const PlannedTraffic& traffic)
{
    const auto& netflow = planned.host->netflow;
    return traffic.duration +
           (netflow.idleTimeout + netflow.scanInterval + planned.poll).GetSeconds();
}

/// How many of an export's vSwitches a flow enters.
int
ExportDemand::Points(const PlannedExport& planned, const PlannedTraffic& traffic) const
{
    const auto* from = m_graph.GetStations()[traffic.from].vSwitch;
    const auto* to = m_graph.GetStations()[traffic.to].vSwitch;
    return static_cast<int>(planned.vSwitches.count(from)) +
           (to != from && planned.vSwitches.count(to) > 0 ? 1 : 0);
}

/// Of these, those that it enters whatever happens on the links.
int
ExportDemand::SurePoints(const PlannedExport& planned, const PlannedTraffic& traffic) const
{
    const bool isSafe = std::none_of(traffic.links.begin(), traffic.links.end(), [&](int link) {
        return m_links.IsEverDisturbed(link);
    });
    const auto* from = m_graph.GetStations()[traffic.from].vSwitch;
    return isSafe ? Points(planned, traffic)
           : traffic.traffic->IsInjected() // others must ask for addresses first
               ? static_cast<int>(planned.vSwitches.count(from))
               : 0;
}

std::vector<double>
ExportDemand::TimesOf(const PlannedExport& planned) const
{
    std::vector<double> times;
    for (const auto& traffic : m_traffic)
    {
        if (Points(planned, traffic) > 0)
        {
            const double from = std::max(traffic.start, planned.begin.GetSeconds());
            times.push_back(traffic.start + Soonest(planned));
            times.push_back(from + Latest(planned, traffic));
            times.push_back(traffic.stop + Soonest(planned));
            times.push_back(traffic.stop + Latest(planned, traffic));
        }
    }
    return times;
}

ExportRate
ExportDemand::Of(const PlannedExport& planned, double begin, double end) const
{
    ExportRate rate;
    for (const auto& traffic : m_traffic)
    {
        const bool may = begin < traffic.stop + Latest(planned, traffic) &&
                         end > traffic.start + Soonest(planned);
        if (may && Points(planned, traffic) > 0)
        {
            Add(rate, planned, traffic, begin, end);
        }
    }
    const auto& netflow = planned.host->netflow;
    if (netflow.meterOwnExport)
    {
        rate.most +=
            1 / netflow.idleTimeout.GetSeconds(); // it may fall silent for so long, and begin anew
    }
    return rate;
}

/// What one kind of traffic adds to the rate of a span.
void
ExportDemand::Add(ExportRate& rate,
                  const PlannedExport& planned,
                  const PlannedTraffic& traffic,
                  double begin,
                  double end) const
{
    const auto& netflow = planned.host->netflow;
    const double idle = netflow.idleTimeout.GetSeconds();
    const double active = netflow.activeTimeout.GetSeconds();
    const double grid = (netflow.scanInterval + planned.poll).GetSeconds();
    const double start = std::max(traffic.start, planned.begin.GetSeconds());
    const bool must =
        start + Latest(planned, traffic) <= begin && end <= traffic.stop + Soonest(planned);
    const int points = Points(planned, traffic);
    const int ways = traffic.isAnswered ? 2 : 1;
    double least = traffic.flows;
    double most = traffic.flows;
    if (traffic.isLong)
    {
        const bool isSlow = traffic.flows > 0 && 1 / traffic.flows > idle;
        least = isSlow && 1 / traffic.flows > idle + grid ? traffic.flows : 0;
        most = isSlow ? traffic.flows : 1 / active;
    }
    else
    {
        const double gap = traffic.perFlow > 1 ? traffic.duration / (traffic.perFlow - 1) : 0;
        most *= gap > idle ? traffic.perFlow : 1 + std::floor(traffic.duration / active);
    }
    rate.least += must ? least * ways * SurePoints(planned, traffic) : 0;
    rate.most += most * ways * points;
    rate.live += (traffic.isLong ? 1 : most * (idle + grid + traffic.duration)) * ways * points;
}

std::string
ExportDemand::Unknown(const PlannedExport& planned, double begin, double end) const
{
    if (end > planned.surely.GetSeconds())
    {
        return fmt::format("a console line or key may end net-netflow on {}", planned.host->name);
    }
    for (const auto& traffic : m_traffic)
    {
        const bool overlaps =
            begin < traffic.stop + Latest(planned, traffic) + ON_ITS_WAY_S && end > traffic.start;
        if (!traffic.random.empty() && overlaps && Points(planned, traffic) > 0)
        {
            return traffic.random;
        }
    }
    if (planned.host->memoryBytes > 0)
    {
        return fmt::format("the memory of {} is shared with its VMs", planned.host->name);
    }
    const double memory = planned.host->netflow.idleTimeout.GetSeconds() + ON_ITS_WAY_S;
    for (const auto& step : m_scenario.timeline)
    {
        const double at = step.at.GetSeconds();
        const bool ends = step.length && (step.at + *step.length).GetSeconds() + memory < begin;
        if (step.kind == StepKind::MemoryPressure && step.host == planned.host->name && at < end &&
            !ends)
        {
            return fmt::format("the memory of {} is short", planned.host->name);
        }
    }
    return "";
}

bool
ExportDemand::IsTooMuch(const PlannedExport& planned, const ExportRate& rate)
{
    const auto& netflow = planned.host->netflow;
    return rate.live * CACHE_OCTETS + netflow.purgatoryMax * PURGATORY_OCTETS > netflow.heapBytes ||
           (netflow.maxEntries > 0 && rate.live > netflow.maxEntries);
}

} // namespace esxnf
