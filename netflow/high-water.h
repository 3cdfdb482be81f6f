// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The highest value of a level, over all time and since it was last taken: a level that is sampled
 * now and then is empty at most instants (a poll has just been), so its peaks are kept.
 */
#ifndef NETFLOW_HIGH_WATER_H
#define NETFLOW_HIGH_WATER_H

#include <algorithm>
#include <cstdint>

namespace netflow
{

/// High-water mark of a level.
class HighWater
{
  public:
    /// The level has risen, or may have.
    void Note(uint64_t level)
    {
        m_recent = std::max(m_recent, level);
    }

    /// The highest level of all time.
    uint64_t Get() const
    {
        return std::max(m_before, m_recent);
    }

    /// The highest level since it was taken last. \param level now, where the next span begins
    uint64_t Take(uint64_t level)
    {
        const uint64_t recent = std::max(m_recent, level);
        m_before = std::max(m_before, recent);
        m_recent = level;
        return recent;
    }

  private:
    uint64_t m_before{0}; // the highest until it was taken last
    uint64_t m_recent{0}; // the highest since
};

} // namespace netflow

#endif // NETFLOW_HIGH_WATER_H
