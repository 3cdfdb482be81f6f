// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/exit-code.h"
#include "runner/results/results.h"
#include "runner/simulation/simulation.h"
#include "tests/scratch-folder.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

namespace fs = std::filesystem;

using testing::HasSubstr;

class ResultFolderTest : public testing::Test
{
  protected:
    static void Write(const fs::path& path, const std::string& text)
    {
        std::ofstream(path) << text;
    }

    std::string Refusal(const fs::path& target) const
    {
        try
        {
            ResultFolder folder(target.string());
        }
        catch (const UserError& error)
        {
            EXPECT_EQ(ExitCodeOf(error), EXIT_USAGE);
            return error.what();
        }
        return "none";
    }

    std::ptrdiff_t CountEntries() const
    {
        return std::distance(fs::directory_iterator(m_home), fs::directory_iterator());
    }

    const ScratchFolder m_scratch;
    const fs::path& m_home{m_scratch.GetPath()};
    const std::string m_ours = std::string(R"({"schema": ")") + SUMMARY_SCHEMA + "\"}";
};

TEST_F(ResultFolderTest, AppearsAtCommitAndNotBefore)
{
    const fs::path target = m_home / "deep" / "lab";
    {
        ResultFolder folder(target.string());
        Write(fs::path(folder.GetPath()) / "a", "1");
        EXPECT_FALSE(fs::exists(target));
        folder.Commit();
    }
    EXPECT_TRUE(fs::exists(target / "a"));
    EXPECT_EQ(std::distance(fs::directory_iterator(m_home / "deep"), fs::directory_iterator()), 1);
}

TEST_F(ResultFolderTest, LeavesNothingWithoutCommit)
{
    {
        ResultFolder folder((m_home / "lab").string());
    }
    EXPECT_EQ(CountEntries(), 0);
}

TEST_F(ResultFolderTest, ReplacesAnEarlierResultAsAWhole)
{
    const fs::path target = m_home / "lab";
    fs::create_directory(target);
    Write(target / "summary.json", m_ours);
    Write(target / "stale.pcap", "x");
    ResultFolder folder(target.string() + "/");
    Write(fs::path(folder.GetPath()) / "summary.json", m_ours);
    folder.Commit();
    EXPECT_FALSE(fs::exists(target / "stale.pcap"));
    EXPECT_TRUE(fs::exists(target / "summary.json"));
    EXPECT_EQ(CountEntries(), 1);
}

TEST_F(ResultFolderTest, TakesAnEmptyFolder)
{
    fs::create_directory(m_home / "lab");
    ResultFolder folder((m_home / "lab").string());
    folder.Commit();
    EXPECT_EQ(CountEntries(), 1);
}

TEST_F(ResultFolderTest, NeverReplacesWhatIsNotOurs)
{
    fs::create_directory(m_home / "photos");
    Write(m_home / "photos" / "cat.jpg", "meow");
    EXPECT_THAT(Refusal(m_home / "photos"), HasSubstr("neither empty nor a result folder"));
    Write(m_home / "photos" / "summary.json", R"({"cats": 1})");
    EXPECT_THAT(Refusal(m_home / "photos"), HasSubstr("neither empty nor a result folder"));
    Write(m_home / "photos" / "summary.json", "no JSON");
    EXPECT_THAT(Refusal(m_home / "photos"), HasSubstr("neither empty nor a result folder"));
    Write(m_home / "photos" / "summary.json", "[1]");
    EXPECT_THAT(Refusal(m_home / "photos"), HasSubstr("neither empty nor a result folder"));
    EXPECT_TRUE(fs::exists(m_home / "photos" / "cat.jpg"));
}

TEST_F(ResultFolderTest, RefusesWhatIsNoFolder)
{
    Write(m_home / "file", "x");
    EXPECT_THAT(Refusal(m_home / "file"), HasSubstr("is no folder"));
    EXPECT_THAT(Refusal(m_home / "file" / "below"), HasSubstr("cannot write results"));
}

TEST_F(ResultFolderTest, NamesAreRelativeToTheWorkingDirectory)
{
    const fs::path before = fs::current_path();
    fs::current_path(m_home);
    EXPECT_THAT(Refusal("."), HasSubstr("working directory"));
    {
        ResultFolder folder("lab");
        folder.Commit();
    }
    fs::current_path(before);
    EXPECT_TRUE(fs::exists(m_home / "lab"));
}

} // namespace
} // namespace esxnf
