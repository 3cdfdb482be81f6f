// SPDX-License-Identifier: GPL-2.0-only
#include "esx-synthetic-flow.h"

#include "esx-flow-profile.h"
#include "esx-injector.h"
#include "esx-synthetic-flows.h"
#include "esx-synthetic-path.h"

#include "ns3/simulator.h"

#include <algorithm>

namespace ns3
{

namespace
{

constexpr uint32_t WORTH = 3; // fewer packets cost less than not to send them
constexpr uint32_t IP_OCTETS = 20;
constexpr uint32_t TCP_OCTETS = 20;
constexpr uint8_t IP_ICMP = 1;
constexpr uint8_t IP_TCP = 6;
constexpr uint8_t IP_UDP = 17;
constexpr uint8_t TCP_FIN = 0x01;
constexpr uint8_t TCP_SYN = 0x02;
constexpr uint8_t TCP_ACK = 0x10;

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

} // namespace

EsxSyntheticFlow::EsxSyntheticFlow() = default;
EsxSyntheticFlow::~EsxSyntheticFlow() = default;

int64_t
EsxSyntheticFlow::TimeOf(uint32_t index) const
{
    return begin + index * step;
}

uint32_t
EsxSyntheticFlow::CountBefore(int64_t at, bool inclusive) const
{
    const int64_t since = at - begin + (inclusive ? 1 : 0); // of an instant not before the first
    if (since <= 0)
    {
        return 0;
    }
    return step == 0 ? packets : std::min<int64_t>((since - 1) / step + 1, packets);
}

uint32_t
EsxSyntheticFlow::OctetsOf(uint32_t index) const
{
    return octets > 0 ? octets / packets + (index < octets % packets ? 1 : 0)
                      : sizes->At(place, index);
}

uint64_t
EsxSyntheticFlow::OctetsBefore(uint32_t index) const
{
    return octets > 0 ? octets / packets * index + std::min<uint64_t>(index, octets % packets)
                      : sizes->SumBefore(place, index);
}

uint64_t
EsxSyntheticFlow::PaddedOctetsBefore(uint32_t index) const
{
    if (octets == 0)
    {
        return sizes->PaddedSumBefore(place, index);
    }
    const uint64_t less = std::max<uint64_t>(octets / packets, EsxPacketSizes::PADDED);
    const uint64_t more = std::max<uint64_t>(octets / packets + 1, EsxPacketSizes::PADDED);
    const uint64_t larger = std::min<uint64_t>(index, octets % packets);
    return larger * more + (index - larger) * less;
}

uint32_t
EsxSyntheticFlow::GetMostOctets() const
{
    return octets > 0 ? OctetsOf(0) : sizes->GetMost();
}

uint32_t
EsxSyntheticFlow::GetLeastOctets() const
{
    return octets > 0 ? OctetsOf(packets - 1) : sizes->GetLeast();
}

uint8_t
EsxSyntheticFlow::GetFlagsOf(uint32_t index) const
{
    return key.protocol != IP_TCP ? 0
           : index == 0           ? (isAnswer ? TCP_SYN | TCP_ACK : TCP_SYN)
           : index + 1 == packets ? TCP_FIN | TCP_ACK
                                  : TCP_ACK;
}

uint8_t
EsxSyntheticFlow::GetFlags() const
{
    return key.protocol == IP_TCP ? TCP_ACK : 0;
}

uint64_t
EsxSyntheticFlow::GetRank() const
{
    return m_owner->GetRank();
}

bool
EsxSyntheticFlow::IsSentBeforeNow() const
{
    return EsxRankedEvent::IsBehind(GetRank(), order);
}

Ptr<Packet>
EsxSyntheticFlow::MakePacket(uint32_t index) const
{
    return m_owner->MakePacket(*this, index);
}

Ptr<Packet>
EsxSyntheticFlow::MakePacket(uint32_t index, std::vector<uint8_t>& memory) const
{
    const uint32_t size = OctetsOf(index);
    HeaderWriter raw(memory.data());
    raw.Append16(0x4500 | tos);
    raw.Append16(size);
    raw.Append32(static_cast<uint32_t>(order * 0x9e37 + index) << 16); // no fragment
    raw.Append16(64 << 8 | key.protocol);
    raw.Append16(0);
    raw.Append32(key.source);
    raw.Append32(key.destination);
    SetIpChecksum(memory.data());
    if (key.protocol == IP_ICMP)
    {
        raw.Append16(key.destinationPort); // type and code, as records have them
        raw.Append16(0);
    }
    else
    {
        raw.Append16(key.sourcePort);
        raw.Append16(key.destinationPort);
    }
    if (key.protocol == IP_TCP)
    {
        raw.Append32(index);              // sequence number
        raw.Append32(0);                  // acknowledgement
        raw.Append8(TCP_OCTETS / 4 << 4); // data offset
        raw.Append8(GetFlagsOf(index));
        raw.Append16(UINT16_MAX); // window
        raw.Append32(0);          // checksum, urgent pointer
    }
    else
    {
        raw.Append16(key.protocol == IP_UDP ? size - IP_OCTETS : 0);
        raw.Append16(0); // no checksum
        std::fill_n(memory.begin() + IP_OCTETS + 8, TCP_OCTETS - 8, 0);
    }
    return Create<Packet>(memory.data(), size);
}

bool
EsxSyntheticFlow::IsDeferred() const
{
    return m_way.vSwitch || m_path;
}

void
EsxSyntheticFlow::SettleSent()
{
    m_way.vSwitch ? m_way.vSwitch->Settle() : Settle();
}

bool
EsxSyntheticFlow::IsWorthIt() const
{
    const bool hasPorts = key.protocol == IP_TCP || key.protocol == IP_UDP;
    const uint32_t lastOfTcp = key.protocol == IP_TCP ? 1 : 0;
    return packets - sent >= WORTH + lastOfTcp && (hasPorts || key.protocol == IP_ICMP);
}

bool
EsxSyntheticFlow::Pass(EsxSyntheticFlows& owner, const Way& way, Time start, uint32_t& next)
{
    const uint32_t size = OctetsOf(sent);
    const uint32_t headers = IP_OCTETS + (key.protocol == IP_TCP ? TCP_OCTETS : 8);
    if (size < headers || (way.module && !way.module->MetersAtOnce()))
    {
        return false;
    }
    way.vSwitch->CountSent(way.passage, 1, size);
    if (way.module)
    {
        netflow::PacketSummary packet;
        packet.key = FlowKeyAt(*way.vSwitch, way.passage);
        packet.octets = size;
        packet.tcpFlags = GetFlagsOf(sent);
        packet.verdict = netflow::FrameVerdict::METERABLE;
        way.module->Meter(packet, size, way.passage.to->GetLocalId());
    }
    ++sent;
    next = IsWorthIt() ? Defer(owner, way, start, nullptr) : sent;
    if (IsDeferred())
    {
        --m_delivered;
    }
    else
    {
        DeliverSingly(owner, way, sent - 1, Time(0));
    }
    return true;
}

uint32_t
EsxSyntheticFlow::Defer(EsxSyntheticFlows& owner,
                        const Way& way,
                        Time start,
                        std::unique_ptr<EsxSyntheticPath> path)
{
    m_owner = &owner;
    m_way = way;
    m_start = start.GetNanoSeconds();
    m_isMetered = false;
    uint32_t next = key.protocol == IP_TCP ? packets - 1 : packets;
    if (way.module)
    {
        m_bootToStart = way.module->GetUptimeNs() - (Simulator::Now().GetNanoSeconds() - m_start);
        const auto deferral =
            way.module->Defer(way.vSwitch->GetId(), GetKey(), *this, TimeOf(sent) + m_bootToStart);
        m_isMetered = deferral.record != nullptr;
        next = !deferral.isAgreed ? sent
               : m_isMetered      ? std::min(next, NextToSend(deferral.record, *deferral.config))
                                  : next;
    }
    next = path && next - sent >= WORTH ? std::min(next, path->Defer()) : next;
    if (next - sent < WORTH)
    {
        if (m_isMetered)
        {
            way.module->Undefer(GetKey());
        }
        path ? path->Undefer() : void();
        m_isMetered = false;
        m_way = {};
        return sent;
    }
    m_delivered = sent;
    m_way.vSwitch ? m_way.vSwitch->GetDeferrals().Add(*this) : void();
    m_path = std::move(path);
    m_path ? m_path->Begin() : void();
    // Nobody else notices the end of a flow that is in no record.
    return next == packets && !m_isMetered ? packets - 1 : next;
}

/// The first packet that does not belong to the record, if it exists until then.
uint32_t
EsxSyntheticFlow::NextToSend(const netflow::FlowEntry* record,
                             const netflow::FlowCacheConfig& config) const
{
    if (step > config.idleTimeout)
    {
        return sent;
    }
    const int64_t deadline = record->first + config.activeTimeout - m_bootToStart;
    return CountUntilFull(*record, CountBefore(deadline, true));
}

uint32_t
EsxSyntheticFlow::CountUntilFull(const netflow::FlowEntry& record, uint32_t next) const
{
    next = std::min<uint64_t>(next, uint64_t{sent} + UINT32_MAX - record.packets);
    const uint64_t most = OctetsBefore(sent) + UINT32_MAX - record.octets;
    if (OctetsBefore(next) > most) // 32 bits do not count them: the first one that is too much
    {
        uint32_t fits = sent;
        while (next - fits > 1)
        {
            const uint32_t middle = fits + (next - fits) / 2;
            (OctetsBefore(middle) > most ? next : fits) = middle;
        }
        next = fits;
    }
    return next;
}

netflow::FlowKey
EsxSyntheticFlow::FlowKeyAt(const EsxVSwitch& vSwitch, const EsxPassage& passage) const
{
    netflow::FlowKey flow;
    flow.source = key.source;
    flow.destination = key.destination;
    flow.sourcePort = key.protocol == IP_ICMP ? 0 : key.sourcePort;
    flow.destinationPort = key.destinationPort;
    flow.vSwitch = vSwitch.GetId();
    flow.input = passage.from->GetLocalId();
    flow.protocol = key.protocol;
    flow.tos = tos;
    return flow;
}

netflow::FlowKey
EsxSyntheticFlow::GetKey() const
{
    return FlowKeyAt(*m_way.vSwitch, m_way.passage);
}

void
EsxSyntheticFlow::Undefer(uint32_t next)
{
    m_least = next;
    if (m_isMetered)
    {
        m_way.module->Undefer(GetKey());
    }
    Settle();
    End();
    m_least = 0;
}

netflow::DeferredPackets::Sum
EsxSyntheticFlow::Take(netflow::TimeNs until)
{
    const uint32_t before = sent;
    Sum sum;
    sum.octets = Advance(CountBefore(until - m_bootToStart, IsSentBeforeNow()));
    sum.packets = sent - before;
    sum.tcpFlags = GetFlags();
    sum.last = sum.packets > 0 ? TimeOf(sent - 1) + m_bootToStart : 0;
    sum.next = sent < packets ? TimeOf(sent) + m_bootToStart : INT64_MAX;
    return sum;
}

/// \param count packets that are sent by now. \return octets of the further ones
uint64_t
EsxSyntheticFlow::Advance(uint32_t count)
{
    count = std::max(count, m_least);
    if (count <= sent)
    {
        return 0;
    }
    const uint64_t more = OctetsBefore(count) - OctetsBefore(sent);
    m_way.vSwitch ? m_way.vSwitch->CountSent(m_way.passage, count - sent, more) : void();
    m_owner->NotifyPassed(count - sent);
    sent = count;
    return more;
}

void
EsxSyntheticFlow::Settle()
{
    if (!m_isMetered)
    {
        const uint32_t before = sent;
        const int64_t now = Simulator::Now().GetNanoSeconds() - m_start;
        const uint64_t more = Advance(CountBefore(now, IsSentBeforeNow()));
        if (m_way.module && sent > before)
        {
            m_way.module->Ignore(m_way.vSwitch->GetId(), sent - before, more);
        }
    }
    CountDelivered();
}

void
EsxSyntheticFlow::CountDelivered()
{
    if (!m_way.vSwitch)
    {
        return;
    }
    const int64_t now = Simulator::Now().GetNanoSeconds() - m_start;
    const int64_t delay = m_way.vSwitch->GetDelay().GetNanoSeconds();
    const uint32_t count = m_path ? sent : std::min(CountBefore(now - delay, false), sent);
    if (count > m_delivered)
    {
        m_way.vSwitch->CountDelivered(m_way.passage,
                                      count - m_delivered,
                                      OctetsBefore(count) - OctetsBefore(m_delivered));
        m_delivered = count;
    }
}

/// A packet that was sent arrives by itself. \param since now; not positive
void
EsxSyntheticFlow::DeliverSingly(EsxSyntheticFlows& owner,
                                const Way& way,
                                uint32_t index,
                                Time since) const
{
    const Ptr<Packet> packet = owner.MakePacket(*this, index);
    EsxNetDevice::MarkInjected(*packet);
    way.vSwitch->DeliverSingly(way.passage,
                               packet,
                               way.source,
                               way.destination,
                               ETHERTYPE,
                               since + way.vSwitch->GetDelay());
}

/// Frames between sender and receiver arrive by themselves.
void
EsxSyntheticFlow::End()
{
    m_path ? m_path->End() : void();
    const int64_t now = Simulator::Now().GetNanoSeconds() - m_start;
    for (; !m_path && m_delivered < sent; ++m_delivered)
    {
        DeliverSingly(*m_owner, m_way, m_delivered, NanoSeconds(TimeOf(m_delivered) - now));
    }
    m_way.vSwitch ? m_way.vSwitch->GetDeferrals().Remove(*this) : void();
    m_way = {};
    m_path = nullptr;
    m_isMetered = false;
}

void
EsxSyntheticFlow::Resume()
{
    CountDelivered(); // those before now are taken
    End();
    m_owner->Resumed(*this);
}

void
EsxSyntheticFlow::GoSingly()
{
    Undefer();
    m_owner->Resumed(*this);
}

} // namespace ns3
