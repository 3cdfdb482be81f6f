// SPDX-License-Identifier: GPL-2.0-only
#include "console-fixture.h"

using namespace ns3;

namespace
{

class EsxConsoleTopTest : public ConsoleTest
{
  protected:
    /// \return lines on the screen that contain a text
    std::vector<std::string> Shown(const std::string& text) const
    {
        std::vector<std::string> found;
        std::istringstream lines(screen);
        for (std::string line; std::getline(lines, line);)
        {
            if (line.find(text) != std::string::npos)
            {
                found.push_back(line);
            }
        }
        return found;
    }
};

TEST_F(EsxConsoleTopTest, EachScreenHasTheRatesSinceTheOneBefore)
{
    Burst(MilliSeconds(500), 1, 100); // before it was started
    Burst(Seconds(2), 1, 20);
    At(Seconds(1), [this] { Type("esxtop -b -d 2 -n 2"); });
    RunUntil(Seconds(10));
    EXPECT_EQ(Shown(" up "),
              (std::vector<std::string>{"Oct 26 00:00:03 up 0:00:00:03.000, rates over 2 s",
                                        "Oct 26 00:00:05 up 0:00:00:05.000, rates over 2 s"}));
    const auto rows = Shown(" a.eth0 ");
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_NE(rows[0].find(" 10.00 "), std::string::npos) << rows[0];
    EXPECT_EQ(rows[1].find(" 10.00 "), std::string::npos) << rows[1];
    EXPECT_EQ(finished, std::vector<int>{0});
}

TEST_F(EsxConsoleTopTest, EveryFiveSecondsUntilItIsInterrupted)
{
    At(Seconds(1), [this] { Type("esxtop -b"); });
    At(Seconds(17), [this] { session->Interrupt(); });
    RunUntil(Seconds(30));
    EXPECT_EQ(Shown(" up ").size(), 3u); // at 6, 11 and 16 s
    EXPECT_EQ(Shown("PORT ID").size(), 3u);
    EXPECT_EQ(finished, std::vector<int>{130});
    EXPECT_TRUE(console->GetRunning().empty());
}

TEST_F(EsxConsoleTopTest, ItsLinesGoThroughPipesAndAFilterThatHadEnoughEndsIt)
{
    At(Seconds(1), [this] { Type("esxtop -b -d 2 | grep -c PKTTX | head -1"); });
    At(Seconds(4), [this] { session->Interrupt(); });
    At(Seconds(5), [this] { Type("esxtop -b | head -n 2"); });
    RunUntil(Seconds(30));
    EXPECT_EQ(Shown("PORT ID").size(), 1u);
    EXPECT_TRUE(console->GetRunning().empty());
}

TEST_F(EsxConsoleTopTest, BadOptionsAreUsageErrors)
{
    const std::string usage = "! usage: esxtop -b [-d SECONDS] [-n SCREENS]\n";
    EXPECT_EQ(Do("esxtop"),
              "2\n! esxtop: there is no screen to draw on: -b prints it line by line\n" + usage);
    EXPECT_EQ(Do("esxtop -b -d 1"), "2\n! esxtop: bad delay '1': 2 to 86400 s\n" + usage);
    EXPECT_EQ(Do("esxtop -b -n 0"), "2\n! esxtop: bad number '0': 1 to 1000000\n" + usage);
    EXPECT_EQ(Do("esxtop -b now"), "2\n! esxtop: what is 'now'?\n" + usage);
    EXPECT_EQ(Do("esxtop -x"), "2\n! esxtop: unknown option -x\n" + usage);
    EXPECT_EQ(Do("/usr/bin/esxtop -h"), "0\nusage: esxtop -b [-d SECONDS] [-n SCREENS]\n");
}

} // namespace
