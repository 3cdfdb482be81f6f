// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESXNF_HOST_PLAYER_H
#define ESXNF_HOST_PLAYER_H

#include "runner/simulation/host-book.h"

#include "ns3/esx-host.h"
#include "ns3/esx-metrics.h"
#include "ns3/esx-netflow.h"
#include "ns3/net-device.h"
#include "ns3/packet.h"

namespace esxnf
{

/// Plays back the book of a host in the simulation of its lab.
class HostPlayer
{
  public:
    /// \param metrics of ports and logs that are asked for
    HostPlayer(const ns3::Ptr<ns3::EsxHost>& host,
               HostBook&& book,
               const std::vector<ns3::EsxMetric>& metrics);
    /// In the order in which the recorder numbered them.
    void AddUplink(const ns3::Ptr<ns3::NetDevice>& device);
    /// A frame that the host sends by itself is about to: those that left before it go first.
    void Leaves(const ns3::Ptr<const ns3::Packet>& frame);
    /// Sets what the module tells to the state of the next snapshot.
    void Snapshot();
    /// \return why the host was not itself; empty: it was
    std::string Finish(const std::string& likeness) const;
    const HostBook& GetBook() const;

  private:
    /// Whether the next frame left before all that has not happened yet.
    bool IsDue() const;
    void SendFrames();
    /// Frames of this instant that waited for what has happened now come behind it.
    void FollowUp();
    /// From the start: records that end later are there, too. The datagram that carries a
    /// record is told when it is sent.
    void FillJournal();
    void Poll(const std::vector<uint16_t>& ids, std::vector<netflow::QueuedRecord>& records);
    /// Sends the packet of a datagram with the headers that it had.
    void Send(const netflow::Datagram& datagram, const ns3::Ptr<ns3::Packet>& packet);

    const ns3::Ptr<ns3::EsxHost> m_host;
    const ns3::Ptr<ns3::EsxNetflow> m_module;
    HostBook m_book;
    SnapshotReader m_snapshots;
    SnapshotReader m_sends{""};
    std::vector<uint8_t> m_octets; //!< of the latest datagram's frame; kept for its memory
    ns3::EsxNetflowReplay* m_replay;
    std::vector<std::string> m_keys;
    std::map<std::string, double> m_values;
    std::size_t m_nextPoll{0};
    std::vector<ns3::Ptr<ns3::NetDevice>> m_uplinks;
    std::size_t m_nextFrame{0};
    uint64_t m_exportsSince{0}; //!< the latest frame of the book was sent
    uint64_t m_snapshotsSince{0};
    bool m_isSending{false};
    std::size_t m_scheduledFrame{SIZE_MAX}; //!< SendFrames() comes at its instant
};

} // namespace esxnf

#endif // ESXNF_HOST_PLAYER_H
