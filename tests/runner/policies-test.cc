// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-cache.h"
#include "netflow/purgatory.h"
#include "runner/scenario/scenario-schema.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

template <typename Info, std::size_t POLICIES>
Json
WordsOf(const Info (&infos)[POLICIES])
{
    Json words = Json::array();
    for (const Info& info : infos)
    {
        words.push_back(info.word);
    }
    return words;
}

TEST(Policies, AreThoseOfTheSchema)
{
    const Json& keys = Schema().at("definitions").at("netflow").at("properties");
    EXPECT_EQ(keys.at("purgatory_policy").at("enum"), WordsOf(netflow::PURGATORY_POLICY_INFOS));
    EXPECT_EQ(keys.at("cache_policy").at("enum"), WordsOf(netflow::CACHE_POLICY_INFOS));
}

} // namespace
} // namespace esxnf
