// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/story-tables.h"

#include "netflow/journal.h"
#include "netflow/ledger.h"
#include "netflow/metering-process.h"
#include "runner/results/text.h"
#include "runner/scenario/addresses.h"
#include "runner/simulation/simulation.h"

#include <fmt/format.h>

namespace esxnf
{

namespace
{

using netflow::FlowKey;
using netflow::FlowRecord;
using netflow::JournalEntry;
using netflow::Move;

/// Rows of one host. Its clock counts from boot, the table's from the start of the simulation.
class HostRows
{
  public:
    HostRows(Text& table, const ns3::Ptr<ns3::EsxHost>& host, ns3::Time uptimeAtStart)
        : m_table(table),
          m_host(host),
          m_uptimeAtStart(uptimeAtStart.GetNanoSeconds())
    {
    }

    void AddEnded(const JournalEntry& entry)
    {
        const FlowRecord& record = entry.record;
        AddFlow(record.key);
        Append(m_table,
               "{},{},{},{},{},{},{},{},{},",
               record.output,
               record.packets,
               record.octets,
               Simulated(record.first),
               Simulated(record.last),
               netflow::ToString(record.reason),
               Simulated(entry.endedAt),
               netflow::GetInfo(entry.last).name,
               Simulated(entry.movedAt));
        if (entry.datagram != JournalEntry::NO_DATAGRAM)
        {
            Append(m_table, "{}", entry.datagram);
        }
        AddPorts(record.key, record.output, record.tcpFlags);
    }

    void AddLive(const FlowRecord& record)
    {
        AddFlow(record.key);
        Append(m_table,
               "{},{},{},{},{},,,{},,",
               record.output,
               record.packets,
               record.octets,
               Simulated(record.first),
               Simulated(record.last),
               netflow::GetInfo(Move::METERED).name);
        AddPorts(record.key, record.output, record.tcpFlags);
    }

    void AddShed(const FlowKey& key, Move cause, const netflow::ShedPackets& shed)
    {
        AddFlow(key);
        Append(m_table,
               ",{},{},{},{},,,{},,",
               shed.counts.packets,
               shed.counts.octets,
               Simulated(shed.first),
               Simulated(shed.last),
               netflow::GetInfo(cause).name);
        AddPorts(key, 0, shed.tcpFlags);
    }

  private:
    int64_t Simulated(netflow::TimeNs uptime) const
    {
        return uptime - m_uptimeAtStart;
    }

    void AddFlow(const FlowKey& key)
    {
        Append(m_table,
               "{},{},{},{},{},{},{},{},{},",
               m_host->GetName(),
               m_host->GetVSwitchById(key.vSwitch)->GetName(),
               ToDotted(ns3::Ipv4Address(key.source)),
               ToDotted(ns3::Ipv4Address(key.destination)),
               key.protocol,
               key.sourcePort,
               key.destinationPort,
               key.tos,
               key.input);
    }

    void AddPorts(const FlowKey& key, uint16_t output, uint8_t tcpFlags)
    {
        const auto vSwitch = m_host->GetVSwitchById(key.vSwitch);
        Append(m_table,
               ",{},{},{}\n",
               vSwitch->GetPortName(key.input),
               vSwitch->GetPortName(output),
               tcpFlags);
    }

    Text& m_table;
    const ns3::Ptr<ns3::EsxHost>& m_host;
    const int64_t m_uptimeAtStart;
};

/// Empty: it has not happened.
std::string
ToNs(ns3::Time time)
{
    return time.IsStrictlyNegative() ? "" : std::to_string(time.GetNanoSeconds());
}

} // namespace

std::string
RecordsTable(const Simulation& simulation)
{
    Text table;
    Append(table,
           "exporter,vswitch,src,dst,proto,sport,dport,tos,input,output,packets,octets,first_ns,"
           "last_ns,reason,ended_ns,station,moved_ns,datagram,input_port,output_port,"
           "tcp_flags\n");
    for (const Host& described : simulation.GetScenario().hosts)
    {
        for (const auto& host : simulation.GetLedger()->GetHosts())
        {
            if (host->GetName() != described.name)
            {
                continue;
            }
            const auto module = host->GetObject<ns3::EsxNetflow>();
            HostRows rows(table, host, described.uptimeAtStart);
            for (const JournalEntry& entry : module->GetJournal().GetEntries())
            {
                rows.AddEnded(entry);
            }
            if (const netflow::MeteringProcess* metering = module->GetMeteringProcess())
            {
                metering->GetCache().ForEach([&](const FlowRecord& r) { rows.AddLive(r); });
            }
            for (const auto& [flowAndCause, shed] : module->GetJournal().GetShed())
            {
                rows.AddShed(flowAndCause.first, flowAndCause.second, shed);
            }
        }
    }
    return fmt::to_string(table);
}

std::string
DatagramsTable(const Simulation& simulation)
{
    Text table;
    Append(table,
           "exporter,datagram,vswitch,engine,session,sequence,records,packets,octets,collector,"
           "sent_ns,exported_ns,concluded_ns,fate,place,copies\n");
    const auto ledger = simulation.GetLedger();
    for (const auto& host : ledger->GetHosts())
    {
        for (const ns3::EsxExportDatagram& datagram :
             ledger->GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId()))
        {
            Append(table,
                   "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                   host->GetName(),
                   datagram.number,
                   host->GetVSwitchById(datagram.vSwitch)->GetName(),
                   datagram.vSwitch,
                   datagram.session,
                   datagram.flowSequence,
                   datagram.records,
                   datagram.packets,
                   datagram.octets,
                   ToDotted(datagram.collector),
                   ToNs(datagram.sentAt),
                   ToNs(datagram.exportedAt),
                   ToNs(datagram.concludedAt),
                   netflow::GetInfo(datagram.fate).name,
                   datagram.place,
                   datagram.copies);
        }
    }
    return fmt::to_string(table);
}

} // namespace esxnf
