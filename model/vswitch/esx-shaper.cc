// SPDX-License-Identifier: GPL-2.0-only
#include "esx-shaper.h"

#include "ns3/simulator.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ns3
{

namespace
{

/// Bursts are compared as times at the average rate, and ns-3 counts octets in 32 bits.
Time
TimeOf(DataRate rate, uint64_t octets)
{
    constexpr uint64_t most = std::numeric_limits<uint32_t>::max();
    return rate.CalculateBytesTxTime(static_cast<uint32_t>(std::min(octets, most)));
}

} // namespace

EsxShaper::EsxShaper(DataRate average,
                     DataRate peak,
                     uint64_t burst,
                     uint32_t queueLimit,
                     ReleaseFunction release)
    : m_average(average),
      m_peak(peak),
      m_burst(burst),
      m_burstTime(TimeOf(average, burst)),
      m_queueLimit(queueLimit),
      m_release(std::move(release))
{
}

EsxShaper::~EsxShaper()
{
    m_next.Cancel();
}

bool
EsxShaper::Is(DataRate average, DataRate peak, uint64_t burst, uint32_t queueLimit) const
{
    return m_average == average && m_peak == peak && m_burst == burst && m_queueLimit == queueLimit;
}

EsxShaper::Verdict
EsxShaper::Offer(EsxFrame& frame, uint32_t octets)
{
    if (m_queue.empty() && ReleaseTime(octets) <= Simulator::Now())
    {
        Spend(octets);
        return Verdict::CONFORMS;
    }
    if (m_queue.size() >= m_queueLimit)
    {
        return Verdict::REFUSED;
    }
    m_queue.push_back({std::move(frame), octets});
    if (m_queue.size() == 1)
    {
        ScheduleNext();
    }
    return Verdict::WAITS;
}

std::size_t
EsxShaper::GetBacklog() const
{
    return m_queue.size();
}

std::deque<EsxFrame>
EsxShaper::TakeAll()
{
    m_next.Cancel();
    std::deque<EsxFrame> frames;
    for (Waiting& waiting : m_queue)
    {
        frames.push_back(std::move(waiting.frame));
    }
    m_queue.clear();
    return frames;
}

/// The bucket holds (burst - what it lacks); it lacks what fills in (m_full - now) at the average
/// rate. So the frame conforms from m_full - (burst - octets) / average on.
Time
EsxShaper::ReleaseTime(uint32_t octets) const
{
    const Time spare = std::max(m_burstTime - TimeOf(m_average, octets), Time(0));
    return std::max(m_full - spare, m_peakFree);
}

void
EsxShaper::Spend(uint32_t octets)
{
    const Time now = Simulator::Now();
    m_full = std::max(m_full, now) + TimeOf(m_average, octets);
    m_peakFree = now + TimeOf(m_peak, octets);
}

void
EsxShaper::ScheduleNext()
{
    const Time wait = ReleaseTime(m_queue.front().octets) - Simulator::Now();
    m_next = Simulator::Schedule(std::max(wait, Time(0)), &EsxShaper::ReleaseNext, this);
}

void
EsxShaper::ReleaseNext()
{
    Waiting next = std::move(m_queue.front());
    m_queue.pop_front();
    Spend(next.octets);
    if (!m_queue.empty())
    {
        ScheduleNext();
    }
    const ReleaseFunction release = m_release; // the call may take this shaper away
    release(next.frame);
}

} // namespace ns3
