// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_ETHERNET_NET_DEVICE_H
#define ESX_ETHERNET_NET_DEVICE_H

#include "ns3/data-rate.h"
#include "ns3/error-model.h"
#include "ns3/esx-deferred-frames.h"
#include "ns3/esx-net-device.h"
#include "ns3/esx-ranked-event.h"
#include "ns3/event-id.h"
#include "ns3/mac48-address.h"
#include "ns3/nstime.h"
#include "ns3/packet.h"
#include "ns3/queue.h"
#include "ns3/traced-callback.h"

#include <functional>

namespace ns3
{

class EsxEthernetChannel;

/// Why a full-duplex link lost a frame.
enum class EsxEthernetDrop
{
    QUEUE,     //!< the transmit queue was full
    LINK_DOWN, //!< the link is cut, or was cut while the frame was on it
    ERROR,     //!< the receive error model took it
    COUNT
};

/**
 * One end of a full-duplex Ethernet link (EsxEthernetChannel): a transmitter with a rate, a delay
 * and a queue of its own, so that the two directions never wait for each other.
 *
 * A frame occupies the transmitter for (max(60, length) + 4 + FrameOverhead) * 8 / DataRate: the
 * minimum size without FCS, the FCS, preamble and interframe gap (IEEE 802.3 clauses 3 and 4).
 * Fractions of a nanosecond are carried to the next frame while frames follow each other without a
 * pause, so a busy link has exactly its rate. Length is that of header and payload; packets carry
 * neither padding nor FCS.
 *
 * The queue holds frames that wait; the one that is being sent has left it. A frame that arrives in
 * the instant in which the transmitter becomes free finds it free. Rate and delay may change at any
 * time and hold from the next frame on; frames never overtake each other. A cut link loses its
 * queue, what is on it and what is sent to it.
 *
 * Without contention (attribute Contention) a frame takes the same time, in whole nanoseconds, and
 * the delay, but waits for nobody: nothing is queued, any load passes, and a short frame overtakes
 * a long one. Then a frame counts as sent when its sending begins.
 *
 * Trace sources have CsmaNetDevice's names; their packets are frames with their Ethernet header. A
 * frame that was on the link when it was cut is told by PhyRxDrop, when it would have arrived. A
 * hop costs one event, and a second one if the frame waits or PhyTxEnd is observed. Frames that
 * arrive in one instant, anywhere, come behind all other events of it, in order of the nodes and
 * devices that sent them (EsxRankedEvent).
 */
class EsxEthernetNetDevice : public EsxNetDevice
{
  public:
    /// Whether frames of one direction wait for each other.
    enum Contention
    {
        QUEUE, //!< in the queue, until the transmitter is free
        NONE   //!< never: each takes its time of sending and the delay, beside others
    };

    static TypeId GetTypeId();
    EsxEthernetNetDevice();
    ~EsxEthernetNetDevice() override;

    /// For the channel: \p peer is at the other end. \p channel and \p peer live as long.
    void Attach(const Ptr<EsxEthernetChannel>& channel, EsxEthernetNetDevice* peer);
    /// For the channel: the link is cut (false) or mended (true).
    void LinkChanged(bool up);

    /// Sets the rate from the next frame on. \param rate above 0
    void SetDataRate(DataRate rate);
    DataRate GetDataRate() const;
    /// Sets the time from the end of sending to arrival. \param delay 0 or more
    void SetDelay(Time delay);
    Time GetDelay() const;
    Contention GetContention() const;

    /// Sets the queue of waiting frames. Not while frames wait.
    void SetQueue(Ptr<Queue<Packet>> queue);
    Ptr<Queue<Packet>> GetQueue() const;
    /// Sets the queue's size. Frames that wait and exceed it are still sent; new ones are lost
    /// until the queue is short enough.
    void SetQueueSize(QueueSize size);
    /// \return that of the queue; while there is none, or it is too long, the one that was set
    QueueSize GetQueueSize() const;

    uint64_t GetSentFrames() const;     //!< frames whose sending has ended; None: has begun
    uint64_t GetSentOctets() const;     //!< their lengths, with Ethernet header
    Time GetBusyTime() const;           //!< time of sending, of all frames together
    uint32_t GetQueueHighWater() const; //!< most frames that waited at once
    uint64_t GetQueueDrops() const;     //!< frames that found the queue full
    uint64_t GetDropped() const;        //!< frames lost on their way into the link: queue and cut

    /// Inside MacTxDrop and PhyRxDrop: why that frame was lost.
    EsxEthernetDrop GetDropCause() const;

    /**
     * Whether the frames that this end sends need not be followed one by one now: none waits, is
     * lost, or is seen at one of both ends.
     */
    bool CarriesUnseen() const;
    /// Whether a trace tells of each frame here.
    bool IsObserved() const;
    /// Those that this end sends.
    EsxDeferrals& GetDeferrals();
    /// All that pass the link, in both directions, go singly from now on.
    void GoSingly();
    /// Counts deferred frames as sent. \param octets with their Ethernet headers \param padded the
    /// same, of frames of 60 octets at least
    void CountSent(uint32_t frames, uint64_t octets, uint64_t padded);
    /// A deferred frame that was sent arrives by itself. \param wait from now on \param origin as
    /// if it had been sent really
    void ArriveSingly(const Ptr<Packet>& packet,
                      const Mac48Address& source,
                      const Mac48Address& destination,
                      uint16_t protocol,
                      Time wait,
                      EsxRankedEvent::Origin origin);
    /// \return time of sending a frame that follows no other one. \param octets with its header
    int64_t GetSendingNs(uint32_t octets) const;
    EsxEthernetNetDevice* GetPeer() const;
    uint64_t GetRank() const; //!< of the arrival of what it sends (EsxRankedEvent)

    /// \param frame without its Ethernet header; the taker's own
    using FrameTaker = std::function<void(const Ptr<Packet>& frame,
                                          const Mac48Address& source,
                                          const Mac48Address& destination,
                                          uint16_t protocol)>;
    /// A vSwitch or switch takes every frame that is received, as a promiscuous handler of the node
    /// would, without the node and its addresses of any kind. One takes them; a second one aborts.
    /// \param taker empty: nobody any more
    void SetFrameTaker(FrameTaker taker);

    /// Takes a frame from the link past the error model: for error models that delay or copy.
    void Deliver(const Ptr<Packet>& frame);

    Ptr<Channel> GetChannel() const override;
    bool Transmit(const Ptr<Packet>& packet,
                  const Mac48Address& source,
                  const Mac48Address& destination,
                  uint16_t protocol) override;

  protected:
    void DoDispose() override;

  private:
    class Arrival;

    void TransmitNext();
    void Begin(const Ptr<Packet>& frame);
    Time Occupy(uint32_t octets);
    void SetReceiveErrorModel(Ptr<ErrorModel> model);
    Ptr<ErrorModel> GetReceiveErrorModel() const;
    uint64_t NsTimesRate(uint32_t octets) const;
    Time SendingOf(uint64_t octets) const;
    void ApplyQueueSize();
    void Sent(const Ptr<const Packet>& frame, uint64_t cuts);
    void Receive(Ptr<Packet> frame, uint64_t cuts);
    void DropOnTransmit(const Ptr<Packet>& frame, EsxEthernetDrop cause);
    void DropOnReceive(const Ptr<Packet>& frame, EsxEthernetDrop cause);

    Ptr<EsxEthernetChannel> m_channel;
    EsxEthernetNetDevice* m_peer{nullptr}; //!< the channel keeps it alive
    Ptr<Queue<Packet>> m_queue;
    Ptr<ErrorModel> m_receiveErrorModel;
    FrameTaker m_taker;
    uint32_t m_frameOverhead;
    Contention m_contention{QUEUE};
    DataRate m_rate;
    Time m_delay;
    QueueSize m_queueSize;   //!< takes effect once the queue is short enough
    bool m_shrinking{false}; //!< m_queueSize waits for that

    bool m_waking{false};   //!< m_wake is scheduled: frames wait
    EventId m_wake;         //!< sends the next frame at m_freeAt
    Time m_freeAt;          //!< end of the current or last frame's sending
    uint64_t m_fraction{0}; //!< what the last division left, in 1/rate ns
    Time m_lastArrival;     //!< of the last frame sent
    uint32_t m_sending{0};  //!< octets of the frame that ends at m_freeAt
    uint64_t m_begunFrames{0};
    uint64_t m_begunOctets{0};
    Time m_busy;               //!< until m_freeAt
    uint64_t m_uncontended{0}; //!< octets on the wire since the rate changed, without contention
    EsxDeferrals m_deferrals;
    Time m_orderedUntil{-1}; //!< frames that were deferred may arrive, by themselves, until then
    uint32_t m_queueHighWater{0};
    uint64_t m_dropped{0};
    uint64_t m_queueDrops{0};
    EsxEthernetDrop m_dropCause{EsxEthernetDrop::QUEUE};

    TracedCallback<Ptr<const Packet>> m_phyTxBeginTrace;
    TracedCallback<Ptr<const Packet>> m_phyTxEndTrace;
    TracedCallback<Ptr<const Packet>> m_phyRxEndTrace;
    TracedCallback<Ptr<const Packet>> m_phyRxDropTrace;
};

} // namespace ns3

#endif // ESX_ETHERNET_NET_DEVICE_H
