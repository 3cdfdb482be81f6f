// SPDX-License-Identifier: GPL-2.0-only
// Whether a step of the timeline that can fail (a console line, a signal, a VM's power or
// connection) gave what its 'expect' says, or without one exit status 0: what was expected, what
// was printed, and where both differ. Judged once, after the run.
#ifndef ESXNF_STEP_VERDICT_H
#define ESXNF_STEP_VERDICT_H

#include "runner/scenario/scenario.h"
#include "runner/simulation/console-window.h"

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
    std::string path; //!< of the step, and of its 'expect' if it has one
    ns3::Time at;
    std::string host;    //!< of a signal: the process; of a VM's step: the VM
    std::string command; //!< of other steps: what was to happen
    LineOutcome printed;
    std::vector<std::string> missed; //!< "exit status 1, wanted 0"; empty: all as expected

    bool Passes() const;

    /// "exit status 1, wanted 0; printed on standard error: no such module"; without line breaks
    std::string Explain() const;
};

StepVerdict Judge(const StepOutcome& outcome);

/// Of a step that was still to come when the run ended.
StepVerdict JudgeMissing(const TimelineStep& step);

} // namespace esxnf

#endif // ESXNF_STEP_VERDICT_H
