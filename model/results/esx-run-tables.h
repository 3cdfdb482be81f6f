// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The tables of a run: all that a result folder and Python show of flows, records, datagrams, and
 * of state over time. A new column is one line in esx-run-tables.cc or esx-series.cc.
 */
#ifndef ESX_RUN_TABLES_H
#define ESX_RUN_TABLES_H

#include "esx-series.h"
#include "esx-spool.h"
#include "esx-table.h"

#include "ns3/esx-ledger.h"

namespace ns3
{

/// A datagram that a simulated collector read.
struct EsxCollectedDatagram
{
    Time receivedAt;
    uint64_t number{0}; //!< at its exporter
    EsxSpool::Piece payload;
    uint32_t exporter{0};  //!< node ID of the VMkernel node
    uint32_t collector{0}; //!< place of its name in EsxObservations::collectors
};

/// Observations of a run, beside the ledger: collected datagrams and samples.
struct EsxObservations
{
    std::vector<std::string> collectors;         //!< names of their nodes
    std::vector<EsxCollectedDatagram> collected; //!< and decoded
    EsxSpool payloads;                           //!< of UDP, of these
    std::vector<EsxSeriesSample> series;
    std::vector<EsxLinkSample> links;
};

/**
 * All tables, in the order of docs/tables.md.
 * \param ledger after the run; nullptr: who wants the columns only
 * \param seen must outlive the tables
 */
std::vector<EsxTable> EsxMakeTables(const Ptr<EsxLedger>& ledger, const EsxObservations& seen);

} // namespace ns3

#endif // ESX_RUN_TABLES_H
