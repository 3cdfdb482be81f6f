// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The exporter's uptime from the times of captured packets, which may step and be out of order.
 *
 * Uptime never runs backwards. A packet a little before its predecessor is out of order and counts
 * as simultaneous. A packet long before it shows that the capturing machine's clock was set back:
 * uptime goes on from where it was. Forwards uptime follows: a pause looks the same. Probe uses it.
 */
#ifndef ESXNF_CAPTURE_CLOCK_H
#define ESXNF_CAPTURE_CLOCK_H

#include "netflow/time.h"

#include <algorithm>
#include <cstdint>

namespace esxnf
{

/// Irregularities seen by a CaptureClock.
struct ClockCounts
{
    uint64_t outOfOrder{0};   //!< packets up to 10 s before an earlier one
    uint64_t stepsBack{0};    //!< by more than 10 s
    uint64_t stepsForward{0}; //!< by more than an hour
};

/// Turns times since 1970 into uptimes.
class CaptureClock
{
  public:
    /// What is nearer to the latest packet than this is out of order (our choice: shorter than the
    /// idle timeout, so that no flow outlives it by standing still).
    static constexpr netflow::TimeNs REORDERING = 10 * netflow::NS_PER_SECOND;
    /// A longer pause than this between two packets is told as a step (our choice).
    static constexpr netflow::TimeNs FORWARD_STEP = 3600 * netflow::NS_PER_SECOND;

    /**
     * \param bootUnixNs when uptime was 0, ns since 1970, >= 0
     * \param uptime at the beginning, ns, >= 0
     */
    CaptureClock(int64_t bootUnixNs, netflow::TimeNs uptime)
        : m_bootUnixNs(bootUnixNs),
          m_limit((int64_t{1} << 32) * netflow::NS_PER_SECOND - 1 - bootUnixNs),
          m_uptime(uptime)
    {
    }

    /// A packet's time, ns since 1970, in [0, 2^32 s). \return the uptime it counts at
    netflow::TimeNs Observe(int64_t unixNs)
    {
        const netflow::TimeNs now = unixNs - m_bootUnixNs + m_offset;
        const auto step = static_cast<uint64_t>(now - m_uptime); // backwards: large
        if (step <= FORWARD_STEP && now <= m_limit)
        {
            return m_uptime = now;
        }
        return ObserveStep(now);
    }

    /// The present, if no packet comes: an uptime that lies before the latest one changes nothing.
    netflow::TimeNs Tick(int64_t unixNs)
    {
        const netflow::TimeNs now = unixNs - m_bootUnixNs + m_offset;
        return now < m_uptime && m_uptime - now <= REORDERING ? m_uptime : Observe(unixNs);
    }

    netflow::TimeNs GetUptime() const
    {
        return m_uptime;
    }

    const ClockCounts& GetCounts() const
    {
        return m_counts;
    }

  private:
    netflow::TimeNs ObserveStep(netflow::TimeNs now)
    {
        if (now < m_uptime && m_uptime - now <= REORDERING)
        {
            ++m_counts.outOfOrder;
        }
        else if (now < m_uptime)
        {
            ++m_counts.stepsBack;
            m_offset += m_uptime - now;
        }
        else
        {
            m_counts.stepsForward += now - m_uptime > FORWARD_STEP;
            m_uptime = std::min(now, std::max(m_limit, m_uptime));
        }
        return m_uptime;
    }

    const int64_t m_bootUnixNs;
    // NetFlow v5 counts seconds since 1970 in 32 bits: later than that, time stands still.
    const netflow::TimeNs m_limit;
    netflow::TimeNs m_uptime; // the latest
    netflow::TimeNs m_offset{0};
    ClockCounts m_counts;
};

} // namespace esxnf

#endif // ESXNF_CAPTURE_CLOCK_H
