// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_UDP_CBR_H
#define ESX_UDP_CBR_H

#include "ns3/address.h"
#include "ns3/application.h"
#include "ns3/data-rate.h"
#include "ns3/event-id.h"
#include "ns3/packet.h"
#include "ns3/socket.h"
#include "ns3/traced-callback.h"

namespace ns3
{

/// \brief UDP at a constant bit rate: equal packets at equal distances, the first at StartTime, the
/// last before StopTime.
///
/// ns-3's OnOffApplication is not used because it can mark its packets (DSCP) only in ways that
/// differ between releases, waits one interval before its first packet, and takes part of its rate
/// from on/off periods. A packet the stack refuses (no route) is counted, not repeated: a source of
/// constant rate does not catch up.
class EsxUdpCbr : public Application
{
  public:
    static TypeId GetTypeId();

    uint64_t GetSent() const;    //!< packets the stack took
    uint64_t GetRefused() const; //!< packets the stack refused

  protected:
    void DoDispose() override;

  private:
    void StartApplication() override;
    void StopApplication() override;
    void Send();

    Address m_remote;
    DataRate m_rate;       //!< of the UDP payload
    uint32_t m_packetSize; //!< bytes of UDP payload
    uint8_t m_dscp;        //!< 0..63
    Time m_interval;       //!< time one packet's payload takes at the rate
    Ptr<Socket> m_socket;
    EventId m_next;
    uint64_t m_sent{0};
    uint64_t m_refused{0};
    TracedCallback<Ptr<const Packet>> m_txTrace;
};

} // namespace ns3

#endif // ESX_UDP_CBR_H
