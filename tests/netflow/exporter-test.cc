// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/exporter.h"
#include "tests/netflow/testing.h"

namespace netflow
{
namespace
{

using test::Queued;

class ExporterTest : public ::testing::Test
{
  protected:
    void Make()
    {
        exporter = std::make_unique<Exporter>(config, sink, ledger, &journal);
    }

    void SetUp() override
    {
        Make();
    }

    /// Exports \p count records of a vSwitch in one poll.
    void Export(std::size_t count, uint16_t vSwitch = 1, TimeNs now = 0)
    {
        Export(std::vector<uint16_t>(count, vSwitch), now);
    }

    /// Exports one record for each of the given vSwitches in one poll.
    void Export(const std::vector<uint16_t>& vSwitches, TimeNs now = 0)
    {
        std::vector<QueuedRecord> records;
        for (uint16_t vSwitch : vSwitches)
        {
            records.push_back(Queued(vSwitch, nextId, 0, expirySequence));
            journal.Ended(records.back().record, Move::QUEUED, 0);
            ++nextId;
            ++expirySequence;
        }
        exporter->Export(records, now);
    }

    std::vector<std::size_t> Counts() const
    {
        std::vector<std::size_t> counts;
        for (const test::SentDatagram& sent : sink.datagrams)
        {
            counts.push_back(sent.records.size());
        }
        return counts;
    }

    std::vector<uint32_t> Sequences() const
    {
        std::vector<uint32_t> sequences;
        for (const test::SentDatagram& sent : sink.datagrams)
        {
            sequences.push_back(sent.header.flowSequence);
        }
        return sequences;
    }

    ExporterConfig config;
    Ledger ledger;
    Journal journal;
    test::CollectingSink sink;
    std::unique_ptr<Exporter> exporter;
    uint64_t nextId{0};
    uint32_t expirySequence{0};
};

using Sizes = std::vector<std::size_t>;
using Numbers = std::vector<uint32_t>;

TEST_F(ExporterTest, NanosecondsAreThoseOfTheSecondOrZeroIfAsked)
{
    for (const bool zero : {false, true})
    {
        config.zeroUnixNsecs = zero;
        Make();
        Export(1, 1, 7 * NS_PER_SECOND + 123'456'789);
        EXPECT_EQ(sink.datagrams.back().header.unixSecs, 7U);
        EXPECT_EQ(sink.datagrams.back().header.unixNsecs, zero ? 0U : 123'456'789U);
    }
}

TEST_F(ExporterTest, RecordsOfTwoBootTimesNeverShareADatagramAndKeepTheirFirst)
{
    exporter->AddBoot(0, 1000 * NS_PER_SECOND);
    exporter->AddBoot(5 * NS_PER_SECOND, 900 * NS_PER_SECOND); // the clock was set back
    std::vector<QueuedRecord> records;
    for (const auto& [first, last] : {std::pair(4, 4), {4, 6}, {5, 5}, {6, 6}})
    {
        records.push_back(Queued(1, nextId++, 0, expirySequence++));
        records.back().record.first = first * NS_PER_SECOND;
        records.back().record.last = last * NS_PER_SECOND;
        journal.Ended(records.back().record, Move::QUEUED, 0);
    }
    exporter->Export(records, 20 * NS_PER_SECOND);
    EXPECT_EQ(Counts(), (Sizes{2, 2}));
    EXPECT_EQ(sink.datagrams[0].header.unixSecs, 1020U);
    EXPECT_EQ(sink.datagrams[1].header.unixSecs, 920U);
    EXPECT_EQ(sink.datagrams[1].header.sysUptime, 20'000U);
    EXPECT_EQ(Sequences(), (Numbers{0, 2}));
    EXPECT_EQ(exporter->GetRecordsOverSteps(), 1U);
}

TEST_F(ExporterTest, TimeStandsStillWhereNetflowV5CannotCountFurther)
{
    config.bootUnixNs = MAX_UNIX_NS - 10 * NS_PER_SECOND;
    Make();
    for (TimeNs now : {10 * NS_PER_SECOND, 30 * NS_PER_SECOND, 90 * NS_PER_SECOND})
    {
        Export(1, 1, now);
        EXPECT_EQ(sink.datagrams.back().header.unixSecs, UINT32_MAX);
        EXPECT_EQ(sink.datagrams.back().header.unixNsecs, 999'999'999U);
        EXPECT_EQ(sink.datagrams.back().header.sysUptime, 10'000U);
    }
}

TEST_F(ExporterTest, DatagramsFillTo30AndAPollSealsTheRest)
{
    Export(0);
    EXPECT_EQ(Counts(), Sizes{});
    Export(1);
    Export(30);
    Export(31);
    Export(60);
    EXPECT_EQ(Counts(), (Sizes{1, 30, 30, 1, 30, 30}));
    EXPECT_EQ(exporter->GetDatagrams(), 6U);
    EXPECT_EQ(sink.datagrams[1].bytes.size(), 1464U);
}

TEST_F(ExporterTest, RecordsOfDifferentVSwitchesNeverShareADatagram)
{
    std::vector<uint16_t> vSwitches;
    for (int i = 0; i < 40; ++i)
    {
        vSwitches.push_back(3);
        vSwitches.push_back(i % 2 == 0 ? 0x0102 : 2);
    }
    Export(vSwitches);
    EXPECT_EQ(Counts(), (Sizes{30, 20, 10, 20})) << "full ones first, then by switch ID";
    for (const test::SentDatagram& sent : sink.datagrams)
    {
        EXPECT_EQ(sent.header.engineType, sent.vSwitch >> 8);
        EXPECT_EQ(sent.header.engineId, sent.vSwitch & 0xff);
        for (const V5Record& record : sent.records)
        {
            const uint32_t index = record.srcAddr - test::Packet(0).key.source;
            EXPECT_EQ(vSwitches[index], sent.vSwitch);
        }
    }
    EXPECT_EQ(sink.datagrams[1].vSwitch, 2);
    EXPECT_EQ(sink.datagrams[2].vSwitch, 3);
    EXPECT_EQ(sink.datagrams[3].vSwitch, 0x0102);
}

TEST_F(ExporterTest, RecordsOfOneVSwitchKeepTheirOrder)
{
    Export(100);
    uint32_t next = test::Packet(0).key.source;
    for (const test::SentDatagram& sent : sink.datagrams)
    {
        for (const V5Record& record : sent.records)
        {
            EXPECT_EQ(record.srcAddr, next++);
        }
    }
}

TEST_F(ExporterTest, EachEngineHasASequenceOfItsOwnFromZero)
{
    Export(31, 1);
    Export(5, 2);
    Export(7, 1);
    Export(1, 2);
    EXPECT_EQ(Sequences(), (Numbers{0, 30, 0, 31, 5}));
    EXPECT_EQ(exporter->GetNextSequence(1), 38U);
    EXPECT_EQ(exporter->GetNextSequence(2), 6U);
    EXPECT_EQ(exporter->GetNextSequence(3), 0U);
}

TEST_F(ExporterTest, SequenceWrapsAt2To32)
{
    config.initialSequence = UINT32_MAX - 30;
    Make();
    EXPECT_EQ(exporter->GetNextSequence(1), UINT32_MAX - 30);
    Export(62);
    EXPECT_EQ(Sequences(), (Numbers{UINT32_MAX - 30, UINT32_MAX, 29}));
    EXPECT_EQ(exporter->GetNextSequence(1), 31U);
}

TEST_F(ExporterTest, SequenceAdvancesOverDatagramsThatTheSocketRefused)
{
    sink.refusals = 3; // refuses none, one, none
    Export(2);
    Export(3);
    Export(4);
    EXPECT_EQ(Sequences(), (Numbers{0, 2, 5}));
    EXPECT_FALSE(sink.datagrams[1].accepted && sink.datagrams[0].accepted);
    const Account total = ledger.GetTotal();
    EXPECT_EQ(total.Get(Move::SEALED), (netflow::Counts{9, 180, 9}));
    const uint64_t failed = total.Get(Move::SEND_FAILED).records;
    EXPECT_GT(failed, 0U);
    EXPECT_EQ(total.Get(Move::SENT).records + failed, 9U);
    for (const JournalEntry& entry : journal.GetEntries())
    {
        const bool accepted = sink.datagrams[entry.datagram].accepted;
        EXPECT_EQ(entry.last, accepted ? Move::SENT : Move::SEND_FAILED);
    }
}

TEST_F(ExporterTest, AtExpirySealsADatagramAtEveryGap)
{
    config.sequenceMode = SequenceMode::AT_EXPIRY;
    Make();
    Export(3); // 0 1 2
    ++expirySequence;
    std::vector<QueuedRecord> records;
    for (uint32_t number : {4, 5, 7, 8, 9, 20})
    {
        records.push_back(Queued(1, nextId++, 0, number));
        journal.Ended(records.back().record, Move::QUEUED, 0);
    }
    exporter->Export(records, 0);
    EXPECT_EQ(Counts(), (Sizes{3, 2, 3, 1}));
    EXPECT_EQ(Sequences(), (Numbers{0, 4, 7, 20}));
}

TEST_F(ExporterTest, AtExpiryWithoutDropsIsNumberedAsAtSend)
{
    config.sequenceMode = SequenceMode::AT_EXPIRY;
    config.initialSequence = UINT32_MAX - 9;
    expirySequence = 0;
    Make();
    Export(45);
    Export(2);
    EXPECT_EQ(Counts(), (Sizes{30, 15, 2}));
    EXPECT_EQ(Sequences(), (Numbers{UINT32_MAX - 9, 20, 35}));
}

TEST_F(ExporterTest, AtExpiryTheNumberMayWrapInsideADatagram)
{
    config.sequenceMode = SequenceMode::AT_EXPIRY;
    expirySequence = UINT32_MAX - 1;
    Make();
    Export(5);
    EXPECT_EQ(Counts(), Sizes{5});
    EXPECT_EQ(Sequences(), Numbers{UINT32_MAX - 1});
}

TEST_F(ExporterTest, EveryFieldOfARecordIsEncoded)
{
    QueuedRecord queued = Queued(2, 0);
    FlowRecord& record = queued.record;
    record.key = {0x01020304, 0x05060708, 1111, 2222, 2, 33, 6, 0x28, 0};
    record.output = 44;
    record.tcpFlags = 0x1b;
    record.packets = 55;
    record.octets = 66'666;
    record.first = 77'999'999;
    record.last = 88'000'000;
    journal.Ended(record, Move::QUEUED, 0);
    exporter->Export({queued}, 99'999'999);
    const V5Record& sent = sink.datagrams.at(0).records.at(0);
    EXPECT_EQ(sent.srcAddr, 0x01020304U);
    EXPECT_EQ(sent.dstAddr, 0x05060708U);
    EXPECT_EQ(sent.srcPort, 1111);
    EXPECT_EQ(sent.dstPort, 2222);
    EXPECT_EQ(sent.input, 33);
    EXPECT_EQ(sent.output, 44);
    EXPECT_EQ(sent.prot, 6);
    EXPECT_EQ(sent.tos, 0x28);
    EXPECT_EQ(sent.tcpFlags, 0x1b);
    EXPECT_EQ(sent.dPkts, 55U);
    EXPECT_EQ(sent.dOctets, 66'666U);
    EXPECT_EQ(sent.first, 77U) << "floored";
    EXPECT_EQ(sent.last, 88U);
    EXPECT_EQ(sink.datagrams[0].header.sysUptime, 99U);
}

TEST_F(ExporterTest, UnderPTheInterfaceFieldsCarryTheSwitchId)
{
    config.alternatePortIds = true;
    Make();
    QueuedRecord queued = Queued(3, 0);
    queued.record.key.input = 13;
    queued.record.output = 0; // flood: no interface
    journal.Ended(queued.record, Move::QUEUED, 0);
    exporter->Export({queued}, 0);
    EXPECT_EQ(sink.datagrams[0].records[0].input, 1549);
    EXPECT_EQ(sink.datagrams[0].records[0].output, 0);
    EXPECT_TRUE(sink.aliased.empty());
}

TEST_F(ExporterTest, UnderPAliasedPortsAreToldOnceEach)
{
    config.alternatePortIds = true;
    Make();
    std::vector<QueuedRecord> records;
    for (int i = 0; i < 3; ++i)
    {
        for (uint16_t vSwitch : {3, 4})
        {
            QueuedRecord queued = Queued(vSwitch, nextId++);
            queued.record.key.input = 512 + 13;
            queued.record.output = i == 2 ? 600 : 511;
            journal.Ended(queued.record, Move::QUEUED, 0);
            records.push_back(queued);
        }
    }
    exporter->Export(records, 0);
    EXPECT_EQ(sink.datagrams[0].records[0].input, 1549);
    EXPECT_EQ(sink.aliased,
              (std::vector<std::pair<uint16_t, uint16_t>>{{3, 525}, {3, 600}, {4, 525}, {4, 600}}));
}

TEST_F(ExporterTest, WithoutPPortsFrom512AreNoAliases)
{
    QueuedRecord queued = Queued(3, 0);
    queued.record.key.input = 525;
    journal.Ended(queued.record, Move::QUEUED, 0);
    exporter->Export({queued}, 0);
    EXPECT_EQ(sink.datagrams[0].records[0].input, 525);
    EXPECT_TRUE(sink.aliased.empty());
}

TEST_F(ExporterTest, DatagramsAreNumberedOverAllExportersOfAHost)
{
    Exporter other(config, sink, ledger, nullptr);
    Export(1);
    other.Export({Queued(9, 0)}, 0);
    Export(1);
    ASSERT_EQ(sink.datagrams.size(), 3U);
    for (uint64_t number = 0; number < 3; ++number)
    {
        EXPECT_EQ(sink.datagrams[number].number, number);
    }
    EXPECT_EQ(journal.GetEntries()[1].datagram, 2U);
    EXPECT_EQ(exporter->GetDatagrams(), 2U);
}

TEST_F(ExporterTest, SmallMtuMeansFewerRecordsADatagram)
{
    config.maxRecords = RecordsForMtu(576);
    Make();
    Export(25);
    EXPECT_EQ(Counts(), (Sizes{10, 10, 5}));
    EXPECT_LE(28 + sink.datagrams[0].bytes.size(), 576U);
}

TEST(RecordsForMtu, AreAsManyAsFitUnfragmented)
{
    EXPECT_EQ(RecordsForMtu(1500), 30);
    EXPECT_EQ(RecordsForMtu(1492), 30);
    EXPECT_EQ(RecordsForMtu(1491), 29);
    EXPECT_EQ(RecordsForMtu(9000), 30);
    EXPECT_EQ(RecordsForMtu(UINT32_MAX), 30);
    EXPECT_EQ(RecordsForMtu(100), 1) << "20 + 8 + 24 + 48";
    EXPECT_EQ(RecordsForMtu(99), 0);
    EXPECT_EQ(RecordsForMtu(52), 0);
    EXPECT_EQ(RecordsForMtu(0), 0);
}

/// Takes datagrams in batches, and refuses some.
class BatchSink : public test::CollectingSink
{
  public:
    std::size_t GetBatch() const override
    {
        return 4;
    }

    void SendBatch(const Datagram* datagrams, std::size_t count, bool* sent) override
    {
        batches.push_back(count);
        DatagramSink::SendBatch(datagrams, count, sent);
        for (std::size_t i = 0; i < count; ++i)
        {
            sent[i] = datagrams[i].number % 3 != 0;
        }
    }

    std::vector<std::size_t> batches;
};

TEST_F(ExporterTest, BatchesCarryWhatSingleDatagramsWould)
{
    std::vector<uint16_t> vSwitches;
    for (int i = 0; i < 305; ++i)
    {
        vSwitches.push_back(i % 5 == 0 ? 2 : 1);
    }
    Export(vSwitches, 7 * NS_PER_SECOND);
    const std::vector<test::SentDatagram> expected = sink.datagrams;
    BatchSink batchSink;
    Ledger batchLedger;
    Journal batchJournal;
    nextId = expirySequence = 0;
    std::vector<QueuedRecord> records;
    for (uint16_t vSwitch : vSwitches)
    {
        records.push_back(Queued(vSwitch, nextId, 0, expirySequence++));
        batchJournal.Ended(records.back().record, Move::QUEUED, 0);
        ++nextId;
    }
    Exporter batched(config, batchSink, batchLedger, &batchJournal);
    batched.Export(records, 7 * NS_PER_SECOND);
    EXPECT_EQ(batchSink.batches, (Sizes{4, 4, 4})) << "nothing stays behind";
    ASSERT_EQ(batchSink.datagrams.size(), expected.size());
    netflow::Counts sent;
    for (std::size_t i = 0; i < expected.size(); ++i)
    {
        EXPECT_EQ(batchSink.datagrams[i].bytes, expected[i].bytes) << i;
        sent.records += i % 3 != 0 ? expected[i].records.size() : 0;
    }
    const Account total = batchLedger.GetTotal();
    EXPECT_EQ(total.Get(Move::SENT).records, sent.records);
    EXPECT_EQ(total.Get(Move::SEND_FAILED).records, 305 - sent.records);
    EXPECT_EQ(total.GetBalance(Place::SOCKET), netflow::Counts{});
    uint64_t failed = 0;
    for (const JournalEntry& entry : batchJournal.GetEntries())
    {
        EXPECT_EQ(entry.last == Move::SEND_FAILED, entry.datagram % 3 == 0);
        failed += entry.last == Move::SEND_FAILED;
    }
    EXPECT_EQ(failed, 305 - sent.records);
}

} // namespace
} // namespace netflow
