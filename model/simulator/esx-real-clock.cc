// SPDX-License-Identifier: GPL-2.0-only
#include "esx-real-clock.h"

#include <algorithm>
#include <iomanip>
#include <sstream>
#include <thread>

namespace ns3
{

using Clock = std::chrono::steady_clock;

void
EsxRealClock::Start(Time now)
{
    m_start = Clock::now();
    m_begin = now;
}

void
EsxRealClock::WaitUntil(Time instant)
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

Time
EsxRealClock::Read() const
{
    const auto passed = std::chrono::floor<std::chrono::milliseconds>(Clock::now() - m_start);
    return m_begin + MilliSeconds(passed.count());
}

std::string
EsxRealClock::Report() const
{
    std::ostringstream text;
    text << "real time: at most " << std::fixed << std::setprecision(1)
         << std::chrono::duration<double, std::milli>(m_latest).count() << " ms late";
    return text.str();
}

} // namespace ns3
