// SPDX-License-Identifier: GPL-2.0-only
// How many records links must lose at least, from planned rates: maximum flow and minimum cut
// (Boost.Graph), span by span of a run. Says "not checked" where traffic is random.
#ifndef ESXNF_EXPORT_FORECAST_H
#define ESXNF_EXPORT_FORECAST_H

#include "runner/lab/export-plan.h"
#include "runner/lab/traffic-plan.h"

namespace esxnf
{

enum class ExportVerdict
{
    NotChecked, //!< what is planned is not known
    Loss,       //!< more records come than the links carry
    Possible,   //!< the links carry the records, and yet some may be lost
    None        //!< everything fits
};

/** What is expected of the exports to one collector while nothing changes: [begin, end), by the
 * times at which records leave. */
struct ExportSpan
{
    double begin; //!< s
    double end;
    std::size_t collector; //!< as a station
    ExportVerdict verdict;
    double least = 0; //!< records that are exported in a second, at least and at most
    double most = 0;
    double capacity = 0;  //!< records a second that the links carry of the least at most
    double leastLoss = 0; //!< of all records that end in the span, the part that is lost at least
    std::vector<int> cut; //!< Loss: the links that are the bottleneck
    std::string reason;   //!< NotChecked, Possible: why
    const PlannedExport* first; //!< of those that export then
};

/** The least that exports could ever be bound by: all of a scenario's, to all collectors. */
struct ExportCapacity
{
    double bitsPerSecond = 0;
    std::vector<int> cut; //!< a minimum cut, the one nearest to the collectors
};

/**
 * Records are counted where and when they leave: some time after their flows began. Bounds hold
 * whatever else the links carry: other traffic only makes the verdict None harder to reach.
 */
std::vector<ExportSpan> ForecastExports(const FrameGraph& graph,
                                        const std::vector<PlannedExport>& exports);

/** Rates of the links as the scenario gives them; neither other traffic nor episodes. */
ExportCapacity CapacityOf(const FrameGraph& graph, const std::vector<PlannedExport>& exports);

} // namespace esxnf

#endif // ESXNF_EXPORT_FORECAST_H
