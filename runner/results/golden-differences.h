// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Differences between golden results and those of a run, in lines that people read: numbers by
 * their names in summary.json, lost flows one by one. Called by golden.h.
 */
#ifndef ESXNF_GOLDEN_DIFFERENCES_H
#define ESXNF_GOLDEN_DIFFERENCES_H

#include "runner/scenario/yaml-document.h"

#include <string>
#include <vector>

namespace esxnf
{

/// Between two summary.json: "ledger.lost.arp: records was 3, is 5". Hosts, vSwitches and
/// collectors go by their names. Empty: equal. The first 40 lines.
std::vector<std::string> DifferencesOfSummaries(const Json& golden, const Json& now);

/// Between two flows-lost.csv, or two flows-left.csv: how many flows lose more and fewer octets,
/// then flow by flow, those that differ by the most octets first. Empty: equal. The first 40 flows.
/// \param what "lost" or "left"
std::vector<std::string> DifferencesOfTables(const std::string& what,
                                             const std::string& golden,
                                             const std::string& now);

} // namespace esxnf

#endif // ESXNF_GOLDEN_DIFFERENCES_H
