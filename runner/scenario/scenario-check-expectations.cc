// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-check.h"

#include "ns3/esx-metrics.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

/// Checks that expectations measure something, by bounds and labels that mean something.
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

    /// Refuses keys that say nothing beside a metric, a check or a log.
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
            {"over", metric},
            {"link", metric},
            {"from", metric},
            {"flow", metric},
            {"vm", metric},
            {"pair", metric},
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
        const auto known = ns3::EsxMetricNames();
        for (const auto& [key, name] :
             {std::pair("metric", expectation.metric), {"over", expectation.over}})
        {
            if (!name.empty() && std::find(known.begin(), known.end(), name) == known.end())
            {
                m_notes.Error(fmt::format("{}/{}", expectation.path, key),
                              fmt::format("unknown metric '{}'; {}", name, Suggest(name, known)));
                return;
            }
        }
        const auto wrong = ns3::EsxCheckMetric({expectation.metric, expectation.cause, "", "", ""});
        if (!wrong.empty())
        {
            m_notes.Error(expectation.path + "/cause", wrong);
        }
        CheckSelection(expectation);
        if (!expectation.over.empty())
        {
            CheckRatio(expectation);
        }
    }

    /// Labels that only metrics of flows, links or the memory have.
    void CheckSelection(const Expectation& expectation)
    {
        const auto& path = expectation.path;
        const auto is = [&](const char* prefix) {
            return expectation.metric.rfind(prefix, 0) == 0;
        };
        const std::map<std::string, bool> useful = {{"flow", is("flow.")},
                                                    {"vm", is("flow.")},
                                                    {"pair", is("flow.")},
                                                    {"link", is("link.")},
                                                    {"from", is("link.")}};
        for (const auto& [key, isUseful] : useful)
        {
            if (m_notes.Has(path, key) && !isUseful)
            {
                m_notes.Error(path + "/" + key,
                              fmt::format("{} cannot be selected by {}", expectation.metric, key));
            }
        }
        if (m_notes.Has(path, "flow") + m_notes.Has(path, "vm") + m_notes.Has(path, "pair") > 1)
        {
            m_notes.Error(path, "flows are selected by one of: flow, vm, pair");
        }
        for (const auto& [key, names] : {std::pair(std::string("vm"), std::vector{expectation.vm}),
                                         {"pair", expectation.pair}})
        {
            for (const auto& name : m_notes.Has(path, key) ? names : decltype(names){})
            {
                m_notes.Known(m_lab.receivers, "VM, server or collector", name, path + "/" + key);
            }
        }
        CheckLinkEnd(expectation, is("link."));
        for (const auto& host : m_scenario.hosts)
        {
            if (is("memory.") && host.memoryBytes == 0 &&
                (expectation.host.empty() || expectation.host == host.name))
            {
                m_notes.Error(
                    path + "/metric",
                    fmt::format("the memory of {} is not modelled: it has no memory.total",
                                host.name));
            }
        }
    }

    /// There is such a full-duplex link, with an end there.
    void CheckLinkEnd(const Expectation& expectation, bool ofLink)
    {
        const auto& path = expectation.path;
        if (!expectation.link.empty())
        {
            m_notes.Known(m_lab.links, "link", expectation.link, path + "/link");
        }
        const auto fits = [&](const Link& link) {
            return !link.halfDuplex &&
                   (expectation.link.empty() || link.name == expectation.link) &&
                   (expectation.from.empty() || link.a.node == expectation.from ||
                    link.b.node == expectation.from);
        };
        const auto& links = m_scenario.links;
        const bool isKnown = expectation.link.empty() || m_lab.links.count(expectation.link);
        if (ofLink && isKnown && std::none_of(links.begin(), links.end(), fits))
        {
            m_notes.Error(path + (expectation.from.empty() ? "/metric" : "/from"),
                          "no full-duplex link is meant: metrics of links are of those");
        }
    }

    void CheckRatio(const Expectation& expectation)
    {
        const auto isCounter = [](const std::string& name) {
            return name.find("ratio") == name.npos && name.find("high_water") == name.npos &&
                   name.rfind("memory.", 0) != 0 && name != "link.use" &&
                   name != "netflow.heap.used" && name != "netflow.residual";
        };
        for (const auto& [key, name] :
             {std::pair("metric", expectation.metric), {"over", expectation.over}})
        {
            if (!isCounter(name))
            {
                m_notes.Error(fmt::format("{}/{}", expectation.path, key),
                              fmt::format("{} is no counter: a ratio is of two counters", name));
            }
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
