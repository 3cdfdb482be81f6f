// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/window-usage.h"

#include "netflow/ledger.h"
#include "netflow/time.h"
#include "runner/base/user-error.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

using netflow::Move;
using netflow::NS_PER_MS;

std::string_view
NameOf(Move move)
{
    return netflow::GetInfo(move).name;
}

} // namespace

uint64_t
ToWhole(double value)
{
    return static_cast<uint64_t>(std::llround(value));
}

double
WindowUsage::Window::PartOf(int64_t firstMs, int64_t lastMs) const
{
    const auto first = static_cast<double>(firstMs);
    const auto end = static_cast<double>(lastMs + 1);
    return std::max(0.0, std::min(end, to) - std::max(first, from)) / (end - first);
}

/// A record of either table.
struct WindowUsage::Seen
{
    std::string_view exporter;
    std::string_view vSwitch;
    std::string_view source;
    std::string_view destination;
    std::string_view port;
    std::string_view inputPort;
    std::string_view outputPort; //!< empty: several or none
    bool isTry;                  //!< of a TCP or UDP port: by its numbers no answer of a server
    double packets;
    double octets;
    bool isRecord; //!< false: shed packets
};

/// The columns that both tables have.
struct WindowUsage::Columns
{
    explicit Columns(const CsvTable& table)
        : exporter(table.Column("exporter")),
          vSwitch(table.Column("vswitch")),
          source(table.Column("src")),
          destination(table.Column("dst")),
          protocol(table.Column("proto")),
          sourcePort(table.Column("sport")),
          port(table.Column("dport")),
          inputPort(table.Column("input_port")),
          outputPort(table.Column("output_port")),
          packets(table.Column("packets")),
          octets(table.Column("octets"))
    {
    }

    Seen Read(const CsvTable::Row& row, bool isRecord) const
    {
        return {row.Text(exporter),
                row.Text(vSwitch),
                row.Text(source),
                row.Text(destination),
                row.Text(port),
                row.Text(inputPort),
                row.Text(outputPort),
                IsTry(row),
                static_cast<double>(row.Unsigned(packets)),
                static_cast<double>(row.Unsigned(octets)),
                isRecord};
    }

    /// Who asks uses a higher port than who answers.
    bool IsTry(const CsvTable::Row& row) const
    {
        const bool hasPorts = row.Text(protocol) == "6" || row.Text(protocol) == "17";
        return hasPorts && row.Unsigned(port) < row.Unsigned(sourcePort);
    }

    std::size_t exporter;
    std::size_t vSwitch;
    std::size_t source;
    std::size_t destination;
    std::size_t protocol;
    std::size_t sourcePort;
    std::size_t port;
    std::size_t inputPort;
    std::size_t outputPort;
    std::size_t packets;
    std::size_t octets;
};

WindowUsage::WindowUsage(const std::string& folder,
                         const Scenario& scenario,
                         ns3::Time from,
                         ns3::Time to)
    : m_truthTable(folder, "records.csv"),
      m_collectedTable(folder, "flows-collected.csv"),
      m_datagramTable(folder, "datagrams.csv"),
      m_homes(scenario)
{
    for (const Host& host : scenario.hosts)
    {
        const double uptime = static_cast<double>(host.uptimeAtStart.GetNanoSeconds());
        m_uptimeNs[host.name] = host.uptimeAtStart.GetNanoSeconds();
        m_windows[host.name] = {(static_cast<double>(from.GetNanoSeconds()) + uptime) / NS_PER_MS,
                                (static_cast<double>(to.GetNanoSeconds()) + uptime) / NS_PER_MS};
    }
    NoteHomes();
    NoteOnTheWay();
    AddTruth();
    AddCollected();
}

const std::map<SourceKey, BySide<SourceSums>>&
WindowUsage::GetSources() const
{
    return m_sources;
}

double
WindowUsage::GetOctetsTo(const SourceKey& destination, Side side) const
{
    const auto found = m_octetsTo.find(destination);
    return found == m_octetsTo.end() ? 0 : found->second[side];
}

void
WindowUsage::NoteHomes()
{
    const Columns columns(m_truthTable);
    for (std::size_t i = 0; i < m_truthTable.GetSize(); ++i)
    {
        const CsvTable::Row row = m_truthTable[i];
        m_homes.Saw(
            row.Text(columns.source),
            {row.Text(columns.exporter), row.Text(columns.vSwitch), row.Text(columns.inputPort)});
    }
}

void
WindowUsage::NoteOnTheWay()
{
    const CsvTable& table = m_datagramTable;
    const std::size_t exporter = table.Column("exporter");
    const std::size_t number = table.Column("datagram");
    const std::size_t fate = table.Column("fate");
    for (std::size_t i = 0; i < table.GetSize(); ++i)
    {
        if (table[i].Text(fate) == NameOf(Move::SENT))
        {
            m_onTheWay.emplace(table[i].Text(exporter), table[i].Text(number));
        }
    }
}

void
WindowUsage::AddTruth()
{
    const CsvTable& table = m_truthTable;
    const std::size_t first = table.Column("first_ns");
    const std::size_t last = table.Column("last_ns");
    const std::size_t output = table.Column("output");
    const std::size_t station = table.Column("station");
    const std::size_t datagram = table.Column("datagram");
    const Columns columns(table);
    for (std::size_t i = 0; i < table.GetSize(); ++i)
    {
        const CsvTable::Row row = table[i];
        const Seen seen = columns.Read(row, !row.Text(output).empty());
        const int64_t uptime = UptimeOf(seen.exporter);
        const int64_t firstMs = (row.Signed(first) + uptime) / NS_PER_MS;
        const int64_t lastMs = (row.Signed(last) + uptime) / NS_PER_MS;
        Add(seen, firstMs, lastMs, TRUTH);
        const bool isLeft = row.Text(station) == NameOf(Move::METERED) ||
                            row.Text(station) == NameOf(Move::QUEUED) ||
                            m_onTheWay.count({seen.exporter, row.Text(datagram)}) != 0;
        if (isLeft)
        {
            Add(seen, firstMs, lastMs, KEPT);
        }
    }
}

void
WindowUsage::AddCollected()
{
    const CsvTable& table = m_collectedTable;
    const std::size_t first = table.Column("first_ms");
    const std::size_t last = table.Column("last_ms");
    const Columns columns(table);
    for (std::size_t i = 0; i < table.GetSize(); ++i)
    {
        const CsvTable::Row row = table[i];
        UptimeOf(row.Text(columns.exporter));
        for (const Side side : {COLLECTED, KEPT})
        {
            Add(columns.Read(row, true), row.Signed(first), row.Signed(last), side);
        }
    }
}

int64_t
WindowUsage::UptimeOf(std::string_view exporter) const
{
    const auto found = m_uptimeNs.find(exporter);
    if (found == m_uptimeNs.end())
    {
        throw UserError(fmt::format("resolved.yaml has no host {}, tables do", exporter));
    }
    return found->second;
}

void
WindowUsage::Add(const Seen& seen, int64_t firstMs, int64_t lastMs, Side side)
{
    const double part = m_windows.find(seen.exporter)->second.PartOf(firstMs, lastMs);
    if (part <= 0)
    {
        return;
    }
    const std::string exporter(seen.exporter);
    const std::string vSwitch(seen.vSwitch);
    if (m_homes.Counts(seen.source, {seen.exporter, seen.vSwitch, seen.inputPort}))
    {
        SourceSums& sums = m_sources[{exporter, vSwitch, std::string(seen.source)}][side];
        sums.octets += part * seen.octets;
        sums.packets += part * seen.packets;
        sums.records += seen.isRecord ? 1 : 0;
        auto& ports = sums.portsOf[seen.destination];
        if (seen.isTry)
        {
            ports.insert(seen.port);
        }
    }
    if (m_homes.IsHome(seen.destination, {seen.exporter, seen.vSwitch, seen.outputPort}))
    {
        m_octetsTo[{exporter, vSwitch, std::string(seen.destination)}][side] += part * seen.octets;
    }
}

} // namespace esxnf
