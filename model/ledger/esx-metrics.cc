// SPDX-License-Identifier: GPL-2.0-only
#include "esx-metrics.h"

#include "model/console/esx-suggestion.h"
#include "model/ledger/esx-lab-metrics.h"
#include "model/vswitch/esx-vswitch-metrics.h"
#include "netflow/ledger.h"

#include "ns3/abort.h"
#include "ns3/esx-host.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <set>

namespace ns3
{

namespace
{

using netflow::Move;
using netflow::Place;

/// Moves of one kind are one metric with causes: "netflow.records.dropped" {purgatory_full,
/// evicted}.
std::string
GroupOf(Move move)
{
    const netflow::MoveInfo& info = netflow::GetInfo(move);
    const char* const together = netflow::GetInfo(info.to).moves;
    return together ? together : info.name;
}

/// A unit of the ledger and how to take it out of counts.
struct Unit
{
    const char* name;
    uint64_t netflow::Counts::*member;
};

const Unit UNITS[] = {{"packets", &netflow::Counts::packets},
                      {"octets", &netflow::Counts::octets},
                      {"records", &netflow::Counts::records}};

const std::string LEDGER_PREFIX = "netflow.";
const std::string COLLECTOR_PREFIX = "collector.";
const std::string LOST_RATIO = "collector.records.lost_ratio";
const std::string LOST_OCTETS_RATIO = "collector.octets.lost_ratio";
const std::string RESTARTS = "collector.sequence.restarts";
const std::string COMPLAINTS = "collector.complaints";
const std::string AMBIGUOUS = "netflow.interfaces.ambiguous";
const std::string RESIDUAL = "netflow.residual";
const std::string LOG_LINES = "vmkernel.log.lines";

/// Metrics that are read in a way of their own.
const std::string OTHERS[] =
    {AMBIGUOUS, RESIDUAL, LOST_RATIO, LOST_OCTETS_RATIO, RESTARTS, COMPLAINTS, LOG_LINES};

bool
IsLostRatio(const std::string& name)
{
    return name == LOST_RATIO || name == LOST_OCTETS_RATIO;
}

using CollectorReader = std::function<double(const EsxNetflowCollector&)>;

const std::vector<std::pair<std::string, CollectorReader>>&
CollectorMetrics()
{
    using Collector = const EsxNetflowCollector&;
    static const std::vector<std::pair<std::string, CollectorReader>> METRICS = {
        {"collector.datagrams.received", [](Collector c) { return c.GetTotals().datagrams; }},
        {"collector.datagrams.refused", [](Collector c) { return c.GetRefused(); }},
        {"collector.datagrams.buffer_drops", [](Collector c) { return c.GetBufferDrops(); }},
        {"collector.packets.received", [](Collector c) { return c.GetTotals().packets; }},
        {"collector.octets.received", [](Collector c) { return c.GetTotals().octets; }},
        {"collector.records.received", [](Collector c) { return c.GetTotals().records; }},
        {"collector.records.missing", [](Collector c) { return c.GetTotals().missing; }},
        {"collector.datagrams.late", [](Collector c) { return c.GetTotals().late; }},
        {"collector.datagrams.duplicate", [](Collector c) { return c.GetTotals().duplicates; }},
        {"collector.sequence.restarts_seen", [](Collector c) { return c.GetTotals().restarts; }},
        {"collector.records.wrapped", [](Collector c) { return c.GetTotals().wrapped; }},
        {"collector.clock.spread_ms", [](Collector c) { return c.GetClockSpread() / 1e6; }},
        {"collector.sequence.failures", [](Collector c) { return c.GetTotals().sequenceFailures; }},
        {"collector.interfaces", [](Collector c) { return c.GetInterfaces(); }},
    };
    return METRICS;
}

using HostReader = std::function<double(const EsxNetflow&)>;

/// High-water marks and levels of a host's module.
const std::vector<std::pair<std::string, HostReader>>&
MarkMetrics()
{
    static const std::vector<std::pair<std::string, HostReader>> METRICS = {
        {"netflow.cache.high_water", [](const EsxNetflow& m) { return m.GetCacheHighWater(); }},
        {"netflow.purgatory.high_water",
         [](const EsxNetflow& m) { return m.GetPurgatoryHighWater(); }},
        {"netflow.heap.used", [](const EsxNetflow& m) { return m.GetHeapUsed(); }},
        {"netflow.heap.high_water", [](const EsxNetflow& m) { return m.GetHeapHighWater(); }},
    };
    return METRICS;
}

/// The moves and the unit that a ledger metric sums; no moves if it is none.
std::vector<Move>
MovesOf(const EsxMetric& metric, const Unit*& unit)
{
    std::vector<Move> moves;
    for (const Unit& candidate : UNITS)
    {
        const std::string prefix = LEDGER_PREFIX + candidate.name + ".";
        if (metric.name.compare(0, prefix.size(), prefix) != 0)
        {
            continue;
        }
        unit = &candidate;
        const std::string group = metric.name.substr(prefix.size());
        for (unsigned i = 0; i < netflow::MOVES; ++i)
        {
            const Move move = static_cast<Move>(i);
            const bool wanted =
                metric.cause.empty() || metric.cause == netflow::GetInfo(move).cause;
            if (GroupOf(move) == group && wanted)
            {
                moves.push_back(move);
            }
        }
    }
    return moves;
}

EsxMetricSample
ReadLostRatio(const EsxLedger& ledger, const EsxMetric& metric)
{
    EsxMetricSample sample;
    sample.isRatio = true;
    for (const Ptr<EsxHost>& host : ledger.GetHosts())
    {
        if (!metric.host.empty() && host->GetName() != metric.host)
        {
            continue;
        }
        for (const EsxExportDatagram& datagram :
             ledger.GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId()))
        {
            const bool lost = netflow::GetInfo(datagram.fate).to == Place::LOST;
            const bool received = datagram.fate == Move::RECEIVED;
            bool counts = (lost || received) && metric.node.empty();
            for (const Ptr<EsxNetflowCollector>& collector : ledger.GetCollectors())
            {
                counts = counts || ((lost || received) && collector->GetNodeName() == metric.node &&
                                    collector->HasAddress(datagram.collector));
            }
            const uint64_t weight =
                metric.name == LOST_RATIO ? datagram.counts.records : datagram.counts.octets;
            sample.counter += counts && lost ? weight : 0;
            sample.base += counts ? weight : 0;
        }
    }
    return sample;
}

bool
IsVSwitchMetric(const std::string& name)
{
    const std::vector<std::string> names = EsxVSwitchMetricNames();
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool
IsNamed(const std::string& wanted, const std::string& name)
{
    return wanted.empty() || wanted == name;
}

/// Restarts of net-netflow that a collector can tell: of each engine's sessions that something was
/// received from, all but one. Datagrams of one engine arrive in sessions one after the other.
double
CountRestarts(const EsxLedger& ledger, const EsxNetflowCollector& collector)
{
    uint64_t restarts = 0;
    for (const Ptr<EsxHost>& host : ledger.GetHosts())
    {
        std::map<uint16_t, std::set<uint32_t>> sessions;
        for (const EsxExportDatagram& datagram :
             ledger.GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId()))
        {
            if (datagram.fate == Move::RECEIVED && collector.HasAddress(datagram.collector))
            {
                sessions[datagram.vSwitch].insert(datagram.session);
            }
        }
        for (const auto& [engine, received] : sessions)
        {
            restarts += received.size() - 1;
        }
    }
    return static_cast<double>(restarts);
}

/// Complaints of a collector that no restart explains. A failure that is missing counts, too:
/// then the prediction is wrong.
double
CountComplaints(const EsxLedger& ledger, const EsxNetflowCollector& collector)
{
    const auto failures = static_cast<double>(collector.GetTotals().sequenceFailures);
    return std::abs(failures - CountRestarts(ledger, collector)) +
           static_cast<double>(collector.GetRefused());
}

double
CountLogLines(const EsxHost& host, const std::string& text)
{
    const auto& lines = host.GetLog()->GetLines();
    return static_cast<double>(
        std::count_if(lines.begin(), lines.end(), [&text](const std::string& line) {
            return line.find(text) != std::string::npos;
        }));
}

/// Why a metric that is 0 for want of any traffic proves nothing; empty: it does.
std::string
WhyNothing(const EsxLedger& ledger, const EsxMetric& metric)
{
    bool offered = false;
    bool exported = false;
    for (const Ptr<EsxHost>& host : ledger.GetHosts())
    {
        offered = offered || ledger.GetMoved(Move::OFFERED, host->GetName()).packets > 0;
        exported = exported ||
                   (IsNamed(metric.host, host->GetName()) &&
                    !ledger.GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId()).empty());
    }
    if (metric.name == RESIDUAL && !offered)
    {
        return ledger.GetHosts().empty() ? "there is no host" : "no frame came to a meter";
    }
    if (metric.name == AMBIGUOUS && !exported)
    {
        return "nothing was exported";
    }
    bool silent = metric.name == COMPLAINTS;
    for (const Ptr<EsxNetflowCollector>& collector : ledger.GetCollectors())
    {
        if (metric.name == COMPLAINTS && IsNamed(metric.node, collector->GetNodeName()))
        {
            silent = false;
            if (collector->GetTotals().datagrams + collector->GetRefused() == 0)
            {
                return collector->GetNodeName() + " received nothing";
            }
        }
    }
    return silent ? "there is no collector" : "";
}

double
ReadOfHost(const EsxLedger& ledger, const EsxMetric& metric, const Ptr<EsxHost>& host)
{
    if (metric.name == AMBIGUOUS)
    {
        return static_cast<double>(
            ledger.GetTracker()->GetAmbiguousInterfaces(host->GetVmkernelNode()->GetId()));
    }
    return EsxReadHostMetric(host, metric).value_or(0);
}

double
ReadOfCollector(const EsxLedger& ledger,
                const EsxMetric& metric,
                const EsxNetflowCollector& collector)
{
    return metric.name == RESTARTS     ? CountRestarts(ledger, collector)
           : metric.name == COMPLAINTS ? CountComplaints(ledger, collector)
                                       : 0;
}

/// Those of OTHERS that are no ratio: 0 for any other name.
EsxMetricSample
ReadOther(const EsxLedger& ledger, const EsxMetric& metric)
{
    EsxMetricSample sample;
    sample.nothing = WhyNothing(ledger, metric);
    for (const Ptr<EsxHost>& host : ledger.GetHosts())
    {
        sample.counter +=
            IsNamed(metric.host, host->GetName()) ? ReadOfHost(ledger, metric, host) : 0;
    }
    for (const Ptr<EsxNetflowCollector>& collector : ledger.GetCollectors())
    {
        sample.counter += IsNamed(metric.node, collector->GetNodeName())
                              ? ReadOfCollector(ledger, metric, *collector)
                              : 0;
    }
    if (metric.name == RESIDUAL)
    {
        const netflow::Counts residual = ledger.GetResidual();
        sample.counter = static_cast<double>(residual.packets + residual.octets + residual.records);
        sample.isMark = true;
    }
    return sample;
}

} // namespace

std::vector<std::string>
EsxMetricNames()
{
    std::vector<std::string> names;
    for (const Unit& unit : UNITS)
    {
        for (unsigned i = 0; i < netflow::MOVES; ++i)
        {
            const std::string name =
                LEDGER_PREFIX + unit.name + "." + GroupOf(static_cast<Move>(i));
            if (std::find(names.begin(), names.end(), name) == names.end())
            {
                names.push_back(name);
            }
        }
    }
    for (const auto& [name, read] : MarkMetrics())
    {
        names.push_back(name);
    }
    for (const std::string& name : EsxVSwitchMetricNames())
    {
        names.push_back(name);
    }
    for (const auto& [name, read] : CollectorMetrics())
    {
        names.push_back(name);
    }
    const std::vector<std::string> ofLab = EsxLabMetricNames();
    names.insert(names.end(), ofLab.begin(), ofLab.end());
    names.insert(names.end(), std::begin(OTHERS), std::end(OTHERS));
    return names;
}

std::vector<std::string>
EsxMetricCauses(const std::string& name)
{
    std::vector<std::string> causes = EsxVSwitchMetricCauses(name);
    const Unit* unit = nullptr;
    for (Move move : MovesOf({name, "", "", "", ""}, unit))
    {
        const std::string cause = netflow::GetInfo(move).cause;
        if (!cause.empty() && std::find(causes.begin(), causes.end(), cause) == causes.end())
        {
            causes.push_back(cause);
        }
    }
    return causes;
}

std::string
EsxCheckMetric(const EsxMetric& metric)
{
    const std::vector<std::string> names = EsxMetricNames();
    if (std::find(names.begin(), names.end(), metric.name) == names.end())
    {
        return "unknown metric '" + metric.name + "'; " + EsxSuggest(metric.name, names);
    }
    const bool ofCollector = metric.name.compare(0, COLLECTOR_PREFIX.size(), COLLECTOR_PREFIX) == 0;
    const Unit* unit = nullptr;
    std::string useless = EsxCheckLabMetric(metric);
    if (!metric.node.empty() && !ofCollector)
    {
        useless = "node";
    }
    else if (!metric.host.empty() &&
             (metric.name == RESIDUAL || (ofCollector && !IsLostRatio(metric.name))))
    {
        useless = "host"; // the residual is one number for all
    }
    else if (!metric.text.empty() && metric.name != LOG_LINES)
    {
        useless = "text";
    }
    else if (!metric.vSwitch.empty() && !IsVSwitchMetric(metric.name) &&
             MovesOf({metric.name, "", "", "", ""}, unit).empty())
    {
        useless = "vSwitch";
    }
    if (!useless.empty())
    {
        return metric.name + " cannot be selected by " + useless;
    }
    const std::vector<std::string> causes = EsxMetricCauses(metric.name);
    if (metric.cause.empty() ||
        std::find(causes.begin(), causes.end(), metric.cause) != causes.end())
    {
        return "";
    }
    std::string allowed;
    for (const std::string& cause : causes)
    {
        allowed += (allowed.empty() ? "" : ", ") + cause;
    }
    return metric.name + (causes.empty()
                              ? " has no causes"
                              : " has no cause '" + metric.cause + "'; allowed: " + allowed);
}

std::string
EsxCheckMetric(const EsxLedger& ledger, const EsxMetric& metric)
{
    std::string error = EsxCheckMetric(metric);
    if (!error.empty())
    {
        return error;
    }
    std::vector<std::string> hosts;
    std::vector<std::string> vSwitches;
    std::vector<std::string> nodes;
    for (const Ptr<EsxHost>& known : ledger.GetHosts())
    {
        hosts.push_back(known->GetName());
        const std::vector<std::string> made = EsxVSwitchesMade(*known);
        if (IsNamed(metric.host, known->GetName()))
        {
            vSwitches.insert(vSwitches.end(), made.begin(), made.end());
        }
    }
    for (const Ptr<EsxNetflowCollector>& known : ledger.GetCollectors())
    {
        nodes.push_back(known->GetNodeName());
    }
    const auto isMissing = [](const std::string& name, const std::vector<std::string>& known) {
        return !name.empty() && std::find(known.begin(), known.end(), name) == known.end();
    };
    if (isMissing(metric.host, hosts))
    {
        return "there is no host " + metric.host + " with NetFlow; " +
               EsxSuggest(metric.host, hosts);
    }
    if (isMissing(metric.vSwitch, vSwitches))
    {
        return "there is no vSwitch " + metric.vSwitch + "; " +
               EsxSuggest(metric.vSwitch, vSwitches);
    }
    return isMissing(metric.node, nodes)
               ? "there is no collector on " + metric.node + "; " + EsxSuggest(metric.node, nodes)
               : EsxFindLabMetric(ledger, metric);
}

std::optional<double>
EsxReadHostMetric(const Ptr<EsxHost>& host, const EsxMetric& metric)
{
    const bool ofPorts = IsVSwitchMetric(metric.name);
    if (!ofPorts && metric.name != LOG_LINES)
    {
        return std::nullopt;
    }
    if (const EsxNetflowReplay* replay = host->GetObject<EsxNetflow>()->GetReplay())
    {
        return replay->metrics(EsxHostMetricKey(metric));
    }
    return ofPorts ? EsxReadVSwitchMetric(*host, metric.name, metric.cause, metric.vSwitch)
                   : CountLogLines(*host, metric.text);
}

std::string
EsxHostMetricKey(const EsxMetric& metric)
{
    return metric.name + '\n' + metric.cause + '\n' + metric.vSwitch + '\n' + metric.text;
}

EsxMetricSample
EsxReadMetric(const EsxLedger& ledger, const EsxMetric& metric)
{
    const std::string error = EsxCheckMetric(ledger, metric);
    NS_ABORT_MSG_UNLESS(error.empty(), error);
    if (IsLostRatio(metric.name))
    {
        return ReadLostRatio(ledger, metric);
    }
    EsxMetricSample sample = ReadOther(ledger, metric);
    if (EsxReadLabMetric(ledger, metric, sample))
    {
        return sample;
    }
    for (const auto& [name, read] : CollectorMetrics())
    {
        for (const Ptr<EsxNetflowCollector>& collector : ledger.GetCollectors())
        {
            if (name == metric.name && IsNamed(metric.node, collector->GetNodeName()))
            {
                sample.counter += read(*collector);
            }
        }
    }
    for (const auto& [name, read] : MarkMetrics())
    {
        sample.isMark = sample.isMark || name == metric.name;
        for (const Ptr<EsxHost>& host : ledger.GetHosts())
        {
            if (name == metric.name && IsNamed(metric.host, host->GetName()))
            {
                sample.counter = std::max(sample.counter, read(*host->GetObject<EsxNetflow>()));
            }
        }
    }
    const Unit* unit = nullptr;
    for (Move move : MovesOf(metric, unit))
    {
        const netflow::Counts counts = ledger.GetMoved(move, metric.host, metric.vSwitch);
        sample.counter += static_cast<double>(counts.*(unit->member));
    }
    return sample;
}

} // namespace ns3
