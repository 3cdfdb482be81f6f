// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Helpers of the tests of netflow/: frames, packets, sinks that remember, random numbers.
 */
#ifndef TESTS_NETFLOW_TESTING_H
#define TESTS_NETFLOW_TESTING_H

#include "netflow/exporter.h"
#include "netflow/flow-cache.h"
#include "netflow/metering-process.h"
#include "netflow/packet-parser.h"
#include "netflow/v5-codec.h"

#include <cstdint>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace netflow
{

inline std::ostream&
operator<<(std::ostream& os, const Counts& c)
{
    return os << c.packets << " packets, " << c.octets << " octets, " << c.records << " records";
}

inline std::ostream&
operator<<(std::ostream& os, const FlowRecord& r)
{
    return os << "record " << r.id << " of " << r.key.source << ":" << r.key.sourcePort << " "
              << r.packets << " packets " << r.octets << " octets, " << r.first << " to " << r.last
              << " " << ToString(r.reason);
}

inline bool
operator==(const FlowRecord& a, const FlowRecord& b)
{
    const auto fields = [](const FlowRecord& r) {
        return std::tie(r.output, r.tcpFlags, r.reason, r.packets, r.octets, r.first, r.last, r.id);
    };
    return a.key == b.key && fields(a) == fields(b);
}

namespace test
{

using Bytes = std::vector<uint8_t>;

/// The same numbers on every machine, unlike the distributions of the standard library.
class Random
{
  public:
    explicit Random(uint64_t seed)
        : m_engine(seed)
    {
    }

    uint64_t Below(uint64_t bound)
    {
        return m_engine() % bound;
    }

    bool Chance(unsigned percent)
    {
        return Below(100) < percent;
    }

    template <typename T>
    T Of(std::initializer_list<T> choices)
    {
        return choices.begin()[Below(choices.size())];
    }

  private:
    std::mt19937_64 m_engine;
};

/// A METERABLE packet of flow number \p flow.
inline PacketSummary
Packet(uint32_t flow, uint32_t octets = 100, uint8_t tcpFlags = 0)
{
    PacketSummary packet;
    packet.verdict = FrameVerdict::METERABLE;
    packet.key.source = 0x0a000000 + flow;
    packet.key.destination = 0x0a010101;
    packet.key.sourcePort = 1024;
    packet.key.destinationPort = 80;
    packet.key.protocol = 6;
    packet.octets = octets;
    packet.tcpFlags = tcpFlags;
    return packet;
}

/// A record of flow number \p flow on a vSwitch that waits in purgatory.
inline QueuedRecord
Queued(uint16_t vSwitch, uint64_t id, TimeNs queuedAt = 0, uint32_t expirySequence = 0)
{
    QueuedRecord queued;
    queued.record.key = Packet(static_cast<uint32_t>(id)).key;
    queued.record.key.vSwitch = vSwitch;
    queued.record.key.input = 3;
    queued.record.packets = 1;
    queued.record.octets = 20;
    queued.record.id = id;
    queued.queuedAt = queuedAt;
    queued.expirySequence = expirySequence;
    return queued;
}

/// Remembers ended records.
class RecordingSink : public EndedRecordSink
{
  public:
    void RecordEnded(const FlowRecord& record) override
    {
        records.push_back(record);
    }

    std::vector<FlowRecord> records;
};

/// A datagram as it left, decoded by the codec.
struct SentDatagram
{
    Bytes bytes;
    uint64_t number;
    uint16_t vSwitch;
    bool accepted;
    V5Header header;
    std::vector<V5Record> records;
};

/// Remembers datagrams; refuses those for which \p refuse says so.
class CollectingSink : public DatagramSink
{
  public:
    bool Send(const Datagram& datagram) override
    {
        SentDatagram sent;
        sent.bytes.assign(datagram.data, datagram.data + datagram.size);
        sent.number = datagram.number;
        sent.vSwitch = datagram.vSwitch;
        sent.accepted = refusals == 0 || --refusals % 2 != 0;
        EXPECT_EQ(DecodeV5(datagram.data, datagram.size, sent.header, sent.records), V5Error::NONE);
        EXPECT_EQ(sent.header.flowSequence, datagram.flowSequence);
        Counts counts;
        for (const V5Record& record : sent.records)
        {
            counts += {record.dPkts, record.dOctets, 1};
        }
        EXPECT_EQ(counts, datagram.counts);
        EXPECT_EQ(datagram.records.size(), sent.records.size());
        datagrams.push_back(sent);
        return sent.accepted;
    }

    void PortAliased(uint16_t vSwitch, uint16_t port) override
    {
        aliased.emplace_back(vSwitch, port);
    }

    std::vector<SentDatagram> datagrams;
    std::vector<std::pair<uint16_t, uint16_t>> aliased;
    unsigned refusals{0}; //!< while it counts down, every second datagram is refused
};

/// A file of tests/data.
inline Bytes
ReadData(const std::string& name)
{
    std::ifstream file(std::string(ENF_SOURCE_DIR "/tests/data/") + name, std::ios::binary);
    EXPECT_TRUE(file.good()) << name;
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void
Append16(Bytes& bytes, uint32_t value)
{
    bytes.push_back(static_cast<uint8_t>(value >> 8));
    bytes.push_back(static_cast<uint8_t>(value));
}

inline void
Append32(Bytes& bytes, uint32_t value)
{
    Append16(bytes, value >> 16);
    Append16(bytes, value);
}

/// An Ethernet frame with an IPv4 packet, right in every field unless told otherwise.
struct Frame
{
    std::vector<uint16_t> tags; //!< TPIDs of VLAN tags, outermost first
    uint16_t etherType{0x0800};
    uint8_t version{4};
    uint8_t headerWords{5}; //!< IHL
    uint8_t tos{0};
    int totalLength{-1}; //!< -1: the right one
    uint16_t fragment{0};
    uint8_t protocol{17};
    Bytes payload;
    unsigned padding{0};

    Bytes Build() const
    {
        Bytes bytes{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
        for (uint16_t tag : tags)
        {
            Append16(bytes, tag);
            Append16(bytes, 100); // VLAN 100
        }
        Append16(bytes, etherType);
        bytes.push_back(static_cast<uint8_t>(version << 4 | headerWords));
        bytes.push_back(tos);
        const std::size_t header = headerWords < 5 ? 20 : headerWords * 4U;
        const std::size_t right = header + payload.size();
        Append16(bytes, totalLength < 0 ? static_cast<uint32_t>(right) : totalLength);
        Append16(bytes, 0xbeef); // identification
        Append16(bytes, fragment);
        bytes.push_back(64);
        bytes.push_back(protocol);
        Append16(bytes, 0); // checksum: not the parser's business
        Append32(bytes, 0x0a010203);
        Append32(bytes, 0x0a040506);
        bytes.insert(bytes.end(), header - 20, 1); // options: no operation
        bytes.insert(bytes.end(), payload.begin(), payload.end());
        bytes.insert(bytes.end(), padding, 0xee);
        return bytes;
    }
};

/// 20 octets of TCP header.
inline Bytes
Tcp(uint16_t source, uint16_t destination, uint8_t flags)
{
    Bytes bytes;
    Append16(bytes, source);
    Append16(bytes, destination);
    Append32(bytes, 1);
    Append32(bytes, 2);
    bytes.push_back(0x50);
    bytes.push_back(flags);
    bytes.insert(bytes.end(), 6, 0);
    return bytes;
}

/// 8 octets of UDP header; the ports of other protocols stand at the same place.
inline Bytes
Udp(uint16_t source, uint16_t destination)
{
    Bytes bytes;
    Append16(bytes, source);
    Append16(bytes, destination);
    Append32(bytes, 8U << 16);
    return bytes;
}

/// Octets of an Ethernet header without tags.
constexpr uint32_t ETHERNET = 14;

inline Frame
UdpFrame()
{
    Frame frame;
    frame.payload = Udp(5000, 53);
    return frame;
}

inline Frame
TcpFrame()
{
    Frame frame;
    frame.protocol = 6;
    frame.payload = Tcp(40000, 443, 0x12);
    return frame;
}

/// Parses the first \p captured octets from a heap buffer of just that size, so that a sanitizer
/// sees the first octet read past it. \param wire octets on the wire
inline PacketSummary
ParseExactly(const Bytes& frame, std::size_t captured, std::size_t wire)
{
    const std::unique_ptr<uint8_t[]> buffer(new uint8_t[captured]);
    std::copy_n(frame.begin(), captured, buffer.get());
    return ParseEthernet(buffer.get(),
                         static_cast<uint32_t>(captured),
                         static_cast<uint32_t>(wire));
}

inline PacketSummary
Parse(const Bytes& frame)
{
    return ParseExactly(frame, frame.size(), frame.size());
}

/**
 * A whole exporting host in a loop: scans when they are due, polls at a period, exports. At equal
 * times the scan comes first.
 */
class Host : public MeteringEvents
{
  public:
    Host(const MeteringConfig& config,
         const ExporterConfig& exporterConfig,
         std::vector<uint16_t> monitored,
         TimeNs period,
         TimeNs start = 0,
         uint64_t heapMaximum = 4 << 20)
        : heap(heapMaximum),
          metering(MeteringProcess::Create(config, heap, ledger, &journal, this)),
          exporter(exporterConfig, sink, ledger, &journal),
          vSwitches(std::move(monitored)),
          pollPeriod(period),
          nextPoll(start + period)
    {
        for (uint16_t vSwitch : vSwitches)
        {
            EXPECT_TRUE(metering->Register(vSwitch));
        }
    }

    /// Runs everything that is due up to \p now.
    void RunTo(TimeNs now)
    {
        for (TimeNs scan = metering->NextScan(); std::min(scan, nextPoll) <= now;
             scan = metering->NextScan())
        {
            if (scan <= nextPoll)
            {
                metering->Scan(scan);
            }
            else
            {
                Poll(nextPoll);
                nextPoll += pollPeriod;
            }
        }
    }

    void Poll(TimeNs now)
    {
        std::vector<QueuedRecord> taken;
        metering->Poll(vSwitches, now, taken);
        exporter.Export(taken, now);
    }

    void Observe(uint16_t vSwitch, const PacketSummary& packet, TimeNs now)
    {
        RunTo(now);
        metering->Observe(vSwitch, packet, 3, 5, now);
    }

    void PurgatoryFull(TimeNs now) override
    {
        if (pollWhenFull)
        {
            Poll(now);
        }
    }

    void PurgatoryEpisodeBegan(TimeNs now) override
    {
        episodeBegins.push_back(now);
    }

    void PurgatoryEpisodeEnded(TimeNs now, uint64_t drops) override
    {
        episodeEnds.emplace_back(now, drops);
    }

    void AllocationFailed(TimeNs now, uint64_t size) override
    {
        allocationFailures.emplace_back(now, size);
    }

    Heap heap;
    Ledger ledger;
    Journal journal;
    std::unique_ptr<MeteringProcess> metering;
    CollectingSink sink;
    Exporter exporter;
    std::vector<uint16_t> vSwitches;
    TimeNs pollPeriod;
    TimeNs nextPoll;
    bool pollWhenFull{false};
    std::vector<TimeNs> episodeBegins;
    std::vector<std::pair<TimeNs, uint64_t>> episodeEnds;
    std::vector<std::pair<TimeNs, uint64_t>> allocationFailures;
};

} // namespace test
} // namespace netflow

#endif // TESTS_NETFLOW_TESTING_H
