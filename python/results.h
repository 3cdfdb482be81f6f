// SPDX-License-Identifier: GPL-2.0-only
// The tables of a run as NumPy structured arrays. An array owns the vector that it shows: nothing
// is copied on the way to Python.
#ifndef ESXNF_PYTHON_RESULTS_H
#define ESXNF_PYTHON_RESULTS_H

#include "runner/simulation.h"

#include <pybind11/numpy.h>

namespace esxnf
{

/// A flow (table truth) or a record (tables exported and collected). Wide members first: no padding
/// to copy.
struct FlowEntry
{
    int64_t firstMs;
    int64_t lastMs;
    uint64_t packets;
    uint64_t octets;
    int64_t datagram;   //!< -1: none
    int64_t receivedNs; //!< simulated time; -1: not received
    uint32_t source;
    uint32_t destination;
    uint16_t exporter;  //!< index in the list of exporters
    uint16_t collector; //!< index in the list of collectors; NO_INDEX: none
    uint16_t engine;
    uint16_t input;
    uint16_t output;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint8_t protocol;
    uint8_t tos;
    uint8_t tcpFlags;
    uint8_t unused[7];

    static constexpr uint16_t NO_INDEX = UINT16_MAX;
};

/// One sample of one exporter.
struct SeriesEntry
{
    int64_t timeNs;
    uint64_t cacheRecords;
    uint64_t purgatoryRecords;
    uint64_t heapOctets;
    uint64_t packetsMetered;
    uint64_t packetsShed;
    uint64_t recordsExpired;
    uint64_t recordsDropped;
    uint64_t recordsSent;
    uint64_t recordsLost;
    uint64_t recordsReceived;
    uint64_t exporter; //!< index in the list of exporters
};

/// Declares the structured types to NumPy. Once, at import.
void RegisterResultTypes();

/// exporters, collectors, truth, exported, collected, series, ledger, log, console of a run.
pybind11::dict TablesOf(const Simulation& simulation);

} // namespace esxnf

#endif // ESXNF_PYTHON_RESULTS_H
