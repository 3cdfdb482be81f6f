// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_LOSS_WATCH_H
#define ESX_LOSS_WATCH_H

#include "ns3/ipv4-header.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/object.h"
#include "ns3/packet.h"
#include "ns3/traced-callback.h"

#include <cstdint>
#include <set>

namespace ns3
{

class EsxHost;
class EsxVSwitch;
class NetDevice;
class QueueDisc;
class QueueDiscItem;
enum class EsxDropCause : uint8_t;

/// Why an export datagram was lost, as far as its own host can notice. In the order of messages.
enum class EsxLossCause : uint8_t
{
    NO_ROUTE,         //!< the VMkernel has no route, or its interface is down
    NO_ARP_ANSWER,    //!< nobody answers for the next hop's address
    ARP_QUEUE_FULL,   //!< too many packets wait for an ARP answer
    QUEUE_FULL,       //!< the vmknic's queue disc is full
    NIC_QUEUE_FULL,   //!< the queue of vmknic or vmnic is full
    UPLINK_DOWN,      //!< no uplink, or its link is down; the vmknic is detached
    PORT_UNREACHABLE, //!< ICMP: nobody listens on the collector's port
    HOST_UNREACHABLE, //!< ICMP: a router cannot reach the collector
    NET_UNREACHABLE,  //!< ICMP: a router has no route
    OTHER_ICMP,       //!< another ICMP error, e.g. the TTL ran out
    COUNT
};

constexpr unsigned ESX_LOSS_CAUSES = static_cast<unsigned>(EsxLossCause::COUNT);

/// \return "port unreachable" …
const char* ToString(EsxLossCause cause);

/**
 * Notices export datagrams that die inside their own host, where ns-3's UDP socket stays silent:
 * ARP, the IP layer, queue discs and device queues of the VMkernel node, and the host's vSwitches.
 * One for each host, aggregated to the VMkernel node by the first net-netflow; each process listens
 * to the trace and takes what is its own.
 *
 * Only what a host can know is noticed here: what dies in the network comes back as ICMP, which
 * net-netflow hears from its socket, or not at all. It books nothing: EsxExportTracker does.
 */
class EsxLossWatch : public Object
{
  public:
    /// \param process world of the net-netflow that sent it
    /// \param number of the datagram at this host
    typedef void (*LostTracedCallback)(uint32_t process, uint64_t number, EsxLossCause cause);

    static TypeId GetTypeId();
    ~EsxLossWatch() override;

    /// Watches what the host has now; can be called again when it has got more.
    void Watch(const Ptr<EsxHost>& host);

  protected:
    void DoDispose() override;

  private:
    void WatchIp(const Ptr<Node>& node);
    void WatchDevice(const Ptr<NetDevice>& device);
    /// \return true the first time an object is asked for
    bool IsNew(const Object* object);
    void Lost(const Ptr<const Packet>& packet, EsxLossCause cause);

    void DroppedByIp(const Ipv4Header& header,
                     Ptr<const Packet> packet,
                     Ipv4L3Protocol::DropReason reason,
                     Ptr<Ipv4> ipv4,
                     uint32_t interface);
    void DroppedByArp(Ptr<const Packet> packet);
    void ArpUnanswered(Ptr<const Packet> packet);
    void DroppedByQueueDisc(Ptr<const QueueDiscItem> item);
    void DroppedByDevice(Ptr<const Packet> packet);
    void LinkGone(Ptr<const Packet> packet);
    void DroppedByVSwitch(Ptr<const Packet> packet, uint16_t port, EsxDropCause cause);

    bool AnyUplinkSends() const;

    EsxHost* m_host{nullptr}; //!< on the same node
    uint32_t m_exporter{0};   //!< node ID of the VMkernel node
    Ptr<Ipv4L3Protocol> m_ipv4;
    std::set<const Object*> m_watched;

    TracedCallback<uint32_t, uint64_t, EsxLossCause> m_lostTrace;
};

} // namespace ns3

#endif // ESX_LOSS_WATCH_H
