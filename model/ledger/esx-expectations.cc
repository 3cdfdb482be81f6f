// SPDX-License-Identifier: GPL-2.0-only
#include "esx-expectations.h"

#include "ns3/abort.h"
#include "ns3/log.h"
#include "ns3/simulator.h"

#include <algorithm>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxExpectations");
NS_OBJECT_ENSURE_REGISTERED(EsxExpectations);

namespace
{

constexpr double INFINITE = std::numeric_limits<double>::infinity();
constexpr double NOTHING = std::numeric_limits<double>::quiet_NaN(); // lies within no bounds

bool
IsOfLinks(const EsxMetric& metric)
{
    return metric.name.rfind("link.", 0) == 0;
}

} // namespace

TypeId
EsxExpectations::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxExpectations")
                            .SetParent<Object>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxExpectations>();
    return tid;
}

EsxExpectations::EsxExpectations() = default;
EsxExpectations::~EsxExpectations() = default;

void
EsxExpectations::SetLedger(Ptr<EsxLedger> ledger)
{
    m_ledger = ledger;
}

void
EsxExpectations::Add(const EsxExpectation& expectation)
{
    NS_ABORT_MSG_UNLESS(m_ledger && m_ledger->GetTracker(),
                        "expectations need a ledger that is installed");
    EsxLedger::Refresh(); // it may name what was made since
    const std::string error = EsxCheckMetric(*m_ledger, expectation.metric);
    NS_ABORT_MSG_UNLESS(error.empty(), error);
    if (!expectation.over.name.empty())
    {
        const std::string wrong = EsxCheckMetric(*m_ledger, expectation.over);
        NS_ABORT_MSG_UNLESS(wrong.empty(), wrong);
        for (const EsxMetric* metric : {&expectation.metric, &expectation.over})
        {
            const EsxMetricSample sample = EsxReadMetric(*m_ledger, *metric);
            NS_ABORT_MSG_IF(sample.isRatio || sample.isMark,
                            metric->name << " is no counter: a ratio is of two counters");
        }
    }
    NS_ABORT_MSG_UNLESS(expectation.from < expectation.to && !expectation.from.IsStrictlyNegative(),
                        "the window of " << expectation.metric.name << " is empty");
    const std::size_t index = m_watched.size();
    m_watched.push_back({expectation, {}, {}, expectation.from.IsZero()});
    if (expectation.from.IsStrictlyPositive())
    {
        Simulator::Schedule(expectation.from,
                            &EsxExpectations::Begin,
                            Ptr<EsxExpectations>(this),
                            index);
    }
    if (expectation.to != Time::Max())
    {
        Simulator::Schedule(expectation.to,
                            &EsxExpectations::End,
                            Ptr<EsxExpectations>(this),
                            index);
    }
    else if (IsOfLinks(expectation.metric) || IsOfLinks(expectation.over)) // they need the clock
    {
        Simulator::ScheduleDestroy(&EsxExpectations::End, Ptr<EsxExpectations>(this), index);
    }
}

/// The metric now; of two metrics their ratio.
EsxMetricSample
EsxExpectations::Read(const EsxExpectation& expectation) const
{
    EsxMetricSample sample = EsxReadMetric(*m_ledger, expectation.metric);
    if (!expectation.over.name.empty())
    {
        const EsxMetricSample base = EsxReadMetric(*m_ledger, expectation.over);
        sample.isRatio = true;
        sample.base = base.counter;
        sample.nothing = sample.nothing.empty() ? base.nothing : sample.nothing;
    }
    return sample;
}

void
EsxExpectations::Require(const std::string& name, const EsxMetric& metric, double low, double high)
{
    Add({name, metric, low, high});
}

void
EsxExpectations::Equals(const EsxMetric& metric, double value)
{
    Require(metric.name, metric, value, value);
}

void
EsxExpectations::AtLeast(const EsxMetric& metric, double value)
{
    Require(metric.name, metric, value, INFINITE);
}

void
EsxExpectations::AtMost(const EsxMetric& metric, double value)
{
    Require(metric.name, metric, -INFINITE, value);
}

void
EsxExpectations::Between(const EsxMetric& metric, double low, double high)
{
    Require(metric.name, metric, low, high);
}

void
EsxExpectations::Conservation()
{
    Require("conservation", {"netflow.residual"}, 0, 0);
}

void
EsxExpectations::UniqueInterfaces(const std::string& host)
{
    Require("unique_interfaces", {"netflow.interfaces.ambiguous", "", host}, 0, 0);
}

void
EsxExpectations::NoCollectorComplaints(const std::string& node)
{
    Require("no_collector_complaints", {"collector.complaints", "", "", "", node}, 0, 0);
}

void
EsxExpectations::LogContains(const std::string& host, const std::string& text)
{
    const EsxMetric lines{"vmkernel.log.lines", "", host, "", "", text};
    Require("log contains " + text, lines, 1, INFINITE);
}

void
EsxExpectations::LogAbsent(const std::string& host, const std::string& text)
{
    Require("log lacks " + text, {"vmkernel.log.lines", "", host, "", "", text}, 0, 0);
}

std::vector<EsxVerdict>
EsxExpectations::Evaluate() const
{
    std::vector<EsxVerdict> verdicts;
    for (const Watched& watched : m_watched)
    {
        const EsxExpectation& expectation = watched.expectation;
        EsxMetricSample end = watched.atTo; // that of a window not reached is empty
        if (watched.begun && !watched.ended)
        {
            end = Read(expectation);
        }
        EsxVerdict verdict;
        verdict.expectation = expectation;
        verdict.measured = end.isMark ? end.counter : end.counter - watched.atFrom.counter;
        if (end.isRatio)
        {
            const double base = end.base - watched.atFrom.base;
            verdict.measured = base > 0 ? verdict.measured / base : NOTHING;
            verdict.why = base > 0 ? "" : "nothing to take a part of was counted";
        }
        if (!end.nothing.empty())
        {
            verdict.measured = NOTHING;
            verdict.why = end.nothing;
        }
        if (!watched.begun)
        {
            verdict.measured = NOTHING;
            verdict.why = "the run ended before its time span";
        }
        verdict.pass =
            verdict.measured >= expectation.atLeast && verdict.measured <= expectation.atMost;
        NS_LOG_INFO(expectation.metric.name << " is " << verdict.measured << ", from "
                                            << expectation.atLeast << " to " << expectation.atMost
                                            << ": " << (verdict.pass ? "pass" : "fail"));
        verdicts.push_back(verdict);
    }
    return verdicts;
}

bool
EsxExpectations::AllPass() const
{
    const std::vector<EsxVerdict> verdicts = Evaluate();
    const EsxMetricSample residual = EsxReadMetric(*m_ledger, {"netflow.residual"});
    return residual.nothing.empty() && residual.counter == 0 &&
           std::all_of(verdicts.begin(), verdicts.end(), [](const EsxVerdict& v) {
               return v.pass;
           });
}

void
EsxExpectations::DoDispose()
{
    m_ledger = nullptr;
    Object::DoDispose();
}

void
EsxExpectations::Begin(std::size_t index)
{
    m_watched[index].begun = true;
    m_watched[index].atFrom = Read(m_watched[index].expectation);
}

void
EsxExpectations::End(std::size_t index)
{
    if (m_ledger) // it has not been disposed of
    {
        m_watched[index].atTo = Read(m_watched[index].expectation);
        m_watched[index].ended = true;
    }
}

} // namespace ns3
