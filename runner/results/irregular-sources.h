// SPDX-License-Identifier: GPL-2.0-only
// Looks for sources that behave irregularly, vSwitch by vSwitch: many destinations, many ports of
// one destination, much more than the others send. Called by ReadTalkers().
#ifndef ESXNF_IRREGULAR_SOURCES_H
#define ESXNF_IRREGULAR_SOURCES_H

#include "runner/results/talkers.h"
#include "runner/results/window-usage.h"

#include <map>
#include <string>
#include <vector>

namespace esxnf
{

/** @param names of addresses @return what is irregular in truth, or in what was collected, by
 * exporter and vSwitch, the most irregular first */
std::vector<Irregularity> FindIrregular(const WindowUsage& usage,
                                        const std::map<std::string, std::string>& names,
                                        const TalkersOptions& options);

} // namespace esxnf

#endif // ESXNF_IRREGULAR_SOURCES_H
