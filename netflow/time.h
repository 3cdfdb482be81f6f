// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Time as the library sees it: nanoseconds since the exporting host booted, handed in by the
 * caller. Nothing in netflow/ reads a clock.
 */
#ifndef NETFLOW_TIME_H
#define NETFLOW_TIME_H

#include <cstdint>
#include <limits>

namespace netflow
{

/// Nanoseconds since the exporter's boot (SysUptime 0).
using TimeNs = int64_t;

constexpr TimeNs NS_PER_MS = 1'000'000;
constexpr TimeNs NS_PER_SECOND = 1'000'000'000;

/// Later than every instant that can be scheduled.
constexpr TimeNs NEVER = std::numeric_limits<TimeNs>::max();

/// NetFlow v5 counts seconds since 1970 in 32 bits: later than this, time stands still.
constexpr int64_t MAX_UNIX_NS = (int64_t{1} << 32) * NS_PER_SECOND - 1;

/// The time since 1970 of a captured packet that has none.
constexpr int64_t NO_TIME = -1;

/**
 * SysUptime as NetFlow v5 carries it: whole milliseconds since boot, rounded down, modulo 2^32
 * (it wraps after 49.7 days; rules R5 and R6 of docs/netflow-v5-rules.md).
 * \param time nanoseconds since boot, >= 0
 */
constexpr uint32_t
ToUptimeMs(TimeNs time)
{
    return static_cast<uint32_t>(time / NS_PER_MS);
}

} // namespace netflow

#endif // NETFLOW_TIME_H
