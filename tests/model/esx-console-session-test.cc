// SPDX-License-Identifier: GPL-2.0-only
#include "console-fixture.h"

using namespace ns3;
using netflow::Move;

namespace
{

class EsxConsoleSessionTest : public ConsoleTest
{
  protected:
    bool Runs(uint32_t pid) const
    {
        for (const EsxConsole::Running& running : console->GetRunning())
        {
            if (running.process->GetPid() == pid)
            {
                return true;
            }
        }
        return false;
    }
};

TEST_F(EsxConsoleSessionTest, StatusOfTheLastCommandIsTheLines)
{
    EXPECT_EQ(Do("true"), "0\n");
    EXPECT_EQ(Do("false"), "1\n");
    EXPECT_EQ(Do("false; echo $?; true"), "0\n1\n");
    EXPECT_EQ(Do("echo $?"), "0\n0\n");
    EXPECT_EQ(Do(""), "0\n");
    EXPECT_EQ(Do("false"), "1\n");
    EXPECT_EQ(Do("# nothing"), "0\n");
    EXPECT_EQ(Do("echo $?"), "0\n1\n");
    EXPECT_EQ(Do("nosuch; echo $?"), "0\n127\n! -bash: nosuch: command not found\n");
    EXPECT_EQ(session->GetLastStatus(), 0);
}

TEST_F(EsxConsoleSessionTest, AndAndOrLookAtTheStatus)
{
    EXPECT_EQ(Do("true && echo a || echo b"), "0\na\n");
    EXPECT_EQ(Do("false && echo a || echo b"), "0\nb\n");
    EXPECT_EQ(Do("false || false && echo c"), "1\n");
    EXPECT_EQ(Do("true || echo a && echo b"), "0\nb\n");
}

TEST_F(EsxConsoleSessionTest, PipelineHasTheStatusOfItsLastCommand)
{
    EXPECT_EQ(Do("echo netflow | grep netflow"), "0\nnetflow\n");
    EXPECT_EQ(Do("echo netflow | grep other"), "1\n");
    EXPECT_EQ(Do("help | grep -v -i vm | grep -c ."), "0\n" + std::to_string(18) + "\n");
    EXPECT_EQ(Do("false | cat; echo $?"), "0\n0\n");
}

TEST_F(EsxConsoleSessionTest, WhoWritesToAFilterThatHasLeftIsEnded)
{
    for (int second = 1; second <= 9; ++second)
    {
        At(Seconds(second), [this, second] { host->GetLog()->Log("Test", second, "line"); });
    }
    At(MilliSeconds(500),
       [this] { Type("tail -n 0 -f /var/log/vmkernel | grep line | head -n 2"); });
    RunUntil(MilliSeconds(3500)); // the third line ends grep
    EXPECT_TRUE(session->IsBusy());
    RunUntil(MilliSeconds(4500)); // the fourth ends tail
    EXPECT_EQ(finished, std::vector<int>{0});
    EXPECT_TRUE(console->GetRunning().empty());
    EXPECT_NE(screen.find("Test: 2: line\n"), std::string::npos);
    EXPECT_EQ(screen.find("Test: 3"), std::string::npos);
    EXPECT_EQ(screen.find('!'), std::string::npos) << screen;
    At(Seconds(5), [this] { Type("tail -f /var/log/vmkernel | grep -q line; echo $?"); });
    RunUntil(MilliSeconds(6500));
    EXPECT_EQ(finished, (std::vector<int>{0, 0}));
}

TEST_F(EsxConsoleSessionTest, BadCommandBehindAPipeKeepsTheFirstFromRunning)
{
    AddExport();
    EXPECT_EQ(Do("vmkload_mod netflow | gerp x"), "127\n! -bash: gerp: command not found\n");
    EXPECT_EQ(Do("vmkload_mod netflow | grep"), "2\n! grep: no pattern given\n");
    EXPECT_EQ(Do("vmkload_mod netflow | ps"), "2\n! ps: reads nothing that comes through |\n");
    EXPECT_EQ(Do("vmkload_mod netflow | cat /x"), "2\n! cat: behind | it takes no file\n");
    EXPECT_FALSE(Module()->IsLoaded());
}

TEST_F(EsxConsoleSessionTest, SyntaxErrorRunsNothing)
{
    EXPECT_EQ(Do("echo a; echo 'b"), "2\n! -bash: unexpected EOF while looking for matching `''\n");
    EXPECT_EQ(session->GetLastStatus(), 2);
}

TEST_F(EsxConsoleSessionTest, ForegroundProcessMakesTheSessionBusy)
{
    Prepare();
    const EsxConsoleResult result = Type("vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9");
    EXPECT_TRUE(result.running);
    EXPECT_EQ(result.exitStatus, 0);
    EXPECT_EQ(result.pid, 1025u);
    EXPECT_TRUE(session->IsBusy());
    EXPECT_TRUE(Runs(result.pid));
}

TEST_F(EsxConsoleSessionTest, LinesTypedAheadRunWhenTheForegroundEnds)
{
    Prepare();
    Type("vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9; echo first $?");
    const EsxConsoleResult ahead = Type("echo second");
    EXPECT_TRUE(ahead.queued);
    EXPECT_EQ(ahead.output, "");
    EXPECT_EQ(screen, "");
    console->Kill(1025);
    EXPECT_EQ(screen, "! Terminated\nfirst 143\nsecond\n");
    EXPECT_EQ(finished, (std::vector<int>{0, 0}));
    EXPECT_FALSE(session->IsBusy());
}

TEST_F(EsxConsoleSessionTest, TooMuchTypedAheadIsRefused)
{
    Prepare();
    DoNetNetflow("-e vSwitch0 10.0.0.9");
    for (std::size_t i = 0; i < EsxConsoleSession::MAX_TYPED_AHEAD; ++i)
    {
        ASSERT_TRUE(Type("true").queued);
    }
    EXPECT_EQ(Do("true"), "1\n! the session is busy, and too much was typed ahead\n");
}

TEST_F(EsxConsoleSessionTest, InterruptEndsTheForegroundAndForgetsTheRest)
{
    Prepare();
    Type("vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9; echo never");
    Type("echo never either");
    session->Interrupt();
    EXPECT_EQ(screen, "");
    EXPECT_EQ(finished, std::vector<int>{130});
    EXPECT_EQ(session->GetLastStatus(), 130);
    EXPECT_FALSE(session->IsBusy());
    EXPECT_FALSE(Module()->IsInUse());
    EXPECT_EQ(console->GetTranscript().back(), "^C");
}

TEST_F(EsxConsoleSessionTest, InterruptAtThePromptOnlySetsTheStatus)
{
    Prepare();
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    session->Interrupt();
    EXPECT_TRUE(Runs(1025));
    EXPECT_EQ(Do("echo $?"), "0\n130\n");
}

TEST_F(EsxConsoleSessionTest, OutputOfAForegroundProcessComesLater)
{
    Prepare();
    At(Seconds(1), [this] {
        EXPECT_TRUE(Type("vmkload_app -i vmktcp net-netflow -ve vSwitch0 10.0.0.9").running);
    });
    Burst(Seconds(2), 1, 2);
    RunUntil(Seconds(30));
    EXPECT_EQ(screen, "vSwitch 1: sequence 0, 2 flows, 2 packets, 200 bytes\n");
}

TEST_F(EsxConsoleSessionTest, FiltersWorkOnOutputThatComesLater)
{
    Prepare();
    Type("vmkload_app -i vmktcp net-netflow -ve vSwitch0 10.0.0.9 | grep -c flows; echo $?");
    Burst(Seconds(2), 1, 2);
    Burst(Seconds(22), 1, 2);
    RunUntil(Seconds(50));
    EXPECT_EQ(screen, "");
    console->Kill(1025);
    EXPECT_EQ(screen, "2\n! Terminated\n0\n");
}

TEST_F(EsxConsoleSessionTest, BackgroundJobsHaveNumbersAndPids)
{
    Prepare();
    const EsxConsoleResult result =
        Type("vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9 & echo $!");
    EXPECT_EQ(Say(result), "0\n1025\n! [1] 1025\n");
    EXPECT_EQ(result.pid, 1025u);
    EXPECT_FALSE(result.running);
    EXPECT_FALSE(session->IsBusy());
    EXPECT_EQ(Do("jobs"),
              "0\n[1]+  Running                 vmkload_app -i vmktcp net-netflow -e vSwitch0 "
              "10.0.0.9 &\n");
    EXPECT_EQ(Do("kill %1"),
              "0\n! [1]+  Terminated              vmkload_app -i vmktcp net-netflow -e vSwitch0 "
              "10.0.0.9\n");
    EXPECT_EQ(Do("jobs"), "0\n");
    EXPECT_EQ(Do("kill %1"), "1\n! -bash: kill: %1: no such job\n");
}

TEST_F(EsxConsoleSessionTest, EndOfAJobIsToldBeforeTheNextPrompt)
{
    AddExport();
    Do("vmkping -c 1 10.0.0.9 | grep transmitted &");
    RunUntil(Seconds(5));
    EXPECT_EQ(screen, "! [1] 1025\n1 packets transmitted, 1 packets received, 0% packet loss\n");
    EXPECT_EQ(Do("echo next"),
              "0\nnext\n! [1]+  Done                    vmkping -c 1 10.0.0.9 | grep "
              "transmitted\n");
}

TEST_F(EsxConsoleSessionTest, CommandWithoutTimeInTheBackgroundIsDoneAtOnce)
{
    EXPECT_EQ(Do("false &"), "0\n! [1] 300\n! [1]+  Exit 1                  false\n");
}

TEST_F(EsxConsoleSessionTest, JobComesToTheForeground)
{
    Prepare();
    EXPECT_EQ(Do("fg"), "1\n! -bash: fg: current: no such job\n");
    Do("vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9 &");
    const EsxConsoleResult result = Type("fg %1");
    EXPECT_TRUE(result.running);
    EXPECT_EQ(result.output, "vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9\n");
    session->Interrupt();
    EXPECT_EQ(session->GetLastStatus(), 130);
    EXPECT_FALSE(Runs(1025));
}

TEST_F(EsxConsoleSessionTest, EndOfTheSessionHangsUpAllButDaemons)
{
    Prepare();
    esx.AddVSwitch(host, "prod1");
    esx.AddVSwitch(host, "test2");
    Do("vmkload_app -S -i vmktcp net-netflow -e prod1 10.0.0.9");
    Do("vmkload_app -i vmktcp net-netflow -e test2 10.0.0.9 &");
    Do("vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9");
    ASSERT_EQ(console->GetRunning().size(), 3u);
    session->End();
    ASSERT_EQ(console->GetRunning().size(), 1u);
    EXPECT_TRUE(Runs(1025));
    EXPECT_FALSE(session->IsOpen());
    EXPECT_EQ(finished, std::vector<int>{129});
    EXPECT_EQ(Do("true"), "1\n! the session is over\n");
    session->End(); // again
    session->Interrupt();
}

TEST_F(EsxConsoleSessionTest, ExitEndsTheSessionAndTheLine)
{
    Prepare();
    Do("vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9 &");
    EXPECT_EQ(Do("exit 3; echo never"), "3\n");
    EXPECT_FALSE(session->IsOpen());
    EXPECT_FALSE(Runs(1025));
}

TEST_F(EsxConsoleSessionTest, ExitRefusesNonsense)
{
    EXPECT_EQ(Do("exit x"), "2\n! -bash: exit: one status from 0 to 255\n");
    EXPECT_EQ(Do("exit 256"), "2\n! -bash: exit: one status from 0 to 255\n");
    EXPECT_TRUE(session->IsOpen());
}

TEST_F(EsxConsoleSessionTest, ExitWithoutAStatusGivesTheLastOne)
{
    EXPECT_EQ(Do("false; logout"), "1\n");
    EXPECT_FALSE(session->IsOpen());
}

TEST_F(EsxConsoleSessionTest, EachSessionHasItsOwnStatusAndJobs)
{
    const Ptr<EsxConsoleSession> other = console->OpenSession();
    Do("false");
    EXPECT_EQ(Say(other->Execute("echo $?; jobs")), "0\n0\n");
    EXPECT_EQ(other->GetTerminal(), 1u);
}

TEST_F(EsxConsoleSessionTest, ALineTypedFromATraceWaits)
{
    bool typed = false;
    session->TraceConnectWithoutContext(
        "Output",
        Callback<void, const std::string&, bool>([&](const std::string&, bool) {
            if (!typed)
            {
                typed = true;
                EXPECT_TRUE(Type("echo two").queued);
            }
        }));
    EXPECT_EQ(Do("echo one; echo three"), "0\none\nthree\n");
    EXPECT_EQ(screen, "one\nthree\ntwo\n");
}

TEST_F(EsxConsoleSessionTest, NeedsMoreInsideQuotesAndBehindABackslash)
{
    EXPECT_TRUE(EsxConsoleSession::NeedsMore("echo 'a"));
    EXPECT_TRUE(EsxConsoleSession::NeedsMore("net-netflow -e vSwitch0 \\"));
    EXPECT_FALSE(EsxConsoleSession::NeedsMore("echo a"));
}

TEST_F(EsxConsoleSessionTest, StopOfTheProgramByAScriptEndsTheLine)
{
    Prepare();
    DoNetNetflow("-e vSwitch0 10.0.0.9");
    console->GetProcesses().at(0).program->Terminate();
    EXPECT_EQ(finished, std::vector<int>{0});
    EXPECT_FALSE(Runs(1025));
}

} // namespace
