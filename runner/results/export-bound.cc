// SPDX-License-Identifier: GPL-2.0-only
// The run is cut into spans (b, e] at the instants at which a step or traffic begins or ends, so
// that a link has one rate r within a span. Let s be the frames that were sent in a span and were
// received in it or lost at any time. Those of s that were received crossed the links after b and
// until e, each link of capacity r * (e - b) in a direction: they are a flow from the hosts to the
// collectors, and no more than a maximum flow F of s through these capacities. So the run lost at
// least s - F of them. A frame that waited in a queue at e and was received later is not in s: what
// queues carry from span to span needs no guess of what they hold. The bounds of all spans add up,
// since each frame is in one of them.
//
// Whatever else is on a link, its VLANs and half duplex lessen what it carries for exports: the
// bound is smaller than the loss then, and never above it.
#include "runner/results/export-bound.h"

#include "netflow/ledger.h"
#include "netflow/v5-codec.h"
#include "runner/lab/export-flow.h"
#include "runner/simulation/simulation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace esxnf
{

namespace
{

constexpr uint64_t HEADERS = 28 + 18; // of UDP and IPv4; of Ethernet, with the FCS
constexpr int64_t BITS = 8;

class BoundFinder
{
  public:
    BoundFinder(const Scenario& scenario, ns3::Time end)
        : m_scenario(scenario),
          m_steps(scenario.links.size())
    {
        const auto cut = [&](ns3::Time at) {
            if (at < end)
            {
                m_ends.push_back(at);
            }
        };
        cut(ns3::Time());
        for (const Traffic& traffic : scenario.traffic)
        {
            cut(traffic.start);
            cut(traffic.stop);
        }
        for (const TimelineStep& step : scenario.timeline)
        {
            cut(step.at);
            cut(step.at + step.length.value_or(ns3::Time()));
        }
        m_ends.push_back(end);
        std::sort(m_ends.begin(), m_ends.end());
        m_ends.erase(std::unique(m_ends.begin(), m_ends.end()), m_ends.end());
        for (std::size_t i = 0; i < scenario.links.size(); ++i)
        {
            for (const TimelineStep& step : scenario.timeline)
            {
                const bool changes = step.kind == StepKind::LinkDown || step.rate;
                if (changes && step.link == scenario.links[i].name)
                {
                    m_steps[i].push_back(&step);
                }
            }
        }
    }

    ExportBound Find(const std::vector<ExportedFrame>& frames)
    {
        ExportBound bound;
        for (const ExportedFrame& frame : frames)
        {
            bound.sent += frame.octets;
            bound.lost += frame.lost ? frame.octets : 0;
            const auto end = std::lower_bound(m_ends.begin(), m_ends.end(), frame.sentAt);
            if (end != m_ends.end() &&
                (frame.lost || (frame.receivedAt && *frame.receivedAt <= *end)))
            {
                m_sent[end - m_ends.begin()][{frame.host, frame.collector}] +=
                    static_cast<int64_t>(frame.octets) * BITS;
            }
        }
        std::set<int> links;
        int64_t leastBits = 0;
        for (const auto& [span, sent] : m_sent)
        {
            leastBits += LeastLostOf(span, sent, links);
        }
        bound.leastLost = static_cast<uint64_t>(leastBits / BITS);
        for (const int link : links)
        {
            bound.links.push_back(m_scenario.links[link].name);
        }
        return bound;
    }

  private:
    /// Bits by sender and receiver, of what was sent in a span and was received in it or lost.
    using Sent = std::map<std::pair<const Host*, const Node*>, int64_t>;

    /// \param span by its end's index in m_ends
    /// \param [out] links those that are the bottleneck are added
    int64_t LeastLostOf(std::size_t span, const Sent& sent, std::set<int>& links) const
    {
        std::vector<int64_t> capacities;
        for (std::size_t i = 0; i < m_scenario.links.size(); ++i)
        {
            capacities.push_back(CapacityOf(i, span));
        }
        const int64_t all =
            std::accumulate(sent.begin(),
                            sent.end(),
                            int64_t{0},
                            [](int64_t sum, const auto& pair) { return sum + pair.second; });
        const auto least = std::min_element(capacities.begin(), capacities.end());
        if (least == capacities.end() || *least >= all)
        {
            return 0; // any way will do
        }
        std::vector<ExportSupply> supplies;
        for (const auto& [ends, bits] : sent)
        {
            supplies.push_back({UplinksOf(*ends.first), ends.second->name, bits});
        }
        const ExportFlow flow =
            FindExportFlow(m_scenario, supplies, [&](int link) { return capacities[link]; });
        if (flow.amount < all)
        {
            links.insert(flow.cut.begin(), flow.cut.end());
        }
        return all - flow.amount;
    }

    /// In bits, rounded up.
    int64_t CapacityOf(std::size_t link, std::size_t span) const
    {
        if (span == 0)
        {
            return 0; // the first instant
        }
        const ns3::Time begin = m_ends[span - 1];
        ns3::DataRate rate = m_scenario.links[link].rate;
        for (const TimelineStep* step : m_steps[link])
        {
            if (!step->Covers(begin))
            {
                continue;
            }
            if (step->kind == StepKind::LinkDown)
            {
                return 0;
            }
            rate = *step->rate;
        }
        if (!m_scenario.links[link].isContended)
        {
            return UNBOUNDED;
        }
        const double bits =
            static_cast<double>(rate.GetBitRate()) * (m_ends[span] - begin).GetSeconds();
        return static_cast<int64_t>(std::min(std::ceil(bits), static_cast<double>(UNBOUNDED)));
    }

    /// All of a host: teams and console lines may take any.
    std::vector<std::string> UplinksOf(const Host& host) const
    {
        std::vector<std::string> uplinks;
        for (const Link& link : m_scenario.links)
        {
            for (const LinkEnd* end : {&link.a, &link.b})
            {
                if (end->node == host.name)
                {
                    uplinks.push_back(end->ToString());
                }
            }
        }
        return uplinks;
    }

    const Scenario& m_scenario;
    std::vector<ns3::Time> m_ends; //!< of the spans, sorted; the first is the first instant alone
    std::vector<std::vector<const TimelineStep*>> m_steps; //!< that change a link's rate, by link
    std::map<std::size_t, Sent> m_sent;                    //!< by span
};

/// Octets of a frame beside its datagram, if all links have as many: a half-duplex link has neither
/// preamble nor gap, and a scenario may set FrameOverhead.
uint64_t
HeadersOf(const Scenario& scenario)
{
    constexpr uint64_t preambleAndGap = 20;
    const auto isOther = [](const auto& of) {
        return std::any_of(of.second.begin(), of.second.end(), [](const AttributeSetting& set) {
            return set.name == "FrameOverhead";
        });
    };
    const auto isHalf = [](const Link& link) { return link.halfDuplex; };
    const auto& links = scenario.links;
    const auto& attributes = scenario.attributes;
    return std::any_of(links.begin(), links.end(), isHalf) ||
                   std::any_of(attributes.begin(), attributes.end(), isOther)
               ? HEADERS
               : HEADERS + preambleAndGap;
}

} // namespace

bool
ExportBound::Holds() const
{
    return lost >= leastLost;
}

ExportBound
FindExportBound(const Scenario& scenario, const std::vector<ExportedFrame>& frames, ns3::Time end)
{
    return BoundFinder(scenario, end).Find(frames);
}

ExportBound
FindExportBound(const Simulation& simulation)
{
    const Scenario& scenario = simulation.GetScenario();
    std::map<ns3::Ipv4Address, const Node*> collectors;
    for (const Node& node : scenario.nodes)
    {
        if (node.kind == NodeKind::Collector && node.address)
        {
            collectors.emplace(node.address->address, &node);
        }
    }
    std::vector<ExportedFrame> frames;
    const uint64_t headers = HeadersOf(scenario);
    const auto tracker = simulation.GetLedger()->GetTracker();
    for (const Host& host : scenario.hosts)
    {
        const auto& made = simulation.GetHosts()[&host - scenario.hosts.data()];
        for (const auto& datagram : tracker->GetDatagrams(made->GetVmkernelNode()->GetId()))
        {
            const auto collector = collectors.find(datagram.collector);
            if (collector == collectors.end() || datagram.fate == netflow::Move::SEND_FAILED)
            {
                continue;
            }
            const bool received = datagram.fate == netflow::Move::RECEIVED;
            frames.push_back({&host,
                              collector->second,
                              netflow::V5_HEADER_OCTETS +
                                  datagram.counts.records * netflow::V5_RECORD_OCTETS + headers,
                              datagram.sentAt,
                              received ? std::optional(datagram.concludedAt) : std::nullopt,
                              !received && datagram.fate != netflow::Move::SENT});
        }
    }
    return FindExportBound(scenario, frames, simulation.GetEnd());
}

} // namespace esxnf
