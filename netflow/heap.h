// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The modelled memory of the NetFlow module: a VMkernel heap that grows on demand up to a limit.
 *
 * It hands out no memory. Callers charge what their objects would cost on the modelled host, so
 * that a scenario runs out of memory at the same packet whatever machine it is simulated on.
 */
#ifndef NETFLOW_HEAP_H
#define NETFLOW_HEAP_H

#include "netflow/high-water.h"

#include <cstdint>

namespace netflow
{

/// Accounts for modelled allocations against a limit. Sizes in octets.
class Heap
{
  public:
    /// \param maximum limit of the heap's size
    explicit Heap(uint64_t maximum);

    /**
     * Charges an allocation.
     * \return false, and nothing is charged, if use would exceed the limit, or would need the heap
     * to grow while growth is not allowed
     */
    bool Allocate(uint64_t size);

    /// Gives a charge back; \p size must have been charged.
    void Free(uint64_t size);

    /// Moves the limit. A limit below the use frees nothing: allocations fail until use is below
    /// it.
    void SetMaximum(uint64_t maximum);

    /// While the host is short of memory (hard or low state) a heap keeps what it has and does not
    /// grow.
    void SetGrowthAllowed(bool allowed);

    uint64_t GetMaximum() const;
    /// Octets by which the heap may grow now; what it has grown to and is free is no part of it.
    uint64_t GetGrowthLeft() const;
    uint64_t GetUsed() const;
    /// The most that was in use at once: what the heap has grown to.
    uint64_t GetHighWater() const;
    /// The same since the last call.
    uint64_t TakeHighWater();
    /// Allocations refused so far.
    uint64_t GetFailures() const;

  private:
    uint64_t m_maximum;
    uint64_t m_used{0};
    HighWater m_highWater;
    uint64_t m_failures{0};
    bool m_growthAllowed{true};
};

} // namespace netflow

#endif // NETFLOW_HEAP_H
