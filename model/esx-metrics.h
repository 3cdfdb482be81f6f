// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_METRICS_H
#define ESX_METRICS_H

#include "esx-ledger.h"

#include "ns3/nstime.h"
#include "ns3/object.h"

#include <limits>
#include <string>
#include <vector>

namespace ns3
{

/// Which number is meant. Empty labels select everything.
struct EsxMetric
{
    std::string name{};    //!< "netflow.records.dropped", see EsxMetricNames()
    std::string cause{};   //!< "purgatory_full": only for metrics that have causes
    std::string host{};    //!< exporting host
    std::string vSwitch{}; //!< name of a vSwitch
    std::string node{};    //!< collector node, for collector.* metrics
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
 * mark.
 */
struct EsxMetricSample
{
    double counter{0};
    double base{0};
    bool isRatio{false};
    bool isMark{false};
};

EsxMetricSample EsxReadMetric(const EsxLedger& ledger, const EsxMetric& metric);

/// What a metric must be, measured over [from, to) of simulation time.
struct EsxExpectation
{
    std::string name;
    EsxMetric metric;
    double atLeast{-std::numeric_limits<double>::infinity()};
    double atMost{std::numeric_limits<double>::infinity()};
    Time from{0};
    Time to{Time::Max()}; //!< beyond the end of the run: until its end
};

/// An expectation and what came of it.
struct EsxVerdict
{
    EsxExpectation expectation;
    double measured{0};
    bool pass{false};
};

/**
 * Expectations of a run. Over a window a counter is the difference of its values at both ends,
 * events at `from` included and at `to` excluded; a ratio is the ratio of the differences; a
 * high-water mark is its value at the end of the window.
 */
class EsxExpectations : public Object
{
  public:
    static TypeId GetTypeId();
    EsxExpectations();
    ~EsxExpectations() override;

    /// \param ledger installed
    void SetLedger(Ptr<EsxLedger> ledger);

    /// Adds an expectation; aborts if its metric or window makes no sense. Call before the run and
    /// before scheduling events of your own, so that the windows' ends come before other events of
    /// their instants.
    void Add(const EsxExpectation& expectation);

    /// \name Short forms over the whole run
    /**@{*/
    void Equals(const EsxMetric& metric, double value);
    void AtLeast(const EsxMetric& metric, double value);
    void AtMost(const EsxMetric& metric, double value);
    /**@}*/

    /// Call after the run, before Simulator::Destroy(). In the order of Add().
    std::vector<EsxVerdict> Evaluate() const;

    /// Whether all expectations hold and the ledger's residual is zero.
    bool AllPass() const;

  protected:
    void DoDispose() override;

  private:
    struct Watched
    {
        EsxExpectation expectation;
        EsxMetricSample atFrom;
        EsxMetricSample atTo;
        bool begun; //!< the run has reached the window
        bool ended{false};
    };

    void Begin(std::size_t index);
    void End(std::size_t index);

    Ptr<EsxLedger> m_ledger;
    std::vector<Watched> m_watched;
};

} // namespace ns3

#endif // ESX_METRICS_H
