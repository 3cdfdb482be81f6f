// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Purgatory: the bounded FIFO in which ended records wait for net-netflow's next poll.
 *
 * One per host. The metering process pushes; a poll takes all records of the polling process's
 * vSwitches. Drops are counted by the caller in the ledger; what was dropped is handed back for
 * that.
 */
#ifndef NETFLOW_PURGATORY_H
#define NETFLOW_PURGATORY_H

#include "netflow/enum-table.h"
#include "netflow/flow-record.h"
#include "netflow/high-water.h"
#include "netflow/ledger.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace netflow
{

/// Choice of the record that a full purgatory loses.
enum PurgatoryPolicy : uint8_t
{
    TAIL_DROP,
    HEAD_DROP,
    PURGATORY_POLICIES //!< how many there are
};

/// Fixed properties of a PurgatoryPolicy.
struct PurgatoryPolicyInfo
{
    PurgatoryPolicy policy;
    const char* word; //!< as scenarios and attributes spell it
    Move lost;        //!< from EXPIRED: the record that wants in; from PURGATORY: one that waits
    const char* help;
};

inline constexpr PurgatoryPolicyInfo PURGATORY_POLICY_INFOS[] = {
    {TAIL_DROP, "TailDrop", Move::DROPPED_PURGATORY_FULL, "the newest: the one that just ended"},
    {HEAD_DROP, "HeadDrop", Move::DROPPED_PURGATORY_HEAD, "the oldest waiting"},
};
static_assert(HasRowOfEach(PURGATORY_POLICY_INFOS,
                           &PurgatoryPolicyInfo::policy,
                           PURGATORY_POLICIES));

constexpr const PurgatoryPolicyInfo&
GetInfo(PurgatoryPolicy policy)
{
    return PURGATORY_POLICY_INFOS[policy];
}

/// A record that waits.
struct QueuedRecord
{
    FlowRecord record;
    TimeNs queuedAt{0};
    uint32_t expirySequence{
        0}; //!< records of this engine that expired before it, modulo 2^32 (sequence mode AtExpiry)
};

/// How long records waited between their end and a poll.
struct ResidenceTimes
{
    uint64_t records{0};
    TimeNs sum{0};
    TimeNs max{0};
};

/// Bounded FIFO of ended records.
class Purgatory
{
  public:
    /// \param bound records that fit, >= 1
    Purgatory(uint32_t bound, PurgatoryPolicy policy);

    bool IsFull() const;

    /**
     * Queues a record.
     * \param dropped set to the record that was lost if purgatory is full
     * \return QUEUED, or the move of the record that was lost
     */
    Move Push(const QueuedRecord& queued, QueuedRecord& dropped);

    /**
     * Removes every record of the given vSwitches in FIFO order and appends them to \p taken.
     * \param vSwitches switch IDs
     * \param now for the residence times
     */
    void Take(const std::vector<uint16_t>& vSwitches, TimeNs now, std::vector<QueuedRecord>& taken);

    std::size_t GetSize() const;
    uint32_t GetBound() const;
    /// The most records that ever waited at once (law L8: never more than the bound).
    std::size_t GetHighWater() const;
    /// The same since the last call.
    std::size_t TakeHighWater();
    const ResidenceTimes& GetResidenceTimes() const;

    /// Calls \p visit(queuedRecord) in FIFO order.
    template <typename Visitor>
    void ForEach(Visitor visit) const
    {
        for (std::size_t i = m_head; i < m_queue.size(); ++i)
        {
            visit(m_queue[i]);
        }
    }

  private:
    void DropHead(QueuedRecord& dropped);

    const uint32_t m_bound;
    const PurgatoryPolicy m_policy;
    std::vector<QueuedRecord> m_queue; // live part: [m_head, size)
    std::size_t m_head{0};
    HighWater m_highWater;
    ResidenceTimes m_residence;
};

} // namespace netflow

#endif // NETFLOW_PURGATORY_H
