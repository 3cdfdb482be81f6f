// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Outcomes of one or more runs, for people and for CI: one table, a JUnit file, a page of
 * Markdown. All are made of the runs' summary.json, hold no time and no path but those that the
 * user named, and are the same whatever the number of jobs.
 */
#ifndef ESXNF_RUN_OUTCOMES_H
#define ESXNF_RUN_OUTCOMES_H

#include "runner/scenario/yaml-document.h"

#include <string>
#include <vector>

namespace esxnf
{

/// One scenario that was to be run.
struct RunOutcome // NOLINT(bugprone-exception-escape): Json checks itself as it moves
{
    std::string scenario; //!< file, as the user named it
    std::string name;     //!< empty: it could not be read
    std::string folder;   //!< of its results, as the user would name it
    int exitCode{0};
    Json summary;                         //!< null: there are no results
    std::vector<std::string> differences; //!< from the golden results, in lines; empty: none
    bool compared{false};                 //!< whether golden results were looked at
    std::vector<std::string> errors;      //!< why there are no results, in lines

    /// "pass", "fail", "unbalanced", "interrupted", "error" or "not run".
    std::string GetVerdict() const;
};

/// Of several scenarios: a line each, then what failed.
std::string ToTable(const std::vector<RunOutcome>& reports);

/// JUnit: a test suite for each scenario, a test case for each expectation, for each console line
/// that has one, for the ledger's balance and for the golden results.
std::string ToJUnit(const std::vector<RunOutcome>& reports);

/// GitHub's Markdown, for $GITHUB_STEP_SUMMARY.
std::string ToMarkdown(const std::vector<RunOutcome>& reports);

/// "0.75, wanted 0.5 or less": of an expectation in summary.json.
std::string ExplainExpectation(const Json& expectation);

/// A console line's expectation in summary.json and its output, on one line.
std::string ExplainStep(const Json& step);

} // namespace esxnf

#endif // ESXNF_RUN_OUTCOMES_H
