// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The exporter of one net-netflow process: turns polled records into NetFlow v5 datagrams.
 *
 * Each vSwitch is an engine with its own sequence, and records of two never share a datagram (rules
 * R3, R4 of docs/netflow-v5-rules.md). Datagrams leave through a DatagramSink; none stays behind.
 */
#ifndef NETFLOW_EXPORTER_H
#define NETFLOW_EXPORTER_H

#include "netflow/journal.h"
#include "netflow/ledger.h"
#include "netflow/purgatory.h"
#include "netflow/v5-codec.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace netflow
{

/// Meaning of flow_sequence.
enum SequenceMode : uint8_t
{
    AT_SEND,   //!< records in earlier datagrams: what collectors check (rule R3)
    AT_EXPIRY, //!< records that expired earlier: purgatory drops show as gaps at the collector
};

/// How one net-netflow process exports.
struct ExporterConfig
{
    bool alternatePortIds{false}; //!< option -p: switch ID and port in the interface fields
    SequenceMode sequenceMode{SequenceMode::AT_SEND};
    uint32_t initialSequence{0}; //!< of every engine
    uint16_t maxRecords{
        V5_MAX_RECORDS};       //!< records a datagram, 1 to 30; fewer for a small MTU (rule R14)
    int64_t bootUnixNs{0};     //!< Unix time at uptime 0 (rule R8), nanoseconds
    bool zeroUnixNsecs{false}; //!< leave unix_nsecs 0, as exporters do that break rule R7
};

/// A sealed datagram, valid during DatagramSink::Send() only.
struct Datagram
{
    const uint8_t* data; //!< size octets of UDP payload
    std::size_t size;
    uint64_t number;  //!< of all datagrams of this host, from 0
    uint16_t vSwitch; //!< engine
    uint32_t flowSequence;
    Counts counts;                                   //!< sums over its records
    const std::vector<const QueuedRecord*>& records; //!< in order
};

/// Where datagrams leave the library.
class DatagramSink
{
  public:
    virtual ~DatagramSink() = default;

    /// \return false if the socket refused it; the sequence advances all the same
    virtual bool Send(const Datagram& datagram) = 0;

    /// How many datagrams the exporter seals before it sends them together. It always sends what it
    /// has sealed before Exporter::Export() returns.
    virtual std::size_t GetBatch() const
    {
        return 1;
    }

    /// Sends several, in their order. \param sent set to what Send() would return, for each
    virtual void SendBatch(const Datagram* datagrams, std::size_t count, bool* sent)
    {
        for (std::size_t i = 0; i < count; ++i)
        {
            sent[i] = Send(datagrams[i]);
        }
    }

    /// Under -p, an interface number that does not tell the port apart from another one; called
    /// once a port.
    virtual void PortAliased(uint16_t /* vSwitch */, uint16_t /* port */)
    {
    }
};

/// How many records fit in a datagram whose IP packet has \p mtu octets: 0 to 30 (R2, R14).
uint16_t RecordsForMtu(uint32_t mtu);

/// Packs records into datagrams.
class Exporter
{
  public:
    /**
     * \param sink gets the datagrams; must outlive the exporter
     * \param ledger booked; must outlive the exporter
     * \param journal may be nullptr
     */
    Exporter(const ExporterConfig& config, DatagramSink& sink, Ledger& ledger, Journal* journal);

    /**
     * Packs and sends all of \p records, in their order within each vSwitch; full datagrams as they
     * fill up, partial ones at the end in order of switch ID. \param now SysUptime of all these
     * datagrams
     */
    void Export(const std::vector<QueuedRecord>& records, TimeNs now);

    /// flow_sequence of the next datagram of a vSwitch under AT_SEND.
    uint32_t GetNextSequence(uint16_t vSwitch) const;

    uint64_t GetDatagrams() const;

    /**
     * The exporter's clock was set: what begins from now on has other times since 1970. Records of
     * two boot times never share a datagram, and each keeps its First.
     * \param from uptime, later than that of all before; 0: takes the place of the configured boot
     * \param unixNs when uptime was 0 by the new clock
     */
    void AddBoot(TimeNs from, int64_t unixNs);

    /// Records exported so far that began before such a step and ended after it: their Last is
    /// First and their length by uptime.
    uint64_t GetRecordsOverSteps() const;

  private:
    struct Engine
    {
        uint32_t sealedRecords{0}; // modulo 2^32
        std::vector<const QueuedRecord*> staged;
    };

    /// A sealed datagram that waits for its batch.
    struct Sealed
    {
        uint8_t buffer[V5_MAX_OCTETS];
        std::vector<const QueuedRecord*> records;
        std::size_t size;
        uint64_t number;
        uint16_t vSwitch;
        uint32_t flowSequence;
        Counts counts;
    };

    /// See AddBoot().
    struct Boot
    {
        TimeNs from;
        int64_t unixNs;
    };

    Engine& GetEngine(uint16_t vSwitch);
    const Boot& BootOf(TimeNs first) const;
    V5Header MakeHeader(const Engine& engine, TimeNs now) const;
    void Stage(const QueuedRecord& queued, TimeNs now);
    void SendSealed(TimeNs now);
    void Seal(uint16_t vSwitch, Engine& engine, TimeNs now);
    V5Record Encode(const FlowRecord& record);
    uint16_t EncodeInterface(uint16_t vSwitch, uint16_t port);

    const ExporterConfig m_config;
    DatagramSink& m_sink;
    Ledger& m_ledger;
    Journal* m_journal;
    std::map<uint16_t, Engine> m_engines;
    Engine* m_lastEngine{nullptr}; // of the latest record: mostly that of the next one, too
    uint16_t m_lastSwitch{0};
    std::vector<Sealed> m_sealed; // a batch; the first m_waiting are in use
    std::size_t m_waiting{0};
    std::vector<Datagram> m_datagramScratch; // of SendSealed
    std::unique_ptr<bool[]> m_sent;          // likewise
    std::set<std::pair<uint16_t, uint16_t>> m_aliased;
    uint64_t m_datagrams{0};
    std::vector<Boot> m_boots; // in their order
    uint64_t m_recordsOverSteps{0};
};

} // namespace netflow

#endif // NETFLOW_EXPORTER_H
