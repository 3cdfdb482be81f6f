// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * A collector's capture that says what is missing from it: every datagram that arrived has a
 * comment with its number, and every one that was lost on the way stands on an interface "lost", at
 * the instant and with the place and cause of its death.
 */
#ifndef ESXNF_ANNOTATED_CAPTURE_H
#define ESXNF_ANNOTATED_CAPTURE_H

#include "ns3/esx-ledger.h"
#include "ns3/ipv4-address.h"
#include "ns3/net-device.h"
#include "ns3/packet.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace esxnf
{

/// Of one collector. Watches during the run, writes after it.
class AnnotatedCapture
{
  public:
    /// \param ledger installed
    /// \param node name of the collector's node
    /// \param address,port of the collector
    AnnotatedCapture(const ns3::Ptr<ns3::EsxLedger>& ledger,
                     std::string node,
                     ns3::Ipv4Address address,
                     uint16_t port,
                     const ns3::Ptr<ns3::NetDevice>& device);

    /// The callbacks of the constructor hold this object.
    AnnotatedCapture(const AnnotatedCapture&) = delete;
    AnnotatedCapture& operator=(const AnnotatedCapture&) = delete;

    /// The whole pcapng file, after the run. Times are those of the simulation.
    std::string ToPcapng() const;

  private:
    using DatagramId = std::pair<uint32_t, uint64_t>; // exporter, number

    struct Arrival
    {
        int64_t at;
        std::vector<uint8_t> frame;
        bool isExport;
        DatagramId datagram;
    };

    void WatchHost(const ns3::Ptr<ns3::EsxHost>& host);
    void Arrived(const ns3::Ptr<const ns3::Packet>& frame);
    std::vector<uint8_t> IpPacketOf(const ns3::EsxExportDatagram& datagram) const;

    ns3::Ptr<ns3::EsxLedger> m_ledger;
    const std::string m_node;
    const ns3::Ipv4Address m_address;
    const uint16_t m_port;
    std::vector<Arrival> m_arrivals;
    std::map<DatagramId, std::vector<uint8_t>> m_payloads; // of NetFlow, as sealed
    std::map<DatagramId, std::vector<uint8_t>> m_packets;  // of IP, as handed to a vmknic
};

} // namespace esxnf

#endif // ESXNF_ANNOTATED_CAPTURE_H
