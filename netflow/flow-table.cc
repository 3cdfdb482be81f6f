// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-table.h"

#include <cassert>
#include <new>
#include <utility>

namespace netflow
{

namespace
{

constexpr uint32_t FIRST_NUMBER_BITS = 9;
constexpr uint32_t MAX_NUMBER_BITS = 29; // of 32; one says "displaced", two are of the hash

} // namespace

FlowTable::FlowTable(MemoryAdvice advice, const HashSeed& seed)
    : m_advice(advice),
      m_seed(seed),
      m_entries(advice)
{
    if (!AllocateIndex(FIRST_NUMBER_BITS) || !m_entries.AddBlock())
    {
        throw std::bad_alloc();
    }
    m_entries[NO_ENTRY] = {};
    m_entries[NO_ENTRY].key.unused = 1; // no packet's key: free places may be taken for it
}

/// Makes an empty index. \return false, and nothing has changed, if there is no memory
bool
FlowTable::AllocateIndex(uint32_t numberBits)
{
    const std::size_t count = std::size_t{1} << numberBits;
    LargeArray<uint32_t> places = AllocateArray<uint32_t>(count, m_advice);
    if (!places)
    {
        return false;
    }
    std::fill_n(places.get(), count, FREE);
    m_places = std::move(places);
    m_displaced = 1U << numberBits;
    m_mask = m_displaced - 1;
    m_homeMask = m_mask & ~(IndexGroup::PLACES - 1);
    m_hashMask = ~(m_displaced | m_mask);
    return true;
}

/// Doubles the index. \return false, and nothing has changed, if that is impossible
bool
FlowTable::GrowIndex()
{
    const uint32_t numberBits = FirstOf(m_displaced);
    if (numberBits == MAX_NUMBER_BITS || !AllocateIndex(numberBits + 1))
    {
        return false;
    }
    for (uint32_t number = 1; number < m_end; ++number)
    {
        if (m_entries[number].live)
        {
            Enter(number, HashOf(m_entries[number].key));
        }
    }
    return true;
}

/// Puts an entry into the first group with a free place, from its home on.
void
FlowTable::Enter(uint32_t number, uint32_t hash)
{
    const uint32_t home = HomeOf(hash);
    uint32_t begin = home;
    uint32_t free = IndexGroup(&m_places[begin]).Matches(FREE, UINT32_MAX);
    while (free == 0)
    {
        begin = NextGroup(begin);
        free = IndexGroup(&m_places[begin]).Matches(FREE, UINT32_MAX);
    }
    const uint32_t displaced = begin == home ? 0 : m_displaced;
    m_places[begin + FirstOf(free)] = (hash & m_hashMask) | displaced | number;
}

/// The number of an unused entry; NO_ENTRY if there is no memory.
uint32_t
FlowTable::TakeEntry()
{
    if (m_unused != NO_ENTRY)
    {
        return std::exchange(m_unused, m_entries[m_unused].number);
    }
    if (m_end == m_entries.GetCapacity() && !m_entries.AddBlock())
    {
        return NO_ENTRY;
    }
    return m_end++;
}

uint32_t
FlowTable::Insert(const FlowKey& key, uint32_t hash)
{
    const uint64_t places = uint64_t{m_mask} + 1;
    // At most half full: nearly all keys are in their homes. Without memory it goes on fuller.
    const bool full = m_size >= places / 2 && !GrowIndex() && m_size >= places / 8 * 7;
    const uint32_t number = full ? NO_ENTRY : TakeEntry();
    if (number != NO_ENTRY)
    {
        FlowEntry& entry = m_entries[number];
        entry.key = key;
        entry.live = true;
        entry.number = number;
        Enter(number, hash);
        ++m_size;
    }
    return number;
}

/// Where the index has an entry.
uint32_t
FlowTable::PlaceOf(const FlowEntry& entry) const
{
    uint32_t begin = HomeOf(HashOf(entry.key));
    uint32_t found = IndexGroup(&m_places[begin]).Matches(entry.number, m_mask);
    while (found == 0)
    {
        begin = NextGroup(begin);
        found = IndexGroup(&m_places[begin]).Matches(entry.number, m_mask);
    }
    return begin + FirstOf(found);
}

/// The nearest place behind a full group whose entry would be in that group but for lack of room,
/// and so would not be found were it not full; \p gap, which is in it, if there is none.
uint32_t
FlowTable::FindDisplaced(uint32_t gap) const
{
    const uint32_t full = HomeOf(gap);
    for (uint32_t begin = NextGroup(full);; begin = NextGroup(begin))
    {
        const IndexGroup group(&m_places[begin]);
        for (uint32_t displaced = group.Matches(m_displaced, m_displaced); displaced != 0;
             displaced &= displaced - 1)
        {
            const uint32_t at = begin + FirstOf(displaced);
            const uint32_t home = HomeOf(HashOf(m_entries[m_places[at] & m_mask].key));
            if (((begin - home) & m_mask) >= ((begin - full) & m_mask))
            {
                return at;
            }
        }
        if (HasFree(group))
        {
            return gap;
        }
    }
}

void
FlowTable::Remove(FlowEntry& entry)
{
    assert(entry.live);
    uint32_t gap = PlaceOf(entry);
    while (!HasFree(IndexGroup(&m_places[HomeOf(gap)])))
    {
        const uint32_t from = FindDisplaced(gap);
        if (from == gap)
        {
            break;
        }
        const uint32_t number = m_places[from] & m_mask;
        const uint32_t hash = HashOf(m_entries[number].key);
        const uint32_t displaced = HomeOf(hash) == HomeOf(gap) ? 0 : m_displaced;
        m_places[gap] = (hash & m_hashMask) | displaced | number;
        gap = from;
    }
    m_places[gap] = FREE;
    entry.live = false;
    --m_size;
    m_unused = std::exchange(entry.number, m_unused);
}

} // namespace netflow
