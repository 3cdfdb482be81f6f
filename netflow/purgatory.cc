// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/purgatory.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace netflow
{

Purgatory::Purgatory(uint32_t bound, PurgatoryPolicy policy)
    : m_bound(bound),
      m_policy(policy)
{
    assert(bound >= 1);
}

bool
Purgatory::IsFull() const
{
    return GetSize() >= m_bound;
}

Move
Purgatory::Push(const QueuedRecord& queued, QueuedRecord& dropped)
{
    const bool full = IsFull();
    if (full)
    {
        switch (m_policy)
        {
        case TAIL_DROP:
            dropped = queued;
            return GetInfo(m_policy).lost;
        case HEAD_DROP:
            DropHead(dropped);
            break;
        case PURGATORY_POLICIES:
            std::abort(); // none has this policy
        }
    }
    m_queue.push_back(queued);
    m_highWater.Note(GetSize());
    return full ? GetInfo(m_policy).lost : Move::QUEUED;
}

void
Purgatory::DropHead(QueuedRecord& dropped)
{
    dropped = m_queue[m_head++];
    if (m_head == m_bound) // as many dead as live: moving them is paid for by the drops
    {
        m_queue.erase(m_queue.begin(), m_queue.begin() + static_cast<std::ptrdiff_t>(m_head));
        m_head = 0;
    }
}

void
Purgatory::Take(const std::vector<uint16_t>& vSwitches,
                TimeNs now,
                std::vector<QueuedRecord>& taken)
{
    std::size_t kept = 0;
    for (std::size_t i = m_head; i < m_queue.size(); ++i)
    {
        const QueuedRecord& queued = m_queue[i];
        if (std::find(vSwitches.begin(), vSwitches.end(), queued.record.key.vSwitch) ==
            vSwitches.end())
        {
            m_queue[kept++] = queued;
            continue;
        }
        const TimeNs residence = now - queued.queuedAt;
        ++m_residence.records;
        m_residence.sum += residence;
        m_residence.max = std::max(m_residence.max, residence);
        taken.push_back(queued);
    }
    m_queue.resize(kept);
    m_head = 0;
}

std::size_t
Purgatory::GetSize() const
{
    return m_queue.size() - m_head;
}

uint32_t
Purgatory::GetBound() const
{
    return m_bound;
}

std::size_t
Purgatory::GetHighWater() const
{
    return m_highWater.Get();
}

std::size_t
Purgatory::TakeHighWater()
{
    return m_highWater.Take(GetSize());
}

const ResidenceTimes&
Purgatory::GetResidenceTimes() const
{
    return m_residence;
}

} // namespace netflow
