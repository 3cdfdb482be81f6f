// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/exit-code.h"
#include "runner/commands/task-pool.h"

#include <csignal>
#include <cstdio>
#include <gtest/gtest.h>
#include <unistd.h>

namespace esxnf
{
namespace
{

struct Told
{
    std::vector<std::size_t> order;
    std::vector<TaskOutcome> outcomes;
};

Told
RunAll(const std::vector<TaskPool::Task>& tasks, unsigned atOnce)
{
    Told told;
    const InterruptCatcher interrupt;
    TaskPool::Run(tasks, atOnce, interrupt, [&](std::size_t index, const TaskOutcome& outcome) {
        told.order.push_back(index);
        told.outcomes.push_back(outcome);
    });
    return told;
}

/// Ends only after a byte has come through a pipe: lets a test decide who is first.
TaskPool::Task
Waits(int end, int exitCode)
{
    return [=] {
        char byte = 0;
        return read(end, &byte, 1) == 1 ? exitCode : 99;
    };
}

TaskPool::Task
Signals(int end, int exitCode)
{
    return [=] { return write(end, "x", 1) == 1 ? exitCode : 99; };
}

TEST(TaskPool, OutcomesComeInTheOrderOfTheTasks)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const Told told = RunAll({Waits(ends[0], 4), Signals(ends[1], 5)}, 2);
    EXPECT_EQ(told.order, (std::vector<std::size_t>{0, 1}));
    EXPECT_EQ(told.outcomes[0].exitCode, 4);
    EXPECT_EQ(told.outcomes[1].exitCode, 5);
}

TEST(TaskPool, WhatATaskPrintsIsHandedBack)
{
    for (const unsigned atOnce : {1U, 3U})
    {
        const Told told = RunAll({[] {
                                      std::printf("out");
                                      std::fprintf(stderr, "err");
                                      return 0;
                                  },
                                  [] {
                                      std::printf("more");
                                      return 0;
                                  }},
                                 atOnce);
        ASSERT_EQ(told.outcomes.size(), 2U);
        EXPECT_EQ(told.outcomes[0].output, "out");
        EXPECT_EQ(told.outcomes[0].errors, "err");
        EXPECT_EQ(told.outcomes[1].output, "more");
    }
}

TEST(TaskPool, TaskThatCrashesIsToldBySignal)
{
    const Told told = RunAll({[]() -> int {
                                  std::signal(SIGKILL, SIG_DFL);
                                  std::raise(SIGKILL);
                                  return 0;
                              },
                              [] { return 0; }},
                             1);
    EXPECT_EQ(told.outcomes[0].signal, SIGKILL);
    EXPECT_EQ(told.outcomes[0].exitCode, 128 + SIGKILL);
    EXPECT_EQ(told.outcomes[1].exitCode, 0);
}

TEST(TaskPool, ErrorThatATaskThrowsIsItsExitCode)
{
    const Told told = RunAll({[]() -> int { throw NetworkError("no such host"); },
                              []() -> int { throw std::runtime_error("anything"); }},
                             2);
    EXPECT_EQ(told.outcomes[0].exitCode, EXIT_COLLECTOR);
    EXPECT_EQ(told.outcomes[0].errors, "esx-netflow: no such host\n");
    EXPECT_EQ(told.outcomes[1].exitCode, EXIT_USAGE);
}

TEST(TaskPool, NothingIsStartedAfterAnInterrupt)
{
    std::vector<TaskOutcome> outcomes;
    const InterruptCatcher interrupt;
    std::raise(SIGTERM);
    TaskPool::Run({[] { return 0; }, [] { return 0; }},
                  1,
                  interrupt,
                  [&](std::size_t, const TaskOutcome& outcome) { outcomes.push_back(outcome); });
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_FALSE(outcomes[0].started);
    EXPECT_FALSE(outcomes[1].started);
}

TEST(TaskPool, InterruptIsPassedOnToRunningTasks)
{
    const pid_t parent = getpid();
    std::vector<TaskOutcome> outcomes;
    const InterruptCatcher interrupt;
    const TaskPool::Task untilTold = [&] {
        kill(parent, SIGTERM);
        while (!interrupt.WasInterrupted())
        {
            usleep(1000); // a heartbeat looks about as often
        }
        return 7;
    };
    TaskPool::Run({untilTold, [] { return 0; }},
                  1,
                  interrupt,
                  [&](std::size_t, const TaskOutcome& outcome) { outcomes.push_back(outcome); });
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].exitCode, 7);
    EXPECT_FALSE(outcomes[1].started);
}

} // namespace
} // namespace esxnf
