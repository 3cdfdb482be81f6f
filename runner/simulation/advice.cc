// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/advice.h"

#include <algorithm>
#include <limits>

namespace esxnf
{

namespace
{

constexpr int64_t NS_PER_MS = 1'000'000;

} // namespace

Advice::Advice(std::vector<Expiry> expiries, std::vector<Poller> pollers)
    : m_expiries(std::move(expiries)),
      m_pollers(std::move(pollers))
{
}

uint64_t
Advice::GetSmallestPurgatory() const
{
    std::vector<Poller> pollers = m_pollers;
    uint64_t peak = 0;
    Fits(pollers, std::numeric_limits<uint64_t>::max(), peak);
    return std::max<uint64_t>(peak, 1); // a purgatory has a place at least
}

std::optional<int64_t>
Advice::GetLongestPeriodMs(uint64_t bound, int64_t most) const
{
    int64_t longest = most;
    if (m_pollers.size() == 1 && m_expiries.size() > bound)
    {
        // In the first period there can be no more than bound: the search begins below.
        const int64_t first = m_expiries[bound].at - m_pollers[0].start;
        longest = std::min(longest, std::max<int64_t>(first / NS_PER_MS, 1));
    }
    std::vector<Poller> pollers = m_pollers;
    for (int64_t ms = longest; ms >= 1; --ms)
    {
        for (Poller& poller : pollers)
        {
            poller.period = ms * NS_PER_MS;
        }
        uint64_t peak = 0;
        if (Fits(pollers, bound, peak))
        {
            return ms;
        }
    }
    return std::nullopt;
}

std::optional<int64_t>
Advice::GetSafePeriodMs(uint64_t bound, int64_t most) const
{
    int64_t safe = most * NS_PER_MS;
    for (std::size_t i = bound; i < m_expiries.size(); ++i)
    {
        // a period longer than this can begin before the one and reach to the other
        safe = std::min(safe, m_expiries[i].at - m_expiries[i - bound].at);
    }
    return safe >= NS_PER_MS ? std::optional(safe / NS_PER_MS) : std::nullopt;
}

/// Replays the run. \param [out] peak the most that waited \return false as soon as more than bound
/// wait
bool
Advice::Fits(std::vector<Poller>& pollers, uint64_t bound, uint64_t& peak) const
{
    std::vector<int64_t> period(pollers.size(), -1); // in which the waiting ones ended
    std::vector<uint64_t> waiting(pollers.size(), 0);
    for (const Expiry& expiry : m_expiries)
    {
        uint64_t total = 0;
        for (std::size_t i = 0; i < pollers.size(); ++i)
        {
            const Poller& poller = pollers[i];
            const bool runs = expiry.at >= poller.start && expiry.at <= poller.end;
            const int64_t now =
                runs ? (expiry.at - poller.start + poller.period - 1) / poller.period : -1;
            if (now != period[i])
            {
                period[i] = now;
                waiting[i] = 0;
            }
            const auto& own = poller.vSwitches;
            if (runs && std::find(own.begin(), own.end(), expiry.vSwitch) != own.end())
            {
                ++waiting[i];
            }
            total += waiting[i];
        }
        peak = std::max(peak, total);
        if (peak > bound)
        {
            return false;
        }
    }
    return true;
}

} // namespace esxnf
