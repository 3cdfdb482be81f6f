// SPDX-License-Identifier: GPL-2.0-only
#include "results.h"

#include "bindings.h"
#include "flow-entries.h"
#include "netflow/ledger.h"
#include "runner/results/results-tables.h"

#include <pybind11/stl.h>
#include <stdexcept>

namespace py = pybind11;

namespace esxnf
{

namespace
{

using Names = std::vector<std::string>;

FlowEntry
ToEntry(const FlowRow& row, ResultTables& tables)
{
    FlowEntry entry{};
    entry.firstMs = row.firstMs;
    entry.lastMs = row.lastMs;
    entry.packets = row.packets;
    entry.octets = row.octets;
    entry.datagram = row.datagram ? static_cast<int64_t>(*row.datagram) : -1;
    entry.receivedNs = -1;
    CopyFlow(entry, row);
    entry.exporter = tables.exporters(row.exporter);
    entry.collector = NameList::NONE;
    entry.vSwitch = tables.vSwitches(row.vSwitch);
    entry.inputPort = tables.ports(row.inputPort);
    entry.outputPort = tables.ports(row.outputPort);
    entry.reason = tables.reasons(row.reason);
    entry.engine = row.engine;
    entry.output = row.output;
    entry.tcpFlags = row.tcpFlags;
    return entry;
}

FlowEntry
ToEntry(const CollectedRow& row, ResultTables& tables)
{
    FlowEntry entry = ToEntry(static_cast<const FlowRow&>(row), tables);
    entry.collector = tables.collectors(row.collector);
    entry.receivedNs = row.receivedAt.GetNanoSeconds();
    return entry;
}

RestEntry
ToEntry(const RestRow& row, ResultTables& tables, NameList& fates)
{
    RestEntry entry{};
    entry.packets = row.packets;
    entry.octets = row.octets;
    entry.records = row.records;
    CopyFlow(entry, row);
    entry.exporter = tables.exporters(row.exporter);
    entry.vSwitch = tables.vSwitches(row.vSwitch);
    entry.fate = fates(row.fate);
    return entry;
}

template <typename Entry, typename Row, typename... Lists>
std::vector<Entry>
ToEntries(const std::vector<Row>& rows, ResultTables& tables, Lists&... lists)
{
    std::vector<Entry> entries;
    entries.reserve(rows.size());
    for (const Row& row : rows)
    {
        entries.push_back(ToEntry(row, tables, lists...));
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

/// The dtype of ResultTables::series.
py::dtype
SeriesType()
{
    py::list fields;
    fields.append(py::make_tuple("time_ns", "<i8"));
    fields.append(py::make_tuple("exporter", "<u8"));
    for (const SeriesColumn& column : SeriesColumns())
    {
        fields.append(py::make_tuple(column.name, "<u8"));
    }
    return py::dtype::from_args(fields);
}

void
RegisterFlowType()
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
                            vSwitch,
                            "vswitch",
                            inputPort,
                            "input_port",
                            outputPort,
                            "output_port",
                            reason,
                            "reason",
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
}

void
RegisterRestType()
{
    PYBIND11_NUMPY_DTYPE_EX(RestEntry,
                            packets,
                            "packets",
                            octets,
                            "octets",
                            records,
                            "records",
                            source,
                            "src",
                            destination,
                            "dst",
                            exporter,
                            "exporter",
                            vSwitch,
                            "vswitch",
                            fate,
                            "cause",
                            input,
                            "input",
                            sourcePort,
                            "sport",
                            destinationPort,
                            "dport",
                            protocol,
                            "proto",
                            tos,
                            "tos");
}

/// The dtype of what is left: a state in place of the cause.
py::dtype
LeftType()
{
    py::list fields;
    for (const py::handle field : py::dtype::of<RestEntry>().attr("descr"))
    {
        const auto [name, format] = field.cast<std::pair<std::string, std::string>>();
        fields.append(py::make_tuple(name == "cause" ? "state" : name, format));
    }
    return py::dtype::from_args(fields);
}

void
RegisterLinkType()
{
    PYBIND11_NUMPY_DTYPE_EX(LinkEntry,
                            timeNs,
                            "time_ns",
                            rateBps,
                            "rate_bps",
                            octets,
                            "octets",
                            frames,
                            "frames",
                            dropped,
                            "dropped",
                            queued,
                            "queued",
                            link,
                            "link",
                            from,
                            "from");
}

/// "10.6.125.11" of each address.
py::list
Dotted(const py::array_t<uint32_t, py::array::c_style | py::array::forcecast>& addresses)
{
    py::list texts(static_cast<std::size_t>(addresses.size()));
    for (py::ssize_t i = 0; i < addresses.size(); ++i)
    {
        const uint32_t address = addresses.data()[i];
        char text[16];
        char* out = text;
        for (int shift = 24; shift >= 0; shift -= 8)
        {
            const unsigned part = address >> shift & 0xff;
            if (part >= 100)
            {
                *out++ = static_cast<char>('0' + part / 100);
            }
            if (part >= 10)
            {
                *out++ = static_cast<char>('0' + part / 10 % 10);
            }
            *out++ = static_cast<char>('0' + part % 10);
            *out++ = '.';
        }
        texts[static_cast<std::size_t>(i)] =
            py::str(text, static_cast<std::size_t>(out - text - 1));
    }
    return texts;
}

} // namespace

uint16_t
NameList::operator()(const std::string& name)
{
    if (name.empty())
    {
        return NONE;
    }
    const auto found = m_indices.find(name);
    if (found != m_indices.end())
    {
        return found->second;
    }
    if (m_names.size() == NONE)
    {
        throw std::length_error("more than 65535 names in a table");
    }
    const auto index = static_cast<uint16_t>(m_names.size());
    m_names.push_back(name);
    m_indices.emplace(name, index);
    return index;
}

const Names&
NameList::Get() const
{
    return m_names;
}

ResultTables::ResultTables(const Simulation& simulation)
{
    for (const auto& host : simulation.GetHosts())
    {
        exporters(host->GetName());
    }
    for (const auto& collector : simulation.GetLedger()->GetCollectors())
    {
        collectors(ns3::EsxNodeName(collector->GetNode()));
    }
    truth = ToEntries<FlowEntry>(TruthRows(simulation), *this);
    exported = ToEntries<FlowEntry>(ExportedRows(simulation), *this);
    collected = ToEntries<FlowEntry>(CollectedRows(simulation), *this);
    losses = ToEntries<RestEntry>(LostRows(simulation), *this, causes);
    left = ToEntries<RestEntry>(LeftRows(simulation), *this, states);
    for (const LinkSample& sample : simulation.GetLinkSeries())
    {
        linkSeries.push_back({sample.at.GetNanoSeconds(),
                              sample.rateBps,
                              sample.octets,
                              sample.frames,
                              sample.dropped,
                              sample.queued,
                              links(sample.link),
                              ends(sample.from),
                              {}});
    }
    series.reserve(simulation.GetSeries().size() * (SeriesColumns().size() + 2));
    for (const SeriesSample& sample : simulation.GetSeries())
    {
        series.push_back(static_cast<uint64_t>(sample.at.GetNanoSeconds()));
        series.push_back(exporters(sample.host));
        for (const SeriesColumn& column : SeriesColumns())
        {
            series.push_back(column.Get(sample));
        }
    }
}

py::dict
ToPython(ResultTables tables)
{
    py::dict names;
    names["exporter"] = tables.exporters.Get();
    names["collector"] = tables.collectors.Get();
    names["vswitch"] = tables.vSwitches.Get();
    names["port"] = tables.ports.Get();
    names["reason"] = tables.reasons.Get();
    names["cause"] = tables.causes.Get();
    names["state"] = tables.states.Get();
    names["link"] = tables.links.Get();
    names["from"] = tables.ends.Get();
    py::dict result;
    result["names"] = names;
    result["truth"] = ToArray(std::move(tables.truth));
    result["exported"] = ToArray(std::move(tables.exported));
    result["collected"] = ToArray(std::move(tables.collected));
    result["losses"] = ToArray(std::move(tables.losses));
    result["left"] = ToArray(std::move(tables.left), LeftType());
    result["links"] = ToArray(std::move(tables.linkSeries));
    result["series"] = ToArray(std::move(tables.series), SeriesType());
    return result;
}

py::dict
HostsToPython(const Simulation& simulation)
{
    py::dict ledger;
    py::dict log;
    py::dict console;
    for (const auto& host : simulation.GetHosts())
    {
        const py::str name(host->GetName());
        ledger[name] = LedgerOf(host);
        const auto& lines = host->GetLog()->GetLines();
        log[name] = Names(lines.begin(), lines.end());
        console[name] = host->GetObject<ns3::EsxConsole>()->GetTranscript();
    }
    py::dict result;
    result["ledger"] = ledger;
    result["log"] = log;
    result["console"] = console;
    return result;
}

void
BindResults(py::module_& module)
{
    RegisterFlowType();
    RegisterRestType();
    RegisterLinkType();
    module.attr("FLOW") = py::dtype::of<FlowEntry>();
    module.attr("LOSS") = py::dtype::of<RestEntry>();
    module.attr("LEFT") = LeftType();
    module.attr("LINK") = py::dtype::of<LinkEntry>();
    module.attr("SERIES") = SeriesType();
    module.def("dotted", &Dotted, py::arg("addresses"));
}

} // namespace esxnf
