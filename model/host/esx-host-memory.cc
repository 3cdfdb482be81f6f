// SPDX-License-Identifier: GPL-2.0-only
#include "esx-host-memory.h"

#include "esx-host.h"

#include "ns3/abort.h"
#include "ns3/double.h"
#include "ns3/log.h"
#include "ns3/simulator.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <array>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxHostMemory");
NS_OBJECT_ENSURE_REGISTERED(EsxHostMemory);

namespace
{

constexpr uint64_t MIB = 1024ULL * 1024;

/// Percent free, by State (documented).
constexpr std::array<double, 4> THRESHOLDS{6, 4, 2, 1};

} // namespace

TypeId
EsxHostMemory::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxHostMemory")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxHostMemory>()
            .AddAttribute("Total",
                          "Memory of the host in octets",
                          UintegerValue(16384 * MIB),
                          MakeUintegerAccessor(&EsxHostMemory::m_total),
                          MakeUintegerChecker<uint64_t>(1))
            .AddAttribute("Kernel",
                          "Octets that VMkernel and service console keep (our choice)",
                          UintegerValue(512 * MIB),
                          MakeUintegerAccessor(&EsxHostMemory::m_kernel),
                          MakeUintegerChecker<uint64_t>())
            .AddAttribute("Hysteresis",
                          "Percent free by which a threshold must be exceeded to leave a state "
                          "upwards (our choice)",
                          DoubleValue(0.5),
                          MakeDoubleAccessor(&EsxHostMemory::m_hysteresis),
                          MakeDoubleChecker<double>(0, 50))
            .AddAttribute("BalloonRate",
                          "Octets a second that ballooning takes back in the soft state (our "
                          "choice)",
                          UintegerValue(16 * MIB),
                          MakeUintegerAccessor(&EsxHostMemory::m_balloonRate),
                          MakeUintegerChecker<uint64_t>())
            .AddAttribute("SwapRate",
                          "Octets a second that paging takes back in the hard and low states (our "
                          "choice)",
                          UintegerValue(64 * MIB),
                          MakeUintegerAccessor(&EsxHostMemory::m_swapRate),
                          MakeUintegerChecker<uint64_t>())
            .AddAttribute("Interval",
                          "Time between updates while memory moves (our choice)",
                          TimeValue(MilliSeconds(100)),
                          MakeTimeAccessor(&EsxHostMemory::m_interval),
                          MakeTimeChecker(MilliSeconds(1)))
            .AddTraceSource("State",
                            "The state changed: from, to",
                            MakeTraceSourceAccessor(&EsxHostMemory::m_stateTrace),
                            "ns3::EsxHostMemory::StateTracedCallback");
    return tid;
}

EsxHostMemory::EsxHostMemory() = default;
EsxHostMemory::~EsxHostMemory() = default;

std::string
EsxHostMemory::AddVirtualMachine(const std::string& name,
                                 uint64_t size,
                                 uint64_t reservation,
                                 uint64_t touched)
{
    NS_ABORT_MSG_IF(reservation > size || touched > size,
                    name << ": reservation and touched memory are at most the size");
    uint64_t reserved = m_kernel + reservation;
    for (const VirtualMachine& machine : m_machines)
    {
        reserved += machine.reservation;
    }
    if (reserved > m_total)
    {
        return name + ": not enough memory for its reservation";
    }
    m_machines.push_back({name, size, reservation, touched, 0, touched, 0});
    Wake();
    return "";
}

std::vector<EsxHostMemory::VirtualMachine>::iterator
EsxHostMemory::Find(const std::string& name)
{
    return std::find_if(m_machines.begin(), m_machines.end(), [&](const VirtualMachine& m) {
        return m.name == name;
    });
}

std::string
EsxHostMemory::MoveVirtualMachine(const std::string& name, const Ptr<EsxHostMemory>& to)
{
    const auto found = Find(name);
    if (found == m_machines.end())
    {
        return ""; // its memory is not modelled
    }
    const VirtualMachine& own = *found;
    const std::string wrong =
        to ? to->AddVirtualMachine(name, own.size, own.reservation, own.touched) : "";
    if (wrong.empty())
    {
        if (to)
        {
            to->Grow(name, own.goal, own.rate);
        }
        m_machines.erase(found);
        Wake();
    }
    return wrong;
}

void
EsxHostMemory::Grow(const std::string& name, uint64_t goal, uint64_t rate)
{
    const auto machine = Find(name);
    NS_ABORT_MSG_IF(machine == m_machines.end(), "no virtual machine " << name);
    machine->goal = std::clamp(goal, machine->touched, machine->size);
    machine->rate = rate;
    Wake();
}

const std::vector<EsxHostMemory::VirtualMachine>&
EsxHostMemory::GetVirtualMachines() const
{
    return m_machines;
}

void
EsxHostMemory::Hold(double freePercent)
{
    m_held = freePercent;
    Wake();
}

void
EsxHostMemory::Release()
{
    m_held = -1;
    Wake();
}

uint64_t
EsxHostMemory::GetFree() const
{
    uint64_t used = m_kernel;
    for (const VirtualMachine& machine : m_machines)
    {
        used += machine.touched - machine.reclaimed;
    }
    return m_total > used ? m_total - used : 0;
}

double
EsxHostMemory::GetFreePercent() const
{
    return m_held >= 0 ? m_held
                       : 100.0 * static_cast<double>(GetFree()) / static_cast<double>(m_total);
}

EsxHostMemory::State
EsxHostMemory::GetState() const
{
    return m_state;
}

uint64_t
EsxHostMemory::GetBallooned() const
{
    uint64_t octets = 0;
    for (const VirtualMachine& machine : m_machines)
    {
        octets += machine.ballooned;
    }
    return octets;
}

uint64_t
EsxHostMemory::GetSwapped() const
{
    uint64_t octets = 0;
    for (const VirtualMachine& machine : m_machines)
    {
        octets += machine.reclaimed - machine.ballooned;
    }
    return octets;
}

bool
EsxHostMemory::IsGrowthAllowed() const
{
    return m_state < HARD;
}

const char*
EsxHostMemory::ToString(State state)
{
    static constexpr std::array<const char*, 4> names{"high", "soft", "hard", "low"};
    return names[state];
}

void
EsxHostMemory::DoDispose()
{
    m_update.Cancel();
    Object::DoDispose();
}

void
EsxHostMemory::Update()
{
    GrowAll();
    Reclaim();
    Judge();
    if (IsMoving())
    {
        m_update = Simulator::Schedule(m_interval, &EsxHostMemory::Update, this);
    }
}

void
EsxHostMemory::GrowAll()
{
    uint64_t free = GetFree();
    for (VirtualMachine& machine : m_machines)
    {
        const auto step =
            static_cast<uint64_t>(static_cast<double>(machine.rate) * m_interval.GetSeconds());
        // A machine that touches memory which does not exist waits for it.
        const uint64_t more = std::min({step, machine.goal - machine.touched, free});
        machine.touched += more;
        free -= more;
    }
}

/// \return octets a second; 0: there is nothing to reclaim for
uint64_t
EsxHostMemory::GetReclaimRate() const
{
    return m_state == HIGH || m_held >= 0 ? 0 : (m_state == SOFT ? m_balloonRate : m_swapRate);
}

void
EsxHostMemory::Reclaim()
{
    auto wanted =
        static_cast<uint64_t>(static_cast<double>(GetReclaimRate()) * m_interval.GetSeconds());
    for (VirtualMachine& machine : m_machines)
    {
        const uint64_t held = machine.touched - machine.reclaimed;
        const uint64_t spare = held > machine.reservation ? held - machine.reservation : 0;
        const uint64_t taken = std::min(wanted, spare);
        machine.reclaimed += taken;
        machine.ballooned += m_state == SOFT ? taken : 0;
        wanted -= taken;
    }
}

/// Down to the lowest state whose threshold is undercut; up by one state after the other, each when
/// its own threshold is exceeded by the hysteresis.
void
EsxHostMemory::Judge()
{
    const double free = GetFreePercent();
    const State before = m_state;
    while (m_state < LOW && free < THRESHOLDS[m_state + 1])
    {
        m_state = static_cast<State>(m_state + 1);
    }
    while (m_state <= before && m_state > HIGH && free >= THRESHOLDS[m_state - 1] + m_hysteresis)
    {
        m_state = static_cast<State>(m_state - 1);
    }
    if (m_state != before)
    {
        Log(free);
        NS_LOG_INFO("memory: " << ToString(before) << " to " << ToString(m_state) << ", " << free
                               << " % free");
        m_stateTrace(before, m_state);
    }
}

void
EsxHostMemory::Log(double free) const
{
    if (const Ptr<EsxHost> host = GetObject<EsxHost>())
    {
        const auto tenths = static_cast<uint64_t>(free * 10);
        host->GetLog()->Log("MemSched",
                            207,
                            "memory state is " + std::string(ToString(m_state)) + ": " +
                                std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
                                "% free");
    }
}

/// Judges now, and goes on from there.
void
EsxHostMemory::Wake()
{
    Judge();
    if (!m_update.IsExpired() || !IsMoving())
    {
        return;
    }
    m_update = Simulator::Schedule(m_interval, &EsxHostMemory::Update, this);
}

/// Whether time changes anything: somebody grows, or something can be reclaimed.
bool
EsxHostMemory::IsMoving() const
{
    const bool room = GetFree() > 0;
    return std::any_of(m_machines.begin(), m_machines.end(), [&](const VirtualMachine& m) {
        const bool grows = room && m.rate > 0 && m.touched < m.goal;
        const bool gives = GetReclaimRate() > 0 && m.touched - m.reclaimed > m.reservation;
        return grows || gives;
    });
}

} // namespace ns3
