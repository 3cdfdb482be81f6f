// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-frames.h"
#include "runner/scenario/distribution.h"
#include "runner/scenario/scenario-check.h"

#include "ns3/esx-metrics.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

class PlanChecker
{
  public:
    PlanChecker(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes)
        : m_scenario(scenario),
          m_lab(lab),
          m_notes(notes)
    {
    }

    void Check()
    {
        Taken traffic;
        for (const auto& item : m_scenario.traffic)
        {
            m_notes.Take(traffic, "traffic", item.name, item.path + "/name");
            CheckTraffic(item);
        }
        Taken ids;
        for (const auto& step : m_scenario.timeline)
        {
            if (!step.id.empty() && m_notes.Take(ids, "process", step.id, step.path + "/id"))
            {
                m_processStart[step.id] = step.at;
            }
        }
        for (const auto& step : m_scenario.timeline)
        {
            CheckStep(step);
        }
        CheckOverlaps();
        Taken names;
        for (const auto& expectation : m_scenario.expect)
        {
            m_notes.Take(names, "name", expectation.name, expectation.path + "/name");
            CheckExpectation(expectation);
        }
        CheckOutputs();
    }

  private:
    using Taken = ScenarioNotes::Taken;

    void CheckTraffic(const Traffic& traffic)
    {
        m_notes.CheckWithinRun(traffic.start, traffic.path + "/start");
        m_notes.CheckWithinRun(traffic.stop, traffic.path + "/stop");
        if (traffic.start >= traffic.stop)
        {
            m_notes.Error(traffic.path + "/start",
                          fmt::format("must be before stop; {} is not before {}",
                                      Text(traffic.start),
                                      Text(traffic.stop)));
        }
        CheckApp(traffic);
        CheckInjection(traffic);
        bool allKnown = true;
        for (const auto& from : traffic.from)
        {
            allKnown &= m_notes.Known(m_lab.senders, "VM", from, traffic.path + "/from");
        }
        for (const auto& to : traffic.to)
        {
            allKnown &= m_notes.Known(m_lab.receivers, "VM or collector", to, traffic.path + "/to");
        }
        if (allKnown)
        {
            CheckPairs(traffic);
        }
    }

    void CheckApp(const Traffic& traffic)
    {
        constexpr uint32_t maxUdpPayload = 65507; // 65535 - 20 (IPv4) - 8 (UDP)
        constexpr uint32_t minRequest = 8; // its first 8 bytes say how long the response is to be
        const auto isApp = [&](TrafficApp app) { return traffic.app == app; };
        const bool isUdp = isApp(TrafficApp::UdpCbr) || isApp(TrafficApp::UdpOnOff);
        if (isApp(TrafficApp::UdpOnOff))
        {
            CheckRandom(traffic.path + "/burst", traffic.burst, Quantity::Seconds);
            CheckRandom(traffic.path + "/pause", traffic.pause, Quantity::Seconds);
        }
        if (isUdp && (traffic.packetBytes < 1 || traffic.packetBytes > maxUdpPayload))
        {
            m_notes.Error(traffic.path + "/packet",
                          fmt::format("a datagram carries 1B to {}B", maxUdpPayload));
        }
        if (isUdp && traffic.rate.GetBitRate() == 0)
        {
            m_notes.Error(traffic.path + "/rate", "must be more than 0bps");
        }
        if (isApp(TrafficApp::TcpRequest) && traffic.requestBytes < minRequest)
        {
            m_notes.Error(traffic.path + "/request",
                          fmt::format("a request has at least {}B", minRequest));
        }
        if (isApp(TrafficApp::TcpRequest) || isApp(TrafficApp::TcpSynScan))
        {
            m_notes.CheckPositive(traffic.every, traffic.path + "/every");
        }
        if (isApp(TrafficApp::TcpSynScan) && traffic.everyIsExponential)
        {
            m_notes.Error(traffic.path + "/every", "a scan has a fixed interval such as 10ms");
        }
        if (traffic.firstPort > traffic.lastPort)
        {
            m_notes.Error(traffic.path + "/ports", "the first port must not be above the last");
        }
    }

    /// Where frames are injected, the IP stacks are silent: no other traffic can use them.
    void CheckInjection(const Traffic& traffic)
    {
        const auto note = [&](const std::string& name, const std::string& path) {
            auto& names = traffic.IsInjected() ? m_silent : m_talking;
            names.emplace(name, path);
            const auto& others = traffic.IsInjected() ? m_talking : m_silent;
            if (const auto other = others.find(name); other != others.end())
            {
                m_notes.Error(path,
                              fmt::format("{} has injected traffic and other traffic ({}); where "
                                          "frames are injected, IP stacks are silent",
                                          name,
                                          m_notes.Line(other->second)));
            }
        };
        for (const auto& from : traffic.from)
        {
            note(from, traffic.path + "/from");
        }
        for (const auto& to : traffic.to)
        {
            note(to, traffic.path + "/to");
            if (traffic.IsInjected() && m_lab.nodes.count(to))
            {
                m_notes.Error(traffic.path + "/to", to + " is no VM; injected frames go to VMs");
            }
        }
        if (traffic.app == TrafficApp::Pcap)
        {
            CheckCapture(traffic);
        }
        if (traffic.app == TrafficApp::Flows)
        {
            CheckRandom(traffic.path + "/flow_duration", traffic.flowDuration, Quantity::Seconds);
            CheckRandom(traffic.path + "/flow_packets", traffic.flowPackets, Quantity::Number);
            CheckRandom(traffic.path + "/packet_size", traffic.packetSize, Quantity::Octets);
            m_notes.CheckPositive(traffic.every, traffic.path + "/every");
            if (!traffic.hours.empty() &&
                *std::max_element(traffic.hours.begin(), traffic.hours.end()) == 0)
            {
                m_notes.Error(traffic.path + "/hours", "no flow begins at any hour");
            }
        }
    }

    void CheckRandom(const std::string& path, const std::string& text, Quantity quantity)
    {
        Distribution ignored;
        const std::string wrong = ParseDistribution(text, quantity, ignored);
        if (!wrong.empty())
        {
            m_notes.Error(path, wrong);
        }
    }

    void CheckCapture(const Traffic& traffic)
    {
        if (traffic.to.size() > 1)
        {
            m_notes.Error(traffic.path + "/to", "a capture goes to one VM");
        }
        if (traffic.file.empty())
        {
            m_notes.Error(traffic.path, "'file' is missing; allowed: the name of a capture");
            return;
        }
        try
        {
            ns3::CreateObject<CaptureFrames>(m_scenario.PathOf(traffic.file));
        }
        catch (const CaptureError& error)
        {
            m_notes.Error(traffic.path + "/file", error.what());
        }
    }

    /// Guests do not route and have no router yet: each two must have an address on one network.
    void CheckPairs(const Traffic& traffic)
    {
        for (const auto& from : traffic.from)
        {
            for (const auto& to : traffic.to)
            {
                if (from == to)
                {
                    m_notes.Error(traffic.path + "/to",
                                  fmt::format("{} would send to itself", from));
                }
                else if (!ShareNetwork(m_lab.senders.at(from), m_lab.receivers.at(to)))
                {
                    m_notes.Error(traffic.path + "/to",
                                  fmt::format("{} has no address on a network of {}", to, from));
                }
            }
        }
    }

    static bool ShareNetwork(const LabNames::Addresses& ours, const LabNames::Addresses& theirs)
    {
        return std::any_of(ours.begin(), ours.end(), [&](const auto& a) {
            return std::any_of(theirs.begin(), theirs.end(), [&](const auto& b) {
                return a.SharesNetworkWith(b.address);
            });
        });
    }

    void CheckStep(const TimelineStep& step)
    {
        // what each kind of step is made of beside "at": the key that makes it, one it needs, those
        // it may have
        const bool ofNode = m_notes.Has(step.path, "node");
        const std::vector<std::vector<std::string>> forms{
            {"run", "host", "id", "session", "expect"},
            {"press", "host", "session"},
            {"signal", "process", "host"},
            {"down", ofNode ? "node" : "link", "for"},
            {"set", ofNode ? "node" : "link", "for"},
            {"memory_pressure", "host", "for"},
            {"grow", "vm"},
            {"power", "vm"},
            {"connected", "vm", "nic"},
            {"mac", "vm", "nic"}};
        const auto makes = [&](const auto& form) { return m_notes.Has(step.path, form[0]); };
        if (std::count_if(forms.begin(), forms.end(), makes) != 1)
        {
            m_notes.Error(
                step.path,
                "a step has exactly one of: run, press, signal, down, set, memory_pressure, grow, "
                "power, connected, mac");
            return;
        }
        const auto& form = *std::find_if(forms.begin(), forms.end(), makes);
        if (!m_notes.Has(step.path, form[1]))
        {
            m_notes.Error(step.path,
                          fmt::format("'{}' is missing, which '{}' needs", form[1], form[0]));
            return;
        }
        for (const std::string key :
             {"for", "host", "id", "session", "expect", "process", "link", "node", "vm", "nic"})
        {
            if (m_notes.Has(step.path, key) &&
                std::find(form.begin(), form.end(), key) == form.end())
            {
                m_notes.Error(step.path + "/" + key,
                              fmt::format("'{}' does not go with '{}'", key, form[0]));
            }
        }
        CheckStepValues(step);
    }

    void CheckStepValues(const TimelineStep& step)
    {
        m_notes.CheckWithinRun(step.at, step.path + "/at");
        if (!step.host.empty())
        {
            m_notes.Known(m_lab.hosts, "host", step.host, step.path + "/host");
        }
        if (!step.link.empty())
        {
            m_notes.Known(m_lab.links, "link", step.link, step.path + "/link");
        }
        if (!step.vm.empty() && m_notes.Known(m_lab.senders, "VM", step.vm, step.path + "/vm") &&
            !step.nic.empty() &&
            std::stoul(step.nic.substr(3)) >= m_lab.senders.at(step.vm).size()) // ethN
        {
            m_notes.Error(step.path + "/nic",
                          fmt::format("{} has {} NICs, counted from eth0",
                                      step.vm,
                                      m_lab.senders.at(step.vm).size()));
        }
        CheckMemoryStep(step);
        CheckNodeStep(step);
        if (step.length)
        {
            m_notes.CheckPositive(*step.length, step.path + "/for");
            m_notes.CheckWithinRun(step.at + *step.length, step.path + "/for");
        }
        if (step.set.rate && step.set.rate->GetBitRate() == 0)
        {
            m_notes.Error(step.path + "/set/rate",
                          "must be more than 0bps; 'down: true' cuts a link");
        }
        if (!step.process.empty() &&
            m_notes.Known(m_processStart, "process", step.process, step.path + "/process") &&
            m_processStart[step.process] > step.at)
        {
            m_notes.Error(step.path + "/at",
                          fmt::format("process '{}' starts later, at {}",
                                      step.process,
                                      Text(m_processStart[step.process])));
        }
    }

    void CheckMemoryStep(const TimelineStep& step)
    {
        const auto host = m_lab.hosts.find(step.host);
        if (step.freePercent && host != m_lab.hosts.end() && host->second->memoryBytes == 0)
        {
            m_notes.Error(step.path + "/memory_pressure/free", step.host + " has no memory.total");
        }
        if (step.kind != StepKind::Grow)
        {
            return;
        }
        for (const Host& owner : m_scenario.hosts)
        {
            for (const Vm& vm : owner.vms)
            {
                if (vm.name == step.vm && vm.memoryBytes < step.growToBytes)
                {
                    m_notes.Error(step.path + "/grow/to", "is more than the memory of " + vm.name);
                }
            }
        }
    }

    void CheckNodeStep(const TimelineStep& step)
    {
        const bool ofNode = step.kind == StepKind::NodeDown || step.kind == StepKind::NodeSet;
        if (!ofNode || !m_notes.Known(m_lab.nodes, "node", step.node, step.path + "/node"))
        {
            if (step.set.serviceTime)
            {
                m_notes.Error(step.path + "/set/service_time", "goes with 'node', not with 'link'");
            }
            return;
        }
        if (m_lab.nodes.at(step.node)->kind != NodeKind::Collector)
        {
            m_notes.Error(step.path + "/node", step.node + " is no collector");
        }
        for (const char* key :
             {"rate", "delay", "queue", "loss", "bit_errors", "duplicate", "reorder"})
        {
            if (step.kind == StepKind::NodeSet && m_notes.Has(step.path + "/set", key))
            {
                m_notes.Error(step.path + "/set/" + key, "goes with 'link', not with 'node'");
            }
        }
    }

    /// After an episode all is as before; of two at once nobody could say what "before" is.
    void CheckOverlaps()
    {
        std::map<std::pair<StepKind, std::string>, std::vector<const TimelineStep*>> episodes;
        for (const auto& step : m_scenario.timeline)
        {
            if (step.kind == StepKind::LinkDown || step.kind == StepKind::LinkSet ||
                step.kind == StepKind::NodeDown || step.kind == StepKind::NodeSet ||
                step.kind == StepKind::MemoryPressure)
            {
                episodes[{step.kind, step.link + step.host + step.node}].push_back(&step);
            }
        }
        for (auto& [what, steps] : episodes)
        {
            std::stable_sort(steps.begin(), steps.end(), [](auto a, auto b) {
                return a->at < b->at;
            });
            for (std::size_t i = 1; i < steps.size(); ++i)
            {
                if (steps[i - 1]->Covers(steps[i]->at))
                {
                    m_notes.Error(steps[i]->path + "/at",
                                  fmt::format("begins before the episode of {} is over",
                                              m_notes.Line(steps[i - 1]->path)));
                }
            }
        }
    }

    void CheckExpectation(const Expectation& expectation)
    {
        const auto& path = expectation.path;
        const auto has = [&](const std::string& key) { return m_notes.Has(path, key); };
        static const std::vector<std::string> bounds{"equals", "at_least", "at_most", "between"};
        if (has("check") + has("metric") + has("log") != 1)
        {
            m_notes.Error(path, "an expectation has exactly one of: check, metric, log");
            return;
        }
        if (has("log") && has("contains") == has("absent"))
        {
            m_notes.Error(path, "a log needs exactly one of: contains, absent");
        }
        if (has("log"))
        {
            m_notes.Known(m_lab.hosts, "host", expectation.log, path + "/log");
        }
        if (has("metric") && std::count_if(bounds.begin(), bounds.end(), has) != 1)
        {
            m_notes.Error(path,
                          "a metric needs exactly one of: equals, at_least, at_most, between");
        }
        if (has("metric"))
        {
            CheckMetric(expectation);
        }
        CheckLabels(expectation);
        if (has("between") && expectation.low > expectation.high)
        {
            m_notes.Error(path + "/between", "the first number must not be above the second");
        }
        if (has("host"))
        {
            m_notes.Known(m_lab.hosts, "host", expectation.host, path + "/host");
        }
        if (has("node"))
        {
            m_notes.Known(m_lab.nodes, "node", expectation.node, path + "/node");
        }
        if (expectation.during)
        {
            m_notes.CheckWithinRun(expectation.during->end, path + "/during");
        }
        if (expectation.during && expectation.during->begin >= expectation.during->end)
        {
            m_notes.Error(path + "/during", "the first time must be before the second");
        }
    }

    /// Which keys say something beside a metric, a check or a log.
    void CheckLabels(const Expectation& expectation)
    {
        const auto has = [&](const std::string& key) { return m_notes.Has(expectation.path, key); };
        const std::string kind = has("metric") ? "metric" : has("check") ? "check" : "log";
        const bool metric = has("metric");
        const std::map<std::string, bool> useful = {
            {"cause", metric},
            {"host", metric || expectation.check == "unique_interfaces"},
            {"node", metric || expectation.check == "no_collector_complaints"},
            {"during", kind != "check"},
            {"equals", metric},
            {"at_least", metric},
            {"at_most", metric},
            {"between", metric},
            {"contains", kind == "log"},
            {"absent", kind == "log"}};
        for (const auto& [key, isUseful] : useful)
        {
            if (has(key) && !isUseful)
            {
                const std::string what = metric ? kind
                                         : expectation.check.empty()
                                             ? kind
                                             : kind + ": " + expectation.check;
                m_notes.Error(expectation.path + "/" + key,
                              fmt::format("'{}' does not go with '{}'", key, what));
            }
        }
    }

    void CheckMetric(const Expectation& expectation)
    {
        const std::string& name = expectation.metric;
        const auto known = ns3::EsxMetricNames();
        if (std::find(known.begin(), known.end(), name) == known.end())
        {
            m_notes.Error(expectation.path + "/metric",
                          fmt::format("unknown metric '{}'; {}", name, Suggest(name, known)));
            return;
        }
        const auto wrong = ns3::EsxCheckMetric({name, expectation.cause, "", "", ""});
        if (!wrong.empty())
        {
            m_notes.Error(expectation.path + "/cause", wrong);
        }
    }

    void CheckOutputs()
    {
        Taken captures;
        for (std::size_t i = 0; i < m_scenario.outputs.pcap.size(); ++i)
        {
            const auto& name = m_scenario.outputs.pcap[i];
            const auto path = m_scenario.outputs.path + "/pcap/" + std::to_string(i);
            m_notes.Known(m_lab.captures, "link or interface", name, path);
            m_notes.Take(captures, "capture", name, path);
        }
    }

    const Scenario& m_scenario;
    const LabNames& m_lab;
    ScenarioNotes& m_notes;
    std::map<std::string, ns3::Time> m_processStart;
    Taken m_silent;  //!< VMs at whose ports frames are injected, or arrive
    Taken m_talking; //!< VMs and collectors with other traffic
};

} // namespace

void
CheckPlan(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes)
{
    PlanChecker(scenario, lab, notes).Check();
}

} // namespace esxnf
