// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/capture-clock.h"

#include <algorithm>
#include <utility>

namespace netflow
{

namespace
{

/// A clock that was set is taken to be back where it was by times that are as near to it as this
/// part of the step, and as these bounds.
constexpr TimeNs CANCELLING_PART = 20;
constexpr TimeNs CANCELLING = 2 * NS_PER_SECOND;
/// A pause longer than this behind a step does not show that it lasts.
constexpr TimeNs LONG_PAUSE = 86400 * NS_PER_SECOND;
/// A live capture's packets are not held for longer.
constexpr int64_t LONGEST_WAIT = 200 * NS_PER_MS;
/// A clock's shift is a whole number of seconds if that is so little more than the least one.
constexpr TimeNs ROUNDING = 500 * NS_PER_MS;
/// Uptime is not led beyond this by a step: differences fit 64 bits (146 years).
constexpr TimeNs MAX_UPTIME = TimeNs{1} << 62;
constexpr std::size_t MAX_CLOCKS = 8;

__extension__ using Wide = __int128;

TimeNs
Distance(TimeNs a, TimeNs b)
{
    return a < b ? b - a : a - b;
}

} // namespace

CaptureClock::CaptureClock(TimeNs uptime)
    : m_uptime(uptime),
      m_leadBoot(-uptime)
{
}

TimeNs
CaptureClock::Take()
{
    if (m_decided.empty())
    {
        return UNDECIDED;
    }
    const TimeNs uptime = m_decided.front();
    m_decided.pop_front();
    return uptime;
}

void
CaptureClock::Decide()
{
    DecideWaiting(true);
}

TimeNs
CaptureClock::Tick(int64_t unixNs)
{
    if (m_clocks.empty() && m_waiting.empty())
    {
        SetClock(unixNs);
    }
    if (!m_waiting.empty())
    {
        m_waitingSince = m_waitingSince == NO_TIME ? unixNs : m_waitingSince;
        if (Distance(unixNs, m_waitingSince) >= LONGEST_WAIT)
        {
            Decide();
        }
        return m_uptime;
    }
    const TimeNs ahead = Ahead(m_clocks[m_lead], unixNs);
    if (ahead < -REORDERING)
    {
        ++m_counts.stepsBack;
        SetClock(unixNs);
    }
    else if (ahead > 0)
    {
        m_counts.stepsForward += ahead > FORWARD_STEP;
        m_uptime += ahead;
    }
    return m_uptime;
}

std::vector<BootTime>
CaptureClock::TakeBoots()
{
    return std::exchange(m_boots, {});
}

ClockCounts
CaptureClock::GetCounts() const
{
    ClockCounts counts = m_counts;
    for (std::size_t i = 0; i < m_clocks.size(); ++i)
    {
        const Clock& clock = m_clocks[i];
        if (i == m_lead || clock.packets == 0)
        {
            continue;
        }
        (clock.IsOutlier() ? counts.outliers : counts.otherClock) += clock.packets;
        if (!clock.IsOutlier())
        {
            counts.shifts.push_back(m_leadBoot - clock.boot);
        }
    }
    return counts;
}

TimeNs
CaptureClock::ObserveUnusual(int64_t unixNs)
{
    const bool isNext = m_waiting.empty() && m_decided.empty();
    m_waiting.push_back(unixNs);
    DecideWaiting(false);
    return isNext ? Take() : UNDECIDED;
}

void
CaptureClock::DecideWaiting(bool all)
{
    while (!m_waiting.empty() && DecideFirst(all || m_waiting.size() >= WINDOW))
    {
        m_decided.push_back(m_uptime);
        m_waiting.pop_front();
        ++m_decisions;
    }
    m_waitingSince = m_waiting.empty() ? NO_TIME : m_waitingSince;
    const bool isUsual = m_waiting.empty() && !m_clocks.empty();
    // With several clocks, more than 10 s apart, the nearest one is that whose time this is.
    m_usual =
        !isUsual ? 0 : static_cast<uint64_t>(m_clocks.size() > 1 ? REORDERING / 2 : REORDERING);
}

/// Decides the first of the times that wait. \param all there are no more to come. \return false if
/// more must come first
bool
CaptureClock::DecideFirst(bool all)
{
    const int64_t time = m_waiting.front();
    if (time == 0 && m_clocks.empty() && !all &&
        std::none_of(m_waiting.begin(), m_waiting.end(), [](int64_t next) { return next > 0; }))
    {
        return false; // the first other one shows whether these times begin at 0
    }
    if (IsUntimed(time))
    {
        ++m_counts.untimed;
        return true;
    }
    if (m_clocks.empty())
    {
        SetClock(time);
        return true;
    }
    if (Clock* const known = FindKnown(time))
    {
        Accept(*known, time);
        return true;
    }
    Clock* const ahead = FindAhead(time);
    TimeNs latest = m_uptime;
    const Outlook outlook =
        ahead && IsPauseOf(*ahead, time) ? Outlook::LASTS : LookAhead(ahead, time, latest);
    if (outlook == Outlook::UNCLEAR && !all)
    {
        return false;
    }
    if (outlook == Outlook::RETURNS)
    {
        AcceptOther(time, latest);
    }
    else if (ahead && Ahead(*ahead, time) <= MAX_UPTIME - m_uptime)
    {
        m_counts.stepsForward += Ahead(*ahead, time) > FORWARD_STEP;
        Accept(*ahead, time);
    }
    else
    {
        ++(ahead ? m_counts.stepsForward : m_counts.stepsBack);
        SetClock(time);
    }
    return true;
}

/// Whether a time is none: said to be none, or 0 while others are not within an hour of 1970.
bool
CaptureClock::IsUntimed(int64_t unixNs) const
{
    if (unixNs != 0)
    {
        return unixNs == NO_TIME;
    }
    if (!m_clocks.empty())
    {
        return m_uptime + m_leadBoot > FORWARD_STEP;
    }
    const auto next =
        std::find_if(m_waiting.begin(), m_waiting.end(), [](int64_t time) { return time > 0; });
    return next == m_waiting.end() || *next > FORWARD_STEP;
}

/// By how much uptime goes on if this is a time of that clock.
TimeNs
CaptureClock::Ahead(const Clock& clock, int64_t unixNs) const
{
    return unixNs - clock.boot - m_uptime;
}

/// The clock whose next time this can be without a question.
CaptureClock::Clock*
CaptureClock::FindKnown(int64_t unixNs)
{
    Clock* nearest = nullptr;
    TimeNs least = 0;
    for (std::size_t i = 0; i < m_clocks.size(); ++i)
    {
        Clock& clock = m_clocks[i];
        if (i != m_lead && clock.IsOutlier())
        {
            continue; // one time is no clock yet
        }
        const TimeNs distance = Distance(Ahead(clock, unixNs), 0);
        const TimeNs cancelling =
            std::clamp<TimeNs>(Distance(clock.boot, m_leadBoot) / CANCELLING_PART,
                               CANCELLING,
                               REORDERING);
        if (distance <= (clock.left ? cancelling : REORDERING) && (!nearest || distance < least))
        {
            nearest = &clock;
            least = distance;
        }
    }
    return nearest;
}

/// The clock by which this is the shortest pause.
CaptureClock::Clock*
CaptureClock::FindAhead(int64_t unixNs)
{
    Clock* nearest = nullptr;
    for (std::size_t i = 0; i < m_clocks.size(); ++i)
    {
        Clock& clock = m_clocks[i];
        const bool known = i == m_lead || !(clock.left || clock.IsOutlier());
        if (known && Ahead(clock, unixNs) > 0 &&
            (!nearest || Ahead(clock, unixNs) < Ahead(*nearest, unixNs)))
        {
            nearest = &clock;
        }
    }
    return nearest;
}

/// Whether a step is as long as two clocks are apart: then one clock's packet after a pause was
/// taken for the other's, and this is the pause.
bool
CaptureClock::IsPauseOf(const Clock& clock, int64_t unixNs) const
{
    const TimeNs ahead = Ahead(clock, unixNs);
    return std::any_of(m_clocks.begin(), m_clocks.end(), [&](const Clock& other) {
        return !other.left && other.packets > 1 &&
               Distance(Distance(other.boot, m_leadBoot), ahead) <= REORDERING;
    });
}

/**
 * Judges a step by the packets that follow. \param ahead the clock by which it is a step forward;
 * nullptr: it is one backwards. \param latest set if the packets return: this one's latest uptime
 */
CaptureClock::Outlook
CaptureClock::LookAhead(const Clock* ahead, int64_t unixNs, TimeNs& latest) const
{
    const int64_t boot = ahead ? ahead->boot : unixNs - m_uptime;
    const TimeNs begin = unixNs - boot;
    const TimeNs step = ahead ? begin - m_uptime : -Ahead(m_clocks[m_lead], unixNs);
    const TimeNs longest = std::clamp(step, FORWARD_STEP, LONG_PAUSE);
    TimeNs uptime = begin; // if this lasts
    bool single = true;
    for (std::size_t i = 1; i < m_waiting.size(); ++i)
    {
        const int64_t later = m_waiting[i];
        if (later == NO_TIME || later == 0)
        {
            continue;
        }
        TimeNs goesOn = later - boot - uptime;
        for (const Clock& clock : m_clocks)
        {
            const Wide other = Wide{later} - clock.boot - uptime;
            if (ahead && !clock.left && !clock.IsOutlier() && other <= Distance(goesOn, 0) &&
                -other <= Distance(goesOn, 0))
            {
                goesOn = static_cast<TimeNs>(other);
            }
        }
        const TimeNs limit = std::min(step / 4, REORDERING);
        if (Returns(ahead, later, Distance(goesOn, 0), uptime - begin, single, limit, latest))
        {
            return Outlook::RETURNS;
        }
        if (goesOn >= -REORDERING && goesOn <= longest)
        {
            single = false;
            uptime += std::max<TimeNs>(goesOn, 0);
        }
        if (uptime - begin >= REORDERING)
        {
            return Outlook::LASTS;
        }
    }
    return Outlook::UNCLEAR;
}

/**
 * Whether a later time goes on where a step did not come from. \param after how far it is from
 * where the step led \param elapsed since the step \param single nothing went on from the step
 * \param limit of what cancels a step backwards
 */
bool
CaptureClock::Returns(const Clock* ahead,
                      int64_t unixNs,
                      TimeNs after,
                      TimeNs elapsed,
                      bool single,
                      TimeNs limit,
                      TimeNs& latest) const
{
    for (const Clock& clock : m_clocks)
    {
        const TimeNs on = Ahead(clock, unixNs) - elapsed;
        const bool nearer = Distance(on, 0) < after;
        const bool returns = ahead ? on >= -REORDERING && nearer
                                   : Distance(on, 0) <= limit || (single && on >= -limit && nearer);
        if (!clock.left && !clock.IsOutlier() && returns)
        {
            latest = m_uptime + std::clamp<TimeNs>(on, 0, NS_PER_SECOND);
            return true;
        }
    }
    return false;
}

void
CaptureClock::Accept(Clock& clock, int64_t unixNs)
{
    const auto number = static_cast<std::size_t>(&clock - m_clocks.data());
    if (clock.left)
    {
        Lead(number); // steps that cancel each other: these are two clocks from now on
    }
    const TimeNs ahead = Ahead(clock, unixNs);
    m_counts.outOfOrder += ahead < -1; // a clock that was set is a nanosecond behind
    clock.packets += number != m_lead;
    clock.used = m_decisions;
    m_uptime += std::max<TimeNs>(ahead, 0);
}

/// A time of another clock than all that are known, or a wild one: between its neighbours.
void
CaptureClock::AcceptOther(int64_t unixNs, TimeNs latest)
{
    const TimeNs least = m_leadBoot + m_uptime - unixNs; // that is added to it
    const TimeNs second = (least / NS_PER_SECOND + (least % NS_PER_SECOND > 0)) * NS_PER_SECOND;
    const TimeNs most = std::min(least + ROUNDING, m_leadBoot + latest - unixNs);
    const int64_t boot = m_leadBoot - (second <= most ? second : least);
    for (Clock& clock : m_clocks)
    {
        if (!clock.left && Distance(clock.boot, boot) <= REORDERING)
        {
            Accept(clock, unixNs);
            return;
        }
    }
    Accept(AddClock(boot), unixNs);
}

/// At most MAX_CLOCKS: the one that was not used for the longest time makes room.
CaptureClock::Clock&
CaptureClock::AddClock(int64_t boot)
{
    if (m_clocks.size() == MAX_CLOCKS)
    {
        std::size_t oldest = m_lead == 0 ? 1 : 0;
        for (std::size_t i = oldest + 1; i < m_clocks.size(); ++i)
        {
            oldest = i != m_lead && m_clocks[i].used < m_clocks[oldest].used ? i : oldest;
        }
        const Clock& clock = m_clocks[oldest];
        (clock.IsOutlier() ? m_counts.outliers : m_counts.otherClock) += clock.packets;
        m_clocks.erase(m_clocks.begin() + static_cast<std::ptrdiff_t>(oldest));
        m_lead -= oldest < m_lead;
    }
    m_clocks.push_back({boot, 0, m_decisions, false, false});
    return m_clocks.back();
}

/// The clock was set, or is known only now: uptime goes on from where it is.
void
CaptureClock::SetClock(int64_t unixNs)
{
    if (m_clocks.empty())
    {
        m_leadBoot = unixNs - m_uptime;
        m_boots.push_back({0, m_leadBoot});
        AddClock(m_leadBoot).led = true;
        return;
    }
    AddClock(unixNs - m_uptime);
    const std::size_t before = m_lead;
    Lead(m_clocks.size() - 1);
    m_clocks[before].left = true;
}

/// From the next nanosecond of uptime on, boot is when this clock says.
void
CaptureClock::Lead(std::size_t number)
{
    m_clocks[m_lead].used = m_decisions;
    m_lead = number;
    Clock& clock = m_clocks[number];
    clock.left = false;
    clock.led = true;
    clock.used = m_decisions;
    m_leadBoot = clock.boot;
    ++m_uptime;
    m_boots.push_back({m_uptime, m_leadBoot});
}

} // namespace netflow
