// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VMKPING_H
#define ESX_VMKPING_H

#include "ns3/esx-console-process.h"
#include "ns3/event-id.h"
#include "ns3/ipv4-address.h"
#include "ns3/nstime.h"

#include <map>
#include <vector>

namespace ns3
{

class Ipv4Header;
class Node;
class Packet;
class Socket;

/// Options of vmkping.
struct EsxVmkpingOptions
{
    std::string host; //!< as typed
    Ipv4Address address;
    uint32_t count{3}; //!< requests, at least 1
    uint32_t size{56}; //!< octets of data in each
};

/**
 * vmkping: ICMP echo requests from the VMkernel's IP stack, one a second, with the output of BSD's
 * ping. It ends with the last answer, at the latest Wait after the last request; exit status 0 if
 * there was an answer, else 1.
 */
class EsxVmkping : public EsxConsoleProcess
{
  public:
    static TypeId GetTypeId();
    EsxVmkping();
    ~EsxVmkping() override;

    /// Starts in this instant, after the event that calls this.
    void Run(const Ptr<Node>& node, const EsxVmkpingOptions& options);
    /// SIGINT prints the statistics first.
    void Signal(EsxSignal signal) override;

  protected:
    void DoDispose() override;

  private:
    void Start();
    void Send();
    void Receive(const Ipv4Header& ip, Ptr<const Packet> message, uint32_t interface);
    void StopListening(Ptr<Socket> socket);
    void Finish();
    void Statistics();
    void Close();

    Time m_interval{Seconds(1)};
    Time m_wait; //!< attribute Wait
    Ptr<Node> m_node;
    EsxVmkpingOptions m_options;
    Ptr<Socket> m_socket;
    std::map<uint16_t, Time> m_waiting; //!< sent and not answered, by sequence number
    uint32_t m_sent{0};
    uint32_t m_received{0};
    Time m_least;
    Time m_most;
    Time m_total;
    EventId m_event;
};

} // namespace ns3

#endif // ESX_VMKPING_H
