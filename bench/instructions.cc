// SPDX-License-Identifier: GPL-2.0-only
// Fixed work for counting instructions: COUNT packets or records of one step of the library.
//   bench-instructions parse|account|batch|expire|encode COUNT
#include "netflow/exporter.h"
#include "netflow/metering-process.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace
{

using netflow::BatchedPacket;
using netflow::NS_PER_MS;
using netflow::NS_PER_SECOND;

constexpr std::size_t BATCH = 32;
constexpr uint32_t FLOWS = 1000;

struct NullSink : public netflow::DatagramSink
{
    bool Send(const netflow::Datagram&) override
    {
        return true;
    }
};

/// A UDP packet of a flow, in an Ethernet frame of 64 octets.
std::vector<uint8_t>
MakeFrame(uint32_t flow)
{
    std::vector<uint8_t> frame(64, 0);
    const uint8_t ip[] = {0x08, 0x00, 0x45, 0,  0, 50, 0, 0,  0, 0, 64,
                          17,   0,    0,    10, 0, 0,  0, 10, 1, 0, 1};
    std::memcpy(frame.data() + 12, ip, sizeof(ip));
    frame[28] = static_cast<uint8_t>(flow >> 8);
    frame[29] = static_cast<uint8_t>(flow);
    frame[37] = 53;
    return frame;
}

BatchedPacket
MakePacket(uint32_t flow)
{
    const std::vector<uint8_t> frame = MakeFrame(flow);
    BatchedPacket packet = {};
    packet.packet = netflow::ParseEthernet(frame.data(), 64, 64);
    packet.packet.key.vSwitch = 1;
    packet.packet.key.input = 1;
    return packet;
}

std::unique_ptr<netflow::MeteringProcess>
MakeMetering(netflow::Heap& heap, netflow::Ledger& ledger, netflow::Journal* journal)
{
    netflow::MeteringConfig config;
    config.purgatoryMax = 1 << 20;
    // not the process's own: how often places are taken, and so the count, is to be the same always
    config.cache.hashSeed = {0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x9e3779b97f4a7c15};
    auto metering = netflow::MeteringProcess::Create(config, heap, ledger, journal, nullptr);
    metering->Register(1);
    return metering;
}

void
Parse(uint32_t count)
{
    const std::vector<uint8_t> frame = MakeFrame(1);
    uint32_t octets = 0;
    for (uint32_t i = 0; i < count; ++i)
    {
        octets += netflow::ParseEthernet(frame.data(), 64, 64).octets;
    }
    std::printf("%u octets\n", octets);
}

/// Packets of known flows, one a call.
void
Account(uint32_t count)
{
    netflow::Heap heap(UINT64_MAX);
    netflow::Ledger ledger;
    const auto metering = MakeMetering(heap, ledger, nullptr);
    std::vector<BatchedPacket> packets;
    for (uint32_t flow = 0; flow < FLOWS; ++flow)
    {
        packets.push_back(MakePacket(flow));
        metering->Observe(1, packets.back().packet, 1, 2, 0);
    }
    for (uint32_t i = 0; i < count; ++i)
    {
        metering->Observe(1, packets[i % FLOWS].packet, 1, 2, i);
    }
}

/// The same in batches.
void
Batch(uint32_t count)
{
    netflow::Heap heap(UINT64_MAX);
    netflow::Ledger ledger;
    const auto metering = MakeMetering(heap, ledger, nullptr);
    std::vector<BatchedPacket> packets;
    for (uint32_t flow = 0; flow < BATCH * 30; ++flow)
    {
        packets.push_back(MakePacket(flow));
        metering->Observe(1, packets.back().packet, 1, 2, 0);
    }
    for (uint32_t i = 0; i < count; i += BATCH)
    {
        BatchedPacket* batch = &packets[i % packets.size()];
        metering->PrepareBatch(batch, BATCH);
        metering->ObserveBatch(batch, BATCH, netflow::NEVER);
    }
}

/// Records from their first packet to purgatory, journal included.
void
Expire(uint32_t count)
{
    netflow::Heap heap(UINT64_MAX);
    netflow::Ledger ledger;
    netflow::Journal journal;
    const auto metering = MakeMetering(heap, ledger, &journal);
    BatchedPacket packet = MakePacket(0);
    for (uint32_t i = 0; i < count; ++i)
    {
        packet.packet.key.destination = i;
        metering->Observe(1, packet.packet, 1, 2, static_cast<int64_t>(i) * NS_PER_MS);
        if (metering->NextScan() <= static_cast<int64_t>(i) * NS_PER_MS)
        {
            metering->Scan(metering->NextScan());
        }
    }
    while (metering->NextScan() != netflow::NEVER)
    {
        metering->Scan(metering->NextScan());
    }
    std::printf("%zu records\n", metering->GetPurgatory().GetSize());
}

/// Records from purgatory into datagrams.
void
Encode(uint32_t count)
{
    netflow::Ledger ledger;
    NullSink sink;
    netflow::Exporter exporter({}, sink, ledger, nullptr);
    std::vector<netflow::QueuedRecord> records(300);
    for (uint32_t i = 0; i < records.size(); ++i)
    {
        records[i].record.key = MakePacket(i).packet.key;
        records[i].record.packets = i + 1;
        records[i].record.last = NS_PER_SECOND;
    }
    for (uint32_t i = 0; i < count; i += 300)
    {
        exporter.Export(records, 20 * NS_PER_SECOND);
    }
    std::printf("%llu datagrams\n", static_cast<unsigned long long>(exporter.GetDatagrams()));
}

} // namespace

int
main(int argc, char** argv)
{
    const std::string step = argc == 3 ? argv[1] : "";
    const auto count = argc == 3 ? static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)) : 0;
    void (*const run)(uint32_t) = step == "parse"     ? Parse
                                  : step == "account" ? Account
                                  : step == "batch"   ? Batch
                                  : step == "expire"  ? Expire
                                  : step == "encode"  ? Encode
                                                      : nullptr;
    if (!run || count == 0)
    {
        std::fprintf(stderr, "usage: bench-instructions parse|account|batch|expire|encode COUNT\n");
        return 2;
    }
    run(count);
    return 0;
}
