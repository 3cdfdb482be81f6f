// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The double-entry ledger of one exporting host: every packet, octet and record has one place.
 *
 * A booking names a Move; each Move has a fixed place where it comes from and one where it goes to,
 * so an entry cannot be one-sided. A place's balance is the difference of the moves into and out of
 * it, and must equal what the container of that name really holds (see
 * MeteringProcess::GetResidual()). Moves double as names of all causes of loss: results, metrics
 * and the record journal use no other list.
 */
#ifndef NETFLOW_LEDGER_H
#define NETFLOW_LEDGER_H

#include <cstdint>
#include <map>

namespace netflow
{

/// Where packets and records can be.
enum class Place : uint8_t
{
    WIRE,      //!< outside: the source of everything
    METER,     //!< being parsed (transit: empty between calls)
    IGNORED,   //!< final: not to be metered
    SHED,      //!< final: metering was impossible
    CACHE,     //!< in a live record
    EXPIRED,   //!< ended, on the way to purgatory (transit)
    PURGATORY, //!< ended, waiting for a poll
    STAGING,   //!< polled, being packed (transit)
    SOCKET,    //!< in a sealed datagram handed to the socket (transit)
    NETWORK,   //!< sent and neither received nor lost yet
    COLLECTED, //!< final: received by a collector
    DROPPED,   //!< final: lost inside the module
    DISCARDED, //!< final: metering stopped
    UNSENT,    //!< final: the socket refused the datagram
    LOST,      //!< final: lost between the exporter's socket and the collector's
    COUNT
};

constexpr unsigned PLACES = static_cast<unsigned>(Place::COUNT);

/// Every way from one place to another. Order is the order of all listings.
enum class Move : uint8_t
{
    OFFERED, // L1
    IGNORED_NOT_IPV4,
    IGNORED_TRUNCATED,
    IGNORED_MALFORMED,
    IGNORED_NOT_MONITORED,
    IGNORED_OWN_EXPORT,
    SHED_NO_MEMORY,
    SHED_CACHE_FULL,
    METERED,
    ENDED_IDLE, // L3, in the order of EndReason
    ENDED_ACTIVE,
    ENDED_TCP_END,
    ENDED_EVICTED,
    ENDED_SPLIT,
    ENDED_STOPPED,
    QUEUED,                 // L2
    DROPPED_PURGATORY_FULL, //!< the newest record found no room (TailDrop)
    DROPPED_PURGATORY_HEAD, //!< a waiting record made room, the oldest under HeadDrop
    DROPPED_EVICTED,        //!< evicted under the policy that exports nothing of it
    POLLED,
    SEALED,
    SENT,
    SEND_FAILED,
    DISCARDED_KILLED,   //!< live records; net-netflow was stopped
    DISCARDED_UNLOADED, //!< live records; the module was unloaded
    DISCARDED_SWITCH_DELETED,
    DISCARDED_QUEUED_KILLED, //!< the same three for records that were in purgatory
    DISCARDED_QUEUED_UNLOADED,
    DISCARDED_QUEUED_SWITCH_DELETED,
    RECEIVED, // L5
    LOST_NO_ROUTE,
    LOST_TTL,
    LOST_MTU, //!< longer than the next link takes, and not to be fragmented
    LOST_ARP,
    LOST_QUEUE_DISC,
    LOST_DEVICE_QUEUE,
    LOST_PORT,
    LOST_LINK_DOWN,
    LOST_CHANNEL_ERROR,
    LOST_NETWORK, //!< dropped by a node on the way
    LOST_VLAN,    //!< of a VLAN that a port of a switch on the way is not in
    LOST_REFUSED,
    LOST_SOCKET_BUFFER,
    LOST_NOT_DECODED, //!< arrived and was refused by the collector's decoder
    COUNT
};

constexpr unsigned MOVES = static_cast<unsigned>(Move::COUNT);

/// Fixed properties of a Place.
struct PlaceInfo
{
    Place place;
    const char* name;
    const char* moves{nullptr}; //!< name of all moves that lead there, where they are one metric
    const char* left{nullptr};  //!< how results name what is left there at the end
    bool isLoss{false};         //!< final, and neither collected nor ignored
};

/// Fixed properties of a Move.
struct MoveInfo
{
    Move move;
    const char* name;  //!< unique, e.g. "dropped_purgatory_full"
    const char* cause; //!< as in metrics, e.g. "purgatory_full"; several moves may share one
    Place from;
    Place to;
    /// A datagram dies so behind the collector's network device: it was on the last cable.
    bool isAtCollector{false};
};

const MoveInfo& GetInfo(Move move);
const PlaceInfo& GetInfo(Place place);
const char* ToString(Place place);

/// Whether what comes to a place is lost.
bool IsLoss(Place place);

/// How results name the fate of what made this move last: the cause of its loss, or "live",
/// "queued" or "in_flight" for what is left in the cache, in purgatory or on the way.
const char* GetFate(Move move);

/// Packets, their IP octets, and records. Also used as a signed difference (two's complement wraps
/// back).
struct Counts
{
    uint64_t packets{0};
    uint64_t octets{0};
    uint64_t records{0};

    Counts& operator+=(const Counts& other)
    {
        packets += other.packets;
        octets += other.octets;
        records += other.records;
        return *this;
    }

    Counts& operator-=(const Counts& other)
    {
        packets -= other.packets;
        octets -= other.octets;
        records -= other.records;
        return *this;
    }

    bool operator==(const Counts& other) const
    {
        return packets == other.packets && octets == other.octets && records == other.records;
    }
};

/// Bookings of one vSwitch.
class Account
{
  public:
    void Book(Move move, const Counts& counts)
    {
        m_moves[static_cast<unsigned>(move)] += counts;
    }

    const Counts& Get(Move move) const
    {
        return m_moves[static_cast<unsigned>(move)];
    }

    /// Balance of a place: moves into it less moves out of it.
    Counts GetBalance(Place place) const;

    Account& operator+=(const Account& other);

  private:
    Counts m_moves[MOVES];
};

/// Accounts of a host by switch ID. Outlives loads and unloads of the module.
class Ledger
{
  public:
    /// The account of a vSwitch, made at the first call. The reference stays valid.
    Account& GetAccount(uint16_t vSwitch);

    /// Sum over all vSwitches.
    Account GetTotal() const;

    const std::map<uint16_t, Account>& GetAccounts() const;

    /// Takes the next number of an export datagram of this host, counting from 0.
    uint64_t TakeDatagramNumber();

  private:
    std::map<uint16_t, Account> m_accounts;
    uint64_t m_datagrams{0};
};

} // namespace netflow

#endif // NETFLOW_LEDGER_H
