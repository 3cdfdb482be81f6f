// SPDX-License-Identifier: GPL-2.0-only
// What a scenario's traffic makes of flow records and of load on links, as far as it is known
// before a run: between two bounds, or not at all where it is random.
#ifndef ESXNF_TRAFFIC_PLAN_H
#define ESXNF_TRAFFIC_PLAN_H

#include "runner/lab/frame-route.h"

namespace esxnf
{

/** One sender and one receiver of a traffic item. Times are seconds. */
struct PlannedTraffic
{
    const Traffic* traffic;
    std::size_t from; //!< station: the port group of the sender
    std::size_t to;   //!< the receiver's port group, or a collector
    double start;
    double stop;
    double flows;       //!< that begin in a second
    double duration;    //!< of a flow at most
    double perFlow;     //!< records that a flow ends in at most
    bool isLong;        //!< one flow from start to stop: at least no record, at most those of its
                        //!< active timeout
    bool isAnswered;    //!< each flow has one in the other direction
    double load;        //!< bits a second on links, there
    bool isElastic;     //!< takes what links give (TCP)
    std::string random; //!< empty, or what is not known: "traffic web is random"
    std::vector<int> links; //!< that its frames cross
};

/** In order of the scenario. Pairs that do not meet are left out. */
std::vector<PlannedTraffic> PlanTraffic(const FrameGraph& graph);

} // namespace esxnf

#endif // ESXNF_TRAFFIC_PLAN_H
