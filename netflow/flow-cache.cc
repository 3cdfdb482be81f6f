// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-cache.h"

#include <algorithm>
#include <cassert>

namespace netflow
{

namespace
{

constexpr uint8_t TCP_FIN_OR_RST = 0x01 | 0x04;
constexpr std::size_t STALE_CREATIONS = 1024; // kept at least before they are swept out
constexpr uint64_t MAX_WHEEL_TICKS = 1 << 16; // a longer timeout is armed in several steps
constexpr std::size_t AHEAD = 16;             // entries on their way from memory during a scan

/// Intervals that end after 73 years at the most, so that instants computed from them do not
/// overflow.
FlowCacheConfig
Bounded(FlowCacheConfig config)
{
    for (TimeNs* interval : {&config.idleTimeout, &config.activeTimeout, &config.scanInterval})
    {
        *interval = std::min(*interval, NEVER / 4);
    }
    return config;
}

uint64_t
WheelTicks(const FlowCacheConfig& config)
{
    const TimeNs horizon = std::min(config.idleTimeout, config.activeTimeout);
    // Twice the timeout, because the window begins at the last visited tick, not at the present.
    return std::min<uint64_t>(2 * static_cast<uint64_t>(horizon / config.scanInterval) + 2,
                              MAX_WHEEL_TICKS);
}

} // namespace

const char*
ToString(EndReason reason)
{
    static constexpr EnumName<EndReason> NAMES[] = {{EndReason::IDLE, "idle"},
                                                    {EndReason::ACTIVE, "active"},
                                                    {EndReason::TCP_END, "tcp_end"},
                                                    {EndReason::EVICTED, "evicted"},
                                                    {EndReason::SPLIT, "split"},
                                                    {EndReason::STOPPED, "stopped"}};
    static_assert(NamesEach(NAMES));
    return NAMES[static_cast<unsigned>(reason)].name;
}

FlowCache::FlowCache(const FlowCacheConfig& config, Heap& heap, EndedRecordSink& sink)
    : m_config(Bounded(config)),
      m_heap(heap),
      m_sink(sink),
      m_endingFlags(config.expireOnTcpEnd ? TCP_FIN_OR_RST : 0),
      m_table(config.memoryAdvice, config.hashSeed),
      m_nextId(config.firstRecordId),
      m_wheel(WheelTicks(m_config), config.memoryAdvice)
{
    assert(config.idleTimeout > 0 && config.activeTimeout > 0 && config.scanInterval > 0);
}

FlowCache::~FlowCache()
{
    m_heap.Free(m_table.GetSize() * m_config.heapPerRecord);
}

void
FlowCache::Prepare(BatchedPacket* packets, std::size_t count) const
{
    for (std::size_t i = 0; i < count; ++i)
    {
        packets[i].hash = m_table.HashOf(packets[i].packet.key);
        m_table.PrefetchPlace(packets[i].hash);
    }
    for (std::size_t i = 0; i < count; ++i)
    {
        packets[i].guess = m_table.Guess(packets[i].hash);
    }
}

AccountResult
FlowCache::AccountNew(const PacketSummary& packet, uint32_t hash, uint16_t output, TimeNs now)
{
    const AccountResult room = MakeRoom(now);
    if (room != AccountResult::COUNTED_NEW)
    {
        return room;
    }
    if (m_table.GetSize() == 0)
    {
        Scan(now); // nothing ends, but the wheel's window comes up to the present
    }
    const uint32_t index = m_table.Insert(packet.key, hash);
    if (index == FlowTable::NO_ENTRY)
    {
        m_heap.Free(m_config.heapPerRecord);
        return AccountResult::SHED_NO_MEMORY;
    }
    m_highWater.Note(m_table.GetSize());
    Begin(index, packet, output, now);
    ArmFor(index);
    if ((packet.tcpFlags & m_endingFlags) != 0)
    {
        EndAndRemove(index, EndReason::TCP_END);
    }
    return AccountResult::COUNTED_NEW;
}

/// Ends a record that cannot take the packet, and begins the flow's next one with it.
AccountResult
FlowCache::AccountNext(FlowEntry& entry, const PacketSummary& packet, uint16_t output, TimeNs now)
{
    if (IsDeferred(entry)) // most probably it does not end
    {
        CatchUp(entry, now);
        Resume(entry);
        return AccountIn(&entry, packet, 0, output, now);
    }
    const uint32_t index = entry.number;
    End(entry, now > Deadline(entry) ? TimeoutReason(entry, now) : EndReason::SPLIT);
    Begin(index, packet, output, now);
    if ((packet.tcpFlags & m_endingFlags) != 0)
    {
        EndAndRemove(index, EndReason::TCP_END);
    }
    return AccountResult::COUNTED_NEW;
}

/// Charges the heap for one more record, if need be with what the evicted record gives back.
AccountResult
FlowCache::MakeRoom(TimeNs now)
{
    const bool full = m_config.maxEntries != 0 && m_table.GetSize() >= m_config.maxEntries;
    if (!full && m_heap.Allocate(m_config.heapPerRecord))
    {
        return AccountResult::COUNTED_NEW;
    }
    if (!GetInfo(m_config.policy).evicts || m_table.GetSize() == 0)
    {
        return full ? AccountResult::SHED_CACHE_FULL : AccountResult::SHED_NO_MEMORY;
    }
    // The new record takes over the evicted one's charge: under a limit that was lowered below the
    // use, freeing one record would not make an allocation succeed.
    EvictOldest(now);
    return AccountResult::COUNTED_NEW;
}

void
FlowCache::Scan(TimeNs now)
{
    const int64_t tick = now / m_config.scanInterval;
    m_due.clear();
    while (m_wheel.NextTick() <= tick)
    {
        CollectDue(m_wheel.NextTick(), now);
    }
    m_wheel.Advance(tick);
    if (!std::is_sorted(m_due.begin(), m_due.end()))
    {
        std::sort(m_due.begin(), m_due.end());
    }
    m_due.erase(std::unique(m_due.begin(), m_due.end()), m_due.end());
    for (std::size_t i = 0; i < m_due.size(); ++i)
    {
        if (i + AHEAD < m_due.size())
        {
            m_table.PrefetchPlace(m_table.HashOf(m_table.At(m_due[i + AHEAD].second).key));
        }
        const uint32_t index = m_due[i].second;
        EndAndRemove(index, TimeoutReason(m_table.At(index), now));
    }
}

/// Takes what the wheel has for a tick: what is due goes to m_due, the rest is armed again.
void
FlowCache::CollectDue(int64_t visited, TimeNs now)
{
    const int64_t tick = now / m_config.scanInterval;
    m_references.clear();
    m_wheel.Take(visited, m_references);
    for (std::size_t i = 0; i < m_references.size(); ++i)
    {
        if (i + AHEAD < m_references.size())
        {
            m_table.PrefetchEntry(m_references[i + AHEAD]);
        }
        const uint32_t index = m_references[i];
        FlowEntry& entry = m_table.At(index);
        // A reference is stale when its entry was freed, or is now another record's, armed at
        // another tick.
        if (!entry.live || entry.armedTick != static_cast<uint32_t>(visited))
        {
            continue;
        }
        if (IsDeferred(entry))
        {
            CatchUp(entry, now);
        }
        if (DueTick(entry) <= tick)
        {
            m_due.emplace_back(entry.id, index);
        }
        else
        {
            ArmFor(index);
        }
    }
}

TimeNs
FlowCache::NextScan() const
{
    return m_table.GetSize() == 0 ? NEVER : m_wheel.NextTick() * m_config.scanInterval;
}

void
FlowCache::Stop(uint16_t vSwitch)
{
    for (const auto& [id, index] : LiveInOrderOfCreation())
    {
        if (m_table.At(index).key.vSwitch == vSwitch)
        {
            EndAndRemove(index, EndReason::STOPPED);
        }
    }
}

const FlowEntry*
FlowCache::Defer(const FlowKey& key, DeferredPackets& packets, TimeNs next)
{
    FlowEntry* const entry = m_table.Find(key, m_table.HashOf(key));
    if (!entry || IsDeferred(*entry) || next > Deadline(*entry))
    {
        return nullptr;
    }
    m_deferred.push_back({&packets, entry->last, INT64_MIN, entry->number});
    entry->last = DEFERRED - static_cast<TimeNs>(m_deferred.size() - 1);
    return entry;
}

void
FlowCache::Settle(TimeNs until)
{
    for (const Deferred& deferred : m_deferred)
    {
        if (deferred.next <= until) // most have nothing new
        {
            CatchUp(m_table.At(deferred.number), until);
        }
    }
}

void
FlowCache::Undefer(const FlowKey& key, TimeNs until)
{
    FlowEntry& entry = *m_table.Find(key, m_table.HashOf(key));
    CatchUp(entry, until);
    EndDeferral(entry);
}

/// \return the packets that were deferred
DeferredPackets&
FlowCache::EndDeferral(FlowEntry& entry)
{
    Deferred& place = DeferredOf(entry);
    const Deferred ended = place;
    m_table.At(m_deferred.back().number).last = entry.last;
    place = m_deferred.back();
    m_deferred.pop_back();
    entry.last = ended.last;
    return *ended.packets;
}

/// Counts the packets of a record before an instant, if they are deferred.
void
FlowCache::CatchUp(FlowEntry& entry, TimeNs until)
{
    if (!IsDeferred(entry))
    {
        return;
    }
    Deferred& deferred = DeferredOf(entry);
    if (deferred.next > until)
    {
        return;
    }
    const DeferredPackets::Sum sum = deferred.packets->Take(until);
    deferred.next = sum.next;
    if (sum.packets == 0)
    {
        return;
    }
    assert(entry.first + m_config.activeTimeout >= sum.last);
    assert((sum.tcpFlags & m_endingFlags) == 0);
    entry.packets += sum.packets;
    entry.octets += sum.octets;
    entry.tcpFlags |= sum.tcpFlags;
    deferred.last = sum.last;
    m_sink.DeferredCounted(entry.key, sum);
}

/// Ends a record's deferral, which the owner of its packets does not know yet.
void
FlowCache::Resume(FlowEntry& entry)
{
    EndDeferral(entry).Resume();
}

uint64_t
FlowCache::GetSize() const
{
    return m_table.GetSize();
}

uint64_t
FlowCache::GetHighWater() const
{
    return m_highWater.Get();
}

uint64_t
FlowCache::TakeHighWater()
{
    return m_highWater.Take(m_table.GetSize());
}

uint64_t
FlowCache::GetNextRecordId() const
{
    return m_nextId;
}

const FlowCacheConfig&
FlowCache::GetConfig() const
{
    return m_config;
}

FlowRecord
FlowCache::ToRecord(const FlowEntry& entry) const
{
    FlowRecord record;
    record.key = entry.key;
    record.output = entry.output;
    record.tcpFlags = entry.tcpFlags;
    record.packets = entry.packets;
    record.octets = entry.octets;
    record.first = entry.first;
    record.last = LastOf(entry);
    record.id = entry.id;
    return record;
}

/// Starts a record with its first packet in an entry whose key is set.
void
FlowCache::Begin(uint32_t index, const PacketSummary& packet, uint16_t output, TimeNs now)
{
    FlowEntry& entry = m_table.At(index);
    entry.output = output;
    entry.tcpFlags = packet.tcpFlags;
    entry.packets = 1;
    entry.octets = packet.octets;
    entry.first = now;
    entry.last = now;
    entry.id = m_nextId++;
    if (GetInfo(m_config.policy).evicts)
    {
        RememberCreation(index, entry.id);
    }
}

void
FlowCache::End(const FlowEntry& entry, EndReason reason)
{
    FlowRecord record = ToRecord(entry);
    record.reason = reason;
    m_sink.RecordEnded(record);
}

void
FlowCache::EndAndRemove(uint32_t index, EndReason reason)
{
    FlowEntry& entry = m_table.At(index);
    if (IsDeferred(entry))
    {
        Resume(entry);
    }
    End(entry, reason);
    m_table.Remove(entry);
    m_heap.Free(m_config.heapPerRecord);
}

bool
FlowCache::IsStale(const Creation& creation) const
{
    const FlowEntry& entry = m_table.At(creation.second);
    return !entry.live || entry.id != creation.first;
}

void
FlowCache::RememberCreation(uint32_t index, uint64_t id)
{
    if (m_creationOrder.size() > 2 * m_table.GetSize() + STALE_CREATIONS)
    {
        const auto isStale = [this](const Creation& creation) { return IsStale(creation); };
        m_creationOrder.erase(
            std::remove_if(m_creationOrder.begin(), m_creationOrder.end(), isStale),
            m_creationOrder.end());
    }
    m_creationOrder.emplace_back(id, index);
}

/// Ends the record created first. Time never runs backwards here, so that is also the one with the
/// smallest First.
void
FlowCache::EvictOldest(TimeNs now)
{
    while (IsStale(m_creationOrder.front()))
    {
        m_creationOrder.pop_front();
    }
    const uint32_t index = m_creationOrder.front().second;
    m_creationOrder.pop_front();
    FlowEntry& entry = m_table.At(index);
    if (IsDeferred(entry))
    {
        CatchUp(entry, now);
        Resume(entry);
    }
    End(entry, EndReason::EVICTED);
    m_table.Remove(entry);
}

void
FlowCache::ArmFor(uint32_t index)
{
    FlowEntry& entry = m_table.At(index);
    entry.armedTick = static_cast<uint32_t>(m_wheel.Arm(DueTick(entry), index));
}

/// The first scan that comes strictly after the record's deadline.
int64_t
FlowCache::DueTick(const FlowEntry& entry) const
{
    return Deadline(entry) / m_config.scanInterval + 1;
}

EndReason
FlowCache::TimeoutReason(const FlowEntry& entry, TimeNs now) const
{
    return now - LastOf(entry) > m_config.idleTimeout ? EndReason::IDLE : EndReason::ACTIVE;
}

std::vector<FlowCache::Creation>
FlowCache::LiveInOrderOfCreation() const
{
    std::vector<Creation> live;
    live.reserve(m_table.GetSize());
    for (uint32_t index = 1; index < m_table.GetEnd(); ++index)
    {
        if (m_table.At(index).live)
        {
            live.emplace_back(m_table.At(index).id, index);
        }
    }
    std::sort(live.begin(), live.end());
    return live;
}

} // namespace netflow
