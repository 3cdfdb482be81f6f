// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/export-forecast.h"

#include "runner/lab/export-demand.h"
#include "runner/lab/export-flow.h"
#include "runner/lab/link-timetable.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

/// Of a record in a full datagram.
constexpr double LEAST_BITS_A_RECORD = 8 * (RECORD_OCTETS + DATAGRAM_OCTETS / RECORDS_A_DATAGRAM);

class Forecaster
{
  public:
    Forecaster(const FrameGraph& graph, const std::vector<PlannedExport>& exports)
        : m_graph(graph),
          m_scenario(graph.GetScenario()),
          m_exports(exports),
          m_traffic(PlanTraffic(graph)),
          m_links(m_scenario),
          m_demand(graph, m_traffic, m_links)
    {
    }

    std::vector<ExportSpan> Forecast()
    {
        std::set<std::size_t> collectors;
        for (const auto& planned : m_exports)
        {
            collectors.insert(planned.collector);
        }
        const auto times = Times();
        constexpr double tooMuch = 2e7; // a second of work
        if (static_cast<double>(times.size()) * static_cast<double>(m_exports.size()) *
                static_cast<double>(m_traffic.size() + 1) >
            tooMuch)
        {
            ExportSpan span{};
            span.end = m_scenario.run.duration.GetSeconds();
            span.collector = m_exports.front().collector;
            span.reason = "the plan is too long";
            span.first = &m_exports.front();
            return {span};
        }
        for (auto end = std::next(times.begin()); !times.empty() && end != times.end(); ++end)
        {
            for (const auto collector : collectors)
            {
                Look(*std::prev(end), *end, collector);
            }
        }
        return std::move(m_spans);
    }

  private:
    /// Whenever something changes, as seen where records leave.
    std::set<double> Times() const
    {
        const double duration = m_scenario.run.duration.GetSeconds();
        std::set<double> times{0, duration};
        const auto add = [&](double time) {
            if (time > 0 && time < duration)
            {
                times.insert(time);
            }
        };
        for (const auto& step : m_scenario.timeline)
        {
            const bool isEpisode = step.kind == StepKind::LinkDown ||
                                   step.kind == StepKind::LinkSet ||
                                   step.kind == StepKind::MemoryPressure;
            if (isEpisode)
            {
                add(step.at.GetSeconds());
                add(step.length ? (step.at + *step.length).GetSeconds() : duration);
            }
        }
        for (const double end : m_links.GetSettledTimes())
        {
            add(end);
        }
        for (const auto& planned : m_exports)
        {
            add(planned.begin.GetSeconds());
            add(planned.surely.GetSeconds());
            add(planned.end.GetSeconds());
            for (const double time : m_demand.TimesOf(planned))
            {
                add(time);
            }
        }
        return times;
    }

    void Look(double begin, double end, std::size_t collector)
    {
        ExportSpan span{};
        span.begin = begin;
        span.end = end;
        span.collector = collector;
        std::vector<const PlannedExport*> active;
        for (const auto& planned : m_exports)
        {
            if (planned.starts && planned.collector == collector &&
                planned.begin.GetSeconds() <= begin && end <= planned.end.GetSeconds())
            {
                active.push_back(&planned);
            }
        }
        if (active.empty())
        {
            return;
        }
        span.first = active.front();
        std::map<const PlannedExport*, ExportRate> demands;
        for (const auto* planned : active)
        {
            span.reason =
                span.reason.empty() ? m_demand.Unknown(*planned, begin, end) : span.reason;
            const auto& demand = demands[planned] = m_demand.Of(*planned, begin, end);
            span.least += demand.least;
            span.most += demand.most;
            if (span.reason.empty() && ExportDemand::IsTooMuch(*planned, demand))
            {
                span.reason = fmt::format("the memory of {} may be too short for {:.0f} flows",
                                          planned->host->name,
                                          demand.live);
            }
        }
        if (span.reason.empty())
        {
            Judge(span, active, demands);
        }
        else
        {
            span.least = span.most = 0;
        }
        Append(std::move(span));
    }

    void Judge(ExportSpan& span,
               const std::vector<const PlannedExport*>& active,
               const std::map<const PlannedExport*, ExportRate>& demands)
    {
        const auto flow = FindExportFlow(
            m_graph,
            active,
            [&](const PlannedExport& planned) {
                return static_cast<int64_t>(
                    std::ceil(demands.at(&planned).least * LEAST_BITS_A_RECORD));
            },
            [&](int link) { return static_cast<int64_t>(m_links.StateOf(link, span.begin).rate); });
        span.capacity = static_cast<double>(flow.amount) / LEAST_BITS_A_RECORD;
        const double length = span.end - span.begin;
        const double grid =
            (span.first->poll + span.first->host->netflow.scanInterval).GetSeconds();
        const double comes = span.least * std::max(0.0, length - grid);
        double goes = span.capacity * length; // and what waits at the end
        for (const int link : flow.cut)
        {
            const LinkState disc{0, false, m_scenario.links[link].queueDisc.size};
            const bool hasDisc = !m_scenario.links[link].queueDisc.kind.empty();
            goes +=
                RECORDS_A_DATAGRAM * (1 + m_links.StateOf(link, span.begin).GetQueuedDatagrams() +
                                      (hasDisc ? disc.GetQueuedDatagrams() : 0));
        }
        span.leastLoss = comes > goes ? 1 - goes / comes : 0;
        if (span.leastLoss > 0)
        {
            span.verdict = ExportVerdict::Loss;
            span.cut = flow.cut;
            return;
        }
        span.reason = span.least > span.capacity * 1.0001
                          ? fmt::format("queues may hold for {:.3g} s what {} does not carry",
                                        length,
                                        NamesOf(flow.cut))
                          : Doubt(span, active, demands);
        span.verdict = span.reason.empty() ? ExportVerdict::None : ExportVerdict::Possible;
    }

    std::string NamesOf(const std::vector<int>& links) const
    {
        std::string names;
        for (const int link : links)
        {
            names += (names.empty() ? "" : ", ") + m_scenario.links[link].name;
        }
        return (links.size() == 1 ? "link " : "links ") + names;
    }

    /// \return empty if all links and queues suffice, whatever is exported at most
    std::string Doubt(const ExportSpan& span,
                      const std::vector<const PlannedExport*>& active,
                      const std::map<const PlannedExport*, ExportRate>& demands) const
    {
        const Node& collector = *m_graph.GetStations()[span.collector].collector;
        for (const auto& step : m_scenario.timeline)
        {
            if (step.node == collector.name)
            {
                return fmt::format("{} is down or slow at times", collector.name);
            }
        }
        if (!collector.serviceTime.IsZero())
        {
            return fmt::format("{} takes its time over each datagram", collector.name);
        }
        std::map<int, double> loads;  // bits a second
        std::map<int, double> bursts; // datagrams at once
        for (const auto* planned : active)
        {
            const double polls = planned->poll.GetSeconds();
            const double records = demands.at(planned).most;
            const auto engines = static_cast<double>(planned->vSwitches.size());
            const double datagrams = std::ceil(records * polls / RECORDS_A_DATAGRAM) + engines;
            const double scans = planned->host->netflow.scanInterval.GetSeconds();
            if (records * (polls + scans) + 1 > planned->host->netflow.purgatoryMax)
            {
                return fmt::format("purgatory of {} is short for {:.0f} records between two polls",
                                   planned->host->name,
                                   records * polls);
            }
            for (const int link : LinksOf(*planned))
            {
                loads[link] += 8 * (records * RECORD_OCTETS + DATAGRAM_OCTETS * datagrams / polls);
                bursts[link] += datagrams;
            }
        }
        for (const auto& planned : m_exports) // on the way to other collectors
        {
            for (const int link :
                 planned.collector == span.collector ? std::set<int>() : LinksOf(planned))
            {
                if (loads.count(link) && planned.starts)
                {
                    return fmt::format("link {} carries the export to {}, too",
                                       m_scenario.links[link].name,
                                       m_graph.GetStations()[planned.collector].GetName());
                }
            }
        }
        const auto traffic = AddTraffic(span, loads);
        return traffic.empty() ? DoubtLinks(span, loads, bursts) : traffic;
    }

    /// Those that an export may cross, and is meant to.
    std::set<int> LinksOf(const PlannedExport& planned) const
    {
        std::set<int> links(planned.route.links.begin(), planned.route.links.end());
        for (const auto& way : m_graph.GetStations()[planned.station].ways)
        {
            if (!way.standby && way.link >= 0)
            {
                links.insert(way.link);
            }
        }
        return links;
    }

    std::string AddTraffic(const ExportSpan& span, std::map<int, double>& loads) const
    {
        for (const auto& traffic : m_traffic)
        {
            for (const int link : traffic.links)
            {
                const bool overlaps =
                    span.begin < traffic.stop + ON_ITS_WAY_S && span.end > traffic.start;
                if (!overlaps || !loads.count(link))
                {
                    continue;
                }
                if (traffic.isElastic || !traffic.random.empty())
                {
                    return fmt::format("traffic {} may fill link {}",
                                       traffic.traffic->name,
                                       m_scenario.links[link].name);
                }
                loads[link] += traffic.load;
            }
            if (traffic.traffic->IsInjected() && !traffic.links.empty())
            {
                return fmt::format("switches flood the frames of traffic {}: nobody answers them",
                                   traffic.traffic->name);
            }
        }
        return "";
    }

    std::string DoubtLinks(const ExportSpan& span,
                           const std::map<int, double>& loads,
                           const std::map<int, double>& bursts) const
    {
        for (const auto& [link, load] : loads)
        {
            const auto& name = m_scenario.links[link].name;
            const auto state = m_links.StateOf(link, span.begin);
            if (m_links.IsSettling(link, span.begin, span.end))
            {
                return fmt::format("link {} may yet lose what waited in it", name);
            }
            if (state.rate == 0)
            {
                return fmt::format("link {} is down", name);
            }
            if (state.isFaulty)
            {
                return fmt::format("link {} loses, doubles or delays frames", name);
            }
            if (!m_scenario.links[link].queueDisc.kind.empty())
            {
                return fmt::format("link {} has a queue disc", name);
            }
            if (load > state.rate)
            {
                return fmt::format("up to {:.3g} bit/s come to link {}, which carries {:.3g}",
                                   load,
                                   name,
                                   state.rate);
            }
            if (bursts.at(link) > state.GetQueuedDatagrams())
            {
                return fmt::format(
                    "a poll sends {:.0f} datagrams at once, and {:.0f} can wait at link {}",
                    bursts.at(link),
                    state.GetQueuedDatagrams(),
                    name);
            }
        }
        return "";
    }

    /// Two spans of which the same is to be said are one.
    void Append(ExportSpan span)
    {
        for (auto last = m_spans.rbegin(); last != m_spans.rend(); ++last)
        {
            if (last->collector != span.collector)
            {
                continue;
            }
            if (last->end == span.begin && last->verdict == span.verdict &&
                last->reason == span.reason && span.verdict != ExportVerdict::Loss)
            {
                last->end = span.end;
                last->least = std::min(last->least, span.least);
                last->most = std::max(last->most, span.most);
                return;
            }
            break;
        }
        m_spans.push_back(std::move(span));
    }

    const FrameGraph& m_graph;
    const Scenario& m_scenario;
    const std::vector<PlannedExport>& m_exports;
    const std::vector<PlannedTraffic> m_traffic;
    const LinkTimetable m_links;
    const ExportDemand m_demand;

    std::vector<ExportSpan> m_spans;
};

} // namespace

std::vector<ExportSpan>
ForecastExports(const FrameGraph& graph, const std::vector<PlannedExport>& exports)
{
    return Forecaster(graph, exports).Forecast();
}

ExportCapacity
CapacityOf(const FrameGraph& graph, const std::vector<PlannedExport>& exports)
{
    std::vector<const PlannedExport*> all;
    all.reserve(exports.size());
    for (const auto& planned : exports)
    {
        all.push_back(&planned);
    }
    const auto& links = graph.GetScenario().links;
    const auto flow = FindExportFlow(
        graph,
        all,
        [](const PlannedExport&) { return UNBOUNDED; },
        [&](int link) { return static_cast<int64_t>(links[link].rate.GetBitRate()); });
    return {static_cast<double>(flow.amount), flow.cut};
}

} // namespace esxnf
