// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SHAPER_H
#define ESX_SHAPER_H

#include "ns3/data-rate.h"
#include "ns3/event-id.h"
#include "ns3/mac48-address.h"
#include "ns3/nstime.h"
#include "ns3/packet.h"

#include <cstdint>
#include <deque>
#include <functional>

namespace ns3
{

/// A frame inside a vSwitch.
struct EsxFrame
{
    Ptr<Packet> packet; //!< without its Ethernet header; a tag, if any, is in front
    Mac48Address source;
    Mac48Address destination;
    uint16_t protocol{0}; //!< EtherType; 0x8100: the packet begins with a tag
    uint16_t vlan{0};     //!< VLAN it is in, 0: none
};

/**
 * Outbound traffic shaping of one port (documented: average, peak, burst; from a VM into the
 * vSwitch only): a token bucket of the burst size that fills at the average rate, emptied at most
 * at the peak rate, and a bounded FIFO for what does not conform yet (our choice). It costs no
 * event while frames conform and one for each frame that waits. A frame longer than the burst
 * waits for a full bucket, which then counts as below empty.
 *
 * Made and owned by EsxVSwitch for each shaped port, which counts what it refuses.
 */
class EsxShaper
{
  public:
    enum class Verdict
    {
        CONFORMS, //!< may go on now
        WAITS,    //!< taken over; handed to the release function later
        REFUSED   //!< the queue is full
    };

    using ReleaseFunction = std::function<void(EsxFrame&)>;

    /**
     * \param average above 0
     * \param peak at least the average
     * \param burst octets, above 0
     * \param queueLimit frames that can wait
     */
    EsxShaper(DataRate average,
              DataRate peak,
              uint64_t burst,
              uint32_t queueLimit,
              ReleaseFunction release);
    ~EsxShaper();
    EsxShaper(const EsxShaper&) = delete;
    EsxShaper& operator=(const EsxShaper&) = delete;

    /// \return true if it was made with these values
    bool Is(DataRate average, DataRate peak, uint64_t burst, uint32_t queueLimit) const;
    /// A frame comes. \param octets its length on the wire
    Verdict Offer(EsxFrame& frame, uint32_t octets);
    /// \return frames that wait
    std::size_t GetBacklog() const;
    /// Gives up what waits, in order, and forgets it.
    std::deque<EsxFrame> TakeAll();

  private:
    struct Waiting
    {
        EsxFrame frame;
        uint32_t octets;
    };

    Time ReleaseTime(uint32_t octets) const;
    void Spend(uint32_t octets);
    void ScheduleNext();
    void ReleaseNext();

    DataRate m_average;
    DataRate m_peak;
    uint64_t m_burst;
    Time m_burstTime; //!< of a full bucket at the average rate
    uint32_t m_queueLimit;
    ReleaseFunction m_release;
    Time m_full;     //!< when the bucket will be full again, if nothing is sent
    Time m_peakFree; //!< when the peak rate allows the next frame
    std::deque<Waiting> m_queue;
    EventId m_next;
};

} // namespace ns3

#endif /* ESX_SHAPER_H */
