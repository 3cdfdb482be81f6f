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
constexpr uint32_t MAX_NUMBER_BITS = 27; // of 32; distance and a bit of the hash need the rest

} // namespace

FlowTable::FlowTable(MemoryAdvice advice)
    : m_advice(advice),
      m_entries(advice)
{
    if (!AllocateIndex(FIRST_NUMBER_BITS) || !m_entries.AddBlock())
    {
        throw std::bad_alloc();
    }
    m_entries[NO_ENTRY] = {};
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
    m_numberBits = numberBits;
    m_mask = (1U << numberBits) - 1;
    m_hashMask = ~((1U << (numberBits + DISTANCE_BITS)) - 1);
    return true;
}

/// Doubles the index. \return false, and nothing has changed, if that is impossible
bool
FlowTable::GrowIndex()
{
    if (m_numberBits == MAX_NUMBER_BITS || !AllocateIndex(m_numberBits + 1))
    {
        return false;
    }
    for (uint32_t number = 1; number < m_end; ++number)
    {
        if (m_entries[number].live)
        {
            Enter(number, Hash(m_entries[number].key));
        }
    }
    return true;
}

/// Puts an entry into the first free place from the one on that its hash names.
void
FlowTable::Enter(uint32_t number, uint32_t hash)
{
    uint32_t distance = 0;
    while (m_places[(hash + distance) & m_mask] != FREE)
    {
        ++distance;
    }
    m_places[(hash + distance) & m_mask] = (hash & m_hashMask) | Note(distance) | number;
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
    // At most half full: a key is half a place away on the average. Without memory it goes on
    // fuller.
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

/// How far behind the place that its hash names an entry's place is. \param at where it is
uint32_t
FlowTable::DistanceOf(uint32_t place, uint32_t at) const
{
    const uint32_t noted = place >> m_numberBits & FAR;
    return noted < FAR ? noted : (at - Hash(m_entries[place & m_mask].key)) & m_mask;
}

void
FlowTable::Remove(FlowEntry& entry)
{
    assert(entry.live);
    uint32_t gap = Hash(entry.key) & m_mask;
    while ((m_places[gap] & m_mask) != entry.number)
    {
        gap = (gap + 1) & m_mask;
    }
    // What is behind the gap and would not be found behind a free place moves into it.
    for (uint32_t at = (gap + 1) & m_mask; m_places[at] != FREE; at = (at + 1) & m_mask)
    {
        const uint32_t distance = DistanceOf(m_places[at], at);
        const uint32_t step = (at - gap) & m_mask;
        if (distance >= step)
        {
            m_places[gap] = (m_places[at] & ~Note(FAR)) | Note(distance - step);
            gap = at;
        }
    }
    m_places[gap] = FREE;
    entry.live = false;
    --m_size;
    m_unused = std::exchange(entry.number, m_unused);
}

} // namespace netflow
