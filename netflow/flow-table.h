// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The flow cache's memory: live flows by key.
 *
 * A hash table of entries of one cache line each, with the entries themselves in their places: a
 * packet of a known flow touches one line in most cases, and a caller with several packets at hand
 * has their lines fetched beforehand. A flow whose place is taken goes to an overflow area behind
 * the places, chained to the place. Nothing moves but when the table grows, so that others can
 * refer to entries by number. When records begin and end is the flow cache's business.
 */
#ifndef NETFLOW_FLOW_TABLE_H
#define NETFLOW_FLOW_TABLE_H

#include "netflow/flow-key.h"
#include "netflow/large-memory.h"
#include "netflow/time.h"

#include <cstddef>
#include <cstdint>

namespace netflow
{

/// A live flow's record, or an unused entry. Filled in by the flow cache, but for key, live and
/// link.
struct alignas(64) FlowEntry
{
    FlowKey key;
    uint16_t output;
    uint8_t tcpFlags;
    bool live;
    uint32_t packets;
    uint32_t octets;
    TimeNs first;
    TimeNs last;
    uint64_t id;
    uint32_t armedTick; // low bits of the tick at which the wheel refers to this entry
    uint32_t link;      // the next entry of the same place, or the next unused one; 0: none
};

static_assert(sizeof(FlowEntry) == 64, "one cache line per flow");

/// Entries by key.
class FlowTable
{
  public:
    /// \param advice of its memory; may be nullptr
    explicit FlowTable(MemoryAdvice advice);

    static constexpr uint32_t NO_ENTRY = UINT32_MAX;

    FlowEntry& At(uint32_t index)
    {
        return m_entries[index];
    }

    const FlowEntry& At(uint32_t index) const
    {
        return m_entries[index];
    }

    /// \return the key's entry, or nullptr. \param hash of the key
    FlowEntry* Find(const FlowKey& key, uint32_t hash)
    {
        uint32_t index = hash & m_mask;
        do
        {
            FlowEntry& entry = m_entries[index];
            if (entry.key == key && entry.live)
            {
                return &entry;
            }
            index = entry.link;
        } while (index != 0);
        return nullptr;
    }

    /// The number of an entry.
    uint32_t IndexOf(const FlowEntry& entry) const
    {
        return static_cast<uint32_t>(&entry - m_entries.get());
    }

    /// Asks for the entry that Find() reads first.
    void PrefetchPlace(uint32_t hash) const
    {
        __builtin_prefetch(&m_entries[hash & m_mask], 1);
    }

    /// The entry that a key most probably has if it has any, looked for in its place only and asked
    /// for if it is elsewhere.
    uint32_t Guess(const FlowKey& key, uint32_t hash) const
    {
        const uint32_t place = hash & m_mask;
        const FlowEntry& entry = m_entries[place];
        if (entry.link == 0 || entry.key == key)
        {
            return place;
        }
        __builtin_prefetch(&m_entries[entry.link], 1);
        return entry.link;
    }

    /// Whether a guess is right, however old it is.
    bool IsAt(uint32_t index, const FlowKey& key) const
    {
        return index < m_end && m_entries[index].key == key && m_entries[index].live;
    }

    /// Asks for an entry. \param index may be NO_ENTRY
    void PrefetchEntry(uint32_t index) const
    {
        __builtin_prefetch(m_entries.get() + index, 1);
    }

    /// Whether the table should grow before another entry is made.
    bool IsCrowded() const
    {
        return m_size >= m_crowd || (m_unused == 0 && m_end == m_capacity);
    }

    /// What Grow() leaves behind: the entries' new numbers by their old ones.
    class Renumbering
    {
      public:
        /// Whether the table has grown.
        explicit operator bool() const
        {
            return m_old != nullptr;
        }

        /// NO_ENTRY for an entry that was unused.
        uint32_t operator()(uint32_t index) const
        {
            return index < m_end && m_old[index].live ? m_old[index].link : NO_ENTRY;
        }

      private:
        friend class FlowTable;

        LargeArray<FlowEntry> m_old; // link: the new number
        uint32_t m_end{0};
    };

    /**
     * Doubles the table: all entries get new numbers.
     * \return false, and nothing has changed, if this machine has no memory for it
     */
    Renumbering Grow();

    /// Makes an entry for a key that has none. \return NO_ENTRY if there is no room
    uint32_t Insert(const FlowKey& key, uint32_t hash);

    /// Gives a live entry up.
    void Remove(uint32_t index);

    /// Live entries.
    uint64_t GetSize() const
    {
        return m_size;
    }

    /// Numbers of entries are below this.
    uint32_t GetEnd() const
    {
        return m_end;
    }

  private:
    bool Allocate(uint32_t places);

    const MemoryAdvice m_advice;
    LargeArray<FlowEntry> m_entries; // places, then the overflow area
    uint32_t m_mask{0};              // places - 1
    uint32_t m_capacity{0};          // places and overflow area
    uint32_t m_end{0};               // of the used part of the overflow area
    uint32_t m_unused{0};            // chain of given-up entries in the overflow area
    uint64_t m_size{0};
    uint64_t m_crowd{0}; // size at which the table should grow
};

} // namespace netflow

#endif // NETFLOW_FLOW_TABLE_H
