// SPDX-License-Identifier: GPL-2.0-only
#include "model/netflow/esx-net-netflow-options.h"

#include <gtest/gtest.h>
#include <sstream>

using namespace ns3;

namespace
{

EsxNetNetflowOptions
Parse(const std::string& line)
{
    std::vector<std::string> words;
    std::istringstream stream("net-netflow " + line);
    for (std::string word; stream >> word;)
    {
        words.push_back(word);
    }
    return EsxNetNetflowOptions::Parse(words);
}

TEST(EsxNetNetflowOptions, MinimumIsSwitchesAndCollector)
{
    const auto options = Parse("-e vSwitch0 10.6.125.84:4242");
    EXPECT_EQ(options.error, "");
    EXPECT_EQ(options.vSwitches, "vSwitch0");
    EXPECT_EQ(options.collector, "10.6.125.84");
    EXPECT_EQ(options.port, 4242u);
    EXPECT_EQ(options.pollMs, 1000u);
    EXPECT_FALSE(options.verbose);
    EXPECT_FALSE(options.alternatePortIds);
}

TEST(EsxNetNetflowOptions, PortIs2055IfNotGiven)
{
    EXPECT_EQ(Parse("-e vSwitch0 10.6.125.84").port, 2055u);
}

TEST(EsxNetNetflowOptions, EveryOrderAndClusterOfOptionsMeansTheSame)
{
    for (const char* line : {"-v -p -s 100 -e a,b h:1",
                             "h:1 -e a,b -s 100 -p -v",
                             "-s100 h:1 -vp -ea,b",
                             "-pvs 100 -e a,b -- h:1",
                             "-vpea,b -s 1 -s 100 h:1",
                             "-v -v -p -e x -e a,b -s100 h:1"})
    {
        const auto options = Parse(line);
        EXPECT_EQ(options.error, "") << line;
        EXPECT_TRUE(options.verbose && options.alternatePortIds) << line;
        EXPECT_EQ(options.pollMs, 100u) << line;
        EXPECT_EQ(options.vSwitches, "a,b") << line;
        EXPECT_EQ(options.collector + ":" + std::to_string(options.port), "h:1") << line;
    }
}

TEST(EsxNetNetflowOptions, HelpNeedsNothingElse)
{
    EXPECT_TRUE(Parse("-h").help);
    EXPECT_TRUE(Parse("-vh -e").help);
    EXPECT_FALSE(Parse("-z -h").help); // getopt comes to the unknown option first
}

TEST(EsxNetNetflowOptions, BadValuesAreErrors)
{
    const std::vector<std::pair<const char*, const char*>> cases = {
        {"-e v h:0", "bad port '0': 1 to 65535"},
        {"-e v h:65536", "bad port '65536': 1 to 65535"},
        {"-e v h:", "bad port '': 1 to 65535"},
        {"-e v h:x", "bad port 'x': 1 to 65535"},
        {"-e v h:1:2", "bad port '1:2': 1 to 65535"},
        {"-e v :2055", "no host in collector ':2055'"},
        {"-s 0 -e v h", "bad polling period '0': 1 to 86400000 ms"},
        {"-s -5 -e v h", "bad polling period '-5': 1 to 86400000 ms"},
        {"-s 1.5 -e v h", "bad polling period '1.5': 1 to 86400000 ms"},
        {"-s 100ms -e v h", "bad polling period '100ms': 1 to 86400000 ms"},
        {"-s 99999999999999999999 -e v h",
         "bad polling period '99999999999999999999': 1 to 86400000 ms"},
        {"-e v", "no collector given"},
        {"h", "no virtual switch given (-e)"},
        {"-e v h i", "one collector only: h or i"},
        {"-e v, h", "empty virtual switch name in 'v,'"},
        {"-e ,v h", "empty virtual switch name in ',v'"},
        {"-e v,,w h", "empty virtual switch name in 'v,,w'"},
        {"-x -e v h", "unknown option -x"},
        {"h -e", "option -e needs a value"},
        {"", "no virtual switch given (-e)"},
    };
    for (const auto& [line, error] : cases)
    {
        EXPECT_EQ(Parse(line).error, error) << line;
    }
}

} // namespace
