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

/**
 * One verdict for each net-netflow that the timeline starts and that may not be idle: the packets
 * of guests and of injected traffic that were counted in records while it was registered.
 */
std::vector<ns3::EsxVerdict> JudgeMetering(const Simulation& simulation);

/// One verdict on all traffic that may not be silent, none if there is none of that kind.
std::vector<ns3::EsxVerdict> JudgeTraffic(const std::vector<TrafficPair>& pairs);

} // namespace esxnf

#endif // ESXNF_ACTIVITY_H
