// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_LEDGER_H
#define ESX_LEDGER_H

#include "esx-export-tracker.h"

#include "ns3/ipv4-address.h"
#include "ns3/object.h"

#include <cstdint>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace ns3
{

class EsxEthernetNetDevice;
class EsxHost;
class EsxNetflowCollector;

/// Truth, collection, losses and rest of one flow (law L6: truth = collected + losses + left).
struct EsxFlow
{
    std::string exporter; //!< name of the host
    std::string vSwitch;
    netflow::FlowKey key;
    uint16_t output{0}; //!< local port ID, of its first record
    int64_t firstNs{0}; //!< since the host booted
    int64_t lastNs{0};
    uint8_t tcpFlags{0};   //!< OR over its records
    netflow::Counts truth; //!< metered and shed
    netflow::Counts collected;
    std::map<std::string, netflow::Counts> losses; //!< by cause
    std::map<std::string, netflow::Counts>
        left; //!< "live", "queued" and "in_flight": not lost so far
};

/// The sending end of a full-duplex link, by the names that a script gave (Names).
struct EsxLinkEnd
{
    std::string link; //!< name of the device
    std::string node; //!< name of its node
    Ptr<EsxEthernetNetDevice> device;
};

/**
 * The books of a whole simulation: the ledgers of all ESX hosts, the fates of all export datagrams,
 * and every flow's truth beside what was collected of it. To be used as FlowMonitor is: install,
 * run, serialize.
 */
class EsxLedger : public Object
{
  public:
    /**
     * \param record the record
     * \param station its latest move; METERED while it is live
     * \param datagram the datagram that carries it, nullptr if none
     */
    using RecordVisitor = std::function<void(const netflow::FlowRecord& record,
                                             netflow::Move station,
                                             const EsxExportDatagram* datagram)>;

    /// \param flow valid during the call
    using FlowVisitor = std::function<void(const EsxFlow& flow)>;

    static TypeId GetTypeId();
    EsxLedger();
    ~EsxLedger() override;

    /**
     * Takes in all ESX hosts and collectors of the simulation and watches their export. Call once,
     * before the run; what is made later is taken in when the run begins and when a net-netflow or
     * a collector starts. The ledger lives to the end of the simulation, and can be read after
     * Simulator::Destroy() by who holds it. A simulation has one ledger.
     */
    void InstallAll();
    /// Has the simulation's ledger, if there is one, take in what is new.
    static void Refresh();
    /// The same: what is on a node at once, all else later in this instant, so that it is looked
    /// for once, however many hosts begin to export.
    static void Refresh(const Ptr<Node>& node);

    /// In order of node ID.
    const std::vector<Ptr<EsxHost>>& GetHosts() const;
    /// In order of node ID.
    const std::vector<Ptr<EsxNetflowCollector>>& GetCollectors() const;
    /// In order of node ID.
    const std::vector<EsxLinkEnd>& GetLinkEnds() const;
    Ptr<EsxExportTracker> GetTracker() const;

    /// Bookings of a move, summed over hosts (empty: all) and vSwitches (empty: all).
    netflow::Counts GetMoved(netflow::Move move,
                             const std::string& host = "",
                             const std::string& vSwitch = "") const;

    /**
     * Laws L0 to L8: by how much any balance is off; a breach of the order of times or sequences
     * (L4, L7) or of a bound (L8) counts as a record. All zero unless there is a bug. Compares the
     * ledger with the containers, the ports' counters, the record journal and the fates of the
     * datagrams.
     */
    netflow::Counts GetResidual() const;

    /// Every record of a host, ended ones in order of their end, then live ones in order of
    /// creation.
    void ForEachRecord(const Ptr<EsxHost>& host, const RecordVisitor& visit) const;

    /// Every flow, by exporter and then by key. Needs no memory for those that are not visited yet.
    void ForEachFlow(const FlowVisitor& visit) const;

    /// The same as a list, for runs with few flows.
    std::vector<EsxFlow> GetFlows() const;

    /// Writes hosts, vSwitches with all moves, and flows with their losses by cause and what is
    /// left of them.
    void SerializeToXmlStream(std::ostream& os) const;
    void SerializeToXmlFile(const std::string& fileName) const;

  protected:
    void DoDispose() override;

  private:
    void TakeIn();
    void EndSimulation();
    netflow::Counts GetResidual(const Ptr<EsxHost>& host) const;

    std::vector<Ptr<EsxHost>> m_hosts;
    std::vector<Ptr<EsxNetflowCollector>> m_collectors;
    std::vector<EsxLinkEnd> m_linkEnds;
    Ptr<EsxExportTracker> m_tracker;
    bool m_takesInLater{false}; //!< an event of this instant calls TakeIn()
};

} // namespace ns3

#endif // ESX_LEDGER_H
