// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/heap.h"

#include <algorithm>
#include <cassert>

namespace netflow
{

Heap::Heap(uint64_t maximum)
    : m_maximum(maximum)
{
}

bool
Heap::Allocate(uint64_t size)
{
    const uint64_t ceiling = m_growthAllowed ? m_maximum : std::min(m_maximum, m_highWater.Get());
    if (size > ceiling || m_used > ceiling - size)
    {
        ++m_failures;
        return false;
    }
    m_used += size;
    m_highWater.Note(m_used);
    return true;
}

void
Heap::Free(uint64_t size)
{
    assert(size <= m_used);
    m_used -= size;
}

void
Heap::SetMaximum(uint64_t maximum)
{
    m_maximum = maximum;
}

void
Heap::SetGrowthAllowed(bool allowed)
{
    m_growthAllowed = allowed;
}

uint64_t
Heap::GetMaximum() const
{
    return m_maximum;
}

uint64_t
Heap::GetGrowthLeft() const
{
    const uint64_t grown = m_highWater.Get();
    return m_growthAllowed && m_maximum > grown ? m_maximum - grown : 0;
}

uint64_t
Heap::GetUsed() const
{
    return m_used;
}

uint64_t
Heap::GetHighWater() const
{
    return m_highWater.Get();
}

uint64_t
Heap::TakeHighWater()
{
    return m_highWater.Take(m_used);
}

uint64_t
Heap::GetFailures() const
{
    return m_failures;
}

} // namespace netflow
