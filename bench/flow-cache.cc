// SPDX-License-Identifier: GPL-2.0-only
// How many packets a second the flow cache counts, beside a table that does nothing else, one
// packet a call and in batches with prefetch; and the memory that a cached flow takes. The same
// packets in the same order, uniformly over the flows, interleaved; medians of the ratios. Absolute
// figures depend on the machine; the ratios carry.
//   bench-flow-cache [FLOWS [ROUNDS]]
#include "bench/plain-table.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <unistd.h>
#include <vector>

namespace
{

using netflow::BatchedPacket;

constexpr std::size_t BATCH = 32;

struct NullSink : public netflow::EndedRecordSink
{
    void RecordEnded(const netflow::FlowRecord&) override
    {
    }
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

netflow::FlowKey
RandomKey()
{
    netflow::FlowKey key;
    key.source = static_cast<uint32_t>(Random());
    key.destination = static_cast<uint32_t>(Random());
    key.sourcePort = static_cast<uint16_t>(Random());
    key.protocol = 6;
    key.input = 1;
    return key;
}

BatchedPacket
PacketOf(const netflow::FlowKey& key)
{
    BatchedPacket packet = {};
    packet.packet.key = key;
    packet.packet.octets = 40 + Random() % 1024;
    packet.packet.verdict = netflow::FrameVerdict::METERABLE;
    packet.packet.tcpFlags = 0x10;
    return packet;
}

uint64_t
ResidentOctets()
{
    std::ifstream statm("/proc/self/statm");
    uint64_t size = 0;
    uint64_t resident = 0;
    statm >> size >> resident;
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

/// That this process has used: others on the machine do not count.
double
CpuSeconds()
{
    timespec time = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double
Median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// One of the things compared.
struct Contestant
{
    std::string name;
    std::function<void()> countAll;
    std::vector<double> rates{}; // packets a second, a figure a round
};

void
Run(std::vector<Contestant>& contestants, std::size_t packets, int rounds)
{
    for (int round = 0; round < rounds; ++round)
    {
        for (Contestant& contestant : contestants)
        {
            const double start = CpuSeconds();
            contestant.countAll();
            contestant.rates.push_back(static_cast<double>(packets) / (CpuSeconds() - start));
        }
    }
}

/// Seconds that a cache takes to begin flows with these keys.
double
SecondsToBegin(const std::vector<netflow::FlowKey>& keys)
{
    netflow::Heap heap(UINT64_MAX);
    NullSink sink;
    netflow::FlowCache cache({}, heap, sink);
    int64_t now = 0;
    const double start = CpuSeconds();
    for (const netflow::FlowKey& key : keys)
    {
        cache.Account(PacketOf(key).packet, 2, ++now);
    }
    return CpuSeconds() - start;
}

/// How much longer flows take whose keys were chosen to meet: their addresses made one factor of
/// the hash 0 when its numbers were in the source.
double
FloodRatio(int rounds)
{
    constexpr std::size_t FLOWS = 40'000;
    const uint64_t known = 0xa0761d6478bd642f;
    std::vector<netflow::FlowKey> random(FLOWS);
    std::generate(random.begin(), random.end(), RandomKey);
    std::vector<netflow::FlowKey> chosen(FLOWS, RandomKey());
    for (std::size_t i = 0; i < FLOWS; ++i)
    {
        std::memcpy(&chosen[i].source, &known, sizeof(known)); // and the destination
        chosen[i].sourcePort = static_cast<uint16_t>(i);
    }
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round)
    {
        const double seconds = SecondsToBegin(random);
        ratios.push_back(SecondsToBegin(chosen) / seconds);
    }
    return Median(ratios);
}

double
Ratio(const Contestant& a, const Contestant& b)
{
    std::vector<double> ratios;
    std::transform(a.rates.begin(),
                   a.rates.end(),
                   b.rates.begin(),
                   std::back_inserter(ratios),
                   std::divides<>());
    return Median(ratios);
}

/// One packet a call.
template <typename Keys>
void
CountAll(bench::PlainTable<Keys>& table, const std::vector<BatchedPacket>& packets, int64_t& now)
{
    int64_t time = now;
    for (const BatchedPacket& p : packets)
    {
        table.Count(p.packet, Keys::Hash(p.packet.key), ++time);
    }
    now = time;
}

} // namespace

int
main(int argc, char** argv)
{
    const std::size_t flows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 7;
    std::vector<netflow::FlowKey> keys(flows);
    std::generate(keys.begin(), keys.end(), RandomKey);
    std::vector<BatchedPacket> packets(std::max<std::size_t>(4 * flows, 1'000'000) / BATCH * BATCH);
    std::generate(packets.begin(), packets.end(), [&] { return PacketOf(keys[Random() % flows]); });

    netflow::Heap heap(UINT64_MAX);
    NullSink sink;
    netflow::FlowCacheConfig config;
    config.memoryAdvice = bench::AdviseHugePages;
    const uint64_t before = ResidentOctets();
    netflow::FlowCache cache(config, heap, sink);
    int64_t now = 0; // a nanosecond a packet: nothing idles away
    for (const netflow::FlowKey& key : keys)
    {
        cache.Account(PacketOf(key).packet, 2, ++now);
    }
    const double memory = static_cast<double>(ResidentOctets() - before);
    bench::PlainTable<bench::PlainKeys> plain(flows);
    bench::PlainTable<bench::CacheKeys> plainOfCacheKeys(flows);

    std::vector<Contestant> all;
    all.push_back({"plain table, one a call", [&] { CountAll(plain, packets, now); }});
    all.push_back({"flow cache, one a call", [&] {
                       int64_t time = now;
                       for (const BatchedPacket& p : packets)
                       {
                           cache.Account(p.packet, 2, ++time);
                       }
                       now = time;
                   }});
    all.push_back({"plain table, batches with prefetch", [&] {
                       int64_t time = now;
                       uint32_t hashes[BATCH];
                       for (std::size_t i = 0; i < packets.size(); i += BATCH)
                       {
                           for (std::size_t j = 0; j < BATCH; ++j)
                           {
                               hashes[j] = bench::PlainKeys::Hash(packets[i + j].packet.key);
                               plain.Prefetch(hashes[j]);
                           }
                           for (std::size_t j = 0; j < BATCH; ++j)
                           {
                               plain.Count(packets[i + j].packet, hashes[j], ++time);
                           }
                       }
                       now = time;
                   }});
    all.push_back({"flow cache, batches", [&] {
                       int64_t time = now;
                       for (std::size_t i = 0; i < packets.size(); i += BATCH)
                       {
                           cache.Prepare(&packets[i], BATCH);
                           for (std::size_t j = 0; j < BATCH; ++j)
                           {
                               cache.Account(packets[i + j], ++time);
                           }
                       }
                       now = time;
                   }});
    all.push_back({"plain, with the cache's hash and key",
                   [&] { CountAll(plainOfCacheKeys, packets, now); }});
    Run(all, packets.size(), 1); // fills the tables
    for (Contestant& contestant : all)
    {
        contestant.rates.clear();
    }
    Run(all, packets.size(), rounds);
    std::printf("%zu flows, %d rounds\n", flows, rounds);
    for (const Contestant& contestant : all)
    {
        std::printf("  %-36s %6.1f M packets/s\n",
                    contestant.name.c_str(),
                    Median(contestant.rates) / 1e6);
    }
    std::printf("  one a call, of the plain table       %6.2f\n", Ratio(all[1], all[0]));
    std::printf("  the same, with the cache's hash      %6.2f\n", Ratio(all[1], all[4]));
    std::printf("  batches, of the prefetch ceiling     %6.2f\n", Ratio(all[3], all[2]));
    std::printf("  memory a flow                        %6.1f octets\n",
                memory / static_cast<double>(flows));
    const double flood = FloodRatio(rounds);
    std::printf("  chosen keys, of random ones (<= 1.2) %6.2f\n", flood);
    return flood <= 1.2 ? 0 : 1;
}
