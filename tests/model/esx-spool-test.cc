// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-spool.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>

namespace ns3
{
namespace
{

constexpr std::size_t SIZE = 100000;

uint8_t
OctetOf(std::size_t piece, std::size_t index)
{
    return static_cast<uint8_t>(piece * 31 + index * 7);
}

/// Writes pieces that together have more octets than are kept in memory, and reads them in another
/// order.
void
CheckRoundTrip()
{
    EsxSpool spool;
    std::vector<EsxSpool::Piece> pieces(500);
    for (std::size_t i = 0; i < pieces.size(); ++i)
    {
        uint8_t* const octets = spool.Append(i == 7 ? 0 : SIZE + i, pieces[i]);
        for (std::size_t at = 0; at < pieces[i].size; ++at)
        {
            octets[at] = OctetOf(i, at);
        }
    }
    std::vector<uint8_t> octets;
    for (std::size_t i = pieces.size(); i-- > 0;)
    {
        spool.Read(pieces[i], octets);
        ASSERT_EQ(octets.size(), i == 7 ? 0 : SIZE + i);
        for (std::size_t at = 0; at < octets.size(); ++at)
        {
            ASSERT_EQ(octets[at], OctetOf(i, at)) << "piece " << i << ", octet " << at;
        }
    }
}

TEST(EsxSpool, GivesBackWhatWasPutIn)
{
    CheckRoundTrip();
}

TEST(EsxSpool, KeepsAllInMemoryWhereNoFileCanBeMade)
{
    const char* const before = std::getenv("TMPDIR");
    const std::string kept = before ? before : "";
    setenv("TMPDIR", "/nowhere/at/all", 1);
    CheckRoundTrip();
    before ? setenv("TMPDIR", kept.c_str(), 1) : unsetenv("TMPDIR");
}

} // namespace
} // namespace ns3
