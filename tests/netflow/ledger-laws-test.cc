// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The ledger's laws on random hosts: random bounds, policies, timeouts, polls, kills and memory.
 *
 * Truth is summed here from the generated packets, and what was exported from the datagrams' bytes;
 * neither comes from the ledger.
 */
#include "tests/netflow/testing.h"

#include <cstdlib>
#include <map>
#include <string>

namespace netflow
{
namespace
{

using test::Host;
using test::SentDatagram;

#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t CONFIGURATIONS = 100; // as many as take some seconds
#else
constexpr uint64_t CONFIGURATIONS = 1000;
#endif
constexpr int PACKETS = 10'000;
constexpr int BATCH = 100;

using PerFlow = std::map<FlowKey, Counts>;

MeteringConfig
RandomMetering(test::Random& random)
{
    MeteringConfig config;
    config.cache.idleTimeout = static_cast<TimeNs>(random.Below(100) + 1) * NS_PER_MS;
    config.cache.activeTimeout = static_cast<TimeNs>(random.Below(1000) + 1) * NS_PER_MS;
    config.cache.scanInterval = random.Of<TimeNs>({1000, NS_PER_MS, 10 * NS_PER_MS});
    config.cache.maxEntries = random.Chance(50) ? 0 : random.Below(100) + 1;
    config.cache.policy = random.Of(
        {CachePolicy::DROP_NEW, CachePolicy::EVICT_OLDEST, CachePolicy::EVICT_OLDEST_DROP});
    config.cache.expireOnTcpEnd = random.Chance(20);
    config.purgatoryMax = static_cast<uint32_t>(random.Below(200) + 1);
    config.purgatoryPolicy = random.Of({PurgatoryPolicy::TAIL_DROP, PurgatoryPolicy::HEAD_DROP});
    return config;
}

ExporterConfig
RandomExporter(test::Random& random)
{
    ExporterConfig config;
    config.maxRecords = static_cast<uint16_t>(random.Below(30) + 1);
    config.initialSequence = random.Chance(50) ? 0 : UINT32_MAX - 1000;
    return config;
}

/// One random host under random traffic.
class RandomHost
{
  public:
    explicit RandomHost(uint64_t seed)
        : m_random(seed),
          m_config(RandomMetering(m_random)),
          m_exporterConfig(RandomExporter(m_random)),
          m_heapMaximum(m_config.purgatoryMax * 64 + (m_random.Below(150) + 1) * 80),
          m_host(m_config,
                 m_exporterConfig,
                 {1, 2, 5},
                 static_cast<TimeNs>(m_random.Below(200) + 1) * NS_PER_MS,
                 0,
                 m_heapMaximum),
          m_flows(m_random.Below(200) + 1),
          m_meanGap(m_random.Of<uint64_t>({NS_PER_MS / 10, NS_PER_MS, 5 * NS_PER_MS}))
    {
        m_host.pollWhenFull = m_random.Chance(20);
    }

    void Run(int packets)
    {
        for (int packet = 0; packet < packets; ++packet)
        {
            SendPacket();
            if (packet % BATCH == 0)
            {
                Interfere();
                CheckBounds();
                ASSERT_EQ(m_host.metering->GetResidual(), Counts{});
            }
        }
        ASSERT_EQ(m_host.metering->GetResidual(), Counts{});
        ASSERT_EQ(m_host.metering->GetBreaches(), 0U);
    }

    /// L1 to L3 between the ledger's sums and what was offered and what is held.
    void CheckLedger() const
    {
        const Account total = m_host.ledger.GetTotal();
        ASSERT_EQ(total.Get(Move::OFFERED), m_offered);
        ASSERT_EQ(total.GetBalance(Place::IGNORED), m_ignored);
        Counts metered = total.Get(Move::METERED);
        ASSERT_EQ(metered.records, m_host.metering->GetCache().GetNextRecordId());
        metered.records = 0;
        Counts accounted = m_ignored;
        accounted += metered;
        accounted += total.GetBalance(Place::SHED);
        ASSERT_EQ(accounted, m_offered);
        ASSERT_EQ(total.GetBalance(Place::CACHE).records, m_host.metering->GetCache().GetSize());
        ASSERT_EQ(total.GetBalance(Place::PURGATORY).records,
                  m_host.metering->GetPurgatory().GetSize());
        for (const auto& [vSwitch, account] : m_host.ledger.GetAccounts())
        {
            ASSERT_EQ(account.Get(Move::POLLED), account.Get(Move::SEALED));
        }
    }

    /// L6: for every flow truth is what was exported plus its losses plus what still waits.
    void CheckFlows() const
    {
        PerFlow exported = Exported();
        PerFlow sent;
        PerFlow elsewhere;
        uint64_t queued = 0;
        for (const JournalEntry& entry : m_host.journal.GetEntries())
        {
            const FlowRecord& record = entry.record;
            PerFlow& where = entry.last == Move::SENT ? sent : elsewhere;
            where[record.key] += {record.packets, record.octets, 1};
            queued += entry.last == Move::QUEUED;
        }
        ASSERT_EQ(queued, m_host.metering->GetPurgatory().GetSize());
        ASSERT_EQ(exported, sent) << "the journal's opinion of what left";
        m_host.metering->GetCache().ForEach([&](const FlowRecord& record) {
            elsewhere[record.key] += {record.packets, record.octets, 1};
        });
        for (const auto& [flowAndCause, shed] : m_host.journal.GetShed())
        {
            elsewhere[flowAndCause.first] += shed.counts;
        }
        for (const auto& [key, truth] : m_truth)
        {
            Counts found = exported[key];
            found += elsewhere[key];
            found.records = 0; // packets do not know of records
            ASSERT_EQ(found, truth);
        }
        ASSERT_EQ(exported.size(), m_truth.size()) << "a flow that never sent a packet";
        ASSERT_LE(elsewhere.size(), m_truth.size());
    }

    /// L4: an engine's next sequence number is the sum over its sealed datagrams.
    void CheckSequences() const
    {
        std::map<uint16_t, uint32_t> next;
        for (const SentDatagram& sent : m_host.sink.datagrams)
        {
            const uint32_t expected =
                next.emplace(sent.vSwitch, m_exporterConfig.initialSequence).first->second;
            ASSERT_EQ(sent.header.flowSequence, expected);
            next[sent.vSwitch] += sent.header.count;
        }
        for (const auto& [vSwitch, sequence] : next)
        {
            ASSERT_EQ(m_host.exporter.GetNextSequence(vSwitch), sequence);
        }
    }

    /// L7 as far as datagrams show it: boot <= First <= Last <= SysUptime, polled within a period.
    void CheckTimes() const
    {
        for (const SentDatagram& sent : m_host.sink.datagrams)
        {
            for (const V5Record& record : sent.records)
            {
                ASSERT_LE(record.first, record.last);
                ASSERT_LE(record.last, sent.header.sysUptime);
            }
        }
        ASSERT_LE(m_host.metering->GetPurgatory().GetResidenceTimes().max, m_host.pollPeriod);
    }

    std::size_t GetLosses() const
    {
        const Account total = m_host.ledger.GetTotal();
        return (total.GetBalance(Place::SHED).packets != 0) +
               (total.GetBalance(Place::DROPPED).packets != 0) +
               (total.GetBalance(Place::DISCARDED).packets != 0) +
               (total.GetBalance(Place::UNSENT).packets != 0);
    }

  private:
    void SendPacket()
    {
        m_now += static_cast<TimeNs>(m_random.Below(2 * m_meanGap));
        m_now += m_random.Below(1000) == 0 ? 2 * NS_PER_SECOND : 0; // silence
        m_host.RunTo(m_now);
        const auto vSwitch = m_random.Of<uint16_t>({1, 2, 5});
        PacketSummary packet = test::Packet(static_cast<uint32_t>(m_random.Below(m_flows)),
                                            static_cast<uint32_t>(m_random.Below(1480) + 20),
                                            static_cast<uint8_t>(m_random.Below(32)));
        packet.octets = m_random.Chance(1) ? 3'000'000'000U : packet.octets; // to see splits
        m_offered += {1, packet.octets, 0};
        if (m_random.Chance(3))
        {
            packet.verdict = static_cast<FrameVerdict>(m_random.Below(FRAME_VERDICTS - 1) + 1);
            m_ignored += {1, packet.octets, 0};
        }
        const TimeNs regression = m_random.Chance(1) ? std::min<TimeNs>(m_now, 1000) : 0;
        m_host.metering->Observe(vSwitch, packet, 3, 5, m_now - regression);
        if (packet.verdict == FrameVerdict::METERABLE)
        {
            packet.key.vSwitch = vSwitch;
            packet.key.input = 3;
            m_truth[packet.key] += {1, packet.octets, 0};
        }
    }

    /// Does to a host what may happen from outside.
    void Interfere()
    {
        const auto vSwitch = m_random.Of<uint16_t>({1, 2, 5});
        switch (m_random.Below(12))
        {
        case 0:
            m_host.metering->Unregister(vSwitch, static_cast<StopCause>(m_random.Below(3)), m_now);
            ASSERT_TRUE(m_host.metering->Register(vSwitch));
            break;
        case 1:
            m_host.heap.SetMaximum(m_heapMaximum / 2 + m_random.Below(m_heapMaximum));
            break;
        case 2:
            m_host.heap.SetGrowthAllowed(m_random.Chance(70));
            break;
        case 3:
            m_host.sink.refusals = static_cast<unsigned>(m_random.Below(6));
            break;
        case 4:
            m_host.vSwitches.swap(m_otherOrder);
            m_host.Poll(m_now); // out of turn
            break;
        case 5:
            m_host.metering->Ignore(vSwitch, Move::IGNORED_OWN_EXPORT, 500);
            m_offered += {1, 500, 0};
            m_ignored += {1, 500, 0};
            break;
        default:
            break;
        }
    }

    /// L8
    void CheckBounds() const
    {
        const FlowCache& cache = m_host.metering->GetCache();
        const Purgatory& purgatory = m_host.metering->GetPurgatory();
        ASSERT_LE(cache.GetSize(), cache.GetHighWater());
        ASSERT_LE(purgatory.GetSize(), purgatory.GetHighWater());
        ASSERT_LE(purgatory.GetHighWater(), m_config.purgatoryMax);
        if (m_config.cache.maxEntries != 0)
        {
            ASSERT_LE(cache.GetHighWater(), m_config.cache.maxEntries);
        }
        ASSERT_EQ(m_host.heap.GetUsed(), m_config.purgatoryMax * 64 + cache.GetSize() * 80);
    }

    /// Sums of a collector behind a network without loss, from the datagrams' octets.
    PerFlow Exported() const
    {
        PerFlow exported;
        for (const SentDatagram& sent : m_host.sink.datagrams)
        {
            for (const V5Record& record : sent.records)
            {
                const FlowKey key{
                    record.srcAddr,
                    record.dstAddr,
                    record.srcPort,
                    record.dstPort,
                    static_cast<uint16_t>(sent.header.engineType << 8 | sent.header.engineId),
                    record.input,
                    record.prot,
                    record.tos,
                    0};
                if (sent.accepted)
                {
                    exported[key] += {record.dPkts, record.dOctets, 1};
                }
            }
        }
        return exported;
    }

    test::Random m_random;
    const MeteringConfig m_config;
    const ExporterConfig m_exporterConfig;
    const uint64_t m_heapMaximum;
    Host m_host;
    std::vector<uint16_t> m_otherOrder{5, 2, 1};
    const uint64_t m_flows;
    const uint64_t m_meanGap;
    TimeNs m_now{0};
    Counts m_offered;
    Counts m_ignored;
    PerFlow m_truth;
};

/// \return how much there was to lose
std::size_t
CheckLaws(uint64_t seed, int packets)
{
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomHost host(seed);
    host.Run(packets);
    host.CheckLedger();
    host.CheckFlows();
    host.CheckSequences();
    host.CheckTimes();
    return host.GetLosses();
}

class LedgerLawsTest : public ::testing::TestWithParam<uint64_t>
{
};

TEST_P(LedgerLawsTest, HoldOnRandomHosts)
{
    constexpr uint64_t ROUNDS = CONFIGURATIONS / 20;
    std::size_t losses = 0;
    for (uint64_t round = 0; round < ROUNDS && !HasFailure(); ++round)
    {
        losses += CheckLaws(GetParam() * ROUNDS + round, PACKETS);
    }
    EXPECT_GT(losses, ROUNDS) << "the hosts must have something to lose";
}

INSTANTIATE_TEST_SUITE_P(Seeds, LedgerLawsTest, ::testing::Range<uint64_t>(0, 20));

/// One host at length: bench/ledger-laws.sh runs it, for a seed and a number of packets from the
/// environment.
TEST(LedgerLaws, DISABLED_HoldAtLength)
{
    const char* const seed = std::getenv("LEDGER_LAWS_SEED");
    const char* const packets = std::getenv("LEDGER_LAWS_PACKETS");
    ASSERT_TRUE(seed && packets);
    CheckLaws(std::strtoull(seed, nullptr, 10), std::atoi(packets));
}

TEST(LedgerLaws, L4AtExpiryGapsArePurgatoryDrops)
{
    for (PurgatoryPolicy policy : {PurgatoryPolicy::TAIL_DROP, PurgatoryPolicy::HEAD_DROP})
    {
        MeteringConfig config;
        config.cache.idleTimeout = NS_PER_MS;
        config.purgatoryMax = 50;
        config.purgatoryPolicy = policy;
        ExporterConfig exporter;
        exporter.sequenceMode = SequenceMode::AT_EXPIRY;
        exporter.initialSequence = UINT32_MAX - 500;
        Host host(config, exporter, {1, 2}, NS_PER_SECOND);
        test::Random random(1);
        TimeNs now = 0;
        for (uint32_t flow = 0; flow < 5000; ++flow)
        {
            now += static_cast<TimeNs>(random.Below(30 * NS_PER_MS));
            host.Observe(random.Chance(30) ? 2 : 1, test::Packet(flow), now);
        }
        host.RunTo(now + 5 * NS_PER_SECOND);
        // An end without drops, so that there is no tail that no datagram shows.
        host.Observe(1, test::Packet(1), now + 5 * NS_PER_SECOND);
        host.Observe(2, test::Packet(2), now + 5 * NS_PER_SECOND);
        host.RunTo(now + 10 * NS_PER_SECOND);
        for (uint16_t vSwitch : {1, 2})
        {
            uint32_t next = exporter.initialSequence;
            uint64_t gaps = 0;
            for (const SentDatagram& sent : host.sink.datagrams)
            {
                if (sent.vSwitch == vSwitch)
                {
                    gaps += sent.header.flowSequence - next;
                    next = sent.header.flowSequence + sent.header.count;
                }
            }
            const Account& account = host.ledger.GetAccount(vSwitch);
            EXPECT_GT(gaps, 0U);
            EXPECT_EQ(gaps, account.GetBalance(Place::DROPPED).records);
            EXPECT_EQ(gaps + account.Get(Move::SENT).records,
                      account.Get(Move::ENDED_IDLE).records);
        }
    }
}

} // namespace
} // namespace netflow
