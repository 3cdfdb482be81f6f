// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/simulation-traffic.h"

#include "runner/capture/capture-frames.h"
#include "runner/simulation/attribute-scope.h"
#include "runner/simulation/split-run.h"

#include "ns3/esx-injector.h"
#include "ns3/esx-tcp-syn-scan.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/uinteger.h"

#include <vector>

namespace esxnf
{

using namespace ns3;

namespace
{

EsxTrafficOptions
TimesOf(const Traffic& traffic)
{
    EsxTrafficOptions times;
    times.start = traffic.start;
    times.stop = traffic.stop;
    return times;
}

/// Flows that a scenario describes, beside what their attributes say.
Ptr<EsxSyntheticFlows>
MakeFlows(const Scenario& scenario, const Traffic& traffic)
{
    const auto flows = CreateObject<EsxSyntheticFlows>();
    flows->SetHours(traffic.hours);
    std::vector<EsxSyntheticFlows::Service> services;
    for (const Service& service : traffic.services)
    {
        const uint8_t protocol = service.protocol == "tcp" ? 6 : 17;
        services.push_back({protocol, service.port, service.weight});
    }
    flows->SetServices(services);
    std::vector<EsxProfiledFlow> profile;
    if (!traffic.profile.empty()) // the check has read it
    {
        uint64_t others = 0;
        EsxReadFlowProfile(scenario.PathOf(traffic.profile), profile, others);
    }
    flows->SetProfile(profile);
    return flows;
}

/// The traffic of one sender; keys that are attributes are defaults here.
ApplicationContainer
Make(const Scenario& scenario,
     const Traffic& traffic,
     const Ptr<ns3::Node>& from,
     const std::vector<EsxTrafficTarget>& to)
{
    const EsxTrafficHelper helper;
    const EsxTrafficOptions times = TimesOf(traffic);
    const TrafficApp& app = *traffic.app;
    ApplicationContainer made;
    switch (app.kind)
    {
    case TrafficKind::EachReceiver:
        for (const EsxTrafficTarget& target : to)
        {
            const ObjectFactory sender(app.sender);
            made.Add(helper.Install(sender, from, target, times, traffic.firstPort, app.receiver));
        }
        return made;
    case TrafficKind::AllReceivers: {
        ObjectFactory sender(app.sender);
        sender.Set("FirstPort", UintegerValue(traffic.firstPort));
        sender.Set("LastPort", UintegerValue(traffic.lastPort));
        made = helper.Install(sender, from, to.front(), times, 0, app.receiver);
        for (std::size_t i = 1; i < to.size(); ++i)
        {
            DynamicCast<EsxTcpSynScan>(made.Get(0))
                ->AddRemote(EsxTrafficHelper::AddressOf(to[i].node, from));
        }
        return made;
    }
    case TrafficKind::Flows:
        return helper.SyntheticFlows(from, to, MakeFlows(scenario, traffic), times);
    case TrafficKind::Capture:
        return helper.Inject(from,
                             to,
                             CreateObject<CaptureFrames>(scenario.PathOf(traffic.file)),
                             times);
    }
    return made; // not reached
}

/// Watches a sender's pairs of an item. \param made its applications
void
Watch(TrafficWatch& watch,
      const Traffic& traffic,
      const std::string& from,
      const std::map<std::string, Ptr<ns3::Node>>& nodes,
      const ApplicationContainer& made)
{
    for (uint32_t i = 0; i < traffic.to.size(); ++i)
    {
        const TrafficPair pair{&traffic, from, traffic.to[i]};
        const Ptr<ns3::Node>& sender = nodes.at(from);
        if (traffic.IsInjected())
        {
            watch.Watch(pair, DynamicCast<EsxInjector>(made.Get(0)), i);
        }
        else
        {
            watch.Watch(pair, sender, EsxTrafficHelper::AddressOf(nodes.at(pair.to), sender));
        }
    }
}

} // namespace

ApplicationContainer
MakeTraffic(const Scenario& scenario,
            const std::map<std::string, Ptr<ns3::Node>>& nodes,
            TrafficWatch& watch,
            SplitRun* split)
{
    ApplicationContainer made;
    for (const Traffic& traffic : scenario.traffic)
    {
        const AttributeScope scope(scenario, traffic.path);
        std::vector<Ptr<Object>> applications;
        std::vector<EsxTrafficTarget> to;
        for (const std::string& target : traffic.to)
        {
            to.emplace_back(nodes.at(target));
        }
        for (const std::string& from : traffic.from)
        {
            const ApplicationContainer senders = Make(scenario, traffic, nodes.at(from), to);
            Watch(watch, traffic, from, nodes, senders);
            split ? split->Silence(from, nodes.at(from), senders) : void();
            made.Add(senders);
            applications.insert(applications.end(), senders.Begin(), senders.End());
        }
        CheckAttributesArrived(scenario, traffic.path, applications);
    }
    return made;
}

} // namespace esxnf
