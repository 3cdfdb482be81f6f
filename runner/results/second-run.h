// SPDX-License-Identifier: GPL-2.0-only
// 'check: deterministic': a scenario is run a second time and its results compared with the first
// ones, byte for byte. Used by whatever runs scenarios: the command line and Python.
#ifndef ESXNF_SECOND_RUN_H
#define ESXNF_SECOND_RUN_H

#include "runner/results/summary.h"
#include "runner/simulation/simulation.h"

#include <string>
#include <vector>

namespace esxnf
{

/// Whether a scenario expects that a second run gives the same.
bool ExpectsSecondRun(const Scenario& scenario);

/// Names of the files that are not the same in two folders, sorted; those in one only, too.
std::vector<std::string> DifferingFiles(const std::string& folder, const std::string& other);

/**
 * Runs a scenario again, without real collectors and real time, and judges its 'deterministic'
 * checks. An interrupted second run judges nothing. \param options of the first run \param folder
 * the first run's results, without this verdict; its summary.json is written anew \param [in,out]
 * summary of the first run \return the files that differ
 */
std::vector<std::string> JudgeBySecondRun(const Scenario& scenario,
                                          SimulationOptions options,
                                          const std::string& folder,
                                          Summary& summary);

} // namespace esxnf

#endif // ESXNF_SECOND_RUN_H
