// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The record journal: what became of every single record and shed packet of one exporting host (law
 * L6).
 *
 * It costs nothing per counted packet: it hears of a record when the record ends and at each later
 * station. Truth per flow is then the sum over the flow's records, live ones included, and its shed
 * packets.
 */
#ifndef NETFLOW_JOURNAL_H
#define NETFLOW_JOURNAL_H

#include "netflow/flow-record.h"
#include "netflow/ledger.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace netflow
{

/// The latest known station of an ended record.
struct JournalEntry
{
    FlowRecord record;
    TimeNs endedAt{0};              //!< when it left the cache
    TimeNs movedAt{0};              //!< when it made its latest move
    Move last{Move::QUEUED};        //!< the record's latest move
    uint32_t datagram{NO_DATAGRAM}; //!< number of the datagram that carries it, once sealed

    static constexpr uint32_t NO_DATAGRAM = UINT32_MAX;
};

/// Packets of a flow that were shed for one cause.
struct ShedPackets
{
    Counts counts; //!< records is 0
    TimeNs first{0};
    TimeNs last{0};
    uint8_t tcpFlags{0}; //!< OR over these packets
};

/// Per-record fates of one host.
class Journal
{
  public:
    /// A record ended. Its station is what follows at once: QUEUED, a drop or a discard.
    void Ended(const FlowRecord& record, Move station, TimeNs now);

    /// A record that ended earlier moved on.
    void Moved(uint64_t recordId,
               Move station,
               TimeNs now,
               uint32_t datagram = JournalEntry::NO_DATAGRAM);

    /// A packet of a flow was shed.
    void Shed(const FlowKey& key, Move cause, uint32_t octets, uint8_t tcpFlags, TimeNs now);

    /// What another journal has of shed packets.
    void Restore(const std::pair<FlowKey, Move>& flowAndCause, const ShedPackets& shed);

    /// All ended records in order of their end.
    const std::deque<JournalEntry>& GetEntries() const;

    /// Places of all ended records, by flow, those of a flow in order of their end. Sorts what has
    /// come since the last call.
    const std::vector<uint32_t>& GetPlacesByFlow() const;

    /// Shed packets by flow and cause.
    const std::map<std::pair<FlowKey, Move>, ShedPackets>& GetShed() const;

  private:
    std::deque<JournalEntry> m_entries; // grows without copies: there may be millions
    std::vector<uint32_t> m_positions;  // record id -> index in m_entries
    mutable std::vector<uint32_t> m_placesByFlow;
    std::map<std::pair<FlowKey, Move>, ShedPackets> m_shed;
};

} // namespace netflow

#endif // NETFLOW_JOURNAL_H
