// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/split-run.h"

#include "runner/base/process-copy.h"
#include "runner/base/user-error.h"
#include "runner/simulation/host-player.h"
#include "runner/simulation/host-recorder.h"

#include "ns3/esx-ethernet-net-device.h"
#include "ns3/esx-net-netflow.h"
#include "ns3/esx-table.h"
#include "ns3/esx-uplink.h"
#include "ns3/ethernet-header.h"
#include "ns3/ipv4-header.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <atomic>
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
                  const ApplicationContainer& made)
{
    const auto host = m_hosts.find(sender);
    const bool speaks = IsApart() ? host != m_hosts.end() && m_apart.count(host->second) != 0
                                  : host == m_hosts.end();
    for (uint32_t i = 0; i < made.GetN(); ++i)
    {
        if (made.Get(i)->GetNode() != node)
        {
            continue; // what it sends to hears all the same
        }
        if (!speaks)
        {
            Silence(*made.Get(i));
        }
        else if (IsApart())
        {
            m_speakers.emplace(host->second, made.Get(i));
        }
    }
}

void
SplitRun::Silence(Application& application) const
{
    application.SetStartTime(m_scenario.run.duration + Hours(1));
    application.SetStopTime(Time(0)); // never
}

void
SplitRun::KeepApart(const std::set<std::string>& hosts)
{
    m_apart = hosts;
    for (const auto& [host, application] : m_speakers)
    {
        if (hosts.count(host) == 0)
        {
            Silence(*application);  // one that has not been told when to start
            application->Dispose(); // one that has
        }
    }
    for (auto at = m_recorders.begin(); at != m_recorders.end();)
    {
        const auto recorder = at++;
        if (hosts.count(recorder->GetBook().host) == 0)
        {
            m_silent.splice(m_silent.end(), m_recorders, recorder);
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
    for (HostRecorder& recorder : m_recorders)
    {
        recorder.Snapshot(isSample);
    }
    for (HostPlayer& player : m_players)
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
    for (HostRecorder& recorder : m_recorders)
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
            for (HostRecorder& recorder : m_recorders)
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
    for (const HostPlayer& player : m_players)
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
    for (const HostPlayer& player : m_players)
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
    for (const HostPlayer& player : m_players)
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
    for (HostRecorder& recorder : m_recorders)
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
    constexpr std::size_t AT_ONCE = 12;
    bool isCopy = false;                // where Python, which beats, is asleep
    Time begin = scenario.run.duration; // of the first thing that a host does
    for (const Traffic& traffic : scenario.traffic)
    {
        begin = std::min(begin, traffic.start);
    }
    for (const TimelineStep& step : scenario.timeline)
    {
        begin = std::min(begin, step.at);
    }
    SimulationOptions options;
    options.apart = hosts;
    options.heartbeat = [&](const Progress& now) { return isCopy || !heartbeat || heartbeat(now); };
    Simulation simulation(scenario, options);
    const auto simulate = [&](const std::set<std::string>& some) {
        simulation.KeepApart(some);
        simulation.Run();
        for (HostBook& book : simulation.TakeBooks())
        {
            book.Write(folder + "/" + book.host + ".book");
        }
    };
    if (begin.IsStrictlyPositive() && !simulation.RunTo(begin - NanoSeconds(1)))
    {
        throw InterruptedError();
    }
    std::set<std::string> rest = hosts;
    for (bool succeeds = true; succeeds && rest.size() > AT_ONCE;)
    {
        const auto end = std::next(rest.begin(), AT_ONCE);
        ProcessCopy copy([&] {
            isCopy = true;
            simulate({rest.begin(), end});
        });
        while (!copy.HasEnded())
        {
            if (!options.heartbeat({begin, scenario.run.duration}))
            {
                throw InterruptedError();
            }
        }
        succeeds = copy.Succeeded();
        succeeds ? static_cast<void>(rest.erase(rest.begin(), end)) : void();
    }
    simulate(rest);
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
