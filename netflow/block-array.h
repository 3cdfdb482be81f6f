// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * An array that grows without moving or copying: what is in it keeps its number and address, and
 * memory is taken for what is there, not for twice of it. The flow table has its entries in one,
 * the timer wheel its chunks. New elements are not initialised.
 */
#ifndef NETFLOW_BLOCK_ARRAY_H
#define NETFLOW_BLOCK_ARRAY_H

#include "netflow/large-memory.h"

#include <cstdint>
#include <vector>

namespace netflow
{

/// Objects of one cache line each, in blocks of one large page each.
template <typename T>
class BlockArray
{
  public:
    /// \param advice of its memory; may be nullptr
    explicit BlockArray(MemoryAdvice advice)
        : m_advice(advice)
    {
    }

    T& operator[](uint32_t index)
    {
        return m_blocks[index / PER_BLOCK][index % PER_BLOCK];
    }

    const T& operator[](uint32_t index) const
    {
        return m_blocks[index / PER_BLOCK][index % PER_BLOCK];
    }

    /// Makes room for PER_BLOCK more objects. \return false if this machine has no memory for it
    bool AddBlock()
    {
        LargeArray<T> block = AllocateArray<T>(PER_BLOCK, m_advice);
        if (!block)
        {
            return false;
        }
        m_blocks.push_back(std::move(block));
        return true;
    }

    /// How many objects there is room for.
    uint64_t GetCapacity() const
    {
        return uint64_t{m_blocks.size()} * PER_BLOCK;
    }

  private:
    static_assert(sizeof(T) == 64, "powers of two: numbers are taken apart by shifts");
    static constexpr uint32_t PER_BLOCK = LARGE_PAGE / sizeof(T);

    const MemoryAdvice m_advice;
    std::vector<LargeArray<T>> m_blocks;
};

} // namespace netflow

#endif // NETFLOW_BLOCK_ARRAY_H
