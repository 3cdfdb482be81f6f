// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/probe-export.h"

#include "runner/base/endpoint.h"
#include "runner/base/user-error.h"
#include "runner/probe/datagram-text.h"

#include <cstring>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

constexpr uint32_t LOOPBACK = 0x7f000001; // 127.0.0.1
constexpr uint16_t SOURCE_PORT = 49152;   // the first dynamic port; a file needs one, and always it

/// The capture shows the way to the first collector; the source is the same on every machine.
UdpPath
PathOfCapture(const std::vector<std::string>& collectors)
{
    UdpPath path{LOOPBACK, LOOPBACK, SOURCE_PORT, DEFAULT_COLLECTOR_PORT};
    if (!collectors.empty())
    {
        const sockaddr_in target = Resolve(ParseEndpoint(collectors.front()));
        path.destinationAddress = ntohl(target.sin_addr.s_addr);
        path.destinationPort = ntohs(target.sin_port);
    }
    return path;
}

} // namespace

/// One target and its own losses.
struct ProbeExport::Collector
{
    Collector(const std::string& target, double rate)
        : endpoint(ParseEndpoint(target)),
          sender(endpoint, "", rate)
    {
    }

    const Endpoint endpoint;
    UdpSender sender;
    netflow::Counts unsent; //!< in datagrams that its socket did not take
    uint64_t unsentDatagrams{0};
};

ProbeExport::ProbeExport(const ProbeExportConfig& config)
    : m_config(config)
{
    for (const std::string& target : config.collectors)
    {
        m_collectors.push_back(std::make_unique<Collector>(target, config.rate));
    }
    if (!config.captureFile.empty())
    {
        m_capture.emplace(config.captureFile, PathOfCapture(config.collectors), config.outputs);
    }
    if (!config.csvFile.empty())
    {
        m_tables.push_back(std::make_unique<RowWriter<ExportedRow>>(config.csvFile,
                                                                    ns3::EsxRowPrinter::CSV,
                                                                    ExportedColumns(),
                                                                    config.outputs));
    }
    if (!config.jsonFile.empty())
    {
        m_tables.push_back(std::make_unique<RowWriter<ExportedRow>>(config.jsonFile,
                                                                    ns3::EsxRowPrinter::JSON_LINES,
                                                                    ExportedColumns(),
                                                                    config.outputs));
    }
}

ProbeExport::~ProbeExport() = default;

bool
ProbeExport::Send(const netflow::Datagram& datagram)
{
    bool sent = false;
    SendBatch(&datagram, 1, &sent);
    return sent;
}

std::size_t
ProbeExport::GetBatch() const
{
    return m_config.rate > 0 ? 1 : UdpSender::BATCH;
}

void
ProbeExport::SendBatch(const netflow::Datagram* datagrams, std::size_t count, bool* sent)
{
    DatagramView views[UdpSender::BATCH];
    bool taken[UdpSender::BATCH];
    for (std::size_t i = 0; i < count; ++i)
    {
        Record(datagrams[i]);
        views[i] = {datagrams[i].data, datagrams[i].size};
        sent[i] = m_collectors.empty();
    }
    for (const auto& collector : m_collectors)
    {
        collector->sender.SendBatch(views, count, taken);
        for (std::size_t i = 0; i < count; ++i)
        {
            sent[i] = sent[i] || taken[i];
            if (!taken[i])
            {
                collector->unsent += datagrams[i].counts;
                ++collector->unsentDatagrams;
            }
        }
    }
}

/// Writes a datagram wherever it is wanted in writing.
void
ProbeExport::Record(const netflow::Datagram& datagram)
{
    if (m_config.verbose)
    {
        Print(datagram);
    }
    for (const auto& table : m_tables)
    {
        ForEachExported(datagram, [&](const ExportedRow& row) { table->Write(row); });
    }
    if (m_capture)
    {
        const netflow::V5Header header = netflow::DecodeV5Header(datagram.data);
        m_capture->Write(int64_t{header.unixSecs} * netflow::NS_PER_SECOND + header.unixNsecs,
                         datagram.data,
                         datagram.size);
    }
}

void
ProbeExport::PortAliased(uint16_t vSwitch, uint16_t port)
{
    PrintError(fmt::format("-p: port {} of switch {} looks like port {}: 7 bits of switch ID "
                           "and 9 of port are kept",
                           port,
                           vSwitch,
                           netflow::IfIndexToPort(netflow::EncodeIfIndex(vSwitch, port))));
}

void
ProbeExport::Close()
{
    if (m_capture)
    {
        m_capture->Close();
    }
    for (const auto& table : m_tables)
    {
        table->Close();
    }
}

std::string
ProbeExport::DescribeCollectors()
{
    if (m_collectors.empty())
    {
        return "nothing was sent: no collector was given (-n)\n";
    }
    std::string text;
    for (const auto& collector : m_collectors)
    {
        const UdpSendStatistics& udp = collector->sender.GetStatistics();
        text += fmt::format("{}: sent {} refused {} no-buffers {} failed {}",
                            collector->endpoint.ToString(),
                            udp.sent,
                            udp.refused,
                            udp.noBuffers,
                            udp.failed);
        if (collector->unsent.records > 0)
        {
            text += fmt::format("; lost {} records of {} packets, {} octets",
                                collector->unsent.records,
                                collector->unsent.packets,
                                collector->unsent.octets);
        }
        text +=
            udp.lastError ? fmt::format(" (last error: {})\n", std::strerror(udp.lastError)) : "\n";
    }
    return text;
}

uint64_t
ProbeExport::GetUnsent() const
{
    uint64_t unsent = 0;
    for (const auto& collector : m_collectors)
    {
        unsent += collector->unsentDatagrams;
    }
    return unsent;
}

void
ProbeExport::Print(const netflow::Datagram& datagram)
{
    netflow::V5Header header;
    netflow::DecodeV5(datagram.data, datagram.size, header, m_records);
    fmt::print("datagram {} {}", datagram.number + 1, DatagramToText(header, m_records));
}

} // namespace esxnf
