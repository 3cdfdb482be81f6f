// SPDX-License-Identifier: GPL-2.0-only
// CheckCommands(): the console lines of a timeline, read as the console will read them.
#include "model/console/esx-options.h"
#include "runner/lab/export-commands.h"
#include "runner/lab/lab-check.h"

#include "ns3/esx-console.h"
#include "ns3/esx-shell-line.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

using Words = std::vector<std::string>;
using ns3::EsxConsole;
using ns3::EsxShellLine;

constexpr const char* MODULE_PATH = "/usr/lib/vmware/vmmod/netflow";

/// One console line.
class LineChecker
{
  public:
    LineChecker(const Scenario& scenario, const Host& host, const TimelineStep& step)
        : m_scenario(scenario),
          m_host(host),
          m_step(step)
    {
    }

    Diagnostics Check()
    {
        const EsxShellLine line = EsxShellLine::Parse(m_step.command);
        for (std::size_t i = 0; i < line.pipelines.size(); ++i)
        {
            const EsxShellLine::Pipeline& pipeline = line.pipelines[i];
            m_decides = i + 1 == line.pipelines.size() && !pipeline.background &&
                        pipeline.when != EsxShellLine::When::IF_BAD;
            for (const EsxShellLine::Command& command : pipeline.commands)
            {
                CheckCommand(EsxShellLine::Expand(command, [](const std::string& name) {
                    return "$" + name; // no parameter has a value before the run
                }));
            }
        }
        return std::move(m_messages);
    }

  private:
    void CheckCommand(const Words& words)
    {
        const std::string name = BaseName(words[0]);
        if (!EsxConsole::HasCommand(words[0]))
        {
            SayUnknown("program", words[0], EsxConsole::GetCommandNames());
        }
        else if (name == "vmkload_mod")
        {
            const auto options = ns3::EsxOptions::Parse(words, "lu:h");
            CheckModule(options.Has('u') ? Words{options.Get('u')} : options.operands);
        }
        else if (name == "vmkload_app")
        {
            CheckProgram(words);
        }
        else if (name == "esxcfg-vswitch" && words.size() == 3 && words[1] == "-d")
        {
            CheckVSwitches(words[2]);
        }
    }

    void CheckModule(const Words& modules)
    {
        for (const std::string& module : modules)
        {
            if (module != "netflow" && module != MODULE_PATH)
            {
                SayUnknown("module", module, {"netflow"});
            }
        }
    }

    void CheckProgram(const Words& words)
    {
        const auto wrapper =
            ns3::EsxOptions::Parse(words, ns3::EsxNetNetflowOptions::WRAPPER_OPTIONS);
        if (!wrapper.error.empty() || wrapper.Has('h') || wrapper.operands.empty())
        {
            return;
        }
        const std::string& program = wrapper.operands[0];
        if (BaseName(program) != "net-netflow" || !EsxConsole::HasCommand(program))
        {
            SayUnknown("program of vmkload_app", program, {"net-netflow"});
            return;
        }
        if (wrapper.Has('i') && wrapper.Get('i') != "vmktcp")
        {
            SayUnknown("TCP/IP stack", wrapper.Get('i'), {"vmktcp"});
        }
        const auto options = ns3::EsxNetNetflowOptions::Parse(wrapper.operands);
        if (options.error.empty() && !options.help)
        {
            CheckVSwitches(options.vSwitches);
        }
    }

    void CheckVSwitches(const std::string& names)
    {
        Words known;
        for (const VSwitch& vSwitch : m_host.vSwitches)
        {
            known.push_back(vSwitch.name);
        }
        for (const std::string& name : UnknownVSwitches(m_host, names))
        {
            SayUnknown("vSwitch of " + m_host.name, name, known);
        }
    }

    void SayUnknown(const std::string& what, const std::string& name, const Words& known)
    {
        const StepExpectation wanted = m_step.expect.value_or(StepExpectation());
        const bool mayFail = wanted.exitIsAny || wanted.exitIsNonzero || wanted.exit.value_or(0);
        m_messages.push_back(m_scenario.At(mayFail     ? Severity::Info
                                           : m_decides ? Severity::Error
                                                       : Severity::Warning,
                                           m_step.path + "/run",
                                           fmt::format("'{}' is no {}; {}{}",
                                                       name,
                                                       what,
                                                       Suggest(name, known),
                                                       mayFail ? " (the line may fail)" : "")));
    }

    const Scenario& m_scenario;
    const Host& m_host;
    const TimelineStep& m_step;
    bool m_decides{false}; //!< the exit status of the line is that of the pipeline looked at
    Diagnostics m_messages;
};

} // namespace

Diagnostics
CheckCommands(const Scenario& scenario)
{
    Diagnostics messages;
    for (const TimelineStep& step : scenario.timeline)
    {
        const auto host = std::find_if(scenario.hosts.begin(),
                                       scenario.hosts.end(),
                                       [&](const Host& h) { return h.name == step.host; });
        if (step.kind == StepKind::Console && host != scenario.hosts.end())
        {
            const Diagnostics more = LineChecker(scenario, *host, step).Check();
            messages.insert(messages.end(), more.begin(), more.end());
        }
    }
    return messages;
}

} // namespace esxnf
