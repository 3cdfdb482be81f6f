// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-check.h"
#include "runner/scenario/scenario-schema.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

namespace
{

/// Checks the keys of each kind of step, the names in it, and that episodes do not overlap.
class TimelineChecker
{
  public:
    TimelineChecker(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes)
        : m_scenario(scenario),
          m_lab(lab),
          m_notes(notes)
    {
    }

    void Check()
    {
        ScenarioNotes::Taken ids;
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
        CheckMoves();
    }

  private:
    void CheckStep(const TimelineStep& step)
    {
        // what each kind of step is made of beside "at": the key that makes it, one it needs, those
        // it may have
        const bool ofNode = m_notes.Has(step.path, "node");
        const std::vector<std::vector<std::string>> forms{
            {"run", "host", "id", "session", "expect", "may_be_idle"},
            {"press", "host", "session"},
            {"signal", "process", "host", "expect"},
            {"down", ofNode ? "node" : "link", "for"},
            {"set", ofNode ? "node" : "link", "for"},
            {"memory_pressure", "host", "for"},
            {"grow", "vm"},
            {"power", "vm", "expect"},
            {"connected", "vm", "nic", "expect"},
            {"mac", "vm", "nic"},
            {"vmotion", "vm", "expect"}};
        const auto makes = [&](const auto& form) { return m_notes.Has(step.path, form[0]); };
        if (std::count_if(forms.begin(), forms.end(), makes) != 1)
        {
            m_notes.Error(
                step.path,
                "a step has exactly one of: run, press, signal, down, set, memory_pressure, grow, "
                "power, connected, mac, vmotion");
            return;
        }
        const auto& form = *std::find_if(forms.begin(), forms.end(), makes);
        if (!m_notes.Has(step.path, form[1]))
        {
            m_notes.Error(step.path,
                          fmt::format("'{}' is missing, which '{}' needs", form[1], form[0]));
            return;
        }
        for (const std::string key : {"for",
                                      "host",
                                      "id",
                                      "session",
                                      "expect",
                                      "may_be_idle",
                                      "process",
                                      "link",
                                      "node",
                                      "vm",
                                      "nic"})
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
        if (!step.link.empty() &&
            m_notes.Known(m_lab.links, "link", step.link, step.path + "/link"))
        {
            CheckLinkTakes(step);
        }
        if (!step.vm.empty() && m_notes.Known(m_lab.vms, "VM", step.vm, step.path + "/vm") &&
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
        if (step.kind == StepKind::LinkSet || step.kind == StepKind::NodeSet)
        {
            CheckSet(step);
        }
        if (step.length)
        {
            m_notes.CheckPositive(*step.length, step.path + "/for");
            m_notes.CheckWithinRun(step.at + *step.length, step.path + "/for");
        }
        if (step.rate && step.rate->GetBitRate() == 0)
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

    /// CSMA of ns-3 tells nobody of a cut; without contention nothing waits.
    void CheckLinkTakes(const TimelineStep& step)
    {
        const auto named = [&step](const Link& link) { return link.name == step.link; };
        const auto link = std::find_if(m_scenario.links.begin(), m_scenario.links.end(), named);
        if (link->halfDuplex && step.kind == StepKind::LinkDown)
        {
            m_notes.Error(step.path + "/down",
                          fmt::format("link '{}' is half duplex: it cannot be cut", step.link));
        }
        else if (!link->isContended && step.kind == StepKind::LinkSet &&
                 m_notes.Has(step.path + "/set", "queue"))
        {
            m_notes.Error(step.path + "/set/queue",
                          fmt::format("nothing waits at link '{}': contention: none", step.link));
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
        if (ofNode && m_notes.Known(m_lab.nodes, "node", step.node, step.path + "/node") &&
            m_lab.nodes.at(step.node)->kind != NodeKind::Collector)
        {
            m_notes.Error(step.path + "/node", step.node + " is no collector");
        }
    }

    /// The schema says which keys of 'set' go with which of the two.
    void CheckSet(const TimelineStep& step)
    {
        const std::string selected = step.kind == StepKind::LinkSet ? "link" : "node";
        const Json& schema = Schema().at("definitions").at("step").at("properties").at("set");
        for (const auto& [key, child] : schema.at("properties").items())
        {
            if (m_notes.Has(step.path + "/set", key) && !AppliesTo(child, selected))
            {
                m_notes.Error(step.path + "/set/" + key,
                              fmt::format("goes with '{}', not with '{}'",
                                          child.at("x-for")[0].get<std::string>(),
                                          selected));
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

    /// In order of time, as a VM may move on, or back.
    void CheckMoves()
    {
        std::vector<const TimelineStep*> steps;
        for (const auto& step : m_scenario.timeline)
        {
            steps.push_back(&step);
        }
        std::stable_sort(steps.begin(), steps.end(), [](auto a, auto b) { return a->at < b->at; });
        std::map<std::string, const TimelineStep*> last; // move of each VM
        for (const auto* step : steps)
        {
            const auto before = last.find(step->vm);
            if (before != last.end() && step->at < before->second->at + before->second->downtime)
            {
                m_notes.Error(step->path + "/at",
                              fmt::format("begins before the move of {} is over, at {}",
                                          m_notes.Line(before->second->path),
                                          Text(before->second->at + before->second->downtime)));
            }
            if (step->kind == StepKind::Vmotion)
            {
                CheckMove(*step, before == last.end() ? nullptr : before->second);
                last[step->vm] = step;
            }
        }
    }

    /// \param before the last move of the VM; null: none
    void CheckMove(const TimelineStep& step, const TimelineStep* before)
    {
        const auto path = step.path + "/vmotion/to";
        m_notes.CheckPositive(step.downtime, step.path + "/vmotion/downtime");
        m_notes.CheckWithinRun(step.at + step.downtime, step.path + "/vmotion/downtime");
        if (!m_notes.Known(m_lab.hosts, "host", step.vmotionTo, path) || !m_lab.vms.count(step.vm))
        {
            return;
        }
        const Host& to = *m_lab.hosts.at(step.vmotionTo);
        for (const Host& owner : m_scenario.hosts)
        {
            for (const Vm& vm : owner.vms)
            {
                if (vm.name == step.vm && (before ? before->vmotionTo : owner.name) == to.name)
                {
                    m_notes.Error(path, fmt::format("{} is on {} already", vm.name, to.name));
                }
                else if (vm.name == step.vm)
                {
                    CheckTarget(vm, to, path);
                }
            }
        }
    }

    void CheckTarget(const Vm& vm, const Host& to, const std::string& path)
    {
        std::vector<std::string> names;
        for (const auto& vSwitch : to.vSwitches)
        {
            for (const auto& group : vSwitch.portGroups)
            {
                names.push_back(group.name);
            }
        }
        for (std::size_t i = 0; i < vm.nics.size(); ++i)
        {
            if (!to.FindVSwitchOf(vm.nics[i].portGroup))
            {
                m_notes.Error(
                    path,
                    fmt::format("{} has no port group '{}', in which {}:eth{} is; allowed: "
                                "a host that has it ({} has {})",
                                to.name,
                                vm.nics[i].portGroup,
                                vm.name,
                                i,
                                to.name,
                                names.empty() ? "none"
                                              : fmt::format("{}", fmt::join(names, ", "))));
            }
        }
        if (vm.memoryBytes > 0 && to.memoryBytes == 0)
        {
            m_notes.Error(
                path,
                fmt::format("{} has no memory.total, and {} has memory", to.name, vm.name));
        }
    }

    const Scenario& m_scenario;
    const LabNames& m_lab;
    ScenarioNotes& m_notes;
    std::map<std::string, ns3::Time> m_processStart;
};

} // namespace

void
CheckTimeline(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes)
{
    TimelineChecker(scenario, lab, notes).Check();
}

} // namespace esxnf
