// SPDX-License-Identifier: GPL-2.0-only
// Loss in purgatory, to the record: how many expire, how many fit, how often somebody polls.
#include "tests/netflow/testing.h"

#include <algorithm>
#include <memory>

using namespace netflow;
using namespace netflow::test;

namespace
{

constexpr TimeNs MS = 1'000'000;
constexpr TimeNs SECOND = NS_PER_SECOND;
constexpr TimeNs FOREVER = 1000 * SECOND;

/// One metering process, a poller and an exporter, moved through time together.
class Lab : public MeteringEvents
{
  public:
    explicit Lab(uint32_t bound,
                 PurgatoryPolicy policy = PurgatoryPolicy::TAIL_DROP,
                 TimeNs scanInterval = 10 * MS,
                 SequenceMode mode = SequenceMode::AT_SEND)
        : m_heap(UINT64_MAX),
          m_exporter({false, mode}, sink, m_ledger, nullptr)
    {
        MeteringConfig config;
        config.cache.scanInterval = scanInterval;
        config.purgatoryMax = bound;
        config.purgatoryPolicy = policy;
        m_metering = MeteringProcess::Create(config, m_heap, m_ledger, nullptr, this);
        m_metering->Register(1);
    }

    ~Lab() override
    {
        EXPECT_EQ(m_metering->GetResidual(), Counts{});
    }

    /// New flows of one packet each.
    void Begin(TimeNs at, uint32_t count)
    {
        for (uint32_t i = 0; i < count; ++i)
        {
            m_metering->Observe(1, Packet(m_flow++), 2, 3, at);
        }
    }

    /// Scans where scans are due and polls on the grid, scan before poll, up to \p end.
    void RunUntil(TimeNs end, TimeNs period)
    {
        for (TimeNs now = std::min(m_metering->NextScan(), m_nextPoll); now <= end;
             now = std::min(m_metering->NextScan(), m_nextPoll))
        {
            if (m_metering->NextScan() <= now)
            {
                m_metering->Scan(now);
            }
            if (m_nextPoll <= now)
            {
                std::vector<QueuedRecord> taken;
                m_metering->Poll({1}, now, taken);
                m_exporter.Export(taken, now);
                m_nextPoll += period;
            }
        }
    }

    void PollFirstAt(TimeNs at)
    {
        m_nextPoll = at;
    }

    uint64_t Records(Move move) const
    {
        return m_ledger.GetTotal().Get(move).records;
    }

    uint64_t Dropped() const
    {
        return Records(Move::DROPPED_PURGATORY_FULL) + Records(Move::DROPPED_PURGATORY_HEAD);
    }

    void PurgatoryEpisodeBegan(TimeNs) override
    {
        ++episodes;
    }

    void PurgatoryEpisodeEnded(TimeNs, uint64_t drops) override
    {
        told.push_back(drops);
    }

    CollectingSink sink;
    int episodes{0};
    std::vector<uint64_t> told; //!< drops of each episode that is over

  private:
    Heap m_heap;
    Ledger m_ledger;
    std::unique_ptr<MeteringProcess> m_metering;
    Exporter m_exporter;
    TimeNs m_nextPoll{FOREVER};
    uint32_t m_flow{0};
};

class BurstTest : public ::testing::TestWithParam<std::tuple<uint32_t, uint32_t, PurgatoryPolicy>>
{
};

TEST_P(BurstTest, LosesExactlyWhatTheBoundDoesNotHold)
{
    const auto [burst, bound, policy] = GetParam();
    Lab lab(bound, policy);
    lab.Begin(SECOND, burst);
    lab.PollFirstAt(17 * SECOND);
    lab.RunUntil(20 * SECOND, SECOND);
    const uint64_t lost = burst > bound ? burst - bound : 0;
    EXPECT_EQ(lab.Dropped(), lost);
    EXPECT_EQ(lab.Records(Move::POLLED), burst - lost);
    EXPECT_EQ(lab.episodes, lost > 0 ? 1 : 0);
    EXPECT_EQ(lab.told, lost > 0 ? std::vector<uint64_t>{lost} : std::vector<uint64_t>{});
}

INSTANTIATE_TEST_SUITE_P(Sizes,
                         BurstTest,
                         ::testing::Combine(::testing::Values(1, 99, 100, 101, 4096, 4097, 65536),
                                            ::testing::Values(1, 100, 4096),
                                            ::testing::Values(PurgatoryPolicy::TAIL_DROP,
                                                              PurgatoryPolicy::HEAD_DROP)));

/// 6000 flows a second for 10 s, polled from 20 s on. \return records lost of 60 000
uint64_t
LostOf6000ASecond(TimeNs period, TimeNs scanInterval)
{
    Lab lab(4096, PurgatoryPolicy::TAIL_DROP, scanInterval);
    lab.PollFirstAt(20 * SECOND);
    for (TimeNs at = 10 * SECOND; at < 20 * SECOND; at += MS)
    {
        lab.RunUntil(at - 1, period);
        lab.Begin(at, 6);
    }
    lab.RunUntil(60 * SECOND, period);
    EXPECT_EQ(lab.Records(Move::POLLED) + lab.Dropped(), 60000U);
    return lab.Dropped();
}

TEST(PollPeriodTest, At6000ASecondAThirdIsLostAtS1000AndNothingAtS100)
{
    EXPECT_EQ(LostOf6000ASecond(SECOND, 10 * MS), 10U * 1904); // 31.7 %
    EXPECT_EQ(LostOf6000ASecond(100 * MS, 10 * MS), 0U);
}

TEST(PollPeriodTest, WithAScanOfOneSecondSChangesNothing)
{
    const uint64_t lost = LostOf6000ASecond(SECOND, SECOND);
    EXPECT_EQ(lost, 10U * 1904);
    EXPECT_EQ(LostOf6000ASecond(100 * MS, SECOND), lost);
    EXPECT_EQ(LostOf6000ASecond(10 * MS, SECOND), lost);
}

TEST(ScanPassTest, OneScanPassEnds65536Records)
{
    Lab lab(65536);
    lab.Begin(SECOND, 65536);
    lab.PollFirstAt(16 * SECOND + 10 * MS); // the first scan after the deadline, and its poll
    lab.RunUntil(16 * SECOND + 10 * MS, SECOND);
    EXPECT_EQ(lab.Records(Move::ENDED_IDLE), 65536U);
    EXPECT_EQ(lab.Records(Move::POLLED), 65536U);
    EXPECT_EQ(lab.Dropped(), 0U);
    EXPECT_EQ(lab.sink.datagrams.size(), (65536U + 29) / 30);
}

/// Records missing by a collector's count: the sum of the forward gaps of the sequence.
uint64_t
SumOfGaps(const std::vector<SentDatagram>& datagrams)
{
    uint64_t gaps = 0;
    uint32_t expected = 0;
    for (const SentDatagram& datagram : datagrams)
    {
        gaps += static_cast<uint32_t>(datagram.header.flowSequence - expected);
        expected = datagram.header.flowSequence + datagram.header.count;
    }
    return gaps;
}

class AtExpiryTest : public ::testing::TestWithParam<PurgatoryPolicy>
{
};

TEST_P(AtExpiryTest, SumOfGapsAtTheCollectorIsTheNumberOfDrops)
{
    Lab lab(100, GetParam(), 10 * MS, SequenceMode::AT_EXPIRY);
    Random random(5);
    lab.PollFirstAt(SECOND);
    for (TimeNs at = SECOND; at < 60 * SECOND; at += 100 * MS)
    {
        lab.RunUntil(at - 1, SECOND);
        lab.Begin(at, static_cast<uint32_t>(random.Below(30)));
    }
    lab.RunUntil(78 * SECOND, SECOND);
    lab.Begin(79 * SECOND, 1); // a last record, behind all gaps
    lab.RunUntil(99 * SECOND, SECOND);
    EXPECT_GT(lab.Dropped(), 100U);
    EXPECT_EQ(SumOfGaps(lab.sink.datagrams), lab.Dropped());
}

TEST_P(AtExpiryTest, AtSendThereAreNoGaps)
{
    Lab lab(100, GetParam());
    lab.Begin(SECOND, 1000);
    lab.PollFirstAt(17 * SECOND);
    lab.RunUntil(20 * SECOND, SECOND);
    EXPECT_EQ(lab.Dropped(), 900U);
    EXPECT_EQ(SumOfGaps(lab.sink.datagrams), 0U);
}

INSTANTIATE_TEST_SUITE_P(Policies,
                         AtExpiryTest,
                         ::testing::Values(PurgatoryPolicy::TAIL_DROP, PurgatoryPolicy::HEAD_DROP));

} // namespace
