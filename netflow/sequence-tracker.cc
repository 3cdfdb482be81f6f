// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/sequence-tracker.h"

#include "netflow/time.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <tuple>
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
    ++m_now.datagrams;
    const std::optional<V5Header> suspect = std::exchange(m_suspect, std::nullopt);
    if (PositionOf(header) == m_now.next)
    {
        Advance(header);
        return Finding::IN_ORDER;
    }
    return TakeOther(header, suspect);
}

SequenceTracker::Finding
SequenceTracker::TakeOther(const V5Header& header, const std::optional<V5Header>& suspect)
{
    const Position begin = PositionOf(header);
    const int boot = CompareBoot(header);
    const bool isBack = begin < m_now.next;
    if (suspect && isBack && boot == 0 && begin == PositionOf(*suspect) + suspect->count)
    {
        --m_counts.duplicates;
        Restart(*suspect);
        Advance(header);
        return Finding::RESTART;
    }
    if (boot == 0 && Resumes(header))
    {
        Resume(); // then it is near: this ends
        return Take(header);
    }
    ++m_counts.failures;
    const std::optional<int64_t> told = BootOf(header);
    if (boot != 0 && m_bootBefore && IsSameBoot(*told, *m_bootBefore))
    {
        ++m_counts.late;
        return Finding::LATE;
    }
    if (boot != 0 && (boot > 0 || isBack))
    {
        m_left.reset();
        return Restart(header);
    }
    if (isBack && begin + m_lateRecords < m_now.highest)
    {
        m_left = {m_now, m_counts};
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
    m_left.reset();
}

uint32_t
SequenceTracker::GetExpected() const
{
    return static_cast<uint32_t>(m_now.next);
}

const SequenceCounts&
SequenceTracker::GetCounts() const
{
    return m_counts;
}

SequenceTracker::Position
SequenceTracker::PositionOf(const V5Header& header) const
{
    return m_now.next +
           static_cast<int64_t>(static_cast<int32_t>(header.flowSequence - GetExpected()));
}

void
SequenceTracker::Begin(const V5Header& header)
{
    m_known = true;
    m_now = {};
    m_now.first = m_now.next = (Position{1} << 32) + header.flowSequence; // there is room before it
    Advance(header);
}

void
SequenceTracker::Advance(const V5Header& header)
{
    m_now.highest = PositionOf(header);
    m_now.next = m_now.highest + header.count;
    m_now.uptime = header.sysUptime;
    m_now.boot = BootOf(header);
    while (!m_now.open.empty() && m_now.open.begin()->second + m_lateRecords <= m_now.highest)
    {
        m_now.open.erase(m_now.open.begin()); // missing for good
    }
}

SequenceTracker::Finding
SequenceTracker::Restart(const V5Header& header)
{
    ++m_counts.restarts;
    if (CompareBoot(header) != 0)
    {
        m_bootBefore = m_now.boot;
    }
    Begin(header);
    return Finding::RESTART;
}

/// Whether a datagram that is far ahead is near where the sequence was before it went back.
bool
SequenceTracker::Resumes(const V5Header& header) const
{
    if (!m_left || PositionOf(header) <= m_now.next + m_lateRecords)
    {
        return false;
    }
    const auto next = static_cast<uint32_t>(m_left->first.next);
    const int64_t apart = static_cast<int32_t>(header.flowSequence - next);
    return std::abs(apart) <= m_lateRecords;
}

/// There was no restart.
void
SequenceTracker::Resume()
{
    const uint64_t failures = m_counts.failures;
    const uint64_t between = m_now.datagrams; // the one that resumes stands for the first one
    std::tie(m_now, m_counts) = *std::exchange(m_left, std::nullopt);
    m_counts.failures = failures;
    m_counts.late += between;
}

SequenceTracker::Finding
SequenceTracker::TakeGap(const V5Header& header)
{
    const Position begin = PositionOf(header);
    m_now.open[m_now.next] = begin;
    ++m_counts.gaps;
    m_counts.missing += begin - m_now.next;
    Advance(header);
    return Finding::GAP;
}

SequenceTracker::Finding
SequenceTracker::TakeBack(const V5Header& header)
{
    const Position begin = PositionOf(header);
    const Position end = begin + header.count;
    const bool isKnown = begin >= m_now.first;
    const uint64_t filled = Fill(begin, end);
    if (isKnown && filled == 0 && end > m_now.next)
    {
        return Restart(header);
    }
    if (isKnown && filled == 0)
    {
        ++m_counts.duplicates;
        if (static_cast<int32_t>(header.sysUptime - m_now.uptime) > 0)
        {
            m_suspect = header;
        }
        return Finding::DUPLICATE;
    }
    ++m_counts.late;
    m_now.next = std::max(m_now.next, end);
    return Finding::LATE;
}

/// \return records that were missing and came
uint64_t
SequenceTracker::Fill(Position begin, Position end)
{
    uint64_t filled = 0;
    auto run = m_now.open.upper_bound(begin);
    run = run == m_now.open.begin() ? run : std::prev(run);
    while (run != m_now.open.end() && run->first < end)
    {
        const auto [from, to] = *run;
        if (to <= begin)
        {
            ++run;
            continue;
        }
        run = m_now.open.erase(run);
        --m_counts.gaps;
        if (from < begin)
        {
            m_now.open[from] = begin;
            ++m_counts.gaps;
        }
        if (end < to)
        {
            m_now.open[end] = to;
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
    if (!told || !m_now.boot || IsSameBoot(*told, *m_now.boot))
    {
        return 0;
    }
    return *told > *m_now.boot ? 1 : -1;
}

} // namespace netflow
