// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The flow cache's memory: live flows by key.
 *
 * Entries of one cache line each lie one behind the other, in the order in which flows began as
 * long as none ends; they never move, so that others can refer to them by number. An index finds
 * the entry of a key: a hash table of four octets a place, so small that it stays in the
 * processor's caches when the entries do not. Besides the entry's number a place has bits of the
 * key's hash, so a packet of a known flow touches one entry, its own. A caller with several packets
 * at hand has their entries fetched beforehand. For one with a single packet the way to a known
 * flow is short: the fewer instructions wait for memory, the more packets the processor begins
 * meanwhile. When records begin and end is the flow cache's business.
 */
#ifndef NETFLOW_FLOW_TABLE_H
#define NETFLOW_FLOW_TABLE_H

#include "netflow/block-array.h"
#include "netflow/flow-key.h"
#include "netflow/index-group.h"
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
    explicit FlowTable(MemoryAdvice advice, const HashSeed& seed = ProcessHashSeed());

    /// The hash that the functions below want of a key.
    uint32_t HashOf(const FlowKey& key) const
    {
        return Hash(key, m_seed);
    }

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
        for (uint32_t begin = HomeOf(hash);; begin = NextGroup(begin))
        {
            const IndexGroup group(&m_places[begin]);
            for (uint32_t like = group.Matches(hash, m_hashMask); like != 0; like &= like - 1)
            {
                FlowEntry& entry = m_entries[group.At(FirstOf(like)) & m_mask];
                if (entry.key == key)
                {
                    return &entry;
                }
            }
            if (HasFree(group))
            {
                return nullptr;
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
        for (uint32_t begin = HomeOf(hash);; begin = NextGroup(begin))
        {
            const IndexGroup group(&m_places[begin]);
            const uint32_t like = group.Matches(hash, m_hashMask);
            if (like != 0)
            {
                const uint32_t number = group.At(FirstOf(like)) & m_mask;
                PrefetchEntry(number);
                return number;
            }
            if (HasFree(group))
            {
                return NO_ENTRY;
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
    // A place holds an entry's number, in as many bits as number the places; a bit that says that
    // the entry is in a group behind its home, the one that the key's hash names; the highest bits
    // of the hash. A key is in its home or, if that is full, in the next group, and so on: no key
    // is behind a group that has a free place.
    static constexpr uint32_t FREE = 0;

    /// The first place of the group that a hash names.
    uint32_t HomeOf(uint32_t hash) const
    {
        return hash & m_homeMask;
    }

    uint32_t NextGroup(uint32_t begin) const
    {
        return (begin + IndexGroup::PLACES) & m_mask;
    }

    static uint32_t FirstOf(uint32_t matches)
    {
        return static_cast<uint32_t>(__builtin_ctz(matches));
    }

    static bool HasFree(const IndexGroup& group)
    {
        return group.Matches(FREE, UINT32_MAX) != 0;
    }

    bool GrowIndex();
    bool AllocateIndex(uint32_t numberBits);
    void Enter(uint32_t number, uint32_t hash);
    uint32_t PlaceOf(const FlowEntry& entry) const;
    uint32_t FindDisplaced(uint32_t gap) const;
    uint32_t TakeEntry();

    const MemoryAdvice m_advice;
    const HashSeed m_seed;
    LargeArray<uint32_t> m_places;
    uint32_t m_mask{0};      // places - 1; also of the bits of a number
    uint32_t m_homeMask{0};  // of the bits of a hash that name a group
    uint32_t m_displaced{0}; // the bit of a place whose entry is not in its home
    uint32_t m_hashMask{0};  // of the bits of the hash in a place
    BlockArray<FlowEntry> m_entries;
    uint32_t m_end{1};           // of the used entries; entry 0 is none
    uint32_t m_unused{NO_ENTRY}; // chain of given-up entries, the latest one first
    uint64_t m_size{0};
};

} // namespace netflow

#endif // NETFLOW_FLOW_TABLE_H
