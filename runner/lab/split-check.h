// SPDX-License-Identifier: GPL-2.0-only
// Whether the hosts of a lab can be simulated apart, as 'run --split' does: nothing may come back
// to a host from the network, and of its guests' traffic nothing may leave it. The simulation
// ends when it meets something that a scenario does not tell (runner/simulation/split-run).
#ifndef ESXNF_SPLIT_CHECK_H
#define ESXNF_SPLIT_CHECK_H

#include "runner/scenario/scenario.h"

namespace esxnf
{

/// \return errors, each a coupling; none: as far as the scenario tells, the lab can be split
Diagnostics FindCouplings(const Scenario& scenario);

} // namespace esxnf

#endif // ESXNF_SPLIT_CHECK_H
