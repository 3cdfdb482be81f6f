// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/export-commands.h"

#include "model/console/esx-options.h"

#include "ns3/esx-shell-line.h"

#include <algorithm>
#include <sstream>

namespace esxnf
{

namespace
{

/// No parameter has a value before the run.
std::string
NoValue(const std::string&)
{
    return "";
}

} // namespace

std::string
BaseName(const std::string& path)
{
    return path.substr(path.rfind('/') + 1);
}

std::vector<ns3::EsxNetNetflowOptions>
FindExportCommands(const std::string& line)
{
    std::vector<ns3::EsxNetNetflowOptions> found;
    for (const auto& pipeline : ns3::EsxShellLine::Parse(line).pipelines)
    {
        // Behind "|" nothing but filters can stand.
        const auto words = ns3::EsxShellLine::Expand(pipeline.commands[0], NoValue);
        const auto wrapper =
            ns3::EsxOptions::Parse(words, ns3::EsxNetNetflowOptions::WRAPPER_OPTIONS);
        if (BaseName(words[0]) != "vmkload_app" || !wrapper.error.empty() || wrapper.Has('h') ||
            wrapper.Get('i') != "vmktcp" || wrapper.operands.empty() ||
            BaseName(wrapper.operands[0]) != "net-netflow")
        {
            continue;
        }
        auto options = ns3::EsxNetNetflowOptions::Parse(wrapper.operands);
        if (options.error.empty() && !options.help)
        {
            found.push_back(std::move(options));
        }
    }
    return found;
}

std::vector<std::string>
UnknownVSwitches(const Host& host, const std::string& names)
{
    std::vector<std::string> unknown;
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');)
    {
        const auto hasName = [&](const VSwitch& vSwitch) { return vSwitch.name == name; };
        if (std::none_of(host.vSwitches.begin(), host.vSwitches.end(), hasName))
        {
            unknown.push_back(name);
        }
    }
    return unknown;
}

} // namespace esxnf
