// SPDX-License-Identifier: GPL-2.0-only
#include "esx-synthetic-path.h"

#include "esx-injector.h"

#include "ns3/esx-host.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-router.h"
#include "ns3/esx-uplink.h"
#include "ns3/esx-vlan-header.h"
#include "ns3/simulator.h"

#include <algorithm>

namespace ns3
{

namespace
{

constexpr uint32_t ETHERNET_OCTETS = 14;

} // namespace

/// The flow's stay in the list of a link, a switch or the receiver's vSwitch.
class EsxSyntheticPath::Stay final : public EsxDeferredFrames
{
  public:
    Stay(EsxSyntheticPath& path, EsxDeferrals& place)
        : m_path(path),
          m_place(place)
    {
        m_place.Add(*this);
    }

    ~Stay() override
    {
        m_place.Remove(*this);
    }

    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;

    void Settle() override
    {
        m_path.Settle();
    }

    void GoSingly() override
    {
        m_path.m_flow.GoSingly();
    }

  private:
    EsxSyntheticPath& m_path;
    EsxDeferrals& m_place;
};

EsxSyntheticPath::EsxSyntheticPath(EsxSyntheticFlow& flow, Time start)
    : m_flow(flow),
      m_start(start.GetNanoSeconds())
{
}

EsxSyntheticPath::~EsxSyntheticPath() = default;

std::unique_ptr<EsxSyntheticPath>
EsxSyntheticPath::Find(EsxSyntheticFlow& flow,
                       const EsxSyntheticFlow::Way& way,
                       NetDevice& from,
                       const NetDevice* to,
                       Time start)
{
    std::unique_ptr<EsxSyntheticPath> path(new EsxSyntheticPath(flow, start));
    const auto uplink = way.vSwitch ? way.passage.to->GetUplink() : nullptr;
    auto* const out =
        dynamic_cast<EsxEthernetNetDevice*>(uplink ? PeekPointer(uplink->GetDevice()) : &from);
    const bool arrives = path->Follow({out, way.passage.tag, way.source, way.destination}, to);
    return arrives ? std::move(path) : nullptr;
}

/// \param link the first one. \return whether frames get to the receiver unseen
bool
EsxSyntheticPath::Follow(Link link, const NetDevice* to)
{
    while (link.from)
    {
        constexpr std::size_t most = 16; // further than frames without a loop go
        const bool isPadded =
            link.tag != 0 && m_flow.GetLeastOctets() + EsxVlanHeader::OCTETS <
                                 EsxPacketSizes::PADDED; // sums are of untagged ones
        if (!link.from->CarriesUnseen() || isPadded || m_links.size() == most)
        {
            return false;
        }
        m_links.push_back(link);
        if (LatencyOf(m_flow.GetLeastOctets(), m_links.size()) ==
            LatencyOf(m_flow.GetLeastOctets(), m_links.size() - 1))
        {
            return false; // sent and arrived in one instant: their order is that of events
        }
        m_places.emplace_back(link.from, &link.from->GetDeferrals());
        EsxEthernetNetDevice& in = *link.from->GetPeer();
        if (&in == to || Enter(in))
        {
            return &in == to || m_passage.to->GetDevice() == to;
        }
        link.from = dynamic_cast<EsxEthernetNetDevice*>(Pass(in, link));
    }
    return false;
}

/// Through a switch or router. \param device that frames come in by \param [in,out] link that they
/// came by, and that they leave by. \return the device that they leave by; nullptr: there is none
NetDevice*
EsxSyntheticPath::Pass(EsxEthernetNetDevice& device, Link& link)
{
    if (const auto physical = device.GetNode()->GetObject<EsxPhysicalSwitch>())
    {
        m_places.emplace_back(physical, &physical->GetDeferrals());
        return physical->FindPassage(device, link.source, link.destination, link.tag);
    }
    const auto ipv4 = device.GetNode()->GetObject<Ipv4>();
    const auto router = ipv4 ? DynamicCast<EsxRouter>(ipv4->GetRoutingProtocol()) : nullptr;
    if (!router)
    {
        return nullptr;
    }
    m_places.emplace_back(router, &router->GetDeferrals());
    ++link.routers;
    Ipv4Header header;
    header.SetSource(Ipv4Address(m_flow.key.source));
    header.SetDestination(Ipv4Address(m_flow.key.destination));
    header.SetPayloadSize(m_flow.GetMostOctets() - header.GetSerializedSize());
    return router->FindPassage(device, header, link.source, link.destination, link.tag);
}

/// \return whether frames come into a vSwitch by a device, and get unseen to one of its adapters
bool
EsxSyntheticPath::Enter(const EsxEthernetNetDevice& device)
{
    const auto host = device.GetNode()->GetObject<EsxHost>();
    for (const Ptr<EsxUplink>& uplink : host ? host->GetUplinks() : std::vector<Ptr<EsxUplink>>())
    {
        if (uplink->GetDevice() == &device && uplink->GetVSwitch() && uplink->IsLinkUp())
        {
            m_vSwitch = uplink->GetVSwitch();
            m_module = dynamic_cast<EsxNetflow*>(m_vSwitch->GetTap());
            m_places.emplace_back(m_vSwitch, &m_vSwitch->GetDeferrals());
            const Link& last = m_links.back();
            return m_vSwitch->FindPassage(uplink->GetPortId(),
                                          last.source,
                                          last.destination,
                                          m_flow.GetMostOctets(),
                                          last.tag,
                                          m_passage);
        }
    }
    return false;
}

/// Of a frame on a link, with its Ethernet header.
uint32_t
EsxSyntheticPath::FrameOctets(uint32_t octets, uint16_t tag)
{
    return octets + ETHERNET_OCTETS + (tag != 0 ? EsxVlanHeader::OCTETS : 0);
}

/// \return ns from a packet's sending until it has passed so many links
int64_t
EsxSyntheticPath::LatencyOf(uint32_t octets, std::size_t links) const
{
    int64_t latency = 0;
    for (std::size_t i = 0; i < links; ++i)
    {
        const Link& link = m_links[i];
        latency += link.from->GetSendingNs(FrameOctets(octets, link.tag)) +
                   link.from->GetDelay().GetNanoSeconds();
    }
    return latency;
}

int64_t
EsxSyntheticPath::LatencyOf(uint32_t octets) const
{
    return LatencyOf(octets, m_links.size()) + GetDelayNs();
}

/// Of the receiver's vSwitch.
int64_t
EsxSyntheticPath::GetDelayNs() const
{
    return m_vSwitch ? m_vSwitch->GetDelay().GetNanoSeconds() : 0;
}

/// \return ns since the injector's start when a packet has passed so many links
int64_t
EsxSyntheticPath::TimeOf(uint32_t index, std::size_t links) const
{
    return m_flow.TimeOf(index) + LatencyOf(m_flow.OctetsOf(index), links);
}

/// \return ns since the injector's start
int64_t
EsxSyntheticPath::Now() const
{
    return Simulator::Now().GetNanoSeconds() - m_start;
}

/// \return packets that passed so many links by now
uint32_t
EsxSyntheticPath::CountPassed(std::size_t links) const
{
    const int64_t now = Now();
    uint32_t count = m_flow.CountBefore(now, true);
    while (count > 0 && !HasPassed(count - 1, links, now)) // at most one is on the way
    {
        --count;
    }
    return links == 0 ? std::max(count, m_flow.sent) : count;
}

/// \return whether a packet passed so many links: in this instant, if what happens now comes behind
/// its arrival
bool
EsxSyntheticPath::HasPassed(uint32_t index, std::size_t links, int64_t now) const
{
    const int64_t at = TimeOf(index, links);
    if (at != now)
    {
        return at < now;
    }
    return links == 0 ? m_flow.IsSentBeforeNow()
                      : EsxRankedEvent::IsBehindOrigin(m_links[links - 1].from->GetRank(),
                                                       [&] { return OriginOf(index, links - 1); });
}

/// \return that of a packet's arrival at the end of a link. \param links before that one
EsxRankedEvent::Origin
EsxSyntheticPath::OriginOf(uint32_t index, std::size_t links) const
{
    EsxRankedEvent::Origin origin;
    for (std::size_t i = links; i > 0; --i)
    {
        origin.emplace_back(m_start + TimeOf(index, i), m_links[i - 1].from->GetRank() + 1);
    }
    origin.emplace_back(m_start + m_flow.TimeOf(index), m_flow.GetRank() + 1);
    origin.emplace_back(0, m_flow.order);
    return origin;
}

/// \return the first packet that does not belong to the record of the receiver's meter
uint32_t
EsxSyntheticPath::Defer()
{
    m_arrived = m_delivered = m_flow.sent;
    if (!m_module)
    {
        return m_flow.packets;
    }
    m_bootToStart = m_module->GetUptimeNs() - Now();
    const auto deferral = m_module->Defer(m_vSwitch->GetId(),
                                          GetKey(),
                                          *this,
                                          TimeOf(m_flow.sent, m_links.size()) + m_bootToStart);
    m_isMetered = deferral.record != nullptr;
    m_isIgnored = !m_isMetered;
    if (!deferral.isAgreed || !m_isMetered)
    {
        return deferral.isAgreed ? m_flow.packets : m_flow.sent;
    }
    const int64_t later = LatencyOf(m_flow.GetMostOctets()) - LatencyOf(m_flow.GetLeastOctets());
    if (m_flow.step + later > deferral.config->idleTimeout)
    {
        return m_flow.sent;
    }
    const int64_t end = deferral.record->first + deferral.config->activeTimeout - m_bootToStart;
    uint32_t inTime = m_flow.CountBefore(end, true);
    while (inTime > 0 && TimeOf(inTime - 1, m_links.size()) > end)
    {
        --inTime;
    }
    return m_flow.CountUntilFull(*deferral.record, inTime);
}

void
EsxSyntheticPath::Undefer()
{
    if (m_isMetered)
    {
        m_module->Undefer(GetKey());
    }
    m_isMetered = false;
}

netflow::FlowKey
EsxSyntheticPath::GetKey() const
{
    return m_flow.FlowKeyAt(*m_vSwitch, m_passage);
}

void
EsxSyntheticPath::Begin()
{
    for (Link& link : m_links)
    {
        link.sent = m_flow.sent;
    }
    for (const auto& [keeper, place] : m_places)
    {
        m_stays.push_back(std::make_unique<Stay>(*this, *place));
    }
}

void
EsxSyntheticPath::Settle()
{
    for (std::size_t i = 0; i < m_links.size(); ++i)
    {
        Link& link = m_links[i];
        const uint32_t count = CountPassed(i);
        if (count > link.sent) // less: the latest packet went by itself when the way was shorter
        {
            const uint32_t more = count - link.sent;
            const uint64_t octets = m_flow.OctetsBefore(count) - m_flow.OctetsBefore(link.sent);
            const uint64_t padded = link.tag != 0 ? octets
                                                  : m_flow.PaddedOctetsBefore(count) -
                                                        m_flow.PaddedOctetsBefore(link.sent);
            const uint64_t headers = uint64_t{more} * FrameOctets(0, link.tag);
            link.from->CountSent(more, octets + headers, padded + headers);
            link.sent = count;
        }
    }
    if (!m_isMetered)
    {
        const uint32_t before = m_arrived;
        const uint64_t more = Arrive();
        if (m_isIgnored && m_arrived > before)
        {
            const uint32_t tag = FrameOctets(0, m_links.back().tag) - ETHERNET_OCTETS;
            const uint32_t packets = m_arrived - before;
            m_module->Ignore(m_vSwitch->GetId(), packets, more + uint64_t{packets} * tag);
        }
    }
    // All but the one that arrived last are delivered.
    const uint32_t count = m_arrived - (m_arrived > m_delivered && !IsDelivered() ? 1 : 0);
    if (m_vSwitch && count > m_delivered)
    {
        m_vSwitch->CountDelivered(m_passage,
                                  count - m_delivered,
                                  m_flow.OctetsBefore(count) - m_flow.OctetsBefore(m_delivered));
    }
    m_delivered = count;
}

/// \return whether the packet that arrived last has reached the receiver
bool
EsxSyntheticPath::IsDelivered() const
{
    return !m_vSwitch || TimeOf(m_arrived - 1, m_links.size()) + GetDelayNs() < Now();
}

/// Counts packets at the end of the links, and into the receiver's vSwitch. \return octets of the
/// further ones
uint64_t
EsxSyntheticPath::Arrive()
{
    const uint32_t count = CountPassed(m_links.size());
    if (count <= m_arrived)
    {
        return 0;
    }
    const uint64_t more = m_flow.OctetsBefore(count) - m_flow.OctetsBefore(m_arrived);
    if (m_vSwitch)
    {
        m_vSwitch->CountSent(m_passage, count - m_arrived, more);
    }
    m_arrived = count;
    return more;
}

netflow::DeferredPackets::Sum
EsxSyntheticPath::Take(netflow::TimeNs /* until: now */)
{
    const uint32_t before = m_arrived;
    Sum sum;
    sum.octets = Arrive();
    sum.packets = m_arrived - before;
    sum.tcpFlags = m_flow.GetFlags();
    sum.last = sum.packets > 0 ? TimeOf(m_arrived - 1, m_links.size()) + m_bootToStart : 0;
    sum.next =
        m_arrived < m_flow.packets ? TimeOf(m_arrived, m_links.size()) + m_bootToStart : INT64_MAX;
    return sum;
}

void
EsxSyntheticPath::Resume()
{
    m_isMetered = false;
    m_flow.GoSingly(); // deletes this
}

void
EsxSyntheticPath::End()
{
    Undefer();
    Settle();
    m_stays.clear();
    if (m_delivered < m_flow.sent)
    {
        SendTheLast();
    }
}

/// The packet that is on the way, by itself from where it is.
void
EsxSyntheticPath::SendTheLast()
{
    const uint32_t index = m_flow.sent - 1;
    std::size_t at = m_links.size() - 1; // the link that it is on
    while (at > 0 && m_links[at].sent <= index)
    {
        --at;
    }
    const Link& link = m_links[at];
    const Ptr<Packet> packet = m_flow.MakePacket(index);
    EsxNetDevice::MarkInjected(*packet);
    if (link.routers > 0)
    {
        Ipv4Header header;
        packet->RemoveHeader(header);
        header.SetTtl(header.GetTtl() - link.routers);
        header.EnableChecksum();
        packet->AddHeader(header);
    }
    const int64_t wait = TimeOf(index, at + 1) - Now();
    if (m_arrived > index)
    {
        m_vSwitch->DeliverSingly(m_passage,
                                 packet,
                                 m_links.back().source,
                                 m_links.back().destination,
                                 EsxSyntheticFlow::ETHERTYPE,
                                 NanoSeconds(wait + GetDelayNs()));
        return;
    }
    uint16_t protocol = EsxSyntheticFlow::ETHERTYPE;
    if (link.tag != 0)
    {
        packet->AddHeader(EsxVlanHeader(link.tag, protocol));
        protocol = ESX_TPID;
    }
    link.from->ArriveSingly(packet,
                            link.source,
                            link.destination,
                            protocol,
                            NanoSeconds(wait),
                            OriginOf(index, at));
}

} // namespace ns3
