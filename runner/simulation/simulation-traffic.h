// SPDX-License-Identifier: GPL-2.0-only
// The traffic of a scenario: applications on the guests of a world that stands. Simulation's
// builder calls it, and gives their random variables streams.
#ifndef ESXNF_SIMULATION_TRAFFIC_H
#define ESXNF_SIMULATION_TRAFFIC_H

#include "runner/scenario/scenario.h"
#include "runner/simulation/traffic-watch.h"

#include "ns3/application-container.h"
#include "ns3/node.h"

#include <map>
#include <string>

namespace esxnf
{

class SplitRun;

/// \param nodes by name; all that traffic is from and to are there
/// \param [out] watch sees what sends
/// \param split silences some of the senders; nullptr: none
/// \return the applications in the order of the scenario
ns3::ApplicationContainer MakeTraffic(const Scenario& scenario,
                                      const std::map<std::string, ns3::Ptr<ns3::Node>>& nodes,
                                      TrafficWatch& watch,
                                      SplitRun* split);

} // namespace esxnf

#endif // ESXNF_SIMULATION_TRAFFIC_H
