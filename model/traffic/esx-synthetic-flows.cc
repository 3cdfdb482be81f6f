// SPDX-License-Identifier: GPL-2.0-only
#include "esx-synthetic-flows.h"

#include "model/esx-compat.h"

#include "ns3/abort.h"
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
constexpr uint32_t UDP_OCTETS = 8;
constexpr uint32_t TCP_OCTETS = 20;
constexpr uint8_t PROTOCOL_TCP = 6;
constexpr uint8_t PROTOCOL_UDP = 17;
constexpr uint8_t TCP_FIN = 0x01;
constexpr uint8_t TCP_SYN = 0x02;
constexpr uint8_t TCP_ACK = 0x10;
constexpr uint32_t IP_MAX_OCTETS = 65535;
constexpr int64_t NS_PER_HOUR = 3'600'000'000'000;

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
                          MakeIpv4MaskChecker());
    return tid;
}

EsxSyntheticFlows::EsxSyntheticFlows()
    : m_spoof(CreateObject<UniformRandomVariable>()),
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

int64_t
EsxSyntheticFlows::AssignStreams(int64_t stream)
{
    int64_t used = 0;
    for (const Ptr<RandomVariableStream>& variable :
         {m_interval, m_duration, m_packets, m_packetSize, Ptr<RandomVariableStream>(m_spoof)})
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
    while ((m_flows == 0 || m_begun < m_flows) &&
           (m_active.empty() || m_nextBegin <= m_active.top().next))
    {
        Begin();
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
    frame.target = flow.number % m_destinations.size();
    frame.source.reset();
    if (++flow.sent < flow.packets)
    {
        flow.next += flow.step;
        m_active.push(flow);
    }
    return true;
}

/// The flows of the next instant; draws everything about them but the sizes of their packets.
void
EsxSyntheticFlows::Begin()
{
    for (uint32_t i = 0; i < m_together && (m_flows == 0 || m_begun < m_flows); ++i)
    {
        Flow flow;
        flow.next = m_nextBegin;
        flow.number = m_begun++;
        flow.packets = DrawPackets();
        flow.sent = 0;
        const int64_t duration = ToNs(m_duration->GetValue());
        flow.step = flow.packets > 1 ? duration / (flow.packets - 1) : 0;
        flow.source = m_source.Get();
        if (m_sourceNetwork != Ipv4Address::GetZero())
        {
            const uint32_t hosts = ~m_sourceMask.Get();
            const auto host = static_cast<uint32_t>(m_spoof->GetValue(0, hosts + 1.0));
            flow.source = m_sourceNetwork.CombineMask(m_sourceMask).Get() + host;
        }
        m_active.push(flow);
    }
    AwaitNext();
}

/// Draws when flows begin next, by the factor of the hour in which they have begun now.
void
EsxSyntheticFlows::AwaitNext()
{
    const double interval = m_interval->GetValue() / HourFactor();
    m_nextBegin += std::max<int64_t>(ToNs(interval), 1); // or it would never end
    SkipIdleHours();
}

double
EsxSyntheticFlows::HourFactor() const
{
    return m_hours.empty() ? 1 : m_hours[m_nextBegin / NS_PER_HOUR % m_hours.size()];
}

void
EsxSyntheticFlows::SkipIdleHours()
{
    while (HourFactor() == 0)
    {
        m_nextBegin = (m_nextBegin / NS_PER_HOUR + 1) * NS_PER_HOUR;
    }
}

uint32_t
EsxSyntheticFlows::DrawPackets() const
{
    constexpr double most = UINT32_MAX;
    return static_cast<uint32_t>(std::clamp(std::round(m_packets->GetValue()), 1.0, most));
}

uint32_t
EsxSyntheticFlows::DrawOctets(uint32_t headers) const
{
    const double octets = std::round(m_packetSize->GetValue());
    return static_cast<uint32_t>(
        std::clamp<double>(octets, headers, static_cast<double>(IP_MAX_OCTETS)));
}

Ptr<Packet>
EsxSyntheticFlows::MakePacket(const Flow& flow)
{
    constexpr uint64_t sourcePorts = 65536 - FIRST_SOURCE_PORT;
    const bool tcp = m_protocol == TCP;
    const uint32_t headers = IP_OCTETS + (tcp ? TCP_OCTETS : UDP_OCTETS);
    const uint32_t octets = DrawOctets(headers);
    HeaderWriter raw(m_octets.data());
    raw.Append16(0x4500 | m_dscp << 2);
    raw.Append16(octets);
    raw.Append32(static_cast<uint32_t>(m_identification++) << 16); // no fragment
    raw.Append16(64 << 8 | (tcp ? PROTOCOL_TCP : PROTOCOL_UDP));
    raw.Append16(0);
    raw.Append32(flow.source);
    raw.Append32(m_destinations[flow.number % m_destinations.size()]);
    SetIpChecksum(m_octets.data());
    raw.Append16(static_cast<uint32_t>(FIRST_SOURCE_PORT + flow.number % sourcePorts));
    raw.Append16(static_cast<uint16_t>(m_port + flow.number / sourcePorts));
    if (tcp)
    {
        const bool first = flow.sent == 0;
        const bool last = flow.sent + 1 == flow.packets;
        raw.Append32(flow.sent);          // sequence number
        raw.Append32(0);                  // acknowledgement
        raw.Append8(TCP_OCTETS / 4 << 4); // data offset
        raw.Append8(first ? TCP_SYN : (last ? TCP_FIN | TCP_ACK : TCP_ACK));
        raw.Append16(UINT16_MAX); // window
        raw.Append32(0);          // checksum, urgent pointer
    }
    else
    {
        raw.Append16(octets - IP_OCTETS);
        raw.Append16(0); // no checksum
    }
    return Create<Packet>(m_octets.data(), octets);
}

} // namespace ns3
