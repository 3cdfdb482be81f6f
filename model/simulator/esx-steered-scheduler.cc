// SPDX-License-Identifier: GPL-2.0-only
#include "esx-steered-scheduler.h"

#include "ns3/boolean.h"
#include "ns3/object-factory.h"
#include "ns3/simulator.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxSteeredScheduler);

namespace
{

EsxSteeredScheduler* g_newest = nullptr;

} // namespace

TypeId
EsxSteeredScheduler::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxSteeredScheduler")
            .SetParent<EsxEventHeap>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxSteeredScheduler>()
            .AddAttribute("RealTime",
                          "Wait with each event until the wall clock has come to its time",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxSteeredScheduler::m_realTime),
                          MakeBooleanChecker());
    return tid;
}

EsxSteeredScheduler::EsxSteeredScheduler()
{
    g_newest = this;
}

EsxSteeredScheduler*
EsxSteeredScheduler::Install()
{
    ObjectFactory factory;
    factory.SetTypeId(GetTypeId());
    Simulator::SetScheduler(factory); // the only way to it: the simulator makes it itself
    return g_newest;
}

void
EsxSteeredScheduler::BeginRun()
{
    // The simulator numbers events as they are planned; this one's number is the place of pauses.
    const EventId place = Simulator::Schedule(Time(0), [] {});
    m_place = place.GetUid();
    Simulator::Remove(place);
}

void
EsxSteeredScheduler::PauseAt(Time at)
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
EsxSteeredScheduler::SetWait(std::function<void(Time)> wait)
{
    m_wait = std::move(wait);
}

void
EsxSteeredScheduler::SetBeat(std::function<void(Time)> beat)
{
    m_beat = std::move(beat);
}

void
EsxSteeredScheduler::Insert(const Event& event)
{
    Event placed = event;
    if (m_insertsPause)
    {
        placed.key.m_uid = m_place;
    }
    EsxEventHeap::Insert(placed);
}

Scheduler::Event
EsxSteeredScheduler::RemoveNext()
{
    const Event next = EsxEventHeap::RemoveNext();
    if (m_realTime)
    {
        m_realTime = false;
        m_clock.Start(Simulator::Now());
        m_wait = [this](Time at) { m_clock.WaitUntil(at); };
        // The simulator takes out what is left as it is destroyed: nobody waits for that.
        Simulator::ScheduleDestroy(&EsxSteeredScheduler::SetWait,
                                   Ptr<EsxSteeredScheduler>(this),
                                   std::function<void(Time)>());
    }
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

} // namespace ns3
