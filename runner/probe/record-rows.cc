// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/record-rows.h"

#include "runner/base/endpoint.h"

#include <string>

namespace esxnf
{

namespace
{

/// Whole milliseconds, rounded down.
int64_t
ToMs(int64_t ns)
{
    return (ns - (ns < 0 ? netflow::NS_PER_MS - 1 : 0)) / netflow::NS_PER_MS;
}

void
AddKey(RowWriter& rows,
       uint32_t source,
       uint32_t destination,
       uint8_t protocol,
       uint16_t sourcePort,
       uint16_t destinationPort,
       uint8_t tos)
{
    rows.Add(AddressToText(source));
    rows.Add(AddressToText(destination));
    rows.AddNumber(protocol);
    rows.AddNumber(sourcePort);
    rows.AddNumber(destinationPort);
    rows.AddNumber(tos);
}

} // namespace

std::vector<const char*>
ExportedColumns()
{
    return {"exporter",
            "vswitch",
            "engine",
            "src",
            "dst",
            "proto",
            "sport",
            "dport",
            "tos",
            "input",
            "output",
            "packets",
            "octets",
            "first_ms",
            "last_ms",
            "tcp_flags",
            "reason",
            "datagram"};
}

std::vector<const char*>
ReceivedColumns()
{
    std::vector<const char*> columns = ExportedColumns();
    columns.insert(columns.end(),
                   {"first_unix_ms",
                    "last_unix_ms",
                    "unix_ns",
                    "uptime_ms",
                    "sequence",
                    "sampling_mode",
                    "sampling_interval",
                    "nexthop",
                    "src_as",
                    "dst_as",
                    "src_mask",
                    "dst_mask"});
    return columns;
}

void
AddExportedRows(RowWriter& rows, const netflow::Datagram& datagram)
{
    for (const netflow::QueuedRecord* queued : datagram.records)
    {
        const netflow::FlowRecord& record = queued->record;
        const netflow::FlowKey& key = record.key;
        rows.Add("probe");
        rows.AddNumber(key.vSwitch);
        rows.AddNumber(key.vSwitch);
        AddKey(rows,
               key.source,
               key.destination,
               key.protocol,
               key.sourcePort,
               key.destinationPort,
               key.tos);
        rows.AddNumber(key.input);
        rows.AddNumber(record.output);
        rows.AddNumber(record.packets);
        rows.AddNumber(record.octets);
        rows.AddNumber(record.first / netflow::NS_PER_MS);
        rows.AddNumber(record.last / netflow::NS_PER_MS);
        rows.AddNumber(record.tcpFlags);
        rows.Add(netflow::ToString(record.reason));
        rows.AddNumber(datagram.number);
        rows.EndRow();
    }
}

void
AddReceivedRows(RowWriter& rows,
                uint32_t exporter,
                uint64_t number,
                const netflow::V5Header& header,
                const std::vector<netflow::V5Record>& records)
{
    const unsigned engine = header.engineType << 8 | header.engineId;
    for (const netflow::V5Record& record : records)
    {
        rows.Add(AddressToText(exporter));
        rows.AddNumber(engine);
        rows.AddNumber(engine);
        AddKey(rows,
               record.srcAddr,
               record.dstAddr,
               record.prot,
               record.srcPort,
               record.dstPort,
               record.tos);
        for (uint32_t number32 : {uint32_t{record.input},
                                  uint32_t{record.output},
                                  record.dPkts,
                                  record.dOctets,
                                  record.first,
                                  record.last,
                                  uint32_t{record.tcpFlags}})
        {
            rows.AddNumber(number32);
        }
        rows.Add("");
        rows.AddNumber(number);
        rows.AddNumber(ToMs(netflow::UnixNs(header, record.first)));
        rows.AddNumber(ToMs(netflow::UnixNs(header, record.last)));
        rows.AddNumber(netflow::UnixNs(header));
        rows.AddNumber(header.sysUptime);
        rows.AddNumber(header.flowSequence);
        rows.AddNumber(header.samplingMode);
        rows.AddNumber(header.samplingInterval);
        rows.Add(AddressToText(record.nextHop));
        rows.AddNumber(record.srcAs);
        rows.AddNumber(record.dstAs);
        rows.AddNumber(record.srcMask);
        rows.AddNumber(record.dstMask);
        rows.EndRow();
    }
}

} // namespace esxnf
