// SPDX-License-Identifier: GPL-2.0-only
#include "esx-synthetic-flows.h"

#include "model/esx-compat.h"

#include "ns3/abort.h"
#include "ns3/double.h"
#include "ns3/enum.h"
#include "ns3/pointer.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <cmath>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxSyntheticFlows);

namespace
{

constexpr uint16_t ETHERTYPE_IPV4 = 0x0800;
constexpr uint32_t IP_OCTETS = 20;
constexpr uint32_t TCP_OCTETS = 20;
constexpr uint8_t PROTOCOL_ICMP = 1;
constexpr uint8_t PROTOCOL_TCP = 6;
constexpr uint8_t PROTOCOL_UDP = 17;
constexpr uint8_t TCP_FIN = 0x01;
constexpr uint8_t TCP_SYN = 0x02;
constexpr uint8_t TCP_ACK = 0x10;
constexpr uint32_t IP_MAX_OCTETS = 65535;
constexpr double NS_PER_HOUR = 3'600'000'000'000;
constexpr std::size_t KEYS = 1024; // that may come again

/// Writes the headers of a packet, most significant octet first.
class HeaderWriter
{
  public:
    explicit HeaderWriter(uint8_t* octets)
        : m_next(octets)
    {
    }

    void Append8(uint8_t value)
    {
        *m_next++ = value;
    }

    void Append16(uint32_t value)
    {
        Append8(value >> 8 & 0xff);
        Append8(value & 0xff);
    }

    void Append32(uint32_t value)
    {
        Append16(value >> 16);
        Append16(value & 0xffff);
    }

  private:
    uint8_t* m_next;
};

/// RFC 791. \param octets an IPv4 header without options whose checksum field is zero now
void
SetIpChecksum(uint8_t* octets)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < IP_OCTETS; i += 2)
    {
        sum += static_cast<uint32_t>(octets[i] << 8 | octets[i + 1]);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    octets[10] = sum >> 8;
    octets[11] = sum;
}

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
                          "IP total length in octets, drawn for each packet; at least its headers.",
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
                MakeDoubleChecker<double>(1, 1e6));
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

bool
EsxSyntheticFlows::Next(EsxInjectedFrame& frame)
{
    NS_ABORT_MSG_IF(m_destinations.empty(), "EsxSyntheticFlows: no destination");
    if (m_begun == 0)
    {
        SkipIdleHours();
    }
    while (HasMore() && (m_active.empty() || m_nextBegin <= m_active.top().next))
    {
        m_profile.empty() ? Begin() : BeginProfiled();
    }
    if (m_active.empty())
    {
        return false;
    }
    Flow flow = m_active.top();
    m_active.pop();
    frame.at = NanoSeconds(flow.next);
    frame.packet = MakePacket(flow);
    frame.protocol = ETHERTYPE_IPV4;
    frame.target = flow.key.target;
    frame.isAnswer = flow.isAnswer;
    frame.source.reset();
    if (++flow.sent < flow.packets)
    {
        flow.next += flow.step;
        m_active.push(flow);
    }
    return true;
}

bool
EsxSyntheticFlows::HasMore() const
{
    return m_profile.empty() ? m_flows == 0 || m_begun < m_flows : m_begun < m_profile.size();
}

/// The flows of the next instant; draws everything about them but the sizes of their packets.
void
EsxSyntheticFlows::Begin()
{
    for (uint32_t i = 0; i < m_together && HasMore(); ++i)
    {
        Flow flow{};
        flow.number = m_begun++;
        flow.packets = DrawPackets(m_packets);
        const int64_t duration = ToNs(m_duration->GetValue());
        flow.key = NewKey(flow.number);
        Push(flow, m_nextBegin, duration);
        if (m_rtt)
        {
            flow.isAnswer = true;
            flow.packets = DrawPackets(m_answerPackets);
            Push(flow, m_nextBegin + ToNs(m_rtt->GetValue()), duration);
        }
    }
    AwaitNext();
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
    Flow flow{};
    flow.number = m_begun++;
    flow.packets = profiled.packets;
    flow.octets = profiled.octets;
    flow.key = NewKey(flow.number);
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
        flow.isAnswer = true;
        flow.packets = profiled.answerPackets;
        flow.octets = profiled.answerOctets;
        Push(flow, m_nextBegin + (m_rtt ? ToNs(m_rtt->GetValue()) : 0), duration);
    }
    m_nextBegin = HasMore() ? compressed(m_profile[m_begun].begin) : m_nextBegin;
}

void
EsxSyntheticFlows::Push(Flow flow, int64_t at, int64_t duration)
{
    flow.next = at;
    flow.step = flow.packets > 1 ? duration / (flow.packets - 1) : 0;
    if (flow.isAnswer)
    {
        std::swap(flow.key.source, flow.key.destination);
        std::swap(flow.key.sourcePort, flow.key.destinationPort);
    }
    m_active.push(flow);
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

uint32_t
EsxSyntheticFlows::DrawOctets(const Flow& flow, uint32_t headers) const
{
    if (flow.octets > 0) // even, to the octet
    {
        return static_cast<uint32_t>(flow.octets / flow.packets +
                                     (flow.sent < flow.octets % flow.packets ? 1 : 0));
    }
    const double octets =
        std::round(flow.isAnswer ? m_answerSize->GetValue() : m_packetSize->GetValue());
    return static_cast<uint32_t>(
        std::clamp<double>(octets, headers, static_cast<double>(IP_MAX_OCTETS)));
}

Ptr<Packet>
EsxSyntheticFlows::MakePacket(const Flow& flow)
{
    const Key& key = flow.key;
    const uint32_t octets = DrawOctets(flow, EsxHeaderOctets(key.protocol));
    HeaderWriter raw(m_octets.data());
    raw.Append16(0x4500 | m_dscp << 2);
    raw.Append16(octets);
    raw.Append32(static_cast<uint32_t>(m_identification++) << 16); // no fragment
    raw.Append16(64 << 8 | key.protocol);
    raw.Append16(0);
    raw.Append32(key.source);
    raw.Append32(key.destination);
    SetIpChecksum(m_octets.data());
    if (key.protocol == PROTOCOL_ICMP)
    {
        raw.Append16(key.destinationPort); // type and code, as records have them
        raw.Append16(0);
    }
    else
    {
        raw.Append16(key.sourcePort);
        raw.Append16(key.destinationPort);
    }
    if (key.protocol == PROTOCOL_TCP)
    {
        const bool first = flow.sent == 0;
        const bool last = flow.sent + 1 == flow.packets;
        raw.Append32(flow.sent);          // sequence number
        raw.Append32(0);                  // acknowledgement
        raw.Append8(TCP_OCTETS / 4 << 4); // data offset
        raw.Append8(first  ? (flow.isAnswer ? TCP_SYN | TCP_ACK : TCP_SYN)
                    : last ? TCP_FIN | TCP_ACK
                           : TCP_ACK);
        raw.Append16(UINT16_MAX); // window
        raw.Append32(0);          // checksum, urgent pointer
    }
    else
    {
        raw.Append16(key.protocol == PROTOCOL_UDP ? octets - IP_OCTETS : 0);
        raw.Append16(0); // no checksum
        std::fill_n(m_octets.begin() + IP_OCTETS + 8, TCP_OCTETS - 8, 0);
    }
    return Create<Packet>(m_octets.data(), octets);
}

} // namespace ns3
