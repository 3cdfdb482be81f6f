// SPDX-License-Identifier: GPL-2.0-only
// Shared by the commands that take a scenario: reads it and prints its errors, warnings and
// infos.
#ifndef ESXNF_SCENARIO_LOADING_H
#define ESXNF_SCENARIO_LOADING_H

#include "runner/scenario/scenario.h"

#include <optional>
#include <string>

namespace esxnf
{

/// One line each: infos to standard output, all others to standard error.
void Print(const Diagnostics& diagnostics);

/// Reads and checks a scenario, and prints what is said about it. \return none if it has errors
/// \param [out] errors these; may be null
std::optional<Scenario> LoadAndReport(const std::string& path,
                                      const Overrides& overrides = {},
                                      Diagnostics* errors = nullptr);

/// The same of a scenario that is to be run: one with a loop has errors, too.
std::optional<Scenario> LoadWithoutLoops(const std::string& path);

} // namespace esxnf

#endif // ESXNF_SCENARIO_LOADING_H
