// SPDX-License-Identifier: GPL-2.0-only
#include "esx-ethernet-net-device.h"

#include "esx-ethernet-channel.h"
#include "model/esx-compat.h"

#include "ns3/enum.h"
#include "ns3/esx-ranked-event.h"
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

} // namespace

/// A frame arrives. Those of one instant come in order of the devices that sent them, whenever they
/// did.
class EsxEthernetNetDevice::Arrival final : public EsxRankedEvent
{
  public:
    Arrival(uint64_t rank, EsxEthernetNetDevice* at, const Ptr<Packet>& frame, uint64_t cuts)
        : EsxRankedEvent(rank),
          m_at(at),
          m_frame(frame),
          m_cuts(cuts)
    {
    }

  private:
    void Notify() override
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
            .AddAttribute("TxQueue",
                          "Frames that wait for the transmitter, without the one being sent",
                          PointerValue(),
                          MakePointerAccessor(&EsxEthernetNetDevice::SetQueue,
                                              &EsxEthernetNetDevice::GetQueue),
                          MakePointerChecker<Queue<Packet>>())
            .AddAttribute("ReceiveErrorModel",
                          "Decides which arriving frames are lost",
                          PointerValue(),
                          MakePointerAccessor(&EsxEthernetNetDevice::m_receiveErrorModel),
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
    m_wake.Cancel();
    m_peer = nullptr;
    m_channel = nullptr;
    m_queue = nullptr;
    m_receiveErrorModel = nullptr;
    EsxNetDevice::DoDispose();
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
    m_shrinking = true;
    ApplyQueueSize();
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
    return m_begunFrames - (Simulator::Now() < m_freeAt ? 1 : 0);
}

uint64_t
EsxEthernetNetDevice::GetSentOctets() const
{
    return m_begunOctets - (Simulator::Now() < m_freeAt ? m_sending : 0);
}

Time
EsxEthernetNetDevice::GetBusyTime() const
{
    return m_busy - std::max(m_freeAt - Simulator::Now(), Time(0));
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
    EthernetHeader header(false);
    header.SetSource(source);
    header.SetDestination(destination);
    header.SetLengthType(protocol);
    packet->AddHeader(header);
    m_macTxTrace(packet);
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
    m_phyTxBeginTrace(frame);
    m_promiscSnifferTrace(frame);
    m_snifferTrace(frame);
    const Time sent = Occupy(frame->GetSize());
    const uint64_t cuts = m_channel->GetCuts();
    if (!m_phyTxEndTrace.IsEmpty())
    {
        Simulator::Schedule(sent - now, &EsxEthernetNetDevice::Sent, this, frame, cuts);
    }
    m_lastArrival = m_contention == NONE ? sent + m_delay : std::max(sent + m_delay, m_lastArrival);
    const uint64_t rank = uint64_t{m_node->GetId()} << 32 | GetIfIndex();
    EsxRankedEvent::Schedule(m_peer->m_node->GetId(),
                             m_lastArrival - now,
                             new Arrival(rank, m_peer, frame, cuts));
}

/// Takes the transmitter for a frame, if it is one that others wait for. \return when it is sent
Time
EsxEthernetNetDevice::Occupy(uint32_t octets)
{
    const Time now = Simulator::Now();
    ++m_begunFrames;
    m_begunOctets += octets;
    if (now > m_freeAt || m_contention == NONE)
    {
        m_fraction = 0; // a pause: nothing to carry on
    }
    const Time time = TransmissionTime(octets);
    m_busy += time;
    if (m_contention == QUEUE)
    {
        m_sending = octets;
        m_freeAt = now + time;
    }
    return now + time;
}

Time
EsxEthernetNetDevice::TransmissionTime(uint32_t octets)
{
    const uint64_t bits = uint64_t{8} * (std::max(MIN_FRAME, octets) + FCS + m_frameOverhead);
    // 66 000 octets * 8 * 10^9 + rate < 2^63: no overflow
    const uint64_t numerator = bits * 1'000'000'000 + m_fraction;
    m_fraction = numerator % m_rate.GetBitRate();
    return NanoSeconds(numerator / m_rate.GetBitRate());
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
    m_phyRxEndTrace(frame);
    EthernetHeader header(false);
    frame->PeekHeader(header);
    const Mac48Address destination = header.GetDestination();
    const PacketType type = TypeFor(destination);
    m_promiscSnifferTrace(frame);
    if (!m_promiscReceive.IsNull())
    {
        m_macPromiscRxTrace(frame);
    }
    if (type != PACKET_OTHERHOST)
    {
        m_snifferTrace(frame);
        m_macRxTrace(frame);
    }
    frame->RemoveAtStart(header.GetSerializedSize());
    if (!m_promiscReceive.IsNull())
    {
        m_promiscReceive(this,
                         frame,
                         header.GetLengthType(),
                         header.GetSource(),
                         destination,
                         type);
    }
    if (type != PACKET_OTHERHOST && !m_receive.IsNull())
    {
        m_receive(this, frame, header.GetLengthType(), header.GetSource());
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
