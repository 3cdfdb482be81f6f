// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/traffic-plan.h"

#include "runner/scenario/distribution.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <unordered_map>

namespace esxnf
{

namespace
{

constexpr double ETHERNET_OCTETS = 18; // header and FCS
constexpr double UDP_HEADERS = 28 + ETHERNET_OCTETS;

/// \return the value of a distribution that is a constant
std::optional<double>
Constant(const std::string& text, Quantity quantity)
{
    Distribution distribution;
    const bool isRight = ParseDistribution(text, quantity, distribution).empty();
    return isRight && distribution.kind == "constant" && !distribution.parameters.empty()
               ? std::optional(distribution.parameters[0])
               : std::nullopt;
}

class TrafficPlanner
{
  public:
    explicit TrafficPlanner(const FrameGraph& graph)
        : m_graph(graph),
          m_scenario(graph.GetScenario()),
          m_routes(graph)
    {
    }

    std::vector<PlannedTraffic> Plan()
    {
        for (const auto& host : m_scenario.hosts)
        {
            for (const auto& vm : host.vms)
            {
                for (const auto& nic : vm.nics)
                {
                    if (const auto station = m_graph.FindGroup(host, nic.portGroup))
                    {
                        m_nics[vm.name].push_back({nic.address, *station});
                    }
                }
            }
        }
        for (const auto& node : m_scenario.nodes)
        {
            const auto station = m_graph.FindCollector(node.name);
            if (station && node.address)
            {
                m_nics[node.name].push_back({*node.address, *station});
            }
        }
        for (const auto& traffic : m_scenario.traffic)
        {
            for (const auto& from : traffic.from)
            {
                for (std::size_t i = 0; i < traffic.to.size(); ++i)
                {
                    Add(traffic, from, i);
                }
            }
        }
        return std::move(m_plan);
    }

  private:
    using Nics = std::vector<std::pair<InterfaceAddress, std::size_t>>;

    void Add(const Traffic& traffic, const std::string& from, std::size_t target)
    {
        const auto stations = FindPair(m_nics[from], m_nics[traffic.to[target]]);
        if (!stations || !m_graph.Joins(stations->first, stations->second))
        {
            return;
        }
        PlannedTraffic planned{};
        planned.traffic = &traffic;
        planned.from = stations->first;
        planned.to = stations->second;
        planned.start = traffic.start.GetSeconds();
        planned.stop = traffic.stop.GetSeconds();
        planned.perFlow = 1;
        Describe(traffic, target, planned);
        if (traffic.everyIsExponential)
        {
            planned.random = fmt::format("traffic {} is random", traffic.name);
        }
        const auto& stationsOf = m_graph.GetStations();
        const Station& a = stationsOf[planned.from];
        const Station& b = stationsOf[planned.to];
        if (!a.vSwitch || a.vSwitch != b.vSwitch || a.GetTag() != b.GetTag())
        {
            planned.links = m_routes.To(planned.to).From(planned.from)->links;
        }
        m_plan.push_back(std::move(planned));
    }

    void Describe(const Traffic& traffic, std::size_t target, PlannedTraffic& planned) const
    {
        const double every = traffic.every.GetSeconds();
        switch (traffic.app)
        {
        case TrafficApp::UdpCbr: {
            const double packets =
                static_cast<double>(traffic.rate.GetBitRate()) / 8 / traffic.packetBytes;
            planned.flows = packets; // if it is so slow that each packet is a record
            planned.isLong = true;
            planned.load = packets * 8 * (traffic.packetBytes + UDP_HEADERS);
            break;
        }
        case TrafficApp::UdpOnOff:
            planned.random = fmt::format("traffic {} comes in bursts", traffic.name);
            break;
        case TrafficApp::TcpBulk:
            planned.isLong = true;
            planned.isAnswered = true;
            planned.isElastic = true;
            planned.flows = 0;
            break;
        case TrafficApp::TcpRequest:
            planned.flows = 1 / every;
            planned.duration = 1; // our guess, where nothing is in its way
            planned.isAnswered = true;
            planned.isElastic = true;
            break;
        case TrafficApp::TcpSynScan: { // one target after another
            const double ports = traffic.lastPort - traffic.firstPort + 1;
            const double begin = planned.start + static_cast<double>(target) * ports * every;
            planned.stop = std::min(planned.stop, begin + ports * every);
            planned.start = std::min(begin, planned.stop);
            planned.flows = 1 / every;
            planned.isAnswered = true;
            planned.load = 2 * 8 * 64 / every; // SYN and RST or SYN and ACK
            break;
        }
        case TrafficApp::Flows:
            DescribeFlows(traffic, planned);
            break;
        case TrafficApp::Pcap:
            planned.random = fmt::format("what traffic {} injects is in its capture", traffic.name);
        }
    }

    /// Flows take the targets in turn.
    static void DescribeFlows(const Traffic& traffic, PlannedTraffic& planned)
    {
        const auto duration = Constant(traffic.flowDuration, Quantity::Seconds);
        const auto packets = Constant(traffic.flowPackets, Quantity::Number);
        const auto size = Constant(traffic.packetSize, Quantity::Octets);
        const double every = traffic.every.GetSeconds();
        planned.flows = traffic.together / every / static_cast<double>(traffic.to.size());
        if (!traffic.hours.empty()) // in the busiest one
        {
            planned.flows *= *std::max_element(traffic.hours.begin(), traffic.hours.end());
            planned.random = fmt::format("traffic {} changes from hour to hour", traffic.name);
            return;
        }
        if (!duration || !packets || !size)
        {
            planned.random = fmt::format("traffic {} is random", traffic.name);
            return;
        }
        if (traffic.flows > 0)
        {
            const double last = std::ceil(static_cast<double>(traffic.flows) / traffic.together);
            planned.stop = std::min(planned.stop, planned.start + last * every);
        }
        planned.duration = *duration;
        planned.perFlow = *packets; // if they are so far apart that each is a record
        planned.load = planned.flows * *packets * 8 * (*size + ETHERNET_OCTETS);
    }

    /// As EsxTrafficHelper::AddressOf() does.
    static std::optional<std::pair<std::size_t, std::size_t>> FindPair(const Nics& ours,
                                                                       const Nics& theirs)
    {
        for (const auto& [address, to] : theirs)
        {
            for (const auto& [own, from] : ours)
            {
                if (own.SharesNetworkWith(address.address))
                {
                    return std::pair(from, to);
                }
            }
        }
        return std::nullopt;
    }

    const FrameGraph& m_graph;
    const Scenario& m_scenario;
    std::unordered_map<std::string, Nics> m_nics; //!< by VM or collector
    FrameRouteCache m_routes;
    std::vector<PlannedTraffic> m_plan;
};

} // namespace

std::vector<PlannedTraffic>
PlanTraffic(const FrameGraph& graph)
{
    return TrafficPlanner(graph).Plan();
}

} // namespace esxnf
