// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/simulation-traffic.h"

#include "runner/capture/capture-frames.h"
#include "runner/scenario/distribution.h"
#include "runner/simulation/attribute-scope.h"
#include "runner/simulation/split-run.h"

#include "ns3/esx-injector.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/fatal-error.h"

#include <fmt/format.h>
#include <vector>

namespace esxnf
{

using namespace ns3;

namespace
{

/// \param text checked: it is right
Ptr<RandomVariableStream>
RandomVariable(const std::string& text, Quantity quantity)
{
    Distribution distribution;
    ParseDistribution(text, quantity, distribution);
    return MakeRandomVariable(distribution);
}

/// An application that sends, with what answers it.
ApplicationContainer
Talk(const Traffic& traffic, const Ptr<ns3::Node>& from, const EsxTrafficTarget& to)
{
    const EsxTrafficHelper helper;
    const EsxUdpCbrOptions udp{{traffic.start, traffic.stop},
                               traffic.port,
                               traffic.rate,
                               traffic.packetBytes,
                               traffic.dscp};
    switch (traffic.app)
    {
    case TrafficApp::UdpCbr:
        return helper.UdpCbr(from, to, udp);
    case TrafficApp::UdpOnOff:
        return helper.UdpOnOff(from,
                               to,
                               {udp,
                                RandomVariable(traffic.burst, Quantity::Seconds),
                                RandomVariable(traffic.pause, Quantity::Seconds)});
    case TrafficApp::IcmpEcho:
        return helper.IcmpEcho(
            from,
            to,
            {{traffic.start, traffic.stop}, traffic.every, traffic.packetBytes, traffic.dscp});
    case TrafficApp::TcpBulk:
        return helper.TcpBulk(from,
                              to,
                              {{traffic.start, traffic.stop}, traffic.port, traffic.sizeBytes});
    case TrafficApp::TcpRequest:
        return helper.TcpRequest(
            from,
            to,
            {{traffic.start, traffic.stop},
             traffic.port,
             EsxTcpRequestOptions().request,
             EsxTcpRequestOptions().response,
             fmt::format("ns3::{}={}]",
                         traffic.everyIsExponential ? "ExponentialRandomVariable[Mean"
                                                    : "ConstantRandomVariable[Constant",
                         traffic.every.GetSeconds()),
             RandomVariable(traffic.request, Quantity::Octets),
             RandomVariable(traffic.response, Quantity::Octets)});
    case TrafficApp::TcpSynScan:
    case TrafficApp::Flows:
    case TrafficApp::Pcap:
        break; // no conversation: Make() and Inject() make them
    }
    NS_FATAL_ERROR("no conversation is made of traffic " << traffic.name);
}

/// Without the guests' stacks: flows, or a capture.
ApplicationContainer
Inject(const Scenario& scenario,
       const Traffic& traffic,
       const Ptr<ns3::Node>& from,
       const std::vector<EsxTrafficTarget>& to)
{
    const EsxTrafficHelper helper;
    const EsxTrafficOptions times{traffic.start, traffic.stop};
    if (traffic.app == TrafficApp::Pcap)
    {
        const auto frames = CreateObject<CaptureFrames>(scenario.PathOf(traffic.file));
        frames->SetAttribute("TrustIpLength", BooleanValue(traffic.trustIpLength));
        return helper.Inject(from, to, frames, times);
    }
    EsxFlowsOptions options;
    options.start = times.start;
    options.stop = times.stop;
    const std::string every = fmt::format("{}ns", traffic.every.GetNanoSeconds());
    options.every =
        RandomVariable(traffic.everyIsExponential ? "exponential(" + every + ")" : every,
                       Quantity::Seconds);
    options.duration = RandomVariable(traffic.flowDuration, Quantity::Seconds);
    options.packets = RandomVariable(traffic.flowPackets, Quantity::Number);
    options.packetSize = RandomVariable(traffic.packetSize, Quantity::Octets);
    options.flows = traffic.flows;
    options.together = traffic.together;
    options.hours = traffic.hours;
    options.compression = traffic.compress;
    options.again = traffic.again;
    options.inFlowFidelity = traffic.fidelity == "flow";
    for (const Service& service : traffic.services)
    {
        const uint8_t protocol = service.protocol == "tcp" ? 6 : 17;
        options.services.push_back({protocol, service.port, service.weight});
    }
    if (!traffic.rtt.empty())
    {
        options.rtt = RandomVariable(traffic.rtt, Quantity::Seconds);
        options.answerPackets = RandomVariable(traffic.answerPackets, Quantity::Number);
        options.answerSize = RandomVariable(traffic.answerSize, Quantity::Octets);
    }
    if (!traffic.profile.empty()) // the check has read it
    {
        uint64_t others = 0;
        EsxReadFlowProfile(scenario.PathOf(traffic.profile), options.profile, others);
    }
    options.tcp = traffic.protocol == "tcp";
    options.port = traffic.port;
    options.dscp = traffic.dscp;
    if (traffic.sources)
    {
        options.sourceNetwork = traffic.sources->address;
        options.sourceMask = traffic.sources->mask;
    }
    return helper.SyntheticFlows(from, to, options);
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
        const Ptr<ns3::Node> sender = nodes.at(from);
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

/// The traffic of one sender.
ApplicationContainer
Make(const Scenario& scenario,
     const Traffic& traffic,
     const Ptr<ns3::Node>& from,
     const std::vector<EsxTrafficTarget>& to)
{
    if (traffic.IsInjected())
    {
        return Inject(scenario, traffic, from, to);
    }
    if (traffic.app == TrafficApp::TcpSynScan)
    {
        return EsxTrafficHelper().TcpSynScan(
            from,
            to,
            {{traffic.start, traffic.stop}, traffic.firstPort, traffic.lastPort, traffic.every});
    }
    ApplicationContainer made;
    for (const EsxTrafficTarget& target : to)
    {
        made.Add(Talk(traffic, from, target));
    }
    return made;
}

} // namespace

ApplicationContainer
MakeTraffic(const Scenario& scenario,
            const std::map<std::string, Ptr<ns3::Node>>& nodes,
            TrafficWatch& watch,
            const SplitRun* split)
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
