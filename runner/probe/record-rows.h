// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Flow records as rows: what probe exports and what collect receives have the same columns first,
 * those of the tables of a result folder (docs/formats.md).
 */
#ifndef ESXNF_RECORD_ROWS_H
#define ESXNF_RECORD_ROWS_H

#include "netflow/exporter.h"
#include "runner/base/row-writer.h"

#include <cstdint>
#include <vector>

namespace esxnf
{

/// exporter to datagram.
std::vector<const char*> ExportedColumns();

/// The same and the rest of what a datagram says, with times since 1970.
std::vector<const char*> ReceivedColumns();

/// Adds the records of a datagram that probe sends.
void AddExportedRows(RowWriter& rows, const netflow::Datagram& datagram);

/**
 * Adds the records of a datagram that came from somewhere.
 * \param exporter its source address in host byte order
 * \param number of the datagram, from 0
 */
void AddReceivedRows(RowWriter& rows,
                     uint32_t exporter,
                     uint64_t number,
                     const netflow::V5Header& header,
                     const std::vector<netflow::V5Record>& records);

} // namespace esxnf

#endif // ESXNF_RECORD_ROWS_H
