// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/ledger.h"
#include "tests/netflow/testing.h"

#include <set>
#include <string>

namespace netflow
{
namespace
{

constexpr Counts ONE{1, 40, 1};

std::vector<Move>
AllMoves()
{
    std::vector<Move> moves;
    for (unsigned i = 0; i < MOVES; ++i)
    {
        moves.push_back(static_cast<Move>(i));
    }
    return moves;
}

/// The words of metrics and result files, and the picture in docs/ARCHITECTURE.md: a move that goes
/// elsewhere, or by another name, is a change of what others build on.
TEST(Ledger, MovesHaveThePublishedNamesCausesAndPlaces)
{
    const std::vector<std::string> published = {
        "offered||wire|meter",
        "ignored_not_ipv4|not_ipv4|meter|ignored",
        "ignored_truncated|truncated|meter|ignored",
        "ignored_malformed|malformed|meter|ignored",
        "ignored_not_monitored|not_monitored|meter|ignored",
        "ignored_own_export|own_export|meter|ignored",
        "shed_no_memory|no_memory|meter|shed",
        "shed_cache_full|cache_full|meter|shed",
        "metered||meter|cache",
        "ended_idle|idle|cache|expired",
        "ended_active|active|cache|expired",
        "ended_tcp_end|tcp_end|cache|expired",
        "ended_evicted|evicted|cache|expired",
        "ended_split|split|cache|expired",
        "ended_stopped|stopped|cache|expired",
        "queued||expired|purgatory",
        "dropped_purgatory_full|purgatory_full|expired|dropped",
        "dropped_purgatory_head|purgatory_full|purgatory|dropped",
        "dropped_evicted|evicted|expired|dropped",
        "polled||purgatory|staging",
        "sealed||staging|socket",
        "sent||socket|network",
        "send_failed|send_failed|socket|unsent",
        "discarded_killed|killed|expired|discarded",
        "discarded_unloaded|unloaded|expired|discarded",
        "discarded_switch_deleted|switch_deleted|expired|discarded",
        "discarded_queued_killed|killed|purgatory|discarded",
        "discarded_queued_unloaded|unloaded|purgatory|discarded",
        "discarded_queued_switch_deleted|switch_deleted|purgatory|discarded",
        "received||network|collected",
        "lost_no_route|no_route|network|lost",
        "lost_ttl|ttl|network|lost",
        "lost_mtu|mtu|network|lost",
        "lost_arp|arp|network|lost",
        "lost_queue_disc|queue_disc|network|lost",
        "lost_device_queue|device_queue|network|lost",
        "lost_port|port|network|lost",
        "lost_link_down|link_down|network|lost",
        "lost_channel_error|channel_error|network|lost",
        "lost_network|network|network|lost",
        "lost_vlan|vlan|network|lost",
        "lost_refused|refused|network|lost",
        "lost_socket_buffer|socket_buffer|network|lost",
        "lost_not_decoded|not_decoded|network|lost",
    };
    std::vector<std::string> moves;
    for (Move move : AllMoves())
    {
        const MoveInfo& info = GetInfo(move);
        moves.push_back(std::string(info.name) + "|" + info.cause + "|" + ToString(info.from) +
                        "|" + ToString(info.to));
    }
    EXPECT_EQ(moves, published);
}

TEST(Ledger, EveryMoveTakesFromOnePlaceExactlyWhatItPutsIntoAnother)
{
    for (Move move : AllMoves())
    {
        Account account;
        account.Book(move, {7, 8, 9});
        EXPECT_EQ(account.Get(move), (Counts{7, 8, 9}));
        for (unsigned i = 0; i < PLACES; ++i)
        {
            const auto place = static_cast<Place>(i);
            Counts expected;
            if (place == GetInfo(move).to)
            {
                expected += {7, 8, 9};
            }
            if (place == GetInfo(move).from)
            {
                expected -= {7, 8, 9};
            }
            if (place == Place::METER)
            {
                expected.records = 0; // records begin behind it
            }
            EXPECT_EQ(account.GetBalance(place), expected)
                << GetInfo(move).name << " " << ToString(place);
        }
    }
}

TEST(Ledger, PlacesAddUpToZeroWhateverIsBooked)
{
    test::Random random(1);
    Account account;
    for (int i = 0; i < 10'000; ++i)
    {
        const auto move = static_cast<Move>(random.Below(MOVES));
        const bool frames = GetInfo(move).from == Place::METER || GetInfo(move).to == Place::METER;
        account.Book(move,
                     {random.Below(100), random.Below(100'000), frames ? 0 : random.Below(2)});
    }
    Counts sum;
    for (unsigned i = 0; i < PLACES; ++i)
    {
        sum += account.GetBalance(static_cast<Place>(i));
    }
    EXPECT_EQ(sum, Counts{});
}

TEST(Ledger, RecordsBeginAsTheirFirstPacketIsMetered)
{
    Account account;
    account.Book(Move::OFFERED, {2, 80, 0});
    account.Book(Move::METERED, {1, 40, 1});
    account.Book(Move::METERED, {1, 40, 0});
    EXPECT_EQ(account.GetBalance(Place::METER), Counts{});
    EXPECT_EQ(account.GetBalance(Place::CACHE), (Counts{2, 80, 1}));
}

TEST(Ledger, MovesFollowTheLaws)
{
    const auto way = [](Move move) { return std::pair(GetInfo(move).from, GetInfo(move).to); };
    const auto expect = [&](std::initializer_list<Move> moves, Place from, Place to) {
        for (Move move : moves)
        {
            EXPECT_EQ(way(move), std::pair(from, to)) << GetInfo(move).name;
        }
    };
    expect({Move::OFFERED}, Place::WIRE, Place::METER);
    expect({Move::IGNORED_NOT_IPV4,
            Move::IGNORED_TRUNCATED,
            Move::IGNORED_MALFORMED,
            Move::IGNORED_NOT_MONITORED,
            Move::IGNORED_OWN_EXPORT},
           Place::METER,
           Place::IGNORED);
    expect({Move::SHED_NO_MEMORY, Move::SHED_CACHE_FULL}, Place::METER, Place::SHED);
    expect({Move::METERED}, Place::METER, Place::CACHE);
    expect({Move::ENDED_IDLE,
            Move::ENDED_ACTIVE,
            Move::ENDED_TCP_END,
            Move::ENDED_EVICTED,
            Move::ENDED_SPLIT,
            Move::ENDED_STOPPED},
           Place::CACHE,
           Place::EXPIRED);
    expect({Move::QUEUED}, Place::EXPIRED, Place::PURGATORY);
    expect({Move::DROPPED_PURGATORY_FULL, Move::DROPPED_EVICTED}, Place::EXPIRED, Place::DROPPED);
    expect({Move::DROPPED_PURGATORY_HEAD}, Place::PURGATORY, Place::DROPPED);
    expect({Move::POLLED}, Place::PURGATORY, Place::STAGING);
    expect({Move::SEALED}, Place::STAGING, Place::SOCKET);
    expect({Move::SENT}, Place::SOCKET, Place::NETWORK);
    expect({Move::SEND_FAILED}, Place::SOCKET, Place::UNSENT);
    expect({Move::DISCARDED_KILLED, Move::DISCARDED_UNLOADED, Move::DISCARDED_SWITCH_DELETED},
           Place::EXPIRED,
           Place::DISCARDED);
    expect({Move::DISCARDED_QUEUED_KILLED,
            Move::DISCARDED_QUEUED_UNLOADED,
            Move::DISCARDED_QUEUED_SWITCH_DELETED},
           Place::PURGATORY,
           Place::DISCARDED);
    expect({Move::RECEIVED}, Place::NETWORK, Place::COLLECTED);
    for (unsigned i = static_cast<unsigned>(Move::LOST_NO_ROUTE); i < MOVES; ++i)
    {
        expect({static_cast<Move>(i)}, Place::NETWORK, Place::LOST);
    }
}

TEST(Ledger, NamesAreUniqueAndEveryLossHasACause)
{
    std::set<std::string> names;
    for (Move move : AllMoves())
    {
        const MoveInfo& info = GetInfo(move);
        EXPECT_TRUE(names.insert(info.name).second) << info.name;
        const std::set<Place> losses{Place::IGNORED,
                                     Place::SHED,
                                     Place::DROPPED,
                                     Place::DISCARDED,
                                     Place::UNSENT,
                                     Place::LOST};
        if (losses.count(info.to) != 0)
        {
            EXPECT_STRNE(info.cause, "") << info.name;
            const std::string ending = std::string("_") + info.cause;
            const std::string name = std::string("_") + info.name;
            EXPECT_TRUE(name.rfind(ending) == name.size() - ending.size() ||
                        ending == "_purgatory_full")
                << "a move is named after its cause: " << name;
        }
    }
    std::set<std::string> places;
    for (unsigned i = 0; i < PLACES; ++i)
    {
        EXPECT_TRUE(places.insert(ToString(static_cast<Place>(i))).second);
    }
}

TEST(Ledger, BothPurgatoryDropsHaveTheSameCause)
{
    EXPECT_STREQ(GetInfo(Move::DROPPED_PURGATORY_FULL).cause, "purgatory_full");
    EXPECT_STREQ(GetInfo(Move::DROPPED_PURGATORY_HEAD).cause, "purgatory_full");
}

TEST(Ledger, AccountsAreKeptApartAndAddUp)
{
    Ledger ledger;
    Account& one = ledger.GetAccount(1);
    ledger.GetAccount(127).Book(Move::OFFERED, ONE);
    for (uint16_t vSwitch = 2; vSwitch < 100; ++vSwitch)
    {
        ledger.GetAccount(vSwitch);
    }
    one.Book(Move::OFFERED, ONE); // the reference is still good
    one.Book(Move::OFFERED, ONE);
    EXPECT_EQ(ledger.GetAccount(1).Get(Move::OFFERED), (Counts{2, 80, 2}));
    EXPECT_EQ(ledger.GetAccount(127).Get(Move::OFFERED), ONE);
    EXPECT_EQ(ledger.GetAccount(2).Get(Move::OFFERED), Counts{});
    EXPECT_EQ(ledger.GetTotal().Get(Move::OFFERED), (Counts{3, 120, 3}));
    EXPECT_EQ(ledger.GetTotal().GetBalance(Place::METER), (Counts{3, 120, 0}));
    EXPECT_EQ(ledger.GetAccounts().size(), 100U);
}

TEST(Ledger, CountsAreEqualOnlyInAllThree)
{
    EXPECT_FALSE((Counts{1, 2, 3} == Counts{0, 2, 3}));
    EXPECT_FALSE((Counts{1, 2, 3} == Counts{1, 0, 3}));
    EXPECT_FALSE((Counts{1, 2, 3} == Counts{1, 2, 0}));
    EXPECT_TRUE((Counts{1, 2, 3} == Counts{1, 2, 3}));
}

TEST(Ledger, DatagramNumbersCountFromZero)
{
    Ledger ledger;
    EXPECT_EQ(ledger.TakeDatagramNumber(), 0U);
    EXPECT_EQ(ledger.TakeDatagramNumber(), 1U);
    EXPECT_EQ(ledger.TakeDatagramNumber(), 2U);
}

} // namespace
} // namespace netflow
