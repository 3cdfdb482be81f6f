// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/run-outcomes.h"

#include "runner/commands/exit-code.h"
#include "runner/results/text.h"
#include "runner/simulation/step-verdict.h"

#include "ns3/esx-summary.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>

namespace esxnf
{

namespace
{

/// "4102 of 69311": of one unit, in packets, octets or records.
struct Numbers
{
    uint64_t seen{0};
    uint64_t collected{0};
    uint64_t lost{0};
    uint64_t residual{0};
};

Numbers
NumbersOf(const Json& summary, const char* unit)
{
    const Json& ledger = summary.at("ledger");
    Numbers numbers;
    numbers.seen = ledger.at("truth").at(unit);
    numbers.collected = ledger.at("collected").at(unit);
    for (const auto& [cause, counts] : ledger.at("lost").items())
    {
        numbers.lost += counts.at(unit).get<uint64_t>();
    }
    for (const auto& [name, value] : summary.at("residual").items())
    {
        numbers.residual += value.get<uint64_t>();
    }
    return numbers;
}

/// A number of each run in the lists of many.
struct ListColumn
{
    std::string title;    //!< at a terminal; empty: not there
    std::string markdown; //!< its title in Markdown
    std::function<uint64_t(const Json& summary)> get;
};

std::vector<ListColumn>
ListColumns()
{
    const auto records = [](uint64_t Numbers::*member) {
        return [member](const Json& summary) { return NumbersOf(summary, "records").*member; };
    };
    std::vector<ListColumn> columns{
        {"records", "records seen", records(&Numbers::seen)},
        {"collected", "collected", records(&Numbers::collected)},
        {"lost", "lost", records(&Numbers::lost)},
        {"", "lost octets", [](const Json& summary) { return NumbersOf(summary, "octets").lost; }}};
    for (const ns3::EsxTotal& total : ns3::EsxTotals())
    {
        if (*total.why)
        {
            columns.push_back({total.words,
                               fmt::format("{}s {}", total.noun, total.words),
                               [key = total.key](const Json& summary) {
                                   return summary.at(key).get<uint64_t>();
                               }});
        }
    }
    columns.push_back({"residual", "residual", records(&Numbers::residual)});
    return columns;
}

/// "5 of 6" of the scenario's expectations and those of its console lines.
std::string
Met(const RunOutcome& report)
{
    std::size_t met = 0;
    std::size_t all = 0;
    for (const char* list : {"expectations", "steps"})
    {
        for (const Json& item : report.summary.at(list))
        {
            met += item.at("pass").get<bool>() ? 1 : 0;
            ++all;
        }
    }
    return fmt::format("{} of {}", met, all);
}

/// "esx1 at 2 s: vmkload_mod netflow"
std::string
NameOfStep(const Json& step)
{
    return fmt::format("{} at {} s: {}",
                       step.at("host").get<std::string>(),
                       ns3::NanoSeconds(step.at("at_ns").get<int64_t>()).GetSeconds(),
                       step.at("run").get<std::string>());
}

std::string
NameOf(const RunOutcome& report)
{
    return report.name.empty() ? report.scenario : report.name;
}

/// A line for each run whose numbers are sums over several exporters.
std::string
SumsOverExporters(const std::vector<RunOutcome>& reports)
{
    std::string text;
    for (const RunOutcome& report : reports)
    {
        const std::size_t exporters =
            report.summary.is_null() ? 0 : report.summary.at("exporters").size();
        if (exporters > 1)
        {
            text += fmt::format("{}: sums over {} exporters\n", NameOf(report), exporters);
        }
    }
    return text;
}

/// Every reason why a run is not good, in a line each.
std::vector<std::string>
FailuresOf(const RunOutcome& report)
{
    std::vector<std::string> failures;
    if (report.summary.is_null())
    {
        failures = report.errors;
        if (failures.empty())
        {
            failures.push_back(fmt::format("no results, exit code {}", report.exitCode));
        }
        return failures;
    }
    for (const Json& expectation : report.summary.at("expectations"))
    {
        if (!expectation.at("pass").get<bool>())
        {
            failures.push_back(fmt::format("{}: {}",
                                           expectation.at("name").get<std::string>(),
                                           ExplainExpectation(expectation)));
        }
    }
    for (const Json& step : report.summary.at("steps"))
    {
        if (!step.at("pass").get<bool>())
        {
            failures.push_back(fmt::format("{}: {}", NameOfStep(step), ExplainStep(step)));
        }
    }
    if (report.summary.at("verdict") == "unbalanced")
    {
        failures.push_back("the ledger does not balance: this is a bug in esx-netflow");
    }
    failures.insert(failures.end(), report.differences.begin(), report.differences.end());
    return failures;
}

/// \param escapes what stands for what
std::string
Escape(const std::string& text, const std::vector<std::pair<char, const char*>>& escapes)
{
    std::string escaped;
    for (const char c : text)
    {
        const auto found = std::find_if(escapes.begin(), escapes.end(), [c](const auto& escape) {
            return escape.first == c;
        });
        escaped += found == escapes.end() ? std::string(1, c) : found->second;
    }
    return escaped;
}

std::string
Xml(const std::string& text)
{
    return Escape(text,
                  {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\n', "&#10;"}});
}

std::string
Markdown(const std::string& text)
{
    return Escape(
        text,
        {{'|', "\\|"}, {'<', "&lt;"}, {'>', "&gt;"}, {'*', "\\*"}, {'_', "\\_"}, {'`', "\\`"}});
}

/// One test case of JUnit.
struct TestCase
{
    std::string name;
    std::string failure; //!< empty: it passed
    std::string detail;
    bool isError{false}; //!< it could not be judged
};

std::vector<TestCase>
TestCasesOf(const RunOutcome& report)
{
    if (report.summary.is_null())
    {
        const std::string verdict =
            fmt::format("{}, exit code {}", report.GetVerdict(), report.exitCode);
        return {{"the scenario runs",
                 report.errors.empty() ? verdict : report.errors.front(),
                 fmt::format("{}", fmt::join(report.errors, "\n")),
                 true}};
    }
    std::vector<TestCase> cases;
    for (const Json& expectation : report.summary.at("expectations"))
    {
        const bool pass = expectation.at("pass");
        cases.push_back(
            {expectation.at("name"), pass ? "" : ExplainExpectation(expectation), "", false});
    }
    for (const Json& step : report.summary.at("steps"))
    {
        const bool pass = step.at("pass");
        cases.push_back({NameOfStep(step), pass ? "" : ExplainStep(step), "", false});
    }
    const uint64_t residual = NumbersOf(report.summary, "records").residual;
    cases.push_back({"the ledger balances",
                     residual != 0 ? fmt::format("residual {}", residual)
                     : report.summary.at("verdict") == "unbalanced"
                         ? "less was lost than the links allow"
                         : "",
                     "",
                     false});
    if (report.compared)
    {
        std::string lines;
        for (const std::string& line : report.differences)
        {
            lines += line + "\n";
        }
        cases.push_back({"results are the golden ones",
                         report.differences.empty() ? "" : "results differ",
                         lines,
                         false});
    }
    if (report.summary.at("verdict") == "interrupted")
    {
        cases.push_back({"the run ends", "interrupted", "", true});
    }
    return cases;
}

/// "127.0.0.1:2055 from esx1: sent 38, refused 0, no-buffers 0, failed 0": of each real collector.
std::vector<std::string>
DeliveriesOf(const RunOutcome& report)
{
    std::vector<std::string> lines;
    for (const Json& delivery : report.summary.value("real_collectors", Json::array()))
    {
        lines.push_back(fmt::format("{} from {}: sent {}, refused {}, no-buffers {}, failed {}",
                                    delivery.at("target").get<std::string>(),
                                    delivery.at("host").get<std::string>(),
                                    delivery.at("sent").get<uint64_t>(),
                                    delivery.at("refused").get<uint64_t>(),
                                    delivery.at("no_buffers").get<uint64_t>(),
                                    delivery.at("failed").get<uint64_t>()));
    }
    return lines;
}

void
AppendProperties(Text& suites, const RunOutcome& report)
{
    const std::vector<std::string> lines =
        report.summary.is_null() ? std::vector<std::string>() : DeliveriesOf(report);
    if (lines.empty())
    {
        return;
    }
    Append(suites, "    <properties>\n");
    for (const std::string& line : lines)
    {
        Append(suites, "      <property name=\"to\" value=\"{}\"/>\n", Xml(line));
    }
    Append(suites, "    </properties>\n");
}

} // namespace

std::string
RunOutcome::GetVerdict() const
{
    if (summary.is_null())
    {
        return exitCode == EXIT_INTERRUPTED ? "not run" : "error";
    }
    const std::string verdict = summary.at("verdict");
    return verdict == "pass" && !differences.empty() ? "fail" : verdict;
}

std::string
ExplainExpectation(const Json& expectation)
{
    const auto only = expectation.at("bound").begin();
    const std::string& key = only.key();
    const Json& bound = only.value();
    const Json& value = expectation.at("measured"); // null: there was nothing to measure
    const std::string measured = value.is_null() ? "nothing" : value.dump();
    const std::string why = expectation.value("why", "");
    const std::string tail = why.empty() ? "" : ": " + why;
    if (key == "between")
    {
        return fmt::format("{}, wanted {} to {}{}",
                           measured,
                           bound.at(0).dump(),
                           bound.at(1).dump(),
                           tail);
    }
    const char* suffix = key == "at_least" ? " or more" : key == "at_most" ? " or less" : "";
    return fmt::format("{}, wanted {}{}{}", measured, bound.dump(), suffix, tail);
}

std::string
ExplainStep(const Json& step)
{
    StepVerdict verdict;
    verdict.missed = step.at("missed").get<std::vector<std::string>>();
    verdict.printed.output = step.at("stdout");
    verdict.printed.errors = step.at("stderr");
    return verdict.Explain();
}

std::string
ToTable(const std::vector<RunOutcome>& reports)
{
    std::vector<ListColumn> columns = ListColumns();
    columns.erase(std::remove_if(columns.begin(),
                                 columns.end(),
                                 [](const ListColumn& column) { return column.title.empty(); }),
                  columns.end());
    TextTable table("<<>" + std::string(columns.size(), '>') + "<");
    std::vector<std::string> row{"scenario", "verdict", "met"};
    for (const ListColumn& column : columns)
    {
        row.push_back(column.title);
    }
    row.emplace_back("results");
    table.Add(row);
    for (const RunOutcome& report : reports)
    {
        const bool ended = !report.summary.is_null();
        row = {NameOf(report), report.GetVerdict(), ended ? Met(report) : "-"};
        for (const ListColumn& column : columns)
        {
            row.push_back(ended ? Grouped(column.get(report.summary)) : "-");
        }
        row.push_back(ended ? report.folder : "-");
        table.Add(row);
    }
    Text text;
    Append(text, "{}", table.ToText());
    for (const RunOutcome& report : reports)
    {
        if (report.summary.is_null())
        {
            continue;
        }
        for (const std::string& line : DeliveriesOf(report))
        {
            Append(text, "{}: to {}\n", NameOf(report), line);
        }
    }
    for (const RunOutcome& report : reports)
    {
        for (const std::string& failure : FailuresOf(report))
        {
            Append(text, "FAILED  {}: {}\n", NameOf(report), failure);
        }
    }
    Append(text, "{}", SumsOverExporters(reports));
    const auto passed = std::count_if(reports.begin(), reports.end(), [](const RunOutcome& report) {
        return report.GetVerdict() == "pass";
    });
    Append(text, "{} of {} scenarios pass\n", passed, reports.size());
    return fmt::to_string(text);
}

std::string
ToJUnit(const std::vector<RunOutcome>& reports)
{
    Text suites;
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::size_t errors = 0;
    for (const RunOutcome& report : reports)
    {
        const std::vector<TestCase> cases = TestCasesOf(report);
        const auto count = [&cases](bool isError) {
            return static_cast<std::size_t>(
                std::count_if(cases.begin(), cases.end(), [isError](const TestCase& test) {
                    return !test.failure.empty() && test.isError == isError;
                }));
        };
        Append(
            suites,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\">\n",
            Xml(NameOf(report)),
            cases.size(),
            count(false),
            count(true));
        AppendProperties(suites, report);
        tests += cases.size();
        failures += count(false);
        errors += count(true);
        for (const TestCase& test : cases)
        {
            Append(suites,
                   "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\"",
                   Xml(NameOf(report)),
                   Xml(test.name),
                   Xml(report.scenario));
            if (test.failure.empty())
            {
                Append(suites, "/>\n");
                continue;
            }
            const char* tag = test.isError ? "error" : "failure";
            Append(suites,
                   ">\n      <{0} message=\"{1}\">{2}</{0}>\n    </testcase>\n",
                   tag,
                   Xml(test.failure),
                   Xml(test.detail));
        }
        Append(suites, "  </testsuite>\n");
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"esx-netflow\" "
        "tests=\"{}\" failures=\"{}\" errors=\"{}\">\n{}</testsuites>\n",
        tests,
        failures,
        errors,
        fmt::to_string(suites));
}

std::string
ToMarkdown(const std::vector<RunOutcome>& reports)
{
    Text text;
    const std::vector<ListColumn> columns = ListColumns();
    std::string titles;
    std::string rule;
    for (const ListColumn& column : columns)
    {
        titles += fmt::format(" {} |", column.markdown);
        rule += "--:|";
    }
    Append(text,
           "### esx-netflow\n\n| scenario | verdict | expectations met |{}\n|---|---|--:|{}\n",
           titles,
           rule);
    for (const RunOutcome& report : reports)
    {
        const bool ended = !report.summary.is_null();
        const char* const stress = ended && report.GetVerdict() == "pass" ? "" : "**";
        Append(text,
               "| {0} | {1}{2}{1} |{3} |",
               Markdown(NameOf(report)),
               stress,
               report.GetVerdict(),
               ended ? " " + Met(report) : "");
        for (const ListColumn& column : columns)
        {
            Append(text, "{} |", ended ? " " + Grouped(column.get(report.summary)) : "");
        }
        Append(text, "\n");
    }
    const std::string sums = SumsOverExporters(reports);
    Append(text, "{}{}", sums.empty() ? "" : "\n", sums);
    for (const RunOutcome& report : reports)
    {
        const std::vector<std::string> failures = FailuresOf(report);
        if (!failures.empty())
        {
            Append(text, "\n**{}**\n\n", Markdown(NameOf(report)));
        }
        for (const std::string& failure : failures)
        {
            Append(text, "- {}\n", Markdown(failure));
        }
    }
    return fmt::to_string(text);
}

} // namespace esxnf
