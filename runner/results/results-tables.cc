// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/results-tables.h"

#include "netflow/flow-record.h"
#include "netflow/ledger.h"
#include "netflow/v5-codec.h"
#include "runner/simulation/simulation.h"

#include <fmt/format.h>
#include <iterator>
#include <map>
#include <set>

namespace esxnf
{

namespace
{

using netflow::FlowRecord;
using netflow::Move;
using netflow::NS_PER_MS;

/// "10.6.125.11"
std::string
Dotted(uint32_t address)
{
    return fmt::format("{}.{}.{}.{}",
                       address >> 24,
                       address >> 16 & 0xff,
                       address >> 8 & 0xff,
                       address & 0xff);
}

/// What a row says of its vSwitch, which is found by the engine.
FlowRow
RowOn(const ns3::Ptr<ns3::EsxHost>& host, uint16_t engine, uint16_t input, uint16_t output)
{
    const auto vSwitch = host->GetVSwitchById(engine);
    FlowRow row;
    row.exporter = host->GetName();
    row.vSwitch = vSwitch->GetName();
    row.engine = engine;
    row.input = input;
    row.output = output;
    row.inputPort = vSwitch->GetPortName(input);
    row.outputPort = vSwitch->GetPortName(output);
    return row;
}

FlowRow
RowOf(const ns3::Ptr<ns3::EsxHost>& host, const FlowRecord& record)
{
    const netflow::FlowKey& key = record.key;
    FlowRow row = RowOn(host, key.vSwitch, key.input, record.output);
    row.source = key.source;
    row.destination = key.destination;
    row.protocol = key.protocol;
    row.sourcePort = key.sourcePort;
    row.destinationPort = key.destinationPort;
    row.tos = key.tos;
    row.packets = record.packets;
    row.octets = record.octets;
    row.firstMs = record.first / NS_PER_MS;
    row.lastMs = record.last / NS_PER_MS;
    row.tcpFlags = record.tcpFlags;
    row.reason = netflow::ToString(record.reason);
    return row;
}

FlowRow
RowOf(const ns3::Ptr<ns3::EsxHost>& host, const ns3::EsxFlow& flow)
{
    FlowRow row = RowOn(host, flow.engine, flow.input, flow.output);
    row.source = flow.source.Get();
    row.destination = flow.destination.Get();
    row.protocol = flow.protocol;
    row.sourcePort = flow.sourcePort;
    row.destinationPort = flow.destinationPort;
    row.tos = flow.tos;
    row.packets = flow.truth.packets;
    row.octets = flow.truth.octets;
    row.firstMs = flow.firstNs / NS_PER_MS;
    row.lastMs = flow.lastNs / NS_PER_MS;
    row.tcpFlags = flow.tcpFlags;
    return row;
}

/// What was in the datagrams as they were sent: no wire tells why a record ended, and SysUptime
/// wraps.
class SentDatagrams
{
  public:
    struct Sent
    {
        ns3::Ptr<ns3::EsxHost> host;
        ns3::Time uptime; //!< when it was sealed
        std::vector<FlowRecord> records;
    };

    explicit SentDatagrams(const Simulation& simulation)
    {
        const auto ledger = simulation.GetLedger();
        std::map<std::string, ns3::Time> uptimeAtStart;
        for (const Host& host : simulation.GetScenario().hosts)
        {
            uptimeAtStart[host.name] = host.uptimeAtStart;
        }
        for (const auto& host : ledger->GetHosts())
        {
            const ns3::Time atStart = uptimeAtStart[host->GetName()];
            ledger->ForEachRecord(
                host,
                [&](const FlowRecord& record, Move, const ns3::EsxExportDatagram* datagram) {
                    if (datagram)
                    {
                        Sent& sent = m_sent[{datagram->exporter, datagram->number}];
                        sent.host = host;
                        sent.uptime = atStart + datagram->sentAt;
                        sent.records.push_back(record);
                    }
                });
        }
    }

    /// \return nullptr if no exporter sent it
    const Sent* Find(const CollectedDatagram& datagram) const
    {
        const auto found = m_sent.find({datagram.exporter, datagram.number});
        return found == m_sent.end() ? nullptr : &found->second;
    }

  private:
    std::map<std::pair<uint32_t, uint64_t>, Sent> m_sent;
};

/// The local port that an interface number of the wire means, if it means ours, with or without -p.
uint16_t
LocalPort(uint16_t wire, uint16_t engine, uint16_t ours)
{
    return wire == netflow::EncodeIfIndex(engine, ours) ? ours : wire;
}

/// A record as the collector understood it, beside the record as it was sent.
FlowRow
RowOf(const SentDatagrams::Sent& sent,
      const netflow::V5Header& header,
      const netflow::V5Record& record,
      const FlowRecord& ours)
{
    const auto engine = static_cast<uint16_t>(header.engineType << 8 | header.engineId);
    // SysUptime has 32 bits; that records are younger than 49 days gives the others.
    const auto unwrap = [&](uint32_t ms) {
        return sent.uptime.GetMilliSeconds() - static_cast<uint32_t>(header.sysUptime - ms);
    };
    FlowRow row = RowOn(sent.host,
                        engine,
                        LocalPort(record.input, engine, ours.key.input),
                        LocalPort(record.output, engine, ours.output));
    row.source = record.srcAddr;
    row.destination = record.dstAddr;
    row.protocol = record.prot;
    row.sourcePort = record.srcPort;
    row.destinationPort = record.dstPort;
    row.tos = record.tos;
    row.packets = record.dPkts;
    row.octets = record.dOctets;
    row.firstMs = unwrap(record.first);
    row.lastMs = unwrap(record.last);
    row.tcpFlags = record.tcpFlags;
    row.reason = netflow::ToString(ours.reason);
    return row;
}

void
AppendLine(fmt::memory_buffer& table, const std::string& line)
{
    fmt::format_to(std::back_inserter(table), "{}\n", line);
}

std::string
FlowTable(const std::vector<FlowRow>& rows)
{
    fmt::memory_buffer table;
    AppendLine(table, FlowColumns());
    for (const FlowRow& row : rows)
    {
        AppendLine(table, ToCsv(row));
    }
    return fmt::to_string(table);
}

std::vector<RestRow>
RestRows(const Simulation& simulation, std::map<std::string, ns3::EsxCounts> ns3::EsxFlow::*part)
{
    std::vector<RestRow> rows;
    for (const ns3::EsxFlow& flow : simulation.GetLedger()->GetFlows())
    {
        for (const auto& [fate, counts] : flow.*part)
        {
            rows.push_back({flow.exporter,
                            flow.vSwitch,
                            flow.source.Get(),
                            flow.destination.Get(),
                            flow.protocol,
                            flow.sourcePort,
                            flow.destinationPort,
                            flow.tos,
                            flow.input,
                            fate,
                            counts.packets,
                            counts.octets,
                            counts.records});
        }
    }
    return rows;
}

std::string
RestTable(const char* column, const std::vector<RestRow>& rows)
{
    fmt::memory_buffer table;
    AppendLine(table,
               fmt::format(
                   "exporter,vswitch,src,dst,proto,sport,dport,tos,input,{},packets,octets,records",
                   column));
    for (const RestRow& row : rows)
    {
        AppendLine(table,
                   fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}",
                               row.exporter,
                               row.vSwitch,
                               Dotted(row.source),
                               Dotted(row.destination),
                               row.protocol,
                               row.sourcePort,
                               row.destinationPort,
                               row.tos,
                               row.input,
                               row.fate,
                               row.packets,
                               row.octets,
                               row.records));
    }
    return fmt::to_string(table);
}

} // namespace

const char*
FlowColumns()
{
    return "exporter,vswitch,engine,src,dst,proto,sport,dport,tos,input,output,packets,octets,"
           "first_ms,last_ms,tcp_flags,reason,datagram,input_port,output_port";
}

std::string
ToCsv(const FlowRow& row)
{
    return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
                       row.exporter,
                       row.vSwitch,
                       row.engine,
                       Dotted(row.source),
                       Dotted(row.destination),
                       row.protocol,
                       row.sourcePort,
                       row.destinationPort,
                       row.tos,
                       row.input,
                       row.output,
                       row.packets,
                       row.octets,
                       row.firstMs,
                       row.lastMs,
                       row.tcpFlags,
                       row.reason,
                       row.datagram ? std::to_string(*row.datagram) : "",
                       row.inputPort,
                       row.outputPort);
}

std::string
ToCsv(const SeriesSample& sample)
{
    std::string line = fmt::format("{},{}", ToMilliseconds(sample.at), sample.host);
    for (const SeriesColumn& column : SeriesColumns())
    {
        fmt::format_to(std::back_inserter(line), ",{}", column.Get(sample));
    }
    return line;
}

std::string
ToMilliseconds(ns3::Time time)
{
    const int64_t ns = time.GetNanoSeconds();
    return fmt::format("{}.{:06}", ns / NS_PER_MS, ns % NS_PER_MS);
}

std::vector<FlowRow>
TruthRows(const Simulation& simulation)
{
    std::map<std::string, ns3::Ptr<ns3::EsxHost>> hosts;
    for (const auto& host : simulation.GetHosts())
    {
        hosts[host->GetName()] = host;
    }
    std::vector<FlowRow> rows;
    for (const ns3::EsxFlow& flow : simulation.GetLedger()->GetFlows())
    {
        rows.push_back(RowOf(hosts.at(flow.exporter), flow));
    }
    return rows;
}

std::vector<FlowRow>
ExportedRows(const Simulation& simulation)
{
    std::vector<FlowRow> rows;
    const auto ledger = simulation.GetLedger();
    for (const auto& host : ledger->GetHosts())
    {
        ledger->ForEachRecord(
            host,
            [&](const FlowRecord& record, Move, const ns3::EsxExportDatagram* datagram) {
                if (datagram && !datagram->exportedAt.IsStrictlyNegative())
                {
                    rows.push_back(RowOf(host, record));
                    rows.back().datagram = datagram->number;
                }
            });
    }
    return rows;
}

std::vector<CollectedRow>
CollectedRows(const Simulation& simulation)
{
    std::vector<CollectedRow> rows;
    const SentDatagrams datagrams(simulation);
    std::set<std::pair<uint32_t, uint64_t>> seen; // copies made by the network are left out
    netflow::V5Header header;
    std::vector<netflow::V5Record> records;
    for (const CollectedDatagram& datagram : simulation.GetCollected())
    {
        const SentDatagrams::Sent* sent = datagrams.Find(datagram);
        if (!sent || !datagram.error.empty() ||
            !seen.emplace(datagram.exporter, datagram.number).second)
        {
            continue;
        }
        netflow::DecodeV5(datagram.payload.data(), datagram.payload.size(), header, records);
        for (std::size_t i = 0; i < records.size(); ++i)
        {
            CollectedRow row{RowOf(*sent, header, records[i], sent->records.at(i)),
                             datagram.node,
                             datagram.receivedAt};
            row.datagram = datagram.number;
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

std::string
TruthTable(const Simulation& simulation)
{
    return FlowTable(TruthRows(simulation));
}

std::string
ExportedTable(const Simulation& simulation)
{
    return FlowTable(ExportedRows(simulation));
}

std::string
CollectedTable(const Simulation& simulation)
{
    fmt::memory_buffer table;
    AppendLine(table, std::string(FlowColumns()) + ",collector,received_ms");
    for (const CollectedRow& row : CollectedRows(simulation))
    {
        AppendLine(
            table,
            fmt::format("{},{},{}", ToCsv(row), row.collector, ToMilliseconds(row.receivedAt)));
    }
    return fmt::to_string(table);
}

std::vector<RestRow>
LostRows(const Simulation& simulation)
{
    return RestRows(simulation, &ns3::EsxFlow::losses);
}

std::vector<RestRow>
LeftRows(const Simulation& simulation)
{
    return RestRows(simulation, &ns3::EsxFlow::left);
}

std::string
LostTable(const Simulation& simulation)
{
    return RestTable("cause", LostRows(simulation));
}

std::string
LeftTable(const Simulation& simulation)
{
    return RestTable("state", LeftRows(simulation));
}

std::string
SeriesTable(const Simulation& simulation)
{
    fmt::memory_buffer table;
    std::string columns = "time_ms,exporter";
    for (const SeriesColumn& column : SeriesColumns())
    {
        columns += "," + column.name;
    }
    AppendLine(table, columns);
    for (const SeriesSample& sample : simulation.GetSeries())
    {
        AppendLine(table, ToCsv(sample));
    }
    return fmt::to_string(table);
}

std::string
LinksTable(const Simulation& simulation)
{
    fmt::memory_buffer table;
    AppendLine(table, "time_ms,link,from,rate_bps,octets,frames,dropped,queued");
    for (const LinkSample& sample : simulation.GetLinkSeries())
    {
        AppendLine(table,
                   fmt::format("{},{},{},{},{},{},{},{}",
                               ToMilliseconds(sample.at),
                               sample.link,
                               sample.from,
                               sample.rateBps,
                               sample.octets,
                               sample.frames,
                               sample.dropped,
                               sample.queued));
    }
    return fmt::to_string(table);
}

} // namespace esxnf
