// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-summary.h"

#include "netflow/ledger.h"

#include "ns3/esx-json.h"
#include "ns3/esx-lab.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-table.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace ns3
{

namespace
{

using netflow::Move;

/**
 * Sums of each source over its flows, each where the octets of a VM or vmknic count. A
 * packet crosses every vSwitch on its way, some of them twice, and each one meters it: the sum over
 * vSwitches would count it several times. An address counts at its own port; if nothing of it was
 * seen there, as that vSwitch is not monitored, it counts wherever it was seen.
 */
class Talkers
{
  public:
    explicit Talkers(const Ptr<EsxLedger>& ledger)
        : m_names(EsxNamesOfAddresses())
    {
        for (const Ptr<EsxHost>& host : ledger->GetHosts())
        {
            m_hosts[host->GetName()] = host;
            for (const EsxLabNic& nic : EsxNicsOf(host))
            {
                if (nic.address)
                {
                    m_homes.insert(
                        {nic.address->GetLocal(), host->GetName(), nic.vSwitch, nic.port});
                }
            }
        }
    }

    void Add(const EsxFlow& flow)
    {
        const netflow::FlowKey& key = flow.key;
        if (!m_latest || key.source != m_latestKey.source || key.input != m_latestKey.input ||
            key.vSwitch != m_latestKey.vSwitch || flow.exporter != m_latest->exporter)
        {
            m_latest = &Find(flow);
            m_latestKey = key;
        }
        m_latest->truth += flow.truth;
        m_latest->collected += flow.collected;
        for (const auto& [state, counts] : flow.left)
        {
            m_latest->left += counts;
        }
    }

    /// Those that sent most; of equals, in order of names.
    std::vector<EsxTalker> GetTop(std::size_t most) const
    {
        std::vector<EsxTalker> talkers;
        for (const auto& [place, talker] : m_talkers)
        {
            if (std::get<bool>(place) || m_seenAtHome.count(talker.source) == 0)
            {
                talkers.push_back(talker);
            }
        }
        std::stable_sort(talkers.begin(), talkers.end(), [](const auto& a, const auto& b) {
            return a.truth.octets > b.truth.octets;
        });
        talkers.resize(std::min(talkers.size(), most));
        return talkers;
    }

  private:
    EsxTalker& Find(const EsxFlow& flow)
    {
        const Ipv4Address source(flow.key.source);
        const Ptr<EsxVSwitch> vSwitch = m_hosts.at(flow.exporter)->GetVSwitchById(flow.key.vSwitch);
        const std::string port = vSwitch->GetPortName(flow.key.input);
        const bool isHome = m_homes.count({source, flow.exporter, flow.vSwitch, port}) != 0;
        if (isHome)
        {
            m_seenAtHome.insert(source);
        }
        EsxTalker& talker = m_talkers[{flow.exporter, flow.vSwitch, source, isHome}];
        const auto name = m_names.find(source);
        talker.exporter = flow.exporter;
        talker.vSwitch = flow.vSwitch;
        talker.source = source;
        talker.name = name == m_names.end() ? "" : name->second;
        return talker;
    }

    std::map<Ipv4Address, std::string> m_names;
    std::map<std::string, Ptr<EsxHost>> m_hosts;
    /// Address, and names of exporter, vSwitch and port.
    std::set<std::tuple<Ipv4Address, std::string, std::string, std::string>> m_homes;
    std::set<Ipv4Address> m_seenAtHome;
    /// By exporter, vSwitch, source, and whether it was seen at its own port there.
    std::map<std::tuple<std::string, std::string, Ipv4Address, bool>, EsxTalker> m_talkers;
    EsxTalker* m_latest{nullptr}; //!< flows of one source come together
    netflow::FlowKey m_latestKey; //!< a key of its flows
};

constexpr std::size_t TOP_TALKERS = 5;

bool
IsZero(const netflow::Counts& counts)
{
    return counts.packets == 0 && counts.octets == 0 && counts.records == 0;
}

void
AddUnlessZero(EsxCountsByName& sums, const std::string& name, const netflow::Counts& counts)
{
    if (!IsZero(counts))
    {
        sums[name] += counts;
    }
}

/// Totals from the ledger's moves: flows tell the same story in the tables, and the oracle compares
/// both.
void
AddAccount(EsxSummary& summary, const netflow::Account& account)
{
    for (unsigned i = 0; i < netflow::MOVES; ++i)
    {
        const auto move = static_cast<Move>(i);
        const netflow::MoveInfo& info = netflow::GetInfo(move);
        const netflow::Counts counts = account.Get(move);
        if (info.to == netflow::Place::IGNORED)
        {
            AddUnlessZero(summary.ignored, info.cause, counts);
        }
        else if (netflow::IsLoss(info.to))
        {
            AddUnlessZero(summary.lost, info.cause, counts);
        }
        summary.truth += info.to == netflow::Place::SHED ? counts : netflow::Counts();
    }
    summary.truth += account.Get(Move::METERED);
    summary.collected += account.Get(Move::RECEIVED);
    for (const Move station : {Move::METERED, Move::QUEUED, Move::SENT})
    {
        const netflow::Place place = netflow::GetInfo(station).to;
        AddUnlessZero(summary.left, netflow::GetFate(station), account.GetBalance(place));
    }
}

EsxHostSummary
SummarizeHost(const Ptr<EsxHost>& host)
{
    const auto module = host->GetObject<EsxNetflow>();
    EsxHostSummary summary;
    summary.name = host->GetName();
    summary.edition = host->GetEdition() == EsxHost::ESX3I ? "esx3i" : "esx35";
    summary.isUnstable = host->GetState() != EsxHost::RUNNING;
    summary.hasHalted = host->GetState() == EsxHost::HALTED;
    summary.cacheHighWater = module->GetCacheHighWater();
    summary.purgatoryHighWater = module->GetPurgatoryHighWater();
    summary.heapHighWater = module->GetHeapHighWater();
    for (const auto& [id, account] : module->GetLedger().GetAccounts())
    {
        EsxVSwitchSummary vSwitch{host->GetVSwitchById(id)->GetName(), id, {}};
        for (unsigned i = 0; i < netflow::MOVES; ++i)
        {
            const netflow::Counts counts = account.Get(static_cast<Move>(i));
            if (!IsZero(counts))
            {
                vSwitch.moves.emplace_back(netflow::GetInfo(static_cast<Move>(i)).name, counts);
            }
        }
        summary.vSwitches.push_back(std::move(vSwitch));
    }
    return summary;
}

EsxCollectorSummary
SummarizeCollector(const EsxNetflowCollector& collector)
{
    const auto totals = collector.GetTotals();
    EsxCollectorSummary summary;
    summary.node = EsxNodeName(collector.GetNode());
    summary.received = {totals.packets, totals.octets, totals.records};
    summary.datagrams = totals.datagrams;
    summary.sequenceFailures = totals.sequenceFailures;
    summary.missing = totals.missing;
    summary.late = totals.late;
    summary.duplicates = totals.duplicates;
    summary.restarts = totals.restarts;
    summary.refused = collector.GetRefused();
    summary.bufferDrops = collector.GetBufferDrops();
    return summary;
}

void
AddCounts(EsxJson& json, const std::string& name, const netflow::Counts& counts)
{
    json.Key(name).BeginObject().Number("packets", counts.packets);
    json.Number("octets", counts.octets).Number("records", counts.records).EndObject();
}

template <typename Named>
void
AddByName(EsxJson& json, const std::string& key, const Named& all)
{
    json.Key(key).BeginObject();
    for (const auto& [name, counts] : all)
    {
        AddCounts(json, name, counts);
    }
    json.EndObject();
}

void
Add(EsxJson& json, const EsxTalker& talker)
{
    json.BeginObject().Text("exporter", talker.exporter).Text("vswitch", talker.vSwitch);
    json.Text("src", EsxDotted(talker.source)).Text("name", talker.name);
    AddCounts(json, "truth", talker.truth);
    AddCounts(json, "collected", talker.collected);
    AddCounts(json, "left", talker.left);
    json.EndObject();
}

void
Add(EsxJson& json, const EsxHostSummary& host)
{
    json.BeginObject().Text("name", host.name).Text("edition", host.edition);
    json.Bool("unstable", host.isUnstable).Bool("halted", host.hasHalted);
    json.Number("cache_high_water", host.cacheHighWater);
    json.Number("purgatory_high_water", host.purgatoryHighWater);
    json.Number("heap_high_water", host.heapHighWater).Key("vswitches").BeginArray();
    for (const EsxVSwitchSummary& vSwitch : host.vSwitches)
    {
        json.BeginObject().Text("name", vSwitch.name).Number("engine", vSwitch.engine);
        AddByName(json, "moves", vSwitch.moves);
        json.EndObject();
    }
    json.EndArray().EndObject();
}

void
Add(EsxJson& json, const EsxCollectorSummary& collector)
{
    json.BeginObject().Text("node", collector.node);
    AddCounts(json, "received", collector.received);
    json.Number("datagrams", collector.datagrams);
    json.Number("sequence_failures", collector.sequenceFailures);
    json.Number("records_missing", collector.missing);
    json.Number("datagrams_late", collector.late);
    json.Number("datagrams_duplicate", collector.duplicates);
    json.Number("restarts", collector.restarts);
    json.Number("datagrams_refused", collector.refused);
    json.Number("buffer_drops", collector.bufferDrops).EndObject();
}

/// In the words of a scenario.
void
AddBound(EsxJson& json, const EsxExpectation& expectation)
{
    const double low = expectation.atLeast;
    const double high = expectation.atMost;
    json.Key("bound").BeginObject();
    if (std::isinf(high))
    {
        json.Key("at_least").Number(low);
    }
    else if (std::isinf(low))
    {
        json.Key("at_most").Number(high);
    }
    else if (low == high)
    {
        json.Key("equals").Number(low);
    }
    else
    {
        json.Key("between").BeginArray().Number(low).Number(high).EndArray();
    }
    json.EndObject();
}

template <typename Item>
void
AddAll(EsxJson& json, const char* key, const std::vector<Item>& items)
{
    json.Key(key).BeginArray();
    for (const Item& item : items)
    {
        Add(json, item);
    }
    json.EndArray();
}

} // namespace

const std::vector<EsxTotal>&
EsxTotals()
{
    using S = EsxSummary;
    static const std::vector<EsxTotal> TOTALS{
        {"flows", "flow", "seen", "", "flows seen", [](const S& s) { return s.flows; }},
        {"flows_never_begun",
         "flow",
         "never begun",
         "no memory or no room in the cache for a record",
         "of these never begun, for want of memory",
         [](const S& s) { return s.flowsNeverBegun; }},
        {"datagrams", "datagram", "exported", "", "", [](const S& s) { return s.datagrams; }},
    };
    return TOTALS;
}

std::vector<std::string>
EsxSummary::GetExporters() const
{
    std::vector<std::string> names;
    for (const EsxHostSummary& host : hosts)
    {
        const auto saw = [](const EsxVSwitchSummary& vSwitch) {
            return std::any_of(vSwitch.moves.begin(), vSwitch.moves.end(), [](const auto& move) {
                return move.first.rfind("ignored_", 0) != 0 && move.first != "offered";
            });
        };
        if (std::any_of(host.vSwitches.begin(), host.vSwitches.end(), saw))
        {
            names.push_back(host.name);
        }
    }
    return names;
}

bool
EsxSummary::Balances() const
{
    return IsZero(residual);
}

void
EsxSummary::AddTo(EsxJson& json) const
{
    json.Key("ledger").BeginObject();
    AddCounts(json, "truth", truth);
    AddCounts(json, "exported", exported);
    AddCounts(json, "collected", collected);
    AddByName(json, "ignored", ignored);
    AddByName(json, "lost", lost);
    AddByName(json, "left", left);
    json.EndObject();
    AddCounts(json, "residual", residual);
    json.Key("exporters").BeginArray();
    for (const std::string& exporter : GetExporters())
    {
        json.Text(exporter);
    }
    json.EndArray();
    for (const EsxTotal& total : EsxTotals())
    {
        json.Number(total.key, total.get(*this));
    }
    AddAll(json, "top_talkers", talkers);
    AddAll(json, "hosts", hosts);
    AddAll(json, "collectors", collectors);
}

void
EsxAddVerdicts(EsxJson& json, const std::vector<EsxVerdict>& verdicts)
{
    json.Key("expectations").BeginArray();
    for (const EsxVerdict& verdict : verdicts)
    {
        json.BeginObject().Text("name", verdict.expectation.name);
        json.Key("measured").Number(verdict.measured);
        AddBound(json, verdict.expectation);
        json.Bool("pass", verdict.pass);
        if (!verdict.why.empty())
        {
            json.Text("why", verdict.why);
        }
        json.EndObject();
    }
    json.EndArray();
}

EsxSummary
EsxSummarize(const Ptr<EsxLedger>& ledger)
{
    EsxSummary summary;
    for (const Ptr<EsxHost>& host : ledger->GetHosts())
    {
        AddAccount(summary, host->GetObject<EsxNetflow>()->GetLedger().GetTotal());
        summary.hosts.push_back(SummarizeHost(host));
        for (const EsxExportDatagram& datagram :
             ledger->GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId()))
        {
            if (!datagram.exportedAt.IsStrictlyNegative())
            {
                ++summary.datagrams;
                summary.exported += datagram.counts;
            }
        }
    }
    for (const Ptr<EsxNetflowCollector>& collector : ledger->GetCollectors())
    {
        summary.collectors.push_back(SummarizeCollector(*collector));
    }
    Talkers talkers(ledger);
    ledger->ForEachFlow([&](const EsxFlow& flow) {
        ++summary.flows;
        summary.flowsNeverBegun += flow.truth.records == 0 ? 1 : 0;
        talkers.Add(flow);
    });
    summary.talkers = talkers.GetTop(TOP_TALKERS);
    summary.residual = ledger->GetResidual();
    return summary;
}

} // namespace ns3
