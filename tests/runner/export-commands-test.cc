// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/export-commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string>
Targets(const std::string& line)
{
    std::vector<std::string> targets;
    for (const auto& options : FindExportCommands(line))
    {
        targets.push_back(options.vSwitches + " " + options.collector + ":" +
                          std::to_string(options.port));
    }
    return targets;
}

const std::string g_app = "vmkload_app -i vmktcp ";

TEST(ExportCommands, LinesAreReadAsTheConsoleReadsThem)
{
    EXPECT_THAT(Targets(g_app + "net-netflow -e v c:4242"), ElementsAre("v c:4242"));
    EXPECT_THAT(Targets("/usr/lib/vmware/bin/vmkload_app -Sivmktcp "
                        "'/usr/lib/vmware/bin/net-netflow' \"-e\" 'a b,c' c -s 100"),
                ElementsAre("a b,c c:2055"));
    EXPECT_THAT(Targets(g_app + "\\\nnet-netflow -pv -ev c # d"), ElementsAre("v c:2055"));
}

TEST(ExportCommands, EveryCommandOfALineCounts)
{
    EXPECT_THAT(Targets("vmkload_mod netflow && " + g_app + "-S net-netflow -e a c; " + g_app +
                        "net-netflow -e b d:1 | grep x &"),
                ElementsAre("a c:2055", "b d:1"));
}

TEST(ExportCommands, WhatStartsNothingIsNone)
{
    EXPECT_THAT(Targets("net-netflow -e v c"), IsEmpty()); // not without vmkload_app
    EXPECT_THAT(Targets(g_app + "net-netflow -e v"), IsEmpty());
    EXPECT_THAT(Targets(g_app + "net-netflow -h -e v c"), IsEmpty());
    EXPECT_THAT(Targets(g_app + "-h net-netflow -e v c"), IsEmpty());
    EXPECT_THAT(Targets(g_app + "net-netflow -e v c:0"), IsEmpty());
    EXPECT_THAT(Targets(g_app + "net-netflow -e v c > file"), IsEmpty());
    EXPECT_THAT(Targets("echo " + g_app + "net-netflow -e v c"), IsEmpty());
    EXPECT_THAT(Targets("# " + g_app + "net-netflow -e v c"), IsEmpty());
    EXPECT_THAT(Targets(""), IsEmpty());
}

} // namespace
} // namespace esxnf
