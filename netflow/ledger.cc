// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/ledger.h"

#include "netflow/enum-table.h"

namespace netflow
{

const MoveInfo&
GetInfo(Move move)
{
    using M = Move;
    using P = Place;
    static constexpr MoveInfo INFOS[] = {
        {M::OFFERED, "offered", "", P::WIRE, P::METER},
        {M::IGNORED_NOT_IPV4, "ignored_not_ipv4", "not_ipv4", P::METER, P::IGNORED},
        {M::IGNORED_TRUNCATED, "ignored_truncated", "truncated", P::METER, P::IGNORED},
        {M::IGNORED_MALFORMED, "ignored_malformed", "malformed", P::METER, P::IGNORED},
        {M::IGNORED_NOT_MONITORED, "ignored_not_monitored", "not_monitored", P::METER, P::IGNORED},
        {M::IGNORED_OWN_EXPORT, "ignored_own_export", "own_export", P::METER, P::IGNORED},
        {M::SHED_NO_MEMORY, "shed_no_memory", "no_memory", P::METER, P::SHED},
        {M::SHED_CACHE_FULL, "shed_cache_full", "cache_full", P::METER, P::SHED},
        {M::METERED, "metered", "", P::METER, P::CACHE},
        {M::ENDED_IDLE, "ended_idle", "idle", P::CACHE, P::EXPIRED},
        {M::ENDED_ACTIVE, "ended_active", "active", P::CACHE, P::EXPIRED},
        {M::ENDED_TCP_END, "ended_tcp_end", "tcp_end", P::CACHE, P::EXPIRED},
        {M::ENDED_EVICTED, "ended_evicted", "evicted", P::CACHE, P::EXPIRED},
        {M::ENDED_SPLIT, "ended_split", "split", P::CACHE, P::EXPIRED},
        {M::ENDED_STOPPED, "ended_stopped", "stopped", P::CACHE, P::EXPIRED},
        {M::QUEUED, "queued", "", P::EXPIRED, P::PURGATORY},
        {M::DROPPED_PURGATORY_FULL,
         "dropped_purgatory_full",
         "purgatory_full",
         P::EXPIRED,
         P::DROPPED},
        {M::DROPPED_PURGATORY_HEAD,
         "dropped_purgatory_head",
         "purgatory_full",
         P::PURGATORY,
         P::DROPPED},
        {M::DROPPED_EVICTED, "dropped_evicted", "evicted", P::EXPIRED, P::DROPPED},
        {M::POLLED, "polled", "", P::PURGATORY, P::STAGING},
        {M::SEALED, "sealed", "", P::STAGING, P::SOCKET},
        {M::SENT, "sent", "", P::SOCKET, P::NETWORK},
        {M::SEND_FAILED, "send_failed", "send_failed", P::SOCKET, P::UNSENT},
        {M::DISCARDED_KILLED, "discarded_killed", "killed", P::EXPIRED, P::DISCARDED},
        {M::DISCARDED_UNLOADED, "discarded_unloaded", "unloaded", P::EXPIRED, P::DISCARDED},
        {M::DISCARDED_SWITCH_DELETED,
         "discarded_switch_deleted",
         "switch_deleted",
         P::EXPIRED,
         P::DISCARDED},
        {M::DISCARDED_QUEUED_KILLED,
         "discarded_queued_killed",
         "killed",
         P::PURGATORY,
         P::DISCARDED},
        {M::DISCARDED_QUEUED_UNLOADED,
         "discarded_queued_unloaded",
         "unloaded",
         P::PURGATORY,
         P::DISCARDED},
        {M::DISCARDED_QUEUED_SWITCH_DELETED,
         "discarded_queued_switch_deleted",
         "switch_deleted",
         P::PURGATORY,
         P::DISCARDED},
        {M::RECEIVED, "received", "", P::NETWORK, P::COLLECTED},
        {M::LOST_NO_ROUTE, "lost_no_route", "no_route", P::NETWORK, P::LOST},
        {M::LOST_TTL, "lost_ttl", "ttl", P::NETWORK, P::LOST},
        {M::LOST_MTU, "lost_mtu", "mtu", P::NETWORK, P::LOST},
        {M::LOST_ARP, "lost_arp", "arp", P::NETWORK, P::LOST},
        {M::LOST_QUEUE_DISC, "lost_queue_disc", "queue_disc", P::NETWORK, P::LOST},
        {M::LOST_DEVICE_QUEUE, "lost_device_queue", "device_queue", P::NETWORK, P::LOST},
        {M::LOST_PORT, "lost_port", "port", P::NETWORK, P::LOST},
        {M::LOST_LINK_DOWN, "lost_link_down", "link_down", P::NETWORK, P::LOST},
        {M::LOST_CHANNEL_ERROR, "lost_channel_error", "channel_error", P::NETWORK, P::LOST},
        {M::LOST_NETWORK, "lost_network", "network", P::NETWORK, P::LOST},
        {M::LOST_VLAN, "lost_vlan", "vlan", P::NETWORK, P::LOST},
        {M::LOST_REFUSED, "lost_refused", "refused", P::NETWORK, P::LOST, true},
        {M::LOST_SOCKET_BUFFER, "lost_socket_buffer", "socket_buffer", P::NETWORK, P::LOST, true},
        {M::LOST_NOT_DECODED, "lost_not_decoded", "not_decoded", P::NETWORK, P::LOST, true},
    };
    static_assert(HasRowOfEach(INFOS, &MoveInfo::move, Move::COUNT), "one row for each move");
    return INFOS[static_cast<unsigned>(move)];
}

const PlaceInfo&
GetInfo(Place place)
{
    static constexpr PlaceInfo INFOS[] = {
        {Place::WIRE, "wire"},
        {Place::METER, "meter"},
        {Place::IGNORED, "ignored", "ignored"},
        {Place::SHED, "shed", "shed", nullptr, true},
        {Place::CACHE, "cache", nullptr, "live"},
        {Place::EXPIRED, "expired", "ended"},
        {Place::PURGATORY, "purgatory", nullptr, "queued"},
        {Place::STAGING, "staging"},
        {Place::SOCKET, "socket"},
        {Place::NETWORK, "network", nullptr, "in_flight"},
        {Place::COLLECTED, "collected"},
        {Place::DROPPED, "dropped", "dropped", nullptr, true},
        {Place::DISCARDED, "discarded", "discarded", nullptr, true},
        {Place::UNSENT, "unsent", nullptr, nullptr, true},
        {Place::LOST, "lost", "lost", nullptr, true},
    };
    static_assert(HasRowOfEach(INFOS, &PlaceInfo::place, Place::COUNT), "one row for each place");
    return INFOS[static_cast<unsigned>(place)];
}

const char*
ToString(Place place)
{
    return GetInfo(place).name;
}

bool
IsLoss(Place place)
{
    return GetInfo(place).isLoss;
}

const char*
GetFate(Move move)
{
    const char* const left = GetInfo(GetInfo(move).to).left;
    return left ? left : GetInfo(move).cause;
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
