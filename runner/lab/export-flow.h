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

/// A host's exports to a collector: a source of the flow.
struct ExportSupply
{
    std::vector<std::string> uplinks; //!< by which it leaves: esx1:vmnic0
    std::string collector;
    int64_t amount = 0; //!< at most
};

/// Any amount: of a supply, of a link's capacity.
constexpr int64_t UNBOUNDED = int64_t{1} << 60;

/**
 * A link carries its capacity in each direction, in all VLANs together; what it may carry in any
 * VLAN it carries in all.
 * \param capacityOf what a link carries, by index; 0: nothing
 */
ExportFlow FindExportFlow(const Scenario& scenario,
                          const std::vector<ExportSupply>& supplies,
                          const std::function<int64_t(int)>& capacityOf);

/**
 * The least in bits a second that exports could ever be bound by, all of a scenario's together:
 * links as the scenario gives them, without other traffic and episodes.
 */
ExportFlow CapacityOf(const FrameGraph& graph, const std::vector<PlannedExport>& exports);

} // namespace esxnf

#endif // ESXNF_EXPORT_FLOW_H
