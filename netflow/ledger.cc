// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/ledger.h"

#include <iterator>

namespace netflow
{

const MoveInfo&
GetInfo(Move move)
{
    static const MoveInfo INFOS[] = {
        {"offered", "", Place::WIRE, Place::METER},
        {"ignored_not_ipv4", "not_ipv4", Place::METER, Place::IGNORED},
        {"ignored_truncated", "truncated", Place::METER, Place::IGNORED},
        {"ignored_malformed", "malformed", Place::METER, Place::IGNORED},
        {"ignored_not_monitored", "not_monitored", Place::METER, Place::IGNORED},
        {"ignored_own_export", "own_export", Place::METER, Place::IGNORED},
        {"shed_no_memory", "no_memory", Place::METER, Place::SHED},
        {"shed_cache_full", "cache_full", Place::METER, Place::SHED},
        {"metered", "", Place::METER, Place::CACHE},
        {"ended_idle", "idle", Place::CACHE, Place::EXPIRED},
        {"ended_active", "active", Place::CACHE, Place::EXPIRED},
        {"ended_tcp_end", "tcp_end", Place::CACHE, Place::EXPIRED},
        {"ended_evicted", "evicted", Place::CACHE, Place::EXPIRED},
        {"ended_split", "split", Place::CACHE, Place::EXPIRED},
        {"ended_stopped", "stopped", Place::CACHE, Place::EXPIRED},
        {"queued", "", Place::EXPIRED, Place::PURGATORY},
        {"dropped_purgatory_full", "purgatory_full", Place::EXPIRED, Place::DROPPED},
        {"dropped_purgatory_head", "purgatory_full", Place::PURGATORY, Place::DROPPED},
        {"dropped_evicted", "evicted", Place::EXPIRED, Place::DROPPED},
        {"polled", "", Place::PURGATORY, Place::STAGING},
        {"sealed", "", Place::STAGING, Place::SOCKET},
        {"sent", "", Place::SOCKET, Place::NETWORK},
        {"send_failed", "send_failed", Place::SOCKET, Place::UNSENT},
        {"discarded_killed", "killed", Place::EXPIRED, Place::DISCARDED},
        {"discarded_unloaded", "unloaded", Place::EXPIRED, Place::DISCARDED},
        {"discarded_switch_deleted", "switch_deleted", Place::EXPIRED, Place::DISCARDED},
        {"discarded_queued_killed", "killed", Place::PURGATORY, Place::DISCARDED},
        {"discarded_queued_unloaded", "unloaded", Place::PURGATORY, Place::DISCARDED},
        {"discarded_queued_switch_deleted", "switch_deleted", Place::PURGATORY, Place::DISCARDED},
        {"received", "", Place::NETWORK, Place::COLLECTED},
        {"lost_no_route", "no_route", Place::NETWORK, Place::LOST},
        {"lost_ttl", "ttl", Place::NETWORK, Place::LOST},
        {"lost_mtu", "mtu", Place::NETWORK, Place::LOST},
        {"lost_arp", "arp", Place::NETWORK, Place::LOST},
        {"lost_queue_disc", "queue_disc", Place::NETWORK, Place::LOST},
        {"lost_device_queue", "device_queue", Place::NETWORK, Place::LOST},
        {"lost_port", "port", Place::NETWORK, Place::LOST},
        {"lost_link_down", "link_down", Place::NETWORK, Place::LOST},
        {"lost_channel_error", "channel_error", Place::NETWORK, Place::LOST},
        {"lost_network", "network", Place::NETWORK, Place::LOST},
        {"lost_vlan", "vlan", Place::NETWORK, Place::LOST},
        {"lost_refused", "refused", Place::NETWORK, Place::LOST},
        {"lost_socket_buffer", "socket_buffer", Place::NETWORK, Place::LOST},
        {"lost_not_decoded", "not_decoded", Place::NETWORK, Place::LOST},
    };
    static_assert(std::size(INFOS) == MOVES, "one row for each move");
    return INFOS[static_cast<unsigned>(move)];
}

const char*
ToString(Place place)
{
    static const char* const NAMES[] = {"wire",
                                        "meter",
                                        "ignored",
                                        "shed",
                                        "cache",
                                        "expired",
                                        "purgatory",
                                        "staging",
                                        "socket",
                                        "network",
                                        "collected",
                                        "dropped",
                                        "discarded",
                                        "unsent",
                                        "lost"};
    static_assert(std::size(NAMES) == PLACES, "one name for each place");
    return NAMES[static_cast<unsigned>(place)];
}

bool
IsAtCollector(Move move)
{
    return move == Move::LOST_REFUSED || move == Move::LOST_SOCKET_BUFFER ||
           move == Move::LOST_NOT_DECODED;
}

bool
IsLoss(Place place)
{
    switch (place)
    {
    case Place::SHED:
    case Place::DROPPED:
    case Place::DISCARDED:
    case Place::UNSENT:
    case Place::LOST:
        return true;
    default:
        return false;
    }
}

const char*
GetFate(Move move)
{
    switch (GetInfo(move).to)
    {
    case Place::CACHE:
        return "live";
    case Place::PURGATORY:
        return "queued";
    case Place::NETWORK:
        return "in_flight";
    default:
        return GetInfo(move).cause;
    }
}

Counts
Account::GetBalance(Place place) const
{
    Counts balance;
    for (unsigned i = 0; i < MOVES; ++i)
    {
        const MoveInfo& info = GetInfo(static_cast<Move>(i));
        if (info.to == place)
        {
            balance += m_moves[i];
        }
        if (info.from == place)
        {
            balance -= m_moves[i];
        }
    }
    if (place == Place::METER)
    {
        balance.records = 0; // frames bring no records along: these begin as METERED is booked
    }
    return balance;
}

Account&
Account::operator+=(const Account& other)
{
    for (unsigned i = 0; i < MOVES; ++i)
    {
        m_moves[i] += other.m_moves[i];
    }
    return *this;
}

Account&
Ledger::GetAccount(uint16_t vSwitch)
{
    return m_accounts[vSwitch];
}

Account
Ledger::GetTotal() const
{
    Account total;
    for (const auto& [vSwitch, account] : m_accounts)
    {
        total += account;
    }
    return total;
}

const std::map<uint16_t, Account>&
Ledger::GetAccounts() const
{
    return m_accounts;
}

uint64_t
Ledger::TakeDatagramNumber()
{
    return m_datagrams++;
}

} // namespace netflow
