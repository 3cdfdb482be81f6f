// SPDX-License-Identifier: GPL-2.0-only
#include "results.h"

#include "netflow/ledger.h"
#include "runner/results-tables.h"

#include <algorithm>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace esxnf
{

namespace
{

using Names = std::vector<std::string>;

uint16_t
IndexOf(const Names& names, const std::string& name)
{
    return static_cast<uint16_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

FlowEntry
ToEntry(const FlowRow& row, const Names& exporters)
{
    FlowEntry entry{};
    entry.firstMs = row.firstMs;
    entry.lastMs = row.lastMs;
    entry.packets = row.packets;
    entry.octets = row.octets;
    entry.datagram = row.datagram ? static_cast<int64_t>(*row.datagram) : -1;
    entry.receivedNs = -1;
    entry.source = row.source;
    entry.destination = row.destination;
    entry.exporter = IndexOf(exporters, row.exporter);
    entry.collector = FlowEntry::NO_INDEX;
    entry.engine = row.engine;
    entry.input = row.input;
    entry.output = row.output;
    entry.sourcePort = row.sourcePort;
    entry.destinationPort = row.destinationPort;
    entry.protocol = row.protocol;
    entry.tos = row.tos;
    entry.tcpFlags = row.tcpFlags;
    return entry;
}

SeriesEntry
ToEntry(const SeriesSample& sample, const Names& exporters)
{
    return {sample.at.GetNanoSeconds(),
            sample.cacheRecords,
            sample.purgatoryRecords,
            sample.heapUsed,
            sample.packetsMetered,
            sample.packetsShed,
            sample.recordsExpired,
            sample.recordsDropped,
            sample.recordsSent,
            sample.recordsLost,
            sample.recordsReceived,
            IndexOf(exporters, sample.host)};
}

/// A read-only array that owns the vector.
template <typename Entry>
py::array
ToArray(std::vector<Entry> entries)
{
    auto* owned = new std::vector<Entry>(std::move(entries));
    const py::capsule owner(owned,
                            [](void* vector) { delete static_cast<std::vector<Entry>*>(vector); });
    py::array array = py::array_t<Entry>(owned->size(), owned->data(), owner);
    array.attr("flags").attr("writeable") = false;
    return array;
}

template <typename Rows>
std::vector<FlowEntry>
ToEntries(const Rows& rows, const Names& exporters)
{
    std::vector<FlowEntry> entries;
    entries.reserve(rows.size());
    for (const auto& row : rows)
    {
        entries.push_back(ToEntry(row, exporters));
    }
    return entries;
}

py::dict
LedgerOf(const ns3::Ptr<ns3::EsxHost>& host)
{
    py::dict vSwitches;
    for (const auto& [id, account] : host->GetObject<ns3::EsxNetflow>()->GetLedger().GetAccounts())
    {
        py::dict moves;
        for (unsigned i = 0; i < netflow::MOVES; ++i)
        {
            const netflow::Counts& counts = account.Get(static_cast<netflow::Move>(i));
            moves[netflow::GetInfo(static_cast<netflow::Move>(i)).name] =
                py::make_tuple(counts.packets, counts.octets, counts.records);
        }
        vSwitches[py::str(host->GetVSwitchById(id)->GetName())] = moves;
    }
    return vSwitches;
}

} // namespace

void
RegisterResultTypes()
{
    PYBIND11_NUMPY_DTYPE_EX(FlowEntry,
                            firstMs,
                            "first_ms",
                            lastMs,
                            "last_ms",
                            packets,
                            "packets",
                            octets,
                            "octets",
                            datagram,
                            "datagram",
                            receivedNs,
                            "received_ns",
                            source,
                            "src",
                            destination,
                            "dst",
                            exporter,
                            "exporter",
                            collector,
                            "collector",
                            engine,
                            "engine",
                            input,
                            "input",
                            output,
                            "output",
                            sourcePort,
                            "sport",
                            destinationPort,
                            "dport",
                            protocol,
                            "proto",
                            tos,
                            "tos",
                            tcpFlags,
                            "tcp_flags");
    PYBIND11_NUMPY_DTYPE_EX(SeriesEntry,
                            timeNs,
                            "time_ns",
                            exporter,
                            "exporter",
                            cacheRecords,
                            "cache_records",
                            purgatoryRecords,
                            "purgatory_records",
                            heapOctets,
                            "heap_octets",
                            packetsMetered,
                            "packets_metered",
                            packetsShed,
                            "packets_shed",
                            recordsExpired,
                            "records_expired",
                            recordsDropped,
                            "records_dropped",
                            recordsSent,
                            "records_sent",
                            recordsLost,
                            "records_lost",
                            recordsReceived,
                            "records_received");
}

py::dict
TablesOf(const Simulation& simulation)
{
    Names exporters;
    py::dict ledger;
    py::dict log;
    py::dict console;
    for (const auto& host : simulation.GetHosts())
    {
        const std::string& name = host->GetName();
        exporters.push_back(name);
        ledger[py::str(name)] = LedgerOf(host);
        const auto& lines = host->GetLog()->GetLines();
        log[py::str(name)] = Names(lines.begin(), lines.end());
        console[py::str(name)] = host->GetObject<ns3::EsxConsole>()->GetTranscript();
    }
    Names collectors;
    for (const auto& collector : simulation.GetLedger()->GetCollectors())
    {
        collectors.push_back(ns3::EsxNodeName(collector->GetNode()));
    }
    const std::vector<CollectedRow> collectedRows = CollectedRows(simulation);
    std::vector<FlowEntry> collected = ToEntries(collectedRows, exporters);
    for (std::size_t i = 0; i < collected.size(); ++i)
    {
        collected[i].collector = IndexOf(collectors, collectedRows[i].collector);
        collected[i].receivedNs = collectedRows[i].receivedAt.GetNanoSeconds();
    }
    std::vector<SeriesEntry> series;
    for (const SeriesSample& sample : simulation.GetSeries())
    {
        series.push_back(ToEntry(sample, exporters));
    }
    py::dict tables;
    tables["exporters"] = exporters;
    tables["collectors"] = collectors;
    tables["truth"] = ToArray(ToEntries(TruthRows(simulation), exporters));
    tables["exported"] = ToArray(ToEntries(ExportedRows(simulation), exporters));
    tables["collected"] = ToArray(std::move(collected));
    tables["series"] = ToArray(std::move(series));
    tables["ledger"] = ledger;
    tables["log"] = log;
    tables["console"] = console;
    return tables;
}

} // namespace esxnf
