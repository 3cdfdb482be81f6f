// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_EXPORT_TRACKER_H
#define ESX_EXPORT_TRACKER_H

#include "netflow/exporter.h"

#include "ns3/ipv4-address.h"
#include "ns3/ipv4-header.h"
#include "ns3/nstime.h"
#include "ns3/object.h"
#include "ns3/packet.h"
#include "ns3/traced-callback.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ns3
{

class EsxHost;
class EsxNetflowCollector;
class EsxNetflow;
class EsxVmknic;
class Ipv4L3Protocol;
class NetDevice;
class Node;
class QueueDisc;
class Socket;

/// One export datagram and its fate.
struct EsxExportDatagram
{
    uint32_t exporter{0}; //!< ns-3 node ID of the VMkernel node
    uint64_t number{0};   //!< of the host's datagrams, from 0
    uint16_t vSwitch{0};  //!< engine
    uint32_t flowSequence{0};
    Ipv4Address collector;
    netflow::Counts counts; //!< sums over its records
    Time sentAt;
    Time exportedAt{-1};  //!< handed to the vmknic; negative: not (yet)
    Time concludedAt{-1}; //!< received or lost; negative: in flight
    netflow::Move fate;   //!< SENT while in flight, else SEND_FAILED, RECEIVED or LOST_…
    std::string place;    //!< where it was lost or received: node, node/device name or host/vSwitch
    uint32_t copies{0};   //!< times received; more than 1: duplicated on the way
    bool tentative{false}; //!< lost, as far as is known: a death elsewhere would count instead
    uint32_t session{0};   //!< how often its vSwitch had been registered when it was sent, from 1
};

/**
 * Follows every export datagram from the socket to the collector by its tag and books its fate in
 * its host's ledger (law L5). A loss is taken from the trace source of the object where the
 * datagram died, never inferred.
 *
 * Objects that exist are watched from WatchAll() on, later ones from the next WatchAll() on:
 * EsxLedger calls it when the run begins and whenever a net-netflow or a collector starts. A copy
 * that dies does not conclude a datagram whose other copy arrives
 * (flooding by a bridge): the arrival counts.
 *
 * A link is cut for CSMA by EsxUplink::SetDown(), the devices' attributes SendEnable and
 * ReceiveEnable, or CsmaChannel::Detach(); all are told from other losses. Only the first is seen
 * by the vSwitch's teams, which then take another uplink: ns-3 tells nobody of the others.
 */
class EsxExportTracker : public Object
{
  public:
    /// \param packet IP packet as handed to the vmknic
    typedef void (*ExportedTracedCallback)(const EsxExportDatagram& datagram,
                                           Ptr<const Packet> packet);
    typedef void (*ConcludedTracedCallback)(const EsxExportDatagram& datagram);

    static TypeId GetTypeId();
    EsxExportTracker();
    ~EsxExportTracker() override;

    /// Watches every node of the simulation, its ESX host, module and collectors if it has any.
    /// Objects that are watched already stay so.
    void WatchAll();

    /// The same for one node.
    void Watch(const Ptr<Node>& node);

    /// Datagrams of a host in order of sending. \param exporter node ID of its VMkernel node
    const std::vector<EsxExportDatagram>& GetDatagrams(uint32_t exporter) const;

    /// Interface numbers in the datagrams of a host so far that stand for more than one port of it:
    /// what a collector confuses that ignores the engine. \param exporter as above
    uint64_t GetAmbiguousInterfaces(uint32_t exporter) const;

  protected:
    void DoDispose() override;

  private:
    void WatchHost(const Ptr<EsxHost>& host);
    void WatchModule(uint32_t exporter, const Ptr<EsxNetflow>& module);
    void WatchQueueDisc(const Ptr<QueueDisc>& disc, const std::string& place);
    void WatchIp(const Ptr<Node>& node, const std::string& name);
    void WatchSending(const Ptr<Ipv4L3Protocol>& ipv4, const std::string& name);
    void LostIfDown(const Ipv4L3Protocol& ipv4,
                    uint32_t interface,
                    const Ptr<const Packet>& packet,
                    const std::string& name);
    void WatchSwitch(const Ptr<Node>& node, const std::string& name);
    void WatchDevices(const Ptr<Node>& node, const std::string& name);
    void WatchDevice(const Ptr<NetDevice>& device, const std::string& place);
    void WatchArp(const Ptr<NetDevice>& device, const std::string& name);
    /// \return true the first time an object is asked for
    bool IsNew(const Ptr<const Object>& object);
    void WatchCollector(const Ptr<EsxNetflowCollector>& collector, const std::string& name);

    /// A host that exports.
    struct Exporter
    {
        Ptr<EsxNetflow> module;
        std::vector<EsxExportDatagram> datagrams; //!< in order of sending
        uint64_t inFlight{0};                     //!< records: sealed, no fate yet
        /// Ports by interface number of the wire: number, switch ID, local ID, of 16 bits each.
        std::unordered_set<uint64_t> interfaces;
    };

    static void NoteInterfaces(Exporter& exporter, const netflow::Datagram& datagram);
    void Sending(uint32_t exporter, const netflow::Datagram& datagram, Ipv4Address collector);
    void SendFailed(uint32_t exporter, const netflow::Datagram& datagram);
    void Exported(Ptr<const Packet> packet);
    void Arrived(const Ptr<Node>& node, const std::string& place, const Ptr<const Packet>& segment);
    void ArrivedElsewhere(const Ptr<Socket>& socket,
                          const std::string& place,
                          const Ptr<const Packet>& segment);
    void Lost(const Ptr<const Packet>& packet,
              netflow::Move cause,
              const std::string& place,
              bool tentative = false);
    void Received(const Ptr<const Packet>& packet, const std::string& place);
    void Conclude(EsxExportDatagram& datagram, netflow::Move fate, const std::string& place);
    void Book(const EsxExportDatagram& datagram, netflow::Move move, bool undo);
    void AssertInFlight(uint32_t exporter) const;
    EsxExportDatagram* Find(const Ptr<const Packet>& packet);

    std::unordered_map<uint32_t, Exporter> m_exporters; //!< by node ID; looked up only
    /// Datagrams (exporter, number) that IP sent and their device has not, by device.
    std::map<const NetDevice*, std::map<std::pair<uint32_t, uint64_t>, Ptr<const Packet>>>
        m_waiting;
    std::set<Ptr<const Object>> m_watched;
    std::set<const EsxVmknic*> m_vmknics; //!< watched for what is handed to them
    TracedCallback<const EsxExportDatagram&, Ptr<const Packet>> m_exportedTrace;
    TracedCallback<const EsxExportDatagram&> m_concludedTrace;
};

/// \return the node's name in ns-3's Names, else "node3"
std::string EsxNodeName(const Ptr<const Node>& node);

} // namespace ns3

#endif // ESX_EXPORT_TRACKER_H
