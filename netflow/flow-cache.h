// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The flow cache: counts packets in flow records and ends records by the NetFlow timeouts.
 *
 * The metering process calls Account() for each packet and Scan() when NextScan() says that
 * something may be due; ended records go to an EndedRecordSink. What happens to a record afterwards
 * is not the cache's business.
 *
 * Layout: an index of 8-octet slots (hash and entry number, linear probing) over entries of one
 * cache line each, which never move. A packet of a known flow touches its slot and its entry,
 * nothing else.
 */
#ifndef NETFLOW_FLOW_CACHE_H
#define NETFLOW_FLOW_CACHE_H

#include "netflow/flow-record.h"
#include "netflow/heap.h"
#include "netflow/packet-parser.h"
#include "netflow/timer-wheel.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace netflow
{

/// What to do with a packet of a new flow when the cache is full or its heap exhausted.
enum class CachePolicy : uint8_t
{
    DROP_NEW,     //!< shed the packet
    EVICT_OLDEST, //!< end the record with the smallest First (ties: created first); it is exported
    EVICT_OLDEST_DROP, //!< the same, but the evicted record is dropped
};

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
};

/// Receives each record as it leaves the cache.
class EndedRecordSink
{
  public:
    virtual ~EndedRecordSink() = default;
    virtual void RecordEnded(const FlowRecord& record) = 0;
};

/// What became of a packet.
enum class AccountResult : uint8_t
{
    COUNTED,         //!< in a record that was there
    COUNTED_NEW,     //!< in a new record
    SHED_NO_MEMORY,  //!< not counted: the heap refused a new record
    SHED_CACHE_FULL, //!< not counted: maxEntries records are live
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
    AccountResult Account(const PacketSummary& packet, uint16_t output, TimeNs now);

    /**
     * Ends every record that is past a timeout at \p now (a multiple of the scan interval), in
     * order of creation. A record is past if now - last > idle timeout, or now - first > active
     * timeout.
     */
    void Scan(TimeNs now);

    /// The next multiple of the scan interval at which a record may be due; NEVER if the cache is
    /// empty.
    TimeNs NextScan() const;

    /// Ends all live records of a vSwitch with STOPPED, in order of creation.
    void Stop(uint16_t vSwitch);

    uint64_t GetSize() const;
    uint64_t GetHighWater() const;
    /// The id that the next record will get.
    uint64_t GetNextRecordId() const;
    const FlowCacheConfig& GetConfig() const;

    /// Calls \p visit(record) for each live record in order of creation. Costs a walk over the
    /// cache.
    template <typename Visitor>
    void ForEach(Visitor visit) const
    {
        for (uint32_t index : LiveInOrderOfCreation())
        {
            visit(ToRecord(EntryAt(index)));
        }
    }

  private:
    friend struct FlowCachePeer; // a test sets counters that would take 2^32 packets to reach

    struct alignas(64) Entry
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
        uint32_t nextFree;
    };

    static_assert(sizeof(Entry) == 64, "one cache line per flow");

    static constexpr uint32_t ENTRIES_PER_BLOCK_BITS = 12;
    static constexpr uint32_t ENTRIES_PER_BLOCK = 1U << ENTRIES_PER_BLOCK_BITS;
    static constexpr uint32_t NO_ENTRY = UINT32_MAX;

    Entry& EntryAt(uint32_t index) const
    {
        return m_blocks[index >> ENTRIES_PER_BLOCK_BITS][index & (ENTRIES_PER_BLOCK - 1)];
    }

    static FlowRecord ToRecord(const Entry& entry);
    uint32_t Find(const FlowKey& key, uint32_t hash) const;
    AccountResult AccountNew(const PacketSummary& packet,
                             uint32_t hash,
                             uint16_t output,
                             TimeNs now);
    AccountResult MakeRoom();
    uint32_t NewEntry();
    void Begin(uint32_t index, const PacketSummary& packet, uint16_t output, TimeNs now);
    void End(const Entry& entry, EndReason reason);
    void Remove(uint32_t index);
    void EndAndRemove(uint32_t index, EndReason reason);
    using Creation = std::pair<uint32_t, uint64_t>; // entry, record id
    bool IsStale(const Creation& creation) const;
    void RememberCreation(uint32_t index, uint64_t id);
    void EvictOldest();
    void ArmFor(uint32_t index);
    TimeNs Deadline(const Entry& entry) const;
    int64_t DueTick(const Entry& entry) const;
    EndReason TimeoutReason(const Entry& entry, TimeNs now) const;
    std::vector<uint32_t> LiveInOrderOfCreation() const;

    void InsertSlot(uint32_t hash, uint32_t index);
    void RemoveSlot(uint32_t hash, uint32_t index);
    void GrowSlots();

    const FlowCacheConfig m_config;
    Heap& m_heap;
    EndedRecordSink& m_sink;
    std::vector<uint64_t> m_slots; // hash << 32 | entry number + 1; 0: empty
    std::vector<std::unique_ptr<Entry[]>> m_blocks;
    uint32_t m_entries{0}; // entries ever made
    uint32_t m_freeEntry{NO_ENTRY};
    uint64_t m_size{0};
    uint64_t m_highWater{0};
    uint64_t m_nextId;
    TimerWheel m_wheel;
    std::vector<uint32_t> m_references; // scratch of Scan
    std::vector<uint32_t> m_due;        // scratch of Scan
    std::deque<Creation>
        m_creationOrder; // with stale pairs left in; kept only when the policy evicts
};

} // namespace netflow

#endif // NETFLOW_FLOW_CACHE_H
