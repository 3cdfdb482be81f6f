// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_NETFLOW_COLLECTOR_H
#define ESX_NETFLOW_COLLECTOR_H

#include "netflow/sequence-tracker.h"
#include "netflow/v5-codec.h"

#include "ns3/application.h"
#include "ns3/esx-random-user.h"
#include "ns3/event-id.h"
#include "ns3/ipv4-address.h"
#include "ns3/random-variable-stream.h"
#include "ns3/socket.h"
#include "ns3/traced-callback.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace ns3
{

/**
 * A NetFlow v5 collector on any ns-3 node: a UDP socket with a bounded receive buffer, a reader
 * that may be slow, a strict decoder, and sequence checks per exporter and engine as real
 * collectors do them.
 *
 * Keeps counters only; who wants the records listens to the Rx trace.
 */
class EsxNetflowCollector : public Application, public EsxRandomUser
{
  public:
    /// Counters of a collector for one engine of one exporter.
    struct EngineStats
    {
        uint64_t datagrams{0};
        uint64_t records{0};
        uint64_t packets{0};
        uint64_t octets{0};
        uint64_t sequenceFailures{0};  //!< datagrams whose flow_sequence was not the expected one
        uint64_t missing{0};           //!< records in gaps of the sequence that nothing filled
        uint64_t late{0};              //!< datagrams that came after a later one
        uint64_t duplicates{0};        //!< datagrams that were there before
        uint64_t restarts{0};          //!< of the exporter, as the sequence and its boot tell
        uint32_t nextSequence{0};      //!< the flow_sequence that is due
        uint64_t wrapped{0};           //!< records whose First is above their Last: uptime wrapped
        int64_t bootLow{INT64_MAX};    //!< earliest time of boot that a header told, ns since 1970
        int64_t bootHigh{INT64_MIN};   //!< latest; the same for an exporter whose clocks agree
        std::set<uint16_t> interfaces; //!< numbers by which its flows came in
    };

    /// Exporter address and engine (type * 256 + ID; 0 for all engines if IgnoreEngine).
    using EngineKey = std::pair<Ipv4Address, uint16_t>;

    /// A datagram that was read. \p error is empty if it was decoded.
    typedef void (*RxTracedCallback)(Ptr<const Packet> packet,
                                     const Address& from,
                                     const std::string& error);

    static TypeId GetTypeId();
    EsxNetflowCollector();
    ~EsxNetflowCollector() override;

    /// A stream to the ServiceTime, unless it is constant.
    int64_t AssignStreams(int64_t stream) override;
    uint16_t GetPort() const;
    /// Whether the socket is open.
    bool IsListening() const;
    /// Its node's name, also when the simulation is over.
    std::string GetNodeName() const;
    /// Whether an address is its node's, also when the simulation is over.
    bool HasAddress(Ipv4Address address) const;
    /// The process ends (true) or starts anew (false), with an empty memory of sequences.
    void SetDown(bool down);
    /// By exporter and engine, in their order.
    const std::map<EngineKey, EngineStats>& GetEngines() const;
    /// Sum over all engines; nextSequence is 0, and there are no interfaces.
    EngineStats GetTotals() const;
    /// Interfaces that it tells apart: numbers by which flows came in, for each of GetEngines().
    uint64_t GetInterfaces() const;
    /// By how much the times of boot differ that the headers of one engine tell, ns; the most of
    /// all engines. An uptime that wraps counts as a new boot.
    int64_t GetClockSpread() const;
    /// Datagrams that arrived and were no NetFlow v5.
    uint64_t GetRefused() const;
    /// Datagrams for which the socket buffer had no room, or that nobody had read at the end.
    uint64_t GetBufferDrops() const;

  protected:
    void DoDispose() override;

  private:
    void StartApplication() override;
    void StopApplication() override;
    void Readable(Ptr<Socket> socket);
    void ReadOne();
    void Decode(const Ptr<Packet>& packet, const Address& from);
    void FollowSequence(const EngineKey& key, const netflow::V5Header& header, EngineStats& stats);
    void LoseBuffered(Ptr<const Packet> packet);

    uint16_t m_port{0};
    uint32_t m_bufferOctets{0};
    Ptr<RandomVariableStream> m_serviceTime; //!< seconds
    bool m_ignoreEngine{false};
    uint32_t m_lateRecords{0};

    void NoteAddresses();

    std::string m_nodeName;            //!< when the simulation is over
    std::set<Ipv4Address> m_addresses; //!< that its node had
    Ptr<Socket> m_socket;
    EventId m_service;
    std::map<EngineKey, EngineStats> m_engines;
    std::map<EngineKey, netflow::SequenceTracker> m_sequences;
    uint64_t m_refused{0};
    uint64_t m_bufferDrops{0};

    TracedCallback<Ptr<const Packet>, const Address&, const std::string&> m_rxTrace;
    TracedCallback<Ptr<const Packet>> m_dropTrace;
};

} // namespace ns3

#endif // ESX_NETFLOW_COLLECTOR_H
