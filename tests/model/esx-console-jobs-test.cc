// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-console-jobs.h"

#include <gtest/gtest.h>

using namespace ns3;

namespace
{

class FakeProcess : public EsxConsoleProcess
{
  public:
    void Signal(EsxSignal signal) override
    {
        Exit(EsxStatusOfSignal(signal));
    }
};

class EsxConsoleJobsTest : public ::testing::Test
{
  protected:
    Ptr<EsxConsoleProcess> Start(uint32_t pid, const std::string& text)
    {
        const Ptr<EsxConsoleProcess> process = CreateObject<FakeProcess>();
        process->Attach(pid, text);
        process->AddExitListener([this, pid](int status) { jobs.NoteEnd(pid, status); });
        jobs.Add(pid, text, process, 0);
        return process;
    }

    std::string List() const
    {
        std::string text;
        for (const EsxConsoleJob& job : jobs.GetAll())
        {
            text += jobs.Describe(job) + "\n";
        }
        return text;
    }

    EsxConsoleJobs jobs;
};

TEST_F(EsxConsoleJobsTest, NumbersFollowTheHighest)
{
    Start(1025, "a");
    Start(1026, "b");
    Start(1027, "c");
    EXPECT_EQ(List(),
              "[1]   Running                 a &\n"
              "[2]-  Running                 b &\n"
              "[3]+  Running                 c &\n");
    EXPECT_TRUE(jobs.Take(2));
    EXPECT_FALSE(jobs.Take(2));
    Start(1028, "d");
    EXPECT_EQ(jobs.GetAll().back().number, 4u);
    EXPECT_TRUE(jobs.Take(4));
    EXPECT_TRUE(jobs.Take(3));
    Start(1029, "e");
    EXPECT_EQ(jobs.GetAll().back().number, 2u);
}

TEST_F(EsxConsoleJobsTest, EndsAreToldOnceWithTheirKind)
{
    for (const EsxSignal signal :
         {EsxSignal::TERM, EsxSignal::KILL, EsxSignal::HUP, EsxSignal::INT})
    {
        const Ptr<EsxConsoleProcess> process =
            Start(1025 + static_cast<uint32_t>(signal), ToString(signal));
        process->Signal(signal);
    }
    jobs.Add(300, "good", nullptr, 0);
    jobs.Add(301, "bad", nullptr, 2);
    Start(2000, "runs");
    EXPECT_EQ(jobs.TakeEnded(),
              (std::vector<std::string>{"[1]   Terminated              TERM",
                                        "[2]   Killed                  KILL",
                                        "[3]   Hangup                  HUP",
                                        "[4]   Interrupt               INT",
                                        "[5]   Done                    good",
                                        "[6]-  Exit 2                  bad"}));
    EXPECT_TRUE(jobs.TakeEnded().empty());
    EXPECT_EQ(List(), "[7]+  Running                 runs &\n");
}

TEST_F(EsxConsoleJobsTest, HangUpEndsAllThatRun)
{
    const Ptr<EsxConsoleProcess> a = Start(1025, "a");
    const Ptr<EsxConsoleProcess> b = Start(1026, "b");
    jobs.HangUp();
    EXPECT_EQ(a->GetExitStatus(), 129);
    EXPECT_EQ(b->GetExitStatus(), 129);
    EXPECT_TRUE(jobs.GetAll().empty());
}

} // namespace
