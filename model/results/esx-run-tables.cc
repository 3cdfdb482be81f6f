// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-run-tables.h"

#include "netflow/flow-key.h"
#include "netflow/journal.h"
#include "netflow/v5-codec.h"

#include "ns3/esx-flow-columns.h"
#include "ns3/esx-host.h"
#include "ns3/esx-netflow.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <map>
#include <utility>

namespace ns3
{

namespace
{

using netflow::FlowRecord;
using netflow::JournalEntry;
using netflow::Move;
using netflow::NS_PER_MS;
using Row = EsxFlowRow<netflow::FlowKey>;
using Visitor = std::function<void(const Row&)>;

const std::string FLOW =
    "exporter vswitch engine src dst proto sport dport tos input output packets "
    "octets first_ms last_ms tcp_flags reason datagram input_port output_port ";
const std::string KEY = "exporter vswitch src dst proto sport dport tos input ";

int64_t
UptimeAtStart(const Ptr<EsxHost>& host)
{
    return (host->GetUptime() - Simulator::Now()).GetNanoSeconds();
}

/// Begins a row: names its vSwitch, which is found by the engine.
Row
RowOf(const Ptr<EsxHost>& host, const netflow::FlowKey& key, std::optional<uint16_t> output)
{
    const Ptr<EsxVSwitch> vSwitch = host->GetVSwitchById(key.vSwitch);
    Row row;
    row.exporter = host->GetName();
    row.vSwitch = vSwitch->GetName();
    row.key = key;
    row.output = output;
    row.uptimeAtStart = UptimeAtStart(host);
    row.inputPort = vSwitch->GetPortName(key.input);
    row.outputPort = vSwitch->GetPortName(output.value_or(0));
    return row;
}

Row
RowOf(const Ptr<EsxHost>& host, const FlowRecord& record)
{
    Row row = RowOf(host, record.key, record.output);
    row.packets = record.packets;
    row.octets = record.octets;
    row.first = record.first;
    row.last = record.last;
    row.tcpFlags = record.tcpFlags;
    row.reason = netflow::ToString(record.reason);
    return row;
}

Row
RowOf(const Ptr<EsxHost>& host, const EsxFlow& flow)
{
    Row row = RowOf(host, flow.key, flow.output);
    row.packets = flow.truth.packets;
    row.octets = flow.truth.octets;
    row.first = flow.firstNs;
    row.last = flow.lastNs;
    row.tcpFlags = flow.tcpFlags;
    return row;
}

void
VisitTruth(const Ptr<EsxLedger>& ledger, const Visitor& visit)
{
    std::map<std::string, Ptr<EsxHost>> hosts;
    for (const Ptr<EsxHost>& host : ledger->GetHosts())
    {
        hosts[host->GetName()] = host;
    }
    ledger->ForEachFlow([&](const EsxFlow& flow) { visit(RowOf(hosts.at(flow.exporter), flow)); });
}

/// \param part EsxFlow::losses or EsxFlow::left
void
VisitRest(const Ptr<EsxLedger>& ledger,
          std::map<std::string, netflow::Counts> EsxFlow::*part,
          const Visitor& visit)
{
    std::map<std::string, Ptr<EsxHost>> hosts;
    for (const Ptr<EsxHost>& host : ledger->GetHosts())
    {
        hosts[host->GetName()] = host;
    }
    ledger->ForEachFlow([&](const EsxFlow& flow) {
        for (const auto& [fate, counts] : flow.*part)
        {
            Row row = RowOf(hosts.at(flow.exporter), flow);
            row.fate = fate;
            row.packets = counts.packets;
            row.octets = counts.octets;
            row.records = counts.records;
            visit(row);
        }
    });
}

void
VisitExported(const Ptr<EsxLedger>& ledger, const Visitor& visit)
{
    for (const Ptr<EsxHost>& host : ledger->GetHosts())
    {
        ledger->ForEachRecord(
            host,
            [&](const FlowRecord& record, Move, const EsxExportDatagram* datagram) {
                if (datagram && !datagram->exportedAt.IsStrictlyNegative())
                {
                    Row row = RowOf(host, record);
                    row.datagram = datagram->number;
                    visit(row);
                }
            });
    }
}

/// The records of a host's datagrams as they were sent: no wire tells why a record ended, and
/// SysUptime wraps.
class SentRecords
{
  public:
    SentRecords(const Ptr<EsxLedger>& ledger, const Ptr<EsxHost>& host)
        : host(host),
          m_entries(host->GetObject<EsxNetflow>()->GetJournal().GetEntries()),
          m_datagrams(ledger->GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId())),
          m_firsts(m_datagrams.size(), NONE)
    {
        uint32_t place = 0;
        for (const JournalEntry& entry : m_entries)
        {
            if (entry.datagram != JournalEntry::NO_DATAGRAM)
            {
                m_firsts[entry.datagram] = std::min(m_firsts[entry.datagram], place);
            }
            ++place;
        }
    }

    /// \return the records of a datagram in their order there, to who asks for them first. They end
    /// close together: only those of other vSwitches are between them.
    const std::vector<const FlowRecord*>& Take(uint64_t datagram)
    {
        m_taken.clear();
        uint32_t place =
            datagram < m_firsts.size() ? std::exchange(m_firsts[datagram], NONE) : NONE;
        for (; place < m_entries.size() && m_taken.size() < m_datagrams[datagram].counts.records;
             ++place)
        {
            if (m_entries[place].datagram == datagram)
            {
                m_taken.push_back(&m_entries[place].record);
            }
        }
        return m_taken;
    }

    /// \return the host's uptime when a datagram was sealed, whatever SysUptime has of it
    int64_t GetUptimeMs(uint64_t datagram) const
    {
        return (UptimeAtStart(host) + m_datagrams[datagram].sentAt.GetNanoSeconds()) / NS_PER_MS;
    }

    const Ptr<EsxHost> host;

  private:
    static constexpr uint32_t NONE = UINT32_MAX;

    const netflow::JournalEntries& m_entries;
    const std::vector<EsxExportDatagram>& m_datagrams;
    std::vector<uint32_t> m_firsts; //!< place of each datagram's first record
    std::vector<const FlowRecord*> m_taken;
};

/// The local port that an interface number of the wire means, if it means ours, with or without -p.
uint16_t
LocalPort(uint16_t wire, uint16_t engine, uint16_t ours)
{
    return wire == netflow::EncodeIfIndex(engine, ours) ? ours : wire;
}

/// A record as the collector understood it, beside the record as it was sent.
Row
RowOf(const SentRecords& sent,
      uint64_t datagram,
      const netflow::V5Header& header,
      const netflow::V5Record& record,
      const FlowRecord& ours)
{
    const int64_t uptimeMs = sent.GetUptimeMs(datagram);
    // SysUptime has 32 bits; that records are younger than 49 days gives the others.
    const auto unwrap = [&](uint32_t ms) {
        return (uptimeMs - static_cast<uint32_t>(header.sysUptime - ms)) * NS_PER_MS;
    };
    netflow::FlowKey key;
    key.source = record.srcAddr;
    key.destination = record.dstAddr;
    key.sourcePort = record.srcPort;
    key.destinationPort = record.dstPort;
    key.vSwitch = static_cast<uint16_t>(header.engineType << 8 | header.engineId);
    key.input = LocalPort(record.input, key.vSwitch, ours.key.input);
    key.protocol = record.prot;
    key.tos = record.tos;
    Row row = RowOf(sent.host, key, LocalPort(record.output, key.vSwitch, ours.output));
    row.packets = record.dPkts;
    row.octets = record.dOctets;
    row.first = unwrap(record.first);
    row.last = unwrap(record.last);
    row.tcpFlags = record.tcpFlags;
    row.reason = netflow::ToString(ours.reason);
    return row;
}

void
VisitCollected(const Ptr<EsxLedger>& ledger, const EsxObservations& seen, const Visitor& visit)
{
    std::map<uint32_t, SentRecords> byExporter; // by its node ID
    for (const Ptr<EsxHost>& host : ledger->GetHosts())
    {
        byExporter.try_emplace(host->GetVmkernelNode()->GetId(), ledger, host);
    }
    netflow::V5Header header;
    std::vector<netflow::V5Record> records;
    std::vector<uint8_t> payload;
    for (const EsxCollectedDatagram& datagram : seen.collected)
    {
        const auto sent = byExporter.find(datagram.exporter);
        if (sent == byExporter.end())
        {
            continue;
        }
        const auto& ours = sent->second.Take(datagram.number);
        if (ours.empty()) // a copy that the network made
        {
            continue;
        }
        seen.payloads.Read(datagram.payload, payload);
        netflow::DecodeV5(payload.data(), payload.size(), header, records);
        for (std::size_t i = 0; i < records.size(); ++i)
        {
            Row row = RowOf(sent->second, datagram.number, header, records[i], *ours.at(i));
            row.datagram = datagram.number;
            row.collector = seen.collectors[datagram.collector];
            row.received = datagram.receivedAt.GetNanoSeconds();
            visit(row);
        }
    }
}

/// Every record in order of its end, then the live ones; then the shed packets, a row for each flow
/// and cause, without a record.
void
VisitRecords(const Ptr<EsxHost>& host, const Visitor& visit)
{
    const Ptr<EsxNetflow> module = host->GetObject<EsxNetflow>();
    for (const JournalEntry& entry : module->GetJournal().GetEntries())
    {
        Row row = RowOf(host, entry.record);
        row.station = netflow::GetInfo(entry.last).name;
        row.ended = entry.endedAt - row.uptimeAtStart;
        row.moved = entry.movedAt - row.uptimeAtStart;
        if (entry.datagram != JournalEntry::NO_DATAGRAM)
        {
            row.datagram = entry.datagram;
        }
        visit(row);
    }
    module->ForEachLive([&](const FlowRecord& record) {
        Row row = RowOf(host, record);
        row.reason = "";
        row.station = netflow::GetInfo(Move::METERED).name;
        visit(row);
    });
    for (const auto& [flowAndCause, shed] : module->GetJournal().GetShed())
    {
        Row row = RowOf(host, flowAndCause.first, std::nullopt);
        row.packets = shed.counts.packets;
        row.octets = shed.counts.octets;
        row.first = shed.first;
        row.last = shed.last;
        row.tcpFlags = shed.tcpFlags;
        row.station = netflow::GetInfo(flowAndCause.second).name;
        visit(row);
    }
}

struct DatagramRow
{
    const Ptr<EsxHost>& host;
    const EsxExportDatagram& datagram;
};

/// Absent: it has not happened.
EsxValue
ToNs(Time time)
{
    return time.IsStrictlyNegative() ? EsxValue() : EsxValue(time.GetNanoSeconds());
}

EsxColumns<DatagramRow>
DatagramColumns()
{
    using R = DatagramRow;
    using T = EsxColumnType;
    return {
        {{"exporter", T::NAME, "", "host"},
         [](const R& r) -> EsxValue { return r.host->GetName(); }},
        {{"datagram", T::I64, "", "number at this exporter, from 0"},
         [](const R& r) { return r.datagram.number; }},
        {{"vswitch", T::NAME, "", "name of the vSwitch"},
         [](const R& r) -> EsxValue {
             return r.host->GetVSwitchById(r.datagram.vSwitch)->GetName();
         }},
        {{"engine", T::U16, "", "switch ID"}, [](const R& r) { return r.datagram.vSwitch; }},
        {{"session", T::U32, "", "registrations of the vSwitch so far, from 1"},
         [](const R& r) { return r.datagram.session; }},
        {{"sequence", T::U32, "", "flow_sequence"},
         [](const R& r) { return r.datagram.flowSequence; }},
        {{"records", T::U64, "records", "in the datagram"},
         [](const R& r) { return r.datagram.counts.records; }},
        {{"packets", T::U64, "packets", "sum over its records"},
         [](const R& r) { return r.datagram.counts.packets; }},
        {{"octets", T::U64, "octets", "sum over its records"},
         [](const R& r) { return r.datagram.counts.octets; }},
        {{"collector", T::ADDRESS, "", "IPv4 address it was sent to"},
         [](const R& r) { return r.datagram.collector.Get(); }},
        {{"sent_ns", T::INSTANT_NS, "ns", "when it was sealed, simulated time"},
         [](const R& r) { return ToNs(r.datagram.sentAt); }},
        {{"exported_ns", T::INSTANT_NS, "ns", "when it came to a vmknic; absent: never"},
         [](const R& r) { return ToNs(r.datagram.exportedAt); }},
        {{"concluded_ns", T::INSTANT_NS, "ns", "when it was received or lost; absent: on the way"},
         [](const R& r) { return ToNs(r.datagram.concludedAt); }},
        {{"fate", T::NAME, "", "`received`, `lost_…`, `send_failed`, or `sent`: on the way"},
         [](const R& r) { return netflow::GetInfo(r.datagram.fate).name; }},
        {{"place", T::NAME, "", "where that was: a node, `node/link` or `host/vSwitch`"},
         [](const R& r) -> EsxValue { return r.datagram.place; }},
        {{"copies", T::U32, "", "how often it was received"},
         [](const R& r) { return r.datagram.copies; }},
    };
}

void
VisitDatagrams(const Ptr<EsxLedger>& ledger, const std::function<void(const DatagramRow&)>& visit)
{
    for (const Ptr<EsxHost>& host : ledger->GetHosts())
    {
        for (const EsxExportDatagram& datagram :
             ledger->GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId()))
        {
            visit({host, datagram});
        }
    }
}

/// The flow columns of the truth: of many records there is no one reason and no one datagram.
EsxColumns<Row>
TruthColumns()
{
    EsxColumns<Row> columns = EsxPickFlowColumns<Row>(FLOW);
    for (auto& [column, get] : columns)
    {
        if (column.name == "reason" || column.name == "datagram")
        {
            column.type = EsxColumnType::EMPTY;
        }
    }
    return columns;
}

/// The flow columns of records.csv, where packets that were shed have no record and no output.
EsxColumns<Row>
RecordColumns()
{
    EsxColumns<Row> columns =
        EsxPickFlowColumns<Row>(KEY + "output packets octets first_ns last_ns reason ended_ns "
                                      "station moved_ns datagram input_port output_port tcp_flags");
    for (auto& [column, get] : columns)
    {
        if (column.name == "output")
        {
            column.type = EsxColumnType::I32;
        }
    }
    return columns;
}

template <typename Sample>
std::function<void(const std::function<void(const Sample&)>&)>
EachOf(const std::vector<Sample>& samples)
{
    return [&samples](const auto& visit) { std::for_each(samples.begin(), samples.end(), visit); };
}

} // namespace

std::vector<EsxTable>
EsxMakeTables(const Ptr<EsxLedger>& ledger, const EsxObservations& seen)
{
    using Rows = std::function<void(const Visitor&)>;
    const auto flows = [](const char* name,
                          const char* file,
                          const char* meaning,
                          const EsxColumns<Row>& columns,
                          Rows rows) {
        return EsxTable(name, file, meaning, columns, std::move(rows));
    };
    return {
        flows("truth",
              "flows-truth.csv",
              "Totals of each flow that was seen: metered and shed.",
              TruthColumns(),
              [ledger](const Visitor& visit) { VisitTruth(ledger, visit); }),
        flows("exported",
              "flows-exported.csv",
              "Records in datagrams that were handed to a vmknic: exactly what `--to` sends.",
              EsxPickFlowColumns<Row>(FLOW),
              [ledger](const Visitor& visit) { VisitExported(ledger, visit); }),
        flows("collected",
              "flows-collected.csv",
              "Records as a collector decoded them, without the copies that the network made.",
              EsxPickFlowColumns<Row>(FLOW + "collector received_ms"),
              [ledger, &seen](const Visitor& visit) { VisitCollected(ledger, seen, visit); }),
        flows("losses",
              "flows-lost.csv",
              "Losses by flow and cause.",
              EsxPickFlowColumns<Row>(KEY + "cause packets octets records"),
              [ledger](const Visitor& visit) { VisitRest(ledger, &EsxFlow::losses, visit); }),
        flows("left",
              "flows-left.csv",
              "Data neither collected nor lost when the run ended, by flow and state.",
              EsxPickFlowColumns<Row>(KEY + "state packets octets records"),
              [ledger](const Visitor& visit) { VisitRest(ledger, &EsxFlow::left, visit); }),
        flows("records",
              "records.csv",
              "Fate of every record; then of the shed packets of each flow and cause.",
              RecordColumns(),
              [ledger](const Visitor& visit) {
                  for (const Ptr<EsxHost>& host : ledger->GetHosts())
                  {
                      VisitRecords(host, visit);
                  }
              }),
        EsxTable("datagrams",
                 "datagrams.csv",
                 "Fate of every export datagram.",
                 DatagramColumns(),
                 std::function<void(const std::function<void(const DatagramRow&)>&)>(
                     [ledger](const auto& visit) { VisitDatagrams(ledger, visit); })),
        EsxTable("series",
                 "series.csv",
                 "State of each host's module over time.",
                 EsxSeriesColumns(),
                 EachOf(seen.series)),
        EsxTable("links",
                 "links.csv",
                 "Frames that each end of a link sent over time.",
                 EsxLinkColumns(),
                 EachOf(seen.links)),
    };
}

} // namespace ns3
