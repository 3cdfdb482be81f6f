// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/annotated-capture.h"

#include "model/vswitch/esx-checksums.h"
#include "netflow/exporter.h"
#include "netflow/ledger.h"
#include "runner/capture/pcapng-writer.h"

#include "ns3/esx-export-tag.h"
#include "ns3/esx-host.h"
#include "ns3/esx-netflow.h"
#include "ns3/ipv4-header.h"
#include "ns3/simulator.h"
#include "ns3/udp-header.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

using namespace ns3;

namespace
{

using netflow::Move;

std::vector<uint8_t>
OctetsOf(const Ptr<const Packet>& packet)
{
    std::vector<uint8_t> octets(packet->GetSize());
    packet->CopyData(octets.data(), packet->GetSize());
    return octets;
}

std::string
Comment(const std::string& host, const EsxExportDatagram& datagram)
{
    const std::string what = fmt::format("datagram {} of {}, engine {}, {} records",
                                         datagram.number,
                                         host,
                                         datagram.vSwitch,
                                         datagram.counts.records);
    const netflow::MoveInfo& info = netflow::GetInfo(datagram.fate);
    switch (info.to)
    {
    case netflow::Place::COLLECTED:
        return what + ": received";
    case netflow::Place::LOST:
        return fmt::format("{}: lost at {}: {}", what, datagram.place, info.cause);
    case netflow::Place::UNSENT:
        return fmt::format("{}: refused by the socket of {}", what, host);
    default:
        return what + ": still on the way at the end";
    }
}

/// A packet of the file to be.
struct Line
{
    int64_t at;
    bool isLost;
    const std::vector<uint8_t>* octets;
    std::string comment;
};

} // namespace

AnnotatedCapture::AnnotatedCapture(const Ptr<EsxLedger>& ledger,
                                   std::string node,
                                   Ipv4Address address,
                                   uint16_t port,
                                   const Ptr<NetDevice>& device)
    : m_ledger(ledger),
      m_node(std::move(node)),
      m_address(address),
      m_port(port)
{
    device->TraceConnectWithoutContext(
        "PromiscSniffer",
        Callback<void, Ptr<const Packet>>([this](Ptr<const Packet> frame) { Arrived(frame); }));
    for (const Ptr<EsxHost>& host : m_ledger->GetHosts())
    {
        WatchHost(host);
    }
    m_ledger->GetTracker()->TraceConnectWithoutContext(
        "Exported",
        Callback<void, const EsxExportDatagram&, Ptr<const Packet>>(
            [this](const EsxExportDatagram& datagram, Ptr<const Packet> packet) {
                std::vector<uint8_t>& octets = m_packets[{datagram.exporter, datagram.number}];
                octets = OctetsOf(packet);
                EsxFillIpChecksums(octets.data(), octets.size());
            }));
}

void
AnnotatedCapture::WatchHost(const Ptr<EsxHost>& host)
{
    const uint32_t exporter = host->GetVmkernelNode()->GetId();
    host->GetObject<EsxNetflow>()->TraceConnectWithoutContext(
        "Datagram",
        Callback<void, const netflow::Datagram&, Ipv4Address>(
            [this, exporter](const netflow::Datagram& datagram, Ipv4Address) {
                m_payloads[{exporter, datagram.number}].assign(datagram.data,
                                                               datagram.data + datagram.size);
            }));
}

void
AnnotatedCapture::Arrived(const Ptr<const Packet>& frame)
{
    EsxExportTag tag;
    const bool isExport = frame->PeekPacketTag(tag);
    std::vector<uint8_t> octets = OctetsOf(frame);
    EsxFillFrameChecksums(octets.data(), octets.size());
    m_arrivals.push_back(
        {Simulator::Now().GetNanoSeconds(),
         std::move(octets),
         isExport,
         isExport ? DatagramId(tag.GetExporter(), tag.GetNumber()) : DatagramId()});
}

/// As it left the vmknic; of what never came so far, headers without a source.
std::vector<uint8_t>
AnnotatedCapture::IpPacketOf(const EsxExportDatagram& datagram) const
{
    const DatagramId id(datagram.exporter, datagram.number);
    const auto exported = m_packets.find(id);
    if (exported != m_packets.end())
    {
        return exported->second;
    }
    const std::vector<uint8_t>& payload = m_payloads.at(id);
    const Ptr<Packet> packet =
        Create<Packet>(payload.data(), static_cast<uint32_t>(payload.size()));
    UdpHeader udp;
    udp.SetDestinationPort(m_port);
    packet->AddHeader(udp);
    Ipv4Header ip;
    ip.SetDestination(datagram.collector);
    ip.SetSource(Ipv4Address::GetAny());
    ip.SetProtocol(17);
    ip.SetTtl(64);
    ip.SetPayloadSize(static_cast<uint16_t>(packet->GetSize()));
    ip.EnableChecksum();
    packet->AddHeader(ip);
    return OctetsOf(packet);
}

std::string
AnnotatedCapture::ToPcapng() const
{
    std::map<DatagramId, std::string> comments;
    std::vector<std::vector<uint8_t>> lostPackets;
    std::vector<Line> lines;
    for (const Ptr<EsxHost>& host : m_ledger->GetHosts())
    {
        const auto& datagrams =
            m_ledger->GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId());
        lostPackets.reserve(lostPackets.size() + datagrams.size());
        for (const EsxExportDatagram& datagram : datagrams)
        {
            const std::string comment = Comment(host->GetName(), datagram);
            comments[{datagram.exporter, datagram.number}] = comment;
            if (datagram.collector == m_address && datagram.fate != Move::RECEIVED &&
                !netflow::GetInfo(datagram.fate).isAtCollector)
            {
                const Time at = datagram.concludedAt.IsStrictlyNegative() ? Simulator::Now()
                                                                          : datagram.concludedAt;
                lostPackets.push_back(IpPacketOf(datagram));
                lines.push_back({at.GetNanoSeconds(), true, nullptr, comment});
            }
        }
    }
    for (std::size_t i = 0; i < lines.size(); ++i)
    {
        lines[i].octets = &lostPackets[i];
    }
    for (const Arrival& arrival : m_arrivals)
    {
        lines.push_back({arrival.at,
                         false,
                         &arrival.frame,
                         arrival.isExport ? comments[arrival.datagram] : std::string()});
    }
    std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
        return a.at < b.at;
    });
    PcapngWriter writer;
    const uint32_t wire = writer.AddInterface(m_node + ":eth0", PcapngWriter::LINK_ETHERNET);
    const uint32_t lost = writer.AddInterface("lost", PcapngWriter::LINK_RAW_IP);
    for (const Line& line : lines)
    {
        writer.AddPacket(line.isLost ? lost : wire, line.at, *line.octets, line.comment);
    }
    return writer.GetFile();
}

} // namespace esxnf
