// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The flow cache's memory: live flows by key.
 *
 * An index of small buckets over entries of one cache line each, which never move. A packet of a
 * known flow touches its bucket and its entry, nothing else; a caller with several packets at hand
 * has both fetched beforehand. When records begin and end is the flow cache's business.
 *
 * A bucket is half a cache line: the numbers of six entries, and a tag of eight bits of the hash
 * for each, compared all at once. So the way to the right entry has no branch that a processor
 * cannot foresee, and the misses of consecutive packets overlap. A flow whose bucket is full goes
 * to the next one that is not; the buckets passed over count it, so that a search knows where to
 * stop. (The scheme is that of folly's F14.)
 */
#ifndef NETFLOW_FLOW_TABLE_H
#define NETFLOW_FLOW_TABLE_H

#include "netflow/flow-key.h"
#include "netflow/large-memory.h"
#include "netflow/time.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace netflow
{

/// A live flow's record, or an unused place. Set up by the flow cache, except for key, live and
/// link.
struct alignas(64) FlowEntry
{
    FlowKey key;
    uint16_t output;
    uint8_t tcpFlags;
    bool live;
    uint32_t packets;
    uint32_t octets;
    TimeNs first;
    TimeNs last;
    uint64_t id;
    uint32_t armedTick; // low bits of the tick at which the wheel refers to this entry
    uint32_t link;      // live: hash of the key; else: the next unused entry
};

static_assert(sizeof(FlowEntry) == 64, "one cache line per flow");

/// Entries by key.
class FlowTable
{
  public:
    /// \param advice of its memory; may be nullptr
    explicit FlowTable(MemoryAdvice advice);

    static constexpr uint32_t NO_ENTRY = UINT32_MAX;

    FlowEntry& At(uint32_t index)
    {
        return m_blocks[index >> BLOCK_BITS][index & (BLOCK_ENTRIES - 1)];
    }

    const FlowEntry& At(uint32_t index) const
    {
        return m_blocks[index >> BLOCK_BITS][index & (BLOCK_ENTRIES - 1)];
    }

    /// \return the number of the key's entry, or NO_ENTRY. \param hash of the key
    uint32_t Find(const FlowKey& key, uint32_t hash) const
    {
        return FindIf(hash, [&](uint32_t index) { return At(index).key == key; });
    }

    /// The entry that a key with this hash most probably has, found without touching an entry.
    uint32_t Guess(uint32_t hash) const
    {
        return FindIf(hash, [](uint32_t) { return true; });
    }

    /// Whether a guess is right.
    bool IsAt(uint32_t index, const FlowKey& key) const
    {
        return index != NO_ENTRY && At(index).live && At(index).key == key;
    }

    /// Asks for the bucket that Find() or Guess() will read first.
    void PrefetchBucket(uint32_t hash) const
    {
        __builtin_prefetch(&m_buckets[hash & m_mask]);
    }

    /// Asks for an entry.
    void PrefetchEntry(uint32_t index) const
    {
        __builtin_prefetch(&At(index), 1);
    }

    /// Makes an entry for a key that has none. \return NO_ENTRY if this machine has no memory for
    /// it
    uint32_t Insert(const FlowKey& key, uint32_t hash);

    /// Gives a live entry up.
    void Remove(uint32_t index);

    /// Live entries.
    uint64_t GetSize() const
    {
        return m_size;
    }

    /// Numbers of entries are below this.
    uint32_t GetEnd() const
    {
        return m_entries;
    }

  private:
    static constexpr uint32_t BLOCK_BITS = 15; // 2 MiB
    static constexpr uint32_t BLOCK_ENTRIES = 1U << BLOCK_BITS;

    static constexpr unsigned BUCKET_ENTRIES = 6;
    static constexpr uint64_t EACH_TAG = 0x010101010101;
    static constexpr unsigned TAG_BITS = 8;
    static constexpr unsigned PASSED_SHIFT = BUCKET_ENTRIES * TAG_BITS;
    static constexpr uint64_t ONE_PASSED = uint64_t{1} << PASSED_SHIFT;

    struct Bucket
    {
        uint64_t tags; // of each entry, 0: none; above them: how many flows passed by
        uint32_t entries[BUCKET_ENTRIES];
    };

    static_assert(sizeof(Bucket) == 32, "half a cache line");

    /// Not 0. The low bits of the hash choose the bucket.
    static uint64_t TagOf(uint32_t hash)
    {
        const uint64_t tag = hash >> (32 - TAG_BITS);
        return tag == 0 ? 1 : tag;
    }

    /// The highest bit of each place of a bucket whose tag is this one. A place above one that has
    /// it may be found, too, without having it.
    static uint64_t PlacesWith(uint64_t tags, uint64_t tag)
    {
        const uint64_t difference = (tags ^ (tag * EACH_TAG)) & (ONE_PASSED - 1);
        return (difference - EACH_TAG) & ~difference & (EACH_TAG << (TAG_BITS - 1));
    }

    static unsigned FirstPlace(uint64_t places)
    {
        return static_cast<unsigned>(__builtin_ctzll(places)) / TAG_BITS;
    }

    template <typename Accept>
    uint32_t FindIf(uint32_t hash, Accept accept) const
    {
        const uint64_t tag = TagOf(hash);
        for (std::size_t number = hash & m_mask;; number = (number + 1) & m_mask)
        {
            const Bucket& bucket = m_buckets[number];
            for (uint64_t places = PlacesWith(bucket.tags, tag); places != 0; places &= places - 1)
            {
                const uint32_t index = bucket.entries[FirstPlace(places)];
                if (accept(index))
                {
                    return index;
                }
            }
            if (bucket.tags < ONE_PASSED)
            {
                return NO_ENTRY;
            }
        }
    }

    LargeArray<Bucket> MakeBuckets(std::size_t count) const;
    uint32_t NewEntry();
    void Enter(uint32_t hash, uint32_t index);
    void Withdraw(uint32_t hash, uint32_t index);
    bool Grow();

    const MemoryAdvice m_advice;
    LargeArray<Bucket> m_buckets;
    std::size_t m_mask; // buckets - 1
    std::vector<LargeArray<FlowEntry>> m_blocks;
    uint32_t m_entries{0}; // entries ever made
    uint32_t m_unused{NO_ENTRY};
    uint64_t m_size{0};
};

} // namespace netflow

#endif // NETFLOW_FLOW_TABLE_H
