// SPDX-License-Identifier: GPL-2.0-only
// How many packets a second the flow cache counts, beside a plain linear-probing table of 64-octet
// entries that does nothing else: the same keys in the same order, interleaved, medians of the
// ratio. Absolute figures depend on the machine; the ratio carries.
//   bench-flow-cache [ENTRIES [ROUNDS]]
#include "netflow/flow-cache.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace
{

using netflow::PacketSummary;

struct NullSink : public netflow::EndedRecordSink
{
    void RecordEnded(const netflow::FlowRecord&) override
    {
    }
};

/// What a flow table costs at the least: one probe, four counters.
class PlainTable
{
  public:
    explicit PlainTable(std::size_t entries)
    {
        std::size_t size = 1024;
        while (size < 2 * entries)
        {
            size *= 2;
        }
        m_entries.resize(size);
    }

    void Count(const PacketSummary& packet, int64_t now)
    {
        const std::size_t mask = m_entries.size() - 1;
        std::size_t position = netflow::Hash(packet.key) & mask;
        while (m_entries[position].packets != 0 && m_entries[position].key != packet.key)
        {
            position = (position + 1) & mask;
        }
        Entry& entry = m_entries[position];
        entry.key = packet.key;
        ++entry.packets;
        entry.octets += packet.octets;
        entry.last = now;
        entry.flags |= packet.tcpFlags;
    }

  private:
    struct alignas(64) Entry
    {
        netflow::FlowKey key;
        uint32_t flags{0};
        uint64_t packets{0};
        uint64_t octets{0};
        int64_t last{0};
    };

    std::vector<Entry> m_entries;
};

/// xorshift64*: the same numbers everywhere.
uint64_t
Random()
{
    static uint64_t state = 88172645463325252ULL;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 2685821657736338717ULL;
}

template <typename Work>
double
PacketsPerSecond(std::size_t packets, Work work)
{
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    return static_cast<double>(packets) / elapsed.count();
}

double
Median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

} // namespace

int
main(int argc, char** argv)
{
    const std::size_t entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
    std::vector<PacketSummary> flows(entries);
    for (PacketSummary& flow : flows)
    {
        flow.verdict = netflow::FrameVerdict::METERABLE;
        flow.octets = 40 + Random() % 1024;
        flow.key.source = static_cast<uint32_t>(Random());
        flow.key.destination = static_cast<uint32_t>(Random());
        flow.key.sourcePort = static_cast<uint16_t>(Random());
        flow.key.protocol = 6;
        flow.key.input = 1;
    }
    std::vector<uint32_t> order(4 * entries);
    for (uint32_t& index : order)
    {
        index = static_cast<uint32_t>(Random() % entries);
    }
    netflow::Heap heap(UINT64_MAX);
    NullSink sink;
    netflow::FlowCache cache({}, heap, sink);
    PlainTable plain(entries);
    int64_t now = 0;
    const auto countAll = [&](auto count) {
        return PacketsPerSecond(order.size(), [&] {
            for (uint32_t index : order)
            {
                count(flows[index], ++now); // a nanosecond a packet: nothing idles away
            }
        });
    };
    std::vector<double> cacheRates;
    std::vector<double> ratios;
    for (int round = -1; round < rounds; ++round) // the first one fills both tables
    {
        const double cacheRate =
            countAll([&](const PacketSummary& p, int64_t t) { cache.Account(p, 2, t); });
        const double plainRate =
            countAll([&](const PacketSummary& p, int64_t t) { plain.Count(p, t); });
        if (round >= 0)
        {
            cacheRates.push_back(cacheRate / 1e6);
            ratios.push_back(cacheRate / plainRate);
        }
    }
    std::printf(
        "flow cache, %zu records, one packet a call: %.1f M packets/s, %.2f of a plain table\n",
        entries,
        Median(cacheRates),
        Median(ratios));
    return 0;
}
