// SPDX-License-Identifier: GPL-2.0-only
// The tables of a run as NumPy structured arrays. Rows name hosts, ports and causes by their index
// in lists of names. The vectors are filled without Python, and handed over without a copy.
#ifndef ESXNF_PYTHON_RESULTS_H
#define ESXNF_PYTHON_RESULTS_H

#include "runner/simulation/simulation.h"

#include <cstdint>
#include <pybind11/numpy.h>
#include <string>
#include <unordered_map>
#include <vector>

namespace esxnf
{

/// Names in order of first use.
class NameList
{
  public:
    static constexpr uint16_t NONE = UINT16_MAX;

    /// \return its index; NONE for the empty name. Throws std::length_error if there are too many
    uint16_t operator()(const std::string& name);

    const std::vector<std::string>& Get() const;

  private:
    std::vector<std::string> m_names;
    std::unordered_map<std::string, uint16_t> m_indices;
};

/// A flow (table truth) or a record (tables exported and collected). Wide members first.
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
    uint16_t exporter; // indices in lists of names
    uint16_t collector;
    uint16_t vSwitch;
    uint16_t inputPort;
    uint16_t outputPort;
    uint16_t reason;
    uint16_t engine;
    uint16_t input;
    uint16_t output;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint8_t protocol;
    uint8_t tos;
    uint8_t tcpFlags;
    uint8_t unused[7];
};

static_assert(sizeof(FlowEntry) == 88, "no padding beside the member that says so");

/// What was lost of a flow by one cause, or is left of it in one state.
struct RestEntry
{
    uint64_t packets;
    uint64_t octets;
    uint64_t records;
    uint32_t source;
    uint32_t destination;
    uint16_t exporter; // indices in lists of names
    uint16_t vSwitch;
    uint16_t fate;
    uint16_t input;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint8_t protocol;
    uint8_t tos;
    uint8_t unused[2];
};

/// One end of a link at one instant.
struct LinkEntry
{
    int64_t timeNs;
    uint64_t rateBps;
    uint64_t octets;
    uint64_t frames;
    uint64_t dropped;
    uint64_t queued;
    uint16_t link; // indices in lists of names
    uint16_t from;
    uint8_t unused[4];
};

static_assert(sizeof(LinkEntry) == 56, "no padding beside the member that says so");
static_assert(sizeof(RestEntry) == 48, "no padding beside the member that says so");

/// All tables of a run.
struct ResultTables
{
    NameList exporters;
    NameList collectors;
    NameList vSwitches;
    NameList ports;
    NameList reasons;
    NameList causes;
    NameList states;
    NameList links;
    NameList ends;
    std::vector<FlowEntry> truth;
    std::vector<FlowEntry> exported;
    std::vector<FlowEntry> collected;
    std::vector<RestEntry> losses;
    std::vector<RestEntry> left;
    std::vector<LinkEntry> linkSeries;
    std::vector<uint64_t> series; //!< row by row: time, index of the exporter, SeriesColumns()

    /// Fills everything. Needs no GIL. \param simulation after its run
    explicit ResultTables(const Simulation& simulation);
};

/// Moves the tables into a dict of arrays, with the lists of names.
pybind11::dict ToPython(ResultTables tables);

/// ledger, log and console of each host.
pybind11::dict HostsToPython(const Simulation& simulation);

} // namespace esxnf

#endif // ESXNF_PYTHON_RESULTS_H
