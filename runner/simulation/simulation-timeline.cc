// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/simulation-timeline.h"

#include "ns3/esx-host-memory.h"
#include "ns3/simulator.h"

#include <algorithm>

namespace esxnf
{

using namespace ns3;

Simulation::Timeline::Timeline(World& world)
    : m_world(world)
{
}

void
Simulation::Timeline::Schedule()
{
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
        Simulator::ScheduleWithContext(vmkernel(), step.at, [this_ = &m_world, &step] {
            this_->Execute(step);
        });
        break;
    case StepKind::Press:
        Simulator::ScheduleWithContext(vmkernel(), step.at, [this_ = &m_world, &step] {
            this_->Press(step);
        });
        break;
    case StepKind::Signal:
        Simulator::Schedule(step.at, [this_ = &m_world, &step] { this_->Signal(step); });
        break;
    case StepKind::Power:
    case StepKind::Connection:
    case StepKind::MacChange:
    case StepKind::Vmotion:
        ScheduleVmStep(step);
        break;
    default:
        ScheduleEpisode(step);
    }
}

Simulation::Timeline::Episode
Simulation::Timeline::EpisodeOf(const TimelineStep& step)
{
    const TimelineStep* s = &step;
    switch (step.kind)
    {
    case StepKind::MemoryPressure:
        return PressureOf(step);
    case StepKind::Grow:
        return {[this_ = &m_world, s] { this_->Grow(*s); }, nullptr};
    case StepKind::NodeDown: {
        const auto collector = CollectorOf(step.node);
        return {[collector] { collector->SetDown(true); },
                [collector] { collector->SetDown(false); }};
    }
    case StepKind::NodeSet: {
        const auto collector = CollectorOf(step.node);
        TimeValue before;
        collector->GetAttribute("ServiceTime", before);
        return {[collector, s] {
                    collector->SetAttribute("ServiceTime", TimeValue(*s->set.serviceTime));
                },
                [collector, before] { collector->SetAttribute("ServiceTime", before); }};
    }
    case StepKind::LinkDown: {
        Cable* cable = m_world.cables.at(step.link).get();
        return {[cable] { cable->SetDown(true); }, [cable] { cable->SetDown(false); }};
    }
    default:
        Cable* cable = m_world.cables.at(step.link).get();
        return {[cable, s] { cable->Apply(s->set); }, [cable, s] { cable->Restore(s->set); }};
    }
}

Simulation::Timeline::Episode
Simulation::Timeline::PressureOf(const TimelineStep& step)
{
    const TimelineStep* s = &step;
    const Ptr<EsxHost> host = m_world.hostsByName.at(step.host);
    const auto module = host->GetObject<EsxNetflow>();
    const auto memory = host->GetObject<EsxHostMemory>();
    return {[module, memory, s] {
                if (s->netflowHeapBytes)
                {
                    module->SetHeapMax(*s->netflowHeapBytes);
                }
                if (s->freePercent)
                {
                    memory->Hold(*s->freePercent);
                }
            },
            [module, memory, s, before = module->GetHeapMax()] {
                if (s->netflowHeapBytes)
                {
                    module->SetHeapMax(before);
                }
                if (s->freePercent)
                {
                    memory->Release();
                }
            }};
}

Ptr<EsxNetflowCollector>
Simulation::Timeline::CollectorOf(const std::string& node) const
{
    const Ptr<ns3::Node> made = m_world.nodes.at(node);
    for (uint32_t i = 0; i < made->GetNApplications(); ++i)
    {
        if (const auto collector = DynamicCast<EsxNetflowCollector>(made->GetApplication(i)))
        {
            return collector;
        }
    }
    return nullptr; // not reached: the check sees to it that the node is a collector
}

void
Simulation::Timeline::ScheduleVmStep(const TimelineStep& step)
{
    const uint32_t nic = step.nic.empty() ? 0 : std::stoul(step.nic.substr(3)); // ethN
    World* world = &m_world;
    Simulator::ScheduleWithContext(
        m_world.nodes.at(step.vm)->GetId(),
        step.at,
        [world, nic, &step] {
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
    Simulator::Schedule(step.at, begin);
    if (step.length)
    {
        Simulator::Schedule(step.at + *step.length, end);
    }
}

} // namespace esxnf
