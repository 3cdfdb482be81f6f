// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The metering process of one exporting host: registered vSwitches, flow cache and purgatory, with
 * every move booked.
 *
 * Time enters here. Callers hand in each packet (Observe), run scans at the instants that
 * NextScan() names, and poll. At equal times a scan comes before a poll. Packing datagrams is the
 * exporter's business: the purgatory stands between them.
 */
#ifndef NETFLOW_METERING_PROCESS_H
#define NETFLOW_METERING_PROCESS_H

#include "netflow/flow-cache.h"
#include "netflow/heap.h"
#include "netflow/journal.h"
#include "netflow/ledger.h"
#include "netflow/packet-parser.h"
#include "netflow/purgatory.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace netflow
{

/// Bounds and policies of the NetFlow module.
struct MeteringConfig
{
    FlowCacheConfig cache;
    uint32_t purgatoryMax{4096}; //!< records, >= 1
    PurgatoryPolicy purgatoryPolicy{PurgatoryPolicy::TAIL_DROP};
};

/// Octets of heap reserved at load for each record that purgatory can hold.
constexpr uint64_t HEAP_PER_QUEUED_RECORD = 64;

/// Why metering of a vSwitch stops.
enum class StopCause : uint8_t
{
    KILLED,
    UNLOADED,
    SWITCH_DELETED,
    COUNT
};

/// Events that a host logs. Called synchronously; must not call back unless the method says so.
class MeteringEvents
{
  public:
    virtual ~MeteringEvents() = default;

    /// Purgatory is full and a record wants in. May poll: if there is room afterwards, nothing is
    /// lost.
    virtual void PurgatoryFull(TimeNs /* now */)
    {
    }

    /// First drop of an episode.
    virtual void PurgatoryEpisodeBegan(TimeNs /* now */)
    {
    }

    /// First poll period without a drop after an episode that lost \p drops records.
    virtual void PurgatoryEpisodeEnded(TimeNs /* now */, uint64_t /* drops */)
    {
    }

    /// A record ended; \p station is where it went at once: QUEUED, a drop or a discard.
    virtual void RecordConcluded(const FlowRecord& /* record */, Move /* station */)
    {
    }

    /// The heap refused \p size octets for a new record.
    virtual void AllocationFailed(TimeNs /* now */, uint64_t /* size */)
    {
    }
};

/// Meters registered vSwitches of one host.
class MeteringProcess : private EndedRecordSink
{
  public:
    /**
     * Makes a metering process and reserves purgatory's memory.
     * \param heap charged; must outlive the result
     * \param ledger booked; must outlive the result
     * \param journal told of every record's stations; may be nullptr
     * \param events may be nullptr
     * \return nullptr if the heap cannot hold purgatory
     */
    static std::unique_ptr<MeteringProcess> Create(const MeteringConfig& config,
                                                   Heap& heap,
                                                   Ledger& ledger,
                                                   Journal* journal,
                                                   MeteringEvents* events);
    ~MeteringProcess() override;

    /// Analysis of a vSwitch begins. \return false if it is registered already
    bool Register(uint16_t vSwitch);

    /// Analysis ends: what is live or queued of the vSwitch is discarded under \p cause.
    void Unregister(uint16_t vSwitch, StopCause cause, TimeNs now);

    /// Ends all live records of a vSwitch now, as STOPPED, and queues them: metering of it goes on.
    /// (An ESX host never does this; a meter of captures does, when it is told to end.)
    void Flush(uint16_t vSwitch, TimeNs now);

    bool IsRegistered(uint16_t vSwitch) const;

    /**
     * Takes note of one frame that entered a registered vSwitch.
     * \param packet the parser's result; key.vSwitch and key.input are filled in here
     * \param input local port ID by which it came in
     * \param output local port ID of its single receiver, else 0
     * \param now time of ingress; a time before the latest one seen counts as the latest (see
     * GetClockRegressions())
     */
    void Observe(uint16_t vSwitch,
                 PacketSummary packet,
                 uint16_t input,
                 uint16_t output,
                 TimeNs now);

    /**
     * Announces packets that ObserveBatch() will be called with, so that the memory they need is
     * fetched for all at once.
     * \param packets with key.vSwitch and key.input filled in, of METERABLE packets or not
     */
    void PrepareBatch(BatchedPacket* packets, std::size_t count) const;

    /**
     * Observes prepared packets, each as Observe() would, as long as their times are before an
     * instant; bookings are summed up and made at the end. When the first packet is before it, at
     * least one is observed.
     * \param until when something else is due: a scan or a poll
     * \return how many were observed
     */
    std::size_t ObserveBatch(const BatchedPacket* packets, std::size_t count, TimeNs until);

    /**
     * Books frames that are offered and ignored unparsed.
     * \param cause IGNORED_NOT_MONITORED or IGNORED_OWN_EXPORT
     * \param octets of the frames after their Ethernet headers
     */
    void Ignore(uint16_t vSwitch, Move cause, uint64_t octets, uint64_t packets = 1);

    /**
     * Takes note of a flow's packets from now on only when it matters: they are the same as if each
     * were observed at its instant. Scans, polls and whatever else is said to happen at an instant
     * come before packets of that instant.
     * \param key of packets of which one was observed
     * \param packets of METERABLE verdict, all; see DeferredPackets for those that must be observed
     * \param next instant of the first one
     * \return the record up to now, or nullptr: there is none, the first packet will not belong to
     * it, or others are deferred in it
     */
    const FlowEntry* Defer(const FlowKey& key, DeferredPackets& packets, TimeNs next);

    /// Takes note of all deferred packets before an instant: to be called before anybody reads
    /// counts, and before packets go another way.
    void Settle(TimeNs until);

    /// The same for the packets of one flow, which will be observed from now on.
    void Undefer(const FlowKey& key, TimeNs until);

    /// Ends the records that are past a timeout. \param now a multiple of the scan interval
    void Scan(TimeNs now);

    /// When to call Scan() next; NEVER if nothing is live.
    TimeNs NextScan() const;

    /// Appends all queued records of the given vSwitches to \p taken, oldest first.
    void Poll(const std::vector<uint16_t>& vSwitches, TimeNs now, std::vector<QueuedRecord>& taken);

    /// The most records in each since the last call.
    struct Peaks
    {
        uint64_t cache;
        uint64_t purgatory;
    };

    Peaks TakePeaks();

    const FlowCache& GetCache() const;
    const Purgatory& GetPurgatory() const;

    /// Frames whose time lay before that of an earlier frame.
    uint64_t GetClockRegressions() const;

    /**
     * Laws L1 to L3 and L8: how far the ledger's balances are from what the containers hold, and
     * transit places from empty, summed over vSwitches without sign. All zero unless there is a
     * bug. Costs a walk over the cache.
     */
    Counts GetResidual() const;

    /**
     * Laws L7 and L8: records that began before boot or ended before their last packet, records
     * that left by a timeout before their deadline or more than a scan interval after it, and
     * bounds that were exceeded. 0 unless there is a bug, or scans did not come when NextScan()
     * said.
     */
    uint64_t GetBreaches() const;

  private:
    MeteringProcess(const MeteringConfig& config,
                    Heap& heap,
                    Ledger& ledger,
                    Journal* journal,
                    MeteringEvents* events);

    struct Registration
    {
        bool active{false};
        Account* account{nullptr};
        uint32_t expired{0}; // records expired since registration, modulo 2^32
    };

    Registration& GetRegistration(uint16_t vSwitch);
    TimeNs NotBefore(TimeNs now);
    void Shed(Account& account, const PacketSummary& packet, AccountResult result, TimeNs now);
    void RecordEnded(const FlowRecord& record) override;
    void DeferredCounted(const FlowKey& key, const DeferredPackets::Sum& sum) override;
    void Queue(const FlowRecord& record, Registration& registration);
    void NoteDrop();
    void CheckTimes(const FlowRecord& record);
    void Conclude(const FlowRecord& record, Move station);
    void AssertBalance() const;

    Heap& m_heap;
    Ledger& m_ledger;
    Journal* m_journal;
    MeteringEvents* m_events;
    FlowCache m_cache;
    Purgatory m_purgatory;
    std::vector<Registration> m_registrations; // by switch ID
    TimeNs m_now{0};
    uint64_t m_clockRegressions{0};
    StopCause m_stopCause{StopCause::KILLED};
    bool m_flushing{false}; // records that are STOPPED are queued
    bool m_inEpisode{false};
    uint64_t m_episodeDrops{0};
    uint64_t m_dropsSincePoll{0};
    uint64_t m_breaches{0}; // of law L7
};

} // namespace netflow

#endif // NETFLOW_METERING_PROCESS_H
