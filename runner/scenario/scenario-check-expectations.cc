// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-check.h"

#include "ns3/esx-metrics.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

/// What an expectation measures, and whether its bounds and labels say something.
class ExpectationChecker
{
  public:
    ExpectationChecker(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes)
        : m_scenario(scenario),
          m_lab(lab),
          m_notes(notes)
    {
    }

    void Check()
    {
        ScenarioNotes::Taken names;
        for (const auto& expectation : m_scenario.expect)
        {
            m_notes.Take(names, "name", expectation.name, expectation.path + "/name");
            CheckExpectation(expectation);
        }
    }

  private:
    void CheckExpectation(const Expectation& expectation)
    {
        const auto& path = expectation.path;
        const auto has = [&](const std::string& key) { return m_notes.Has(path, key); };
        static const std::vector<std::string> bounds{"equals", "at_least", "at_most", "between"};
        if (has("check") + has("metric") + has("log") != 1)
        {
            m_notes.Error(path, "an expectation has exactly one of: check, metric, log");
            return;
        }
        if (has("log") && has("contains") == has("absent"))
        {
            m_notes.Error(path, "a log needs exactly one of: contains, absent");
        }
        if (has("log"))
        {
            m_notes.Known(m_lab.hosts, "host", expectation.log, path + "/log");
        }
        if (has("metric") && std::count_if(bounds.begin(), bounds.end(), has) != 1)
        {
            m_notes.Error(path,
                          "a metric needs exactly one of: equals, at_least, at_most, between");
        }
        if (has("metric"))
        {
            CheckMetric(expectation);
        }
        CheckLabels(expectation);
        if (has("between") && expectation.low > expectation.high)
        {
            m_notes.Error(path + "/between", "the first number must not be above the second");
        }
        if (has("host"))
        {
            m_notes.Known(m_lab.hosts, "host", expectation.host, path + "/host");
        }
        if (has("node"))
        {
            m_notes.Known(m_lab.nodes, "node", expectation.node, path + "/node");
        }
        if (expectation.during)
        {
            m_notes.CheckWithinRun(expectation.during->end, path + "/during");
        }
        if (expectation.during && expectation.during->begin >= expectation.during->end)
        {
            m_notes.Error(path + "/during", "the first time must be before the second");
        }
    }

    /// Which keys say something beside a metric, a check or a log.
    void CheckLabels(const Expectation& expectation)
    {
        const auto has = [&](const std::string& key) { return m_notes.Has(expectation.path, key); };
        const std::string kind = has("metric") ? "metric" : has("check") ? "check" : "log";
        const bool metric = has("metric");
        const std::map<std::string, bool> useful = {
            {"cause", metric},
            {"host",
             metric || expectation.check == "unique_interfaces" ||
                 expectation.check == CHECK_METERED},
            {"node", metric || expectation.check == "no_collector_complaints"},
            {"during", kind != "check"},
            {"equals", metric},
            {"at_least", metric},
            {"at_most", metric},
            {"between", metric},
            {"contains", kind == "log"},
            {"absent", kind == "log"}};
        for (const auto& [key, isUseful] : useful)
        {
            if (has(key) && !isUseful)
            {
                const std::string what = metric ? kind
                                         : expectation.check.empty()
                                             ? kind
                                             : kind + ": " + expectation.check;
                m_notes.Error(expectation.path + "/" + key,
                              fmt::format("'{}' does not go with '{}'", key, what));
            }
        }
    }

    void CheckMetric(const Expectation& expectation)
    {
        const std::string& name = expectation.metric;
        const auto known = ns3::EsxMetricNames();
        if (std::find(known.begin(), known.end(), name) == known.end())
        {
            m_notes.Error(expectation.path + "/metric",
                          fmt::format("unknown metric '{}'; {}", name, Suggest(name, known)));
            return;
        }
        const auto wrong = ns3::EsxCheckMetric({name, expectation.cause, "", "", ""});
        if (!wrong.empty())
        {
            m_notes.Error(expectation.path + "/cause", wrong);
        }
    }

    const Scenario& m_scenario;
    const LabNames& m_lab;
    ScenarioNotes& m_notes;
};

} // namespace

void
CheckExpectations(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes)
{
    ExpectationChecker(scenario, lab, notes).Check();
}

} // namespace esxnf
