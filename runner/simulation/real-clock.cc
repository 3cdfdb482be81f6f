// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/real-clock.h"

#include <algorithm>
#include <fmt/format.h>
#include <thread>

namespace esxnf
{

using Clock = std::chrono::steady_clock;

void
RealClock::Start(ns3::Time now)
{
    m_start = Clock::now();
    m_begin = now;
}

void
RealClock::WaitUntil(ns3::Time instant)
{
    const auto due = m_start + std::chrono::nanoseconds((instant - m_begin).GetNanoSeconds());
    const auto now = Clock::now();
    if (due > now)
    {
        std::this_thread::sleep_until(due);
        return;
    }
    m_latest = std::max<std::chrono::nanoseconds>(m_latest, now - due);
}

ns3::Time
RealClock::Read() const
{
    const auto passed = std::chrono::floor<std::chrono::milliseconds>(Clock::now() - m_start);
    return m_begin + ns3::MilliSeconds(passed.count());
}

std::string
RealClock::Report() const
{
    return fmt::format("real time: at most {:.1f} ms late",
                       std::chrono::duration<double, std::milli>(m_latest).count());
}

} // namespace esxnf
