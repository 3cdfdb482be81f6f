// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/simulation.h"

#include "runner/base/huge-pages.h"
#include "runner/simulation/simulation-world.h"

#include "ns3/config.h"
#include "ns3/esx-host-memory.h"
#include "ns3/names.h"
#include "ns3/node-list.h"
#include "ns3/simulator.h"

#include <algorithm>

namespace esxnf
{

using namespace ns3;

namespace
{

constexpr std::chrono::milliseconds HEARTBEAT{100};

} // namespace

Simulation::Simulation(const Scenario& scenario, const SimulationOptions& options)
    : m_world(std::make_unique<World>(scenario, options))
{
    Builder(*m_world).Build();
}

Simulation::~Simulation()
{
    m_world.reset();
    Simulator::Destroy();
    Names::Clear();
    Config::Reset();
}

void
Simulation::Run()
{
    RunTo(m_world->scenario.run.duration);
    Finish();
}

bool
Simulation::RunTo(Time instant)
{
    World& world = *m_world;
    if (!world.started)
    {
        world.started = true;
        UseHugePages();
        world.scheduler->BeginRun();
        if (ns3::EsxRealClock* clock = world.options.realClock)
        {
            clock->Start(Simulator::Now());
        }
    }
    world.interrupted = false;
    if (world.options.heartbeat)
    {
        world.heartbeatSpacing = MilliSeconds(1);
        world.lastHeartbeat = std::chrono::steady_clock::now();
        world.heartbeat = Simulator::ScheduleNow(&World::Heartbeat, &world);
        world.scheduler->SetBeat([&world](Time next) { world.Beat(next); });
    }
    if (ns3::EsxRealClock* clock = world.options.realClock)
    {
        world.scheduler->SetWait([clock](Time at) { clock->WaitUntil(at); });
    }
    world.scheduler->PauseAt(instant);
    Simulator::Run();
    world.scheduler->SetWait({}); // the simulator takes out events as it is destroyed, too
    world.scheduler->SetBeat({});
    world.heartbeat.Cancel();
    return !world.interrupted;
}

void
Simulation::Finish()
{
    World& world = *m_world;
    world.end = Simulator::Now();
    world.split ? world.split->Finish(*this, world.steps) : void();
    world.results.Finish();
    world.events = Simulator::GetEventCount();
    world.verdicts = world.books.GetExpectations()->Evaluate();
}

Time
Simulation::Now() const
{
    return Simulator::Now();
}

const Scenario&
Simulation::GetScenario() const
{
    return m_world->scenario;
}

bool
Simulation::WasInterrupted() const
{
    return m_world->interrupted;
}

Time
Simulation::GetEnd() const
{
    return m_world->end;
}

uint64_t
Simulation::GetEvents() const
{
    return m_world->events;
}

const std::vector<Ptr<EsxHost>>&
Simulation::GetHosts() const
{
    return m_world->hosts;
}

Ptr<EsxLedger>
Simulation::GetLedger() const
{
    return m_world->books.GetLedger();
}

std::vector<EsxVerdict>
Simulation::GetVerdicts() const
{
    return m_world->verdicts;
}

const EsxResultsHelper&
Simulation::GetResults() const
{
    return m_world->results;
}

std::vector<TrafficPair>
Simulation::GetTraffic() const
{
    std::vector<TrafficPair> pairs = m_world->traffic.GetPairs();
    m_world->split ? m_world->split->Restore(pairs) : void();
    return pairs;
}

void
Simulation::KeepApart(const std::set<std::string>& hosts)
{
    m_world->split->KeepApart(hosts);
}

std::vector<HostBook>
Simulation::TakeBooks()
{
    return m_world->split->TakeBooks();
}

const std::string*
Simulation::FindText(const std::string& file) const
{
    return m_world->split ? m_world->split->FindText(file) : nullptr;
}

const std::deque<StepOutcome>&
Simulation::GetSteps() const
{
    return m_world->steps;
}

std::map<std::string, std::string>
Simulation::GetAnnotatedCaptures() const
{
    std::map<std::string, std::string> files;
    for (const auto& [file, capture] : m_world->annotated)
    {
        files[file] = capture->ToPcapng();
    }
    return files;
}

/// Looks up about ten times a second of real time. Draws no random number and leaves the order of
/// other events alone.
void
Simulation::World::Heartbeat()
{
    const auto elapsed = std::chrono::steady_clock::now() - lastHeartbeat;
    TellProgress(Simulator::Now());
    if (elapsed < HEARTBEAT / 2)
    {
        heartbeatSpacing = std::min<Time>(heartbeatSpacing * 2, Seconds(10));
    }
    else if (elapsed > HEARTBEAT)
    {
        heartbeatSpacing = std::max<Time>(heartbeatSpacing / 2, MicroSeconds(10));
    }
    heartbeat = Simulator::Schedule(heartbeatSpacing, &World::Heartbeat, this);
}

/// Between two events: where much happens in little simulated time, the heartbeat above is late.
void
Simulation::World::Beat(Time next)
{
    if (std::chrono::steady_clock::now() - lastHeartbeat > HEARTBEAT)
    {
        TellProgress(next);
    }
}

void
Simulation::World::TellProgress(Time now)
{
    lastHeartbeat = std::chrono::steady_clock::now();
    if (!interrupted && !options.heartbeat({now, scenario.run.duration}))
    {
        interrupted = true;
        scheduler->PauseAt(MilliSeconds(now.GetMilliSeconds() + 1));
    }
}

void
Simulation::World::Execute(const TimelineStep& step)
{
    const Ptr<EsxConsole> console = hostsByName.at(step.host)->GetObject<EsxConsole>();
    ConsoleWindow& window =
        step.session.empty() ? windows.GetFree(console) : windows.GetNamed(console, step.session);
    steps.push_back({&step, {}});
    LineOutcome& line = steps.back().line;
    window.Type(step.command, line);
    if (!step.id.empty() && line.pid != 0)
    {
        processes[step.id] = {console, &line};
    }
}

void
Simulation::World::Press(const TimelineStep& step)
{
    const Ptr<EsxConsole> console = hostsByName.at(step.host)->GetObject<EsxConsole>();
    ConsoleWindow& window =
        step.session.empty() ? windows.GetLatest(console) : windows.GetNamed(console, step.session);
    step.key == "ctrl-c" ? window.Interrupt() : window.Close();
}

void
Simulation::World::Signal(const TimelineStep& step)
{
    static const std::map<std::string, EsxSignal> SIGNALS = {{"TERM", EsxSignal::TERM},
                                                             {"INT", EsxSignal::INT},
                                                             {"KILL", EsxSignal::KILL}};
    steps.push_back({&step, {}});
    LineOutcome& line = steps.back().line;
    line.exit = 0;
    const auto process = processes.find(step.process);
    if (process != processes.end())
    {
        LineOutcome& target = *process->second.line;
        target.stopped = target.stopped || !target.exit;
    }
    if (process == processes.end() ||
        !process->second.console->Kill(process->second.line->pid, SIGNALS.at(step.signal)))
    {
        line.exit = 1;
        line.errors = "process " + step.process + " is not running\n";
    }
}

void
Simulation::World::Grow(const TimelineStep& step)
{
    HostOf(step.vm)->GetObject<EsxHostMemory>()->Grow(step.vm,
                                                      step.growToBytes,
                                                      step.growPerSecondBytes);
}

Ptr<EsxHost>
Simulation::World::HostOf(const std::string& vm) const
{
    return *std::find_if(hosts.begin(), hosts.end(), [&vm](const Ptr<EsxHost>& host) {
        return host->GetGuest(vm) != nullptr;
    });
}

void
Simulation::World::Export(uint32_t exporter,
                          Ipv4Address collector,
                          Ptr<const Packet> packet,
                          uint32_t headers) const
{
    std::vector<uint8_t> octets(packet->GetSize());
    packet->CopyData(octets.data(), packet->GetSize());
    octets.erase(octets.begin(), octets.begin() + headers);
    const Ptr<EsxHost> host = NodeList::GetNode(exporter)->GetObject<EsxHost>();
    options.exported(host->GetName(), collector, octets);
}

} // namespace esxnf
