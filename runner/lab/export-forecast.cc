// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/export-forecast.h"

#include "runner/lab/export-flow.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <unordered_map>

namespace esxnf
{

namespace
{

constexpr double RECORDS = 30; // of a full datagram
constexpr double RECORD_OCTETS = 48;
constexpr double FRAME_OCTETS = 70; // NetFlow 24, UDP and IPv4 28, Ethernet 18
constexpr double LEAST_BITS = 8 * (RECORD_OCTETS + FRAME_OCTETS / RECORDS); // of a record
constexpr double CACHE_OCTETS = 80;     // of a live record: docs/semantics.md
constexpr double PURGATORY_OCTETS = 64; // of a place in purgatory

/// A link as it is during a span.
struct LinkState
{
    double rate;   //!< bit/s; 0: down
    bool isFaulty; //!< loses, damages, doubles or delays frames
    ns3::QueueSize queue;

    double GetQueuedDatagrams() const
    {
        return queue.GetUnit() == ns3::PACKETS ? queue.GetValue()
                                               : queue.GetValue() / (RECORD_OCTETS + FRAME_OCTETS);
    }
};

/// Records a second.
struct Demand
{
    double least = 0;
    double most = 0;
    double live = 0; //!< records in the cache at most
};

class Forecaster
{
  public:
    Forecaster(const FrameGraph& graph, const std::vector<PlannedExport>& exports)
        : m_graph(graph),
          m_scenario(graph.GetScenario()),
          m_exports(exports),
          m_traffic(PlanTraffic(graph))
    {
        for (const auto& step : m_scenario.timeline)
        {
            if (step.kind == StepKind::LinkDown || step.kind == StepKind::LinkSet)
            {
                m_episodes[step.link].push_back(&step);
            }
        }
        for (const auto& link : m_scenario.links)
        {
            Settle(link);
        }
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
    /// For a while after an episode a link gives out, or loses, what waited in it.
    void Settle(const Link& link)
    {
        const auto episodes = m_episodes.find(link.name);
        if (episodes == m_episodes.end())
        {
            return;
        }
        const LinkState own{static_cast<double>(link.rate.GetBitRate()), false, link.queue};
        const double fullBits = 8 * (RECORDS * RECORD_OCTETS + FRAME_OCTETS);
        for (const auto* step : episodes->second)
        {
            if (step->length)
            {
                const double end = (step->at + *step->length).GetSeconds();
                const double drains = own.GetQueuedDatagrams() * fullBits / own.rate;
                m_settling.push_back({end, end + MARGIN + drains, &link});
            }
        }
    }

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
        for (const auto& settling : m_settling)
        {
            add(settling.end);
        }
        for (const auto& planned : m_exports)
        {
            add(planned.begin.GetSeconds());
            add(planned.surely.GetSeconds());
            add(planned.end.GetSeconds());
            for (const auto& traffic : m_traffic)
            {
                if (Points(planned, traffic) > 0)
                {
                    const double from = std::max(traffic.start, planned.begin.GetSeconds());
                    add(traffic.start + Soonest(planned));
                    add(from + Latest(planned, traffic));
                    add(traffic.stop + Soonest(planned));
                    add(traffic.stop + Latest(planned, traffic));
                }
            }
        }
        return times;
    }

    /// From a flow's begin to the moment its record leaves.
    static double Soonest(const PlannedExport& planned)
    {
        const auto& netflow = planned.host->netflow;
        return netflow.expireOnTcpEnd
                   ? 0
                   : std::min(netflow.idleTimeout, netflow.activeTimeout).GetSeconds();
    }

    static double Latest(const PlannedExport& planned, const PlannedTraffic& traffic)
    {
        const auto& netflow = planned.host->netflow;
        return traffic.duration +
               (netflow.idleTimeout + netflow.scanInterval + planned.poll).GetSeconds();
    }

    /// How many of an export's vSwitches a flow enters.
    int Points(const PlannedExport& planned, const PlannedTraffic& traffic) const
    {
        const auto* from = m_graph.GetStations()[traffic.from].vSwitch;
        const auto* to = m_graph.GetStations()[traffic.to].vSwitch;
        return static_cast<int>(planned.vSwitches.count(from)) +
               (to != from && planned.vSwitches.count(to) > 0 ? 1 : 0);
    }

    /// Of these, those that it enters whatever happens on the links.
    int SurePoints(const PlannedExport& planned, const PlannedTraffic& traffic) const
    {
        const bool isSafe = std::none_of(traffic.links.begin(), traffic.links.end(), [&](int link) {
            return m_episodes.count(m_scenario.links[link].name) || m_scenario.links[link].loss > 0;
        });
        const auto* from = m_graph.GetStations()[traffic.from].vSwitch;
        return isSafe ? Points(planned, traffic)
               : traffic.traffic->IsInjected() // others must ask for addresses first
                   ? static_cast<int>(planned.vSwitches.count(from))
                   : 0;
    }

    LinkState StateOf(int index, double time) const
    {
        const Link& link = m_scenario.links[index];
        LinkState state{static_cast<double>(link.rate.GetBitRate()),
                        link.loss + link.bitErrors + link.duplicate + link.reorder > 0,
                        link.queue};
        const auto episodes = m_episodes.find(link.name);
        if (episodes == m_episodes.end())
        {
            return state;
        }
        for (const auto* step : episodes->second)
        {
            if (step->Covers(ns3::Seconds(time)))
            {
                state.rate = step->kind == StepKind::LinkDown ? 0
                             : step->set.rate ? static_cast<double>(step->set.rate->GetBitRate())
                                              : state.rate;
                const auto& set = step->set;
                state.isFaulty |= set.loss.value_or(0) + set.bitErrors.value_or(0) +
                                      set.duplicate.value_or(0) + set.reorder.value_or(0) >
                                  0;
                state.queue = step->set.queue.value_or(state.queue);
            }
        }
        return state;
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
        std::map<const PlannedExport*, Demand> demands;
        for (const auto* planned : active)
        {
            span.reason = span.reason.empty() ? Unknown(*planned, begin, end) : span.reason;
            const auto& demand = demands[planned] = DemandOf(*planned, begin, end);
            span.least += demand.least;
            span.most += demand.most;
            if (span.reason.empty() && IsTooMuch(*planned, demand))
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

    /// \return empty, or what is not known of an export in a span
    std::string Unknown(const PlannedExport& planned, double begin, double end) const
    {
        if (end > planned.surely.GetSeconds())
        {
            return fmt::format("a console line or key may end net-netflow on {}",
                               planned.host->name);
        }
        for (const auto& traffic : m_traffic)
        {
            const bool overlaps =
                begin < traffic.stop + Latest(planned, traffic) + MARGIN && end > traffic.start;
            if (!traffic.random.empty() && overlaps && Points(planned, traffic) > 0)
            {
                return traffic.random;
            }
        }
        if (planned.host->memoryBytes > 0)
        {
            return fmt::format("the memory of {} is shared with its VMs", planned.host->name);
        }
        const double memory = planned.host->netflow.idleTimeout.GetSeconds() + MARGIN;
        for (const auto& step : m_scenario.timeline)
        {
            const double at = step.at.GetSeconds();
            const bool ends = step.length && (step.at + *step.length).GetSeconds() + memory < begin;
            if (step.kind == StepKind::MemoryPressure && step.host == planned.host->name &&
                at < end && !ends)
            {
                return fmt::format("the memory of {} is short", planned.host->name);
            }
        }
        return "";
    }

    Demand DemandOf(const PlannedExport& planned, double begin, double end) const
    {
        Demand demand;
        const auto& netflow = planned.host->netflow;
        const double idle = netflow.idleTimeout.GetSeconds();
        const double active = netflow.activeTimeout.GetSeconds();
        const double grid = (netflow.scanInterval + planned.poll).GetSeconds();
        for (const auto& traffic : m_traffic)
        {
            const int points = Points(planned, traffic);
            const double start = std::max(traffic.start, planned.begin.GetSeconds());
            const bool may = begin < traffic.stop + Latest(planned, traffic) &&
                             end > traffic.start + Soonest(planned);
            const bool must =
                start + Latest(planned, traffic) <= begin && end <= traffic.stop + Soonest(planned);
            if (points == 0 || !may)
            {
                continue;
            }
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
                const double gap =
                    traffic.perFlow > 1 ? traffic.duration / (traffic.perFlow - 1) : 0;
                most *= gap > idle ? traffic.perFlow : 1 + std::floor(traffic.duration / active);
            }
            demand.least += must ? least * ways * SurePoints(planned, traffic) : 0;
            demand.most += most * ways * points;
            demand.live +=
                (traffic.isLong ? 1 : most * (idle + grid + traffic.duration)) * ways * points;
        }
        if (netflow.meterOwnExport)
        {
            demand.most += 1 / idle; // it may fall silent for so long, and begin anew
        }
        return demand;
    }

    /// Whether the cache may have to shed packets.
    static bool IsTooMuch(const PlannedExport& planned, const Demand& demand)
    {
        const auto& netflow = planned.host->netflow;
        return demand.live * CACHE_OCTETS + netflow.purgatoryMax * PURGATORY_OCTETS >
                   netflow.heapBytes ||
               (netflow.maxEntries > 0 && demand.live > netflow.maxEntries);
    }

    void Judge(ExportSpan& span,
               const std::vector<const PlannedExport*>& active,
               const std::map<const PlannedExport*, Demand>& demands)
    {
        const auto flow = FindExportFlow(
            m_graph,
            active,
            [&](const PlannedExport& planned) {
                return static_cast<int64_t>(std::ceil(demands.at(&planned).least * LEAST_BITS));
            },
            [&](int link) { return static_cast<int64_t>(StateOf(link, span.begin).rate); });
        span.capacity = static_cast<double>(flow.amount) / LEAST_BITS;
        const double length = span.end - span.begin;
        const double grid =
            (span.first->poll + span.first->host->netflow.scanInterval).GetSeconds();
        const double comes = span.least * std::max(0.0, length - grid);
        double goes = span.capacity * length; // and what waits at the end
        for (const int link : flow.cut)
        {
            const LinkState disc{0, false, m_scenario.links[link].queueDisc.size};
            const bool hasDisc = !m_scenario.links[link].queueDisc.kind.empty();
            goes += RECORDS * (1 + StateOf(link, span.begin).GetQueuedDatagrams() +
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
                      const std::map<const PlannedExport*, Demand>& demands) const
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
            const double datagrams = std::ceil(records * polls / RECORDS) + engines;
            const double scans = planned->host->netflow.scanInterval.GetSeconds();
            if (records * (polls + scans) + 1 > planned->host->netflow.purgatoryMax)
            {
                return fmt::format("purgatory of {} is short for {:.0f} records between two polls",
                                   planned->host->name,
                                   records * polls);
            }
            for (const int link : LinksOf(*planned))
            {
                loads[link] += 8 * (records * RECORD_OCTETS + FRAME_OCTETS * datagrams / polls);
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
                    span.begin < traffic.stop + MARGIN && span.end > traffic.start;
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
            const auto state = StateOf(link, span.begin);
            for (const auto& settling : m_settling)
            {
                if (settling.link == &m_scenario.links[link] && span.begin < settling.end &&
                    span.end > settling.begin)
                {
                    return fmt::format("link {} may yet lose what waited in it", name);
                }
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

    static constexpr double MARGIN = 1; // s, for what is on its way

    const FrameGraph& m_graph;
    const Scenario& m_scenario;
    const std::vector<PlannedExport>& m_exports;
    const std::vector<PlannedTraffic> m_traffic;
    std::unordered_map<std::string, std::vector<const TimelineStep*>> m_episodes; //!< by link

    struct Settling
    {
        double begin;
        double end;
        const Link* link;
    };

    std::vector<Settling> m_settling;
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
