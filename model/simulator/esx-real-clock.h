// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_REAL_CLOCK_H
#define ESX_REAL_CLOCK_H

#include "ns3/nstime.h"

#include <chrono>
#include <string>

namespace ns3
{

/// Simulated time beside the wall clock, best effort: waits for instants, and keeps how late they
/// were. Results never depend on it.
class EsxRealClock
{
  public:
    /// From now on simulated time passes as real time does. \param now the simulated time
    void Start(Time now);

    /// Waits until a simulated instant has come, unless it has passed.
    void WaitUntil(Time instant);

    /// \return the simulated time that it should be, in whole milliseconds
    Time Read() const;

    /// "real time: at most 1.2 ms late"
    std::string Report() const;

  private:
    std::chrono::steady_clock::time_point m_start;
    Time m_begin;
    std::chrono::nanoseconds m_latest{0};
};

} // namespace ns3

#endif // ESX_REAL_CLOCK_H
