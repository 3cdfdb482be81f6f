// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/exporter.h"
#include "runner/scenario/scenario-reader.h"
#include "runner/simulation/attribute-scope.h"
#include "runner/simulation/simulation-timeline.h"
#include "runner/simulation/simulation-traffic.h"
#include "runner/simulation/simulation-world.h"

#include "ns3/boolean.h"
#include "ns3/config.h"
#include "ns3/enum.h"
#include "ns3/esx-export-tag.h"
#include "ns3/esx-host-memory.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/names.h"
#include "ns3/red-queue-disc.h"
#include "ns3/rng-seed-manager.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/traffic-control-layer.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

using namespace ns3;

namespace
{

/// A full Ethernet frame's TCP payload beside 40 octets of headers and 12 of timestamps; ns-3's
/// default is 536.
constexpr uint32_t TCP_SEGMENT_OCTETS = 1448;

Ipv4InterfaceAddress
ToInterfaceAddress(const InterfaceAddress& address)
{
    return {address.address, address.mask};
}

} // namespace

Ptr<QueueDisc>
MakeQueueDisc(const Scenario& scenario, const std::string& part, const QueueDiscSettings& settings)
{
    static const std::map<std::string, std::string> types{{"fifo", "ns3::FifoQueueDisc"},
                                                          {"pfifo_fast", "ns3::PfifoFastQueueDisc"},
                                                          {"red", "ns3::RedQueueDisc"},
                                                          {"codel", "ns3::CoDelQueueDisc"},
                                                          {"fq_codel", "ns3::FqCoDelQueueDisc"},
                                                          {"tbf", "ns3::TbfQueueDisc"}};
    if (settings.kind.empty())
    {
        return nullptr;
    }
    ObjectFactory factory(types.at(settings.kind));
    if (settings.kind == "tbf")
    {
        factory.Set("Mtu", UintegerValue(0));
    }
    const auto disc = factory.Create<QueueDisc>();
    ApplyKeys(scenario.attributes, part, disc);
    return disc;
}

void
AddQueueDisc(const Scenario& scenario,
             const std::string& part,
             const QueueDiscSettings& settings,
             const Ptr<NetDevice>& device)
{
    if (const Ptr<QueueDisc> disc = MakeQueueDisc(scenario, part, settings))
    {
        device->GetNode()->GetObject<TrafficControlLayer>()->SetRootQueueDiscOnDevice(device, disc);
    }
}

namespace
{

/// The addresses of a VM or node.
std::vector<Ipv4Address>
AddressesOf(const Scenario& scenario, const std::string& name)
{
    std::vector<Ipv4Address> addresses;
    for (const Host& host : scenario.hosts)
    {
        for (const Vm& vm : host.vms)
        {
            for (const Nic& nic : vm.name == name ? vm.nics : decltype(vm.nics){})
            {
                addresses.push_back(nic.address.address);
            }
        }
    }
    for (const esxnf::Node& node : scenario.nodes)
    {
        if (node.name == name && node.address)
        {
            addresses.push_back(node.address->address);
        }
    }
    return addresses;
}

/// \param end ADDRESS[:PORT], * for any
void
SelectEnd(std::string_view end, std::vector<Ipv4Address>& addresses, uint16_t& port)
{
    const auto colon = end.find(':');
    const std::string address(end.substr(0, colon));
    const std::string number(colon == end.npos ? "*" : end.substr(colon + 1));
    port = number == "*" ? 0 : static_cast<uint16_t>(std::stoul(number));
    if (address != "*")
    {
        addresses.emplace_back(address.c_str());
    }
}

EsxFlowSelection
FlowsOf(const Scenario& scenario, const Expectation& wanted)
{
    EsxFlowSelection flows;
    if (const auto arrow = wanted.flow.find("->"); arrow != std::string::npos)
    {
        SelectEnd(std::string_view(wanted.flow).substr(0, arrow), flows.from, flows.fromPort);
        SelectEnd(std::string_view(wanted.flow).substr(arrow + 2), flows.to, flows.toPort);
        return flows;
    }
    flows.bothWays = true;
    flows.from = AddressesOf(scenario, wanted.pair.empty() ? wanted.vm : wanted.pair[0]);
    flows.to = wanted.pair.empty() ? flows.to : AddressesOf(scenario, wanted.pair[1]);
    return flows;
}

/// The metric of an expectation. A check that is not judged after the run is a metric that must be
/// 0.
EsxMetric
MetricOf(const Scenario& scenario, const Expectation& wanted)
{
    static const std::map<std::string, std::string> CHECKS = {
        {"conservation", "netflow.residual"},
        {"unique_interfaces", "netflow.interfaces.ambiguous"},
        {"no_collector_complaints", "collector.complaints"}};
    if (!wanted.log.empty())
    {
        return {"vmkernel.log.lines", "", wanted.log, "", "", wanted.text};
    }
    const std::string name = wanted.check.empty() ? wanted.metric : CHECKS.at(wanted.check);
    EsxMetric metric{name, wanted.cause, wanted.host, "", wanted.node};
    metric.link = wanted.link;
    metric.from = wanted.from;
    metric.flows = FlowsOf(scenario, wanted);
    return metric;
}

} // namespace

Simulation::Builder::Builder(World& world)
    : m_world(world),
      m_scenario(world.scenario)
{
}

void
Simulation::Builder::Build()
{
    m_world.scheduler = EsxSteeredScheduler::Install();
    RngSeedManager::SetSeed(m_scenario.run.seed);
    RngSeedManager::SetRun(m_scenario.run.run);
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(TCP_SEGMENT_OCTETS));
    m_world.attributes = std::make_unique<AttributeScope>(m_scenario, m_scenario.run.path);
    MakeHosts();
    MakeNodes();
    MakeCables();
    BlockLoops();
    for (const Host& host : m_scenario.hosts)
    {
        const AttributeScope scope(m_scenario, host.path);
        MakeVSwitches(host);
        MakeVirtualMachines(host);
        MakeNetflow(host);
        CheckAttributesArrived(m_scenario, host.path, ObjectsOf(host));
    }
    if (!m_world.options.apart.empty() || m_world.options.books)
    {
        m_world.split = std::make_unique<SplitRun>(m_scenario, m_world.options.apart);
    }
    m_traffic = MakeTraffic(m_scenario, m_world.nodes, m_world.traffic, m_world.split.get());
    if (m_scenario.run.staticArp)
    {
        FillArpCaches();
    }
    const int64_t stream = AssignStreams();
    Watch();
    AddExpectations(); // before the timeline: a window's ends come before the steps of their
                       // instants
    Timeline(m_world).Schedule(stream);
    if (!m_world.options.directory.empty())
    {
        AddCaptures();
    }
    if (m_world.options.annotate)
    {
        AnnotateCollectors();
    }
}

/// A host's own, which the attributes set by name are for.
std::vector<Ptr<Object>>
Simulation::Builder::ObjectsOf(const Host& host) const
{
    const Ptr<EsxHost> made = m_world.hostsByName.at(host.name);
    std::vector<Ptr<Object>> objects{made, made->GetVmkernelNode()};
    for (const Vm& vm : host.vms)
    {
        objects.push_back(m_world.nodes.at(vm.name));
    }
    return objects;
}

void
Simulation::Builder::MakeHosts()
{
    for (const Host& host : m_scenario.hosts)
    {
        const AttributeScope scope(m_scenario, host.path);
        m_helper.SetHostAttribute(
            "Epoch",
            UintegerValue(static_cast<uint64_t>(m_scenario.run.wallclockStart) * 1'000'000'000));
        const Ptr<EsxHost> made = m_helper.CreateHost(host.name);
        Names::Add(host.name, made->GetVmkernelNode());
        if (host.memoryBytes > 0)
        {
            MakeMemory(host, made);
        }
        m_world.hosts.push_back(made);
        m_world.hostsByName[host.name] = made;
    }
}

void
Simulation::Builder::MakeMemory(const Host& host, const Ptr<EsxHost>& made)
{
    const auto memory = CreateObject<EsxHostMemory>();
    made->AggregateObject(memory);
    for (const Vm& vm : host.vms)
    {
        memory->AddVirtualMachine(vm.name, vm.memoryBytes, vm.reservationBytes, vm.touchedBytes);
    }
}

void
Simulation::Builder::MakeVSwitches(const Host& host)
{
    const Ptr<EsxHost> made = m_world.hostsByName.at(host.name);
    for (const VSwitch& vSwitch : host.vSwitches)
    {
        const AttributeScope scope(m_scenario, vSwitch.path);
        // A scenario's uplink may have no link yet; the validator knows the names.
        m_helper.SetVSwitchAttribute("AllowUnknownUplinks", BooleanValue(true));
        const Ptr<EsxVSwitch> madeSwitch = m_helper.AddVSwitch(made, vSwitch.name);
        const auto policy = MakePolicy(m_scenario.attributes, vSwitch.path);
        for (const PortGroup& portGroup : vSwitch.portGroups)
        {
            madeSwitch->AddPortGroup(portGroup.name, portGroup.vlan);
            const auto own = MakePolicy(m_scenario.attributes, portGroup.path, policy);
            own != policy ? madeSwitch->SetPortGroupPolicy(portGroup.name, own) : void();
        }
        madeSwitch->SetPolicy(policy);
        for (const std::string& uplink : vSwitch.uplinks)
        {
            for (const Link& link : m_scenario.links)
            {
                const bool atA = link.a.node == host.name && link.a.interface == uplink;
                const bool atB = link.b.node == host.name && link.b.interface == uplink;
                if (atA || atB)
                {
                    const unsigned end = atA ? 0 : 1;
                    Cable& cable = *m_world.cables.at(link.name);
                    cable.GetDevice(end)->SetMtu(vSwitch.mtu);
                    const auto added = made->AddUplink(madeSwitch, cable.GetDevice(end), uplink);
                    if (const Ptr<QueueDisc> disc =
                            MakeQueueDisc(m_scenario, link.path, link.queueDisc))
                    {
                        added->SetQueueDisc(disc);
                    }
                }
            }
        }
    }
    m_helper.SetVmkernelArpQueue(host.arpQueue);
    for (const Vmknic& vmknic : host.vmknics)
    {
        const Ptr<EsxVmknic> device =
            m_helper.AddVmknic(made,
                               vmknic.name,
                               vmknic.portGroup,
                               ToInterfaceAddress(vmknic.address),
                               vmknic.gateway.value_or(Ipv4Address::GetZero()));
        ApplyKeys(m_scenario.attributes, vmknic.path, device);
        AddQueueDisc(m_scenario, vmknic.path, vmknic.queueDisc, device);
    }
}

void
Simulation::Builder::MakeVirtualMachines(const Host& host)
{
    const Ptr<EsxHost> made = m_world.hostsByName.at(host.name);
    for (const Vm& vm : host.vms)
    {
        m_world.nodes[vm.name] = m_helper.AddVm(made, vm.name);
        for (const Nic& nic : vm.nics)
        {
            const Ptr<EsxVnic> vnic =
                m_helper.AddVnic(made,
                                 vm.name,
                                 nic.portGroup,
                                 ToInterfaceAddress(nic.address),
                                 nic.gateway.value_or(Ipv4Address::GetZero()));
            AddQueueDisc(m_scenario, nic.path, nic.queueDisc, vnic);
            ApplyKeys(m_scenario.attributes, vm.path, vnic);
            if (nic.guestRate.GetBitRate() != 0 && nic.queueDisc.kind.empty())
            {
                m_helper.SetGuestRate(vnic, nic.guestRate); // gives it ns-3's default queue disc
            }
            ApplyKeys(m_scenario.attributes, nic.path, vnic);
            if (!nic.connected)
            {
                made->SetConnected(vm.name, made->GetGuest(vm.name)->vnics.size() - 1, false);
            }
        }
    }
}

void
Simulation::Builder::MakeNetflow(const Host& host)
{
    const Ptr<EsxHost> made = m_world.hostsByName.at(host.name);
    EsxNetflowHelper().Install(made);

    const Ptr<EsxConsole> console = CreateObject<EsxConsole>();
    console->SetHost(made);
    for (const AttributeSetting& setting : SettingsOf(m_scenario.attributes, host.path))
    {
        if (!setting.byName && setting.type == "ns3::EsxNetNetflow") // made during the run
        {
            console->SetNetNetflowAttribute(setting.name, StringValue(setting.value));
        }
    }
    for (const Node& node : m_scenario.nodes)
    {
        for (const std::string& name : node.names)
        {
            console->AddName(name, node.address->address);
        }
    }
    made->AggregateObject(console);
}

/// Metrics of ports and logs that expectations ask for, each once.
std::vector<EsxMetric>
Simulation::Builder::HostMetrics() const
{
    std::map<std::string, EsxMetric> metrics;
    for (const Expectation& wanted : m_scenario.expect)
    {
        if (wanted.check.empty())
        {
            const EsxMetric metric = MetricOf(m_scenario, wanted);
            metrics.emplace(EsxHostMetricKey(metric), metric);
            EsxMetric over = metric;
            over.name = wanted.over;
            over.cause.clear();
            metrics.emplace(EsxHostMetricKey(over), over);
        }
    }
    std::vector<EsxMetric> ofHosts;
    for (const auto& [key, metric] : metrics)
    {
        if (EsxReadHostMetric(m_world.hosts.front(), metric))
        {
            ofHosts.push_back(metric);
        }
    }
    return ofHosts;
}

void
Simulation::Builder::Split()
{
    World* world = &m_world;
    world->split->Attach(world->hosts, world->options.books, HostMetrics(), [world] {
        world->scheduler->PauseAt(MilliSeconds(Simulator::Now().GetMilliSeconds() + 1));
    });
    for (const Link& link : m_scenario.links)
    {
        for (const auto& [end, index] : {std::pair(link.a, 0U), std::pair(link.b, 1U)})
        {
            const auto host = world->hostsByName.find(end.node);
            if (host != world->hostsByName.end())
            {
                world->split->Watch(host->second, world->cables.at(link.name)->GetDevice(index));
            }
        }
    }
    world->split->SnapshotEvery(m_scenario.outputs.seriesEvery);
}

void
Simulation::Builder::Watch()
{
    World* world = &m_world;
    const Ptr<EsxLedger> ledger = world->books.InstallAll();
    world->split ? Split() : void();
    const bool isApart = world->split && world->split->IsApart();
    world->results.Install(ledger, isApart ? Time(0) : m_scenario.outputs.seriesEvery);
    for (const Link& link : m_scenario.links)
    {
        const Cable& cable = *world->cables.at(link.name);
        world->results.AddLink(link.name,
                               {cable.GetDevice(0), cable.GetDevice(1)},
                               link.a.ToString(),
                               link.b.ToString());
    }
    for (const Ptr<EsxNetflowCollector>& collector : ledger->GetCollectors())
    {
        const std::string name = EsxNodeName(collector->GetNode());
        const auto node = std::find_if(m_scenario.nodes.begin(),
                                       m_scenario.nodes.end(),
                                       [&](const Node& other) { return other.name == name; });
        const Ipv4Address address = node->address->address;
        const auto forward = [=](Ptr<const Packet> packet, const Address&, const std::string&) {
            EsxExportTag tag;
            if (packet->PeekPacketTag(tag))
            {
                world->Export(tag.GetExporter(), address, packet, 0);
            }
        };
        if (world->options.exported && world->options.exportedAfterNetwork)
        {
            collector->TraceConnectWithoutContext(
                "Rx",
                Callback<void, Ptr<const Packet>, const Address&, const std::string&>(forward));
        }
    }
    if (world->options.exported && !world->options.exportedAfterNetwork)
    {
        ledger->GetTracker()->TraceConnectWithoutContext(
            "Exported",
            Callback<void, const EsxExportDatagram&, Ptr<const Packet>>(
                [world](const EsxExportDatagram& datagram, Ptr<const Packet> packet) {
                    constexpr uint32_t HEADERS = 20 + 8; // IPv4 without options, UDP
                    world->Export(datagram.exporter, datagram.collector, packet, HEADERS);
                }));
    }
}

void
Simulation::Builder::AddExpectations()
{
    const Ptr<EsxExpectations> expectations = m_world.books.GetExpectations();
    for (const Expectation& wanted : m_scenario.expect)
    {
        if (wanted.check == CHECK_DETERMINISTIC || wanted.check == CHECK_METERED)
        {
            continue; // judged after the run
        }
        if (m_world.split && wanted.during)
        {
            for (const Time& at : {wanted.during->begin, wanted.during->end})
            {
                at.IsStrictlyPositive() ? m_world.split->SnapshotAt(at) : void();
            }
        }
        if (m_world.split && m_world.split->IsApart())
        {
            continue; // judged in the simulation of the whole lab
        }
        EsxExpectation expectation;
        expectation.name = wanted.name;
        expectation.metric = MetricOf(m_scenario, wanted);
        if (!wanted.over.empty())
        {
            expectation.over = expectation.metric;
            expectation.over.name = wanted.over;
            expectation.over.cause.clear();
        }
        expectation.atLeast = wanted.check.empty() ? wanted.low : 0;
        expectation.atMost = wanted.check.empty() ? wanted.high : 0;
        if (wanted.during)
        {
            expectation.from = wanted.during->begin;
            expectation.to = wanted.during->end;
        }
        expectations->Add(expectation);
    }
}

/// Every source of random numbers gets its stream, in a fixed order: equal scenarios draw equal
/// numbers, also in one process. Traffic comes first, so that another link or node leaves it as it
/// is, and labs can be compared under one seed.
int64_t
Simulation::Builder::AssignStreams()
{
    int64_t stream = EsxTrafficHelper().AssignStreams(m_traffic, 0);
    for (const Link& link : m_scenario.links)
    {
        stream += m_world.cables.at(link.name)->AssignStreams(stream);
    }
    stream += InternetStackHelper().AssignStreams(NodeContainer::GetGlobal(), stream);
    const auto assign = [&stream](const Ptr<QueueDisc>& disc) {
        if (const auto red = DynamicCast<RedQueueDisc>(disc))
        {
            stream += red->AssignStreams(stream);
        }
    };
    for (const Ptr<EsxHost>& host : m_world.hosts)
    {
        for (const Ptr<EsxUplink>& uplink : host->GetUplinks())
        {
            assign(uplink->GetQueueDisc());
        }
    }
    for (const Link& link : m_scenario.links)
    {
        for (const unsigned end : {0U, 1U})
        {
            const auto device = m_world.cables.at(link.name)->GetDevice(end);
            const auto control = device->GetNode()->GetObject<TrafficControlLayer>();
            assign(control ? control->GetRootQueueDiscOnDevice(device) : nullptr);
        }
    }
    for (const Node& node : m_scenario.nodes)
    {
        const auto collector = m_world.collectors.find(node.name);
        stream +=
            collector != m_world.collectors.end() ? collector->second->AssignStreams(stream) : 0;
    }
    return stream;
}

} // namespace esxnf
