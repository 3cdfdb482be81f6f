// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/activity.h"

#include "netflow/flow-record.h"
#include "runner/lab/export-commands.h"
#include "runner/results/text.h"

#include "ns3/esx-port.h"
#include "ns3/esx-vswitch.h"

#include <algorithm>
#include <fmt/format.h>
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
        const StepExpectation wanted = step.expect.value_or(StepExpectation());
        return step.kind == StepKind::Console && step.host == m_host.name && !step.mayBeIdle &&
               !wanted.exitIsAny && !wanted.exitIsNonzero && outcome.line.exit.value_or(0) == 0 &&
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
        verdict.expectation.name =
            fmt::format("metered: {} from {} s on", m_host.name, at.GetSeconds());
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

} // namespace

std::vector<EsxVerdict>
JudgeMetering(const Simulation& simulation)
{
    const Scenario& scenario = simulation.GetScenario();
    const std::set<uint32_t> others = OtherAddresses(scenario);
    std::vector<EsxVerdict> verdicts;
    for (std::size_t i = 0; i < scenario.hosts.size(); ++i)
    {
        HostActivity activity(simulation, scenario.hosts[i], simulation.GetHosts()[i]);
        activity.Count(others);
        activity.AddVerdicts(verdicts);
    }
    return verdicts;
}

std::vector<EsxVerdict>
JudgeTraffic(const std::vector<TrafficPair>& pairs)
{
    std::vector<std::string> silent;
    std::size_t judged = 0;
    for (const TrafficPair& pair : pairs)
    {
        judged += pair.traffic->mayBeSilent ? 0 : 1;
        if (!pair.sent && !pair.traffic->mayBeSilent)
        {
            silent.push_back(
                fmt::format("{} from {} to {}", pair.traffic->name, pair.from, pair.to));
        }
    }
    if (judged == 0)
    {
        return {};
    }
    EsxVerdict verdict;
    verdict.expectation.name = "all traffic is sent";
    verdict.expectation.atLeast = verdict.expectation.atMost = static_cast<double>(judged);
    verdict.measured = static_cast<double>(judged - silent.size());
    verdict.pass = silent.empty();
    if (!silent.empty())
    {
        verdict.why = fmt::format("{} of {} traffic items sent nothing: {}",
                                  silent.size(),
                                  judged,
                                  JoinSome(silent));
    }
    return {verdict};
}

} // namespace esxnf
