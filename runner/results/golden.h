// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Golden results: what a run gave when somebody looked and was content. 'run --update FOLDER' keeps
 * them, 'run --check FOLDER' says what is different now, number by number and flow by flow
 * (golden-differences.h).
 *
 * For each scenario FOLDER/NAME.json (summary.json without versions and verdicts) and, unless the
 * scenario writes no flows, FOLDER/NAME.lost.csv (flows-lost.csv) and FOLDER/NAME.left.csv
 * (flows-left.csv).
 */
#ifndef ESXNF_GOLDEN_H
#define ESXNF_GOLDEN_H

#include "runner/scenario/yaml-document.h"

#include <string>
#include <vector>

namespace esxnf
{

/// \param summary summary.json of a run
/// \return why it is no golden result: it metered nothing, or did not come to its end; else empty
std::string WhyNotGolden(const Json& summary);

/// The files that hold golden results. \param goldenFolder empty: none
std::vector<std::string> GoldenFiles(const std::string& goldenFolder, const std::string& name);

/// Compares results with golden ones. \return what differs, in lines; empty: nothing
std::vector<std::string> CompareWithGolden(const std::string& goldenFolder,
                                           const std::string& name,
                                           const std::string& resultFolder);

/// Puts results in place of the golden ones, and says what was different. Throws UserError if the
/// folder cannot be written.
std::vector<std::string> UpdateGolden(const std::string& goldenFolder,
                                      const std::string& name,
                                      const std::string& resultFolder);

} // namespace esxnf

#endif // ESXNF_GOLDEN_H
