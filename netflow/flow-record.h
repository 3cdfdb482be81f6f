// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * A flow record: one lifetime of a flow in the cache, as it leaves the cache.
 */
#ifndef NETFLOW_FLOW_RECORD_H
#define NETFLOW_FLOW_RECORD_H

#include "netflow/flow-key.h"
#include "netflow/time.h"

#include <cstdint>

namespace netflow
{

/// Why a record left the cache (law L3).
enum class EndReason : uint8_t
{
    IDLE,    //!< no packet for longer than the idle timeout
    ACTIVE,  //!< older than the active timeout
    TCP_END, //!< FIN or RST seen and the cache is configured to end flows by it
    EVICTED, //!< made room for a new flow
    SPLIT,   //!< the next packet would have taken a counter past 2^32 - 1
    STOPPED, //!< metering of its vSwitch stopped
    COUNT
};

constexpr unsigned END_REASONS = static_cast<unsigned>(EndReason::COUNT);

/// "idle", "active", … as in the results.
const char* ToString(EndReason reason);

/// One record. Times at full resolution; NetFlow v5 carries them in milliseconds.
struct FlowRecord
{
    FlowKey key;
    uint16_t output{0};  //!< local port ID of the first packet's receiver, 0 if none or several
    uint8_t tcpFlags{0}; //!< OR of the flags of this record's TCP packets (rule R15)
    EndReason reason{EndReason::IDLE}; //!< valid once the record has ended
    uint32_t packets{0};               //!< >= 1
    uint32_t octets{0};                //!< sum of IP total lengths
    TimeNs first{0};                   //!< time of the first packet
    TimeNs last{0};                    //!< time of the last packet
    uint64_t id{0}; //!< number of the record in order of creation at its exporter
};

} // namespace netflow

#endif // NETFLOW_FLOW_RECORD_H
