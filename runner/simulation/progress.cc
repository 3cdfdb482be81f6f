// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/progress.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

constexpr int BAR_WIDTH = 20;
const char* const WIPE = "\r\033[K"; // start of line, erase to its end

} // namespace

std::string
ProgressLine(ns3::Time now, ns3::Time end, std::chrono::duration<double> elapsed)
{
    const double done = end.IsStrictlyPositive() ? now.GetSeconds() / end.GetSeconds() : 1;
    const int filled = std::clamp(static_cast<int>(done * BAR_WIDTH), 0, BAR_WIDTH);
    std::string line = fmt::format("[{:<{}}] {:.1f} s of {:.1f} s",
                                   std::string(static_cast<std::size_t>(filled), '#'),
                                   BAR_WIDTH,
                                   now.GetSeconds(),
                                   end.GetSeconds());
    if (elapsed.count() > 0 && now.IsStrictlyPositive())
    {
        const double speed = now.GetSeconds() / elapsed.count();
        line += fmt::format(", {:.3g} times real time, {:.0f} s left",
                            speed,
                            (end - now).GetSeconds() / speed);
    }
    return line;
}

ProgressBar::ProgressBar(bool wanted)
    : m_shown(wanted && isatty(STDERR_FILENO)),
      m_start(std::chrono::steady_clock::now())
{
}

ProgressBar::~ProgressBar()
{
    if (m_shown)
    {
        fmt::print(stderr, "{}", WIPE);
    }
}

void
ProgressBar::Update(ns3::Time now, ns3::Time end) const
{
    if (m_shown)
    {
        fmt::print(stderr,
                   "{}{}",
                   WIPE,
                   ProgressLine(now, end, std::chrono::steady_clock::now() - m_start));
        std::fflush(stderr);
    }
}

} // namespace esxnf
