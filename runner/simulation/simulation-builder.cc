// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/exporter.h"
#include "runner/capture/capture-frames.h"
#include "runner/lab/frame-graph.h"
#include "runner/scenario/distribution.h"
#include "runner/simulation/simulation-world.h"

#include "ns3/boolean.h"
#include "ns3/config.h"
#include "ns3/enum.h"
#include "ns3/esx-host-memory.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/names.h"
#include "ns3/red-queue-disc.h"
#include "ns3/rng-seed-manager.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/traffic-control-layer.h"
#include "ns3/uinteger.h"

#include <fmt/format.h>

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

/// A queue disc as the scenario describes it. \return nullptr if it describes none
Ptr<QueueDisc>
MakeQueueDisc(const QueueDiscSettings& settings)
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
    factory.Set("MaxSize", QueueSizeValue(settings.size));
    if (settings.kind == "tbf")
    {
        factory.Set("Rate", DataRateValue(settings.rate));
        factory.Set("Burst", UintegerValue(settings.burstBytes));
        factory.Set("Mtu", UintegerValue(0));
    }
    return factory.Create<QueueDisc>();
}

/// Puts the queue disc of a NIC between its node's IP stack and the device.
void
AddQueueDisc(const Ptr<EsxVirtualNetDevice>& device, const Nic& nic)
{
    if (const Ptr<QueueDisc> disc = MakeQueueDisc(nic.queueDisc))
    {
        device->GetNode()->GetObject<TrafficControlLayer>()->SetRootQueueDiscOnDevice(device, disc);
    }
}

/// \param text checked: it is right
Ptr<RandomVariableStream>
RandomVariable(const std::string& text, Quantity quantity)
{
    Distribution distribution;
    ParseDistribution(text, quantity, distribution);
    return MakeRandomVariable(distribution);
}

void
SetMac(const Ptr<EsxVirtualNetDevice>& device, const Nic& nic)
{
    if (nic.mac)
    {
        device->SetConfiguredMac(*nic.mac);
    }
}

/// What an expectation measures. Every check but 'deterministic' is a metric that must be 0.
EsxMetric
MetricOf(const Expectation& wanted)
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
    return {name, wanted.cause, wanted.host, "", wanted.node};
}

Ptr<EsxPortPolicy>
ToPolicy(const PortPolicy& policy)
{
    const auto join = [](const std::vector<std::string>& names) {
        return StringValue(fmt::format("{}", fmt::join(names, ",")));
    };
    const Ptr<EsxPortPolicy> made = CreateObject<EsxPortPolicy>();
    made->SetAttribute("Promiscuous", BooleanValue(policy.promiscuous));
    made->SetAttribute("MacChanges", BooleanValue(policy.macChanges));
    made->SetAttribute("ForgedTransmits", BooleanValue(policy.forgedTransmits));
    made->SetAttribute("Teaming", StringValue(policy.teaming));
    made->SetAttribute("ActiveUplinks", join(policy.active));
    made->SetAttribute("StandbyUplinks", join(policy.standby));
    made->SetAttribute("Failback", BooleanValue(policy.failback));
    made->SetAttribute("NotifySwitches", BooleanValue(policy.notify));
    made->SetAttribute("Shaping", BooleanValue(policy.shaping));
    made->SetAttribute("AverageRate", DataRateValue(policy.average));
    made->SetAttribute("PeakRate", DataRateValue(policy.peak));
    made->SetAttribute("BurstSize", UintegerValue(policy.burstBytes));
    return made;
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
    m_world.scheduler = SteeredScheduler::Install();
    RngSeedManager::SetSeed(m_scenario.run.seed);
    RngSeedManager::SetRun(m_scenario.run.run);
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(TCP_SEGMENT_OCTETS));
    MakeHosts();
    MakeNodes();
    MakeCables();
    BlockLoops();
    for (const Host& host : m_scenario.hosts)
    {
        MakeVSwitches(host);
        MakeVirtualMachines(host);
        MakeNetflow(host);
    }
    MakeTraffic();
    AssignStreams();
    Watch();
    AddExpectations(); // before the timeline: a window's ends come before the steps of their
                       // instants
    ScheduleTimeline();
    if (!m_world.options.directory.empty())
    {
        AddCaptures();
    }
    if (m_world.options.annotate)
    {
        AnnotateCollectors();
    }
}

void
Simulation::Builder::MakeHosts()
{
    for (const Host& host : m_scenario.hosts)
    {
        m_helper.SetHostAttribute("PortsetBase", UintegerValue(host.portsetBase));
        m_helper.SetHostAttribute("Edition",
                                  EnumValue(host.isEsx3i ? EsxHost::ESX3I : EsxHost::ESX35));
        m_helper.SetHostAttribute("UptimeAtStart", TimeValue(host.uptimeAtStart));
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
    memory->SetAttribute("Total", UintegerValue(host.memoryBytes));
    memory->SetAttribute("Kernel", UintegerValue(host.kernelBytes));
    made->AggregateObject(memory);
    for (const Vm& vm : host.vms)
    {
        memory->AddVirtualMachine(vm.name, vm.memoryBytes, vm.reservationBytes, vm.touchedBytes);
    }
}

void
Simulation::Builder::MakeNodes()
{
    for (const Node& node : m_scenario.nodes)
    {
        const Ptr<ns3::Node> made = CreateObject<ns3::Node>();
        Names::Add(node.name, made);
        m_world.nodes[node.name] = made;
        if (node.kind == NodeKind::Collector)
        {
            InternetStackHelper stack;
            stack.SetIpv6StackInstall(false);
            stack.Install(made);
            EsxNetflowHelper netflow;
            netflow.SetCollectorAttribute("IgnoreEngine", BooleanValue(node.ignoreEngine));
            netflow.SetCollectorAttribute("SocketBuffer", UintegerValue(node.receiveBufferBytes));
            netflow.SetCollectorAttribute("ServiceTime", TimeValue(node.serviceTime));
            netflow.InstallCollector(made, node.listen);
        }
    }
}

void
Simulation::Builder::MakeCables()
{
    for (const Link& link : m_scenario.links)
    {
        const auto& cable = m_world.cables[link.name] =
            std::make_unique<Cable>(link, NodeOf(link.a), NodeOf(link.b));
        for (const unsigned end : {0U, 1U}) // where a datagram died is told by the link's name
        {
            const Ptr<NetDevice> device = cable->GetDevice(end);
            Names::Add(device->GetNode(), link.name, device);
        }
    }
    for (const Node& node : m_scenario.nodes)
    {
        Connect(node.name);
    }
}

/// Makes a switch of a node's devices; gives a collector its address.
void
Simulation::Builder::Connect(const std::string& nodeName)
{
    const Ptr<ns3::Node> made = m_world.nodes.at(nodeName);
    const Node& node = *std::find_if(m_scenario.nodes.begin(),
                                     m_scenario.nodes.end(),
                                     [&](const Node& n) { return n.name == nodeName; });
    const NetDeviceContainer devices = PhysicalDevices(made);
    if (node.kind == NodeKind::Switch && devices.GetN() > 0)
    {
        MakeSwitch(node);
    }
    if (node.kind == NodeKind::Collector && devices.GetN() > 0)
    {
        const Ptr<Ipv4> ipv4 = made->GetObject<Ipv4>();
        const uint32_t interface = ipv4->AddInterface(devices.Get(0));
        ipv4->AddAddress(interface, ToInterfaceAddress(*node.address));
        ipv4->SetUp(interface);
    }
}

void
Simulation::Builder::MakeSwitch(const Node& node)
{
    const Ptr<EsxPhysicalSwitch> made = CreateObject<EsxPhysicalSwitch>();
    m_world.nodes.at(node.name)->AggregateObject(made);
    for (const Link& link : m_scenario.links)
    {
        Cable& cable = *m_world.cables.at(link.name);
        for (const auto& [end, index] : {std::pair(link.a, 0U), std::pair(link.b, 1U)})
        {
            if (end.node == node.name)
            {
                const auto number = static_cast<uint16_t>(std::stoul(end.interface));
                made->AddPort(number, cable.GetDevice(index));
                cable.AddWatcher([made, number](bool down) { made->SetDown(number, down); });
            }
        }
    }
    const std::vector<uint16_t> used = made->GetPorts();
    for (const SwitchPort& port : node.ports)
    {
        const auto number = static_cast<uint16_t>(std::stoul(port.name));
        if (std::find(used.begin(), used.end(), number) != used.end())
        {
            port.trunk ? made->SetTrunk(number, port.allowed, port.native)
                       : made->SetAccess(number, port.vlan);
        }
    }
}

/// What closes a loop is blocked at both of its ends, so that nothing passes there.
void
Simulation::Builder::BlockLoops()
{
    const FrameGraph graph(m_scenario);
    for (std::size_t i = 0; i < m_scenario.links.size(); ++i)
    {
        const Link& link = m_scenario.links[i];
        for (const LinkEnd& end : {link.a, link.b})
        {
            if (graph.IsBlocked(static_cast<int>(i)))
            {
                m_world.nodes.at(end.node)->GetObject<EsxPhysicalSwitch>()->SetBlocked(
                    static_cast<uint16_t>(std::stoul(end.interface)),
                    true);
            }
        }
    }
}

void
Simulation::Builder::MakeVSwitches(const Host& host)
{
    const Ptr<EsxHost> made = m_world.hostsByName.at(host.name);
    for (const VSwitch& vSwitch : host.vSwitches)
    {
        m_helper.SetVSwitchAttribute("Ports", UintegerValue(vSwitch.ports));
        m_helper.SetVSwitchAttribute("Mtu", UintegerValue(vSwitch.mtu));
        const Ptr<EsxVSwitch> madeSwitch = m_helper.AddVSwitch(made, vSwitch.name);
        for (const PortGroup& portGroup : vSwitch.portGroups)
        {
            madeSwitch->AddPortGroup(portGroup.name, portGroup.vlan);
            if (portGroup.policy)
            {
                madeSwitch->SetPortGroupPolicy(portGroup.name, ToPolicy(*portGroup.policy));
            }
        }
        madeSwitch->SetPolicy(ToPolicy(vSwitch.policy));
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
                    cable.SetUplink(end, added);
                    if (const Ptr<QueueDisc> disc = MakeQueueDisc(link.queueDisc))
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
        SetMac(device, vmknic);
        AddQueueDisc(device, vmknic);
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
            SetMac(vnic, nic);
            AddQueueDisc(vnic, nic);
            vnic->SetMtu(vm.mtu);
            vnic->SetAttribute("Type", StringValue(nic.type));
            vnic->SetPromiscuous(nic.promiscuous);
            if (nic.guestRate.GetBitRate() != 0 && !nic.queueDisc.kind.empty())
            {
                vnic->SetGuestRate(nic.guestRate); // the helper would give it ns-3's default disc
            }
            else if (nic.guestRate.GetBitRate() != 0)
            {
                m_helper.SetGuestRate(vnic, nic.guestRate);
            }
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
    const NetflowSettings& settings = host.netflow;
    EsxNetflowHelper netflow;
    netflow.SetModuleAttribute("HeapMax", UintegerValue(settings.heapBytes));
    netflow.SetModuleAttribute("PurgatoryMax", UintegerValue(settings.purgatoryMax));
    netflow.SetModuleAttribute("PurgatoryPolicy", StringValue(settings.purgatoryPolicy));
    netflow.SetModuleAttribute("CachePolicy", StringValue(settings.cachePolicy));
    netflow.SetModuleAttribute("MaxEntries", UintegerValue(settings.maxEntries));
    netflow.SetModuleAttribute("ActiveTimeout", TimeValue(settings.activeTimeout));
    netflow.SetModuleAttribute("IdleTimeout", TimeValue(settings.idleTimeout));
    netflow.SetModuleAttribute("ScanInterval", TimeValue(settings.scanInterval));
    netflow.SetModuleAttribute("MeterOwnExport", BooleanValue(settings.meterOwnExport));
    netflow.SetModuleAttribute("ExpireOnTcpEnd", BooleanValue(settings.expireOnTcpEnd));
    netflow.SetModuleAttribute("HaltOnDelete", BooleanValue(settings.haltOnDelete));
    netflow.SetModuleAttribute("MeteringDelay", TimeValue(settings.meteringDelay));
    const Ptr<EsxHost> made = m_world.hostsByName.at(host.name);
    netflow.Install(made);

    const Ptr<EsxConsole> console = CreateObject<EsxConsole>();
    console->SetHost(made);
    console->SetAttribute("Strict", BooleanValue(m_scenario.run.strict));
    console->SetNetNetflowAttribute("SequenceMode", StringValue(settings.sequenceMode));
    console->SetNetNetflowAttribute("ZeroUnixNsecs", BooleanValue(settings.zeroUnixNsecs));
    for (const Node& node : m_scenario.nodes)
    {
        for (const std::string& name : node.names)
        {
            console->AddName(name, node.address->address);
        }
    }
    made->AggregateObject(console);
}

void
Simulation::Builder::MakeTraffic()
{
    for (const Traffic& traffic : m_scenario.traffic)
    {
        for (const std::string& from : traffic.from)
        {
            MakeTraffic(traffic, from);
        }
    }
}

void
Simulation::Builder::MakeTraffic(const Traffic& traffic, const std::string& fromName)
{
    const EsxTrafficHelper helper;
    const Ptr<ns3::Node> from = m_world.nodes.at(fromName);
    std::vector<EsxTrafficTarget> targets;
    for (const std::string& to : traffic.to)
    {
        targets.emplace_back(m_world.nodes.at(to));
    }
    const EsxTrafficOptions times{traffic.start, traffic.stop};
    if (traffic.IsInjected())
    {
        MakeInjection(traffic, from, targets);
        return;
    }
    if (traffic.app == TrafficApp::TcpSynScan)
    {
        EsxTcpSynScanOptions options{times, traffic.firstPort, traffic.lastPort, traffic.every};
        m_traffic.Add(helper.TcpSynScan(from, targets, options));
        return;
    }
    for (const EsxTrafficTarget& to : targets)
    {
        switch (traffic.app)
        {
        case TrafficApp::UdpCbr:
            m_traffic.Add(helper.UdpCbr(
                from,
                to,
                {times, traffic.port, traffic.rate, traffic.packetBytes, traffic.dscp}));
            break;
        case TrafficApp::UdpOnOff:
            m_traffic.Add(helper.UdpOnOff(
                from,
                to,
                {{times, traffic.port, traffic.rate, traffic.packetBytes, traffic.dscp},
                 RandomVariable(traffic.burst, Quantity::Seconds),
                 RandomVariable(traffic.pause, Quantity::Seconds)}));
            break;
        case TrafficApp::TcpBulk:
            m_traffic.Add(helper.TcpBulk(from, to, {times, traffic.port, traffic.sizeBytes}));
            break;
        default:
            m_traffic.Add(
                helper.TcpRequest(from,
                                  to,
                                  {times,
                                   traffic.port,
                                   traffic.requestBytes,
                                   traffic.responseBytes,
                                   fmt::format(traffic.everyIsExponential
                                                   ? "ns3::ExponentialRandomVariable[Mean={}]"
                                                   : "ns3::ConstantRandomVariable[Constant={}]",
                                               traffic.every.GetSeconds())}));
        }
    }
}

void
Simulation::Builder::MakeInjection(const Traffic& traffic,
                                   const Ptr<ns3::Node>& from,
                                   const std::vector<EsxTrafficTarget>& to)
{
    const EsxTrafficHelper helper;
    const EsxTrafficOptions times{traffic.start, traffic.stop};
    if (traffic.app == TrafficApp::Pcap)
    {
        const auto frames = CreateObject<CaptureFrames>(m_scenario.PathOf(traffic.file));
        m_traffic.Add(helper.Inject(from, to, frames, times));
        return;
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
    options.tcp = traffic.protocol == "tcp";
    options.port = traffic.port;
    options.dscp = traffic.dscp;
    if (traffic.sources)
    {
        options.sourceNetwork = traffic.sources->address;
        options.sourceMask = traffic.sources->mask;
    }
    m_traffic.Add(helper.SyntheticFlows(from, to, options));
}

void
Simulation::Builder::ScheduleTimeline()
{
    for (const TimelineStep& step : m_scenario.timeline)
    {
        if (!step.session.empty()) // in the order in which they are named
        {
            m_world.windows.GetNamed(m_world.hostsByName.at(step.host)->GetObject<EsxConsole>(),
                                     step.session);
        }
    }
    for (const TimelineStep& step : m_scenario.timeline)
    {
        const auto vmkernel = [&] {
            return m_world.hostsByName.at(step.host)->GetVmkernelNode()->GetId();
        };
        switch (step.kind)
        {
        case StepKind::Console:
            Simulator::ScheduleWithContext(vmkernel(), step.at, [this_ = &m_world, &step] {
                this_->Execute(step);
            });
            break;
        case StepKind::Press:
            Simulator::ScheduleWithContext(vmkernel(), step.at, [this_ = &m_world, &step] {
                this_->Press(step);
            });
            break;
        case StepKind::Signal:
            Simulator::Schedule(step.at, [this_ = &m_world, &step] { this_->Signal(step); });
            break;
        case StepKind::Power:
        case StepKind::Connection:
        case StepKind::MacChange:
            ScheduleVmStep(step);
            break;
        default:
            ScheduleEpisode(step);
        }
    }
}

/// What begins an episode, and what ends it.
std::pair<std::function<void()>, std::function<void()>>
Simulation::Builder::EpisodeOf(const TimelineStep& step)
{
    const TimelineStep* s = &step;
    switch (step.kind)
    {
    case StepKind::MemoryPressure:
        return PressureOf(step);
    case StepKind::Grow:
        return {[this_ = &m_world, s] { this_->Grow(*s); }, nullptr};
    case StepKind::NodeDown: {
        const auto collector = CollectorOf(step.node);
        return {[collector] { collector->SetDown(true); },
                [collector] { collector->SetDown(false); }};
    }
    case StepKind::NodeSet: {
        const auto collector = CollectorOf(step.node);
        TimeValue before;
        collector->GetAttribute("ServiceTime", before);
        return {[collector, s] {
                    collector->SetAttribute("ServiceTime", TimeValue(*s->set.serviceTime));
                },
                [collector, before] { collector->SetAttribute("ServiceTime", before); }};
    }
    case StepKind::LinkDown: {
        Cable* cable = m_world.cables.at(step.link).get();
        return {[cable] { cable->SetDown(true); }, [cable] { cable->SetDown(false); }};
    }
    default:
        Cable* cable = m_world.cables.at(step.link).get();
        return {[cable, s] { cable->Apply(s->set); }, [cable, s] { cable->Restore(s->set); }};
    }
}

std::pair<std::function<void()>, std::function<void()>>
Simulation::Builder::PressureOf(const TimelineStep& step)
{
    const TimelineStep* s = &step;
    const Ptr<EsxHost> host = m_world.hostsByName.at(step.host);
    const auto module = host->GetObject<EsxNetflow>();
    const auto memory = host->GetObject<EsxHostMemory>();
    return {[module, memory, s] {
                if (s->netflowHeapBytes)
                {
                    module->SetHeapMax(*s->netflowHeapBytes);
                }
                if (s->freePercent)
                {
                    memory->Hold(*s->freePercent);
                }
            },
            [module, memory, s, before = module->GetHeapMax()] {
                if (s->netflowHeapBytes)
                {
                    module->SetHeapMax(before);
                }
                if (s->freePercent)
                {
                    memory->Release();
                }
            }};
}

Ptr<EsxNetflowCollector>
Simulation::Builder::CollectorOf(const std::string& node) const
{
    const Ptr<ns3::Node> made = m_world.nodes.at(node);
    for (uint32_t i = 0; i < made->GetNApplications(); ++i)
    {
        if (const auto collector = DynamicCast<EsxNetflowCollector>(made->GetApplication(i)))
        {
            return collector;
        }
    }
    return nullptr; // not reached: the check sees to it that the node is a collector
}

void
Simulation::Builder::ScheduleVmStep(const TimelineStep& step)
{
    const auto owner =
        std::find_if(m_world.hosts.begin(), m_world.hosts.end(), [&step](const auto& host) {
            return host->GetGuest(step.vm) != nullptr;
        });
    const Ptr<EsxHost> host = *owner;
    const uint32_t nic = step.nic.empty() ? 0 : std::stoul(step.nic.substr(3)); // ethN
    World* world = &m_world;
    Simulator::ScheduleWithContext(
        m_world.nodes.at(step.vm)->GetId(),
        step.at,
        [world, host, nic, &step] {
            StepOutcome outcome{&step, {}};
            if (step.kind == StepKind::MacChange)
            {
                host->GetGuest(step.vm)->vnics[nic]->SetAddress(step.mac);
            }
            else if (step.kind == StepKind::Connection)
            {
                outcome.line.errors = host->SetConnected(step.vm, nic, step.on);
            }
            else if (step.on)
            {
                outcome.line.errors = host->PowerOn(step.vm);
            }
            else
            {
                host->PowerOff(step.vm);
            }
            outcome.line.exit = outcome.line.errors.empty() ? 0 : 1;
            outcome.line.errors += outcome.line.errors.empty() ? "" : "\n";
            world->steps.push_back(outcome);
        });
}

void
Simulation::Builder::ScheduleEpisode(const TimelineStep& step)
{
    const auto [begin, end] = EpisodeOf(step);
    Simulator::Schedule(step.at, begin);
    if (step.length)
    {
        Simulator::Schedule(step.at + *step.length, end);
    }
}

void
Simulation::Builder::Watch()
{
    World* world = &m_world;
    const Ptr<EsxLedger> ledger = world->books.InstallAll();
    for (const Ptr<EsxNetflowCollector>& collector : ledger->GetCollectors())
    {
        const std::string name = EsxNodeName(collector->GetNode());
        collector->TraceConnectWithoutContext(
            "Rx",
            Callback<void, Ptr<const Packet>, const Address&, const std::string&>(
                [world, name](Ptr<const Packet> packet, const Address&, const std::string& error) {
                    world->Collect(name, packet, error);
                }));
    }
    if (world->options.exported)
    {
        ledger->GetTracker()->TraceConnectWithoutContext(
            "Exported",
            Callback<void, const EsxExportDatagram&, Ptr<const Packet>>(
                [world](const EsxExportDatagram& datagram, Ptr<const Packet> packet) {
                    world->Export(datagram, packet);
                }));
    }
    if (m_scenario.outputs.seriesEvery.IsStrictlyPositive())
    {
        Simulator::ScheduleNow(&World::TakeSample, world);
    }
}

void
Simulation::Builder::AddExpectations()
{
    const Ptr<EsxExpectations> expectations = m_world.books.GetExpectations();
    for (const Expectation& wanted : m_scenario.expect)
    {
        if (wanted.check == CHECK_DETERMINISTIC)
        {
            continue; // takes a second run
        }
        EsxExpectation expectation;
        expectation.name = wanted.name;
        expectation.metric = MetricOf(wanted);
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
/// numbers, also in one process.
void
Simulation::Builder::AssignStreams()
{
    int64_t stream = 0;
    for (const Link& link : m_scenario.links)
    {
        stream += m_world.cables.at(link.name)->AssignStreams(stream);
    }
    stream += InternetStackHelper().AssignStreams(NodeContainer::GetGlobal(), stream);
    stream += EsxTrafficHelper().AssignStreams(m_traffic, stream);
    for (const Ptr<EsxHost>& host : m_world.hosts)
    {
        for (const Ptr<EsxUplink>& uplink : host->GetUplinks())
        {
            if (const auto red = DynamicCast<RedQueueDisc>(uplink->GetQueueDisc()))
            {
                stream += red->AssignStreams(stream);
            }
        }
    }
}

Ptr<ns3::Node>
Simulation::Builder::NodeOf(const LinkEnd& end) const
{
    const auto host = m_world.hostsByName.find(end.node);
    return host != m_world.hostsByName.end() ? host->second->GetVmkernelNode()
                                             : m_world.nodes.at(end.node);
}

} // namespace esxnf
