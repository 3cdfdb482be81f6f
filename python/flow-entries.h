// SPDX-License-Identifier: GPL-2.0-only
// Packets and flow records as rows of NumPy arrays: flat structs without padding. Used by the
// bindings of the library.
#ifndef ESXNF_PYTHON_FLOW_ENTRIES_H
#define ESXNF_PYTHON_FLOW_ENTRIES_H

#include "netflow/flow-record.h"

#include <cstdint>

namespace esxnf
{

/// A packet as it is handed to a cache.
struct PacketEntry
{
    int64_t timeNs;
    uint32_t source;
    uint32_t destination;
    uint32_t octets;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint16_t vSwitch;
    uint16_t input;
    uint16_t output;
    uint8_t protocol;
    uint8_t tos;
    uint8_t tcpFlags;
    uint8_t unused[7];
};

static_assert(sizeof(PacketEntry) == 40, "no padding beside the member that says so");

/// A flow record, flat.
struct RecordEntry
{
    int64_t firstNs;
    int64_t lastNs;
    uint64_t id;
    uint32_t packets;
    uint32_t octets;
    uint32_t source;
    uint32_t destination;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint16_t vSwitch;
    uint16_t input;
    uint16_t output;
    uint8_t protocol;
    uint8_t tos;
    uint8_t tcpFlags;
    uint8_t reason;
    uint8_t unused[2];
};

static_assert(sizeof(RecordEntry) == 56, "no padding beside the member that says so");

/// Copies what tells flows of one vSwitch apart.
template <typename To, typename From>
void
CopyFlow(To& to, const From& from)
{
    to.source = from.source;
    to.destination = from.destination;
    to.sourcePort = from.sourcePort;
    to.destinationPort = from.destinationPort;
    to.input = from.input;
    to.protocol = from.protocol;
    to.tos = from.tos;
}

RecordEntry ToEntry(const netflow::FlowRecord& record);

/// Throws ValueError if there is no such reason.
netflow::FlowRecord ToRecord(const RecordEntry& entry);

/// Tells NumPy of the two, once.
void RegisterFlowEntries();

} // namespace esxnf

#endif // ESXNF_PYTHON_FLOW_ENTRIES_H
