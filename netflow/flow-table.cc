// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-table.h"

#include <cassert>
#include <cstring>
#include <new>

namespace netflow
{

namespace
{

constexpr std::size_t FIRST_BUCKETS = 256;

} // namespace

FlowTable::FlowTable(MemoryAdvice advice)
    : m_advice(advice),
      m_buckets(MakeBuckets(FIRST_BUCKETS)),
      m_mask(FIRST_BUCKETS - 1)
{
    if (!m_buckets)
    {
        throw std::bad_alloc();
    }
}

/// Empty buckets; nullptr if there is no memory.
LargeArray<FlowTable::Bucket>
FlowTable::MakeBuckets(std::size_t count) const
{
    LargeArray<Bucket> buckets = AllocateArray<Bucket>(count, m_advice);
    if (buckets)
    {
        std::memset(buckets.get(), 0, count * sizeof(Bucket));
    }
    return buckets;
}

uint32_t
FlowTable::Insert(const FlowKey& key, uint32_t hash)
{
    // Three quarters full at the most as long as there is memory, and never quite full: a search
    // for what is not there must end.
    const uint64_t places = (m_mask + 1) * BUCKET_ENTRIES;
    if ((m_size + 1) * 4 > places * 3 && !Grow() && m_size + 1 == places)
    {
        return NO_ENTRY;
    }
    const uint32_t index = NewEntry();
    if (index != NO_ENTRY)
    {
        FlowEntry& entry = At(index);
        entry.key = key;
        entry.live = true;
        entry.link = hash;
        Enter(hash, index);
        ++m_size;
    }
    return index;
}

void
FlowTable::Remove(uint32_t index)
{
    FlowEntry& entry = At(index);
    assert(entry.live);
    Withdraw(entry.link, index);
    entry.live = false;
    entry.link = m_unused;
    m_unused = index;
    --m_size;
}

/// \return the number of an unused entry; NO_ENTRY if this machine has no memory for more
uint32_t
FlowTable::NewEntry()
{
    if (m_unused != NO_ENTRY)
    {
        const uint32_t index = m_unused;
        m_unused = At(index).link;
        return index;
    }
    if ((m_entries & (BLOCK_ENTRIES - 1)) == 0)
    {
        if (m_entries > NO_ENTRY - BLOCK_ENTRIES)
        {
            return NO_ENTRY;
        }
        // No advice for the first block: a host with few flows shall not have a large page.
        LargeArray<FlowEntry> block =
            AllocateArray<FlowEntry>(BLOCK_ENTRIES, m_entries == 0 ? nullptr : m_advice);
        if (!block)
        {
            return NO_ENTRY;
        }
        m_blocks.push_back(std::move(block));
    }
    return m_entries++;
}

void
FlowTable::Enter(uint32_t hash, uint32_t index)
{
    for (std::size_t number = hash & m_mask;; number = (number + 1) & m_mask)
    {
        Bucket& bucket = m_buckets[number];
        const uint64_t free = PlacesWith(bucket.tags, 0);
        if (free != 0)
        {
            const unsigned place = FirstPlace(free);
            bucket.tags |= TagOf(hash) << (place * TAG_BITS);
            bucket.entries[place] = index;
            return;
        }
        bucket.tags += ONE_PASSED;
    }
}

void
FlowTable::Withdraw(uint32_t hash, uint32_t index)
{
    for (std::size_t number = hash & m_mask;; number = (number + 1) & m_mask)
    {
        Bucket& bucket = m_buckets[number];
        for (unsigned place = 0; place < BUCKET_ENTRIES; ++place)
        {
            const uint64_t tag = uint64_t{0xff} << (place * TAG_BITS);
            if (bucket.entries[place] == index && (bucket.tags & tag) != 0)
            {
                bucket.tags &= ~tag;
                return;
            }
        }
        bucket.tags -= ONE_PASSED;
    }
}

/// \return false, and nothing has changed, if this machine has no memory for it
bool
FlowTable::Grow()
{
    const std::size_t count = (m_mask + 1) * 2;
    LargeArray<Bucket> buckets = MakeBuckets(count);
    if (!buckets)
    {
        return false;
    }
    m_buckets = std::move(buckets);
    m_mask = count - 1;
    for (uint32_t index = 0; index < m_entries; ++index)
    {
        const FlowEntry& entry = At(index);
        if (entry.live)
        {
            Enter(entry.link, index);
        }
    }
    return true;
}

} // namespace netflow
