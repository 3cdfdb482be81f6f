// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-reader.h"

#include "runner/scenario/scenario-fields.h"

#include "ns3/esx-address-pools.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <map>

namespace esxnf
{

namespace
{

/// "2008-10-26T00:00:00Z" -> seconds since 1970
int64_t
UnixSeconds(const std::string& text)
{
    const auto number = [&text](std::size_t at, std::size_t length) {
        return std::stoi(text.substr(at, length));
    };
    std::tm utc{};
    utc.tm_year = number(0, 4) - 1900;
    utc.tm_mon = number(5, 2) - 1;
    utc.tm_mday = number(8, 2);
    utc.tm_hour = number(11, 2);
    utc.tm_min = number(14, 2);
    utc.tm_sec = number(17, 2);
    return timegm(&utc);
}

// The parts, in the schema's order.

void
ReadRun(const Fields& fields, RunSettings& run)
{
    run.path = fields.Path();
    fields("duration", run.duration)("seed", run.seed)("run", run.run);
    fields("spanning_tree", run.spanningTree);
    run.staticArp = fields.Text("arp") == "static";
    run.wallclockStart = UnixSeconds(fields.Text("wallclock_start"));
}

void
ReadQueueDisc(const Fields& fields, QueueDiscSettings& disc)
{
    if (fields.Has("queue_disc"))
    {
        const auto settings = fields.At("queue_disc");
        settings("kind", disc.kind)("size", disc.size)("rate", disc.rate);
        settings("burst", disc.burstBytes);
    }
}

void
ReadNic(const Fields& fields, Nic& nic)
{
    ReadQueueDisc(fields, nic.queueDisc);
    fields("portgroup", nic.portGroup)("address", nic.address)("gateway", nic.gateway)("mac",
                                                                                       nic.mac);
}

void
ReadVnic(const Fields& fields, Nic& nic)
{
    ReadNic(fields, nic);
    fields("guest_rate", nic.guestRate)("connected", nic.connected);
}

void
ReadVmknic(const Fields& fields, Vmknic& vmknic)
{
    ReadNic(fields, vmknic);
}

void
ReadVm(const Fields& fields, Vm& vm)
{
    fields("mtu", vm.mtu)("memory", vm.memoryBytes)("reservation", vm.reservationBytes);
    vm.touchedBytes = vm.memoryBytes;
    fields("touched", vm.touchedBytes);
    fields.List("nics", vm.nics, ReadVnic);
}

void
ReadPortGroup(const Fields& fields, PortGroup& group)
{
    fields("vlan", group.vlan);
}

void
ReadVSwitch(const Fields& fields, VSwitch& vSwitch)
{
    fields("ports", vSwitch.ports)("mtu", vSwitch.mtu)("uplinks", vSwitch.uplinks);
    fields.Map("portgroups", vSwitch.portGroups, ReadPortGroup);
}

void
ReadNetflow(const Fields& fields, NetflowSettings& netflow)
{
    netflow.path = fields.Path();
    fields("purgatory_max", netflow.purgatoryMax);
    fields("active_timeout", netflow.activeTimeout)("idle_timeout", netflow.idleTimeout);
    fields("scan_interval", netflow.scanInterval)("metering_delay", netflow.meteringDelay);
}

void
ReadHost(const Fields& fields, Host& host)
{
    host.isEsx3i = fields.Text("edition") == "esx3i";
    fields("portset_base", host.portsetBase)("uptime_at_start", host.uptimeAtStart);
    fields("arp_queue", host.arpQueue);
    fields.At("memory")("netflow_heap", host.netflow.heapBytes)("total",
                                                                host.memoryBytes)("kernel",
                                                                                  host.kernelBytes);
    ReadNetflow(fields.At("netflow"), host.netflow);
    fields.Map("vswitches", host.vSwitches, ReadVSwitch);
    fields.Map("vmknics", host.vmknics, ReadVmknic);
    fields.Map("vms", host.vms, ReadVm);
}

void
ReadSwitchPort(const Fields& fields, SwitchPort& port)
{
    port.trunk = fields.Text("mode") == "trunk";
    fields("vlan", port.vlan)("native", port.native)("allowed", port.allowed);
}

void
ReadRouterInterface(const Fields& fields, RouterInterface& interface)
{
    fields("address", interface.address)("mtu", interface.mtu);
}

void
ReadRoute(const Fields& fields, Route& route)
{
    fields("to", route.to)("via", route.via);
}

void
ReadPool(const Fields& fields, AddressPool& pool)
{
    fields("network", pool.network)("weight", pool.weight)("addresses", pool.addresses);
    fields("zipf", pool.zipf);
    pool.addresses = std::min(pool.addresses, ns3::EsxAddressPools::GetSize(pool.network.mask));
}

void
ReadService(const Fields& fields, Service& service)
{
    fields("protocol", service.protocol)("port", service.port)("weight", service.weight);
}

void
ReadNode(const Fields& fields, Node& node)
{
    static const std::map<std::string, NodeKind> kinds{{"switch", NodeKind::Switch},
                                                       {"collector", NodeKind::Collector},
                                                       {"server", NodeKind::Server},
                                                       {"router", NodeKind::Router},
                                                       {"internet", NodeKind::Internet}};
    node.kind = kinds.at(fields.Text("kind"));
    if (node.kind == NodeKind::Router)
    {
        fields.Map("interfaces", node.interfaces, ReadRouterInterface);
        fields.List("routes", node.routes, ReadRoute);
        node.globalRouting = fields.Text("routing") == "global";
    }
    if (node.kind == NodeKind::Internet)
    {
        fields.List("pools", node.pools, ReadPool);
    }
    fields("gateway", node.gateway);
    fields("address", node.address)("listen", node.listen)("names", node.names);
    if (fields.Has("ports"))
    {
        fields.Map("ports", node.ports, ReadSwitchPort);
    }
}

void
ReadLink(const Fields& fields, Link& link)
{
    std::vector<LinkEnd> ends;
    fields("endpoints", ends);
    link.a = ends[0];
    link.b = ends[1];
    fields("name", link.name)("rate", link.rate)("delay", link.delay);
    fields("reorder_delay", link.reorderDelay);
    link.halfDuplex = fields.Text("duplex") == "half";
    link.isContended = fields.Text("contention") == "queue";
    ReadQueueDisc(fields, link.queueDisc);
}

void
ReadTraffic(const Fields& fields, Traffic& traffic)
{
    traffic.app = &FindTrafficApp(fields.Text("app"));
    fields("name", traffic.name)("from", traffic.from)("to", traffic.to);
    fields("start", traffic.start)("stop", traffic.stop);
    fields("port", traffic.firstPort)("port", traffic.lastPort);
    fields("rate", traffic.rate)("packet", traffic.packetBytes)("hours", traffic.hours);
    if (fields.Has("ports"))
    {
        const auto ports = fields.Text("ports");
        traffic.firstPort = static_cast<uint16_t>(std::stoul(ports));
        traffic.lastPort = static_cast<uint16_t>(std::stoul(ports.substr(ports.find('-') + 1)));
    }
    fields("file", traffic.file)("profile", traffic.profile);
    traffic.inFlowFidelity = fields.Has("fidelity") && fields.Text("fidelity") == "flow";
    if (fields.Has("services"))
    {
        fields.List("services", traffic.services, ReadService);
    }
    traffic.isAnswered = fields.Has("answers");
    fields("may_be_silent", traffic.mayBeSilent);
}

void
ReadStepExpectation(const Fields& fields, StepExpectation& expect)
{
    if (fields.Has("exit"))
    {
        const bool isWord = fields.IsText("exit");
        expect.exitIsNonzero = isWord && fields.Text("exit") == "nonzero";
        expect.exitIsAny = isWord && fields.Text("exit") == "any";
        if (!isWord)
        {
            fields("exit", expect.exit);
        }
    }
    fields("stdout", expect.output)("stderr", expect.errors)("running", expect.running);
}

void
ReadStep(const Fields& fields, TimelineStep& step)
{
    fields("at", step.at)("for", step.length)("host", step.host)("run", step.command)("id",
                                                                                      step.id);
    fields("session", step.session)("press", step.key)("note", step.note);
    fields("may_be_idle", step.mayBeIdle);
    if (fields.Has("expect"))
    {
        ReadStepExpectation(fields.At("expect"), step.expect.emplace());
    }
    fields("signal", step.signal)("process", step.process)("link", step.link);
    if (fields.Has("set"))
    {
        fields.At("set")("rate", step.rate);
    }
    if (fields.Has("memory_pressure"))
    {
        fields.At("memory_pressure")("free", step.freePercent);
    }
    fields("node", step.node)("vm", step.vm)("nic", step.nic)("connected", step.on)("mac",
                                                                                    step.mac);
    if (fields.Has("power"))
    {
        step.on = fields.Text("power") == "on";
    }
    if (fields.Has("grow"))
    {
        fields.At("grow")("to", step.growToBytes)("per_second", step.growPerSecondBytes);
    }
    if (fields.Has("vmotion"))
    {
        fields.At("vmotion")("to", step.vmotionTo)("downtime", step.downtime);
    }
    const bool ofNode = fields.Has("node");
    step.kind = fields.Has("signal")            ? StepKind::Signal
                : fields.Has("press")           ? StepKind::Press
                : fields.Has("power")           ? StepKind::Power
                : fields.Has("connected")       ? StepKind::Connection
                : fields.Has("mac")             ? StepKind::MacChange
                : fields.Has("grow")            ? StepKind::Grow
                : fields.Has("vmotion")         ? StepKind::Vmotion
                : ofNode && fields.Has("down")  ? StepKind::NodeDown
                : ofNode && fields.Has("set")   ? StepKind::NodeSet
                : fields.Has("down")            ? StepKind::LinkDown
                : fields.Has("set")             ? StepKind::LinkSet
                : fields.Has("memory_pressure") ? StepKind::MemoryPressure
                                                : StepKind::Console;
}

void
ReadExpectation(const Fields& fields, Expectation& expectation)
{
    constexpr auto infinity = std::numeric_limits<double>::infinity();
    fields("name", expectation.name)("check", expectation.check)("metric", expectation.metric);
    fields("cause", expectation.cause)("host", expectation.host)("node", expectation.node);
    fields("over", expectation.over)("link", expectation.link)("from", expectation.from);
    fields("flow", expectation.flow)("vm", expectation.vm)("pair", expectation.pair);
    fields("during", expectation.during);
    expectation.low = -infinity;
    expectation.high = infinity;
    for (const char* bound : {"equals", "at_least", "at_most", "between"})
    {
        expectation.bound = fields.Has(bound) ? bound : expectation.bound;
    }
    fields("equals", expectation.low)("equals", expectation.high);
    fields("at_least", expectation.low)("at_most", expectation.high);
    std::vector<double> between;
    fields("between", between);
    if (!between.empty())
    {
        expectation.low = between[0];
        expectation.high = between[1];
    }
    fields("log", expectation.log)("contains", expectation.text)("absent", expectation.text);
    if (!expectation.log.empty())
    {
        expectation.low = fields.Has("contains") ? 1 : 0;
        expectation.high = fields.Has("contains") ? infinity : 0;
    }
}

} // namespace

ns3::Ptr<ns3::EsxPortPolicy>
MakePolicy(const AttributeSettings& settings,
           const std::string& part,
           const ns3::Ptr<ns3::EsxPortPolicy>& inherited)
{
    const auto isOf = [&](const char* name) {
        const auto& all = SettingsOf(settings, part);
        return std::any_of(all.begin(), all.end(), [name](const AttributeSetting& setting) {
            return setting.type == "ns3::EsxPortPolicy" && (!name || setting.name == name);
        });
    };
    if (inherited && !isOf(nullptr))
    {
        return inherited;
    }
    const auto policy = inherited ? inherited->Copy() : ns3::CreateObject<ns3::EsxPortPolicy>();
    ApplyKeys(settings, part, policy);
    if (!isOf("PeakRate") && policy->GetPeakRate() < policy->GetAverageRate())
    {
        policy->SetAttribute("PeakRate", ns3::DataRateValue(policy->GetAverageRate()));
    }
    return policy;
}

Scenario
ReadScenario(YamlDocument document)
{
    Scenario scenario;
    scenario.document = std::move(document);
    scenario.attributes = FindAttributeSettings(scenario.document);
    const Fields fields(scenario.document.GetRoot(), "");
    fields("name", scenario.name)("summary", scenario.summary);
    ReadRun(fields.At("run"), scenario.run);
    fields.Map("hosts", scenario.hosts, ReadHost);
    for (Host& host : scenario.hosts)
    {
        for (VSwitch& vSwitch : host.vSwitches)
        {
            const auto policy = MakePolicy(scenario.attributes, vSwitch.path);
            vSwitch.policy = policy;
            for (PortGroup& group : vSwitch.portGroups)
            {
                group.policy = MakePolicy(scenario.attributes, group.path, policy);
            }
        }
    }
    fields.Map("nodes", scenario.nodes, ReadNode);
    fields.List("links", scenario.links, ReadLink);
    fields.List("traffic", scenario.traffic, ReadTraffic);
    fields.List("timeline", scenario.timeline, ReadStep);
    fields.List("expect", scenario.expect, ReadExpectation);
    const auto outputs = fields.At("outputs");
    scenario.outputs.path = outputs.Path();
    outputs("pcap", scenario.outputs.pcap)("flows", scenario.outputs.flows);
    outputs.At("series")("every", scenario.outputs.seriesEvery);
    return scenario;
}

} // namespace esxnf
