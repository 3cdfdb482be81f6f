// SPDX-License-Identifier: GPL-2.0-only
// Whether a console line of the timeline gave what its 'expect' says: what was expected, what was
// printed, and where both differ. Judged once, after the run.
#ifndef ESXNF_STEP_VERDICT_H
#define ESXNF_STEP_VERDICT_H

#include "runner/console/console-window.h"
#include "runner/scenario/scenario.h"

#include <string>
#include <vector>

namespace esxnf
{

/// A line of the timeline and what came of it.
struct StepOutcome
{
    const TimelineStep* step{nullptr};
    LineOutcome line;
};

struct StepVerdict
{
    ns3::Time at;
    std::string host;
    std::string command;
    LineOutcome printed;
    std::vector<std::string> missed; //!< "exit status 1, wanted 0"; empty: all as expected

    bool Passes() const;

    /// "exit status 1, wanted 0; printed on standard error: no such module"; without line breaks
    std::string Explain() const;
};

/// \param outcome of a step that has an 'expect'
StepVerdict Judge(const StepOutcome& outcome);

} // namespace esxnf

#endif // ESXNF_STEP_VERDICT_H
