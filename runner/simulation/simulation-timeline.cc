// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/simulation-timeline.h"

#include "ns3/esx-host-memory.h"
#include "ns3/pointer.h"
#include "ns3/random-variable-stream.h"
#include "ns3/simulator.h"
#include "ns3/string.h"

#include <algorithm>

namespace esxnf
{

using namespace ns3;

Simulation::Timeline::Timeline(World& world)
    : m_world(world)
{
}

void
Simulation::Timeline::Schedule(int64_t stream)
{
    m_stream = stream;
    for (const TimelineStep& step : m_world.scenario.timeline)
    {
        if (!step.session.empty()) // in the order in which they are named
        {
            m_world.windows.GetNamed(m_world.hostsByName.at(step.host)->GetObject<EsxConsole>(),
                                     step.session);
        }
    }
    for (const TimelineStep& step : m_world.scenario.timeline)
    {
        !m_world.split || m_world.split->Takes(step) ? ScheduleStep(step) : void();
    }
}

void
Simulation::Timeline::ScheduleStep(const TimelineStep& step)
{
    const auto vmkernel = [&] {
        return m_world.hostsByName.at(step.host)->GetVmkernelNode()->GetId();
    };
    switch (step.kind)
    {
    case StepKind::Console:
        ScheduleAct(step.at, vmkernel(), step, [this_ = &m_world, &step] { this_->Execute(step); });
        break;
    case StepKind::Press:
        ScheduleAct(step.at, vmkernel(), step, [this_ = &m_world, &step] { this_->Press(step); });
        break;
    case StepKind::Signal:
        ScheduleAct(step.at, Simulator::NO_CONTEXT, step, [this_ = &m_world, &step] {
            this_->Signal(step);
        });
        break;
    case StepKind::Power:
    case StepKind::Connection:
    case StepKind::MacChange:
    case StepKind::Vmotion:
        ScheduleVmStep(step);
        break;
    case StepKind::MemoryPressure:
    case StepKind::Grow:
    case StepKind::LinkDown:
    case StepKind::LinkSet:
    case StepKind::NodeDown:
    case StepKind::NodeSet:
        ScheduleEpisode(step);
    }
}

/// Schedules what a step does; nothing, where its host is not one of those that are simulated
/// apart.
void
Simulation::Timeline::ScheduleAct(Time at,
                                  uint32_t context,
                                  const TimelineStep& step,
                                  std::function<void()> act)
{
    Simulator::ScheduleWithContext(context,
                                   at,
                                   [split = m_world.split.get(), &step, act = std::move(act)] {
                                       !split || split->Takes(step) ? act() : void();
                                   });
}

Simulation::Timeline::Episode
Simulation::Timeline::EpisodeOf(const TimelineStep& step)
{
    const TimelineStep* s = &step;
    if (step.kind == StepKind::Grow)
    {
        return {[this_ = &m_world, s] { this_->Grow(*s); }, nullptr};
    }
    if (step.kind == StepKind::NodeDown)
    {
        const auto collector = m_world.collectors.at(step.node);
        return {[collector] { collector->SetDown(true); },
                [collector] { collector->SetDown(false); }};
    }
    if (step.kind == StepKind::LinkDown)
    {
        Cable* cable = m_world.cables.at(step.link).get();
        return {[cable] { cable->SetDown(true); }, [cable] { cable->SetDown(false); }};
    }
    const auto memory =
        step.freePercent ? m_world.hostsByName.at(step.host)->GetObject<EsxHostMemory>() : nullptr;
    const std::vector<Change> changes = ChangesOf(step);
    return {[changes, memory, s] {
                for (const Change& change : changes)
                {
                    change.object->SetAttribute(change.attribute, *change.value);
                }
                memory ? memory->Hold(*s->freePercent) : void();
            },
            [changes, memory] {
                for (const Change& change : changes)
                {
                    change.object->SetAttribute(change.attribute, *change.before);
                }
                memory ? memory->Release() : void();
            }};
}

/// The objects whose attributes a step may set.
std::vector<Ptr<Object>>
Simulation::Timeline::RootsOf(const TimelineStep& step) const
{
    if (!step.link.empty())
    {
        const Cable& cable = *m_world.cables.at(step.link);
        return {cable.GetDevice(0), cable.GetDevice(1)};
    }
    return {step.node.empty() ? Ptr<Object>(m_world.hostsByName.at(step.host))
                              : Ptr<Object>(m_world.nodes.at(step.node))};
}

/// The values that keys of a step set. Random variables get streams of their own.
std::vector<Simulation::Timeline::Change>
Simulation::Timeline::ChangesOf(const TimelineStep& step)
{
    std::vector<Change> changes;
    const auto& settings = SettingsOf(m_world.scenario.attributes, step.path);
    const auto objects = settings.empty() ? std::vector<Ptr<Object>>() : ObjectsFrom(RootsOf(step));
    for (const AttributeSetting& setting : settings)
    {
        const TypeId type = TypeId::LookupByName(setting.type);
        TypeId::AttributeInformation info;
        type.LookupAttributeByName(setting.name, &info);
        const std::size_t before = changes.size();
        for (const Ptr<Object>& object : objects)
        {
            const TypeId its = object->GetInstanceTypeId();
            if (its == type || its.IsChildOf(type))
            {
                const auto present = info.checker->Create();
                object->GetAttribute(setting.name, *present);
                const auto value = info.checker->CreateValidValue(StringValue(setting.value));
                changes.push_back({object, setting.name, present, value});
                const auto pointer = DynamicCast<PointerValue>(value);
                if (const auto random = pointer ? pointer->Get<RandomVariableStream>() : nullptr)
                {
                    random->SetStream(m_stream++);
                }
            }
        }
        if (changes.size() == before)
        {
            throw ScenarioError(Diagnostics{
                m_world.scenario.At(Severity::Error,
                                    setting.path,
                                    "nothing here has " + setting.type + "::" + setting.name)});
        }
    }
    return changes;
}

void
Simulation::Timeline::ScheduleVmStep(const TimelineStep& step)
{
    const uint32_t nic = step.nic.empty() ? 0 : std::stoul(step.nic.substr(3)); // ethN
    World* world = &m_world;
    ScheduleAct(step.at, m_world.nodes.at(step.vm)->GetId(), step, [world, nic, &step] {
        const Ptr<EsxHost> host = world->HostOf(step.vm);
        StepOutcome outcome{&step, {}};
        if (step.kind == StepKind::MacChange)
        {
            host->GetGuest(step.vm)->vnics[nic]->SetAddress(step.mac);
        }
        else if (step.kind == StepKind::Connection)
        {
            outcome.line.errors = host->SetConnected(step.vm, nic, step.on);
        }
        else if (step.kind == StepKind::Vmotion)
        {
            outcome.line.errors =
                host->MoveGuest(step.vm, world->hostsByName.at(step.vmotionTo), step.downtime);
        }
        else if (step.on)
        {
            outcome.line.errors = host->PowerOn(step.vm);
        }
        else
        {
            host->PowerOff(step.vm);
        }
        outcome.line.exit = outcome.line.errors.empty() ? 0 : 1;
        outcome.line.errors += outcome.line.errors.empty() ? "" : "\n";
        world->steps.push_back(outcome);
    });
}

void
Simulation::Timeline::ScheduleEpisode(const TimelineStep& step)
{
    const auto [begin, end] = EpisodeOf(step);
    ScheduleAct(step.at, Simulator::NO_CONTEXT, step, begin);
    if (step.length)
    {
        ScheduleAct(step.at + *step.length, Simulator::NO_CONTEXT, step, end);
    }
}

} // namespace esxnf
