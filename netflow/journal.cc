// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/journal.h"

#include <algorithm>
#include <numeric>

namespace netflow
{

namespace
{

constexpr uint32_t NOT_ENDED = UINT32_MAX;

/// Once a datagram carries it, a record moves with that.
bool
MovesNoMore(const JournalEntry& entry)
{
    return entry.datagram != JournalEntry::NO_DATAGRAM || IsLoss(GetInfo(entry.last).to);
}

} // namespace

void
Journal::Ended(const FlowRecord& record, Move station, TimeNs now)
{
    const uint64_t index = record.id - m_firstMoving;
    const auto place = static_cast<uint32_t>(m_entries.size());
    if (index == m_moving.size()) // most end in order of their begin
    {
        m_moving.push_back(place);
    }
    else
    {
        m_moving.resize(std::max<std::size_t>(m_moving.size(), index + 1), NOT_ENDED);
        m_moving[index] = place;
    }
    JournalEntry entry;
    entry.record = record;
    entry.endedAt = now;
    entry.movedAt = now;
    entry.last = station;
    m_entries.Add(entry);
}

void
Journal::Moved(uint64_t recordId, Move station, TimeNs now, uint32_t datagram)
{
    JournalEntry& entry = m_entries[m_moving[recordId - m_firstMoving]];
    entry.movedAt = now;
    entry.last = station;
    if (datagram != JournalEntry::NO_DATAGRAM)
    {
        entry.datagram = datagram;
    }
    while (m_settled < m_moving.size() && m_moving[m_settled] != NOT_ENDED &&
           MovesNoMore(m_entries[m_moving[m_settled]]))
    {
        ++m_settled;
    }
    if (m_settled > 1024 && m_settled > m_moving.size() / 2)
    {
        m_moving.erase(m_moving.begin(), m_moving.begin() + static_cast<std::ptrdiff_t>(m_settled));
        m_firstMoving += m_settled;
        m_settled = 0;
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

const JournalEntries&
Journal::GetEntries() const
{
    return m_entries;
}

const std::vector<uint32_t>&
Journal::GetPlacesByFlow() const
{
    const std::size_t known = m_placesByFlow.size();
    if (known < m_entries.size())
    {
        m_placesByFlow.resize(m_entries.size());
        const auto begin = m_placesByFlow.begin();
        const auto added = begin + static_cast<std::ptrdiff_t>(known);
        const auto isBefore = [this](uint32_t a, uint32_t b) {
            return m_entries[a].record.key < m_entries[b].record.key;
        };
        std::iota(added, m_placesByFlow.end(), static_cast<uint32_t>(known));
        std::stable_sort(added, m_placesByFlow.end(), isBefore);
        std::inplace_merge(begin, added, m_placesByFlow.end(), isBefore);
    }
    return m_placesByFlow;
}

const std::map<std::pair<FlowKey, Move>, ShedPackets>&
Journal::GetShed() const
{
    return m_shed;
}

} // namespace netflow
