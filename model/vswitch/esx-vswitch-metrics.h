// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VSWITCH_METRICS_H
#define ESX_VSWITCH_METRICS_H

#include "ns3/esx-host.h"

#include <string>
#include <vector>

namespace ns3
{

/**
 * Metrics of the ports of vSwitches, "vswitch.frames.dropped" and its like, from their counters
 * (EsxPortCounters). For EsxReadMetric(), which knows all kinds of metrics.
 */

/// \return all names, in order
std::vector<std::string> EsxVSwitchMetricNames();
/// \return causes of a metric as EsxDropCauseName() spells them; empty if it has none
std::vector<std::string> EsxVSwitchMetricCauses(const std::string& name);
/**
 * \param cause one of the metric's causes; empty: all
 * \param vSwitch name; empty: all of the host, deleted ones included
 * \return count since the start; 0 for a name that is no such metric
 */
double EsxReadVSwitchMetric(const EsxHost& host,
                            const std::string& name,
                            const std::string& cause,
                            const std::string& vSwitch);
/// \return names of the vSwitches that a host has or had, in order of creation
std::vector<std::string> EsxVSwitchesMade(const EsxHost& host);

} // namespace ns3

#endif /* ESX_VSWITCH_METRICS_H */
