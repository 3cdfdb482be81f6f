// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_TCP_SYN_SCAN_H
#define ESX_TCP_SYN_SCAN_H

#include "ns3/application.h"
#include "ns3/event-id.h"
#include "ns3/ipv4-address.h"
#include "ns3/traced-callback.h"

#include <vector>

namespace ns3
{

/// \brief A half-open port scan: one bare SYN to each port of a range, at a fixed interval, then
/// the end.
///
/// The SYNs are made by hand and go out through the node's TCP stack, which knows of no connection:
/// it answers a SYN-ACK (open port) with RST, as a real scanner's kernel does, and ignores the RST
/// of a closed port. So every SYN is a flow of its own, which is what fills a flow cache. With
/// several targets the ports of the first come first. Does not listen for answers, does not repeat
/// a SYN; the SYNs carry no TCP options.
class EsxTcpSynScan : public Application
{
  public:
    static TypeId GetTypeId();

    /// Adds a target that is scanned after Remote and all those added before.
    void AddRemote(Ipv4Address target);

    uint64_t GetSent() const;       //!< SYNs handed to the stack
    uint64_t GetUnroutable() const; //!< SYNs left out because there was no route to the target

    /// TracedCallback signature for Tx: target, destination port, source port
    typedef void (*TxCallback)(Ipv4Address target, uint16_t port, uint16_t sourcePort);

  protected:
    void DoDispose() override;

  private:
    void StartApplication() override;
    void StopApplication() override;
    void Probe();
    void SendSyn(Ipv4Address target);

    Ipv4Address m_remote;
    uint16_t m_firstPort;
    uint16_t m_lastPort;
    Time m_interval;
    uint16_t m_firstSourcePort;
    bool m_sourcePortRises;
    std::vector<Ipv4Address> m_further; //!< targets after m_remote
    size_t m_target{0};                 //!< of the next SYN: 0 is m_remote, n is m_further[n - 1]
    uint16_t m_port{0};                 //!< of the next SYN
    uint16_t m_sourcePort{0};           //!< of the next SYN
    EventId m_next;
    uint64_t m_sent{0};
    uint64_t m_unroutable{0};
    TracedCallback<Ipv4Address, uint16_t, uint16_t> m_txTrace;
};

} // namespace ns3

#endif // ESX_TCP_SYN_SCAN_H
