// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The flow cache's memory: live flows by key.
 *
 * Entries of one cache line each lie one behind the other, in the order in which flows began as
 * long as none ends; they never move, so that others can refer to them by number. Which entry a key
 * has, an index tells: a hash table of four octets a place, so small that it stays in the
 * processor's caches when the entries do not. Besides the entry's number a place has bits of the
 * key's hash, so a packet of a known flow touches one entry, its own. A caller with several packets
 * at hand has their entries fetched beforehand. When records begin and end is the flow cache's
 * business.
 */
#ifndef NETFLOW_FLOW_TABLE_H
#define NETFLOW_FLOW_TABLE_H

#include "netflow/block-array.h"
#include "netflow/flow-key.h"
#include "netflow/large-memory.h"
#include "netflow/time.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace netflow
{

/// A live flow's record, or an unused entry. Filled in by the flow cache, but for key, live and
/// number.
struct alignas(64) FlowEntry
{
    FlowKey key;
    uint32_t packets;
    TimeNs first;
    TimeNs last;
    uint64_t id;
    uint32_t octets;
    uint32_t armedTick; // low bits of the tick at which the wheel refers to this entry
    uint32_t number;    // of this entry; of an unused one: of the next unused one
    uint16_t output;
    uint8_t tcpFlags;
    bool live;
};

static_assert(sizeof(FlowEntry) == 64, "one cache line per flow");

/// Entries by key.
class FlowTable
{
  public:
    /// \param advice of its memory; may be nullptr
    explicit FlowTable(MemoryAdvice advice);

    static constexpr uint32_t NO_ENTRY = 0; // entry 0 is never live

    FlowEntry& At(uint32_t number)
    {
        return m_entries[number];
    }

    const FlowEntry& At(uint32_t number) const
    {
        return m_entries[number];
    }

    /// \return the key's entry, or nullptr. \param hash of the key
    FlowEntry* Find(const FlowKey& key, uint32_t hash)
    {
        for (uint32_t at = hash;; ++at)
        {
            const uint32_t place = m_places[at & m_mask];
            if (place == FREE)
            {
                return nullptr;
            }
            if (IsLike(place, hash))
            {
                FlowEntry& entry = m_entries[place & m_mask];
                if (entry.key == key)
                {
                    return &entry;
                }
            }
        }
    }

    /// Asks for the place that Find() and Guess() read first.
    void PrefetchPlace(uint32_t hash) const
    {
        __builtin_prefetch(&m_places[hash & m_mask], 1);
    }

    /// The entry that a key most probably has if it has any, asked for; else NO_ENTRY.
    uint32_t Guess(uint32_t hash) const
    {
        for (uint32_t at = hash;; ++at)
        {
            const uint32_t place = m_places[at & m_mask];
            if (place == FREE)
            {
                return NO_ENTRY;
            }
            if (IsLike(place, hash))
            {
                PrefetchEntry(place & m_mask);
                return place & m_mask;
            }
        }
    }

    /// Whether a guess is right, however old it is.
    bool IsAt(uint32_t number, const FlowKey& key) const
    {
        return m_entries[number].key == key && m_entries[number].live;
    }

    /// Asks for an entry.
    void PrefetchEntry(uint32_t number) const
    {
        __builtin_prefetch(&m_entries[number], 1);
    }

    /// Makes an entry for a key that has none. \return NO_ENTRY if there is no memory
    uint32_t Insert(const FlowKey& key, uint32_t hash);

    /// Gives a live entry up.
    void Remove(FlowEntry& entry);

    /// Live entries.
    uint64_t GetSize() const
    {
        return m_size;
    }

    /// Numbers of entries are below this.
    uint32_t GetEnd() const
    {
        return m_end;
    }

  private:
    // A place holds an entry's number, in as many bits as number the places; in DISTANCE_BITS, how
    // far behind the place that the key's hash names it is; the highest bits of the hash. No
    // key is behind a free place.
    static constexpr uint32_t FREE = 0;
    static constexpr uint32_t DISTANCE_BITS = 4;
    static constexpr uint32_t FAR = (1U << DISTANCE_BITS) - 1; // this distance or a greater one

    /// Whether a place may be that of a key.
    bool IsLike(uint32_t place, uint32_t hash) const
    {
        return ((place ^ hash) & m_hashMask) == 0;
    }

    /// The bits of a distance in a place.
    uint32_t Note(uint32_t distance) const
    {
        return std::min(distance, FAR) << m_numberBits;
    }

    bool GrowIndex();
    bool AllocateIndex(uint32_t numberBits);
    void Enter(uint32_t number, uint32_t hash);
    uint32_t DistanceOf(uint32_t place, uint32_t at) const;
    uint32_t TakeEntry();

    const MemoryAdvice m_advice;
    LargeArray<uint32_t> m_places;
    uint32_t m_mask{0};       // places - 1; also of the bits of a number
    uint32_t m_hashMask{0};   // of the bits of the hash in a place
    uint32_t m_numberBits{0}; // in a place
    BlockArray<FlowEntry> m_entries;
    uint32_t m_end{1};           // of the used entries; entry 0 is none
    uint32_t m_unused{NO_ENTRY}; // chain of given-up entries, the latest one first
    uint64_t m_size{0};
};

} // namespace netflow

#endif // NETFLOW_FLOW_TABLE_H
