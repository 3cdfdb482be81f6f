// SPDX-License-Identifier: GPL-2.0-only
// Expectations that every scenario has, so that no run passes for having done nothing: what was to
// send has sent, and what was to meter has metered. They are judged after the run and stand behind
// the scenario's own.
#ifndef ESXNF_ACTIVITY_H
#define ESXNF_ACTIVITY_H

#include "runner/simulation/simulation.h"

#include <vector>

namespace esxnf
{

/// How many packets of guests and of injected traffic were counted in records while a net-netflow
/// was registered.
struct MeteringVerdicts
{
    /// Of each net-netflow that the timeline starts and that may not be idle.
    std::vector<ns3::EsxVerdict> everyRun;
    /// Of the scenario's expectations 'check: metered', in their order.
    std::vector<ns3::EsxVerdict> asked;
};

MeteringVerdicts JudgeMetering(const Simulation& simulation);

/// One verdict on all traffic that may not be silent, none if there is none of that kind.
std::vector<ns3::EsxVerdict> JudgeTraffic(const std::vector<TrafficPair>& pairs);

/// One that fails where no traffic was sent and no step that can fail happened, none elsewhere: all
/// else that a scenario expects holds of a run without a packet, too.
std::vector<ns3::EsxVerdict> JudgeIdleness(const Simulation& simulation);

/// The names of these verdicts, as far as they are known before the run: where each net-netflow
/// starts when its line is typed.
std::vector<std::string> ExpectedOfEveryRun(const Scenario& scenario);

} // namespace esxnf

#endif // ESXNF_ACTIVITY_H
