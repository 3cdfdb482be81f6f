// SPDX-License-Identifier: GPL-2.0-only
#include "esx-results-helper.h"

#include "esx-host-helper.h"

#include "ns3/abort.h"
#include "ns3/boolean.h"
#include "ns3/channel.h"
#include "ns3/data-rate.h"
#include "ns3/esx-console.h"
#include "ns3/esx-ethernet-net-device.h"
#include "ns3/esx-export-tag.h"
#include "ns3/esx-json.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/esx-net-netflow.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-top.h"
#include "ns3/ipv4.h"
#include "ns3/pointer.h"
#include "ns3/queue.h"
#include "ns3/rng-seed-manager.h"
#include "ns3/simulator.h"
#include "ns3/string.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace ns3
{

struct EsxCollectorCapture
{
    std::string file;
    std::string node;
    Ipv4Address address;
    uint16_t udpPort;
};

struct EsxPortCapture
{
    std::string file;
    Ptr<EsxHost> host;
    Ptr<EsxVSwitch> vSwitch;
    Ptr<EsxPort> port;
    std::string mac; //!< of the adapter, empty at uplinks
};

/// The rate of a device or of its channel, 0 if neither tells.
static uint64_t
RateOf(const Ptr<NetDevice>& device)
{
    DataRateValue rate;
    const bool told =
        device->GetAttributeFailSafe("DataRate", rate) ||
        (device->GetChannel() && device->GetChannel()->GetAttributeFailSafe("DataRate", rate));
    return told ? rate.Get().GetBitRate() : 0;
}

/// Counters of an end of a link, from its traces: frames sent and lost.
struct EsxSentFrames
{
    /// Of frames; for the device's traces, which must not keep the device.
    struct Counts
    {
        uint64_t octets{0};
        uint64_t sent{0};
        uint64_t errors{0}; //!< as in EsxLinkDrops
        uint64_t down{0};
    };

    Ptr<NetDevice> device;
    std::shared_ptr<Counts> counts{std::make_shared<Counts>()};

    void Connect() const
    {
        const auto connect = [this](const char* trace, auto count) {
            const auto sink = [of = counts, count](Ptr<const Packet> frame) { count(*of, frame); };
            device->TraceConnectWithoutContext(trace, Callback<void, Ptr<const Packet>>(sink));
        };
        const auto* const duplex = dynamic_cast<EsxEthernetNetDevice*>(PeekPointer(device));
        const auto lose = [end = PeekPointer(device), duplex](Counts& of, const auto&) {
            const auto cause = duplex ? duplex->GetDropCause() : EsxEthernetDrop::ERROR;
            const bool isBroken =
                cause == EsxEthernetDrop::ERROR && !EsxLinkImpairment::IsHeldBackBy(*end);
            of.down += cause == EsxEthernetDrop::LINK_DOWN ? 1 : 0;
            of.errors += isBroken ? 1 : 0;
        };
        connect("PhyRxDrop", lose);
        if (duplex) // it counts what it sent by itself
        {
            connect("MacTxDrop", lose);
            return;
        }
        connect("PhyTxDrop", [](Counts& of, const Ptr<const Packet>&) { ++of.errors; });
        connect("PhyTxEnd", [](Counts& of, const Ptr<const Packet>& frame) {
            of.octets += frame->GetSize();
            ++of.sent;
        });
    }

    EsxLinkSample Sample() const
    {
        EsxLinkSample sample;
        if (const auto duplex = DynamicCast<EsxEthernetNetDevice>(device))
        {
            sample.rateBps = duplex->IsLinkUp() ? duplex->GetDataRate().GetBitRate() : 0;
            sample.octets = duplex->GetSentOctets();
            sample.frames = duplex->GetSentFrames();
            sample.dropped = duplex->GetQueueDrops();
            sample.queued = duplex->GetQueue()->GetNPackets();
            return sample;
        }
        sample.rateBps = RateOf(device);
        sample.octets = counts->octets;
        sample.frames = counts->sent;
        PointerValue pointer;
        if (device->GetAttributeFailSafe("TxQueue", pointer))
        {
            const Ptr<Queue<Packet>> queue = pointer.Get<Queue<Packet>>();
            sample.dropped = queue ? queue->GetTotalDroppedPackets() : 0;
            sample.queued = queue ? queue->GetNPackets() : 0;
        }
        return sample;
    }
};

namespace
{

/// Of a frame that enters a port, headers are all that anybody looks at: Ethernet, two VLAN tags,
/// and IPv4 and TCP at their longest are 14 + 8 + 60 + 60 octets.
constexpr uint32_t PORT_SNAP_LENGTH = 256;

template <typename Lines>
std::string
JoinLines(const Lines& lines)
{
    std::string text;
    for (const std::string& line : lines)
    {
        text += line + '\n';
    }
    return text;
}

template <typename Value>
auto
AttributeOf(const Ptr<const Object>& object, const char* name)
{
    Value value;
    object->GetAttribute(name, value);
    return value.Get();
}

/// The device by which a collector hears, and its address.
std::pair<Ptr<NetDevice>, Ipv4Address>
InterfaceOf(const Ptr<Node>& node)
{
    const Ptr<Ipv4> ip = node->GetObject<Ipv4>();
    for (uint32_t i = 0; ip && i < ip->GetNInterfaces(); ++i)
    {
        if (ip->GetNAddresses(i) > 0 &&
            ip->GetAddress(i, 0).GetLocal() != Ipv4Address::GetLoopback())
        {
            return {ip->GetNetDevice(i), ip->GetAddress(i, 0).GetLocal()};
        }
    }
    return {nullptr, Ipv4Address()};
}

void
AddCapture(EsxJson& json, const EsxPortCapture& capture)
{
    const bool isUplink = capture.port->GetKind() == EsxPortKind::UPLINK;
    json.BeginObject().Text("file", capture.file).Text("kind", "port");
    json.Text("exporter", capture.host->GetName()).Text("vswitch", capture.vSwitch->GetName());
    json.Number("port", capture.port->GetLocalId()).Text("name", capture.port->GetName());
    json.Text("direction", "in").Text("role", isUplink ? "uplink" : "local");
    if (!capture.mac.empty())
    {
        json.Text("mac", capture.mac);
    }
    json.Number("from_ns", static_cast<uint64_t>(capture.port->GetConnectedAt().GetNanoSeconds()));
    if (const Time until = capture.port->GetDisconnectedAt(); !until.IsStrictlyNegative())
    {
        json.Number("to_ns", static_cast<uint64_t>(until.GetNanoSeconds()));
    }
    json.EndObject();
}

void
AddCapture(EsxJson& json, const EsxCollectorCapture& capture)
{
    json.BeginObject().Text("file", capture.file).Text("kind", "collector");
    json.Text("node", capture.node).Text("address", EsxAddressKey(capture.address));
    json.Number("udp_port", capture.udpPort).EndObject();
}

void
AddSpan(EsxJson& json, const EsxMonitoredSpan& span)
{
    const Ptr<EsxNetflow> module = span.host->GetObject<EsxNetflow>();
    const auto ns = [](Time time) { return static_cast<uint64_t>(time.GetNanoSeconds()); };
    json.BeginObject().Text("exporter", span.host->GetName());
    json.Text("address", EsxAddressKey(span.address)).Text("vswitch", span.vSwitch);
    json.Number("engine", span.engine);
    json.Number("from_ns", ns(span.from)).Number("to_ns", ns(span.to));
    json.Number("uptime_at_start_ns", ns(AttributeOf<TimeValue>(span.host, "UptimeAtStart")));
    json.Bool("dash_p", span.alternatePortIds);
    json.Number("idle_ns", ns(AttributeOf<TimeValue>(module, "IdleTimeout")));
    json.Number("active_ns", ns(AttributeOf<TimeValue>(module, "ActiveTimeout")));
    json.Number("scan_ns", ns(AttributeOf<TimeValue>(module, "ScanInterval")));
    json.Bool("meter_own_export", AttributeOf<BooleanValue>(module, "MeterOwnExport"));
    json.Bool("zero_unix_nsecs", span.zeroUnixNsecs);
    json.Bool("sequence_at_expiry", span.sequenceAtExpiry).EndObject();
}

void
WriteFile(const std::filesystem::path& path, const EsxResultsHelper::Content& content)
{
    std::ofstream file(path, std::ios::binary);
    content([&file](std::string_view piece) { file << piece; });
    file.close();
    NS_ABORT_MSG_IF(file.fail(), "cannot write " << path.string());
}

} // namespace

struct EsxResultsHelper::Watch
{
    /// Both ends of a link.
    struct Link
    {
        EsxLabLink lab;
        std::vector<EsxSentFrames> ends;
    };

    Ptr<EsxLedger> ledger;
    EsxObservations seen;
    std::vector<Link> links;
    Time every;
    Time sampledAt{-1}; //!< when the last sample was taken
    std::string folder; //!< of captures
    std::function<void()> opening;
    std::vector<EsxPortCapture> ports;
    std::vector<EsxCollectorCapture> collectors;
    std::map<std::string, Ptr<PcapFileWrapper>> open; //!< captures by file name

    /// \param collector place of its name
    void Collect(std::size_t collector, const Ptr<const Packet>& packet)
    {
        EsxCollectedDatagram datagram;
        datagram.collector = collector;
        datagram.receivedAt = Simulator::Now();
        EsxExportTag tag;
        if (packet->PeekPacketTag(tag))
        {
            datagram.exporter = tag.GetExporter();
            datagram.number = tag.GetNumber();
        }
        const uint32_t size = packet->GetSize();
        packet->CopyData(seen.payloads.Append(size, datagram.payload), size);
        seen.collected.push_back(datagram);
    }

    void TakeSample()
    {
#ifdef NS3_ASSERT_ENABLE // in debug builds: a walk over all records
        const auto replays = [](const Ptr<EsxHost>& host) { // what ends later is there, too
            return host->GetObject<EsxNetflow>()->GetReplay() != nullptr;
        };
        const auto& hosts = ledger->GetHosts();
        const netflow::Counts residual = std::any_of(hosts.begin(), hosts.end(), replays)
                                             ? netflow::Counts()
                                             : ledger->GetResidual();
        NS_ASSERT_MSG(residual.packets + residual.octets + residual.records == 0, "laws L0 to L8");
#endif
        sampledAt = Simulator::Now();
        for (const Ptr<EsxHost>& host : ledger->GetHosts())
        {
            seen.series.push_back(EsxSampleOf(host));
        }
        for (const Link& link : links)
        {
            for (unsigned end : {0U, 1U})
            {
                EsxLinkSample sample = link.ends[end].Sample();
                sample.at = Simulator::Now();
                sample.link = link.lab.name;
                sample.from = link.lab.ends[end];
                seen.links.push_back(std::move(sample));
            }
        }
    }

    void CapturePort(const Ptr<EsxHost>& host,
                     const Ptr<EsxVSwitch>& vSwitch,
                     const Ptr<EsxPort>& port)
    {
        EsxPortCapture capture{"", host, vSwitch, port, ""};
        if (const Ptr<EsxVirtualNetDevice> adapter = port->GetDevice())
        {
            std::ostringstream mac;
            mac << adapter->GetMac();
            capture.mac = mac.str();
        }
        capture.file = host->GetName() + "-" + vSwitch->GetName() + "-" +
                       std::to_string(port->GetLocalId()) + ".pcap";
        opening ? opening() : void();
        open[capture.file] = EsxHostHelper().EnablePcap(folder + "/" + capture.file,
                                                        vSwitch,
                                                        port->GetLocalId(),
                                                        EsxPcapDirection::INGRESS,
                                                        true,
                                                        PORT_SNAP_LENGTH);
        ports.push_back(std::move(capture));
    }

    void CaptureCollector(const Ptr<EsxNetflowCollector>& collector)
    {
        const auto [device, address] = InterfaceOf(collector->GetNode());
        const std::string node = EsxNodeName(collector->GetNode());
        EsxCollectorCapture capture{node + ".pcap", node, address, collector->GetPort()};
        if (!device || open.count(capture.file) != 0)
        {
            return;
        }
        opening ? opening() : void();
        open[capture.file] = EsxHostHelper::CreateCapture(folder + "/" + capture.file);
        EsxHostHelper::Capture(device, "PromiscSniffer", open[capture.file]);
        collectors.push_back(std::move(capture));
    }
};

EsxResultsHelper::EsxResultsHelper()
    : m_watch(std::make_shared<Watch>())
{
}

void
EsxResultsHelper::Install(const Ptr<EsxLedger>& ledger, Time every)
{
    const std::shared_ptr<Watch> watch = m_watch;
    watch->ledger = ledger;
    watch->every = every;
    // It lives until then, without the helper, too. Traces do not keep it: it keeps the ledger, and
    // that the objects of these traces.
    Simulator::ScheduleDestroy([kept = watch] {});
    for (const Ptr<EsxNetflowCollector>& collector : ledger->GetCollectors())
    {
        collector->TraceConnectWithoutContext(
            "Rx",
            Callback<void, Ptr<const Packet>, const Address&, const std::string&>(
                [weak = std::weak_ptr(watch),
                 place = watch->seen.collectors.size()](Ptr<const Packet> packet,
                                                        const Address&,
                                                        const std::string& error) {
                    if (const auto watch = weak.lock(); watch && error.empty())
                    {
                        watch->Collect(place, packet);
                    }
                }));
        watch->seen.collectors.push_back(EsxNodeName(collector->GetNode()));
    }
    if (every.IsStrictlyPositive())
    {
        Simulator::ScheduleNow(&EsxResultsHelper::SampleAgainAndAgain, watch);
    }
}

void
EsxResultsHelper::SampleAgainAndAgain(std::shared_ptr<Watch> watch)
{
    watch->TakeSample();
    Simulator::Schedule(watch->every, &EsxResultsHelper::SampleAgainAndAgain, watch);
}

void
EsxResultsHelper::AddLink(const std::string& name,
                          const NetDeviceContainer& ends,
                          const std::string& a,
                          const std::string& b)
{
    NS_ABORT_MSG_UNLESS(ends.GetN() == 2, "a link has two ends");
    EsxLabLink link;
    link.name = name;
    link.ends[0] = a;
    link.ends[1] = b;
    link.rateBps = RateOf(ends.Get(0));
    TimeValue delay;
    if (ends.Get(0)->GetAttributeFailSafe("Delay", delay) ||
        ends.Get(0)->GetChannel()->GetAttributeFailSafe("Delay", delay))
    {
        link.delay = delay.Get();
    }
    const auto duplex = DynamicCast<EsxEthernetNetDevice>(ends.Get(0));
    link.isContended = !duplex || duplex->GetContention() == EsxEthernetNetDevice::QUEUE;
    std::vector<EsxSentFrames> sent;
    for (unsigned end : {0U, 1U})
    {
        const Ptr<NetDevice> device = ends.Get(end);
        sent.push_back({device});
        sent.back().Connect();
        if (link.ends[end].empty())
        {
            link.ends[end] =
                EsxNodeName(device->GetNode()) + ":" + std::to_string(device->GetIfIndex());
        }
    }
    m_watch->links.push_back({link, sent});
}

std::vector<EsxLinkDrops>
EsxResultsHelper::GetLinkDrops() const
{
    std::vector<EsxLinkDrops> all;
    for (const Watch::Link& link : m_watch->links)
    {
        EsxLinkDrops drops{link.lab.name};
        for (const EsxSentFrames& end : link.ends)
        {
            drops.queue += end.Sample().dropped;
            drops.errors += end.counts->errors;
            drops.down += end.counts->down;
        }
        drops.GetTotal() > 0 ? all.push_back(drops) : void();
    }
    return all;
}

void
EsxResultsHelper::EnableCaptures(const std::string& folder, std::function<void()> opening)
{
    const std::shared_ptr<Watch> watch = m_watch;
    NS_ABORT_MSG_UNLESS(watch->ledger, "install a ledger before captures are enabled");
    watch->folder = folder;
    watch->opening = std::move(opening);
    for (const Ptr<EsxHost>& host : watch->ledger->GetHosts())
    {
        for (const Ptr<EsxVSwitch>& vSwitch : host->GetVSwitches())
        {
            for (const Ptr<EsxPort>& port : vSwitch->GetPorts())
            {
                watch->CapturePort(host, vSwitch, port);
            }
            // Ports that appear during the run: VMs that are switched on.
            vSwitch->TraceConnectWithoutContext(
                "Connected",
                Callback<void, Ptr<EsxPort>>([weak = std::weak_ptr(watch),
                                              host = PeekPointer(host),
                                              vSwitch = PeekPointer(vSwitch)](Ptr<EsxPort> port) {
                    const auto watch = weak.lock();
                    watch ? watch->CapturePort(host, vSwitch, port) : void();
                }));
        }
    }
    for (const Ptr<EsxNetflowCollector>& collector : watch->ledger->GetCollectors())
    {
        watch->CaptureCollector(collector);
    }
}

void
EsxResultsHelper::Finish()
{
    if (m_watch->every.IsStrictlyPositive() && m_watch->sampledAt != Simulator::Now())
    {
        m_watch->TakeSample(); // what came after the last sample is told, too
    }
}

std::vector<EsxMonitoredSpan>
EsxResultsHelper::GetMonitored() const
{
    std::vector<EsxMonitoredSpan> spans;
    for (const Ptr<EsxHost>& host : m_watch->ledger->GetHosts())
    {
        const Ptr<Node> node = host->GetVmkernelNode();
        for (uint32_t i = 0; i < node->GetNApplications(); ++i)
        {
            const auto program = DynamicCast<EsxNetNetflow>(node->GetApplication(i));
            const Time ended = program ? program->GetEndedAt() : Time(0);
            for (uint16_t id : program ? program->GetRegistered() : std::vector<uint16_t>())
            {
                const Ptr<EsxVSwitch> vSwitch = host->GetVSwitchById(id);
                EsxMonitoredSpan span;
                span.host = host;
                span.vSwitch = vSwitch->GetName();
                span.engine = id;
                span.address = program->GetSourceAddress();
                span.from = program->GetStartedAt();
                span.to = ended.IsStrictlyNegative() ? Simulator::Now() : ended;
                if (!vSwitch->GetDeletedAt().IsStrictlyNegative())
                {
                    span.to = std::min(span.to, vSwitch->GetDeletedAt());
                }
                span.alternatePortIds = program->UsesAlternatePortIds();
                span.zeroUnixNsecs = AttributeOf<BooleanValue>(program, "ZeroUnixNsecs");
                StringValue mode; // EnumValue differs between ns-3's versions
                program->GetAttribute("SequenceMode", mode);
                span.sequenceAtExpiry = mode.Get() == "AtExpiry";
                span.sameProcessAsBefore = id != program->GetRegistered().front();
                span.pollPeriod = AttributeOf<TimeValue>(program, "PollPeriod");
                spans.push_back(span);
            }
        }
    }
    return spans;
}

std::vector<EsxTable>
EsxResultsHelper::GetTables() const
{
    return EsxMakeTables(m_watch->ledger, m_watch->seen);
}

std::vector<std::string>
EsxResultsHelper::CloseCaptures() const
{
    std::vector<std::string> failed;
    for (const auto& [name, file] : m_watch->open)
    {
        file->Close();
        if (file->Fail())
        {
            failed.push_back(name);
        }
    }
    m_watch->open.clear();
    return failed;
}

void
EsxResultsHelper::ForEachFile(const std::function<void(const std::string&, const Content&)>& visit,
                              bool withFlows) const
{
    const auto visitText = [&visit](const std::string& name, const std::string& text) {
        visit(name, [&text](const auto& write) { write(text); });
    };
    std::vector<EsxLabLink> links;
    for (const Watch::Link& link : m_watch->links)
    {
        links.push_back(link.lab);
    }
    visitText("lab.json", EsxDescribeLab(links));
    for (const EsxTable& table : GetTables())
    {
        if (table.IsOverTime() ? m_watch->every.IsStrictlyPositive() : withFlows)
        {
            visit(table.GetFile(), [&table](const auto& write) { table.WriteCsv(write); });
        }
    }
    for (const Ptr<EsxHost>& host : m_watch->ledger->GetHosts())
    {
        visitText(host->GetName() + ".vmkernel.log", JoinLines(host->GetLog()->GetLines()));
        visitText(host->GetName() + ".esxtop.txt", EsxTop::Format(EsxTop(*host).Sample()));
        if (const Ptr<EsxConsole> console = host->GetObject<EsxConsole>())
        {
            visitText(host->GetName() + ".console.log", JoinLines(console->GetTranscript()));
        }
    }
    if (m_watch->folder.empty())
    {
        return;
    }
    EsxJson json;
    json.BeginObject().Key("monitored").BeginArray();
    for (const EsxMonitoredSpan& span : GetMonitored())
    {
        AddSpan(json, span);
    }
    json.EndArray().Key("captures").BeginArray();
    for (const EsxPortCapture& capture : m_watch->ports)
    {
        AddCapture(json, capture);
    }
    for (const EsxCollectorCapture& capture : m_watch->collectors)
    {
        AddCapture(json, capture);
    }
    visitText("captures.json", json.EndArray().EndObject().Take());
}

std::string
EsxResultsHelper::GetSummary(const std::string& name,
                             const Ptr<EsxExpectations>& expectations) const
{
    const EsxSummary summary = EsxSummarize(m_watch->ledger);
    const auto verdicts = expectations ? expectations->Evaluate() : std::vector<EsxVerdict>();
    bool pass = true;
    EsxJson json;
    json.BeginObject().Text("schema", EsxSummary::SCHEMA).Text("name", name);
    json.Number("seed", RngSeedManager::GetSeed()).Number("run", RngSeedManager::GetRun());
    json.Key("versions").BeginObject().Text("esx-netflow", "script").Text("ns-3", "");
    json.EndObject();
    json.Number("end_ns", static_cast<uint64_t>(Simulator::Now().GetNanoSeconds()));
    for (const EsxVerdict& verdict : verdicts)
    {
        pass = pass && verdict.pass;
    }
    json.Text("verdict", !summary.Balances() ? "unbalanced" : pass ? "pass" : "fail");
    EsxAddVerdicts(json, verdicts);
    json.Key("steps").BeginArray().EndArray();
    json.Key("traffic").BeginObject().Number("items", 0).Key("silent").BeginArray().EndArray();
    json.Key("captures").BeginArray().EndArray();
    json.EndObject().Key("links").BeginArray();
    for (const EsxLinkDrops& drops : GetLinkDrops())
    {
        json.BeginObject().Text("name", drops.link).Key("dropped").BeginObject();
        json.Number("queue", drops.queue).Number("errors", drops.errors);
        json.Number("down", drops.down).EndObject().EndObject();
    }
    json.EndArray();
    json.Key("bound").BeginObject().Number("sent_octets", 0).Number("lost_octets", 0);
    json.Number("least_lost_octets", 0).Key("links").BeginArray().EndArray().EndObject();
    summary.AddTo(json);
    return json.EndObject().Take();
}

void
EsxResultsHelper::Write(const std::string& folder, const Ptr<EsxExpectations>& expectations)
{
    namespace fs = std::filesystem;
    NS_ABORT_MSG_UNLESS(m_watch->ledger, "install a ledger before the run");
    Finish();
    std::error_code error;
    const fs::path path = fs::absolute(folder).lexically_normal();
    fs::create_directories(path, error);
    NS_ABORT_MSG_IF(error, "cannot make the folder " << folder << ": " << error.message());
    for (const std::string& capture : CloseCaptures())
    {
        NS_ABORT_MSG("the capture " << capture << " cannot be written whole");
    }
    ForEachFile(
        [&](const std::string& name, const Content& content) { WriteFile(path / name, content); });
    const fs::path last = path.has_filename() ? path.filename() : path.parent_path().filename();
    WriteFile(path / "summary.json",
              [&](const auto& write) { write(GetSummary(last.string(), expectations)); });
}

} // namespace ns3
