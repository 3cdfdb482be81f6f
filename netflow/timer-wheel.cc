// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/timer-wheel.h"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

namespace netflow
{

namespace
{

constexpr unsigned WORD_BITS = 64;

uint64_t
RoundUpToPowerOfTwo(uint64_t value)
{
    uint64_t power = WORD_BITS; // at least one word of occupancy bits
    while (power < value)
    {
        power *= 2;
    }
    return power;
}

} // namespace

TimerWheel::TimerWheel(uint64_t window, MemoryAdvice advice)
    : m_buckets(RoundUpToPowerOfTwo(window), NO_CHUNK),
      m_occupied(m_buckets.size() / WORD_BITS, 0),
      m_chunks(advice),
      m_mask(static_cast<int64_t>(m_buckets.size()) - 1)
{
}

int64_t
TimerWheel::Arm(int64_t tick, uint32_t reference)
{
    assert(tick > m_now);
    tick = std::min(tick, m_now + m_mask);
    const auto bucket = static_cast<uint64_t>(tick & m_mask);
    uint32_t& last = m_buckets[bucket];
    if (last == NO_CHUNK || m_chunks[last].count == CHUNK_REFERENCES)
    {
        const uint32_t added = NewChunk();
        m_chunks[added].next = last == NO_CHUNK ? added : std::exchange(m_chunks[last].next, added);
        last = added;
        m_occupied[bucket / WORD_BITS] |= uint64_t{1} << (bucket % WORD_BITS);
    }
    Chunk& chunk = m_chunks[last];
    chunk.references[chunk.count++] = reference;
    m_nextTick = std::min(m_nextTick, tick);
    return tick;
}

int64_t
TimerWheel::NextTick() const
{
    return m_nextTick;
}

int64_t
TimerWheel::FindNextTick() const
{
    // The window begins in the middle of a word: look at that word's upper part first and at its
    // lower part last.
    const auto start = static_cast<uint64_t>((m_now + 1) & m_mask);
    const uint64_t words = m_occupied.size();
    for (uint64_t step = 0; step <= words; ++step)
    {
        const uint64_t word = (start / WORD_BITS + step) % words;
        uint64_t bits = m_occupied[word];
        if (step == 0)
        {
            bits &= ~uint64_t{0} << (start % WORD_BITS);
        }
        if (bits != 0)
        {
            const uint64_t bucket = word * WORD_BITS + static_cast<uint64_t>(__builtin_ctzll(bits));
            return m_now + 1 + ((static_cast<int64_t>(bucket) - m_now - 1) & m_mask);
        }
    }
    return NO_TICK;
}

void
TimerWheel::Take(int64_t tick, std::vector<uint32_t>& references)
{
    assert(tick > m_now && NextTick() >= tick);
    m_now = tick;
    const auto bucket = static_cast<uint64_t>(tick & m_mask);
    const uint32_t last = m_buckets[bucket];
    if (last != NO_CHUNK)
    {
        const uint32_t first = m_chunks[last].next;
        m_chunks[last].next = NO_CHUNK;
        for (uint32_t index = first; index != NO_CHUNK; index = m_chunks[index].next)
        {
            const Chunk& chunk = m_chunks[index];
            references.insert(references.end(), chunk.references, chunk.references + chunk.count);
        }
        m_chunks[last].next = m_freeChunk;
        m_freeChunk = first;
    }
    m_buckets[bucket] = NO_CHUNK;
    m_occupied[bucket / WORD_BITS] &= ~(uint64_t{1} << (bucket % WORD_BITS));
    m_nextTick = FindNextTick();
}

void
TimerWheel::Advance(int64_t tick)
{
    if (tick > m_now && NextTick() > tick)
    {
        m_now = tick;
    }
}

uint32_t
TimerWheel::NewChunk()
{
    uint32_t index = m_freeChunk;
    if (index != NO_CHUNK)
    {
        m_freeChunk = m_chunks[index].next;
    }
    else
    {
        if (m_usedChunks == m_chunks.GetCapacity() && !m_chunks.AddBlock())
        {
            throw std::bad_alloc();
        }
        index = m_usedChunks++;
    }
    m_chunks[index].count = 0;
    return index;
}

} // namespace netflow
