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
#include <iterator>
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

/// Entries in order, in blocks: they grow without copies, for there may be millions.
class JournalEntries
{
  public:
    class Iterator
    {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = JournalEntry;
        using difference_type = std::ptrdiff_t;
        using pointer = const JournalEntry*;
        using reference = const JournalEntry&;

        Iterator(const JournalEntries& entries, std::size_t place)
            : m_entries(&entries),
              m_place(place)
        {
        }

        reference operator*() const
        {
            return (*m_entries)[m_place];
        }

        Iterator& operator++()
        {
            ++m_place;
            return *this;
        }

        bool operator==(const Iterator& other) const
        {
            return m_place == other.m_place;
        }

        bool operator!=(const Iterator& other) const
        {
            return m_place != other.m_place;
        }

      private:
        const JournalEntries* m_entries;
        std::size_t m_place;
    };

    void Add(const JournalEntry& entry)
    {
        if (m_size % PER_BLOCK == 0)
        {
            m_blocks.emplace_back().reserve(PER_BLOCK);
        }
        m_blocks.back().push_back(entry);
        ++m_size;
    }

    JournalEntry& operator[](std::size_t place)
    {
        return m_blocks[place / PER_BLOCK][place % PER_BLOCK];
    }

    const JournalEntry& operator[](std::size_t place) const
    {
        return m_blocks[place / PER_BLOCK][place % PER_BLOCK];
    }

    std::size_t size() const
    {
        return m_size;
    }

    bool empty() const
    {
        return m_size == 0;
    }

    Iterator begin() const
    {
        return {*this, 0};
    }

    Iterator end() const
    {
        return {*this, m_size};
    }

  private:
    static constexpr std::size_t PER_BLOCK = 1024;

    std::vector<std::vector<JournalEntry>> m_blocks;
    std::size_t m_size{0};
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

    /// A record that ended earlier moved on. Once a datagram carries it, it moves with that and is
    /// not told here any more.
    void Moved(uint64_t recordId,
               Move station,
               TimeNs now,
               uint32_t datagram = JournalEntry::NO_DATAGRAM);

    /// A packet of a flow was shed.
    void Shed(const FlowKey& key, Move cause, uint32_t octets, uint8_t tcpFlags, TimeNs now);

    /// Takes over shed packets of another journal.
    void Restore(const std::pair<FlowKey, Move>& flowAndCause, const ShedPackets& shed);

    /// All ended records in order of their end.
    const JournalEntries& GetEntries() const;

    /// Places of all ended records, by flow, those of a flow in order of their end. Sorts what has
    /// come since the last call.
    const std::vector<uint32_t>& GetPlacesByFlow() const;

    /// Shed packets by flow and cause.
    const std::map<std::pair<FlowKey, Move>, ShedPackets>& GetShed() const;

  private:
    JournalEntries m_entries;
    /// Places in m_entries of the records from m_firstMoving on, by id: those before do not move.
    std::vector<uint32_t> m_moving;
    uint64_t m_firstMoving{0};
    std::size_t m_settled{0}; //!< the first of these, which do not move any more, either
    mutable std::vector<uint32_t> m_placesByFlow;
    std::map<std::pair<FlowKey, Move>, ShedPackets> m_shed;
};

} // namespace netflow

#endif // NETFLOW_JOURNAL_H
