// SPDX-License-Identifier: GPL-2.0-only
#include "esx-ledger.h"

#include "model/ledger/esx-ledger-laws.h"

#include "ns3/channel.h"
#include "ns3/esx-ethernet-net-device.h"
#include "ns3/esx-host.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-table.h"
#include "ns3/log.h"
#include "ns3/names.h"
#include "ns3/node-list.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxLedger");
NS_OBJECT_ENSURE_REGISTERED(EsxLedger);

namespace
{

using netflow::Move;
using netflow::Place;

netflow::Counts
CountsOf(const netflow::FlowRecord& record)
{
    return {record.packets, record.octets, 1};
}

/// Of two's complement differences: a place overdrawn by one is at distance one from empty.
uint64_t
Distance(uint64_t a, uint64_t b)
{
    return std::min(a - b, b - a);
}

Ptr<EsxNetflow>
ModuleOf(const Ptr<EsxHost>& host)
{
    return host->GetObject<EsxNetflow>();
}

EsxLedger* g_installed = nullptr; //!< that of the simulation; two would book everything twice

const Place TRANSITS[] = {Place::METER, Place::EXPIRED, Place::STAGING, Place::SOCKET};

/// Whether what made this move stays where it led: nothing leads on from there.
bool
IsFinal(Move move)
{
    const Place to = netflow::GetInfo(move).to;
    return netflow::IsLoss(to) || to == Place::COLLECTED;
}

/// Adds packets to the truth of their flow.
void
AddTruth(EsxFlow& flow,
         const netflow::Counts& counts,
         int64_t first,
         int64_t last,
         uint8_t tcpFlags)
{
    flow.firstNs = flow.truth.packets == 0 ? first : std::min(flow.firstNs, first);
    flow.lastNs = std::max(flow.lastNs, last);
    flow.tcpFlags |= tcpFlags;
    flow.truth += counts;
}

/// Adds a record to its flow, at the place where its station put it.
void
AddRecord(EsxFlow& flow, const netflow::FlowRecord& record, Move station)
{
    const netflow::Counts counts = CountsOf(record);
    if (flow.truth.records == 0)
    {
        flow.output = record.output;
    }
    AddTruth(flow, counts, record.first, record.last, record.tcpFlags);
    const Place place = netflow::GetInfo(station).to;
    if (place == Place::COLLECTED)
    {
        flow.collected += counts;
    }
    else
    {
        (netflow::IsLoss(place) ? flow.losses : flow.left)[netflow::GetFate(station)] += counts;
    }
}

/// \return the station of an ended record: that of the datagram that carries it, if one does
Move
StationOf(const netflow::JournalEntry& entry, const std::vector<EsxExportDatagram>& datagrams)
{
    return entry.datagram == netflow::JournalEntry::NO_DATAGRAM ? entry.last
                                                                : datagrams[entry.datagram].fate;
}

/// Reads a host's records and shed packets flow by flow.
class FlowReader
{
  public:
    FlowReader(const Ptr<EsxHost>& host, const std::vector<EsxExportDatagram>& datagrams)
        : m_host(host),
          m_datagrams(datagrams),
          m_journal(ModuleOf(host)->GetJournal()),
          m_ended(m_journal.GetPlacesByFlow().begin()),
          m_shed(m_journal.GetShed().begin())
    {
        ModuleOf(host)->ForEachLive(
            [&](const netflow::FlowRecord& record) { m_live.push_back(record); });
        std::stable_sort(m_live.begin(),
                         m_live.end(),
                         [](const netflow::FlowRecord& a, const netflow::FlowRecord& b) {
                             return a.key < b.key;
                         });
        m_flow.exporter = host->GetName();
    }

    /// \return the next flow by key; null: none is left
    const EsxFlow* Next()
    {
        const netflow::FlowKey* const least = FindLeast();
        if (!least)
        {
            return nullptr;
        }
        Begin(*least);
        const netflow::FlowKey& key = m_flow.key;
        for (; HasEnded() && Ended().record.key == key; ++m_ended)
        {
            AddRecord(m_flow, Ended().record, StationOf(Ended(), m_datagrams));
        }
        for (; m_nextLive < m_live.size() && m_live[m_nextLive].key == key; ++m_nextLive)
        {
            AddRecord(m_flow, m_live[m_nextLive], Move::METERED);
        }
        for (; HasShed() && m_shed->first.first == key; ++m_shed)
        {
            const auto& [flowAndCause, shed] = *m_shed;
            AddTruth(m_flow, shed.counts, shed.first, shed.last, shed.tcpFlags);
            m_flow.losses[netflow::GetFate(flowAndCause.second)] += shed.counts;
        }
        return &m_flow;
    }

  private:
    bool HasEnded() const
    {
        return m_ended != m_journal.GetPlacesByFlow().end();
    }

    const netflow::JournalEntry& Ended() const
    {
        return m_journal.GetEntries()[*m_ended];
    }

    bool HasShed() const
    {
        return m_shed != m_journal.GetShed().end();
    }

    const netflow::FlowKey* FindLeast() const
    {
        const netflow::FlowKey* least = HasEnded() ? &Ended().record.key : nullptr;
        const auto take = [&least](const netflow::FlowKey& key) {
            least = least && *least < key ? least : &key;
        };
        if (m_nextLive < m_live.size())
        {
            take(m_live[m_nextLive].key);
        }
        if (HasShed())
        {
            take(m_shed->first.first);
        }
        return least;
    }

    void Begin(const netflow::FlowKey& key)
    {
        EsxFlow flow; // nothing is left of the one before
        flow.exporter = std::move(m_flow.exporter);
        const bool isThere = !m_flow.vSwitch.empty() && m_flow.key.vSwitch == key.vSwitch;
        flow.vSwitch =
            isThere ? std::move(m_flow.vSwitch) : m_host->GetVSwitchById(key.vSwitch)->GetName();
        flow.key = key;
        m_flow = std::move(flow);
    }

    const Ptr<EsxHost>& m_host;
    const std::vector<EsxExportDatagram>& m_datagrams;
    const netflow::Journal& m_journal;
    std::vector<uint32_t>::const_iterator m_ended;
    std::vector<netflow::FlowRecord> m_live;
    std::size_t m_nextLive{0};
    std::map<std::pair<netflow::FlowKey, Move>, netflow::ShedPackets>::const_iterator m_shed;
    EsxFlow m_flow;
};

void
WriteCounts(std::ostream& os, const netflow::Counts& counts)
{
    os << " packets=\"" << counts.packets << "\" octets=\"" << counts.octets << "\" records=\""
       << counts.records << '"';
}

/// Names come from the user: only what XML forbids in an attribute is replaced.
std::string
Escape(const std::string& text)
{
    std::string escaped;
    for (char c : text)
    {
        switch (c)
        {
        case '&':
            escaped += "&amp;";
            break;
        case '<':
            escaped += "&lt;";
            break;
        case '"':
            escaped += "&quot;";
            break;
        default:
            escaped += c;
        }
    }
    return escaped;
}

} // namespace

TypeId
EsxLedger::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxLedger")
                            .SetParent<Object>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxLedger>();
    return tid;
}

EsxLedger::EsxLedger() = default;

EsxLedger::~EsxLedger()
{
    EndSimulation();
}

void
EsxLedger::InstallAll()
{
    NS_ABORT_MSG_IF(m_tracker, "the ledger is installed already");
    NS_ABORT_MSG_IF(g_installed, "the simulation has a ledger already, and both would book");
    g_installed = this;
    m_tracker = CreateObject<EsxExportTracker>();
    TakeIn();
    const Ptr<EsxLedger> self(this);
    Simulator::ScheduleNow(&EsxLedger::TakeIn, self);
    Simulator::ScheduleDestroy(&EsxLedger::EndSimulation, self);
}

void
EsxLedger::Refresh()
{
    if (g_installed)
    {
        g_installed->TakeIn();
    }
}

void
EsxLedger::Refresh(const Ptr<Node>& node)
{
    if (g_installed)
    {
        g_installed->m_tracker->Watch(node);
        if (!g_installed->m_takesInLater) // no EventId: it would keep the ledger alive
        {
            g_installed->m_takesInLater = true;
            Simulator::ScheduleNow(&EsxLedger::TakeIn, Ptr<EsxLedger>(g_installed));
        }
    }
}

/// Nothing of the simulation is taken in any more, and another one may have a ledger.
void
EsxLedger::EndSimulation()
{
    g_installed = g_installed == this ? nullptr : g_installed;
}

void
EsxLedger::TakeIn()
{
    m_takesInLater = false;
    m_tracker->WatchAll();
    m_hosts.clear();
    m_collectors.clear();
    m_linkEnds.clear();
    for (auto node = NodeList::Begin(); node != NodeList::End(); ++node)
    {
        const Ptr<EsxHost> host = (*node)->GetObject<EsxHost>();
        if (host && ModuleOf(host))
        {
            m_hosts.push_back(host);
        }
        for (uint32_t i = 0; i < (*node)->GetNDevices(); ++i)
        {
            const auto device = DynamicCast<EsxEthernetNetDevice>((*node)->GetDevice(i));
            if (device && device->GetChannel()) // the device of a VLAN has none
            {
                m_linkEnds.push_back({Names::FindName(device), Names::FindName(*node), device});
            }
        }
        for (uint32_t i = 0; i < (*node)->GetNApplications(); ++i)
        {
            if (auto collector = DynamicCast<EsxNetflowCollector>((*node)->GetApplication(i)))
            {
                m_collectors.push_back(collector);
            }
        }
    }
    NS_LOG_INFO(m_hosts.size() << " hosts with NetFlow, " << m_collectors.size() << " collectors");
}

const std::vector<Ptr<EsxHost>>&
EsxLedger::GetHosts() const
{
    return m_hosts;
}

const std::vector<Ptr<EsxNetflowCollector>>&
EsxLedger::GetCollectors() const
{
    return m_collectors;
}

const std::vector<EsxLinkEnd>&
EsxLedger::GetLinkEnds() const
{
    return m_linkEnds;
}

Ptr<EsxExportTracker>
EsxLedger::GetTracker() const
{
    return m_tracker;
}

netflow::Counts
EsxLedger::GetMoved(netflow::Move move,
                    const std::string& hostName,
                    const std::string& vSwitch) const
{
    netflow::Counts sum;
    for (const Ptr<EsxHost>& host : m_hosts)
    {
        if (!hostName.empty() && host->GetName() != hostName)
        {
            continue;
        }
        for (const auto& [id, account] : ModuleOf(host)->GetLedger().GetAccounts())
        {
            if (vSwitch.empty() || host->GetVSwitchById(id)->GetName() == vSwitch)
            {
                sum += account.Get(move);
            }
        }
    }
    return sum;
}

netflow::Counts
EsxLedger::GetResidual() const
{
    netflow::Counts residual;
    for (const Ptr<EsxHost>& host : m_hosts)
    {
        residual += GetResidual(host);
    }
    return residual;
}

netflow::Counts
EsxLedger::GetResidual(const Ptr<EsxHost>& host) const
{
    const Ptr<EsxNetflow> module = ModuleOf(host);
    netflow::Counts residual;
    residual.packets += static_cast<uint64_t>(std::abs(module->GetTapResidual()));
    residual.records += EsxCountBreaches(*this, host);
    residual += module->GetMeteringResidual();
    // The same totals a second time, from the records' and the datagrams' own stories.
    std::map<std::pair<uint16_t, Move>, netflow::Counts> stories;
    ForEachRecord(host,
                  [&](const netflow::FlowRecord& record, Move station, const EsxExportDatagram*) {
                      stories[{record.key.vSwitch, station}] += CountsOf(record);
                  });
    for (const auto& [flowAndCause, shed] : module->GetJournal().GetShed())
    {
        stories[{flowAndCause.first.vSwitch, flowAndCause.second}] += shed.counts;
    }
    const auto compare = [&](const netflow::Counts& booked, const netflow::Counts& told) {
        residual += netflow::Counts{Distance(booked.packets, told.packets),
                                    Distance(booked.octets, told.octets),
                                    Distance(booked.records, told.records)};
    };
    for (const auto& [id, account] : module->GetLedger().GetAccounts())
    {
        for (unsigned move = 0; move < netflow::MOVES; ++move)
        {
            if (IsFinal(static_cast<Move>(move)))
            {
                compare(account.Get(static_cast<Move>(move)),
                        stories[{id, static_cast<Move>(move)}]);
            }
        }
        compare(account.GetBalance(Place::CACHE), stories[{id, Move::METERED}]);
        compare(account.GetBalance(Place::PURGATORY), stories[{id, Move::QUEUED}]);
        compare(account.GetBalance(Place::NETWORK), stories[{id, Move::SENT}]);
        for (Place transit : TRANSITS)
        {
            compare(account.GetBalance(transit), {});
        }
    }
    return residual;
}

void
EsxLedger::ForEachRecord(const Ptr<EsxHost>& host, const RecordVisitor& visit) const
{
    const Ptr<EsxNetflow> module = ModuleOf(host);
    const std::vector<EsxExportDatagram>& datagrams =
        m_tracker->GetDatagrams(host->GetVmkernelNode()->GetId());
    for (const netflow::JournalEntry& entry : module->GetJournal().GetEntries())
    {
        if (entry.datagram == netflow::JournalEntry::NO_DATAGRAM)
        {
            visit(entry.record, entry.last, nullptr);
            continue;
        }
        const EsxExportDatagram& datagram = datagrams[entry.datagram];
        visit(entry.record, datagram.fate, &datagram);
    }
    module->ForEachLive(
        [&](const netflow::FlowRecord& record) { visit(record, Move::METERED, nullptr); });
}

void
EsxLedger::ForEachFlow(const FlowVisitor& visit) const
{
    for (const Ptr<EsxHost>& host : m_hosts)
    {
        FlowReader flows(host, m_tracker->GetDatagrams(host->GetVmkernelNode()->GetId()));
        while (const EsxFlow* flow = flows.Next())
        {
            visit(*flow);
        }
    }
}

std::vector<EsxFlow>
EsxLedger::GetFlows() const
{
    std::vector<EsxFlow> flows;
    ForEachFlow([&](const EsxFlow& flow) { flows.push_back(flow); });
    return flows;
}

void
EsxLedger::SerializeToXmlStream(std::ostream& os) const
{
    os << "<?xml version=\"1.0\" ?>\n<EsxLedger>\n";
    for (const Ptr<EsxHost>& host : m_hosts)
    {
        os << "  <Host name=\"" << Escape(host->GetName()) << "\">\n";
        for (const auto& [id, account] : ModuleOf(host)->GetLedger().GetAccounts())
        {
            os << "    <VSwitch id=\"" << id << "\" name=\""
               << Escape(host->GetVSwitchById(id)->GetName()) << "\">\n";
            for (unsigned move = 0; move < netflow::MOVES; ++move)
            {
                os << "      <Move name=\"" << netflow::GetInfo(static_cast<Move>(move)).name
                   << '"';
                WriteCounts(os, account.Get(static_cast<Move>(move)));
                os << "/>\n";
            }
            os << "    </VSwitch>\n";
        }
        os << "  </Host>\n";
    }
    os << "  <Flows>\n";
    ForEachFlow([&os](const EsxFlow& flow) {
        const netflow::FlowKey& key = flow.key;
        os << "    <Flow exporter=\"" << Escape(flow.exporter) << "\" vSwitch=\""
           << Escape(flow.vSwitch) << "\" source=\"" << EsxDotted(key.source) << "\" destination=\""
           << EsxDotted(key.destination) << "\" protocol=\"" << +key.protocol << "\" sourcePort=\""
           << key.sourcePort << "\" destinationPort=\"" << key.destinationPort << "\" tos=\""
           << +key.tos << "\" input=\"" << key.input << "\">\n      <Truth";
        WriteCounts(os, flow.truth);
        os << "/>\n      <Collected";
        WriteCounts(os, flow.collected);
        os << "/>\n";
        for (const auto& [cause, counts] : flow.losses)
        {
            os << "      <Lost cause=\"" << cause << '"';
            WriteCounts(os, counts);
            os << "/>\n";
        }
        for (const auto& [state, counts] : flow.left)
        {
            os << "      <Left state=\"" << state << '"';
            WriteCounts(os, counts);
            os << "/>\n";
        }
        os << "    </Flow>\n";
    });
    os << "  </Flows>\n</EsxLedger>\n";
}

void
EsxLedger::SerializeToXmlFile(const std::string& fileName) const
{
    std::ofstream file(fileName);
    SerializeToXmlStream(file);
    file.flush();
    NS_ABORT_MSG_UNLESS(file, "cannot write " << fileName);
}

void
EsxLedger::DoDispose()
{
    EndSimulation();
    m_hosts.clear();
    m_collectors.clear();
    m_linkEnds.clear();
    m_tracker = nullptr;
    Object::DoDispose();
}

} // namespace ns3
