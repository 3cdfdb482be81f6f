// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/exporter.h"

#include <algorithm>
#include <cassert>
#include <memory>

namespace netflow
{

namespace
{

/// Records that began before so many steps of the clock are all gone.
constexpr std::size_t MAX_BOOTS = 4096;

} // namespace

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
      m_journal(journal),
      m_boots{{0, config.bootUnixNs}}
{
    assert(config.maxRecords >= 1 && config.maxRecords <= V5_MAX_RECORDS);
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
    SendSealed(now);
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
Exporter::AddBoot(TimeNs from, int64_t unixNs)
{
    if (from == 0)
    {
        m_boots.clear();
    }
    assert(m_boots.empty() || from > m_boots.back().from);
    m_boots.push_back({from, unixNs});
    if (m_boots.size() > MAX_BOOTS)
    {
        m_boots.erase(m_boots.begin());
    }
}

uint64_t
Exporter::GetRecordsOverSteps() const
{
    return m_recordsOverSteps;
}

/// Of a record that began then.
const Exporter::Boot&
Exporter::BootOf(TimeNs first) const
{
    std::size_t i = m_boots.size() - 1;
    while (i > 0 && m_boots[i].from > first)
    {
        --i;
    }
    return m_boots[i];
}

Exporter::Engine&
Exporter::GetEngine(uint16_t vSwitch)
{
    if (!m_lastEngine || vSwitch != m_lastSwitch)
    {
        m_lastEngine = &m_engines[vSwitch]; // a map's elements stay where they are
        m_lastSwitch = vSwitch;
    }
    return *m_lastEngine;
}

void
Exporter::Stage(const QueuedRecord& queued, TimeNs now)
{
    const uint16_t vSwitch = queued.record.key.vSwitch;
    Engine& engine = GetEngine(vSwitch);
    const bool gap = m_config.sequenceMode == SequenceMode::AT_EXPIRY && !engine.staged.empty() &&
                     queued.expirySequence != engine.staged.back()->expirySequence + 1;
    const bool stepped =
        m_boots.size() > 1 && !engine.staged.empty() &&
        BootOf(queued.record.first).from != BootOf(engine.staged.back()->record.first).from;
    if (gap || stepped)
    {
        Seal(vSwitch, engine, now);
    }
    engine.staged.push_back(&queued);
    if (engine.staged.size() == m_config.maxRecords)
    {
        Seal(vSwitch, engine, now);
    }
}

/// By the clock that was right when the staged records began.
V5Header
Exporter::MakeHeader(const Engine& engine, TimeNs now) const
{
    const int64_t boot = BootOf(engine.staged.front()->record.first).unixNs;
    if (now > MAX_UNIX_NS - boot) // time stands still, and no record lies behind it
    {
        TimeNs latest = MAX_UNIX_NS - boot;
        for (const QueuedRecord* queued : engine.staged)
        {
            latest = std::max(latest, queued->record.last);
        }
        now = std::min(now, latest);
    }
    const int64_t unixNs = std::min(boot + now, MAX_UNIX_NS);
    V5Header header;
    header.count = static_cast<uint16_t>(engine.staged.size());
    header.sysUptime = ToUptimeMs(now);
    header.unixSecs = static_cast<uint32_t>(unixNs / NS_PER_SECOND);
    header.unixNsecs = m_config.zeroUnixNsecs ? 0 : static_cast<uint32_t>(unixNs % NS_PER_SECOND);
    header.flowSequence = m_config.initialSequence + (m_config.sequenceMode == SequenceMode::AT_SEND
                                                          ? engine.sealedRecords
                                                          : engine.staged.front()->expirySequence);
    return header;
}

void
Exporter::Seal(uint16_t vSwitch, Engine& engine, TimeNs now)
{
    if (engine.staged.empty())
    {
        return;
    }
    V5Header header = MakeHeader(engine, now);
    header.engineType = static_cast<uint8_t>(vSwitch >> 8);
    header.engineId = static_cast<uint8_t>(vSwitch);
    if (m_sealed.empty())
    {
        m_sealed.resize(m_sink.GetBatch());
        m_sent = std::make_unique<bool[]>(m_sealed.size());
    }
    Sealed& sealed = m_sealed[m_waiting++];
    EncodeV5Header(header, sealed.buffer);
    sealed.size = V5_HEADER_OCTETS;
    sealed.counts = {};
    for (const QueuedRecord* queued : engine.staged)
    {
        EncodeV5Record(Encode(queued->record), sealed.buffer + sealed.size);
        sealed.size += V5_RECORD_OCTETS;
        sealed.counts += {queued->record.packets, queued->record.octets, 1};
        m_recordsOverSteps +=
            m_boots.size() > 1 && BootOf(queued->record.last).from > queued->record.first;
    }
    sealed.number = m_ledger.TakeDatagramNumber();
    sealed.vSwitch = vSwitch;
    sealed.flowSequence = header.flowSequence;
    sealed.records.swap(engine.staged);
    engine.staged.clear();
    engine.sealedRecords += header.count;
    ++m_datagrams;
    m_ledger.GetAccount(vSwitch).Book(Move::SEALED, sealed.counts);
    if (m_waiting == m_sealed.size())
    {
        SendSealed(now);
    }
}

/// Sends the datagrams that wait, and books what became of each.
void
Exporter::SendSealed(TimeNs now)
{
    if (m_waiting == 0)
    {
        return;
    }
    m_datagramScratch.clear();
    for (std::size_t i = 0; i < m_waiting; ++i)
    {
        const Sealed& s = m_sealed[i];
        m_datagramScratch.push_back(
            {s.buffer, s.size, s.number, s.vSwitch, s.flowSequence, s.counts, s.records});
    }
    m_sink.SendBatch(m_datagramScratch.data(), m_waiting, m_sent.get());
    for (std::size_t i = 0; i < m_waiting; ++i)
    {
        const Sealed& sealed = m_sealed[i];
        const Move outcome = m_sent[i] ? Move::SENT : Move::SEND_FAILED;
        m_ledger.GetAccount(sealed.vSwitch).Book(outcome, sealed.counts);
        if (m_journal)
        {
            for (const QueuedRecord* queued : sealed.records)
            {
                m_journal->Moved(queued->record.id,
                                 outcome,
                                 now,
                                 static_cast<uint32_t>(sealed.number));
            }
        }
    }
    m_waiting = 0;
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
