// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/real-collectors.h"

#include "runner/base/user-error.h"
#include "runner/lab/export-commands.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <thread>

namespace esxnf
{

namespace
{

constexpr uint32_t LOOPBACK = 127; // 127.0.0.0/8, every address of which is ours to send from
constexpr uint32_t FIRST_SOURCE = 0x7f000002; // 127.0.0.2

/// Hosts that start net-netflow, in their order. \param one that may, in any case
std::vector<std::string>
ExportingHosts(const Scenario& scenario, const std::string& one)
{
    std::vector<std::string> names;
    for (const Host& host : scenario.hosts)
    {
        const auto exports = [&host](const TimelineStep& step) {
            return step.host == host.name && !FindExportCommands(step.command).empty();
        };
        if (host.name == one ||
            std::any_of(scenario.timeline.begin(), scenario.timeline.end(), exports))
        {
            names.push_back(host.name);
        }
    }
    return names;
}

/// The address of a collector by name.
ns3::Ipv4Address
FindCollector(const Scenario& scenario, const std::string& name)
{
    std::vector<std::string> known;
    for (const Node& node : scenario.nodes)
    {
        if (node.kind == NodeKind::Collector)
        {
            if (node.name == name)
            {
                return node.address->address;
            }
            known.push_back(node.name);
        }
    }
    throw UserError(fmt::format("--to: {} has no collector '{}'; {}",
                                scenario.name,
                                name,
                                Suggest(name, known)));
}

} // namespace

RealTarget
ParseRealTarget(const std::string& text)
{
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos)
    {
        return {"", ParseEndpoint(text)};
    }
    if (equals == 0)
    {
        throw UserError(fmt::format("--to {}: a collector's name is before '='", text));
    }
    return {text.substr(0, equals), ParseEndpoint(text.substr(equals + 1))};
}

RealCollectors::RealCollectors(const Scenario& scenario,
                               const std::vector<RealTarget>& targets,
                               double rate,
                               const std::string& console)
    : m_pacer(rate)
{
    const std::vector<std::string> hosts = ExportingHosts(scenario, console);
    for (const RealTarget& target : targets)
    {
        const std::string name = target.endpoint.ToString();
        std::string& chosen =
            target.node.empty() ? m_default : m_targets[FindCollector(scenario, target.node)];
        if (!chosen.empty())
        {
            throw UserError(fmt::format("--to: both {} and {} for {}",
                                        chosen,
                                        name,
                                        target.node.empty() ? "all collectors" : target.node));
        }
        chosen = name;
        const bool isLoopback = ntohl(Resolve(target.endpoint).sin_addr.s_addr) >> 24 == LOOPBACK;
        if (!isLoopback && hosts.size() > 1)
        {
            throw UserError(
                fmt::format("--to {}: {} export, and only a loopback address (127.0.0.1) can be "
                            "sent to from a source address for each; a collector would take them "
                            "for one exporter",
                            name,
                            fmt::join(hosts, ", ")));
        }
        for (std::size_t i = 0; i < hosts.size(); ++i)
        {
            const auto source = static_cast<uint32_t>(FIRST_SOURCE + i);
            Sender& sender = m_senders[{hosts[i], name}];
            sender.source = isLoopback ? ns3::EsxDotted(source) : "";
            sender.udp = std::make_unique<UdpSender>(target.endpoint, sender.source);
        }
    }
}

const std::string&
RealCollectors::TargetOf(ns3::Ipv4Address collector) const
{
    const auto own = m_targets.find(collector);
    return own == m_targets.end() ? m_default : own->second;
}

void
RealCollectors::Send(const std::string& host,
                     ns3::Ipv4Address collector,
                     const std::vector<uint8_t>& payload)
{
    const auto sender = m_senders.find({host, TargetOf(collector)});
    if (sender != m_senders.end())
    {
        std::this_thread::sleep_until(m_pacer.NextDeparture(std::chrono::steady_clock::now()));
        sender->second.udp->Send(payload.data(), payload.size());
    }
}

std::vector<RealDelivery>
RealCollectors::GetDeliveries()
{
    std::vector<RealDelivery> deliveries;
    for (auto& [key, sender] : m_senders)
    {
        deliveries.push_back({key.first, key.second, sender.source, sender.udp->GetStatistics()});
    }
    return deliveries;
}

std::string
RealCollectors::Report()
{
    std::string report;
    for (const RealDelivery& delivery : GetDeliveries())
    {
        const UdpSendStatistics& udp = delivery.counts;
        report += fmt::format("  sent {} datagrams of {} to {}{}",
                              udp.sent,
                              delivery.host,
                              delivery.target,
                              delivery.source.empty() ? "" : " from " + delivery.source);
        if (udp.refused > 0)
        {
            report += fmt::format("; refused {} times: nobody listens there", udp.refused);
        }
        if (udp.noBuffers + udp.failed > 0)
        {
            report += fmt::format("; {} not sent: {}",
                                  udp.noBuffers + udp.failed,
                                  std::strerror(udp.lastError));
        }
        report += '\n';
    }
    return report;
}

} // namespace esxnf
