// SPDX-License-Identifier: GPL-2.0-only
#include "esx-ethernet-net-device.h"

#include "esx-ethernet-channel.h"
#include "esx-link-impairment.h"
#include "model/esx-compat.h"

#include "ns3/enum.h"
#include "ns3/ethernet-header.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"
#include "ns3/uinteger.h"

#include <algorithm>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxEthernetNetDevice");
NS_OBJECT_ENSURE_REGISTERED(EsxEthernetNetDevice);

namespace
{

constexpr uint32_t MIN_FRAME = 60; // octets without FCS
constexpr uint32_t FCS = 4;
constexpr uint32_t HEADER = 14;

/// ns-3's header, written at once: its own way takes three times the instructions.
class WireHeader final : public EthernetHeader
{
  public:
    WireHeader(const Mac48Address& source, const Mac48Address& destination, uint16_t protocol)
        : EthernetHeader(false)
    {
        destination.CopyTo(m_octets);
        source.CopyTo(m_octets + 6);
        m_octets[12] = protocol >> 8;
        m_octets[13] = protocol & 0xff;
    }

    uint32_t GetSerializedSize() const override
    {
        return HEADER;
    }

    void Serialize(Buffer::Iterator start) const override
    {
        start.Write(m_octets, HEADER);
    }

  private:
    uint8_t m_octets[HEADER];
};

} // namespace

/// A frame arrives. Those of one instant come in order of the devices that sent them, whenever they
/// did; those of one device in order of sending.
class EsxEthernetNetDevice::Arrival final : public EsxRankedEvent
{
  public:
    Arrival(uint64_t rank,
            Origin origin,
            EsxEthernetNetDevice* at,
            const Ptr<Packet>& frame,
            uint64_t cuts)
        : EsxRankedEvent(rank, std::move(origin)),
          m_at(at),
          m_frame(frame),
          m_cuts(cuts)
    {
    }

  private:
    void Happen() override
    {
        m_at->Receive(m_frame, m_cuts);
    }

    EsxEthernetNetDevice* m_at;
    Ptr<Packet> m_frame;
    uint64_t m_cuts;
};

TypeId
EsxEthernetNetDevice::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxEthernetNetDevice")
            .SetParent<EsxNetDevice>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxEthernetNetDevice>()
            .AddAttribute("DataRate",
                          "Rate of sending; a new one holds from the next frame on",
                          DataRateValue(DataRate("1Gbps")),
                          MakeDataRateAccessor(&EsxEthernetNetDevice::SetDataRate,
                                               &EsxEthernetNetDevice::GetDataRate),
                          MakeDataRateChecker())
            .AddAttribute(
                "Delay",
                "Time from the end of sending a frame to its arrival",
                TimeValue(Seconds(0)),
                MakeTimeAccessor(&EsxEthernetNetDevice::SetDelay, &EsxEthernetNetDevice::GetDelay),
                MakeTimeChecker(Seconds(0)))
            .AddAttribute("FrameOverhead",
                          "Octets of time on the wire besides frame and FCS: preamble with start "
                          "delimiter 8, interframe gap 12",
                          UintegerValue(20),
                          MakeUintegerAccessor(&EsxEthernetNetDevice::m_frameOverhead),
                          MakeUintegerChecker<uint32_t>(0, 1000))
            .AddAttribute("Contention",
                          "Queue: frames wait until the transmitter is free. None: frames take "
                          "their time and the delay, and wait for nobody; to be set before the "
                          "first frame",
                          EnumValue(QUEUE),
                          MakeEsxEnumAccessor<Contention>(&EsxEthernetNetDevice::m_contention),
                          MakeEnumChecker(QUEUE, "Queue", NONE, "None"))
            .AddAttribute("Mtu",
                          "Most that the node's IP stack puts into a frame, in octets after the "
                          "Ethernet header; a vSwitch has a limit of its own",
                          UintegerValue(1500),
                          MakeUintegerAccessor(&EsxEthernetNetDevice::m_mtu),
                          MakeUintegerChecker<uint16_t>(68, 9000))
            .AddAttribute("QueueSize",
                          "Most that waits in TxQueue: of the queue that EsxEthernetHelper makes, "
                          "or from now on",
                          QueueSizeValue(QueueSize("100p")),
                          MakeQueueSizeAccessor(&EsxEthernetNetDevice::SetQueueSize,
                                                &EsxEthernetNetDevice::GetQueueSize),
                          MakeQueueSizeChecker())
            .AddAttribute("TxQueue",
                          "Frames that wait for the transmitter, without the one being sent",
                          PointerValue(),
                          MakePointerAccessor(&EsxEthernetNetDevice::SetQueue,
                                              &EsxEthernetNetDevice::GetQueue),
                          MakePointerChecker<Queue<Packet>>())
            .AddAttribute("ReceiveErrorModel",
                          "Decides which arriving frames are lost",
                          PointerValue(),
                          MakePointerAccessor(&EsxEthernetNetDevice::SetReceiveErrorModel,
                                              &EsxEthernetNetDevice::GetReceiveErrorModel),
                          MakePointerChecker<ErrorModel>())
            .AddTraceSource("PhyTxBegin",
                            "A frame whose sending begins",
                            MakeTraceSourceAccessor(&EsxEthernetNetDevice::m_phyTxBeginTrace),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PhyTxEnd",
                            "A frame whose sending ends",
                            MakeTraceSourceAccessor(&EsxEthernetNetDevice::m_phyTxEndTrace),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PhyRxEnd",
                            "A frame that arrived whole",
                            MakeTraceSourceAccessor(&EsxEthernetNetDevice::m_phyRxEndTrace),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PhyRxDrop",
                            "A frame lost on the link: by the error model, or because it was cut",
                            MakeTraceSourceAccessor(&EsxEthernetNetDevice::m_phyRxDropTrace),
                            "ns3::Packet::TracedCallback");
    return tid;
}

EsxEthernetNetDevice::EsxEthernetNetDevice() = default;

EsxEthernetNetDevice::~EsxEthernetNetDevice() = default;

void
EsxEthernetNetDevice::DoDispose()
{
    NS_LOG_FUNCTION(this);
    GoSingly();
    m_wake.Cancel();
    m_peer = nullptr;
    m_channel = nullptr;
    m_queue = nullptr;
    m_receiveErrorModel = nullptr;
    m_taker = {};
    EsxNetDevice::DoDispose();
}

void
EsxEthernetNetDevice::SetFrameTaker(FrameTaker taker)
{
    NS_ABORT_MSG_IF(m_taker && taker, "a device is an uplink, or the port of a switch, once");
    m_taker = std::move(taker);
}

void
EsxEthernetNetDevice::Attach(const Ptr<EsxEthernetChannel>& channel, EsxEthernetNetDevice* peer)
{
    NS_LOG_FUNCTION(this << channel << peer);
    NS_ABORT_MSG_IF(!m_queue, "EsxEthernetNetDevice: no TxQueue was set");
    m_channel = channel;
    m_peer = peer;
    LinkChanged(!channel->IsDown());
}

void
EsxEthernetNetDevice::LinkChanged(bool up)
{
    NS_LOG_LOGIC(this << (up ? " link up" : " link down"));
    GoSingly();
    m_linkUp = up;
    if (!up)
    {
        if (Simulator::Now() < m_freeAt) // the frame being sent is not sent
        {
            --m_begunFrames;
            m_begunOctets -= m_sending;
            m_busy -= m_freeAt - Simulator::Now();
            m_freeAt = Simulator::Now();
        }
        m_wake.Cancel();
        m_waking = false;
        while (const Ptr<Packet> frame = m_queue->Dequeue())
        {
            DropOnTransmit(frame, EsxEthernetDrop::LINK_DOWN);
        }
        ApplyQueueSize();
    }
    m_linkChange();
}

void
EsxEthernetNetDevice::SetDataRate(DataRate rate)
{
    NS_LOG_FUNCTION(this << rate);
    NS_ABORT_MSG_IF(rate.GetBitRate() == 0, "EsxEthernetNetDevice: DataRate must be above 0");
    GoSingly();
    m_busy += SendingOf(m_uncontended);
    m_uncontended = 0;
    m_rate = rate;
    m_fraction = 0;
}

DataRate
EsxEthernetNetDevice::GetDataRate() const
{
    return m_rate;
}

void
EsxEthernetNetDevice::SetDelay(Time delay)
{
    NS_LOG_FUNCTION(this << delay);
    GoSingly();
    m_delay = delay;
}

Time
EsxEthernetNetDevice::GetDelay() const
{
    return m_delay;
}

void
EsxEthernetNetDevice::SetQueue(Ptr<Queue<Packet>> queue)
{
    NS_ABORT_MSG_IF(m_queue && !m_queue->IsEmpty(), "EsxEthernetNetDevice: frames wait in TxQueue");
    m_queue = queue;
    m_shrinking = false;
}

Ptr<Queue<Packet>>
EsxEthernetNetDevice::GetQueue() const
{
    return m_queue;
}

void
EsxEthernetNetDevice::SetQueueSize(QueueSize size)
{
    NS_LOG_FUNCTION(this << size);
    m_queueSize = size;
    if (m_queue)
    {
        m_shrinking = true;
        ApplyQueueSize();
    }
}

QueueSize
EsxEthernetNetDevice::GetQueueSize() const
{
    return m_queue && !m_shrinking ? m_queue->GetMaxSize() : m_queueSize;
}

EsxEthernetNetDevice::Contention
EsxEthernetNetDevice::GetContention() const
{
    return m_contention;
}

/// ns-3's queues cannot be made shorter than what they hold.
void
EsxEthernetNetDevice::ApplyQueueSize()
{
    const uint32_t held = m_queueSize.GetUnit() == QueueSizeUnit::PACKETS ? m_queue->GetNPackets()
                                                                          : m_queue->GetNBytes();
    if (m_shrinking && held <= m_queueSize.GetValue())
    {
        m_shrinking = false;
        m_queue->SetMaxSize(m_queueSize);
    }
}

uint64_t
EsxEthernetNetDevice::GetSentFrames() const
{
    m_deferrals.Settle();
    return m_begunFrames - (Simulator::Now() < m_freeAt ? 1 : 0);
}

uint64_t
EsxEthernetNetDevice::GetSentOctets() const
{
    m_deferrals.Settle();
    return m_begunOctets - (Simulator::Now() < m_freeAt ? m_sending : 0);
}

Time
EsxEthernetNetDevice::GetBusyTime() const
{
    m_deferrals.Settle();
    return m_busy + SendingOf(m_uncontended) - std::max(m_freeAt - Simulator::Now(), Time(0));
}

uint32_t
EsxEthernetNetDevice::GetQueueHighWater() const
{
    return m_queueHighWater;
}

uint64_t
EsxEthernetNetDevice::GetQueueDrops() const
{
    return m_queueDrops;
}

uint64_t
EsxEthernetNetDevice::GetDropped() const
{
    return m_dropped;
}

EsxEthernetDrop
EsxEthernetNetDevice::GetDropCause() const
{
    return m_dropCause;
}

bool
EsxEthernetNetDevice::Transmit(const Ptr<Packet>& packet,
                               const Mac48Address& source,
                               const Mac48Address& destination,
                               uint16_t protocol)
{
    packet->AddHeader(WireHeader(source, destination, protocol));
    Tell(m_macTxTrace, packet);
    if (!m_linkUp)
    {
        DropOnTransmit(packet, EsxEthernetDrop::LINK_DOWN);
        return false;
    }
    if (m_waking && Simulator::Now() >=
                        m_freeAt) // the transmitter became free in this instant: that comes first
    {
        m_wake.Cancel();
        TransmitNext();
    }
    if (!m_waking && Simulator::Now() >= m_freeAt) // always without contention
    {
        Begin(packet); // it does not wait
        return true;
    }
    if (m_shrinking || !m_queue->Enqueue(packet))
    {
        DropOnTransmit(packet, EsxEthernetDrop::QUEUE);
        return false;
    }
    m_queueHighWater = std::max(m_queueHighWater, m_queue->GetNPackets());
    if (!m_waking)
    {
        m_waking = true;
        m_wake = Simulator::Schedule(m_freeAt - Simulator::Now(),
                                     &EsxEthernetNetDevice::TransmitNext,
                                     this);
    }
    return true;
}

/// The transmitter is free and the queue holds a frame.
void
EsxEthernetNetDevice::TransmitNext()
{
    const Ptr<Packet> frame = m_queue->Dequeue();
    if (m_shrinking)
    {
        ApplyQueueSize();
    }
    Begin(frame);
    m_waking = !m_queue->IsEmpty();
    if (m_waking)
    {
        m_wake = Simulator::Schedule(m_freeAt - Simulator::Now(),
                                     &EsxEthernetNetDevice::TransmitNext,
                                     this);
    }
}

/// Begins to send a frame, and schedules its arrival.
void
EsxEthernetNetDevice::Begin(const Ptr<Packet>& frame)
{
    const Time now = Simulator::Now();
    Tell(m_phyTxBeginTrace, frame);
    Tell(m_promiscSnifferTrace, frame);
    Tell(m_snifferTrace, frame);
    const Time sent = Occupy(frame->GetSize());
    const uint64_t cuts = m_channel->GetCuts();
    if (!m_phyTxEndTrace.IsEmpty())
    {
        Simulator::Schedule(sent - now, &EsxEthernetNetDevice::Sent, this, frame, cuts);
    }
    m_lastArrival = m_contention == NONE ? sent + m_delay : std::max(sent + m_delay, m_lastArrival);
    EsxRankedEvent::Origin origin; // matters if deferred frames may arrive in the same instant
    if (!m_deferrals.IsEmpty() || m_lastArrival <= m_orderedUntil)
    {
        origin = EsxRankedEvent::GetOriginFromNow();
        m_orderedUntil = std::max(m_orderedUntil, m_lastArrival);
    }
    EsxRankedEvent::Schedule(m_peer->m_node->GetId(),
                             m_lastArrival - now,
                             new Arrival(GetRank(), std::move(origin), m_peer, frame, cuts));
}

/// Takes the transmitter for a frame, if it is one that others wait for. \return when it is sent
Time
EsxEthernetNetDevice::Occupy(uint32_t octets)
{
    const Time now = Simulator::Now();
    if (m_contention == NONE)
    {
        CountSent(1, octets, std::max(MIN_FRAME, octets));
        return now + NanoSeconds(GetSendingNs(octets));
    }
    m_sending = octets;
    ++m_begunFrames;
    m_begunOctets += octets;
    if (now > m_freeAt) // a pause: nothing to carry on
    {
        m_fraction = 0;
    }
    const uint64_t numerator = NsTimesRate(octets) + m_fraction;
    m_fraction = numerator % m_rate.GetBitRate();
    const Time time = NanoSeconds(numerator / m_rate.GetBitRate());
    m_busy += time;
    m_freeAt = now + time;
    return m_freeAt;
}

/// Bits on the wire of a frame, times 10^9.
uint64_t
EsxEthernetNetDevice::NsTimesRate(uint32_t octets) const
{
    // 66 000 octets * 8 * 10^9 + rate < 2^63: no overflow
    return uint64_t{8} * (std::max(MIN_FRAME, octets) + FCS + m_frameOverhead) * 1'000'000'000;
}

int64_t
EsxEthernetNetDevice::GetSendingNs(uint32_t octets) const
{
    return static_cast<int64_t>(NsTimesRate(octets) / m_rate.GetBitRate());
}

/// \param octets on the wire of any number of frames
Time
EsxEthernetNetDevice::SendingOf(uint64_t octets) const
{
    return octets == 0 ? Time(0)
                       : Seconds(8.0 * static_cast<double>(octets) /
                                 static_cast<double>(m_rate.GetBitRate()));
}

void
EsxEthernetNetDevice::CountSent(uint32_t frames, uint64_t octets, uint64_t padded)
{
    m_begunFrames += frames;
    m_begunOctets += octets;
    m_uncontended += padded + uint64_t{frames} * (FCS + m_frameOverhead);
}

bool
EsxEthernetNetDevice::IsObserved() const
{
    return !m_macTxTrace.IsEmpty() || !m_macRxTrace.IsEmpty() || !m_macPromiscRxTrace.IsEmpty() ||
           !m_snifferTrace.IsEmpty() || !m_promiscSnifferTrace.IsEmpty() ||
           !m_phyTxBeginTrace.IsEmpty() || !m_phyTxEndTrace.IsEmpty() || !m_phyRxEndTrace.IsEmpty();
}

bool
EsxEthernetNetDevice::CarriesUnseen() const
{
    const Ptr<ErrorModel> model = m_peer ? m_peer->m_receiveErrorModel : nullptr;
    const auto impairment = DynamicCast<EsxLinkImpairment>(model);
    return m_contention == NONE && m_peer && m_linkUp && !m_waking &&
           Simulator::Now() >= m_freeAt && !IsObserved() && !m_peer->IsObserved() &&
           (!model || (impairment && impairment->IsNone()));
}

EsxDeferrals&
EsxEthernetNetDevice::GetDeferrals()
{
    return m_deferrals;
}

void
EsxEthernetNetDevice::GoSingly()
{
    m_deferrals.GoSingly();
    if (m_peer)
    {
        m_peer->m_deferrals.GoSingly();
    }
}

void
EsxEthernetNetDevice::ArriveSingly(const Ptr<Packet>& packet,
                                   const Mac48Address& source,
                                   const Mac48Address& destination,
                                   uint16_t protocol,
                                   Time wait,
                                   EsxRankedEvent::Origin origin)
{
    if (!m_peer)
    {
        return; // the simulation is over
    }
    packet->AddHeader(WireHeader(source, destination, protocol));
    m_orderedUntil = std::max(m_orderedUntil, Simulator::Now() + wait);
    EsxRankedEvent::Schedule(
        m_peer->m_node->GetId(),
        wait,
        new Arrival(GetRank(), std::move(origin), m_peer, packet, m_channel->GetCuts()));
}

EsxEthernetNetDevice*
EsxEthernetNetDevice::GetPeer() const
{
    return m_peer;
}

uint64_t
EsxEthernetNetDevice::GetRank() const
{
    return uint64_t{m_node->GetId()} << 32 | GetIfIndex();
}

void
EsxEthernetNetDevice::SetReceiveErrorModel(Ptr<ErrorModel> model)
{
    GoSingly();
    m_receiveErrorModel = model;
}

Ptr<ErrorModel>
EsxEthernetNetDevice::GetReceiveErrorModel() const
{
    return m_receiveErrorModel;
}

void
EsxEthernetNetDevice::Sent(const Ptr<const Packet>& frame, uint64_t cuts)
{
    if (cuts == m_channel->GetCuts())
    {
        m_phyTxEndTrace(frame);
    }
}

void
EsxEthernetNetDevice::Receive(Ptr<Packet> frame, uint64_t cuts)
{
    if (cuts != m_channel->GetCuts())
    {
        DropOnReceive(frame, EsxEthernetDrop::LINK_DOWN);
    }
    else if (m_receiveErrorModel && m_receiveErrorModel->IsCorrupt(frame))
    {
        DropOnReceive(frame, EsxEthernetDrop::ERROR);
    }
    else
    {
        Deliver(frame);
    }
}

void
EsxEthernetNetDevice::Deliver(const Ptr<Packet>& frame)
{
    if (!m_linkUp) // cut while an error model held the frame
    {
        DropOnReceive(frame, EsxEthernetDrop::LINK_DOWN);
        return;
    }
    Tell(m_phyRxEndTrace, frame);
    uint8_t header[HEADER]{}; // as octets: to read an EthernetHeader takes 500 instructions more
    frame->CopyData(header, HEADER);
    Mac48Address destination;
    Mac48Address source;
    destination.CopyFrom(header);
    source.CopyFrom(header + 6);
    const uint16_t protocol = header[12] << 8 | header[13];
    const PacketType type = TypeFor(destination);
    Tell(m_promiscSnifferTrace, frame);
    if (m_taker || !m_promiscReceive.IsNull())
    {
        Tell(m_macPromiscRxTrace, frame);
    }
    if (type != PACKET_OTHERHOST)
    {
        Tell(m_snifferTrace, frame);
        Tell(m_macRxTrace, frame);
    }
    frame->RemoveAtStart(HEADER);
    if (!m_promiscReceive.IsNull())
    {
        m_promiscReceive(this, frame, protocol, source, destination, type);
    }
    if (m_taker)
    {
        m_taker(type == PACKET_OTHERHOST ? frame : frame->Copy(), source, destination, protocol);
    }
    if (type != PACKET_OTHERHOST)
    {
        HandUp(frame, protocol, source);
    }
}

void
EsxEthernetNetDevice::DropOnTransmit(const Ptr<Packet>& frame, EsxEthernetDrop cause)
{
    ++m_dropped;
    m_queueDrops += cause == EsxEthernetDrop::QUEUE ? 1 : 0;
    m_dropCause = cause;
    m_macTxDropTrace(frame);
}

void
EsxEthernetNetDevice::DropOnReceive(const Ptr<Packet>& frame, EsxEthernetDrop cause)
{
    m_dropCause = cause;
    m_phyRxDropTrace(frame);
}

Ptr<Channel>
EsxEthernetNetDevice::GetChannel() const
{
    return m_channel;
}

} // namespace ns3
