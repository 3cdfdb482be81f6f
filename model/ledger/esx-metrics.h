// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_METRICS_H
#define ESX_METRICS_H

#include "esx-ledger.h"

#include <optional>
#include <string>
#include <vector>

namespace ns3
{

/// Flows of any exporter by addresses and ports. Empty and 0: any.
struct EsxFlowSelection
{
    std::vector<Ipv4Address> from{};
    std::vector<Ipv4Address> to{};
    uint16_t fromPort{0};
    uint16_t toPort{0};
    bool bothWays{false}; //!< flows back, too

    bool IsAll() const
    {
        return from.empty() && to.empty() && fromPort == 0 && toPort == 0;
    }
};

/// Name and labels of a number. Empty labels select everything.
struct EsxMetric
{
    std::string name{};       //!< "netflow.records.dropped", see EsxMetricNames()
    std::string cause{};      //!< "purgatory_full": only for metrics that have causes
    std::string host{};       //!< exporting host
    std::string vSwitch{};    //!< name of a vSwitch
    std::string node{};       //!< collector node, for collector.* metrics
    std::string text{};       //!< vmkernel.log.lines: only lines that contain it
    std::string link{};       //!< for link.* metrics: the name of its devices
    std::string from{};       //!< for link.* metrics: the node that sends
    EsxFlowSelection flows{}; //!< for flow.* metrics
};

/// All metric names, in order.
std::vector<std::string> EsxMetricNames();

/// The causes of a metric, empty if it has none or is unknown.
std::vector<std::string> EsxMetricCauses(const std::string& name);

/// \return empty, or why there is no such metric
std::string EsxCheckMetric(const EsxMetric& metric);

/// The same, and whether its labels name what the ledger knows.
std::string EsxCheckMetric(const EsxLedger& ledger, const EsxMetric& metric);

/**
 * The metric now.
 * A counter counts from the start of the run; a ratio is counter / base; a mark is a high-water
 * mark or another value of the moment.
 */
struct EsxMetricSample
{
    double counter{0};
    double base{0};
    bool isRatio{false};
    bool isMark{false};
    std::string nothing{}; //!< why its value proves nothing so far; empty: it does
};

EsxMetricSample EsxReadMetric(const EsxLedger& ledger, const EsxMetric& metric);

/// One host's part of a metric of ports or logs, which no ledger books. \return none: of another
/// metric
std::optional<double> EsxReadHostMetric(const Ptr<EsxHost>& host, const EsxMetric& metric);
/// \return the name of such a metric and its labels but the host.
std::string EsxHostMetricKey(const EsxMetric& metric);

} // namespace ns3

#endif // ESX_METRICS_H
