// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/version.h"
#include "runner/results/summary.h"

#include "ns3/esx-json.h"

namespace esxnf
{

namespace
{

/// Exit is null while the line runs on.
Json
ToJson(const StepVerdict& step)
{
    return {{"at_ns", step.at.GetNanoSeconds()},
            {"host", step.host},
            {"run", step.command},
            {"exit", step.printed.exit ? Json(*step.printed.exit) : Json()},
            {"running", step.printed.running},
            {"stdout", step.printed.output},
            {"stderr", step.printed.errors},
            {"missed", step.missed},
            {"pass", step.Passes()}};
}

Json
ToJson(const SilentTraffic& traffic)
{
    return {{"name", traffic.name},
            {"from", traffic.from},
            {"to", traffic.to},
            {"may_be_silent", traffic.mayBeSilent}};
}

Json
ToJson(const Replay& replay)
{
    return {{"name", replay.name},
            {"from", replay.from},
            {"packets", replay.capture.packets},
            {"damage", replay.capture.damage},
            {"odd", replay.capture.odd}};
}

Json
ToJson(const FlowTraffic& traffic)
{
    return {{"name", traffic.name},
            {"from", traffic.from},
            {"packets", traffic.counts.packets},
            {"simulated", traffic.counts.simulated}};
}

Json
ToJson(const ns3::EsxLinkDrops& drops)
{
    return {{"name", drops.link},
            {"dropped", {{"queue", drops.queue}, {"errors", drops.errors}, {"down", drops.down}}}};
}

Json
ToJson(const RealDelivery& delivery)
{
    const UdpSendStatistics& counts = delivery.counts;
    return {{"host", delivery.host},
            {"target", delivery.target},
            {"source", delivery.source},
            {"sent", counts.sent},
            {"refused", counts.refused},
            {"no_buffers", counts.noBuffers},
            {"failed", counts.failed}};
}

template <typename T>
Json
ToJsonArray(const std::vector<T>& items)
{
    Json array = Json::array();
    for (const T& item : items)
    {
        array.push_back(ToJson(item));
    }
    return array;
}

const char*
VerdictOf(RunVerdict verdict)
{
    switch (verdict)
    {
    case RunVerdict::PASS:
        return "pass";
    case RunVerdict::FAIL:
        return "fail";
    case RunVerdict::UNBALANCED:
        return "unbalanced";
    case RunVerdict::INTERRUPTED:
        break;
    }
    return "interrupted";
}

} // namespace

Json
ToJson(const Summary& summary)
{
    ns3::EsxJson everyRun; // what scripts have, too
    everyRun.BeginObject();
    ns3::EsxAddVerdicts(everyRun, summary.verdicts);
    summary.AddTo(everyRun);
    const Json common = Json::parse(everyRun.EndObject().Take());
    Json json = {
        {"schema", SUMMARY_SCHEMA},
        {"name", summary.name},
        {"seed", summary.seed},
        {"run", summary.run},
        {"versions", {{"esx-netflow", ESX_NETFLOW_VERSION}, {"ns-3", ESX_NETFLOW_NS3_VERSION}}},
        {"end_ns", summary.end.GetNanoSeconds()},
        {"verdict", VerdictOf(summary.GetVerdict())},
        {"expectations", common.at("expectations")},
        {"steps", ToJsonArray(summary.steps)},
        {"traffic",
         {{"items", summary.trafficItems},
          {"silent", ToJsonArray(summary.silent)},
          {"captures", ToJsonArray(summary.replays)}}},
        {"links", ToJsonArray(summary.links)},
        {"bound",
         {{"sent_octets", summary.bound.sent},
          {"lost_octets", summary.bound.lost},
          {"least_lost_octets", summary.bound.leastLost},
          {"links", summary.bound.links}}}};
    for (const auto& [key, value] : common.items())
    {
        json[key] = value; // "expectations" keeps its place
    }
    if (!summary.flowTraffic.empty())
    {
        json["traffic"]["flow_fidelity"] = ToJsonArray(summary.flowTraffic);
    }
    if (!summary.realCollectors.empty())
    {
        json["real_collectors"] = ToJsonArray(summary.realCollectors);
    }
    return json;
}

} // namespace esxnf
