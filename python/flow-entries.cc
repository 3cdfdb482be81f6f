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
    CopyFlow(entry, record.key);
    entry.vSwitch = record.key.vSwitch;
    entry.output = record.output;
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
    CopyFlow(record.key, entry);
    record.key.vSwitch = entry.vSwitch;
    record.output = entry.output;
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
