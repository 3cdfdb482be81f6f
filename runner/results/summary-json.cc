// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/summary.h"

#include <cmath>
#include <sstream>

namespace esxnf
{

namespace
{

using ns3::EsxCounts;

Json
ToJson(const EsxCounts& counts)
{
    return {{"packets", counts.packets}, {"octets", counts.octets}, {"records", counts.records}};
}

template <typename Named>
Json
ToJsonByName(const Named& counts)
{
    Json object = Json::object();
    for (const auto& [name, value] : counts)
    {
        object[name] = ToJson(value);
    }
    return object;
}

/// Whole numbers as such: 5, not 5.0.
Json
Number(double value)
{
    constexpr double EXACT = 9007199254740992; // 2^53: below, a double holds every integer
    if (std::trunc(value) == value && std::abs(value) < EXACT)
    {
        return static_cast<int64_t>(value);
    }
    return value;
}

/// In the words of the scenario.
Json
BoundToJson(const ns3::EsxExpectation& expectation)
{
    const double low = expectation.atLeast;
    const double high = expectation.atMost;
    if (std::isinf(high))
    {
        return {{"at_least", Number(low)}};
    }
    if (std::isinf(low))
    {
        return {{"at_most", Number(high)}};
    }
    if (low == high)
    {
        return {{"equals", Number(low)}};
    }
    return {{"between", Json::array({Number(low), Number(high)})}};
}

Json
ToJson(const HostSummary& host)
{
    Json object = {{"name", host.name},
                   {"edition", host.edition},
                   {"unstable", host.isUnstable},
                   {"halted", host.hasHalted},
                   {"cache_high_water", host.cacheHighWater},
                   {"purgatory_high_water", host.purgatoryHighWater},
                   {"heap_high_water", host.heapHighWater},
                   {"vswitches", Json::array()}};
    for (const VSwitchSummary& vSwitch : host.vSwitches)
    {
        object["vswitches"].push_back({{"name", vSwitch.name},
                                       {"engine", vSwitch.engine},
                                       {"moves", ToJsonByName(vSwitch.moves)}});
    }
    return object;
}

Json
ToJson(const CollectorSummary& collector)
{
    return {{"node", collector.node},
            {"received", ToJson(collector.received)},
            {"datagrams", collector.datagrams},
            {"sequence_failures", collector.sequenceFailures},
            {"records_missing", collector.missing},
            {"datagrams_late", collector.late},
            {"datagrams_duplicate", collector.duplicates},
            {"restarts", collector.restarts},
            {"datagrams_refused", collector.refused},
            {"buffer_drops", collector.bufferDrops}};
}

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
ToJson(const Talker& talker)
{
    std::ostringstream address;
    talker.source.Print(address);
    return {{"exporter", talker.exporter},
            {"vswitch", talker.vSwitch},
            {"src", address.str()},
            {"name", talker.name},
            {"truth", ToJson(talker.truth)},
            {"collected", ToJson(talker.collected)},
            {"left", ToJson(talker.left)}};
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
ToJson(const LinkDrops& drops)
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
    Json expectations = Json::array();
    for (const ns3::EsxVerdict& verdict : summary.verdicts)
    {
        expectations.push_back({{"name", verdict.expectation.name},
                                {"measured", Number(verdict.measured)},
                                {"bound", BoundToJson(verdict.expectation)},
                                {"pass", verdict.pass}});
        if (!verdict.why.empty())
        {
            expectations.back()["why"] = verdict.why;
        }
    }
    Json json = {
        {"schema", SUMMARY_SCHEMA},
        {"name", summary.name},
        {"seed", summary.seed},
        {"run", summary.run},
        {"versions", {{"esx-netflow", ESX_NETFLOW_VERSION}, {"ns-3", ESX_NETFLOW_NS3_VERSION}}},
        {"end_ns", summary.end.GetNanoSeconds()},
        {"verdict", VerdictOf(summary.GetVerdict())},
        {"expectations", expectations},
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
          {"links", summary.bound.links}}},
        {"ledger",
         {{"truth", ToJson(summary.truth)},
          {"exported", ToJson(summary.exported)},
          {"collected", ToJson(summary.collected)},
          {"ignored", ToJsonByName(summary.ignored)},
          {"lost", ToJsonByName(summary.lost)},
          {"left", ToJsonByName(summary.left)}}},
        {"residual", ToJson(summary.residual)},
        {"exporters", summary.GetExporters()},
        {"flows", summary.flows},
        {"flows_never_begun", summary.flowsNeverBegun},
        {"datagrams", summary.datagrams},
        {"top_talkers", ToJsonArray(summary.talkers)},
        {"hosts", ToJsonArray(summary.hosts)},
        {"collectors", ToJsonArray(summary.collectors)}};
    if (!summary.realCollectors.empty())
    {
        json["real_collectors"] = ToJsonArray(summary.realCollectors);
    }
    return json;
}

} // namespace esxnf
