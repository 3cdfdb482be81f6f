// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-cache.h"

#include <algorithm>
#include <cassert>
#include <new>

namespace netflow
{

namespace
{

constexpr uint8_t TCP_FIN_OR_RST = 0x01 | 0x04;
constexpr uint64_t COUNTER_MAX = UINT32_MAX; // dPkts and dOctets are 32 bits wide
constexpr std::size_t FIRST_SLOTS = 1024;
constexpr uint64_t MAX_WHEEL_TICKS = 1 << 16; // a longer timeout is armed in several steps

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

uint64_t
MakeSlot(uint32_t hash, uint32_t index)
{
    return static_cast<uint64_t>(hash) << 32 | (index + 1U);
}

uint32_t
SlotHash(uint64_t slot)
{
    return static_cast<uint32_t>(slot >> 32);
}

uint32_t
SlotEntry(uint64_t slot)
{
    return static_cast<uint32_t>(slot) - 1U;
}

} // namespace

const char*
ToString(EndReason reason)
{
    static const char* const NAMES[END_REASONS] =
        {"idle", "active", "tcp_end", "evicted", "split", "stopped"};
    return NAMES[static_cast<unsigned>(reason)];
}

FlowCache::FlowCache(const FlowCacheConfig& config, Heap& heap, EndedRecordSink& sink)
    : m_config(Bounded(config)),
      m_heap(heap),
      m_sink(sink),
      m_slots(FIRST_SLOTS, 0),
      m_nextId(config.firstRecordId),
      m_wheel(WheelTicks(m_config))
{
    assert(config.idleTimeout > 0 && config.activeTimeout > 0 && config.scanInterval > 0);
}

FlowCache::~FlowCache()
{
    m_heap.Free(m_size * m_config.heapPerRecord);
}

AccountResult
FlowCache::Account(const PacketSummary& packet, uint16_t output, TimeNs now)
{
    const uint32_t hash = Hash(packet.key);
    const uint32_t index = Find(packet.key, hash);
    if (index == NO_ENTRY)
    {
        return AccountNew(packet, hash, output, now);
    }
    Entry& entry = EntryAt(index);
    AccountResult result = AccountResult::COUNTED;
    if (now > Deadline(entry))
    {
        End(entry, TimeoutReason(entry, now));
        Begin(index, packet, output, now);
        result = AccountResult::COUNTED_NEW;
    }
    else if (entry.packets == COUNTER_MAX || entry.octets > COUNTER_MAX - packet.octets)
    {
        End(entry, EndReason::SPLIT);
        Begin(index, packet, output, now);
        result = AccountResult::COUNTED_NEW;
    }
    else
    {
        ++entry.packets;
        entry.octets += packet.octets;
        entry.last = now;
        entry.tcpFlags |= packet.tcpFlags;
    }
    if (m_config.expireOnTcpEnd && (packet.tcpFlags & TCP_FIN_OR_RST) != 0)
    {
        EndAndRemove(index, EndReason::TCP_END);
    }
    return result;
}

AccountResult
FlowCache::AccountNew(const PacketSummary& packet, uint32_t hash, uint16_t output, TimeNs now)
{
    const AccountResult room = MakeRoom();
    if (room != AccountResult::COUNTED_NEW)
    {
        return room;
    }
    const uint32_t index = NewEntry();
    if (index == NO_ENTRY)
    {
        m_heap.Free(m_config.heapPerRecord);
        return AccountResult::SHED_NO_MEMORY;
    }
    if (m_size == 0)
    {
        Scan(now); // nothing ends, but the wheel's window comes up to the present
    }
    ++m_size;
    m_highWater = std::max(m_highWater, m_size);
    EntryAt(index).key = packet.key;
    EntryAt(index).live = true;
    Begin(index, packet, output, now);
    InsertSlot(hash, index);
    ArmFor(index);
    if (m_config.expireOnTcpEnd && (packet.tcpFlags & TCP_FIN_OR_RST) != 0)
    {
        EndAndRemove(index, EndReason::TCP_END);
    }
    return AccountResult::COUNTED_NEW;
}

/// Charges the heap for one more record, if need be with what the evicted record gives back.
AccountResult
FlowCache::MakeRoom()
{
    const bool full = m_config.maxEntries != 0 && m_size >= m_config.maxEntries;
    if (!full && m_heap.Allocate(m_config.heapPerRecord))
    {
        return AccountResult::COUNTED_NEW;
    }
    if (m_config.policy == CachePolicy::DROP_NEW || m_size == 0)
    {
        return full ? AccountResult::SHED_CACHE_FULL : AccountResult::SHED_NO_MEMORY;
    }
    // The new record takes over the evicted one's charge: under a limit that was lowered below the
    // use, freeing one record would not make an allocation succeed.
    EvictOldest();
    return AccountResult::COUNTED_NEW;
}

void
FlowCache::Scan(TimeNs now)
{
    const int64_t tick = now / m_config.scanInterval;
    m_due.clear();
    while (m_wheel.NextTick() <= tick)
    {
        const int64_t visited = m_wheel.NextTick();
        m_references.clear();
        m_wheel.Take(visited, m_references);
        for (uint32_t index : m_references)
        {
            const Entry& entry = EntryAt(index);
            // A reference is stale when its entry was freed, or is now another record's, armed at
            // another tick.
            if (!entry.live || entry.armedTick != static_cast<uint32_t>(visited))
            {
                continue;
            }
            if (DueTick(entry) <= tick)
            {
                m_due.push_back(index);
            }
            else
            {
                ArmFor(index);
            }
        }
    }
    m_wheel.Advance(tick);
    std::sort(m_due.begin(), m_due.end(), [this](uint32_t a, uint32_t b) {
        return EntryAt(a).id < EntryAt(b).id;
    });
    m_due.erase(std::unique(m_due.begin(), m_due.end()), m_due.end());
    for (uint32_t index : m_due)
    {
        EndAndRemove(index, TimeoutReason(EntryAt(index), now));
    }
}

TimeNs
FlowCache::NextScan() const
{
    return m_size == 0 ? NEVER : m_wheel.NextTick() * m_config.scanInterval;
}

void
FlowCache::Stop(uint16_t vSwitch)
{
    for (uint32_t index : LiveInOrderOfCreation())
    {
        if (EntryAt(index).key.vSwitch == vSwitch)
        {
            EndAndRemove(index, EndReason::STOPPED);
        }
    }
}

uint64_t
FlowCache::GetSize() const
{
    return m_size;
}

uint64_t
FlowCache::GetHighWater() const
{
    return m_highWater;
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
FlowCache::ToRecord(const Entry& entry)
{
    FlowRecord record;
    record.key = entry.key;
    record.output = entry.output;
    record.tcpFlags = entry.tcpFlags;
    record.packets = entry.packets;
    record.octets = entry.octets;
    record.first = entry.first;
    record.last = entry.last;
    record.id = entry.id;
    return record;
}

uint32_t
FlowCache::Find(const FlowKey& key, uint32_t hash) const
{
    const std::size_t mask = m_slots.size() - 1;
    for (std::size_t position = hash & mask;; position = (position + 1) & mask)
    {
        const uint64_t slot = m_slots[position];
        if (slot == 0)
        {
            return NO_ENTRY;
        }
        if (SlotHash(slot) == hash && EntryAt(SlotEntry(slot)).key == key)
        {
            return SlotEntry(slot);
        }
    }
}

/// \return the number of an unused entry; NO_ENTRY if this machine has no memory for more
uint32_t
FlowCache::NewEntry()
{
    if (m_freeEntry != NO_ENTRY)
    {
        const uint32_t index = m_freeEntry;
        m_freeEntry = EntryAt(index).nextFree;
        return index;
    }
    if ((m_entries & (ENTRIES_PER_BLOCK - 1)) == 0)
    {
        std::unique_ptr<Entry[]> block(new (std::nothrow) Entry[ENTRIES_PER_BLOCK]);
        if (!block || m_entries > NO_ENTRY - ENTRIES_PER_BLOCK)
        {
            return NO_ENTRY;
        }
        m_blocks.push_back(std::move(block));
    }
    return m_entries++;
}

/// Starts a record with its first packet in an entry whose key is set.
void
FlowCache::Begin(uint32_t index, const PacketSummary& packet, uint16_t output, TimeNs now)
{
    Entry& entry = EntryAt(index);
    entry.output = output;
    entry.tcpFlags = packet.tcpFlags;
    entry.packets = 1;
    entry.octets = packet.octets;
    entry.first = now;
    entry.last = now;
    entry.id = m_nextId++;
    if (m_config.policy != CachePolicy::DROP_NEW)
    {
        RememberCreation(index, entry.id);
    }
}

void
FlowCache::End(const Entry& entry, EndReason reason)
{
    FlowRecord record = ToRecord(entry);
    record.reason = reason;
    m_sink.RecordEnded(record);
}

void
FlowCache::EndAndRemove(uint32_t index, EndReason reason)
{
    End(EntryAt(index), reason);
    Remove(index);
    m_heap.Free(m_config.heapPerRecord);
}

void
FlowCache::Remove(uint32_t index)
{
    Entry& entry = EntryAt(index);
    RemoveSlot(Hash(entry.key), index);
    entry.live = false;
    entry.nextFree = m_freeEntry;
    m_freeEntry = index;
    --m_size;
}

bool
FlowCache::IsStale(const Creation& creation) const
{
    const Entry& entry = EntryAt(creation.first);
    return !entry.live || entry.id != creation.second;
}

void
FlowCache::RememberCreation(uint32_t index, uint64_t id)
{
    if (m_creationOrder.size() > 2 * m_size + FIRST_SLOTS)
    {
        const auto isStale = [this](const Creation& creation) { return IsStale(creation); };
        m_creationOrder.erase(
            std::remove_if(m_creationOrder.begin(), m_creationOrder.end(), isStale),
            m_creationOrder.end());
    }
    m_creationOrder.emplace_back(index, id);
}

/// Ends the record created first. Time never runs backwards here, so that is also the one with the
/// smallest First.
void
FlowCache::EvictOldest()
{
    while (IsStale(m_creationOrder.front()))
    {
        m_creationOrder.pop_front();
    }
    const uint32_t index = m_creationOrder.front().first;
    m_creationOrder.pop_front();
    End(EntryAt(index), EndReason::EVICTED);
    Remove(index);
}

void
FlowCache::ArmFor(uint32_t index)
{
    Entry& entry = EntryAt(index);
    entry.armedTick = static_cast<uint32_t>(m_wheel.Arm(DueTick(entry), index));
}

/// The last instant at which a packet still belongs to the record.
TimeNs
FlowCache::Deadline(const Entry& entry) const
{
    return std::min(entry.last + m_config.idleTimeout, entry.first + m_config.activeTimeout);
}

/// The first scan that comes strictly after the record's deadline.
int64_t
FlowCache::DueTick(const Entry& entry) const
{
    return Deadline(entry) / m_config.scanInterval + 1;
}

EndReason
FlowCache::TimeoutReason(const Entry& entry, TimeNs now) const
{
    return now - entry.last > m_config.idleTimeout ? EndReason::IDLE : EndReason::ACTIVE;
}

std::vector<uint32_t>
FlowCache::LiveInOrderOfCreation() const
{
    std::vector<uint32_t> live;
    live.reserve(m_size);
    for (uint32_t index = 0; index < m_entries; ++index)
    {
        if (EntryAt(index).live)
        {
            live.push_back(index);
        }
    }
    std::sort(live.begin(), live.end(), [this](uint32_t a, uint32_t b) {
        return EntryAt(a).id < EntryAt(b).id;
    });
    return live;
}

void
FlowCache::InsertSlot(uint32_t hash, uint32_t index)
{
    if (m_size * 4 > m_slots.size() * 3)
    {
        GrowSlots();
    }
    const std::size_t mask = m_slots.size() - 1;
    std::size_t position = hash & mask;
    while (m_slots[position] != 0)
    {
        position = (position + 1) & mask;
    }
    m_slots[position] = MakeSlot(hash, index);
}

void
FlowCache::RemoveSlot(uint32_t hash, uint32_t index)
{
    const std::size_t mask = m_slots.size() - 1;
    std::size_t hole = hash & mask;
    while (m_slots[hole] != MakeSlot(hash, index))
    {
        hole = (hole + 1) & mask;
    }
    // Pull later slots of the run back over the hole unless that would put one before its home
    // position.
    for (std::size_t next = (hole + 1) & mask; m_slots[next] != 0; next = (next + 1) & mask)
    {
        const std::size_t home = SlotHash(m_slots[next]) & mask;
        if (((next - home) & mask) >= ((next - hole) & mask))
        {
            m_slots[hole] = m_slots[next];
            hole = next;
        }
    }
    m_slots[hole] = 0;
}

void
FlowCache::GrowSlots()
{
    std::vector<uint64_t> old(m_slots.size() * 2, 0);
    old.swap(m_slots);
    const std::size_t mask = m_slots.size() - 1;
    for (uint64_t slot : old)
    {
        if (slot != 0)
        {
            std::size_t position = SlotHash(slot) & mask;
            while (m_slots[position] != 0)
            {
                position = (position + 1) & mask;
            }
            m_slots[position] = slot;
        }
    }
}

} // namespace netflow
