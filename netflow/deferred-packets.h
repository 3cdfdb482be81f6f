// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Packets of a flow that are known beforehand: their instants and sizes follow from the flow, so
 * that nobody has to observe them one by one.
 *
 * A live record whose next packets are known is deferred (FlowCache::Defer()): what its packets
 * have come to is asked only when somebody wants to know, or the record's end has to be decided.
 * Records are the same to the octet as if each packet had been observed.
 */
#ifndef NETFLOW_DEFERRED_PACKETS_H
#define NETFLOW_DEFERRED_PACKETS_H

#include "netflow/time.h"

#include <cstdint>

namespace netflow
{

/// The packets of one flow that come after the last one that was observed. Its owner sees to it
/// that none of them is one that ends a record: by a flag, by coming after a timeout, or because 32
/// bits cannot count it. Such a packet is observed, after Resume().
class DeferredPackets
{
  public:
    /// Some of them, summed up.
    struct Sum
    {
        uint32_t packets{0};
        uint32_t octets{0};     //!< IP total lengths
        uint8_t tcpFlags{0};    //!< of all, ORed
        TimeNs last{0};         //!< instant of the last one; not read if there are none
        TimeNs next{INT64_MIN}; //!< no further one comes before this instant
    };

    virtual ~DeferredPackets() = default;

    /// Takes those before an instant that were not taken yet.
    virtual Sum Take(TimeNs until) = 0;

    /// From the last Take() on packets are to be observed: their record has ended, or somebody else
    /// sent a packet of the flow. Called synchronously; may Undefer() others.
    virtual void Resume() = 0;
};

} // namespace netflow

#endif // NETFLOW_DEFERRED_PACKETS_H
