// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/output-file.h"
#include "runner/base/user-error.h"
#include "tests/scratch-folder.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/time.h>
#include <thread>
#include <unistd.h>

namespace esxnf
{
namespace
{

namespace fs = std::filesystem;

class OutputFileTest : public testing::Test
{
  protected:
    static std::string TextOf(const std::string& path)
    {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    std::size_t CountFiles() const
    {
        const auto files = fs::directory_iterator(fs::path(path).parent_path());
        return static_cast<std::size_t>(std::distance(begin(files), end(files)));
    }

    const ScratchFolder scratch;
    const std::string path = scratch.Path("file");
};

TEST_F(OutputFileTest, AWholeFileReplacesWhatWasThereAtItsEnd)
{
    ReplaceFile(path, "old");
    OutputFile file(path, OutputKind::WHOLE);
    file.Write("new");
    file.Flush();
    EXPECT_EQ(TextOf(path), "old");
    file.Close();
    EXPECT_EQ(TextOf(path), "new");
    EXPECT_EQ(CountFiles(), 1U);
}

TEST_F(OutputFileTest, AWholeFileThatIsGivenUpLeavesWhatWasThere)
{
    ReplaceFile(path, "old");
    {
        OutputFile file(path, OutputKind::WHOLE);
        file.Write("new");
        file.Flush();
    }
    EXPECT_EQ(TextOf(path), "old");
    EXPECT_EQ(CountFiles(), 1U);
}

TEST_F(OutputFileTest, AStreamIsSeenAsItIsFlushed)
{
    OutputFile file(path, OutputKind::STREAM);
    file.Write("row\n");
    file.Flush();
    EXPECT_EQ(TextOf(path), "row\n");
    file.Close();
}

TEST_F(OutputFileTest, WhatCannotBeWrittenIsTheUsersError)
{
    EXPECT_THROW(OutputFile(scratch.Path("none/file"), OutputKind::WHOLE), UserError);
    EXPECT_THROW(ReplaceFile(scratch.Path("."), "x"), UserError);
    EXPECT_THROW(ReplaceFile("/dev/full", "x"), UserError);
    OutputFile full("/dev/full", OutputKind::STREAM);
    EXPECT_THROW(full.Write(std::string(1 << 20, 'x')), UserError);
}

TEST_F(OutputFileTest, WhileStandardOutputIsTakenOtherTextGoesToStandardError)
{
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    std::fputs("before\n", stdout);
    {
        OutputFile file("-", OutputKind::STREAM);
        std::fputs("people\n", stdout);
        file.Write("data\n");
        file.Close();
        std::fputs("more\n", stdout);
    }
    std::fputs("after\n", stdout);
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "before\ndata\nafter\n");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "people\nmore\n");
}

TEST_F(OutputFileTest, SignalsInterruptNoWrite)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::string read;
    std::thread reader([&] { // as slow as a pipe needs to be full
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        char octets[4096];
        for (ssize_t size; (size = ::read(ends[0], octets, sizeof(octets))) > 0;)
        {
            read.append(octets, static_cast<std::size_t>(size));
            usleep(1000);
        }
    });
    struct sigaction action = {};
    struct sigaction before = {};
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, &before); // without SA_RESTART
    const itimerval often{{0, 500}, {0, 500}};
    const itimerval never{};
    setitimer(ITIMER_REAL, &often, nullptr);
    const std::string data(1 << 20, 'x');
    OutputFile file("/dev/fd/" + std::to_string(ends[1]), OutputKind::STREAM);
    close(ends[1]);
    EXPECT_NO_THROW(file.Write(data));
    EXPECT_NO_THROW(file.Close());
    setitimer(ITIMER_REAL, &never, nullptr);
    reader.join();
    sigaction(SIGALRM, &before, nullptr);
    close(ends[0]);
    EXPECT_EQ(read.size(), data.size());
}

TEST_F(OutputFileTest, WhatAKilledProcessLeftIsRemovedAndWhatALivingOneHoldsIsNot)
{
    std::ofstream(path + ".tmp-1") << "left";
    fs::create_directories(path + ".tmp-2/inside");
    std::ofstream(path + ".tmp-x") << "another's";
    std::ofstream(path + ".tmp-3") << "held";
    const int held = HoldTemporary(path + ".tmp-3");
    ASSERT_GE(held, 0);
    RemoveAbandoned(path);
    EXPECT_FALSE(fs::exists(path + ".tmp-1"));
    EXPECT_FALSE(fs::exists(path + ".tmp-2"));
    EXPECT_TRUE(fs::exists(path + ".tmp-x"));
    EXPECT_TRUE(fs::exists(path + ".tmp-3"));
    close(held);
    RemoveAbandoned(path);
    EXPECT_FALSE(fs::exists(path + ".tmp-3"));
}

TEST_F(OutputFileTest, ResultsThatAKilledProcessHadMovedAsideComeBack)
{
    fs::create_directory(path + ".old-1");
    RemoveAbandoned(path);
    EXPECT_TRUE(fs::is_directory(path));
    EXPECT_FALSE(fs::exists(path + ".old-1"));
}

} // namespace
} // namespace esxnf
