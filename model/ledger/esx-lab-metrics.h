// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_LAB_METRICS_H
#define ESX_LAB_METRICS_H

#include "ns3/esx-metrics.h"

#include <string>
#include <vector>

namespace ns3
{

/**
 * Metrics of selected flows ("flow.octets.collected_ratio"), of full-duplex links ("link.use") and
 * of the hosts' memory ("memory.free_percent"). For EsxReadMetric(), which knows all kinds.
 */

/// \return all names, in order
std::vector<std::string> EsxLabMetricNames();

/// \return empty, or which label does not select such a metric; empty for other names, too
std::string EsxCheckLabMetric(const EsxMetric& metric);

/// \return what is wrong with a link, end or memory that a metric names; empty: nothing
std::string EsxFindLabMetric(const EsxLedger& ledger, const EsxMetric& metric);

/// Reads a metric of these. \return false: it is of another kind
bool EsxReadLabMetric(const EsxLedger& ledger, const EsxMetric& metric, EsxMetricSample& sample);

} // namespace ns3

#endif // ESX_LAB_METRICS_H
