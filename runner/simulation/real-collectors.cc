// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/real-collectors.h"

#include "runner/base/user-error.h"
#include "runner/lab/export-commands.h"

#include "ns3/esx-table.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <thread>

namespace esxnf
{

namespace
{

constexpr uint32_t LOOPBACK = 127; // 127.0.0.0/8, every address of which is ours to send from
constexpr uint32_t FIRST_SOURCE = 0x7f000002; // 127.0.0.2
constexpr uint16_t ANY_PORT = 49152;

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

/// "HOST=ADDRESS" by host.
std::map<std::string, std::string>
ParseSources(const std::vector<std::string>& texts, const std::vector<std::string>& hosts)
{
    std::map<std::string, std::string> sources;
    for (const std::string& text : texts)
    {
        const std::size_t equals = std::min(text.find('='), text.size());
        const std::string host = text.substr(0, equals);
        in_addr address;
        if (std::find(hosts.begin(), hosts.end(), host) == hosts.end())
        {
            throw UserError(fmt::format("--source {}: no host '{}' exports; {}",
                                        text,
                                        host,
                                        Suggest(host, hosts)));
        }
        sources[host] = text.substr(std::min(equals + 1, text.size()));
        if (inet_pton(AF_INET, sources[host].c_str(), &address) != 1)
        {
            throw UserError(fmt::format("--source {}: HOST=ADDRESS, as {}=192.0.2.11", text, host));
        }
    }
    return sources;
}

/// Of a host's first vmknic.
std::string
AddressOf(const Scenario& scenario, const std::string& name)
{
    const auto host = std::find_if(scenario.hosts.begin(),
                                   scenario.hosts.end(),
                                   [&name](const Host& other) { return other.name == name; });
    return ns3::EsxAddressKey(host->vmknics.at(0).address.address);
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
                               const std::string& console,
                               const std::vector<std::string>& sources)
    : m_pacer(rate),
      m_startNs(scenario.run.wallclockStart * 1'000'000'000)
{
    const std::vector<std::string> hosts = ExportingHosts(scenario, console);
    const std::map<std::string, std::string> own = ParseSources(sources, hosts);
    std::set<std::string> foreign;
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
        const uint32_t address = ntohl(Resolve(target.endpoint).sin_addr.s_addr);
        const bool isLoopback = address >> 24 == LOOPBACK;
        for (std::size_t i = 0; i < hosts.size(); ++i)
        {
            const auto of = own.find(hosts[i]);
            const auto source = static_cast<uint32_t>(FIRST_SOURCE + i);
            Sender& sender = m_senders[{hosts[i], name}];
            sender.source = of != own.end()    ? of->second
                            : isLoopback       ? ns3::EsxAddressKey(ns3::Ipv4Address(source))
                            : hosts.size() > 1 ? AddressOf(scenario, hosts[i])
                                               : "";
            sender.udp = std::make_unique<UdpSender>(target.endpoint, sender.source);
            const uint32_t from =
                sender.source.empty() ? 0 : ntohl(Resolve({sender.source, 0}).sin_addr.s_addr);
            sender.path = {from, address, ANY_PORT, target.endpoint.port};
            if (sender.udp->IsForeign())
            {
                foreign.insert(fmt::format("{} as {}", hosts[i], sender.source));
            }
        }
    }
    if (!foreign.empty())
    {
        m_doubt =
            fmt::format("{}: no addresses of this machine, so whether datagrams arrive cannot "
                        "be known here; their receiver needs a route back, or rp_filter 0",
                        fmt::join(foreign, ", "));
    }
}

const std::string&
RealCollectors::GetDoubt() const
{
    return m_doubt;
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
        const int64_t now = m_startNs + ns3::Simulator::Now().GetNanoSeconds();
        if (sender->second.udp->Send(payload.data(), payload.size()) && m_capture)
        {
            m_capture->Write(sender->second.path, now, payload.data(), payload.size());
        }
    }
}

void
RealCollectors::CaptureTo(const std::string& path)
{
    m_capture.emplace(path, UdpPath{}, OutputKind::STREAM);
}

void
RealCollectors::CloseCapture()
{
    m_capture->Close();
    m_capture.reset();
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
