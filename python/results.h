// SPDX-License-Identifier: GPL-2.0-only
// The tables of a run as NumPy structured arrays, made from the description of their columns. Rows
// name hosts, ports and causes by their index in lists of names. The octets are filled without
// Python, and handed over without a copy.
#ifndef ESXNF_PYTHON_RESULTS_H
#define ESXNF_PYTHON_RESULTS_H

#include "runner/simulation/simulation.h"

#include <cstdint>
#include <map>
#include <pybind11/pybind11.h>
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
    uint16_t operator()(std::string_view name);

    const std::vector<std::string>& Get() const;

  private:
    std::vector<std::string> m_names;
    std::unordered_map<std::string, uint16_t> m_indices;
};

/// All tables of a run.
class ResultTables
{
  public:
    /// Fills everything. Needs no GIL. \param simulation after its run
    explicit ResultTables(const Simulation& simulation);

    /// Moves the tables into a dict of arrays by their names, with the lists of names.
    pybind11::dict ToPython() &&;

  private:
    std::map<std::string, NameList> m_names;              //!< by the list's name
    std::map<std::string, std::vector<uint8_t>> m_octets; //!< by the table's name
};

/// ledger, log and console of each host.
pybind11::dict HostsToPython(const Simulation& simulation);

} // namespace esxnf

#endif // ESXNF_PYTHON_RESULTS_H
