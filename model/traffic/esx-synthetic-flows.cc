// SPDX-License-Identifier: GPL-2.0-only
#include "esx-synthetic-flows.h"

#include "esx-synthetic-path.h"
#include "model/esx-compat.h"

#include "ns3/abort.h"
#include "ns3/double.h"
#include "ns3/enum.h"
#include "ns3/esx-event-heap.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <cmath>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxSyntheticFlows);

namespace
{

constexpr uint8_t PROTOCOL_TCP = 6;
constexpr uint8_t PROTOCOL_UDP = 17;
constexpr uint32_t IP_MAX_OCTETS = 65535;
constexpr double NS_PER_HOUR = 3'600'000'000'000;
constexpr std::size_t KEYS = 1024; // that may come again

int64_t
ToNs(double seconds)
{
    constexpr double most = 1e9; // 31 years: later than any run ends, and no overflow
    return std::llround(std::clamp(seconds, 0.0, most) * 1e9);
}

} // namespace

TypeId
EsxSyntheticFlows::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxSyntheticFlows")
            .SetParent<EsxFrameSource>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxSyntheticFlows>()
            .AddAttribute("Interval",
                          "Seconds from one begin of flows to the next; the first is at once.",
                          StringValue("ns3::ConstantRandomVariable[Constant=1.0]"),
                          MakePointerAccessor(&EsxSyntheticFlows::m_interval),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute("Together",
                          "Flows that begin at each such instant.",
                          UintegerValue(1),
                          MakeUintegerAccessor(&EsxSyntheticFlows::m_together),
                          MakeUintegerChecker<uint32_t>(1))
            .AddAttribute("Flows",
                          "Flows in total; 0: until the injector stops.",
                          UintegerValue(0),
                          MakeUintegerAccessor(&EsxSyntheticFlows::m_flows),
                          MakeUintegerChecker<uint64_t>())
            .AddAttribute("Duration",
                          "Seconds from a flow's first packet to its last.",
                          StringValue("ns3::ConstantRandomVariable[Constant=1.0]"),
                          MakePointerAccessor(&EsxSyntheticFlows::m_duration),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute("Packets",
                          "Packets of a flow, rounded, at least 1.",
                          StringValue("ns3::ConstantRandomVariable[Constant=10.0]"),
                          MakePointerAccessor(&EsxSyntheticFlows::m_packets),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute("PacketSize",
                          "IP total length in octets of packets; at least their headers. 4096 are "
                          "drawn, and each flow takes those from a place of its own on.",
                          StringValue("ns3::ConstantRandomVariable[Constant=500.0]"),
                          MakePointerAccessor(&EsxSyntheticFlows::m_packetSize),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute("Protocol",
                          "Transport of all flows.",
                          EnumValue(UDP),
                          MakeEsxEnumAccessor<Protocol>(&EsxSyntheticFlows::m_protocol),
                          MakeEnumChecker(UDP, "Udp", TCP, "Tcp"))
            .AddAttribute("Port",
                          "Destination port of the first flows.",
                          UintegerValue(5001),
                          MakeUintegerAccessor(&EsxSyntheticFlows::m_port),
                          MakeUintegerChecker<uint16_t>())
            .AddAttribute("Dscp",
                          "Differentiated services code point.",
                          UintegerValue(0),
                          MakeUintegerAccessor(&EsxSyntheticFlows::m_dscp),
                          MakeUintegerChecker<uint8_t>(0, 63))
            .AddAttribute("SourceNetwork",
                          "With SourceMask: each flow has a random source address of this network "
                          "(spoofed). 0.0.0.0: all have the device's.",
                          Ipv4AddressValue(Ipv4Address::GetZero()),
                          MakeIpv4AddressAccessor(&EsxSyntheticFlows::m_sourceNetwork),
                          MakeIpv4AddressChecker())
            .AddAttribute("SourceMask",
                          "Mask of SourceNetwork.",
                          Ipv4MaskValue(Ipv4Mask::GetOnes()),
                          MakeIpv4MaskAccessor(&EsxSyntheticFlows::m_sourceMask),
                          MakeIpv4MaskChecker())
            .AddAttribute("Again",
                          "Probability that a flow has the key of one of the 1024 flows before it.",
                          DoubleValue(0),
                          MakeDoubleAccessor(&EsxSyntheticFlows::m_again),
                          MakeDoubleChecker<double>(0, 1))
            .AddAttribute(
                "Rtt",
                "Seconds from a flow's first packet to that of its answers, which last as "
                "long as it; null: there are none, but those of a profile.",
                PointerValue(),
                MakePointerAccessor(&EsxSyntheticFlows::m_rtt),
                MakePointerChecker<RandomVariableStream>())
            .AddAttribute("AnswerPackets",
                          "Packets of a flow's answers, rounded, at least 1.",
                          StringValue("ns3::ConstantRandomVariable[Constant=10.0]"),
                          MakePointerAccessor(&EsxSyntheticFlows::m_answerPackets),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute("AnswerSize",
                          "IP total length of each packet of answers in octets.",
                          StringValue("ns3::ConstantRandomVariable[Constant=1000.0]"),
                          MakePointerAccessor(&EsxSyntheticFlows::m_answerSize),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute(
                "Compression",
                "Factor by which a day passes faster: hours last 3600 s / Compression, and "
                "times of a profile are divided by it.",
                DoubleValue(1),
                MakeDoubleAccessor(&EsxSyntheticFlows::m_compression),
                MakeDoubleChecker<double>(1, 1e6))
            .AddAttribute("Fidelity",
                          "Packet: each packet is sent. Flow: within a vSwitch, and over links "
                          "without contention, only those that decide something; results are the "
                          "same. Wants the list of events EsxEventHeap.",
                          EnumValue(PACKET),
                          MakeEsxEnumAccessor<Fidelity>(&EsxSyntheticFlows::m_fidelity),
                          MakeEnumChecker(PACKET, "Packet", FLOW, "Flow"));
    return tid;
}

EsxSyntheticFlows::EsxSyntheticFlows()
    : m_spoof(CreateObject<UniformRandomVariable>()),
      m_choice(CreateObject<UniformRandomVariable>()),
      m_octets(IP_MAX_OCTETS)
{
}

EsxSyntheticFlows::~EsxSyntheticFlows() = default;

void
EsxSyntheticFlows::SetSourceAddress(Ipv4Address address)
{
    m_source = address;
}

void
EsxSyntheticFlows::AddDestination(Ipv4Address address)
{
    m_destinations.push_back(address.Get());
}

void
EsxSyntheticFlows::SetHours(const std::vector<double>& factors)
{
    const auto bad = [](double factor) { return !(factor >= 0); };
    const auto good = [](double factor) { return factor > 0; };
    NS_ABORT_MSG_IF(std::any_of(factors.begin(), factors.end(), bad) ||
                        (!factors.empty() && std::none_of(factors.begin(), factors.end(), good)),
                    "EsxSyntheticFlows: hours are factors >= 0, one of them > 0");
    m_hours = factors;
}

void
EsxSyntheticFlows::SetServices(const std::vector<Service>& services)
{
    m_services = services;
    double sum = 0;
    for (Service& service : m_services)
    {
        NS_ABORT_MSG_IF(!(service.weight > 0), "EsxSyntheticFlows: a service has a weight > 0");
        service.weight = sum += service.weight;
    }
}

void
EsxSyntheticFlows::SetPools(Ptr<const EsxAddressPools> pools, bool areSources)
{
    m_pools = pools;
    m_pooledSources = areSources;
}

void
EsxSyntheticFlows::SetProfile(std::vector<EsxProfiledFlow> profile)
{
    m_profile = std::move(profile);
}

bool
EsxSyntheticFlows::IsMixed() const
{
    return !m_services.empty() || m_pools || m_again > 0 || m_rtt;
}

int64_t
EsxSyntheticFlows::AssignStreams(int64_t stream)
{
    int64_t used = 0;
    std::vector<Ptr<RandomVariableStream>> all{m_interval,
                                               m_duration,
                                               m_packets,
                                               m_packetSize,
                                               m_spoof};
    if (IsMixed()) // else what comes later keeps the streams that it had without all this
    {
        all.insert(all.end(), {m_choice, m_answerPackets, m_answerSize});
        all.insert(all.end(), m_rtt ? 1 : 0, m_rtt);
    }
    for (const Ptr<RandomVariableStream>& variable : all)
    {
        variable->SetStream(stream + used++);
    }
    return used;
}

uint64_t
EsxSyntheticFlows::GetBegun() const
{
    return m_begun;
}

uint64_t
EsxSyntheticFlows::GetRank() const
{
    return m_rank;
}

uint64_t
EsxSyntheticFlows::CountPassed()
{
    for (EsxSyntheticFlow& flow : m_all)
    {
        if (flow.IsDeferred())
        {
            flow.SettleSent();
        }
    }
    return m_passed;
}

void
EsxSyntheticFlows::Begin(EsxInjector& injector, uint64_t rank)
{
    m_rank = rank;
    if (m_fidelity == FLOW)
    {
        NS_ABORT_MSG_UNLESS(EsxEventHeap::IsInUse(),
                            "EsxSyntheticFlows: Fidelity=Flow wants the list of events "
                            "ns3::EsxEventHeap (--SchedulerType=ns3::EsxEventHeap)");
        m_injector = &injector;
    }
}

bool
EsxSyntheticFlows::Next(EsxInjectedFrame& frame)
{
    NS_ABORT_MSG_IF(m_destinations.empty(), "EsxSyntheticFlows: no destination");
    if (m_begun == 0)
    {
        SkipIdleHours();
    }
    DropStale();
    while (HasMore() && (m_due.empty() || m_nextBegin <= m_due.top().at))
    {
        m_profile.empty() ? BeginFlows() : BeginProfiled();
    }
    if (m_due.empty())
    {
        return false;
    }
    const Due due = m_due.top();
    m_due.pop();
    m_index = due.index;
    EsxSyntheticFlow& flow = m_all[due.flow];
    frame.at = NanoSeconds(due.at);
    frame.packet = m_injector ? nullptr : MakePacket(flow, due.index);
    frame.protocol = EsxSyntheticFlow::ETHERTYPE;
    frame.target = flow.key.target;
    frame.isAnswer = flow.isAnswer;
    frame.source.reset();
    frame.order = due.order;
    frame.flow = due.flow;
    if (!m_injector) // as if it was sent
    {
        ++flow.sent;
        flow.sent < flow.packets ? Plan(due.flow, flow.sent) : Forget(flow);
    }
    return true;
}

void
EsxSyntheticFlows::Return(const EsxInjectedFrame& frame)
{
    m_due.push({frame.at.GetNanoSeconds(), frame.order, frame.flow, m_index});
}

void
EsxSyntheticFlows::Sending(const EsxInjectedFrame& frame)
{
    if (m_injector && m_all[frame.flow].IsDeferred())
    {
        m_all[frame.flow].Undefer(m_index);
    }
}

/// Within a vSwitch the packet that begins a deferral is metered, too, without being made.
bool
EsxSyntheticFlows::Pass(EsxInjectedFrame& frame, const EsxInjectedWay& way)
{
    if (!m_injector)
    {
        return false;
    }
    EsxSyntheticFlow& flow = m_all[frame.flow];
    EsxSyntheticFlow::Way within;
    uint32_t next = 0;
    if (flow.sent < flow.tryFrom || !way.adapter || !FindWay(flow, way, within) ||
        within.passage.to->GetDevice() != way.to ||
        !flow.Pass(*this, within, m_injector->GetStart(), next))
    {
        frame.packet = MakePacket(flow, m_index);
        return false;
    }
    NotifyPassed(1);
    if (next == flow.sent)
    {
        Refuse(flow);
    }
    if (next < flow.packets)
    {
        Plan(frame.flow, next);
    }
    return true;
}

void
EsxSyntheticFlows::Sent(const EsxInjectedFrame& frame, const EsxInjectedWay* way)
{
    if (!m_injector)
    {
        return;
    }
    EsxSyntheticFlow& flow = m_all[frame.flow];
    ++flow.sent;
    if (flow.sent == flow.packets)
    {
        Forget(flow);
        return;
    }
    const uint32_t next = way ? Defer(flow, *way, false) : flow.sent;
    if (next < flow.packets)
    {
        Plan(frame.flow, next);
    }
}

/// \return whether nobody has to see each packet at the sender's vSwitch. \param [out] found the
/// way through it; empty if the sender is at no vSwitch
bool
EsxSyntheticFlows::FindWay(const EsxSyntheticFlow& flow,
                           const EsxInjectedWay& way,
                           EsxSyntheticFlow::Way& found) const
{
    const auto vSwitch = way.adapter ? way.adapter->GetVSwitch() : nullptr;
    found = {vSwitch, {}, way.source, way.destination, {}};
    if (!flow.IsWorthIt() || m_injector->IsObserved() ||
        (way.adapter && (!vSwitch || !vSwitch->FindPassage(way.adapter->GetPortId(),
                                                           way.source,
                                                           way.destination,
                                                           flow.GetMostOctets(),
                                                           0,
                                                           found.passage))))
    {
        return false;
    }
    found.module = vSwitch ? dynamic_cast<EsxNetflow*>(vSwitch->GetTap()) : nullptr;
    return true;
}

/// Over links a flow is deferred when its latest packet has arrived.
/// \return the next packet that has to be sent; none: the number of packets
uint32_t
EsxSyntheticFlows::Defer(EsxSyntheticFlow& flow, const EsxInjectedWay& way, bool hasArrived)
{
    if (flow.sent < flow.tryFrom)
    {
        return flow.sent;
    }
    EsxSyntheticFlow::Way deferred;
    if (!FindWay(flow, way, deferred))
    {
        return Refuse(flow);
    }
    const Time start = m_injector->GetStart();
    std::unique_ptr<EsxSyntheticPath> path;
    if (!deferred.vSwitch || deferred.passage.to->GetDevice() != way.to)
    {
        path = EsxSyntheticPath::Find(flow, deferred, *way.from, way.to, start);
        const int64_t latency = path ? path->LatencyOf(flow.GetMostOctets()) : 0;
        if (!path || flow.step <= latency)
        {
            return Refuse(flow);
        }
        if (!hasArrived)
        {
            Simulator::Schedule(NanoSeconds(latency + 1),
                                &EsxSyntheticFlows::Arrived,
                                Ptr<EsxSyntheticFlows>(this),
                                flow.slot,
                                flow.order,
                                flow.sent,
                                way);
            return flow.sent;
        }
    }
    const uint32_t next = flow.Defer(*this, deferred, start, std::move(path));
    if (next == flow.sent)
    {
        return Refuse(flow);
    }
    flow.refusals = 0;
    return next;
}

/// A flow that cannot be deferred asks for it less and less often: looking for its way costs more
/// than sending a packet.
uint32_t
EsxSyntheticFlows::Refuse(EsxSyntheticFlow& flow)
{
    constexpr uint32_t MOST = 5; // then at each 32nd packet
    flow.tryFrom = flow.sent + (1U << std::min(flow.refusals++, MOST));
    return flow.sent;
}

/// The packet that was sent last has arrived, unless it was lost.
void
EsxSyntheticFlows::Arrived(uint32_t slot, uint64_t order, uint32_t sent, EsxInjectedWay way)
{
    EsxSyntheticFlow& flow = m_all[slot];
    if (!m_injector || flow.order != order || flow.sent != sent || flow.IsDeferred())
    {
        return;
    }
    const uint32_t next = Defer(flow, way, true);
    if (next > sent)
    {
        flow.next = UINT32_MAX; // none
        if (next < flow.packets)
        {
            Plan(slot, next);
        }
        m_injector->AskAgain();
    }
}

void
EsxSyntheticFlows::End()
{
    m_injector = nullptr;
    for (EsxSyntheticFlow& flow : m_all)
    {
        if (flow.IsDeferred())
        {
            flow.Undefer();
        }
    }
}

/// A flow's packets are sent again from now on.
void
EsxSyntheticFlows::Resumed(EsxSyntheticFlow& flow)
{
    if (flow.sent == flow.packets)
    {
        Forget(flow);
        return;
    }
    Plan(flow.slot, flow.sent);
    if (m_injector)
    {
        m_injector->Hurry(flow.TimeOf(flow.sent), flow.order);
    }
}

void
EsxSyntheticFlows::NotifyPassed(uint32_t packets)
{
    m_passed += packets;
}

Ptr<Packet>
EsxSyntheticFlows::MakePacket(const EsxSyntheticFlow& flow, uint32_t index)
{
    return flow.MakePacket(index, m_octets);
}

/// Whether it was sent already, or is counted: a flow can be due more than once.
bool
EsxSyntheticFlows::IsStale(const Due& due) const
{
    const EsxSyntheticFlow& flow = m_all[due.flow];
    return flow.order != due.order || flow.next != due.index || flow.sent > due.index;
}

void
EsxSyntheticFlows::DropStale()
{
    while (!m_due.empty() && IsStale(m_due.top()))
    {
        m_due.pop();
    }
}

void
EsxSyntheticFlows::Plan(uint32_t flow, uint32_t index)
{
    m_all[flow].next = index;
    m_due.push({m_all[flow].TimeOf(index), m_all[flow].order, flow, index});
}

void
EsxSyntheticFlows::Forget(EsxSyntheticFlow& flow)
{
    flow.order = UINT64_MAX;
    m_unused.push_back(flow.slot);
}

bool
EsxSyntheticFlows::HasMore() const
{
    return m_profile.empty() ? m_flows == 0 || m_begun < m_flows : m_begun < m_profile.size();
}

/// The flows of the next instant; draws everything about them.
void
EsxSyntheticFlows::BeginFlows()
{
    for (uint32_t i = 0; i < m_together && HasMore(); ++i)
    {
        const uint64_t number = m_begun++;
        EsxSyntheticFlow& flow = NewFlow(number, false);
        flow.packets = DrawPackets(m_packets);
        const int64_t duration = ToNs(m_duration->GetValue());
        flow.key = NewKey(number);
        Push(flow, m_nextBegin, duration);
        if (m_rtt)
        {
            EsxSyntheticFlow& answers = NewFlow(number, true);
            answers.key = flow.key;
            answers.packets = DrawPackets(m_answerPackets);
            Push(answers, m_nextBegin + ToNs(m_rtt->GetValue()), duration);
        }
    }
    AwaitNext();
}

/// \param number of the flow, or of the one that it answers
EsxSyntheticFlow&
EsxSyntheticFlows::NewFlow(uint64_t number, bool isAnswer)
{
    if (m_unused.empty())
    {
        m_unused.push_back(m_all.size());
        m_all.emplace_back();
        m_all.back().slot = m_unused.back();
    }
    EsxSyntheticFlow& flow = m_all[m_unused.back()]; // a deque's elements stay where they are
    m_unused.pop_back();
    flow.order = number * 2 + (isAnswer ? 1 : 0);
    flow.isAnswer = isAnswer;
    flow.tos = m_dscp << 2;
    flow.octets = 0;
    flow.sent = 0;
    flow.refusals = flow.tryFrom = 0;
    return flow;
}

/// The next flow of the profile. The rest of it is as without one: the lab's address, or one
/// of a pool where it has none.
void
EsxSyntheticFlows::BeginProfiled()
{
    const auto compressed = [this](int64_t ns) {
        return static_cast<int64_t>(static_cast<double>(ns) / m_compression);
    };
    const EsxProfiledFlow& profiled = m_profile[m_begun];
    const uint32_t address = m_pooledSources ? profiled.source : profiled.destination;
    const uint64_t number = m_begun++;
    EsxSyntheticFlow& flow = NewFlow(number, false);
    flow.packets = profiled.packets;
    flow.octets = profiled.octets;
    flow.key = NewKey(number);
    flow.key.protocol = profiled.protocol;
    flow.key.sourcePort = profiled.sourcePort;
    flow.key.destinationPort = profiled.destinationPort;
    if (m_pools && address != 0)
    {
        (m_pooledSources ? flow.key.source : flow.key.destination) = address;
    }
    const int64_t duration = compressed(profiled.end - profiled.begin);
    Push(flow, m_nextBegin, duration);
    if (profiled.answerPackets > 0)
    {
        EsxSyntheticFlow& answers = NewFlow(number, true);
        answers.key = flow.key;
        answers.packets = profiled.answerPackets;
        answers.octets = profiled.answerOctets;
        Push(answers, m_nextBegin + (m_rtt ? ToNs(m_rtt->GetValue()) : 0), duration);
    }
    m_nextBegin = HasMore() ? compressed(m_profile[m_begun].begin) : m_nextBegin;
}

/// The flow begins.
void
EsxSyntheticFlows::Push(EsxSyntheticFlow& flow, int64_t at, int64_t duration)
{
    flow.begin = at;
    flow.step = flow.packets > 1 ? duration / (flow.packets - 1) : 0;
    if (flow.isAnswer)
    {
        std::swap(flow.key.source, flow.key.destination);
        std::swap(flow.key.sourcePort, flow.key.destinationPort);
    }
    if (flow.octets == 0)
    {
        const uint32_t headers = EsxHeaderOctets(flow.key.protocol);
        flow.sizes = flow.isAnswer ? &m_answerSizes.Of(m_answerSize, headers)
                                   : &m_sizes.Of(m_packetSize, headers);
        flow.place = flow.sizes->PlaceOf(flow.order);
    }
    Plan(flow.slot, 0);
}

EsxSyntheticFlows::Key
EsxSyntheticFlows::NewKey(uint64_t number)
{
    constexpr uint64_t sourcePorts = 65536 - FIRST_SOURCE_PORT;
    if (!m_keys.empty() && m_choice->GetValue() < m_again)
    {
        return m_keys[m_choice->GetInteger(0, m_keys.size() - 1)];
    }
    const auto target = static_cast<uint32_t>(number % m_destinations.size());
    Key key{m_source.Get(),
            m_destinations[target],
            static_cast<uint16_t>(FIRST_SOURCE_PORT + number % sourcePorts),
            static_cast<uint16_t>(m_port + number / sourcePorts),
            m_protocol == TCP ? PROTOCOL_TCP : PROTOCOL_UDP,
            target};
    if (m_sourceNetwork != Ipv4Address::GetZero())
    {
        const uint32_t hosts = ~m_sourceMask.Get();
        const auto host = static_cast<uint32_t>(m_spoof->GetValue(0, hosts + 1.0));
        key.source = m_sourceNetwork.CombineMask(m_sourceMask).Get() + host;
    }
    if (!m_services.empty())
    {
        const double at = m_choice->GetValue(0, m_services.back().weight);
        const auto service = std::find_if(m_services.begin(),
                                          m_services.end() - 1,
                                          [at](const Service& of) { return at < of.weight; });
        key.protocol = service->protocol;
        key.destinationPort = service->port;
    }
    if (m_pools)
    {
        (m_pooledSources ? key.source : key.destination) =
            m_pools->Draw(m_choice->GetValue()).Get();
    }
    if (m_again > 0)
    {
        m_keys.size() < KEYS ? m_keys.push_back(key) : void(m_keys[number % KEYS] = key);
    }
    return key;
}

/// Draws when flows begin next, by the factor of the hour in which they have begun now.
void
EsxSyntheticFlows::AwaitNext()
{
    const double interval = m_interval->GetValue() / HourFactor();
    m_nextBegin += std::max<int64_t>(ToNs(interval), 1); // or it would never end
    SkipIdleHours();
}

int64_t
EsxSyntheticFlows::HourNs() const
{
    return std::llround(NS_PER_HOUR / m_compression);
}

double
EsxSyntheticFlows::HourFactor() const
{
    return m_hours.empty() ? 1 : m_hours[m_nextBegin / HourNs() % m_hours.size()];
}

void
EsxSyntheticFlows::SkipIdleHours()
{
    while (HourFactor() == 0)
    {
        m_nextBegin = (m_nextBegin / HourNs() + 1) * HourNs();
    }
}

uint32_t
EsxSyntheticFlows::DrawPackets(const Ptr<RandomVariableStream>& packets)
{
    constexpr double most = UINT32_MAX;
    return static_cast<uint32_t>(std::clamp(std::round(packets->GetValue()), 1.0, most));
}

} // namespace ns3
