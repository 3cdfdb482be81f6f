// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * A lazy timer wheel: which cache entries to look at in which scan.
 *
 * The flow cache arms an entry once, at the earliest tick at which its record could be due, and
 * does not move it when packets push the deadline away; the scan that finds it not yet due arms it
 * again. So a packet of a known flow costs no timer work, and an entry is looked at no more than
 * once per idle timeout.
 */
#ifndef NETFLOW_TIMER_WHEEL_H
#define NETFLOW_TIMER_WHEEL_H

#include "netflow/block-array.h"

#include <cstdint>
#include <vector>

namespace netflow
{

/// Buckets of 32-bit references, one bucket a tick, over a window of ticks after the last visited
/// one.
class TimerWheel
{
  public:
    /**
     * \param window ticks ahead that can be armed; rounded up to a power of two
     * \param advice of its memory; may be nullptr
     */
    explicit TimerWheel(uint64_t window, MemoryAdvice advice = nullptr);

    /**
     * Puts a reference into the bucket of a tick. A tick beyond the window is brought to its end:
     * the visitor looks, finds the entry not due, and arms it again. \param tick later than the
     * last visited tick \return the tick really used
     */
    int64_t Arm(int64_t tick, uint32_t reference);

    /// The earliest tick with a reference; NO_TICK if there is none.
    int64_t NextTick() const;

    /**
     * Empties the bucket of \p tick into \p references, in the order in which they were armed, and
     * advances to it. All earlier buckets must be empty.
     */
    void Take(int64_t tick, std::vector<uint32_t>& references);

    /// Moves the window on to begin after \p tick, if nothing is armed up to it.
    void Advance(int64_t tick);

    static constexpr int64_t NO_TICK = INT64_MAX;

  private:
    static constexpr uint32_t CHUNK_REFERENCES = 14; // with count and next: one cache line
    static constexpr uint32_t NO_CHUNK = UINT32_MAX;

    struct alignas(64) Chunk
    {
        uint32_t references[CHUNK_REFERENCES];
        uint32_t count;
        uint32_t next;
    };

    uint32_t NewChunk();
    int64_t FindNextTick() const;

    std::vector<uint32_t> m_buckets;  // last chunk of each bucket; its next one is the first
    std::vector<uint64_t> m_occupied; // one bit a bucket
    BlockArray<Chunk> m_chunks;
    uint32_t m_usedChunks{0}; // of m_chunks, from its beginning
    uint32_t m_freeChunk{NO_CHUNK};
    int64_t m_mask;
    int64_t m_now{-1};           // last visited tick
    int64_t m_nextTick{NO_TICK}; // earliest tick with a reference: callers ask once a packet
};

} // namespace netflow

#endif // NETFLOW_TIMER_WHEEL_H
