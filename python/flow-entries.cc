// SPDX-License-Identifier: GPL-2.0-only
#include "flow-entries.h"

#include <fmt/format.h>
#include <pybind11/numpy.h>

namespace py = pybind11;

namespace esxnf
{

using netflow::FlowRecord;

RecordEntry
ToEntry(const FlowRecord& record)
{
    RecordEntry entry{};
    entry.firstNs = record.first;
    entry.lastNs = record.last;
    entry.id = record.id;
    entry.packets = record.packets;
    entry.octets = record.octets;
    entry.source = record.key.source;
    entry.destination = record.key.destination;
    entry.sourcePort = record.key.sourcePort;
    entry.destinationPort = record.key.destinationPort;
    entry.vSwitch = record.key.vSwitch;
    entry.input = record.key.input;
    entry.output = record.output;
    entry.protocol = record.key.protocol;
    entry.tos = record.key.tos;
    entry.tcpFlags = record.tcpFlags;
    entry.reason = static_cast<uint8_t>(record.reason);
    return entry;
}

FlowRecord
ToRecord(const RecordEntry& entry)
{
    if (entry.reason >= netflow::END_REASONS)
    {
        throw py::value_error(fmt::format("no reason is {}", entry.reason));
    }
    FlowRecord record;
    record.first = entry.firstNs;
    record.last = entry.lastNs;
    record.id = entry.id;
    record.packets = entry.packets;
    record.octets = entry.octets;
    record.key.source = entry.source;
    record.key.destination = entry.destination;
    record.key.sourcePort = entry.sourcePort;
    record.key.destinationPort = entry.destinationPort;
    record.key.vSwitch = entry.vSwitch;
    record.key.input = entry.input;
    record.output = entry.output;
    record.key.protocol = entry.protocol;
    record.key.tos = entry.tos;
    record.tcpFlags = entry.tcpFlags;
    record.reason = static_cast<netflow::EndReason>(entry.reason);
    return record;
}

void
RegisterFlowEntries()
{
    PYBIND11_NUMPY_DTYPE_EX(PacketEntry,
                            timeNs,
                            "time_ns",
                            source,
                            "src",
                            destination,
                            "dst",
                            octets,
                            "octets",
                            sourcePort,
                            "sport",
                            destinationPort,
                            "dport",
                            vSwitch,
                            "vswitch",
                            input,
                            "input",
                            output,
                            "output",
                            protocol,
                            "proto",
                            tos,
                            "tos",
                            tcpFlags,
                            "tcp_flags");
    PYBIND11_NUMPY_DTYPE_EX(RecordEntry,
                            firstNs,
                            "first_ns",
                            lastNs,
                            "last_ns",
                            id,
                            "id",
                            packets,
                            "packets",
                            octets,
                            "octets",
                            source,
                            "src",
                            destination,
                            "dst",
                            sourcePort,
                            "sport",
                            destinationPort,
                            "dport",
                            vSwitch,
                            "vswitch",
                            input,
                            "input",
                            output,
                            "output",
                            protocol,
                            "proto",
                            tos,
                            "tos",
                            tcpFlags,
                            "tcp_flags",
                            reason,
                            "reason");
}

} // namespace esxnf
