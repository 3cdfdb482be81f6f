// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_ICMP_ECHO_H
#define ESX_ICMP_ECHO_H

#include "ns3/application.h"
#include "ns3/event-id.h"
#include "ns3/ipv4-address.h"
#include "ns3/packet.h"
#include "ns3/socket.h"
#include "ns3/traced-callback.h"

namespace ns3
{

/// ICMP echo requests at equal distances, the first at StartTime, the last before StopTime. The
/// target's stack answers; the answers are not looked at.
class EsxIcmpEcho : public Application
{
  public:
    static TypeId GetTypeId();

    uint64_t GetSent() const; //!< requests the stack took

    /// \return an echo request with its ICMP header. \param octets of data in it
    static Ptr<Packet> MakeRequest(uint16_t identifier, uint16_t sequence, uint32_t octets);

  protected:
    void DoDispose() override;

  private:
    void StartApplication() override;
    void StopApplication() override;
    void Send();

    Ipv4Address m_remote;
    Time m_interval;
    uint32_t m_size; //!< octets of data
    uint8_t m_dscp;  //!< 0..63
    uint64_t m_sent{0};
    uint16_t m_sequence{0};
    Ptr<Socket> m_socket;
    EventId m_next;
    TracedCallback<Ptr<const Packet>> m_txTrace;
};

} // namespace ns3

#endif // ESX_ICMP_ECHO_H
