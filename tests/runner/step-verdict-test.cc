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

TEST(StepVerdict, EveryTextMustBePrintedWhereItIsWanted)
{
    StepExpectation wanted;
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
