// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_LEDGER_LAWS_H
#define ESX_LEDGER_LAWS_H

#include "esx-ledger.h"

#include <cstdint>

namespace ns3
{

class EsxHost;

/**
 * The laws of the ledger that are no balance of packets: order of times and of sequence numbers.
 * EsxLedger::GetResidual() adds what they find; nobody else needs them.
 *
 * - L4: within a session of an engine each flow_sequence follows from the datagram before. Under
 *   AtExpiry it may skip the records that were lost between expiry and poll, and no more.
 * - L7: what MeteringProcess::GetBreaches() says; and every record is polled within one poll
 * period.
 * - L8: purgatory and cache never exceed their bounds.
 *
 * \return datagrams, records and bounds that break a law on a host: 0 unless there is a bug
 */
uint64_t EsxCountBreaches(const EsxLedger& ledger, const Ptr<EsxHost>& host);

} // namespace ns3

#endif // ESX_LEDGER_LAWS_H
