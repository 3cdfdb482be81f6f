// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/datagram-text.h"

#include "runner/base/endpoint.h"

#include "ns3/esx-table.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

constexpr uint8_t PROTOCOL_ICMP = 1;
constexpr uint8_t PROTOCOL_TCP = 6;

std::string
ProtocolToText(uint8_t protocol)
{
    switch (protocol)
    {
    case PROTOCOL_ICMP:
        return "icmp";
    case 2:
        return "igmp";
    case PROTOCOL_TCP:
        return "tcp";
    case 17:
        return "udp";
    default:
        return fmt::format("protocol {}", protocol);
    }
}

std::string
MsToSeconds(uint32_t ms)
{
    return fmt::format("{}.{:03}", ms / 1000, ms % 1000);
}

std::string
FlagsToText(uint8_t flags)
{
    std::string text = "CEUAPRSF";
    for (unsigned bit = 0; bit < 8; ++bit)
    {
        if ((flags & (0x80U >> bit)) == 0)
        {
            text[bit] = '.';
        }
    }
    return text;
}

/// Fields that exporters other than ours may fill in.
std::string
RareFieldsToText(const netflow::V5Record& record)
{
    std::string text;
    if (record.nextHop != 0)
    {
        text += " nexthop " + ns3::EsxDotted(record.nextHop);
    }
    if (record.srcAs != 0 || record.dstAs != 0)
    {
        text += fmt::format(" as {}>{}", record.srcAs, record.dstAs);
    }
    if (record.srcMask != 0 || record.dstMask != 0)
    {
        text += fmt::format(" mask {}>{}", record.srcMask, record.dstMask);
    }
    if (record.pad1 != 0 || record.pad2 != 0)
    {
        text += fmt::format(" pad {:#04x},{:#06x}", record.pad1, record.pad2);
    }
    return text;
}

} // namespace

std::string
HeaderToText(const netflow::V5Header& header)
{
    std::string text =
        fmt::format("engine {}/{} sequence {} count {} uptime {} time {:%Y-%m-%dT%H:%M:%S}",
                    header.engineType,
                    header.engineId,
                    header.flowSequence,
                    header.count,
                    MsToSeconds(header.sysUptime),
                    fmt::gmtime(static_cast<std::time_t>(header.unixSecs)));
    text += header.unixNsecs < netflow::V5_NSECS_BOUND
                ? fmt::format(".{:09}Z", header.unixNsecs)
                : fmt::format("Z and {} nanoseconds, which is not valid", header.unixNsecs);
    if (header.samplingMode != 0 || header.samplingInterval != 0)
    {
        text += fmt::format(" sampling mode {} interval {}",
                            header.samplingMode,
                            header.samplingInterval);
    }
    return text;
}

std::string
RecordToText(const netflow::V5Record& record)
{
    return fmt::format("{} {}:{} > {}:{} tos {:#04x} in {} out {} packets {} octets {} first {} "
                       "last {} flags {}{}",
                       ProtocolToText(record.prot),
                       ns3::EsxDotted(record.srcAddr),
                       record.srcPort,
                       ns3::EsxDotted(record.dstAddr),
                       record.dstPort,
                       record.tos,
                       record.input,
                       record.output,
                       record.dPkts,
                       record.dOctets,
                       MsToSeconds(record.first),
                       MsToSeconds(record.last),
                       FlagsToText(record.tcpFlags),
                       RareFieldsToText(record));
}

std::string
DatagramToText(const netflow::V5Header& header, const std::vector<netflow::V5Record>& records)
{
    std::string text = HeaderToText(header) + '\n';
    for (const netflow::V5Record& record : records)
    {
        text += "  " + RecordToText(record) + '\n';
    }
    return text;
}

} // namespace esxnf
