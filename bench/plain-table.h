// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The measure of the flow cache: a linear-probing table of 64-octet entries that counts packets
 * and does nothing else. No timeouts, no growth, no removal, no identity of records; at most half
 * full; in large pages. It takes its hash and its comparison of keys from its user: PlainKeys are
 * plain ones, CacheKeys those of the flow cache, which took some pains.
 */
#ifndef BENCH_PLAIN_TABLE_H
#define BENCH_PLAIN_TABLE_H

#include "netflow/flow-cache.h"

#include <cstring>
#include <sys/mman.h>

namespace bench
{

/// As runner/probe/huge-pages does it.
inline void
AdviseHugePages(void* memory, std::size_t octets)
{
    madvise(memory, octets, MADV_HUGEPAGE);
}

/// Compared as three numbers; two multiplications.
struct PlainKeys
{
    static bool AreEqual(const netflow::FlowKey& a, const netflow::FlowKey& b)
    {
        const netflow::FlowKeyWords left(a);
        const netflow::FlowKeyWords right(b);
        return ((left.first ^ right.first) | (left.second ^ right.second) |
                (left.tail ^ right.tail)) == 0;
    }

    static uint32_t Hash(const netflow::FlowKey& key)
    {
        const netflow::FlowKeyWords words(key);
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(words.first ^ 0xa0761d6478bd642f) *
                             (words.second ^ 0xe7037ed1a0b428db ^ words.tail);
        uint64_t hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
        hash = (hash ^ words.tail) * 0x9e3779b97f4a7c15;
        return static_cast<uint32_t>(hash >> 32);
    }
};

struct CacheKeys
{
    static bool AreEqual(const netflow::FlowKey& a, const netflow::FlowKey& b)
    {
        return a == b;
    }

    static uint32_t Hash(const netflow::FlowKey& key)
    {
        static const netflow::HashSeed SEED = netflow::ProcessHashSeed();
        return netflow::Hash(key, SEED);
    }
};

template <typename Keys>
class PlainTable
{
  public:
    explicit PlainTable(std::size_t flows)
    {
        std::size_t size = 1024;
        while (size < 2 * flows)
        {
            size *= 2;
        }
        m_entries = netflow::AllocateArray<Entry>(size, AdviseHugePages);
        std::memset(static_cast<void*>(m_entries.get()), 0, size * sizeof(Entry));
        m_mask = size - 1;
    }

    void Prefetch(uint32_t hash) const
    {
        __builtin_prefetch(&m_entries[hash & m_mask], 1);
    }

    void Count(const netflow::PacketSummary& packet, uint32_t hash, int64_t now)
    {
        for (std::size_t position = hash & m_mask;; position = (position + 1) & m_mask)
        {
            Entry& entry = m_entries[position];
            if (entry.packets == 0)
            {
                entry.key = packet.key;
                entry.first = now;
            }
            else if (!Keys::AreEqual(entry.key, packet.key))
            {
                continue;
            }
            ++entry.packets;
            entry.octets += packet.octets;
            entry.last = now;
            entry.flags |= packet.tcpFlags;
            return;
        }
    }

  private:
    struct alignas(64) Entry
    {
        netflow::FlowKey key;
        uint32_t flags;
        uint64_t packets;
        uint64_t octets;
        int64_t first;
        int64_t last;
    };

    netflow::LargeArray<Entry> m_entries;
    std::size_t m_mask;
};

} // namespace bench

#endif // BENCH_PLAIN_TABLE_H
