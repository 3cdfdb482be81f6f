// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/journal.h"

namespace netflow
{

void
Journal::Ended(const FlowRecord& record, Move station, TimeNs now)
{
    if (record.id >= m_positions.size())
    {
        m_positions.resize(record.id + 1);
    }
    m_positions[record.id] = static_cast<uint32_t>(m_entries.size());
    JournalEntry entry;
    entry.record = record;
    entry.endedAt = now;
    entry.movedAt = now;
    entry.last = station;
    m_entries.push_back(entry);
}

void
Journal::Moved(uint64_t recordId, Move station, TimeNs now, uint64_t datagram)
{
    JournalEntry& entry = m_entries[m_positions[recordId]];
    entry.movedAt = now;
    entry.last = station;
    if (datagram != JournalEntry::NO_DATAGRAM)
    {
        entry.datagram = datagram;
    }
}

void
Journal::Shed(const FlowKey& key, Move cause, uint32_t octets, uint8_t tcpFlags, TimeNs now)
{
    ShedPackets& shed = m_shed[{key, cause}];
    if (shed.counts.packets == 0)
    {
        shed.first = now;
    }
    shed.counts += Counts{1, octets, 0};
    shed.last = now;
    shed.tcpFlags |= tcpFlags;
}

void
Journal::Restore(const std::pair<FlowKey, Move>& flowAndCause, const ShedPackets& shed)
{
    m_shed[flowAndCause] = shed;
}

const std::vector<JournalEntry>&
Journal::GetEntries() const
{
    return m_entries;
}

const std::map<std::pair<FlowKey, Move>, ShedPackets>&
Journal::GetShed() const
{
    return m_shed;
}

} // namespace netflow
