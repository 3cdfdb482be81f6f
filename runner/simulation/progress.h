// SPDX-License-Identifier: GPL-2.0-only
// A progress bar on a terminal's standard error: simulated time, speed, time left. Silent where
// standard error is no terminal.
#ifndef ESXNF_PROGRESS_H
#define ESXNF_PROGRESS_H

#include "ns3/nstime.h"

#include <chrono>
#include <string>

namespace esxnf
{

/// "[#####               ]  12.0 s of 60.0 s, 34 times real time, 1 s left". \param elapsed real
/// time since the start
std::string ProgressLine(ns3::Time now, ns3::Time end, std::chrono::duration<double> elapsed);

class ProgressBar
{
  public:
    /// \param wanted false: silent in any case
    explicit ProgressBar(bool wanted);
    /// Wipes the line.
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void Update(ns3::Time now, ns3::Time end) const;

  private:
    const bool m_shown;
    const std::chrono::steady_clock::time_point m_start;
};

} // namespace esxnf

#endif // ESXNF_PROGRESS_H
