// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/simulation/host-book.h"
#include "tests/scratch-folder.h"

#include <fstream>
#include <gtest/gtest.h>
#include <limits>

namespace esxnf
{
namespace
{

using netflow::Move;

class HostBookTest : public testing::Test
{
  protected:
    std::string Path() const
    {
        return m_folder.Path("esx1.book");
    }

    HostBook WriteAndRead(HostBook book) const
    {
        book.Write(Path());
        return HostBook::Read(Path());
    }

    const ScratchFolder m_folder;
};

TEST_F(HostBookTest, KeepsWhatAHostMetered)
{
    HostBook book;
    book.host = "esx1";
    netflow::JournalEntry entry;
    entry.record.key.source = 0xffffffff;
    entry.record.key.tos = 255;
    entry.record.octets = 4'294'967'295;
    entry.record.first = -5; // before the run
    entry.record.reason = netflow::EndReason::SPLIT;
    entry.last = Move::DROPPED_PURGATORY_HEAD;
    book.journal = {entry};
    book.shed = {{{entry.record.key, Move::SHED_NO_MEMORY}, {{7, 8, 9}, 1, 2, 18}}};
    book.polls = {{1'000'000'000, 3, {{4, 5, 6}}}};
    book.sends = std::string("\0x", 2);
    book.frames = {{-1, 2, 3, 4, true, std::string("a\0b", 3)}};
    book.traffic = {{true, ReplayedCapture{3, "cut off", {"odd"}}, std::nullopt},
                    {false, std::nullopt, FlowFidelity{7, 2}}};
    book.texts = {{"esx1.console.log", "# ls\n"}};
    LineOutcome line;
    line.exit = -1;
    line.output = "text";
    book.steps = {line, {}};
    const HostBook read = WriteAndRead(book);
    ASSERT_EQ(read.journal.size(), 1U);
    EXPECT_EQ(read.journal[0].record.key, entry.record.key);
    EXPECT_EQ(read.journal[0].record.octets, entry.record.octets);
    EXPECT_EQ(read.journal[0].record.first, -5);
    EXPECT_EQ(read.journal[0].record.reason, netflow::EndReason::SPLIT);
    EXPECT_EQ(read.journal[0].last, Move::DROPPED_PURGATORY_HEAD);
    EXPECT_EQ(read.journal[0].datagram, netflow::JournalEntry::NO_DATAGRAM);
    EXPECT_EQ(read.shed[0].first.second, Move::SHED_NO_MEMORY);
    EXPECT_EQ(read.shed[0].second.counts, (netflow::Counts{7, 8, 9}));
    EXPECT_EQ(read.polls[0].records[0].expirySequence, 6U);
    EXPECT_EQ(read.polls[0].records[0].place, 4U);
    EXPECT_EQ(read.sends, book.sends);
    EXPECT_EQ(read.frames[0].octets, book.frames[0].octets);
    EXPECT_TRUE(read.frames[0].isInjected);
    EXPECT_EQ(read.traffic[0].capture->odd, std::vector<std::string>{"odd"});
    EXPECT_FALSE(read.traffic[1].capture);
    EXPECT_EQ(read.traffic[1].fidelity->simulated, 2U);
    EXPECT_EQ(read.texts, book.texts);
    EXPECT_EQ(read.steps[0].exit, -1);
    EXPECT_EQ(read.steps[0].output, "text");
    EXPECT_FALSE(read.steps[1].exit);
}

TEST_F(HostBookTest, SnapshotsComeBackAsTheyWereWhateverTheirLength)
{
    constexpr uint64_t MOST = std::numeric_limits<uint64_t>::max();
    const std::vector<std::vector<uint64_t>> rows{{0, 0, 0},
                                                  {1, MOST, 0},
                                                  {1, 2, 0, 7, 0},
                                                  {},
                                                  {3, 0}};
    SnapshotWriter writer;
    for (const auto& row : rows)
    {
        writer.Append(row);
    }
    SnapshotReader reader(writer.Take());
    for (const auto& row : rows)
    {
        EXPECT_EQ(reader.Next(), row);
    }
    EXPECT_THROW(reader.Next(), UserError);
}

TEST_F(HostBookTest, WhatIsNoWholeBookIsRefused)
{
    HostBook book;
    book.host = "esx1";
    book.texts = {{"esx1.console.log", std::string(100, 'x')}};
    book.Write(Path());
    std::ifstream file(Path(), std::ios::binary);
    const std::string octets{std::istreambuf_iterator<char>(file), {}};
    for (std::size_t size = 0; size < octets.size(); ++size)
    {
        std::ofstream(Path(), std::ios::binary) << octets.substr(0, size);
        EXPECT_THROW(HostBook::Read(Path()), UserError) << size << " octets";
    }
    EXPECT_THROW(HostBook::Read(Path() + "x"), UserError);
}

} // namespace
} // namespace esxnf
