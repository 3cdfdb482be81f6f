// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/shared-work.h"
#include "tests/scratch-folder.h"

#include <csignal>
#include <filesystem>
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
    /// Shares pieces; a piece done here lasts until the copy has taken one, 10 s at most.
    /// \param inCopy what the copy does with a piece \param here what this process does
    template <typename InCopy, typename Here>
    void Share(InCopy inCopy, Here here) const
    {
        ShareWork([&](const auto& isMine) {
            for (int piece = 0; piece < PIECES; ++piece)
            {
                if (!isMine())
                {
                    continue;
                }
                if (getpid() != m_here)
                {
                    std::ofstream(m_copied) << piece << std::endl;
                    inCopy(piece);
                    continue;
                }
                here(piece);
                for (int ms = 0; m_hasCopy && !HasTaken() && ms < 10'000; ++ms)
                {
                    usleep(1000);
                }
            }
        });
        EXPECT_EQ(HasTaken(), m_hasCopy);
    }

    /// Notes this process for a piece, in another line each time.
    void Do(int piece) const
    {
        std::ofstream(m_folder.Path(std::to_string(piece)), std::ios::app) << getpid() << "\n";
    }

    std::vector<pid_t> DoersOf(int piece) const
    {
        std::ifstream file(m_folder.Path(std::to_string(piece)));
        return {std::istream_iterator<pid_t>(file), {}};
    }

    bool HasTaken() const
    {
        return std::filesystem::exists(m_copied);
    }

    static bool HasSecondCore()
    {
        cpu_set_t cores;
        return sched_getaffinity(0, sizeof(cores), &cores) == 0 && CPU_COUNT(&cores) > 1;
    }

    const esxnf::ScratchFolder m_folder;
    const std::string m_copied = m_folder.Path("copied"); // is there: the copy took a piece
    const pid_t m_here = getpid();
    const bool m_hasCopy = HasSecondCore();
};

TEST_F(SharedWork, EachPieceIsDoneOnceByOneOfTwoProcesses)
{
    const auto doIt = [this](int piece) { Do(piece); };
    Share(doIt, doIt);
    std::set<pid_t> doers;
    for (int piece = 0; piece < PIECES; ++piece)
    {
        ASSERT_EQ(DoersOf(piece).size(), 1U) << piece;
        doers.insert(DoersOf(piece).front());
    }
    EXPECT_EQ(doers.size(), m_hasCopy ? 2U : 1U);
}

TEST_F(SharedWork, PiecesOfACopyThatDiesAreDoneHere)
{
    Share([](int) { raise(SIGKILL); }, [this](int piece) { Do(piece); });
    for (int piece = 0; piece < PIECES; ++piece)
    {
        EXPECT_EQ(DoersOf(piece), std::vector<pid_t>{m_here}) << piece;
    }
}

TEST_F(SharedWork, AFailureOfTheCopyIsSeenHere)
{
    const auto fail = [](int) { throw std::runtime_error("no space"); };
    std::set<int> done;
    const auto failAgain = [&](int piece) {
        if (!done.insert(piece).second || done.size() == PIECES)
        {
            fail(piece);
        }
    };
    EXPECT_THROW(Share(fail, failAgain), std::runtime_error);
    EXPECT_EQ(done.size(), PIECES); // the copy's piece, too, and it alone a second time
    EXPECT_EQ(getpid(), m_here);    // the copy came to no end of the test
}

} // namespace
