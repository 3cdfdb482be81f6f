// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * What the flow cache is measured against: a linear-probing table of 64-octet entries that counts
 * and does nothing else. No timeouts, no growth, no removal, no identity of records; at most half
 * full; in large pages.
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
            else if (entry.key != packet.key)
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
