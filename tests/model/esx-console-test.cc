// SPDX-License-Identifier: GPL-2.0-only
#include "console-fixture.h"

using namespace ns3;

namespace
{

class EsxConsoleTest : public ConsoleTest
{
};

TEST_F(EsxConsoleTest, TranscriptHoldsWhatIsTypedAndPrinted)
{
    Do("echo a");
    Do("nosuch");
    Do("echo b \\\n c");
    EXPECT_EQ(Transcript(),
              "[root@esx1 root]# echo a\n"
              "a\n"
              "[root@esx1 root]# nosuch\n"
              "-bash: nosuch: command not found\n"
              "[root@esx1 root]# echo b \\\n"
              ">  c\n"
              "b c\n");
}

TEST_F(EsxConsoleTest, OutputOfADaemonGoesToTheConsoleLogOnly)
{
    Prepare();
    Do(std::string(DAEMON) + "-ve vSwitch0 10.0.0.9");
    session->End();
    Burst(Seconds(1), 1, 2);
    RunUntil(Seconds(20));
    EXPECT_EQ(screen, "");
    EXPECT_EQ(console->GetTranscript().back(),
              "vSwitch 1: sequence 0, 2 flows, 2 packets, 200 bytes");
}

TEST_F(EsxConsoleTest, NextLineGoesToTheFirstTerminalThatShowsAPrompt)
{
    Prepare();
    console->Execute("vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9");
    EXPECT_TRUE(session->IsBusy());
    EXPECT_EQ(console->Execute("false").exitStatus, 1);
    ASSERT_EQ(console->GetSessions().size(), 2u);
    EXPECT_EQ(console->Execute("echo $?").output, "1\n");
    EXPECT_EQ(console->Execute("kill 1025; echo $?").output, "0\n");
    EXPECT_EQ(console->GetSessions().size(), 2u);
    EXPECT_EQ(console->GetFreeSession(), session);
    session->End();
    EXPECT_EQ(console->GetFreeSession(), console->GetSessions()[1]);
}

TEST_F(EsxConsoleTest, NamesAreHostNamesInAnyCase)
{
    Ipv4Address address;
    EXPECT_TRUE(console->Resolve("NF-Collector1.mycompany.com", address));
    EXPECT_EQ(address, Ipv4Address("10.0.0.9"));
    EXPECT_TRUE(console->Resolve("10.6.125.84", address));
    EXPECT_EQ(address, Ipv4Address("10.6.125.84"));
    for (const char* bad : {"",
                            "nf",
                            "10.6.125",
                            "10.6.125.84.",
                            "10.6.125.256",
                            "1.2.3.4.5",
                            "10.6.-1.4",
                            " 10.6.125.84",
                            "10..125.84"})
    {
        EXPECT_FALSE(console->Resolve(bad, address)) << bad;
    }
}

TEST_F(EsxConsoleTest, KillTellsWhetherThereIsSuchAProcess)
{
    Prepare();
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    EXPECT_FALSE(console->Kill(1));
    EXPECT_TRUE(console->Kill(1025, EsxSignal::INT));
    EXPECT_FALSE(console->Kill(1025));
}

TEST_F(EsxConsoleTest, ProcessesStayListedAfterTheirEnd)
{
    Prepare();
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    console->Kill(1025);
    ASSERT_EQ(console->GetProcesses().size(), 1u);
    const EsxConsole::Process& process = console->GetProcesses()[0];
    EXPECT_EQ(process.pid, 1025u);
    EXPECT_TRUE(process.daemon);
    EXPECT_EQ(process.commandLine, "vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.9");
    EXPECT_FALSE(process.program->IsRunning());
}

TEST_F(EsxConsoleTest, WhatIsNotPrintableIsEscaped)
{
    EXPECT_EQ(EsxConsole::MakePrintable("a\tb"), "a\tb");
    EXPECT_EQ(EsxConsole::MakePrintable("\x01\x7f\n"), "\\x01\\x7f\\x0a");
    EXPECT_EQ(EsxConsole::MakePrintable("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
              "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_EQ(EsxConsole::MakePrintable("\xc3"), "\\xc3");                   // cut short
    EXPECT_EQ(EsxConsole::MakePrintable("\xc0\xaf"), "\\xc0\\xaf");          // overlong
    EXPECT_EQ(EsxConsole::MakePrintable("\xed\xa0\x80"), "\\xed\\xa0\\x80"); // surrogate
    EXPECT_EQ(EsxConsole::MakePrintable("\xc2\x9b"), "\\xc2\\x9b");          // a control character
    Do("\xff\x1b[2J");
    EXPECT_EQ(Transcript(),
              "[root@esx1 root]# \\xff\\x1b[2J\n-bash: \\xff\\x1b[2J: command not found\n");
}

TEST_F(EsxConsoleTest, LineTraceTellsOfEveryLineOfTheTranscript)
{
    std::vector<std::string> lines;
    console->TraceConnectWithoutContext(
        "Line",
        Callback<void, const std::string&>(
            [&](const std::string& line) { lines.push_back(line); }));
    Do("echo a; nosuch");
    EXPECT_EQ(lines, console->GetTranscript());
}

} // namespace
