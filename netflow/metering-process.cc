// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/metering-process.h"

#include "netflow/enum-table.h"

#include <algorithm>
#include <cassert>

namespace netflow
{

namespace
{

Counts
CountsOf(const FlowRecord& record)
{
    return {record.packets, record.octets, 1};
}

Move
IgnoredMove(FrameVerdict verdict)
{
    switch (verdict)
    {
    case FrameVerdict::NOT_IPV4:
        return Move::IGNORED_NOT_IPV4;
    case FrameVerdict::ETHERNET_TRUNCATED:
    case FrameVerdict::VLAN_TRUNCATED:
    case FrameVerdict::IPV4_TRUNCATED:
    case FrameVerdict::TOTAL_LENGTH_EXCEEDS_FRAME:
    case FrameVerdict::TRANSPORT_TRUNCATED:
        return Move::IGNORED_TRUNCATED;
    case FrameVerdict::BAD_VERSION:
    case FrameVerdict::BAD_HEADER_LENGTH:
    case FrameVerdict::TOTAL_LENGTH_TOO_SHORT:
    case FrameVerdict::METERABLE: // is not asked for
    case FrameVerdict::COUNT:
        break;
    }
    return Move::IGNORED_MALFORMED;
}

Move
EndedMove(EndReason reason)
{
    struct Row
    {
        EndReason reason;
        Move move;
    };

    static constexpr Row ROWS[] = {{EndReason::IDLE, Move::ENDED_IDLE},
                                   {EndReason::ACTIVE, Move::ENDED_ACTIVE},
                                   {EndReason::TCP_END, Move::ENDED_TCP_END},
                                   {EndReason::EVICTED, Move::ENDED_EVICTED},
                                   {EndReason::SPLIT, Move::ENDED_SPLIT},
                                   {EndReason::STOPPED, Move::ENDED_STOPPED}};
    static_assert(HasRowOfEach(ROWS, &Row::reason, EndReason::COUNT), "a move for each reason");
    return ROWS[static_cast<unsigned>(reason)].move;
}

Move
DiscardedMove(StopCause cause, bool wasQueued)
{
    struct Row
    {
        StopCause cause;
        Move live;
        Move queued;
    };

    static constexpr Row ROWS[] = {
        {StopCause::KILLED, Move::DISCARDED_KILLED, Move::DISCARDED_QUEUED_KILLED},
        {StopCause::UNLOADED, Move::DISCARDED_UNLOADED, Move::DISCARDED_QUEUED_UNLOADED},
        {StopCause::SWITCH_DELETED,
         Move::DISCARDED_SWITCH_DELETED,
         Move::DISCARDED_QUEUED_SWITCH_DELETED}};
    static_assert(HasRowOfEach(ROWS, &Row::cause, StopCause::COUNT), "a move for each cause");
    const Row& row = ROWS[static_cast<unsigned>(cause)];
    return wasQueued ? row.queued : row.live;
}

bool
IsCounted(AccountResult result)
{
    return result == AccountResult::COUNTED || result == AccountResult::COUNTED_NEW;
}

uint64_t
RecordsBegun(AccountResult result)
{
    return result == AccountResult::COUNTED_NEW ? 1 : 0;
}

/// Of two's complement differences, so that a place overdrawn by one is at distance one from empty.
uint64_t
Distance(uint64_t a, uint64_t b)
{
    return std::min(a - b, b - a);
}

void
AddDistance(Counts& residual, const Counts& booked, const Counts& held)
{
    residual += {Distance(booked.packets, held.packets),
                 Distance(booked.octets, held.octets),
                 Distance(booked.records, held.records)};
}

} // namespace

std::unique_ptr<MeteringProcess>
MeteringProcess::Create(const MeteringConfig& config,
                        Heap& heap,
                        Ledger& ledger,
                        Journal* journal,
                        MeteringEvents* events)
{
    if (!heap.Allocate(config.purgatoryMax * HEAP_PER_QUEUED_RECORD))
    {
        return nullptr;
    }
    return std::unique_ptr<MeteringProcess>(
        new MeteringProcess(config, heap, ledger, journal, events));
}

MeteringProcess::MeteringProcess(const MeteringConfig& config,
                                 Heap& heap,
                                 Ledger& ledger,
                                 Journal* journal,
                                 MeteringEvents* events)
    : m_heap(heap),
      m_ledger(ledger),
      m_journal(journal),
      m_events(events),
      m_cache(config.cache, heap, *this),
      m_purgatory(config.purgatoryMax, config.purgatoryPolicy)
{
}

MeteringProcess::~MeteringProcess()
{
    m_heap.Free(m_purgatory.GetBound() * HEAP_PER_QUEUED_RECORD);
}

bool
MeteringProcess::Register(uint16_t vSwitch)
{
    Registration& registration = GetRegistration(vSwitch);
    if (registration.active)
    {
        return false;
    }
    registration.active = true;
    registration.expired = 0;
    return true;
}

void
MeteringProcess::Unregister(uint16_t vSwitch, StopCause cause, TimeNs now)
{
    assert(IsRegistered(vSwitch));
    m_now = std::max(m_now, now);
    m_stopCause = cause;
    m_cache.Settle(m_now);
    m_cache.Stop(vSwitch);
    std::vector<QueuedRecord> queued;
    m_purgatory.Take({vSwitch}, m_now, queued);
    const Move move = DiscardedMove(cause, true);
    Registration& registration = GetRegistration(vSwitch);
    for (const QueuedRecord& waiting : queued)
    {
        registration.account->Book(move, CountsOf(waiting.record));
        if (m_journal)
        {
            m_journal->Moved(waiting.record.id, move, m_now);
        }
    }
    registration.active = false;
    AssertBalance();
}

void
MeteringProcess::Flush(uint16_t vSwitch, TimeNs now)
{
    assert(IsRegistered(vSwitch));
    m_now = std::max(m_now, now);
    m_flushing = true;
    m_cache.Settle(m_now);
    m_cache.Stop(vSwitch);
    m_flushing = false;
    AssertBalance();
}

bool
MeteringProcess::IsRegistered(uint16_t vSwitch) const
{
    return vSwitch < m_registrations.size() && m_registrations[vSwitch].active;
}

void
MeteringProcess::Observe(uint16_t vSwitch,
                         PacketSummary packet,
                         uint16_t input,
                         uint16_t output,
                         TimeNs now)
{
    assert(IsRegistered(vSwitch));
    Account& account = *m_registrations[vSwitch].account;
    now = NotBefore(now);
    account.Book(Move::OFFERED, {1, packet.octets, 0});
    if (packet.verdict != FrameVerdict::METERABLE)
    {
        account.Book(IgnoredMove(packet.verdict), {1, packet.octets, 0});
        return;
    }
    packet.key.vSwitch = vSwitch;
    packet.key.input = input;
    const AccountResult result = m_cache.Account(packet, output, now);
    if (result == AccountResult::COUNTED) // most packets
    {
        account.Book(Move::METERED, {1, packet.octets, 0});
    }
    else if (IsCounted(result))
    {
        account.Book(Move::METERED, {1, packet.octets, RecordsBegun(result)});
    }
    else
    {
        Shed(account, packet, result, now);
    }
    AssertBalance();
}

void
MeteringProcess::PrepareBatch(BatchedPacket* packets, std::size_t count) const
{
    m_cache.Prepare(packets, count);
}

/// The present: time does not run backwards.
inline TimeNs
MeteringProcess::NotBefore(TimeNs now)
{
    if (now < m_now)
    {
        ++m_clockRegressions;
        return m_now;
    }
    m_now = now;
    return now;
}

std::size_t
MeteringProcess::ObserveBatch(const BatchedPacket* packets, std::size_t count, TimeNs until)
{
    std::size_t done = 0;
    while (done < count && packets[done].time < until)
    {
        // A run of packets of one vSwitch. Records that end meanwhile are booked at once, before
        // their packets are: balances are right at the end of the run.
        const uint16_t vSwitch = packets[done].packet.key.vSwitch;
        assert(IsRegistered(vSwitch));
        Account& account = *m_registrations[vSwitch].account;
        Counts offered;
        Counts refused; // ignored or shed
        uint64_t begun = 0;
        for (; done < count && packets[done].time < until; ++done)
        {
            const BatchedPacket& batched = packets[done];
            const PacketSummary& packet = batched.packet;
            if (packet.key.vSwitch != vSwitch)
            {
                break;
            }
            const TimeNs now = NotBefore(batched.time);
            ++offered.packets;
            offered.octets += packet.octets;
            if (packet.verdict != FrameVerdict::METERABLE)
            {
                account.Book(IgnoredMove(packet.verdict), {1, packet.octets, 0});
                refused += {1, packet.octets, 0};
                continue;
            }
            const AccountResult result = m_cache.Account(batched, now);
            if (result == AccountResult::COUNTED)
            {
                continue;
            }
            begun += RecordsBegun(result);
            if (!IsCounted(result))
            {
                Shed(account, packet, result, now);
                refused += {1, packet.octets, 0};
            }
        }
        account.Book(Move::OFFERED, offered);
        account.Book(Move::METERED,
                     {offered.packets - refused.packets, offered.octets - refused.octets, begun});
    }
    AssertBalance();
    return done;
}

/// A packet that the cache could not count.
void
MeteringProcess::Shed(Account& account,
                      const PacketSummary& packet,
                      AccountResult result,
                      TimeNs now)
{
    const bool noMemory = result == AccountResult::SHED_NO_MEMORY;
    const Move cause = noMemory ? Move::SHED_NO_MEMORY : Move::SHED_CACHE_FULL;
    account.Book(cause, {1, packet.octets, 0});
    if (m_journal)
    {
        m_journal->Shed(packet.key, cause, packet.octets, packet.tcpFlags, now);
    }
    if (noMemory && m_events)
    {
        m_events->AllocationFailed(now, m_cache.GetConfig().heapPerRecord);
    }
}

void
MeteringProcess::Ignore(uint16_t vSwitch, Move cause, uint64_t octets, uint64_t packets)
{
    Account& account = *GetRegistration(vSwitch).account;
    account.Book(Move::OFFERED, {packets, octets, 0});
    account.Book(cause, {packets, octets, 0});
}

const FlowEntry*
MeteringProcess::Defer(const FlowKey& key, DeferredPackets& packets, TimeNs next)
{
    return m_cache.Defer(key, packets, next);
}

void
MeteringProcess::Settle(TimeNs until)
{
    m_cache.Settle(until);
    AssertBalance();
}

void
MeteringProcess::Undefer(const FlowKey& key, TimeNs until)
{
    m_cache.Undefer(key, until);
}

void
MeteringProcess::DeferredCounted(const FlowKey& key, const DeferredPackets::Sum& sum)
{
    Account& account = *m_registrations[key.vSwitch].account;
    account.Book(Move::OFFERED, {sum.packets, sum.octets, 0});
    account.Book(Move::METERED, {sum.packets, sum.octets, 0});
}

void
MeteringProcess::Scan(TimeNs now)
{
    m_now = std::max(m_now, now);
    m_cache.Scan(now);
    AssertBalance();
}

TimeNs
MeteringProcess::NextScan() const
{
    return m_cache.NextScan();
}

void
MeteringProcess::Poll(const std::vector<uint16_t>& vSwitches,
                      TimeNs now,
                      std::vector<QueuedRecord>& taken)
{
    m_now = std::max(m_now, now); // else an older packet would queue a record before this poll
    const std::size_t before = taken.size();
    m_purgatory.Take(vSwitches, now, taken);
    for (std::size_t i = before; i < taken.size(); ++i)
    {
        const FlowRecord& record = taken[i].record;
        m_registrations[record.key.vSwitch].account->Book(Move::POLLED, CountsOf(record));
    }
    if (m_inEpisode && m_dropsSincePoll == 0)
    {
        m_inEpisode = false;
        if (m_events)
        {
            m_events->PurgatoryEpisodeEnded(now, m_episodeDrops);
        }
    }
    m_dropsSincePoll = 0;
    // No more than this: a full purgatory may force a poll in the midst of a scan.
    assert(m_ledger.GetTotal().GetBalance(Place::PURGATORY).records == m_purgatory.GetSize());
}

MeteringProcess::Peaks
MeteringProcess::TakePeaks()
{
    return {m_cache.TakeHighWater(), m_purgatory.TakeHighWater()};
}

const FlowCache&
MeteringProcess::GetCache() const
{
    return m_cache;
}

const Purgatory&
MeteringProcess::GetPurgatory() const
{
    return m_purgatory;
}

uint64_t
MeteringProcess::GetClockRegressions() const
{
    return m_clockRegressions;
}

Counts
MeteringProcess::GetResidual() const
{
    std::map<uint16_t, Counts> live;
    std::map<uint16_t, Counts> queued;
    m_cache.ForEach(
        [&](const FlowRecord& record) { live[record.key.vSwitch] += CountsOf(record); });
    m_purgatory.ForEach([&](const QueuedRecord& waiting) {
        queued[waiting.record.key.vSwitch] += CountsOf(waiting.record);
    });
    Counts residual;
    for (const auto& [vSwitch, account] : m_ledger.GetAccounts())
    {
        AddDistance(residual, account.GetBalance(Place::CACHE), live[vSwitch]);
        AddDistance(residual, account.GetBalance(Place::PURGATORY), queued[vSwitch]);
        for (Place transit : {Place::METER, Place::EXPIRED, Place::STAGING, Place::SOCKET})
        {
            AddDistance(residual, account.GetBalance(transit), {});
        }
    }
    return residual;
}

uint64_t
MeteringProcess::GetBreaches() const
{
    const uint64_t maxEntries = m_cache.GetConfig().maxEntries;
    const bool cacheOver = maxEntries != 0 && m_cache.GetHighWater() > maxEntries;
    const bool purgatoryOver = m_purgatory.GetHighWater() > m_purgatory.GetBound();
    return m_breaches + (cacheOver ? 1 : 0) + (purgatoryOver ? 1 : 0);
}

MeteringProcess::Registration&
MeteringProcess::GetRegistration(uint16_t vSwitch)
{
    if (vSwitch >= m_registrations.size())
    {
        m_registrations.resize(vSwitch + 1U);
    }
    Registration& registration = m_registrations[vSwitch];
    if (!registration.account)
    {
        registration.account = &m_ledger.GetAccount(vSwitch);
    }
    return registration;
}

void
MeteringProcess::RecordEnded(const FlowRecord& record)
{
    CheckTimes(record);
    Registration& registration = m_registrations[record.key.vSwitch];
    registration.account->Book(EndedMove(record.reason), CountsOf(record));
    if (record.reason == EndReason::STOPPED && !m_flushing)
    {
        Conclude(record, DiscardedMove(m_stopCause, false));
        return;
    }
    const Move evicted = GetInfo(m_cache.GetConfig().policy).evicted;
    if (record.reason == EndReason::EVICTED && evicted != Move::QUEUED)
    {
        ++registration.expired;
        Conclude(record, evicted);
        return;
    }
    Queue(record, registration);
}

void
MeteringProcess::Queue(const FlowRecord& record, Registration& registration)
{
    QueuedRecord queued;
    queued.record = record;
    queued.queuedAt = m_now;
    queued.expirySequence = registration.expired++;
    if (m_events && m_purgatory.IsFull())
    {
        m_events->PurgatoryFull(m_now);
    }
    QueuedRecord dropped;
    const Move lost = m_purgatory.Push(queued, dropped);
    if (lost == Move::QUEUED)
    {
        Conclude(record, Move::QUEUED);
        return;
    }
    NoteDrop();
    if (GetInfo(lost).from == Place::EXPIRED) // it is the new one
    {
        Conclude(record, lost);
        return;
    }
    Conclude(record, Move::QUEUED);
    m_registrations[dropped.record.key.vSwitch].account->Book(lost, CountsOf(dropped.record));
    if (m_journal)
    {
        m_journal->Moved(dropped.record.id, lost, m_now);
    }
}

void
MeteringProcess::NoteDrop()
{
    ++m_dropsSincePoll;
    if (!m_inEpisode)
    {
        m_inEpisode = true;
        m_episodeDrops = 0;
        if (m_events)
        {
            m_events->PurgatoryEpisodeBegan(m_now);
        }
    }
    ++m_episodeDrops;
}

/// Law L7, as a record leaves the cache.
void
MeteringProcess::CheckTimes(const FlowRecord& record)
{
    bool onTime = 0 <= record.first && record.first <= record.last && record.last <= m_now;
    if (record.reason == EndReason::IDLE || record.reason == EndReason::ACTIVE)
    {
        const FlowCacheConfig& config = m_cache.GetConfig();
        const TimeNs deadline =
            std::min(record.last + config.idleTimeout, record.first + config.activeTimeout);
        onTime = onTime && m_now > deadline && m_now - deadline <= config.scanInterval;
    }
    m_breaches += onTime ? 0 : 1;
}

/// Books where a record went that has just ended.
void
MeteringProcess::Conclude(const FlowRecord& record, Move station)
{
    m_registrations[record.key.vSwitch].account->Book(station, CountsOf(record));
    if (m_journal)
    {
        m_journal->Ended(record, station, m_now);
    }
    if (m_events)
    {
        m_events->RecordConcluded(record, station);
    }
}

/// In debug builds after every operation: record totals of the containers equal the ledger's (cheap
/// part of the residual).
void
MeteringProcess::AssertBalance() const
{
#ifndef NDEBUG
    const Account total = m_ledger.GetTotal();
    assert(total.GetBalance(Place::CACHE).records == m_cache.GetSize());
    assert(total.GetBalance(Place::PURGATORY).records == m_purgatory.GetSize());
    assert(total.GetBalance(Place::METER) == Counts{});
    assert(total.GetBalance(Place::EXPIRED) == Counts{});
    assert(m_purgatory.GetHighWater() <= m_purgatory.GetBound());
    assert(m_cache.GetConfig().maxEntries == 0 ||
           m_cache.GetHighWater() <= m_cache.GetConfig().maxEntries);
#endif
}

} // namespace netflow
