// SPDX-License-Identifier: GPL-2.0-only
// Exports that a timeline plans: its net-netflow lines, read before the run.
#ifndef ESXNF_EXPORT_PLAN_H
#define ESXNF_EXPORT_PLAN_H

#include "runner/lab/frame-route.h"

namespace esxnf
{

/// One net-netflow of a timeline whose vmknic reaches its collector.
struct PlannedExport
{
    const Host* host;
    const Vmknic* vmknic;
    std::size_t station;   //!< the vmknic's port group
    std::size_t collector; //!< as a station
    FrameRoute route;
    std::string path; //!< of the console line
};

/// In order of the timeline. \param graph outlives the result
std::vector<PlannedExport> PlanExports(const FrameGraph& graph);

/**
 * Switches and links each of which alone cuts a host off from its collector when it fails, seen
 * from the host, for each export: the dominators on the way from the collector. Parallel uplinks
 * and links are none.
 */
std::vector<std::vector<std::string>> SinglePointsOfFailure(const FrameGraph& graph,
                                                            const std::vector<PlannedExport>& plan);

} // namespace esxnf

#endif // ESXNF_EXPORT_PLAN_H
