// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/activity.h"

#include "netflow/flow-record.h"
#include "runner/lab/export-commands.h"
#include "runner/results/text.h"

#include "ns3/esx-port.h"
#include "ns3/esx-vswitch.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <set>

namespace esxnf
{

namespace
{

using ns3::EsxHost;
using ns3::EsxVerdict;
using ns3::Ptr;
using Process = ns3::EsxConsole::Process;

/// A net-netflow that registered, and the guests' packets that it had counted.
struct Instance
{
    const Process* process{nullptr};
    const StepOutcome* step{nullptr}; //!< that started it; nullptr: none of the timeline
    ns3::Time to;
    uint64_t packets{0};
};

const char* const ALL_SENT = "all traffic is sent";

std::string
MeteredName(const std::string& host, ns3::Time at)
{
    return fmt::format("metered: {} from {} s on", host, at.GetSeconds());
}

/// Whether a net-netflow that a step starts must meter.
bool
IsToMeter(const TimelineStep& step)
{
    const StepExpectation wanted = step.expect.value_or(StepExpectation());
    return step.kind == StepKind::Console && !step.mayBeIdle && !wanted.exitIsAny &&
           !wanted.exitIsNonzero;
}

/// Addresses that are no guest's: of vmknics and collectors.
std::set<uint32_t>
OtherAddresses(const Scenario& scenario)
{
    std::set<uint32_t> addresses;
    for (const Host& host : scenario.hosts)
    {
        for (const Vmknic& vmknic : host.vmknics)
        {
            addresses.insert(vmknic.address.address.Get());
        }
    }
    for (const Node& node : scenario.nodes)
    {
        if (node.address)
        {
            addresses.insert(node.address->address.Get());
        }
    }
    return addresses;
}

/// The metering of one host.
class HostActivity
{
  public:
    HostActivity(const Simulation& simulation, const Host& host, const Ptr<EsxHost>& made)
        : m_simulation(simulation),
          m_host(host),
          m_made(made)
    {
        for (const Process& process : made->GetObject<ns3::EsxConsole>()->GetProcesses())
        {
            const ns3::Time ended = process.program->GetEndedAt();
            if (!process.program->GetRegistered().empty())
            {
                m_instances.push_back({&process,
                                       StepOf(process),
                                       ended.IsStrictlyNegative() ? simulation.GetEnd() : ended});
            }
        }
    }

    void Count(const std::set<uint32_t>& others)
    {
        m_simulation.GetLedger()->ForEachRecord(
            m_made,
            [&](const netflow::FlowRecord& record, netflow::Move, const ns3::EsxExportDatagram*) {
                const netflow::FlowKey& key = record.key;
                const auto port = m_made->GetVSwitchById(key.vSwitch)->GetPort(key.input);
                const bool ofGuest = port && port->GetKind() == ns3::EsxPortKind::VNIC;
                if (ofGuest || others.count(key.source) == 0)
                {
                    Count(record);
                }
            });
    }

    void AddVerdicts(std::vector<EsxVerdict>& verdicts) const
    {
        for (const Instance& instance : m_instances)
        {
            if (instance.step && !instance.step->step->mayBeIdle)
            {
                verdicts.push_back(VerdictOf(instance.process->program->GetStartedAt(),
                                             instance.packets,
                                             "no packet of a guest came by while it ran"));
            }
        }
        for (const StepOutcome& outcome : m_simulation.GetSteps())
        {
            if (WasToStart(outcome) && !HasStarted(outcome))
            {
                verdicts.push_back(VerdictOf(outcome.step->at, 0, "it did not start"));
            }
        }
    }

    /// The least of several instances is told.
    void AddTo(EsxVerdict& verdict) const
    {
        for (const Instance& instance : m_instances)
        {
            const auto packets = static_cast<double>(instance.packets);
            if (packets < 1 && verdict.why.empty())
            {
                verdict.why = fmt::format("none by that of {} from {} s on",
                                          m_host.name,
                                          instance.process->program->GetStartedAt().GetSeconds());
            }
            verdict.measured = std::min(verdict.measured, packets);
        }
    }

    const Host& GetHost() const
    {
        return m_host;
    }

  private:
    const StepOutcome* StepOf(const Process& process) const
    {
        const StepOutcome* found = nullptr;
        for (const StepOutcome& outcome : m_simulation.GetSteps())
        {
            if (outcome.step->kind != StepKind::Console || outcome.step->host != m_host.name)
            {
                continue;
            }
            if (outcome.line.pid == process.pid)
            {
                return &outcome;
            }
            // The one before it of a line that starts several, or one that waited in its line.
            const bool starts = !FindExportCommands(outcome.step->command).empty();
            found =
                starts && outcome.step->at <= process.program->GetStartedAt() ? &outcome : found;
        }
        return found;
    }

    void Count(const netflow::FlowRecord& record)
    {
        const ns3::Time first = ns3::NanoSeconds(record.first) - m_host.uptimeAtStart;
        const ns3::Time last = ns3::NanoSeconds(record.last) - m_host.uptimeAtStart;
        for (Instance& instance : m_instances)
        {
            const auto& program = *instance.process->program;
            const auto& engines = program.GetRegistered();
            const bool monitors =
                std::find(engines.begin(), engines.end(), record.key.vSwitch) != engines.end();
            if (monitors && last >= program.GetStartedAt() && first < instance.to)
            {
                instance.packets += record.packets;
            }
        }
    }

    /// Whether a line that is judged was to start a net-netflow. One that failed is told already.
    bool WasToStart(const StepOutcome& outcome) const
    {
        const TimelineStep& step = *outcome.step;
        return IsToMeter(step) && step.host == m_host.name && outcome.line.exit.value_or(0) == 0 &&
               !outcome.line.waits && !FindExportCommands(step.command).empty();
    }

    bool HasStarted(const StepOutcome& outcome) const
    {
        return std::any_of(m_instances.begin(), m_instances.end(), [&](const Instance& instance) {
            return instance.step == &outcome;
        });
    }

    EsxVerdict VerdictOf(ns3::Time at, uint64_t packets, const char* why) const
    {
        EsxVerdict verdict;
        verdict.expectation.name = MeteredName(m_host.name, at);
        verdict.expectation.atLeast = 1;
        verdict.measured = static_cast<double>(packets);
        verdict.pass = packets > 0;
        verdict.why = packets > 0 ? "" : why;
        return verdict;
    }

    const Simulation& m_simulation;
    const Host& m_host;
    const Ptr<EsxHost> m_made;
    std::vector<Instance> m_instances;
};

/// "metered" of the scenario's own: all net-netflows of a host, or of all hosts.
EsxVerdict
JudgeAll(const Expectation& wanted, const std::vector<HostActivity>& activities)
{
    EsxVerdict verdict;
    verdict.expectation.name = wanted.name;
    verdict.expectation.atLeast = 1;
    verdict.measured = std::numeric_limits<double>::infinity(); // the least of them
    for (const HostActivity& activity : activities)
    {
        if (wanted.host.empty() || wanted.host == activity.GetHost().name)
        {
            activity.AddTo(verdict);
        }
    }
    if (std::isinf(verdict.measured))
    {
        verdict.measured = std::numeric_limits<double>::quiet_NaN();
        verdict.why = "no net-netflow was registered";
    }
    verdict.pass = verdict.measured >= 1;
    return verdict;
}

} // namespace

MeteringVerdicts
JudgeMetering(const Simulation& simulation)
{
    const Scenario& scenario = simulation.GetScenario();
    const std::set<uint32_t> others = OtherAddresses(scenario);
    std::vector<HostActivity> activities;
    MeteringVerdicts verdicts;
    for (std::size_t i = 0; i < scenario.hosts.size(); ++i)
    {
        activities.emplace_back(simulation, scenario.hosts[i], simulation.GetHosts()[i]);
        activities.back().Count(others);
        activities.back().AddVerdicts(verdicts.everyRun);
    }
    for (const Expectation& wanted : scenario.expect)
    {
        if (wanted.check == CHECK_METERED)
        {
            verdicts.asked.push_back(JudgeAll(wanted, activities));
        }
    }
    return verdicts;
}

std::vector<std::string>
ExpectedOfEveryRun(const Scenario& scenario)
{
    std::vector<std::string> names;
    for (const Host& host : scenario.hosts)
    {
        for (const TimelineStep& step : scenario.timeline)
        {
            if (step.host == host.name && IsToMeter(step))
            {
                names.insert(names.end(),
                             FindExportCommands(step.command).size(),
                             MeteredName(host.name, step.at));
            }
        }
    }
    const auto mustSend = [](const Traffic& traffic) { return !traffic.mayBeSilent; };
    if (std::any_of(scenario.traffic.begin(), scenario.traffic.end(), mustSend))
    {
        names.emplace_back(ALL_SENT);
    }
    return names;
}

std::vector<EsxVerdict>
JudgeIdleness(const Simulation& simulation)
{
    const auto sent = [](const TrafficPair& pair) { return pair.outcome.sent; };
    const auto typed = [](const Ptr<EsxHost>& host) { // at a prompt: no steps
        return !host->GetObject<ns3::EsxConsole>()->GetTranscript().empty();
    };
    const auto& pairs = simulation.GetTraffic();
    const auto& hosts = simulation.GetHosts();
    if (!simulation.GetSteps().empty() || std::any_of(pairs.begin(), pairs.end(), sent) ||
        std::any_of(hosts.begin(), hosts.end(), typed))
    {
        return {};
    }
    EsxVerdict verdict;
    verdict.expectation.name = "something is done";
    verdict.expectation.atLeast = 1;
    verdict.why = "no traffic was sent and no console line ran: nothing was examined";
    return {verdict};
}

std::vector<EsxVerdict>
JudgeTraffic(const std::vector<TrafficPair>& pairs)
{
    std::vector<std::string> silent;
    std::vector<std::string> damaged;
    std::size_t judged = 0;
    for (const TrafficPair& pair : pairs)
    {
        const bool isDamaged = pair.outcome.capture && !pair.outcome.capture->damage.empty();
        judged += pair.traffic->mayBeSilent && !isDamaged ? 0 : 1;
        const std::string name =
            fmt::format("{} from {} to {}", pair.traffic->name, pair.from, pair.to);
        if (isDamaged)
        {
            damaged.push_back(name);
        }
        else if (!pair.outcome.sent && !pair.traffic->mayBeSilent)
        {
            silent.push_back(name);
        }
    }
    if (judged == 0)
    {
        return {};
    }
    EsxVerdict verdict;
    verdict.expectation.name = ALL_SENT;
    verdict.expectation.atLeast = verdict.expectation.atMost = static_cast<double>(judged);
    verdict.measured = static_cast<double>(judged - silent.size() - damaged.size());
    verdict.pass = silent.empty() && damaged.empty();
    for (const auto& [what, names] :
         {std::pair("sent nothing", silent), {"replay damaged captures", damaged}})
    {
        if (!names.empty())
        {
            verdict.why += fmt::format("{}{} of {} traffic items {}: {}",
                                       verdict.why.empty() ? "" : "; ",
                                       names.size(),
                                       judged,
                                       what,
                                       JoinSome(names));
        }
    }
    return {verdict};
}

} // namespace esxnf
