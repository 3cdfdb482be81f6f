// SPDX-License-Identifier: GPL-2.0-only
// A rehearsal at the prompt becomes a scenario: what was typed, at its times, in a session of its
// own, with the exit status that each line gave. Running it gives the same output.
#ifndef ESXNF_CONSOLE_RECORD_H
#define ESXNF_CONSOLE_RECORD_H

#include "runner/console/console-driver.h"
#include "runner/results/summary.h"
#include "runner/scenario/scenario.h"

#include <deque>
#include <string>

namespace esxnf
{

/**
 * The part of a scenario that a console runs: all but, unless that is wanted, its timeline and the
 * expectations that judge it. A session may end at any time: no traffic must have sent.
 */
Scenario ForRehearsal(const Scenario& scenario, bool withTimeline);

/**
 * Steps of the scenario's own timeline that were still to come are left out.
 * \param scenario that was simulated
 * \param host on whose console was typed
 * \param end when the session ended
 * \return the recorded scenario
 */
Scenario Record(const Scenario& scenario,
                const std::string& host,
                const std::deque<TypedStep>& typed,
                ns3::Time end);

/// Judges the recorded lines as a run of the record will, among the steps of the scenario's own
/// timeline that have been judged.
void AddTypedSteps(const Scenario& record, const std::deque<TypedStep>& typed, Summary& summary);

} // namespace esxnf

#endif // ESXNF_CONSOLE_RECORD_H
