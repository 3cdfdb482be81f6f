// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/sequence-tracker.h"

#include "netflow/time.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace netflow
{

namespace
{

/// The exporter's time of boot, if the header tells one: many exporters have no clock.
std::optional<int64_t>
BootOf(const V5Header& header)
{
    if (header.unixSecs == 0)
    {
        return std::nullopt;
    }
    return UnixNs(header) - header.sysUptime * NS_PER_MS;
}

/// Whether two times of boot are one. An uptime that wraps moves it by 2^32 ms.
bool
IsSameBoot(int64_t a, int64_t b)
{
    constexpr int64_t WRAP_NS = (int64_t{1} << 32) * NS_PER_MS;
    const int64_t apart = std::abs(a - b);
    return apart <= SequenceTracker::BOOT_TOLERANCE_NS ||
           std::abs(apart - WRAP_NS) <= SequenceTracker::BOOT_TOLERANCE_NS;
}

} // namespace

SequenceCounts&
SequenceCounts::operator+=(const SequenceCounts& other)
{
    failures += other.failures;
    gaps += other.gaps;
    missing += other.missing;
    late += other.late;
    duplicates += other.duplicates;
    restarts += other.restarts;
    return *this;
}

SequenceTracker::SequenceTracker(uint32_t lateRecords)
    : m_lateRecords(lateRecords)
{
}

SequenceTracker::Finding
SequenceTracker::Take(const V5Header& header)
{
    if (!m_known)
    {
        Begin(header);
        return Finding::FIRST;
    }
    const std::optional<V5Header> suspect = std::exchange(m_suspect, std::nullopt);
    const Position begin = PositionOf(header);
    if (begin == m_next)
    {
        Advance(header);
        return Finding::IN_ORDER;
    }
    const int boot = CompareBoot(header);
    const bool isBack = begin < m_next;
    if (suspect && isBack && boot == 0 && begin == PositionOf(*suspect) + suspect->count)
    {
        --m_counts.duplicates;
        Restart(*suspect);
        Advance(header);
        return Finding::RESTART;
    }
    ++m_counts.failures;
    const std::optional<int64_t> told = BootOf(header);
    if (boot != 0 && m_bootBefore && IsSameBoot(*told, *m_bootBefore))
    {
        ++m_counts.late;
        return Finding::LATE;
    }
    if (boot > 0 || (isBack && (boot < 0 || begin + m_lateRecords < m_highest)))
    {
        return Restart(header);
    }
    return isBack ? TakeBack(header) : TakeGap(header);
}

void
SequenceTracker::Forget()
{
    m_known = false;
    m_bootBefore.reset();
    m_suspect.reset();
}

uint32_t
SequenceTracker::GetExpected() const
{
    return static_cast<uint32_t>(m_next);
}

const SequenceCounts&
SequenceTracker::GetCounts() const
{
    return m_counts;
}

SequenceTracker::Position
SequenceTracker::PositionOf(const V5Header& header) const
{
    return m_next + static_cast<int64_t>(static_cast<int32_t>(header.flowSequence - GetExpected()));
}

void
SequenceTracker::Begin(const V5Header& header)
{
    m_known = true;
    m_open.clear();
    m_boot.reset();
    m_first = m_next = (Position{1} << 32) + header.flowSequence; // there is room before it
    Advance(header);
}

void
SequenceTracker::Advance(const V5Header& header)
{
    m_highest = PositionOf(header);
    m_next = m_highest + header.count;
    m_uptime = header.sysUptime;
    m_boot = BootOf(header);
    while (!m_open.empty() && m_open.begin()->second + m_lateRecords <= m_highest)
    {
        m_open.erase(m_open.begin()); // missing for good
    }
}

SequenceTracker::Finding
SequenceTracker::Restart(const V5Header& header)
{
    ++m_counts.restarts;
    if (CompareBoot(header) != 0)
    {
        m_bootBefore = m_boot;
    }
    Begin(header);
    return Finding::RESTART;
}

SequenceTracker::Finding
SequenceTracker::TakeGap(const V5Header& header)
{
    const Position begin = PositionOf(header);
    m_open[m_next] = begin;
    ++m_counts.gaps;
    m_counts.missing += begin - m_next;
    Advance(header);
    return Finding::GAP;
}

SequenceTracker::Finding
SequenceTracker::TakeBack(const V5Header& header)
{
    const Position begin = PositionOf(header);
    const Position end = begin + header.count;
    const bool isKnown = begin >= m_first;
    const uint64_t filled = Fill(begin, end);
    if (isKnown && filled == 0 && end > m_next)
    {
        return Restart(header);
    }
    if (isKnown && filled == 0)
    {
        ++m_counts.duplicates;
        if (static_cast<int32_t>(header.sysUptime - m_uptime) > 0)
        {
            m_suspect = header;
        }
        return Finding::DUPLICATE;
    }
    ++m_counts.late;
    m_next = std::max(m_next, end);
    return Finding::LATE;
}

/// \return records that were missing and came
uint64_t
SequenceTracker::Fill(Position begin, Position end)
{
    uint64_t filled = 0;
    auto run = m_open.upper_bound(begin);
    run = run == m_open.begin() ? run : std::prev(run);
    while (run != m_open.end() && run->first < end)
    {
        const auto [from, to] = *run;
        if (to <= begin)
        {
            ++run;
            continue;
        }
        run = m_open.erase(run);
        --m_counts.gaps;
        if (from < begin)
        {
            m_open[from] = begin;
            ++m_counts.gaps;
        }
        if (end < to)
        {
            m_open[end] = to;
            ++m_counts.gaps;
        }
        filled += std::min(to, end) - std::max(from, begin);
    }
    m_counts.missing -= filled;
    return filled;
}

/// \return 0: as the highest datagram's, or not told; else whether it is later (1) or earlier (-1)
int
SequenceTracker::CompareBoot(const V5Header& header) const
{
    const std::optional<int64_t> told = BootOf(header);
    if (!told || !m_boot || IsSameBoot(*told, *m_boot))
    {
        return 0;
    }
    return *told > *m_boot ? 1 : -1;
}

} // namespace netflow
