// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/results/flow-pattern.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

const AddressesByName NAMES = {{"web1", {"10.0.0.1", "10.9.0.1"}}, {"esx1:vmk0", {"10.0.0.5"}}};

bool
Matches(const std::string& pattern)
{
    return FlowPattern(pattern, NAMES).Matches("10.0.0.1", "49153", "10.0.0.5", "3306");
}

TEST(FlowPattern, AddressesAndPortsAreMatchedWhole)
{
    EXPECT_TRUE(Matches("10.0.0.1:49153->10.0.0.5:3306"));
    EXPECT_FALSE(Matches("10.0.0.1:49153->10.0.0.5:330"));
    EXPECT_FALSE(Matches("10.0.0.11:49153->10.0.0.5:3306"));
    EXPECT_FALSE(Matches("10.0.0.5:3306->10.0.0.1:49153")) << "a flow has a direction";
}

TEST(FlowPattern, AsteriskStandsForAnyCharactersAndNoPortForAnyPort)
{
    EXPECT_TRUE(Matches("*->*"));
    EXPECT_TRUE(Matches("10.0.0.1:* -> 10.0.0.5:3306"));
    EXPECT_TRUE(Matches("10.0.*:4*->10.0.0.5"));
    EXPECT_FALSE(Matches("10.1.*->*"));
}

TEST(FlowPattern, NamesStandForAllTheirAddresses)
{
    EXPECT_TRUE(Matches("web1->*"));
    EXPECT_TRUE(Matches("web1:49153->esx1:vmk0"));
    EXPECT_TRUE(FlowPattern("web1->*", NAMES).Matches("10.9.0.1", "1", "10.0.0.2", "2"));
    EXPECT_FALSE(Matches("esx1:vmk0->*"));
}

TEST(FlowPattern, WhatCannotBeMeantIsAUsageError)
{
    for (const char* text : {"", "web1", "->", "web1->", "*:http->*", "wep1->*", "web1:->*"})
    {
        EXPECT_THROW(FlowPattern(text, NAMES), UserError) << text;
    }
}

} // namespace
} // namespace esxnf
