// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/steered-scheduler.h"

#include "ns3/object-factory.h"
#include "ns3/simulator.h"

namespace esxnf
{

using namespace ns3;

namespace
{

SteeredScheduler* g_newest = nullptr;

} // namespace

TypeId
SteeredScheduler::GetTypeId()
{
    static TypeId tid =
        TypeId("esxnf::SteeredScheduler").SetParent<EventHeap>().AddConstructor<SteeredScheduler>();
    return tid;
}

SteeredScheduler::SteeredScheduler()
{
    g_newest = this;
}

SteeredScheduler*
SteeredScheduler::Install()
{
    ObjectFactory factory;
    factory.SetTypeId(GetTypeId());
    Simulator::SetScheduler(factory); // the only way to it: the simulator makes it itself
    return g_newest;
}

void
SteeredScheduler::BeginRun()
{
    // The simulator numbers events as they are planned; this one's number is the place of pauses.
    const EventId place = Simulator::Schedule(Time(0), [] {});
    m_place = place.GetUid();
    Simulator::Remove(place);
}

void
SteeredScheduler::PauseAt(Time at)
{
    if (m_isPausePlanned)
    {
        Simulator::Remove(m_pause);
    }
    m_isPausePlanned = true;
    m_insertsPause = true;
    m_pause = Simulator::Schedule(at - Simulator::Now(), [this] {
        m_isPausePlanned = false;
        Simulator::Stop();
    });
    m_insertsPause = false;
}

void
SteeredScheduler::SetWait(std::function<void(Time)> wait)
{
    m_wait = std::move(wait);
}

void
SteeredScheduler::SetBeat(std::function<void(Time)> beat)
{
    m_beat = std::move(beat);
}

void
SteeredScheduler::Insert(const Event& event)
{
    Event placed = event;
    if (m_insertsPause)
    {
        placed.key.m_uid = m_place;
    }
    EventHeap::Insert(placed);
}

Scheduler::Event
SteeredScheduler::RemoveNext()
{
    const Event next = EventHeap::RemoveNext();
    if (m_wait)
    {
        m_wait(TimeStep(next.key.m_ts));
    }
    if (--m_untilBeat == 0)
    {
        m_untilBeat = BEAT;
        if (m_beat)
        {
            m_beat(TimeStep(next.key.m_ts));
        }
    }
    return next;
}

} // namespace esxnf
