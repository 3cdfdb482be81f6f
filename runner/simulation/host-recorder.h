// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESXNF_HOST_RECORDER_H
#define ESXNF_HOST_RECORDER_H

#include "runner/simulation/host-book.h"

#include "ns3/esx-host.h"
#include "ns3/esx-metrics.h"
#include "ns3/esx-netflow.h"
#include "ns3/packet.h"

#include <array>

namespace esxnf
{

/// Whether a host sends a frame in either simulation: an export, or what tells physical switches of
/// a port.
bool IsInBoth(const ns3::Ptr<const ns3::Packet>& frame);

/// \return them in the order in which snapshots have them
std::array<uint64_t*, 3> NumbersOf(ns3::EsxNetflowPeaks& peaks);

/// Books a host while it is simulated apart.
class HostRecorder
{
  public:
    /// \param metrics of ports and logs that are asked for
    HostRecorder(const ns3::Ptr<ns3::EsxHost>& host, const std::vector<ns3::EsxMetric>& metrics);
    /// Books what a sample or an observation finds now. \param isSample peaks begin anew
    void Snapshot(bool isSample);
    /// A frame is about to leave by an uplink. \param uplink number of its end of a link, in the
    /// order of the scenario
    void Leaves(std::size_t uplink, const ns3::Ptr<const ns3::Packet>& frame);
    /// After the last event. \param likeness its configuration at the end and its processes
    HostBook& Finish(const std::string& likeness);
    HostBook& GetBook();

  private:
    /// A vmknic sends a frame, or one comes to it.
    void Sends(uint64_t vmknic, const ns3::Packet& frame);
    /// Records are told by their numbers until Finish().
    void Book(const std::vector<uint16_t>& ids, const std::vector<netflow::QueuedRecord>& records);

    const ns3::Ptr<ns3::EsxHost> m_host;
    const ns3::Ptr<ns3::EsxNetflow> m_module;
    const std::vector<ns3::EsxMetric> m_metrics;
    SnapshotWriter m_snapshots;
    SnapshotWriter m_headers;
    std::vector<uint64_t> m_header; //!< of the latest datagram; kept for its memory
    std::size_t m_payload{0};       //!< octets of the latest datagram
    uint64_t m_sendingEvent{0};     //!< of the latest datagram
    uint64_t m_datagrams{0};
    uint64_t m_sends{0};        //!< frames of datagrams at vmknics
    bool m_sendsInTime{true};   //!< one of each datagram, within its event
    uint64_t m_exportsSince{0}; //!< the latest frame of the book
    uint64_t m_snapshotsSince{0};
    HostBook m_book;
};

} // namespace esxnf

#endif // ESXNF_HOST_RECORDER_H
