// SPDX-License-Identifier: GPL-2.0-only
// Findings in a sequence: gaps that close again, copies, restarts; and a naive model over random
// streams.
#include "netflow/sequence-tracker.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <random>
#include <set>

namespace netflow
{
namespace
{

using Finding = SequenceTracker::Finding;
using testing::ElementsAre;

constexpr uint32_t BOOT_SECS = 1'700'000'000;

/// A header as of a host that booted at BOOT_SECS and sends a record each millisecond.
V5Header
Header(uint32_t sequence, uint16_t count = 1)
{
    V5Header header;
    header.flowSequence = sequence;
    header.count = count;
    header.sysUptime = sequence;
    header.unixSecs = BOOT_SECS + sequence / 1000;
    header.unixNsecs = sequence % 1000 * 1'000'000;
    return header;
}

/// The same host, \p ms after its first boot: the sequence does not follow the uptime.
V5Header
At(uint32_t ms, uint32_t sequence, uint16_t count = 1)
{
    V5Header header = Header(ms, count);
    header.flowSequence = sequence;
    return header;
}

/// A host that booted \p seconds later.
V5Header
Rebooted(V5Header header, int32_t seconds)
{
    header.unixSecs += static_cast<uint32_t>(seconds);
    return header;
}

std::vector<Finding>
TakeAll(SequenceTracker& tracker, const std::vector<V5Header>& headers)
{
    std::vector<Finding> findings;
    for (const V5Header& header : headers)
    {
        findings.push_back(tracker.Take(header));
    }
    return findings;
}

TEST(SequenceTrackerTest, ADatagramThatComesLateIsNotMissing)
{
    SequenceTracker tracker;
    EXPECT_THAT(TakeAll(tracker, {Header(0), Header(1), Header(3), Header(2), Header(4)}),
                ElementsAre(Finding::FIRST,
                            Finding::IN_ORDER,
                            Finding::GAP,
                            Finding::LATE,
                            Finding::IN_ORDER));
    EXPECT_EQ(tracker.GetCounts().missing, 0U);
    EXPECT_EQ(tracker.GetCounts().gaps, 0U);
    EXPECT_EQ(tracker.GetCounts().late, 1U);
    EXPECT_EQ(tracker.GetCounts().failures, 2U);
    EXPECT_EQ(tracker.GetExpected(), 5U);
}

/// The table of goflow2's maintainer (issue 116 there).
TEST(SequenceTrackerTest, ReorderingAndDuplicatesLeaveOneMissing)
{
    SequenceTracker tracker;
    std::vector<uint64_t> missing;
    for (const uint32_t sequence : {10, 11, 16, 12, 15, 14, 14, 14})
    {
        tracker.Take(Header(sequence));
        missing.push_back(tracker.GetCounts().missing);
    }
    EXPECT_THAT(missing, ElementsAre(0, 0, 4, 3, 2, 1, 1, 1)); // 13
    EXPECT_EQ(tracker.GetCounts().duplicates, 2U);
    EXPECT_EQ(tracker.GetCounts().late, 3U);
    EXPECT_EQ(tracker.GetCounts().gaps, 1U);
    EXPECT_EQ(tracker.GetCounts().restarts, 0U);
}

TEST(SequenceTrackerTest, ADatagramMayCloseAPartOfAGap)
{
    SequenceTracker tracker;
    TakeAll(tracker, {Header(0, 10), Header(100, 10), Header(40, 20)});
    EXPECT_EQ(tracker.GetCounts().missing, 70U);
    EXPECT_EQ(tracker.GetCounts().gaps, 2U);
    TakeAll(tracker, {Header(10, 30), Header(60, 30)});
    EXPECT_EQ(tracker.GetCounts().missing, 10U);
    EXPECT_EQ(tracker.GetCounts().gaps, 1U);
}

TEST(SequenceTrackerTest, LateIsWithinTheLastRecordsBeforeTheHighestSequence)
{
    for (const uint32_t back : {1000U, 1001U})
    {
        SequenceTracker tracker;
        const uint32_t gap = 3000 - back;
        TakeAll(tracker, {Header(0, gap), Header(gap + 1, 30), Header(3000, 30)});
        const uint64_t missing = tracker.GetCounts().missing;
        EXPECT_EQ(tracker.Take(Header(gap)), back == 1000 ? Finding::LATE : Finding::RESTART);
        EXPECT_EQ(tracker.GetCounts().missing, missing - (back == 1000));
    }
    SequenceTracker narrow(3);
    EXPECT_THAT(TakeAll(narrow, {Header(0), Header(9), Header(6), Header(5)}),
                ElementsAre(Finding::FIRST, Finding::GAP, Finding::LATE, Finding::RESTART));
}

TEST(SequenceTrackerTest, WhatIsOlderThanTheFirstDatagramWasNeverMissing)
{
    SequenceTracker tracker;
    EXPECT_THAT(TakeAll(tracker, {Header(1000, 2), Header(998, 2), Header(1002)}),
                ElementsAre(Finding::FIRST, Finding::LATE, Finding::IN_ORDER));
    EXPECT_EQ(tracker.GetCounts().missing, 0U);
    EXPECT_EQ(tracker.GetCounts().duplicates, 0U);
}

TEST(SequenceTrackerTest, ALaterBootIsARestartWhateverTheSequence)
{
    for (const uint32_t sequence : {0U, 150U, 5000U})
    {
        SequenceTracker tracker;
        EXPECT_THAT(TakeAll(tracker,
                            {Header(100, 100),
                             Rebooted(At(0, sequence), 60),
                             Rebooted(At(1, sequence + 1), 60)}),
                    ElementsAre(Finding::FIRST, Finding::RESTART, Finding::IN_ORDER));
        EXPECT_EQ(tracker.GetCounts().missing, 0U);
        EXPECT_EQ(tracker.GetCounts().restarts, 1U);
    }
}

TEST(SequenceTrackerTest, AClockThatIsSetIsNoRestart)
{
    SequenceTracker tracker;
    EXPECT_THAT(TakeAll(tracker, {Header(0), Rebooted(Header(1), 3600), Rebooted(Header(2), -9)}),
                ElementsAre(Finding::FIRST, Finding::IN_ORDER, Finding::IN_ORDER));
}

TEST(SequenceTrackerTest, ClocksOfWholeSecondsAreOneBoot)
{
    SequenceTracker tracker;
    std::vector<V5Header> headers{Header(999), Header(2000), Header(1000), Header(2001)};
    for (V5Header& header : headers)
    {
        header.unixNsecs = 0;
    }
    EXPECT_THAT(TakeAll(tracker, headers),
                ElementsAre(Finding::FIRST, Finding::GAP, Finding::LATE, Finding::IN_ORDER));
}

TEST(SequenceTrackerTest, ExportersWithoutAClockOrWithWrongNanosecondsDoNotRestart)
{
    SequenceTracker tracker;
    std::vector<V5Header> headers{Header(0), Header(90'000), Header(89'999), Header(90'001)};
    for (V5Header& header : headers)
    {
        header.unixSecs = 0;
    }
    TakeAll(tracker, headers);
    EXPECT_EQ(tracker.GetCounts().restarts, 0U);
    SequenceTracker other;
    V5Header wrong = Header(3);
    wrong.unixNsecs = UINT32_MAX;
    EXPECT_THAT(TakeAll(other, {Header(0), wrong, Header(4)}),
                ElementsAre(Finding::FIRST, Finding::GAP, Finding::IN_ORDER));
}

TEST(SequenceTrackerTest, SequenceAndUptimeMayWrap)
{
    SequenceTracker tracker;
    V5Header before = Header(UINT32_MAX - 1);
    V5Header lost = Header(UINT32_MAX);
    V5Header after = Header(0);
    after.unixSecs = BOOT_SECS + UINT32_MAX / 1000;
    EXPECT_THAT(TakeAll(tracker, {before, after, lost, lost}),
                ElementsAre(Finding::FIRST, Finding::GAP, Finding::LATE, Finding::DUPLICATE));
    EXPECT_EQ(tracker.GetCounts().missing, 0U);
    EXPECT_EQ(tracker.GetExpected(), 1U);
}

TEST(SequenceTrackerTest, ADatagramFromBeforeARestartIsLateAndChangesNothing)
{
    SequenceTracker tracker;
    EXPECT_THAT(
        TakeAll(
            tracker,
            {Header(500'000), Rebooted(At(0, 0), 900), Header(500'001), Rebooted(At(1, 1), 900)}),
        ElementsAre(Finding::FIRST, Finding::RESTART, Finding::LATE, Finding::IN_ORDER));
    EXPECT_EQ(tracker.GetCounts().missing, 0U);
}

TEST(SequenceTrackerTest, AProcessThatBeginsAnewOnAHostThatRunsOnIsOneRestart)
{
    SequenceTracker tracker;
    EXPECT_THAT(TakeAll(tracker, {At(1, 0, 9), At(2, 0, 3), At(3, 3, 3), At(4, 6, 3), At(5, 10)}),
                ElementsAre(Finding::FIRST,
                            Finding::DUPLICATE,
                            Finding::RESTART,
                            Finding::IN_ORDER,
                            Finding::GAP));
    EXPECT_EQ(tracker.GetCounts().restarts, 1U);
    EXPECT_EQ(tracker.GetCounts().duplicates, 0U);
    EXPECT_EQ(tracker.GetCounts().failures, 2U);
    EXPECT_EQ(tracker.GetCounts().missing, 1U);
    SequenceTracker overlapping;
    EXPECT_THAT(TakeAll(overlapping, {At(1, 0, 9), At(2, 0, 30), At(3, 30)}),
                ElementsAre(Finding::FIRST, Finding::RESTART, Finding::IN_ORDER));
    SequenceTracker copies; // sent before the highest one
    EXPECT_THAT(
        TakeAll(copies, {At(1, 0, 3), At(2, 3, 3), At(1, 0, 3), At(2, 3, 3)}),
        ElementsAre(Finding::FIRST, Finding::IN_ORDER, Finding::DUPLICATE, Finding::DUPLICATE));
}

TEST(SequenceTrackerTest, ASequenceThatGoesOnWhereItWasDidNotRestart)
{
    SequenceTracker tracker;
    TakeAll(tracker, {Header(0, 30), Header(60, 2000), Header(2060, 2030), Header(30, 30)});
    EXPECT_EQ(tracker.GetCounts().restarts, 1U) << "it seems so until the next one comes";
    EXPECT_THAT(TakeAll(tracker, {Header(4090, 10), Header(4101), Header(4100)}),
                ElementsAre(Finding::IN_ORDER, Finding::GAP, Finding::LATE));
    EXPECT_EQ(tracker.GetCounts().restarts, 0U);
    EXPECT_EQ(tracker.GetCounts().missing, 30U) << "too late to be told from another loss";
    EXPECT_EQ(tracker.GetCounts().late, 2U);
    SequenceTracker restarted;
    TakeAll(restarted,
            {At(1, 0, 2000), At(2, 2000, 2000), At(3, 0, 30), At(4, 30, 30), At(5, 62, 30)});
    EXPECT_EQ(restarted.GetCounts().restarts, 1U);
    EXPECT_EQ(restarted.GetCounts().missing, 2U);
}

TEST(SequenceTrackerTest, TwoSequencesOfOneEngineAreNoLoss)
{
    SequenceTracker tracker;
    for (uint32_t n = 0; n < 100; ++n)
    {
        tracker.Take(At(2 * n, 1'000'000'000 + n));
        tracker.Take(At(2 * n + 1, n));
    }
    EXPECT_EQ(tracker.GetCounts().missing, 0U);
    EXPECT_LE(tracker.GetCounts().restarts, 1U);
}

TEST(SequenceTrackerTest, WhoForgetsBeginsAnewAndKeepsTheCounts)
{
    SequenceTracker tracker;
    TakeAll(tracker, {Header(0), Header(5)});
    tracker.Forget();
    EXPECT_EQ(tracker.Take(Header(90)), Finding::FIRST);
    EXPECT_EQ(tracker.Take(Header(2)), Finding::LATE);
    EXPECT_EQ(tracker.GetCounts().missing, 4U);
}

/// Random loss, displacement and copies. The naive model keeps every record.
TEST(SequenceTrackerTest, RandomStreamsAreCountedAsByANaiveModel)
{
    std::mt19937 random(1);
    const auto chance = [&random](unsigned percent) { return random() % 100 < percent; };
    uint64_t sumMissing = 0;
    uint64_t sumDuplicates = 0;
    for (unsigned round = 0; round < 80; ++round)
    {
        const auto initial = static_cast<uint32_t>(random()) | (round % 2 ? 0xffffff00U : 0);
        std::vector<std::pair<double, V5Header>> sent; // by time of arrival
        uint32_t next = initial;
        for (unsigned i = 0; i < 200; ++i)
        {
            V5Header header = Header(i, static_cast<uint16_t>(1 + random() % 30));
            header.flowSequence = next;
            next += header.count;
            const unsigned copies = i > 0 && chance(10) ? 0 : chance(10) ? 3 : 1;
            for (unsigned copy = 0; copy < copies; ++copy)
            {
                sent.emplace_back(i + (i > 0 && chance(20) ? random() % 20 : 0U), header);
            }
        }
        std::stable_sort(sent.begin(), sent.end(), [](const auto& a, const auto& b) {
            return a.first < b.first;
        });
        SequenceTracker tracker;
        std::set<uint32_t> received; // numbers from the first one
        uint64_t duplicates = 0;
        for (const auto& [at, header] : sent)
        {
            tracker.Take(header);
            bool isNew = false;
            for (uint32_t n = 0; n < header.count; ++n)
            {
                isNew |= received.insert(header.flowSequence - initial + n).second;
            }
            duplicates += !isNew;
            const uint64_t missing = *received.rbegin() + 1 - received.size();
            ASSERT_EQ(tracker.GetCounts().missing, missing) << "round " << round;
        }
        EXPECT_EQ(tracker.GetCounts().duplicates, duplicates) << "round " << round;
        EXPECT_EQ(tracker.GetCounts().restarts, 0U);
        EXPECT_EQ(tracker.GetCounts().gaps > 0, tracker.GetCounts().missing > 0);
        sumMissing += tracker.GetCounts().missing;
        sumDuplicates += duplicates;
    }
    EXPECT_GT(sumMissing, 5'000U);
    EXPECT_GT(sumDuplicates, 500U);
}

} // namespace
} // namespace netflow
