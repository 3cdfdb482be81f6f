// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Flow records as rows: what probe exports and what collect receives have the same columns first,
 * those of the tables of a result folder (docs/formats.md).
 */
#ifndef ESXNF_RECORD_ROWS_H
#define ESXNF_RECORD_ROWS_H

#include "netflow/exporter.h"
#include "netflow/v5-codec.h"

#include "ns3/esx-flow-columns.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace esxnf
{

/// A record that probe sends.
using ExportedRow = ns3::EsxFlowRow<netflow::FlowKey>;

/// A record that collect receives, with what else its datagram says.
struct ReceivedRow : ExportedRow
{
    const netflow::V5Header& header;
    const netflow::V5Record& record;
};

/// exporter to datagram.
ns3::EsxColumns<ExportedRow> ExportedColumns();

/// The same and the rest of what a datagram says, with times since 1970.
ns3::EsxColumns<ReceivedRow> ReceivedColumns();

/// The records of a datagram that probe sends.
void ForEachExported(const netflow::Datagram& datagram,
                     const std::function<void(const ExportedRow&)>& visit);

/**
 * The records of a datagram that was received.
 * \param exporter its source address, host byte order
 * \param number of datagrams received before it
 */
void ForEachReceived(uint32_t exporter,
                     uint64_t number,
                     const netflow::V5Header& header,
                     const std::vector<netflow::V5Record>& records,
                     const std::function<void(const ReceivedRow&)>& visit);

} // namespace esxnf

#endif // ESXNF_RECORD_ROWS_H
