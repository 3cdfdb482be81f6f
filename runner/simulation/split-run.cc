// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/split-run.h"

#include "runner/base/user-error.h"
#include "runner/scenario/yaml-document.h"

#include "ns3/esx-ethernet-net-device.h"
#include "ns3/esx-export-tag.h"
#include "ns3/esx-net-netflow.h"
#include "ns3/esx-table.h"
#include "ns3/esx-uplink.h"
#include "ns3/ethernet-header.h"
#include "ns3/ipv4-header.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <fmt/format.h>
#include <future>
#include <iterator>
#include <memory>
#include <sstream>
#include <utility>

namespace esxnf
{

using namespace ns3;

namespace
{

const char* const TEXTS[] = {".vmkernel.log", ".esxtop.txt", ".console.log"};

/// The configuration of each host at the end, and what its net-netflows were: the same with its
/// guests' traffic and without, or the run cannot be split.
std::map<std::string, std::string>
LikenessesOf(const std::vector<Ptr<EsxHost>>& hosts)
{
    const Json lab = Json::parse(EsxDescribeLab({})).at("hosts");
    std::map<std::string, std::string> texts;
    for (const Ptr<EsxHost>& host : hosts)
    {
        std::string& text = texts[host->GetName()];
        text = lab.at(host->GetName()).dump();
        for (const auto& process : host->GetObject<EsxNetflow>()->GetProcesses())
        {
            text += fmt::format(" {}..{}",
                                process->GetStartedAt().GetNanoSeconds(),
                                process->GetEndedAt().GetNanoSeconds());
        }
    }
    return texts;
}

/// Whether the network makes a move: of datagrams that were sent.
bool
IsOfNetwork(netflow::Move move)
{
    return netflow::GetInfo(move).from == netflow::Place::NETWORK;
}

/// Whether a host sends a frame in either simulation: an export, or what tells physical switches of
/// a port.
bool
IsInBoth(const Ptr<const Packet>& frame)
{
    constexpr uint16_t RARP = 0x8035;
    constexpr uint16_t VLAN_TAG = 0x8100;
    constexpr uint32_t TYPE = 12; // octets of an Ethernet header before it
    uint8_t octets[TYPE + 6] = {};
    frame->CopyData(octets, sizeof(octets));
    const bool isTagged = (octets[TYPE] << 8 | octets[TYPE + 1]) == VLAN_TAG;
    const uint8_t* const type = octets + TYPE + (isTagged ? 4 : 0);
    EsxExportTag tag;
    return frame->PeekPacketTag(tag) || (type[0] << 8 | type[1]) == RARP;
}

/// In the order in which snapshots have them. One that is missing here does not compile.
std::array<uint64_t*, 3>
NumbersOf(EsxNetflowPeaks& peaks)
{
    auto& [cache, purgatory, heap] = peaks;
    return {&cache, &purgatory, &heap};
}

/// "10.0.0.1 to 10.0.0.2 (protocol 17)", or its addresses in Ethernet
std::string
Describe(const Ptr<const Packet>& frame)
{
    constexpr uint16_t IPV4 = 0x0800;
    EthernetHeader ethernet(false);
    const Ptr<Packet> copy = frame->Copy();
    copy->RemoveHeader(ethernet);
    std::ostringstream text;
    Ipv4Header ip;
    if (ethernet.GetLengthType() == IPV4 && copy->PeekHeader(ip) > 0)
    {
        text << ns3::EsxDotted(ip.GetSource()) << " to " << ns3::EsxDotted(ip.GetDestination())
             << " (protocol " << +ip.GetProtocol() << ")";
    }
    else
    {
        text << ethernet.GetSource() << " to " << ethernet.GetDestination() << " (EtherType 0x"
             << std::hex << ethernet.GetLengthType() << ")";
    }
    return text.str();
}

} // namespace

/// Books a host while it is simulated apart.
class SplitRun::Recorder
{
  public:
    Recorder(const Ptr<EsxHost>& host, const std::vector<EsxMetric>& metrics)
        : m_host(host),
          m_module(host->GetObject<EsxNetflow>()),
          m_metrics(metrics)
    {
        m_book.host = host->GetName();
        m_module->TraceConnectWithoutContext(
            "Polled",
            Callback<void, const std::vector<uint16_t>&, const std::vector<netflow::QueuedRecord>&>(
                [this](const std::vector<uint16_t>& ids,
                       const std::vector<netflow::QueuedRecord>& records) { Book(ids, records); }));
        m_module->TraceConnectWithoutContext(
            "Datagram",
            Callback<void, const netflow::Datagram&, Ipv4Address>(
                [this](const netflow::Datagram& datagram, Ipv4Address) {
                    m_payload = datagram.size;
                    m_sendingEvent = Simulator::GetEventCount();
                    m_sendsInTime = m_sendsInTime && m_sends == m_datagrams;
                    ++m_datagrams;
                }));
        m_module->TraceConnectWithoutContext(
            "SendFailed",
            Callback<void, const netflow::Datagram&>(
                [this](const netflow::Datagram&) { m_sendsInTime = false; }));
        for (std::size_t i = 0; i < host->GetVmknics().size(); ++i)
        {
            host->GetVmknics()[i].device->TraceConnectWithoutContext(
                "PromiscSniffer",
                Callback<void, Ptr<const Packet>>(
                    [this, i](Ptr<const Packet> frame) { Sends(i, *frame); }));
        }
    }

    void Snapshot(bool isSample)
    {
        std::vector<uint64_t> row;
        const EsxNetflowPeaks marks{m_module->GetCacheHighWater(),
                                    m_module->GetPurgatoryHighWater(),
                                    m_module->GetHeapHighWater()};
        const EsxNetflowPeaks peaks = isSample ? m_module->TakePeaks() : EsxNetflowPeaks();
        for (EsxNetflowPeaks part : {m_module->GetLevels(), marks, peaks})
        {
            for (const uint64_t* number : NumbersOf(part))
            {
                row.push_back(*number);
            }
        }
        row.push_back(m_module->GetPurgatoryHighWaterOfLoad());
        for (const EsxMetric& metric : m_metrics)
        {
            const double value = EsxReadHostMetric(m_host, metric).value_or(0);
            std::memcpy(&row.emplace_back(), &value, sizeof(value));
        }
        for (const auto& [id, account] : m_module->GetLedger().GetAccounts())
        {
            row.push_back(id);
            for (unsigned i = 0; i < netflow::MOVES; ++i)
            {
                const netflow::Counts& counts = account.Get(static_cast<netflow::Move>(i));
                row.insert(row.end(), {counts.packets, counts.octets, counts.records});
            }
        }
        m_snapshots.Append(row);
        ++m_snapshotsSince;
    }

    void Leaves(std::size_t uplink, const Ptr<const Packet>& frame)
    {
        if (IsInBoth(frame))
        {
            ++m_exportsSince;
            return;
        }
        std::string octets(frame->GetSize(), '\0');
        frame->CopyData(reinterpret_cast<uint8_t*>(octets.data()), octets.size());
        m_book.frames.push_back({Simulator::Now().GetNanoSeconds(),
                                 static_cast<uint32_t>(uplink),
                                 std::exchange(m_exportsSince, 0),
                                 std::exchange(m_snapshotsSince, 0),
                                 EsxNetDevice::IsInjected(*frame),
                                 std::move(octets)});
    }

    HostBook& Finish(const std::string& likeness)
    {
        const netflow::Journal& journal = m_module->GetJournal();
        m_book.journal.assign(journal.GetEntries().begin(), journal.GetEntries().end());
        m_book.shed.assign(journal.GetShed().begin(), journal.GetShed().end());
        m_module->ForEachLive(
            [&](const netflow::FlowRecord& record) { m_book.live.push_back(record); });
        std::map<uint64_t, uint64_t> places; // of records in the journal
        for (const netflow::JournalEntry& entry : m_book.journal)
        {
            places.emplace(entry.record.id, places.size());
        }
        for (BookedPoll& poll : m_book.polls)
        {
            for (PolledRecord& record : poll.records)
            {
                record.place = places.at(record.place);
            }
        }
        m_book.snapshots = m_snapshots.Take();
        m_book.sends = m_sendsInTime && m_sends == m_datagrams ? m_headers.Take() : std::string();
        m_book.residual = m_module->GetMeteringResidual();
        m_book.breaches = m_module->GetBreaches();
        m_book.tapResidual = m_module->GetTapResidual();
        m_book.likeness = likeness;
        return m_book;
    }

    HostBook& GetBook()
    {
        return m_book;
    }

  private:
    /// A vmknic sends a frame, or one comes to it.
    void Sends(uint64_t vmknic, const Packet& frame)
    {
        EsxExportTag tag;
        if (!frame.PeekPacketTag(tag) || tag.GetExporter() != m_host->GetVmkernelNode()->GetId())
        {
            return;
        }
        ++m_sends;
        m_sendsInTime = m_sendsInTime && m_sendingEvent == Simulator::GetEventCount() &&
                        frame.GetSize() > m_payload; // no fragment
        if (m_sendsInTime)
        {
            const auto octets = static_cast<uint32_t>(frame.GetSize() - m_payload);
            m_header.assign({vmknic, octets});
            m_header.resize(2 + (octets + 7) / 8);
            frame.CopyData(reinterpret_cast<uint8_t*>(&m_header[2]), octets);
            m_headers.Append(m_header);
        }
    }

    /// Records are told by their numbers until Finish().
    void Book(const std::vector<uint16_t>& ids, const std::vector<netflow::QueuedRecord>& records)
    {
        if (records.empty())
        {
            return;
        }
        m_book.polls.push_back({Simulator::Now().GetNanoSeconds(), ids.front(), {}});
        for (const netflow::QueuedRecord& queued : records)
        {
            m_book.polls.back().records.push_back(
                {queued.record.id, queued.queuedAt, queued.expirySequence});
        }
    }

    const Ptr<EsxHost> m_host;
    const Ptr<EsxNetflow> m_module;
    const std::vector<EsxMetric> m_metrics;
    SnapshotWriter m_snapshots;
    SnapshotWriter m_headers;
    std::vector<uint64_t> m_header; //!< of the latest datagram; kept for its memory
    std::size_t m_payload{0};       //!< octets of the latest datagram
    uint64_t m_sendingEvent{0};     //!< of the latest datagram
    uint64_t m_datagrams{0};
    uint64_t m_sends{0};        //!< frames of datagrams at vmknics
    bool m_sendsInTime{true};   //!< one of each datagram, within its event
    uint64_t m_exportsSince{0}; //!< the latest frame of the book
    uint64_t m_snapshotsSince{0};
    HostBook m_book;
};

/// Plays back the book of a host in the simulation of its lab.
class SplitRun::Player
{
  public:
    Player(const Ptr<EsxHost>& host, HostBook&& book, const std::vector<EsxMetric>& metrics)
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
        Simulator::ScheduleNow(&Player::FillJournal, this);
        Simulator::ScheduleNow(&Player::SendFrames, this);
    }

    void AddUplink(const Ptr<NetDevice>& device)
    {
        m_uplinks.push_back(device);
    }

    /// A frame that the host sends by itself is about to: those that left before it go first.
    void Leaves(const Ptr<const Packet>& frame)
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

    /// Sets what the module tells to the state of the next snapshot.
    void Snapshot()
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

    /// \return why the host was not itself; empty: it was
    std::string Finish(const std::string& likeness) const
    {
        return likeness != m_book.likeness         ? "its configuration depends on the traffic"
               : m_nextPoll != m_book.polls.size() ? "it polls otherwise"
                                                   : "";
    }

    const HostBook& GetBook() const
    {
        return m_book;
    }

  private:
    /// Whether the next frame left before all that has not happened yet.
    bool IsDue() const
    {
        return m_nextFrame < m_book.frames.size() &&
               m_book.frames[m_nextFrame].at <= Simulator::Now().GetNanoSeconds() &&
               m_book.frames[m_nextFrame].exports == m_exportsSince &&
               m_book.frames[m_nextFrame].snapshots == m_snapshotsSince;
    }

    void SendFrames()
    {
        while (IsDue())
        {
            const BookedFrame& frame = m_book.frames[m_nextFrame++];
            m_exportsSince = m_snapshotsSince = 0;
            const auto packet =
                Create<Packet>(reinterpret_cast<const uint8_t*>(frame.octets.data()),
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
            Simulator::Schedule(NanoSeconds(std::max<int64_t>(wait, 0)), &Player::SendFrames, this);
        }
    }

    /// Frames of this instant that waited for what has happened now come behind it.
    void FollowUp()
    {
        IsDue() ? static_cast<void>(Simulator::ScheduleNow(&Player::SendFrames, this)) : void();
    }

    /// From the start: records that end later are there, too. The datagram that carries a
    /// record is told when it is sent.
    void FillJournal()
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

    void Poll(const std::vector<uint16_t>& ids, std::vector<netflow::QueuedRecord>& records)
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

    /// Sends the packet of a datagram with the headers that it had.
    void Send(const netflow::Datagram& datagram, const Ptr<Packet>& packet)
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

    const Ptr<EsxHost> m_host;
    const Ptr<EsxNetflow> m_module;
    HostBook m_book;
    SnapshotReader m_snapshots;
    SnapshotReader m_sends{""};
    std::vector<uint8_t> m_octets; //!< of the latest datagram's frame; kept for its memory
    EsxNetflowReplay* m_replay;
    std::vector<std::string> m_keys;
    std::map<std::string, double> m_values;
    std::size_t m_nextPoll{0};
    std::vector<Ptr<NetDevice>> m_uplinks;
    std::size_t m_nextFrame{0};
    uint64_t m_exportsSince{0}; //!< the latest frame of the book was sent
    uint64_t m_snapshotsSince{0};
    bool m_isSending{false};
    std::size_t m_scheduledFrame{SIZE_MAX}; //!< SendFrames() comes at its instant
};

SplitRun::SplitRun(const Scenario& scenario, const std::set<std::string>& apart)
    : m_scenario(scenario),
      m_apart(apart)
{
    for (const Host& host : scenario.hosts)
    {
        for (const Vm& vm : host.vms)
        {
            m_hosts[vm.name] = host.name;
        }
    }
}

SplitRun::~SplitRun() = default;

bool
SplitRun::IsApart() const
{
    return !m_apart.empty();
}

/// \return empty: of none
std::string
SplitRun::HostOf(const TimelineStep& step) const
{
    if (step.kind == StepKind::Signal)
    {
        const auto started =
            std::find_if(m_scenario.timeline.begin(),
                         m_scenario.timeline.end(),
                         [&](const TimelineStep& other) { return other.id == step.process; });
        return started == m_scenario.timeline.end() ? "" : started->host;
    }
    return step.vm.empty() ? step.host : m_hosts.at(step.vm);
}

bool
SplitRun::Takes(const TimelineStep& step) const
{
    const std::string host = IsApart() ? HostOf(step) : "";
    return host.empty() || m_apart.count(host) != 0;
}

void
SplitRun::Silence(const std::string& sender,
                  const Ptr<ns3::Node>& node,
                  const ApplicationContainer& made) const
{
    const auto host = m_hosts.find(sender);
    const bool speaks = IsApart() ? host != m_hosts.end() && m_apart.count(host->second) != 0
                                  : host == m_hosts.end();
    for (uint32_t i = 0; i < made.GetN() && !speaks; ++i)
    {
        if (made.Get(i)->GetNode() == node) // what it sends to hears all the same
        {
            made.Get(i)->SetStartTime(m_scenario.run.duration + Hours(1));
            made.Get(i)->SetStopTime(Time(0)); // never
        }
    }
}

void
SplitRun::Attach(const std::vector<Ptr<EsxHost>>& hosts,
                 std::vector<HostBook>* books,
                 const std::vector<EsxMetric>& metrics,
                 std::function<void()> stop)
{
    m_stop = std::move(stop);
    for (std::size_t i = 0; i < hosts.size(); ++i)
    {
        if (!IsApart())
        {
            m_players.emplace_back(hosts[i], std::move(books->at(i)), metrics);
        }
        else if (m_apart.count(hosts[i]->GetName()) != 0)
        {
            m_recorders.emplace_back(hosts[i], metrics);
        }
    }
}

void
SplitRun::Watch(const Ptr<EsxHost>& host, const Ptr<NetDevice>& device)
{
    const std::string name = host->GetName();
    const std::size_t number = m_uplinks[name]++;
    const auto isOfHost = [&](auto& of) { return of.GetBook().host == name; };
    const auto recorder = std::find_if(m_recorders.begin(), m_recorders.end(), isOfHost);
    const auto player = std::find_if(m_players.begin(), m_players.end(), isOfHost);
    if (player != m_players.end())
    {
        player->AddUplink(device);
    }
    // no Ptr: the device holds what listens to it
    auto* const own = dynamic_cast<EsxEthernetNetDevice*>(PeekPointer(device));
    bool isShared = !own;
    // The network is the second stage's. The first frames show what it would answer: an ARP request
    // for a collector that is not there, an ICMP error.
    constexpr uint32_t first = 100;
    const auto sent = std::make_shared<uint32_t>(0);
    for (const Ptr<EsxUplink>& uplink : host->GetUplinks())
    {
        isShared = isShared || (uplink->GetDevice() == device && uplink->GetQueueDisc());
    }
    device->TraceConnectWithoutContext(
        "PhyRxEnd",
        Callback<void, Ptr<const Packet>>([this, name](Ptr<const Packet> frame) {
            Couple("a frame comes to " + name + " from the network: ", frame);
        }));
    device->TraceConnectWithoutContext(
        "MacTx",
        Callback<void, Ptr<const Packet>>([=, this_ = this](Ptr<const Packet> frame) {
            if (isShared && this_->IsApart() && !IsInBoth(frame))
            {
                this_->Couple("exports wait in the half-duplex link or queue disc of " + name +
                                  " for other frames: ",
                              frame);
            }
            if (recorder != this_->m_recorders.end())
            {
                recorder->Leaves(number, frame);
            }
            if (this_->IsApart() && own && own->GetPeer() && ++*sent == first)
            {
                own->GetPeer()->SetFrameTaker({});
                own->GetPeer()->SetFrameTaker([](const auto&...) {});
            }
            if (player != this_->m_players.end())
            {
                player->Leaves(frame);
            }
        }));
}

void
SplitRun::Couple(const std::string& what, const Ptr<const Packet>& frame)
{
    if (m_coupling.empty())
    {
        m_coupling =
            fmt::format("at {} s {}{}", Simulator::Now().GetSeconds(), what, Describe(frame));
        m_stop();
    }
}

void
SplitRun::SnapshotAt(Time at)
{
    Simulator::Schedule(at, &SplitRun::Snapshot, this, false);
}

void
SplitRun::SnapshotEvery(Time every)
{
    if (every.IsStrictlyPositive())
    {
        Simulator::ScheduleNow(&SplitRun::Sample, this, every);
    }
}

void
SplitRun::Sample(Time every)
{
    Snapshot(true);
    Simulator::Schedule(every, &SplitRun::Sample, this, every);
}

void
SplitRun::Snapshot(bool isSample)
{
    for (Recorder& recorder : m_recorders)
    {
        recorder.Snapshot(isSample);
    }
    for (Player& player : m_players)
    {
        player.Snapshot();
    }
}

void
SplitRun::Finish(const Simulation& simulation, std::deque<StepOutcome>& steps)
{
    const auto refuse = [&](const std::string& why) {
        throw UserError(
            fmt::format("{}: the run cannot be split: {}", m_scenario.document.GetFileName(), why));
    };
    if (!m_coupling.empty())
    {
        refuse(m_coupling);
    }
    if (Simulator::Now() < m_scenario.run.duration)
    {
        throw InterruptedError();
    }
    Snapshot(true);
    const std::map<std::string, std::string> likenesses = LikenessesOf(simulation.GetHosts());
    std::map<std::string, std::vector<StepOutcome*>> stepsOf;
    for (StepOutcome& step : steps)
    {
        stepsOf[HostOf(*step.step)].push_back(&step);
    }
    for (Recorder& recorder : m_recorders)
    {
        HostBook& book = recorder.Finish(likenesses.at(recorder.GetBook().host));
        for (const StepOutcome* step : stepsOf[book.host])
        {
            book.steps.push_back(step->line);
        }
        for (const TrafficPair& pair : simulation.GetTraffic())
        {
            const auto host = m_hosts.find(pair.from);
            if (host != m_hosts.end() && host->second == book.host)
            {
                book.traffic.push_back(pair.outcome);
            }
        }
    }
    simulation.GetResults().ForEachFile(
        [&](const std::string& name, const EsxResultsHelper::Content& content) {
            for (Recorder& recorder : m_recorders)
            {
                const bool isOf = std::any_of(std::begin(TEXTS), std::end(TEXTS), [&](auto end) {
                    return name == recorder.GetBook().host + end;
                });
                if (isOf)
                {
                    content(
                        [&](std::string_view piece) { recorder.GetBook().texts[name] += piece; });
                }
            }
        },
        false);
    for (const Player& player : m_players)
    {
        const HostBook& book = player.GetBook();
        const std::vector<StepOutcome*>& own = stepsOf[book.host];
        const std::string why = own.size() != book.steps.size()
                                    ? "other lines are typed at its console"
                                    : player.Finish(likenesses.at(book.host));
        if (!why.empty())
        {
            refuse(book.host + ": " + why);
        }
        for (std::size_t i = 0; i < own.size(); ++i)
        {
            own[i]->line = book.steps[i];
        }
    }
}

void
SplitRun::Restore(std::vector<TrafficPair>& pairs) const
{
    std::map<std::string, std::pair<const HostBook*, std::size_t>> next;
    for (const Player& player : m_players)
    {
        next[player.GetBook().host] = {&player.GetBook(), 0};
    }
    for (TrafficPair& pair : pairs)
    {
        const auto host = m_hosts.find(pair.from);
        if (host != m_hosts.end() && !next.empty())
        {
            auto& [book, place] = next.at(host->second);
            pair.outcome = book->traffic.at(place++);
        }
    }
}

const std::string*
SplitRun::FindText(const std::string& file) const
{
    for (const Player& player : m_players)
    {
        const auto& texts = player.GetBook().texts;
        if (const auto found = texts.find(file); found != texts.end())
        {
            return &found->second;
        }
    }
    return nullptr;
}

std::vector<HostBook>
SplitRun::TakeBooks()
{
    std::vector<HostBook> books;
    for (Recorder& recorder : m_recorders)
    {
        books.push_back(std::move(recorder.GetBook()));
    }
    return books;
}

void
SimulateApart(const Scenario& scenario,
              const std::set<std::string>& hosts,
              const std::string& folder,
              std::function<bool(const Progress&)> heartbeat)
{
    SimulationOptions options;
    options.apart = hosts;
    options.heartbeat = std::move(heartbeat);
    Simulation simulation(scenario, options);
    simulation.Run();
    for (HostBook& book : simulation.TakeBooks())
    {
        book.Write(folder + "/" + book.host + ".book");
    }
}

std::vector<HostBook>
ReadBooks(const Scenario& scenario, const std::string& folder)
{
    std::vector<HostBook> books(scenario.hosts.size());
    std::atomic<std::size_t> next{0};
    const auto read = [&] {
        for (std::size_t i = next++; i < books.size(); i = next++)
        {
            books[i] = HostBook::Read(folder + "/" + scenario.hosts[i].name + ".book");
        }
    };
    auto other = std::async(std::launch::async, read);
    read();
    other.get();
    return books;
}

} // namespace esxnf
