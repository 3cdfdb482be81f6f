// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-table.h"

#include <cassert>
#include <cstring>
#include <new>
#include <utility>

namespace netflow
{

namespace
{

constexpr uint32_t FIRST_PLACES = 256;
constexpr uint32_t MAX_PLACES = 1U << 31; // with the overflow area: numbers of 32 bits

} // namespace

FlowTable::FlowTable(MemoryAdvice advice)
    : m_advice(advice)
{
    if (!Allocate(FIRST_PLACES))
    {
        throw std::bad_alloc();
    }
}

/// Makes an empty table. \return false, and nothing has changed, if there is no memory
bool
FlowTable::Allocate(uint32_t places)
{
    // With as many flows as places e^-1 = 0.37 of them overflow.
    const uint32_t capacity = places + places / 2;
    LargeArray<FlowEntry> entries = AllocateArray<FlowEntry>(capacity, m_advice);
    if (!entries)
    {
        return false;
    }
    std::memset(static_cast<void*>(entries.get()), 0, places * sizeof(FlowEntry));
    m_entries = std::move(entries);
    m_mask = places - 1;
    m_capacity = capacity;
    m_end = places;
    m_unused = 0;
    m_size = 0;
    m_crowd = uint64_t{places} * 9 / 10;
    return true;
}

FlowTable::Renumbering
FlowTable::Grow()
{
    const uint32_t places = m_mask + 1;
    Renumbering grown;
    grown.m_end = m_end;
    grown.m_old = std::move(m_entries);
    if (places == MAX_PLACES || !Allocate(places * 2))
    {
        m_entries = std::move(grown.m_old);
        return grown;
    }
    constexpr uint32_t AHEAD = 16; // places on their way from memory
    for (uint32_t index = 0; index < grown.m_end; ++index)
    {
        if (index + AHEAD < grown.m_end)
        {
            PrefetchPlace(Hash(grown.m_old[index + AHEAD].key));
        }
        FlowEntry& old = grown.m_old[index];
        if (old.live)
        {
            const uint32_t number = Insert(old.key, Hash(old.key));
            FlowEntry& entry = m_entries[number];
            const uint32_t link = entry.link;
            entry = old;
            entry.link = link;
            old.link = number;
        }
    }
    return grown;
}

uint32_t
FlowTable::Insert(const FlowKey& key, uint32_t hash)
{
    uint32_t index = hash & m_mask;
    FlowEntry& place = m_entries[index];
    if (place.live)
    {
        if (m_unused != 0)
        {
            index = std::exchange(m_unused, m_entries[m_unused].link);
        }
        else if (m_end < m_capacity)
        {
            index = m_end++;
        }
        else
        {
            return NO_ENTRY;
        }
        m_entries[index].link = std::exchange(place.link, index);
    }
    m_entries[index].key = key;
    m_entries[index].live = true;
    ++m_size;
    return index;
}

void
FlowTable::Remove(uint32_t index)
{
    FlowEntry& entry = m_entries[index];
    assert(entry.live);
    entry.live = false;
    --m_size;
    if (index > m_mask) // a place keeps its link: its chain lives on
    {
        uint32_t before = Hash(entry.key) & m_mask;
        while (m_entries[before].link != index)
        {
            before = m_entries[before].link;
        }
        m_entries[before].link = entry.link;
        entry.link = std::exchange(m_unused, index);
    }
}

} // namespace netflow
