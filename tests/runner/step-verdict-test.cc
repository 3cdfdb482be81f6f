// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/step-verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

using testing::ElementsAre;
using testing::IsEmpty;

/// A line that failed: status 1, nothing on standard output, a message.
LineOutcome
Failed()
{
    LineOutcome line;
    line.exit = 1;
    line.errors = "no such module: frob\n";
    return line;
}

std::vector<std::string>
Missed(const StepExpectation& wanted, const LineOutcome& line)
{
    TimelineStep step;
    step.expect = wanted;
    return Judge({&step, line}).missed;
}

TEST(StepVerdict, ExitStatusMustBeTheOneWanted)
{
    StepExpectation wanted;
    wanted.exit = 1;
    EXPECT_THAT(Missed(wanted, Failed()), IsEmpty());
    wanted.exit = 0;
    EXPECT_THAT(Missed(wanted, Failed()), ElementsAre("exit status 1, wanted 0"));
}

TEST(StepVerdict, NonzeroIsAnyExitStatusButZero)
{
    StepExpectation wanted;
    wanted.exitIsNonzero = true;
    EXPECT_THAT(Missed(wanted, Failed()), IsEmpty());
    LineOutcome good;
    good.exit = 0;
    EXPECT_THAT(Missed(wanted, good), ElementsAre("exit status 0, wanted any but 0"));
}

TEST(StepVerdict, ALineThatRunsOnHasNoExitStatus)
{
    LineOutcome line;
    line.running = true;
    StepExpectation wanted;
    wanted.exit = 0;
    EXPECT_THAT(Missed(wanted, line), ElementsAre("no exit status: it has not ended, wanted 0"));
    wanted = {};
    wanted.exitIsNonzero = true;
    EXPECT_EQ(Missed(wanted, line).size(), 1U);
    wanted = {};
    wanted.running = true;
    EXPECT_THAT(Missed(wanted, line), IsEmpty());
    wanted.running = false;
    EXPECT_THAT(Missed(wanted, line), ElementsAre("something runs on, wanted nothing"));
}

TEST(StepVerdict, WithoutExitStatusZeroIsWanted)
{
    EXPECT_THAT(Missed({}, Failed()), ElementsAre("exit status 1, wanted 0"));
    TimelineStep step; // nor with an 'expect'
    EXPECT_THAT(Judge({&step, Failed()}).missed, ElementsAre("exit status 1, wanted 0"));
    StepExpectation any;
    any.exitIsAny = true;
    EXPECT_THAT(Missed(any, Failed()), IsEmpty());
}

TEST(StepVerdict, ALineThatTheScenarioEndedMayHaveAnyExitStatus)
{
    LineOutcome line = Failed();
    line.stopped = true;
    EXPECT_THAT(Missed({}, line), IsEmpty());
    LineOutcome killed;
    killed.exit = 143; // by a kill that was typed elsewhere
    EXPECT_THAT(Missed({}, killed), IsEmpty());
    killed.exit = 129; // the host halted
    EXPECT_EQ(Missed({}, killed).size(), 1U);
    StepExpectation wanted;
    wanted.exit = 0; // what is said counts
    EXPECT_THAT(Missed(wanted, line), ElementsAre("exit status 1, wanted 0"));
}

TEST(StepVerdict, ALineThatNeverRanFails)
{
    LineOutcome line;
    line.waits = true;
    EXPECT_THAT(Missed({}, line), ElementsAre("it never ran: its session was busy, or over"));
    line.stopped = true; // forgotten, as the scenario pressed Ctrl-C
    EXPECT_THAT(Missed({}, line), IsEmpty());
    TimelineStep step;
    EXPECT_FALSE(JudgeMissing(step).Passes());
}

TEST(StepVerdict, StepsOfOtherKindsAreNamed)
{
    TimelineStep step;
    step.kind = StepKind::Signal;
    step.process = "nf1";
    step.signal = "TERM";
    const StepVerdict verdict = Judge({&step, Failed()});
    EXPECT_EQ(verdict.host + ": " + verdict.command, "nf1: signal TERM");
    EXPECT_FALSE(verdict.Passes());
}

TEST(StepVerdict, EveryTextMustBePrintedWhereItIsWanted)
{
    StepExpectation wanted;
    wanted.exit = 1;
    wanted.errors = {"frob", "no such"};
    EXPECT_THAT(Missed(wanted, Failed()), IsEmpty());
    wanted.errors = {"frob", "nob"};
    wanted.output = {"frob"};
    EXPECT_THAT(Missed(wanted, Failed()),
                ElementsAre("standard output lacks 'frob'", "standard error lacks 'nob'"));
}

TEST(StepVerdict, EmptyTextMeansNothingIsPrinted)
{
    StepExpectation wanted;
    wanted.exit = 1;
    wanted.output = {""};
    EXPECT_THAT(Missed(wanted, Failed()), IsEmpty());
    wanted.errors = {""};
    EXPECT_THAT(Missed(wanted, Failed()), ElementsAre("standard error is not empty"));
}

TEST(StepVerdict, ExplainsWhatWasPrinted)
{
    TimelineStep step;
    step.expect.emplace().exit = 0;
    EXPECT_EQ(Judge({&step, Failed()}).Explain(),
              "exit status 1, wanted 0; standard error: 'no such module: frob\\n'");
    LineOutcome silent;
    silent.exit = 2;
    EXPECT_EQ(Judge({&step, silent}).Explain(), "exit status 2, wanted 0; nothing was printed");
}

} // namespace
} // namespace esxnf
