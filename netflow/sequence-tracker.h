// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Reads from the flow_sequence of one engine's datagrams: records that are missing, datagrams that
 * came late or twice, and restarts of the exporter.
 *
 * One object for each exporter and engine. The simulated collector and 'collect' use it.
 */
#ifndef NETFLOW_SEQUENCE_TRACKER_H
#define NETFLOW_SEQUENCE_TRACKER_H

#include "netflow/v5-codec.h"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace netflow
{

/// Findings so far.
struct SequenceCounts
{
    uint64_t failures{0};   //!< datagrams whose flow_sequence was not the expected one
    uint64_t gaps{0};       //!< runs of records that are missing now
    uint64_t missing{0};    //!< records that are missing now
    uint64_t late{0};       //!< datagrams that came after a later one
    uint64_t duplicates{0}; //!< datagrams that were there before
    uint64_t restarts{0};   //!< of the exporter

    SequenceCounts& operator+=(const SequenceCounts& other);
};

/**
 * Follows a sequence, which counts by rule R3 of docs/netflow-v5-rules.md.
 *
 * - A datagram is late if it begins within the last records before the highest flow_sequence and
 *   tells the same time of boot (within BOOT_TOLERANCE): its records are no longer missing. If
 *   none of them was, it is a duplicate.
 * - The exporter restarted if its time of boot is later, or the sequence goes back by more. It did,
 *   too, if a datagram overlaps records that were there before with new ones, or if two in
 *   a row that seem to be duplicates were sent after the highest one: a process that begins anew
 *   on a host that runs on.
 * - If the sequence goes on where it was before it went back, it did not restart: those in
 *   between were late by more, or somebody else's.
 * - A datagram of the boot before the restart is late, and fills nothing.
 * - Records before the first datagram were never missing.
 */
class SequenceTracker
{
  public:
    enum class Finding : uint8_t
    {
        FIRST,
        IN_ORDER,
        GAP, //!< records before it are missing
        LATE,
        DUPLICATE,
        RESTART,
    };

    static constexpr uint32_t DEFAULT_LATE_RECORDS = 1000;
    /// The clocks of a header are this coarse at worst: unix_nsecs may always be 0.
    static constexpr int64_t BOOT_TOLERANCE_NS = 1'000'000'000;

    /// \param lateRecords how far before the highest flow_sequence a datagram may begin to be late
    explicit SequenceTracker(uint32_t lateRecords = DEFAULT_LATE_RECORDS);

    Finding Take(const V5Header& header);

    /// The next datagram will be the first one; the counts stay.
    void Forget();

    /// The flow_sequence that is due. Not before the first datagram.
    uint32_t GetExpected() const;
    const SequenceCounts& GetCounts() const;

  private:
    /// A record's number in order of sending; the flow_sequence are its low 32 bits.
    using Position = uint64_t;

    Position PositionOf(const V5Header& header) const;
    void Begin(const V5Header& header);
    void Advance(const V5Header& header);
    Finding Restart(const V5Header& header);
    bool Resumes(const V5Header& header) const;
    void Resume();
    Finding TakeOther(const V5Header& header, const std::optional<V5Header>& suspect);
    Finding TakeGap(const V5Header& header);
    Finding TakeBack(const V5Header& header);
    uint64_t Fill(Position begin, Position end);
    int CompareBoot(const V5Header& header) const;

    /// Of what one process sends, as far as it came.
    struct Stream
    {
        Position first{0};                 // of the first datagram
        Position highest{0};               // highest flow_sequence
        Position next{0};                  // behind the highest record
        uint32_t uptime{0};                // of the highest datagram
        std::optional<int64_t> boot;       // the same
        std::map<Position, Position> open; // begin and end of runs that did not come
        uint64_t datagrams{0};             // after the first one
    };

    const uint32_t m_lateRecords;
    bool m_known{false};
    Stream m_now;
    std::optional<int64_t> m_bootBefore; // of the restart
    std::optional<V5Header> m_suspect;   // a duplicate that may begin a new process's sequence
    SequenceCounts m_counts;
    std::optional<std::pair<Stream, SequenceCounts>> m_left; // for a sequence that went back
};

} // namespace netflow

#endif // NETFLOW_SEQUENCE_TRACKER_H
