// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The flow cache: counts packets in flow records and ends records by the NetFlow timeouts.
 *
 * The metering process calls Account() for each packet and Scan() when NextScan() says that
 * something may be due; ended records go to an EndedRecordSink. Their fate afterwards is not the
 * cache's business.
 *
 * Live records are in a FlowTable; which of them a scan looks at, a TimerWheel knows. A caller with
 * several packets at hand prepares them together: then the memory that they need is fetched for all
 * at once, not for one after the other.
 */
#ifndef NETFLOW_FLOW_CACHE_H
#define NETFLOW_FLOW_CACHE_H

#include "netflow/deferred-packets.h"
#include "netflow/enum-table.h"
#include "netflow/flow-record.h"
#include "netflow/flow-table.h"
#include "netflow/heap.h"
#include "netflow/high-water.h"
#include "netflow/ledger.h"
#include "netflow/packet-parser.h"
#include "netflow/timer-wheel.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace netflow
{

/// Treatment of a packet of a new flow when the cache is full or its heap exhausted.
enum CachePolicy : uint8_t
{
    DROP_NEW,
    EVICT_OLDEST,
    EVICT_OLDEST_DROP,
    CACHE_POLICIES //!< how many there are
};

/// Fixed properties of a CachePolicy.
struct CachePolicyInfo
{
    CachePolicy policy;
    const char* word; //!< as scenarios and attributes spell it
    bool evicts;      //!< a live record makes room
    Move evicted;     //!< what becomes of that: QUEUED, or a loss
    const char* help;
};

inline constexpr CachePolicyInfo CACHE_POLICY_INFOS[] = {
    {DROP_NEW, "DropNew", false, Move::QUEUED, "shed the packet"},
    {EVICT_OLDEST,
     "EvictOldest",
     true,
     Move::QUEUED,
     "end the record with the smallest First (ties: created first); it is exported"},
    {EVICT_OLDEST_DROP,
     "EvictOldestDrop",
     true,
     Move::DROPPED_EVICTED,
     "the same, but the evicted record is dropped"},
};
static_assert(HasRowOfEach(CACHE_POLICY_INFOS, &CachePolicyInfo::policy, CACHE_POLICIES));

constexpr const CachePolicyInfo&
GetInfo(CachePolicy policy)
{
    return CACHE_POLICY_INFOS[policy];
}

/// Timeouts and bounds. Defaults are those of ESX Server 3.5 where it documents them.
struct FlowCacheConfig
{
    TimeNs idleTimeout{15 * NS_PER_SECOND};    //!< > 0; technote: "statically set to 15 seconds"
    TimeNs activeTimeout{300 * NS_PER_SECOND}; //!< > 0; technote: "and 5 minutes"
    TimeNs scanInterval{10 * NS_PER_MS};       //!< > 0; records end on multiples of it
    uint64_t maxEntries{0};     //!< live records at most; 0: only the heap limits them
    uint64_t heapPerRecord{80}; //!< octets charged to the heap for each live record
    CachePolicy policy{CachePolicy::DROP_NEW};
    bool expireOnTcpEnd{false}; //!< end a TCP flow's record with the packet that carries FIN or RST
    uint64_t firstRecordId{0};  //!< FlowRecord::id of the first record
    MemoryAdvice memoryAdvice{nullptr}; //!< of the real memory that records are in; may be nullptr
    HashSeed hashSeed{ProcessHashSeed()}; //!< of the table of flows; results do not depend on it
};

/// Receives each record as it leaves the cache.
class EndedRecordSink
{
  public:
    virtual ~EndedRecordSink() = default;
    virtual void RecordEnded(const FlowRecord& record) = 0;

    /// Deferred packets were counted in a live record.
    virtual void DeferredCounted(const FlowKey& /* key */, const DeferredPackets::Sum& /* sum */)
    {
    }
};

/// Outcome of counting a packet.
enum class AccountResult : uint8_t
{
    COUNTED,         //!< in a record that was there
    COUNTED_NEW,     //!< in a new record
    SHED_NO_MEMORY,  //!< not counted: the heap refused a new record
    SHED_CACHE_FULL, //!< not counted: maxEntries records are live
};

/// A packet among several that are counted together.
struct BatchedPacket
{
    PacketSummary packet; //!< its key complete
    uint16_t output;      //!< local port ID of its receiver; kept if it is a record's first packet
    TimeNs time;
    uint32_t hash;  //!< set by FlowCache::Prepare()
    uint32_t guess; //!< likewise
};

/// Live flow records of one exporter.
class FlowCache
{
  public:
    /**
     * \param config copied
     * \param heap charged for live records; must outlive the cache
     * \param sink told of ended records; must outlive the cache
     */
    FlowCache(const FlowCacheConfig& config, Heap& heap, EndedRecordSink& sink);
    ~FlowCache();
    FlowCache(const FlowCache&) = delete;
    FlowCache& operator=(const FlowCache&) = delete;

    /**
     * Counts one packet.
     * \param packet a METERABLE packet with its key complete
     * \param output local port ID of its receiver; kept if it is the record's first packet
     * \param now not earlier than in any earlier call
     */
    AccountResult Account(const PacketSummary& packet, uint16_t output, TimeNs now)
    {
        const uint32_t hash = m_table.HashOf(packet.key);
        return AccountIn(m_table.Find(packet.key, hash), packet, hash, output, now);
    }

    /**
     * Has the memory fetched that Account() will touch for each of some packets: first the places
     * of all, then the entries of all. Changes nothing in the cache.
     */
    void Prepare(BatchedPacket* packets, std::size_t count) const;

    /// The same as Account() above for a packet that was prepared, no matter what happened since.
    AccountResult Account(const BatchedPacket& batched, TimeNs now)
    {
        const FlowKey& key = batched.packet.key;
        FlowEntry* entry = m_table.IsAt(batched.guess, key) ? &m_table.At(batched.guess)
                                                            : m_table.Find(key, batched.hash);
        return AccountIn(entry, batched.packet, batched.hash, batched.output, now);
    }

    /**
     * Ends every record that is past a timeout at \p now (a multiple of the scan interval), in
     * order of creation. A record is past if now - last > idle timeout, or now - first > active
     * timeout.
     */
    void Scan(TimeNs now);

    /// The next multiple of the scan interval at which a record may be due; NEVER if the cache is
    /// empty.
    TimeNs NextScan() const;

    /// Ends all live records of a vSwitch with STOPPED, in order of creation. Deferred ones have
    /// what they had at the last Settle().
    void Stop(uint16_t vSwitch);

    /**
     * Counts packets of a live record only when it matters.
     * \param packets all of the flow from now on; they must live until Resume() was called of them
     * or by Undefer()
     * \param next instant of the first one
     * \return its entry as it is now, or nullptr: the key has no record, the first one will not
     * belong to it, or others are deferred in it
     */
    const FlowEntry* Defer(const FlowKey& key, DeferredPackets& packets, TimeNs next);

    /// Counts deferred packets of all records up to an instant.
    void Settle(TimeNs until);

    /// Counts a deferred record's packets up to an instant; from now on they are observed.
    void Undefer(const FlowKey& key, TimeNs until);

    uint64_t GetSize() const;
    uint64_t GetHighWater() const;
    /// The same since the last call.
    uint64_t TakeHighWater();
    /// The id that the next record will get.
    uint64_t GetNextRecordId() const;
    const FlowCacheConfig& GetConfig() const;

    /// Calls \p visit(record) for each live record in order of creation. Costs a walk over the
    /// cache.
    template <typename Visitor>
    void ForEach(Visitor visit) const
    {
        for (const auto& [id, index] : LiveInOrderOfCreation())
        {
            visit(ToRecord(m_table.At(index)));
        }
    }

  private:
    friend struct FlowCachePeer; // a test sets counters that would take 2^32 packets to reach

    FlowRecord ToRecord(const FlowEntry& entry) const;

    static bool IsDeferred(const FlowEntry& entry)
    {
        return entry.last <= DEFERRED;
    }

    /// When the record's last packet came, as far as it is counted.
    TimeNs LastOf(const FlowEntry& entry) const
    {
        return IsDeferred(entry) ? m_deferred[DEFERRED - entry.last].last : entry.last;
    }

    /// The last instant at which a packet still belongs to the record.
    TimeNs Deadline(const FlowEntry& entry) const
    {
        return std::min(LastOf(entry) + m_config.idleTimeout, entry.first + m_config.activeTimeout);
    }

    /// Counts a packet whose flow has this entry, or none. The usual case calls nothing.
    AccountResult AccountIn(FlowEntry* entry,
                            const PacketSummary& packet,
                            uint32_t hash,
                            uint16_t output,
                            TimeNs now)
    {
        if (!entry)
        {
            return AccountNew(packet, hash, output, now);
        }
        uint32_t packets; // dPkts and dOctets have 32 bits
        uint32_t octets;
        if (entry->last < now - m_config.idleTimeout ||
            entry->first < now - m_config.activeTimeout ||
            __builtin_add_overflow(entry->packets, 1, &packets) ||
            __builtin_add_overflow(entry->octets, packet.octets, &octets))
        {
            return AccountNext(*entry, packet, output, now);
        }
        entry->packets = packets;
        entry->octets = octets;
        entry->last = now;
        entry->tcpFlags |= packet.tcpFlags;
        if ((packet.tcpFlags & m_endingFlags) != 0)
        {
            EndAndRemove(entry->number, EndReason::TCP_END);
        }
        return AccountResult::COUNTED;
    }

    AccountResult AccountNew(const PacketSummary& packet,
                             uint32_t hash,
                             uint16_t output,
                             TimeNs now);
    AccountResult AccountNext(FlowEntry& entry,
                              const PacketSummary& packet,
                              uint16_t output,
                              TimeNs now);
    AccountResult MakeRoom(TimeNs now);
    void Begin(uint32_t index, const PacketSummary& packet, uint16_t output, TimeNs now);
    void End(const FlowEntry& entry, EndReason reason);
    void EndAndRemove(uint32_t index, EndReason reason);
    using Creation = std::pair<uint64_t, uint32_t>; // record id, entry: sorts by creation
    bool IsStale(const Creation& creation) const;
    void RememberCreation(uint32_t index, uint64_t id);
    void EvictOldest(TimeNs now);
    DeferredPackets& EndDeferral(FlowEntry& entry);
    void CatchUp(FlowEntry& entry, TimeNs until);
    void Resume(FlowEntry& entry);
    void ArmFor(uint32_t index);
    int64_t DueTick(const FlowEntry& entry) const;
    EndReason TimeoutReason(const FlowEntry& entry, TimeNs now) const;
    void CollectDue(int64_t visited, TimeNs now);
    std::vector<Creation> LiveInOrderOfCreation() const;

    const FlowCacheConfig m_config;
    Heap& m_heap;
    EndedRecordSink& m_sink;
    const uint8_t m_endingFlags; // TCP flags that end a record
    FlowTable m_table;
    HighWater m_highWater;
    uint64_t m_nextId;
    TimerWheel m_wheel;
    std::vector<uint32_t> m_references; // scratch of Scan
    std::vector<Creation> m_due;        // scratch of Scan

    /// A live record whose entry says `last = DEFERRED - place`, so that a packet of its flow takes
    /// the way of one that comes too late.
    struct Deferred
    {
        DeferredPackets* packets;
        TimeNs last;     //!< instant of the last packet that is counted
        TimeNs next;     //!< no packet that is not counted comes before
        uint32_t number; //!< of the entry
    };

    Deferred& DeferredOf(const FlowEntry& entry)
    {
        return m_deferred[DEFERRED - entry.last];
    }

    static constexpr TimeNs DEFERRED = INT64_MIN / 2;
    std::vector<Deferred> m_deferred;
    std::deque<Creation>
        m_creationOrder; // with stale ones left in; kept only when the policy evicts
};

} // namespace netflow

#endif // NETFLOW_FLOW_CACHE_H
