// SPDX-License-Identifier: GPL-2.0-only
// How many records the planned traffic of a scenario makes an export send, at least and at most,
// for its forecast; and what cannot be known of it. Times are in seconds, as records leave.
#ifndef ESXNF_EXPORT_DEMAND_H
#define ESXNF_EXPORT_DEMAND_H

#include "runner/lab/export-plan.h"
#include "runner/lab/link-timetable.h"
#include "runner/lab/traffic-plan.h"

#include <string>
#include <vector>

namespace esxnf
{

struct ExportRate
{
    double least = 0; //!< records a second
    double most = 0;
    double live = 0; //!< records in the cache at most
};

class ExportDemand
{
  public:
    /// All are referred to.
    ExportDemand(const FrameGraph& graph,
                 const std::vector<PlannedTraffic>& traffic,
                 const LinkTimetable& links);

    /// \return when the rate of an export may change
    std::vector<double> TimesOf(const PlannedExport& planned) const;
    /// \return of a span in which it does not change
    ExportRate Of(const PlannedExport& planned, double begin, double end) const;
    /// \return empty, or what is not known of an export in a span
    std::string Unknown(const PlannedExport& planned, double begin, double end) const;
    /// \return true if the cache may have to shed packets
    static bool IsTooMuch(const PlannedExport& planned, const ExportRate& rate);

  private:
    static double Soonest(const PlannedExport& planned);
    static double Latest(const PlannedExport& planned, const PlannedTraffic& traffic);
    int Points(const PlannedExport& planned, const PlannedTraffic& traffic) const;
    int SurePoints(const PlannedExport& planned, const PlannedTraffic& traffic) const;
    void Add(ExportRate& rate,
             const PlannedExport& planned,
             const PlannedTraffic& traffic,
             double begin,
             double end) const;

    const FrameGraph& m_graph;
    const Scenario& m_scenario;
    const std::vector<PlannedTraffic>& m_traffic;
    const LinkTimetable& m_links;
};

} // namespace esxnf

#endif // ESXNF_EXPORT_DEMAND_H
