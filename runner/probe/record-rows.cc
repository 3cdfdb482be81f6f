// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/record-rows.h"

#include <string>

namespace esxnf
{

namespace
{

using ColumnType = ns3::EsxColumnType;

/// Whole milliseconds, rounded down.
int64_t
ToMs(int64_t ns)
{
    return (ns - (ns < 0 ? netflow::NS_PER_MS - 1 : 0)) / netflow::NS_PER_MS;
}

/// No vSwitch has a name here.
template <typename Row>
ns3::EsxColumns<Row>
Columns()
{
    auto columns = ns3::EsxPickFlowColumns<Row>("exporter");
    columns.push_back({{"vswitch", ColumnType::U16, "", "switch ID"},
                       [](const Row& row) { return row.key.vSwitch; }});
    const auto others = ns3::EsxPickFlowColumns<Row>(
        "engine src dst proto sport dport tos input output packets octets first_ms last_ms "
        "tcp_flags reason datagram");
    columns.insert(columns.end(), others.begin(), others.end());
    return columns;
}

} // namespace

ns3::EsxColumns<ExportedRow>
ExportedColumns()
{
    return Columns<ExportedRow>();
}

ns3::EsxColumns<ReceivedRow>
ReceivedColumns()
{
    using R = ReceivedRow;
    ns3::EsxColumns<R> columns = Columns<R>();
    const ns3::EsxColumns<R> more{
        {{"first_unix_ms", ColumnType::I64, "ms", "First, since 1970"},
         [](const R& r) { return ToMs(netflow::UnixNs(r.header, r.record.first)); }},
        {{"last_unix_ms", ColumnType::I64, "ms", "Last, since 1970"},
         [](const R& r) { return ToMs(netflow::UnixNs(r.header, r.record.last)); }},
        {{"unix_ns", ColumnType::I64, "ns", "export, since 1970"},
         [](const R& r) { return netflow::UnixNs(r.header); }},
        {{"uptime_ms", ColumnType::U32, "ms", "SysUptime"},
         [](const R& r) { return r.header.sysUptime; }},
        {{"sequence", ColumnType::U32, "", "flow_sequence"},
         [](const R& r) { return r.header.flowSequence; }},
        {{"sampling_mode", ColumnType::U8, "", "of the header"},
         [](const R& r) { return r.header.samplingMode; }},
        {{"sampling_interval", ColumnType::U16, "", "of the header"},
         [](const R& r) { return r.header.samplingInterval; }},
        {{"nexthop", ColumnType::ADDRESS, "", "of the record"},
         [](const R& r) { return r.record.nextHop; }},
        {{"src_as", ColumnType::U16, "", "of the record"},
         [](const R& r) { return r.record.srcAs; }},
        {{"dst_as", ColumnType::U16, "", "of the record"},
         [](const R& r) { return r.record.dstAs; }},
        {{"src_mask", ColumnType::U8, "", "of the record"},
         [](const R& r) { return r.record.srcMask; }},
        {{"dst_mask", ColumnType::U8, "", "of the record"},
         [](const R& r) { return r.record.dstMask; }},
    };
    columns.insert(columns.end(), more.begin(), more.end());
    return columns;
}

void
ForEachExported(const netflow::Datagram& datagram,
                const std::function<void(const ExportedRow&)>& visit)
{
    ExportedRow row;
    row.exporter = "probe";
    row.datagram = datagram.number;
    for (const netflow::QueuedRecord* queued : datagram.records)
    {
        const netflow::FlowRecord& record = queued->record;
        row.key = record.key;
        row.output = record.output;
        row.packets = record.packets;
        row.octets = record.octets;
        row.first = record.first;
        row.last = record.last;
        row.tcpFlags = record.tcpFlags;
        row.reason = netflow::ToString(record.reason);
        visit(row);
    }
}

void
ForEachReceived(uint32_t exporter,
                uint64_t number,
                const netflow::V5Header& header,
                const std::vector<netflow::V5Record>& records,
                const std::function<void(const ReceivedRow&)>& visit)
{
    const std::string address = ns3::EsxDotted(exporter);
    for (const netflow::V5Record& record : records)
    {
        ReceivedRow row{{}, header, record};
        row.exporter = address;
        row.datagram = number;
        row.key.source = record.srcAddr;
        row.key.destination = record.dstAddr;
        row.key.sourcePort = record.srcPort;
        row.key.destinationPort = record.dstPort;
        row.key.vSwitch = static_cast<uint16_t>(header.engineType << 8 | header.engineId);
        row.key.input = record.input;
        row.key.protocol = record.prot;
        row.key.tos = record.tos;
        row.output = record.output;
        row.packets = record.dPkts;
        row.octets = record.dOctets;
        row.first = record.first * netflow::NS_PER_MS;
        row.last = record.last * netflow::NS_PER_MS;
        row.tcpFlags = record.tcpFlags;
        visit(row);
    }
}

} // namespace esxnf
