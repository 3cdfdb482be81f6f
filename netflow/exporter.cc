// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/exporter.h"

#include <algorithm>
#include <cassert>

namespace netflow
{

uint16_t
RecordsForMtu(uint32_t mtu)
{
    constexpr uint32_t OVERHEAD = 20 + 8 + V5_HEADER_OCTETS; // IPv4 and UDP headers before it
    const uint32_t room = mtu > OVERHEAD ? (mtu - OVERHEAD) / V5_RECORD_OCTETS : 0;
    return static_cast<uint16_t>(std::min<uint32_t>(room, V5_MAX_RECORDS));
}

Exporter::Exporter(const ExporterConfig& config,
                   DatagramSink& sink,
                   Ledger& ledger,
                   Journal* journal)
    : m_config(config),
      m_sink(sink),
      m_ledger(ledger),
      m_journal(journal)
{
    assert(config.maxRecords >= 1 && config.maxRecords <= V5_MAX_RECORDS);
    assert(config.bootUnixNs >= 0);
}

void
Exporter::Export(const std::vector<QueuedRecord>& records, TimeNs now)
{
    for (const QueuedRecord& queued : records)
    {
        Stage(queued, now);
    }
    for (auto& [vSwitch, engine] : m_engines)
    {
        Seal(vSwitch, engine, now);
    }
}

uint32_t
Exporter::GetNextSequence(uint16_t vSwitch) const
{
    const auto engine = m_engines.find(vSwitch);
    return m_config.initialSequence +
           (engine == m_engines.end() ? 0 : engine->second.sealedRecords);
}

uint64_t
Exporter::GetDatagrams() const
{
    return m_datagrams;
}

void
Exporter::Stage(const QueuedRecord& queued, TimeNs now)
{
    const uint16_t vSwitch = queued.record.key.vSwitch;
    Engine& engine = m_engines[vSwitch];
    const bool gap = m_config.sequenceMode == SequenceMode::AT_EXPIRY && !engine.staged.empty() &&
                     queued.expirySequence != engine.staged.back()->expirySequence + 1;
    if (gap)
    {
        Seal(vSwitch, engine, now);
    }
    engine.staged.push_back(&queued);
    if (engine.staged.size() == m_config.maxRecords)
    {
        Seal(vSwitch, engine, now);
    }
}

void
Exporter::Seal(uint16_t vSwitch, Engine& engine, TimeNs now)
{
    if (engine.staged.empty())
    {
        return;
    }
    const int64_t unixNs = m_config.bootUnixNs + now;
    V5Header header;
    header.count = static_cast<uint16_t>(engine.staged.size());
    header.sysUptime = ToUptimeMs(now);
    header.unixSecs = static_cast<uint32_t>(unixNs / NS_PER_SECOND);
    header.unixNsecs = static_cast<uint32_t>(unixNs % NS_PER_SECOND);
    header.flowSequence = m_config.initialSequence + (m_config.sequenceMode == SequenceMode::AT_SEND
                                                          ? engine.sealedRecords
                                                          : engine.staged.front()->expirySequence);
    header.engineType = static_cast<uint8_t>(vSwitch >> 8);
    header.engineId = static_cast<uint8_t>(vSwitch);

    uint8_t buffer[V5_MAX_OCTETS];
    EncodeV5Header(header, buffer);
    std::size_t size = V5_HEADER_OCTETS;
    Counts counts;
    for (const QueuedRecord* queued : engine.staged)
    {
        EncodeV5Record(Encode(queued->record), buffer + size);
        size += V5_RECORD_OCTETS;
        counts += {queued->record.packets, queued->record.octets, 1};
    }
    engine.sealedRecords += header.count;
    ++m_datagrams;

    Account& account = m_ledger.GetAccount(vSwitch);
    account.Book(Move::SEALED, counts);
    const uint64_t number = m_ledger.TakeDatagramNumber();
    const Datagram
        datagram{buffer, size, number, vSwitch, header.flowSequence, counts, engine.staged};
    const Move outcome = m_sink.Send(datagram) ? Move::SENT : Move::SEND_FAILED;
    account.Book(outcome, counts);
    if (m_journal)
    {
        for (const QueuedRecord* queued : engine.staged)
        {
            m_journal->Moved(queued->record.id, outcome, number);
        }
    }
    engine.staged.clear();
}

V5Record
Exporter::Encode(const FlowRecord& record)
{
    // nexthop, AS numbers and masks stay 0: the technote lists them as missing.
    V5Record encoded;
    encoded.srcAddr = record.key.source;
    encoded.dstAddr = record.key.destination;
    encoded.input = EncodeInterface(record.key.vSwitch, record.key.input);
    encoded.output = EncodeInterface(record.key.vSwitch, record.output);
    encoded.dPkts = record.packets;
    encoded.dOctets = record.octets;
    encoded.first = ToUptimeMs(record.first);
    encoded.last = ToUptimeMs(record.last);
    encoded.srcPort = record.key.sourcePort;
    encoded.dstPort = record.key.destinationPort;
    encoded.tcpFlags = record.tcpFlags;
    encoded.prot = record.key.protocol;
    encoded.tos = record.key.tos;
    return encoded;
}

uint16_t
Exporter::EncodeInterface(uint16_t vSwitch, uint16_t port)
{
    // Port 0 stands for "none or several": it is no interface of the vSwitch and keeps its number
    // under -p.
    if (!m_config.alternatePortIds || port == 0)
    {
        return port;
    }
    if (!IfIndexIsUnique(vSwitch, port) && m_aliased.insert({vSwitch, port}).second)
    {
        m_sink.PortAliased(vSwitch, port);
    }
    return EncodeIfIndex(vSwitch, port);
}

} // namespace netflow
