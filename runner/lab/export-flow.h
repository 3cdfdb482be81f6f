// SPDX-License-Identifier: GPL-2.0-only
// The links as a network of pipes between exporting hosts and collectors: what can flow at most,
// and which links bound it (Boykov and Kolmogorov's algorithm).
#ifndef ESXNF_EXPORT_FLOW_H
#define ESXNF_EXPORT_FLOW_H

#include "runner/lab/export-plan.h"

#include <functional>

namespace esxnf
{

struct ExportFlow
{
    int64_t amount = 0;
    std::vector<int> cut; //!< links that are full, those nearest to the collectors
};

/** Any amount: of a PlannedExport's demand, of a link's capacity. */
constexpr int64_t UNBOUNDED = int64_t{1} << 60;

/**
 * A link carries its capacity in each direction, in all VLANs together.
 * @param exports those that take part
 * @param demandOf what each has to send at most
 * @param capacityOf what a link carries, by index; 0: nothing
 */
ExportFlow FindExportFlow(const FrameGraph& graph,
                          const std::vector<const PlannedExport*>& exports,
                          const std::function<int64_t(const PlannedExport&)>& demandOf,
                          const std::function<int64_t(int)>& capacityOf);

} // namespace esxnf

#endif // ESXNF_EXPORT_FLOW_H
