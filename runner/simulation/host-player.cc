// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/host-player.h"

#include "runner/base/user-error.h"
#include "runner/simulation/host-recorder.h"

#include "ns3/esx-export-tag.h"
#include "ns3/esx-net-device.h"
#include "ns3/ethernet-header.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace esxnf
{

using namespace ns3;

namespace
{

/// Whether the network makes a move: of datagrams that were sent.
bool
IsOfNetwork(netflow::Move move)
{
    return netflow::GetInfo(move).from == netflow::Place::NETWORK;
}

} // namespace

HostPlayer::HostPlayer(const Ptr<EsxHost>& host,
                       HostBook&& book,
                       const std::vector<EsxMetric>& metrics)
    : m_host(host),
      m_module(host->GetObject<EsxNetflow>()),
      m_book(std::move(book)),
      m_snapshots(std::move(m_book.snapshots))
{
    auto replay = std::make_unique<EsxNetflowReplay>();
    m_replay = replay.get();
    m_replay->poll = [this](const auto& ids, auto& records) { Poll(ids, records); };
    if (!m_book.sends.empty())
    {
        m_sends = SnapshotReader(std::move(m_book.sends));
        m_replay->send = [this](const auto& datagram, const auto& packet) {
            Send(datagram, packet);
        };
    }
    m_replay->live = std::move(m_book.live);
    m_replay->residual = m_book.residual;
    m_replay->breaches = m_book.breaches;
    m_replay->tapResidual = m_book.tapResidual;
    m_replay->metrics = [this](const std::string& metric) { return m_values[metric]; };
    for (const EsxMetric& metric : metrics)
    {
        m_keys.push_back(EsxHostMetricKey(metric));
    }
    m_module->Replay(std::move(replay));
    Simulator::ScheduleNow(&HostPlayer::FillJournal, this);
    Simulator::ScheduleNow(&HostPlayer::SendFrames, this);
}

void
HostPlayer::AddUplink(const Ptr<NetDevice>& device)
{
    m_uplinks.push_back(device);
}

void
HostPlayer::Leaves(const Ptr<const Packet>& frame)
{
    if (m_isSending)
    {
        return;
    }
    SendFrames();
    NS_ABORT_MSG_UNLESS(IsInBoth(frame), "only exports come out of a host that is played back");
    ++m_exportsSince;
    FollowUp();
}

void
HostPlayer::Snapshot()
{
    SendFrames();
    ++m_snapshotsSince;
    FollowUp();
    const std::vector<uint64_t>& row = m_snapshots.Next();
    auto at = row.begin();
    for (EsxNetflowPeaks* part : {&m_replay->levels, &m_replay->marks, &m_replay->peaks})
    {
        for (uint64_t* number : NumbersOf(*part))
        {
            *number = *at++;
        }
    }
    m_replay->purgatoryMarkOfLoad = *at++;
    for (const std::string& key : m_keys)
    {
        std::memcpy(&m_values[key], &*at++, sizeof(double));
    }
    constexpr std::size_t ACCOUNT = 1 + 3 * netflow::MOVES;
    if ((row.end() - at) % ACCOUNT != 0)
    {
        throw UserError(m_book.host + ".book: its snapshots are of another lab");
    }
    while (at != row.end())
    {
        netflow::Account& account =
            m_module->GetLedgerToBook().GetAccount(static_cast<uint16_t>(*at++));
        for (unsigned i = 0; i < netflow::MOVES; ++i, at += 3)
        {
            const auto move = static_cast<netflow::Move>(i);
            netflow::Counts difference{at[0], at[1], at[2]};
            difference -= account.Get(move);
            account.Book(move, IsOfNetwork(move) ? netflow::Counts() : difference);
        }
    }
}

std::string
HostPlayer::Finish(const std::string& likeness) const
{
    return likeness != m_book.likeness         ? "its configuration depends on the traffic"
           : m_nextPoll != m_book.polls.size() ? "it polls otherwise"
                                               : "";
}

const HostBook&
HostPlayer::GetBook() const
{
    return m_book;
}

bool
HostPlayer::IsDue() const
{
    return m_nextFrame < m_book.frames.size() &&
           m_book.frames[m_nextFrame].at <= Simulator::Now().GetNanoSeconds() &&
           m_book.frames[m_nextFrame].exports == m_exportsSince &&
           m_book.frames[m_nextFrame].snapshots == m_snapshotsSince;
}

void
HostPlayer::SendFrames()
{
    while (IsDue())
    {
        const BookedFrame& frame = m_book.frames[m_nextFrame++];
        m_exportsSince = m_snapshotsSince = 0;
        const auto packet = Create<Packet>(reinterpret_cast<const uint8_t*>(frame.octets.data()),
                                           frame.octets.size());
        frame.isInjected ? EsxNetDevice::MarkInjected(*packet) : void();
        EthernetHeader ethernet(false);
        packet->RemoveHeader(ethernet);
        m_isSending = true;
        m_uplinks.at(frame.uplink)
            ->SendFrom(packet,
                       ethernet.GetSource(),
                       ethernet.GetDestination(),
                       ethernet.GetLengthType());
        m_isSending = false;
    }
    if (m_nextFrame < m_book.frames.size() && m_nextFrame != m_scheduledFrame)
    {
        const int64_t wait = m_book.frames[m_nextFrame].at - Simulator::Now().GetNanoSeconds();
        m_scheduledFrame = m_nextFrame;
        Simulator::Schedule(NanoSeconds(std::max<int64_t>(wait, 0)), &HostPlayer::SendFrames, this);
    }
}

void
HostPlayer::FollowUp()
{
    IsDue() ? static_cast<void>(Simulator::ScheduleNow(&HostPlayer::SendFrames, this)) : void();
}

void
HostPlayer::FillJournal()
{
    netflow::Journal& journal = m_module->GetJournal();
    for (const netflow::JournalEntry& entry : m_book.journal)
    {
        const bool isSent = entry.datagram != netflow::JournalEntry::NO_DATAGRAM;
        const auto station = isSent ? netflow::Move::QUEUED : entry.last;
        journal.Ended(entry.record, station, entry.endedAt);
        journal.Moved(entry.record.id, station, entry.movedAt);
    }
    for (const auto& [flowAndCause, shed] : m_book.shed)
    {
        journal.Restore(flowAndCause, shed);
    }
    m_book.journal = {};
}

void
HostPlayer::Poll(const std::vector<uint16_t>& ids, std::vector<netflow::QueuedRecord>& records)
{
    if (m_nextPoll == m_book.polls.size() ||
        m_book.polls[m_nextPoll].at != Simulator::Now().GetNanoSeconds() ||
        m_book.polls[m_nextPoll].vSwitch != ids.front())
    {
        return;
    }
    const auto& entries = m_module->GetJournal().GetEntries();
    for (const PolledRecord& polled : m_book.polls[m_nextPoll].records)
    {
        if (polled.place >= entries.size())
        {
            throw UserError(m_book.host + ".book: its polls are of another lab");
        }
        const netflow::FlowRecord& record = entries[polled.place].record;
        records.push_back({record, polled.queuedAt, polled.expirySequence});
        m_module->GetLedgerToBook()
            .GetAccount(record.key.vSwitch)
            .Book(netflow::Move::POLLED, {record.packets, record.octets, 1});
    }
    ++m_nextPoll;
}

void
HostPlayer::Send(const netflow::Datagram& datagram, const Ptr<Packet>& packet)
{
    constexpr std::size_t MAC = 6; // octets; an Ethernet header begins with the destination
    constexpr std::size_t TYPE = 2 * MAC;
    constexpr std::size_t IP = TYPE + 2;
    const std::vector<uint64_t>& row = m_sends.Next();
    const auto* const header = reinterpret_cast<const uint8_t*>(&row.at(2));
    m_octets.assign(header, header + std::min<std::size_t>(row[1], 8 * (row.size() - 2)));
    m_octets.insert(m_octets.end(), datagram.data, datagram.data + datagram.size);
    Mac48Address destination;
    destination.CopyFrom(m_octets.data());
    const auto whole = Create<Packet>(m_octets.data() + IP, m_octets.size() - IP);
    EsxExportTag tag;
    packet->PeekPacketTag(tag);
    whole->AddPacketTag(tag);
    m_host->GetVmknics().at(row[0]).device->Send(whole,
                                                 destination,
                                                 m_octets[TYPE] << 8 | m_octets[TYPE + 1]);
}

} // namespace esxnf
