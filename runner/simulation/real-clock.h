// SPDX-License-Identifier: GPL-2.0-only
// Simulated time beside the wall clock, best effort: waits for instants, and keeps how late they
// were. Results never depend on it.
#ifndef ESXNF_REAL_CLOCK_H
#define ESXNF_REAL_CLOCK_H

#include "ns3/nstime.h"

#include <chrono>
#include <string>

namespace esxnf
{

class RealClock
{
  public:
    /// From now on simulated time passes as real time does. \param now the simulated time
    void Start(ns3::Time now);

    /// Waits until a simulated instant has come, unless it has passed.
    void WaitUntil(ns3::Time instant);

    /// \return the simulated time that it should be, in whole milliseconds
    ns3::Time Read() const;

    /// "real time: at most 1.2 ms late"
    std::string Report() const;

  private:
    std::chrono::steady_clock::time_point m_start;
    ns3::Time m_begin;
    std::chrono::nanoseconds m_latest{0};
};

} // namespace esxnf

#endif // ESXNF_REAL_CLOCK_H
