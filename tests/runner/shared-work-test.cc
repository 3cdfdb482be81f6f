// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/shared-work.h"
#include "tests/scratch-folder.h"

#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sched.h>
#include <set>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace
{

using esxnf::ShareWork;

constexpr int PIECES = 20;

class SharedWork : public testing::Test
{
  protected:
    /// Notes a process in the file of a piece; each time it is done, another line.
    void Do(int piece) const
    {
        std::ofstream(PathOf(piece), std::ios::app) << getpid() << "\n";
        usleep(1000);
    }

    std::string PathOf(int piece) const
    {
        return m_folder.Path(std::to_string(piece));
    }

    std::vector<pid_t> DoersOf(int piece) const
    {
        std::ifstream file(PathOf(piece));
        return {std::istream_iterator<pid_t>(file), {}};
    }

    esxnf::ScratchFolder m_folder;
};

TEST_F(SharedWork, EachPieceIsDoneOnceByOneOfTwoProcesses)
{
    ShareWork([&](const auto& isMine) {
        for (int piece = 0; piece < PIECES; ++piece)
        {
            isMine() ? Do(piece) : void();
        }
    });
    std::set<pid_t> doers;
    for (int piece = 0; piece < PIECES; ++piece)
    {
        ASSERT_EQ(DoersOf(piece).size(), 1U) << piece;
        doers.insert(DoersOf(piece).front());
    }
    cpu_set_t cores;
    sched_getaffinity(0, sizeof(cores), &cores);
    EXPECT_EQ(doers.size(), CPU_COUNT(&cores) > 1 ? 2U : 1U);
}

TEST_F(SharedWork, PiecesOfACopyThatDiesAreDoneHere)
{
    const pid_t here = getpid();
    ShareWork([&](const auto& isMine) {
        for (int piece = 0; piece < PIECES; ++piece)
        {
            const bool is = isMine();
            if (is && getpid() != here)
            {
                raise(SIGKILL);
            }
            is ? Do(piece) : void();
        }
    });
    for (int piece = 0; piece < PIECES; ++piece)
    {
        EXPECT_EQ(DoersOf(piece), std::vector<pid_t>{here}) << piece;
    }
}

TEST_F(SharedWork, AFailureOfTheCopyIsSeenHere)
{
    const pid_t here = getpid();
    EXPECT_THROW(ShareWork([&](const auto& isMine) {
                     for (int piece = 0; piece < PIECES; ++piece)
                     {
                         const bool is = isMine();
                         is ? Do(piece) : void();
                         if (is && piece == PIECES / 2)
                         {
                             throw std::runtime_error("no space");
                         }
                     }
                 }),
                 std::runtime_error);
    EXPECT_EQ(getpid(), here); // the copy came to no end of the test
}

} // namespace
