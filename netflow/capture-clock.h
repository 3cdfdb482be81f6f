// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The exporter's uptime from the times of captured packets, which may step, be out of order, come
 * from several clocks, be wild, or be missing. All that reads captures uses it.
 *
 * Uptime never runs backwards. docs/semantics.md has the meaning of each irregularity,
 * docs/decisions.md the reasons. Packets that follow decide on a time more than 10 s away from the
 * latest one: so the caller holds packets until Observe() and Take() tell their uptimes.
 */
#ifndef NETFLOW_CAPTURE_CLOCK_H
#define NETFLOW_CAPTURE_CLOCK_H

#include "netflow/time.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace netflow
{

/// Irregularities seen by a CaptureClock.
struct ClockCounts
{
    uint64_t outOfOrder{0};     //!< packets up to 10 s before an earlier one
    uint64_t stepsBack{0};      //!< by more than 10 s: the clock was set back
    uint64_t stepsForward{0};   //!< by more than an hour: set, or a pause
    uint64_t untimed{0};        //!< packets without a time: as the one before
    uint64_t outliers{0};       //!< single times far from all others: as the packet before
    uint64_t otherClock{0};     //!< packets of clocks beside the first one, shifted to it
    std::vector<TimeNs> shifts; //!< of these clocks: what is added to their times
};

/// When uptime was 0, by the clock that leads from an uptime on.
struct BootTime
{
    TimeNs from;
    int64_t unixNs; //!< ns since 1970, or before
};

/// Turns times since 1970 into uptimes.
class CaptureClock
{
  public:
    /// Bound of disorder: an earlier time within it is out of order (our choice: shorter than the
    /// idle timeout, so that no flow outlives it by standing still).
    static constexpr TimeNs REORDERING = 10 * NS_PER_SECOND;
    /// A longer pause than this between two packets is told as a step (our choice).
    static constexpr TimeNs FORWARD_STEP = 3600 * NS_PER_SECOND;
    /// So many packets are looked at to decide what a time means.
    static constexpr std::size_t WINDOW = 256;
    /// Not known before later packets have been observed.
    static constexpr TimeNs UNDECIDED = -1;

    /// \param uptime at the first packet that has a time, ns, >= 0
    explicit CaptureClock(TimeNs uptime = 0);

    /// A packet's time, ns since 1970, in [0, MAX_UNIX_NS], or NO_TIME. \return the uptime that it
    /// counts at, or UNDECIDED: then Take() tells it later, in the order of the packets
    TimeNs Observe(int64_t unixNs)
    {
        const TimeNs now = unixNs - m_leadBoot;
        if (static_cast<uint64_t>(now - m_uptime) < m_usual) // backwards: large
        {
            return m_uptime = now;
        }
        return ObserveUnusual(unixNs);
    }

    /// The uptime of the next packet of those that were undecided; UNDECIDED: not known yet, or
    /// there is none.
    TimeNs Take();

    /// Decides all: no packet comes, or none for too long.
    void Decide();

    /// The present, if no packet comes, of the machine whose clock gives the times.
    TimeNs Tick(int64_t unixNs);

    TimeNs GetUptime() const
    {
        return m_uptime;
    }

    /// Boot times that are known since the last call, in their order. Each is true for uptimes from
    /// its own on; the first one, of the first time observed, from the beginning.
    std::vector<BootTime> TakeBoots();

    ClockCounts GetCounts() const;

  private:
    /// One of the clocks that gave times. Uptime = time - boot.
    struct Clock
    {
        int64_t boot;
        uint64_t packets; //!< counted here while another one leads
        uint64_t used;    //!< when, in decisions
        bool left;        //!< its machine's clock was set: it led, and may come back
        bool led;

        /// One time is no clock yet.
        bool IsOutlier() const
        {
            return !led && packets < 2;
        }
    };

    enum class Outlook : uint8_t
    {
        UNCLEAR,
        LASTS,   //!< later packets go on from here
        RETURNS, //!< later packets go on where this one did not come from
    };

    TimeNs ObserveUnusual(int64_t unixNs);
    void DecideWaiting(bool all);
    bool DecideFirst(bool all);
    bool IsUntimed(int64_t unixNs) const;
    TimeNs Ahead(const Clock& clock, int64_t unixNs) const;
    Clock* FindKnown(int64_t unixNs);
    Clock* FindAhead(int64_t unixNs);
    bool IsPauseOf(const Clock& clock, int64_t unixNs) const;
    Outlook LookAhead(const Clock* ahead, int64_t unixNs, TimeNs& latest) const;
    bool Returns(const Clock* ahead,
                 int64_t unixNs,
                 TimeNs after,
                 TimeNs elapsed,
                 bool single,
                 TimeNs limit,
                 TimeNs& latest) const;
    void Accept(Clock& clock, int64_t unixNs);
    void AcceptOther(int64_t unixNs, TimeNs latest);
    void SetClock(int64_t unixNs);
    Clock& AddClock(int64_t boot);
    void Lead(std::size_t number);

    TimeNs m_uptime;             //!< the latest
    int64_t m_leadBoot;          //!< of the leading clock
    uint64_t m_usual{0};         //!< by less than this time may go on without a question
    std::vector<Clock> m_clocks; //!< none before the first time
    std::size_t m_lead{0};
    std::vector<BootTime> m_boots;
    std::deque<int64_t> m_waiting;   //!< times that are not decided
    std::deque<TimeNs> m_decided;    //!< uptimes that were not taken
    int64_t m_waitingSince{NO_TIME}; //!< the first tick since
    uint64_t m_decisions{0};
    ClockCounts m_counts;
};

} // namespace netflow

#endif // NETFLOW_CAPTURE_CLOCK_H
