// SPDX-License-Identifier: GPL-2.0-only
#include "model/ledger/esx-lab-metrics.h"

#include "ns3/esx-ethernet-net-device.h"
#include "ns3/esx-host-memory.h"
#include "ns3/esx-host.h"
#include "ns3/simulator.h"

#include <algorithm>

namespace ns3
{

namespace
{

struct FlowUnit
{
    const char* name;
    uint64_t netflow::Counts::*member;
};

const FlowUnit FLOW_UNITS[] = {{"packets", &netflow::Counts::packets},
                               {"octets", &netflow::Counts::octets},
                               {"records", &netflow::Counts::records}};

netflow::Counts
SumOf(const std::map<std::string, netflow::Counts>& parts)
{
    netflow::Counts sum;
    for (const auto& [cause, counts] : parts)
    {
        sum += counts;
    }
    return sum;
}

/// A metric of flows: the part after the unit, and how a flow's counts give it.
struct FlowPart
{
    const char* name;
    netflow::Counts (*read)(const EsxFlow& flow);
};

const FlowPart FLOW_PARTS[] = {{"metered", [](const EsxFlow& f) { return f.truth; }},
                               {"collected", [](const EsxFlow& f) { return f.collected; }},
                               {"lost", [](const EsxFlow& f) { return SumOf(f.losses); }},
                               {"left", [](const EsxFlow& f) { return SumOf(f.left); }}};

/// A metric of one end of a link.
struct LinkPart
{
    const char* name;
    double (*read)(const EsxEthernetNetDevice& end);
    bool isMark; //!< of several ends the highest; else their sum
};

const LinkPart LINK_PARTS[] = {
    {"link.frames.sent", [](const auto& e) { return double(e.GetSentFrames()); }, false},
    {"link.octets.sent", [](const auto& e) { return double(e.GetSentOctets()); }, false},
    {"link.frames.dropped", [](const auto& e) { return double(e.GetDropped()); }, false},
    {"link.use", [](const auto& e) { return e.GetBusyTime().GetSeconds(); }, false},
    {"link.queue.high_water", [](const auto& e) { return double(e.GetQueueHighWater()); }, true}};

const char* const LINK_USE = "link.use"; // a ratio: of the time that has passed

/// A metric of a host's memory, the value of the moment.
struct MemoryPart
{
    const char* name;
    double (*read)(const EsxHostMemory& memory);
};

const MemoryPart MEMORY_PARTS[] = {
    {"memory.free_percent", [](const auto& m) { return m.GetFreePercent(); }},
    {"memory.state", [](const auto& m) { return double(m.GetState()); }},
    {"memory.ballooned", [](const auto& m) { return double(m.GetBallooned()); }},
    {"memory.swapped", [](const auto& m) { return double(m.GetSwapped()); }}};

bool
StartsWith(const std::string& name, const char* prefix)
{
    return name.rfind(prefix, 0) == 0;
}

template <typename Parts>
auto
Find(const Parts& parts, const std::string& name) -> decltype(std::begin(parts))
{
    const auto found = std::find_if(std::begin(parts), std::end(parts), [&](const auto& p) {
        return name == p.name;
    });
    return found == std::end(parts) ? nullptr : found;
}

bool
HasAddress(const std::vector<Ipv4Address>& wanted, Ipv4Address address)
{
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), address) != wanted.end();
}

bool
Selects(const EsxFlowSelection& selection, const netflow::FlowKey& key)
{
    const Ipv4Address source(key.source);
    const Ipv4Address destination(key.destination);
    const auto isPort = [](uint16_t wanted, uint16_t port) {
        return wanted == 0 || wanted == port;
    };
    const auto goes = [&](const auto& from, uint16_t fromPort, const auto& to, uint16_t toPort) {
        return HasAddress(from, source) && HasAddress(to, destination) &&
               isPort(fromPort, key.sourcePort) && isPort(toPort, key.destinationPort);
    };
    return goes(selection.from, selection.fromPort, selection.to, selection.toPort) ||
           (selection.bothWays &&
            goes(selection.to, selection.toPort, selection.from, selection.fromPort));
}

void
ReadFlows(const EsxLedger& ledger, const EsxMetric& metric, EsxMetricSample& sample)
{
    const std::size_t dot = metric.name.find('.', 5);
    const std::string part = metric.name.substr(dot + 1);
    const auto member = Find(FLOW_UNITS, metric.name.substr(5, dot - 5))->member;
    sample.isRatio = part == "collected_ratio";
    const FlowPart& counter = *Find(FLOW_PARTS, sample.isRatio ? "collected" : part);
    sample.nothing = "no such flow was metered";
    ledger.ForEachFlow([&](const EsxFlow& flow) {
        if ((metric.host.empty() || flow.exporter == metric.host) &&
            Selects(metric.flows, flow.key))
        {
            sample.counter += double(counter.read(flow).*member);
            sample.base += double(flow.truth.*member);
            sample.nothing.clear();
        }
    });
}

std::vector<Ptr<EsxEthernetNetDevice>>
EndsOf(const EsxLedger& ledger, const EsxMetric& metric)
{
    std::vector<Ptr<EsxEthernetNetDevice>> ends;
    for (const EsxLinkEnd& end : ledger.GetLinkEnds())
    {
        if ((metric.link.empty() || end.link == metric.link) &&
            (metric.from.empty() || end.node == metric.from))
        {
            ends.push_back(end.device);
        }
    }
    return ends;
}

} // namespace

std::vector<std::string>
EsxLabMetricNames()
{
    std::vector<std::string> names;
    for (const FlowUnit& unit : FLOW_UNITS)
    {
        const std::string prefix = std::string("flow.") + unit.name + ".";
        for (const FlowPart& part : FLOW_PARTS)
        {
            names.push_back(prefix + part.name);
        }
        names.push_back(prefix + "collected_ratio");
    }
    for (const LinkPart& part : LINK_PARTS)
    {
        names.emplace_back(part.name);
    }
    for (const MemoryPart& part : MEMORY_PARTS)
    {
        names.emplace_back(part.name);
    }
    return names;
}

std::string
EsxCheckLabMetric(const EsxMetric& metric)
{
    const bool ofFlow = StartsWith(metric.name, "flow.");
    const bool ofLink = StartsWith(metric.name, "link.");
    const bool ofMemory = StartsWith(metric.name, "memory.");
    return !ofFlow && !metric.flows.IsAll()                            ? "flow"
           : !ofLink && !metric.link.empty()                           ? "link"
           : !ofLink && !metric.from.empty()                           ? "from"
           : ofLink && !metric.host.empty()                            ? "host"
           : (ofFlow || ofLink || ofMemory) && !metric.vSwitch.empty() ? "vSwitch"
                                                                       : "";
}

std::string
EsxFindLabMetric(const EsxLedger& ledger, const EsxMetric& metric)
{
    if (Find(LINK_PARTS, metric.name) && EndsOf(ledger, metric).empty())
    {
        return "there is no full-duplex link" + (metric.link.empty() ? "" : " " + metric.link) +
               (metric.from.empty() ? "" : " with an end at " + metric.from);
    }
    const auto lacksMemory = [&](const Ptr<EsxHost>& host) {
        return (metric.host.empty() || host->GetName() == metric.host) &&
               !host->GetObject<EsxHostMemory>();
    };
    const auto& hosts = ledger.GetHosts();
    const auto lacks = std::find_if(hosts.begin(), hosts.end(), lacksMemory);
    return Find(MEMORY_PARTS, metric.name) && lacks != hosts.end()
               ? "the memory of " + (*lacks)->GetName() + " is not modelled"
               : "";
}

bool
EsxReadLabMetric(const EsxLedger& ledger, const EsxMetric& metric, EsxMetricSample& sample)
{
    if (StartsWith(metric.name, "flow."))
    {
        ReadFlows(ledger, metric, sample);
        return true;
    }
    if (const LinkPart* part = Find(LINK_PARTS, metric.name))
    {
        sample.isMark = part->isMark;
        sample.isRatio = metric.name == LINK_USE;
        for (const auto& end : EndsOf(ledger, metric))
        {
            const double value = part->read(*end);
            sample.counter =
                part->isMark ? std::max(sample.counter, value) : sample.counter + value;
            sample.base += Simulator::Now().GetSeconds();
        }
        return true;
    }
    const MemoryPart* part = Find(MEMORY_PARTS, metric.name);
    sample.isMark = sample.isMark || part;
    for (const Ptr<EsxHost>& host : ledger.GetHosts())
    {
        if (part && (metric.host.empty() || host->GetName() == metric.host))
        {
            sample.counter += part->read(*host->GetObject<EsxHostMemory>());
        }
    }
    return part;
}

} // namespace ns3
