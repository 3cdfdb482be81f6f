// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_EXPECTATIONS_H
#define ESX_EXPECTATIONS_H

#include "esx-ledger.h"
#include "esx-metrics.h"

#include "ns3/nstime.h"
#include "ns3/object.h"

#include <limits>
#include <string>
#include <vector>

namespace ns3
{

/// Bounds that a metric must keep, measured over [from, to) of simulation time.
struct EsxExpectation
{
    std::string name;
    EsxMetric metric;
    double atLeast{-std::numeric_limits<double>::infinity()};
    double atMost{std::numeric_limits<double>::infinity()};
    Time from{0};
    Time to{Time::Max()}; //!< beyond the end of the run: until its end
    EsxMetric over{};     //!< if it has a name: the ratio of the metric to this one, two counters
};

/// An expectation and what came of it.
struct EsxVerdict
{
    EsxExpectation expectation;
    double measured{0}; //!< NaN: there was nothing to measure
    bool pass{false};
    std::string why{}; //!< of a failure, where the numbers do not say it; may be empty
};

/**
 * Expectations of a run. Over a window a counter is the difference of its values at both ends,
 * events at `from` included and at `to` excluded; a ratio is the ratio of the differences; a
 * high-water mark is its value at the end of the window. An expectation fails where there is
 * nothing to measure: the run ended before its window, a ratio's base is 0, or what could have gone
 * wrong never happened (a residual without frames, ambiguous interfaces or complaints without
 * datagrams).
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
    void Between(const EsxMetric& metric, double low, double high);
    /// Every packet, octet and record is accounted for (laws L0 to L8).
    void Conservation();
    /// No interface number that a host exported stands for two of its ports. \param host empty: all
    void UniqueInterfaces(const std::string& host = "");
    /// A collector sees one sequence failure for each engine and restart of net-netflow, no other
    /// failure, and no datagram that is no NetFlow v5; and it sees one at all. \param node of a
    /// collector, empty: all
    void NoCollectorComplaints(const std::string& node = "");
    /// A line of a host's vmkernel log contains a text, or none does.
    void LogContains(const std::string& host, const std::string& text);
    void LogAbsent(const std::string& host, const std::string& text);
    /**@}*/

    /// Call after the run, also after Simulator::Destroy(). In the order of Add().
    std::vector<EsxVerdict> Evaluate() const;

    /// Whether all expectations hold and the ledger's residual is zero, of frames that were offered
    /// to a meter: a run in which there were none does not pass.
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

    void Require(const std::string& name, const EsxMetric& metric, double low, double high);
    EsxMetricSample Read(const EsxExpectation& expectation) const;
    void Begin(std::size_t index);
    void End(std::size_t index);

    Ptr<EsxLedger> m_ledger;
    std::vector<Watched> m_watched;
};

} // namespace ns3

#endif // ESX_EXPECTATIONS_H
