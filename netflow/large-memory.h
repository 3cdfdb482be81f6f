// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Memory for the flow table: large, aligned, and open to the caller's advice on how to page it.
 *
 * A table that is accessed at random spends as much time on address translation as on the table
 * itself, unless its pages are large. How to ask for large pages is the system's business, so the
 * caller brings the function that does (see runner/probe/huge-pages).
 */
#ifndef NETFLOW_LARGE_MEMORY_H
#define NETFLOW_LARGE_MEMORY_H

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <type_traits>

namespace netflow
{

/// Told of each new large piece of memory before it is first touched.
using MemoryAdvice = void (*)(void* memory, std::size_t octets);

/// Advised pieces of memory at least this large begin at a multiple of it: the large pages of
/// x86-64 and AArch64.
constexpr std::size_t LARGE_PAGE = std::size_t{2} << 20;

/// Gives back what AllocateArray() got.
struct FreeMemory
{
    void operator()(void* memory) const
    {
        std::free(memory);
    }
};

template <typename T>
using LargeArray = std::unique_ptr<T[], FreeMemory>;

/**
 * Memory for \p count objects, not initialised; nullptr if there is none.
 * \param advice may be nullptr; asked for pieces of at least LARGE_PAGE
 */
template <typename T>
LargeArray<T>
AllocateArray(std::size_t count, MemoryAdvice advice)
{
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                  "nothing is constructed or destroyed");
    constexpr std::size_t CACHE_LINE = 64;
    const std::size_t octets = count * sizeof(T);
    const bool large = advice && octets >= LARGE_PAGE;
    const std::size_t alignment = large ? LARGE_PAGE : CACHE_LINE;
    const std::size_t rounded = (octets + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, rounded);
    if (memory && large)
    {
        advice(memory, rounded);
    }
    return LargeArray<T>(static_cast<T*>(memory));
}

} // namespace netflow

#endif // NETFLOW_LARGE_MEMORY_H
