// SPDX-License-Identifier: GPL-2.0-only
// The builder's part that opens capture files.
#include "runner/base/process.h"
#include "runner/base/user-error.h"
#include "runner/simulation/simulation-world.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

using namespace ns3;

NetDeviceContainer
PhysicalDevices(const Ptr<ns3::Node>& node)
{
    NetDeviceContainer devices;
    for (uint32_t i = 0; i < node->GetNDevices(); ++i)
    {
        if (node->GetDevice(i)->GetChannel())
        {
            devices.Add(node->GetDevice(i));
        }
    }
    return devices;
}

/// Captures of the start; ports that appear later add theirs.
std::size_t
Simulation::Builder::CountCaptures() const
{
    std::size_t count = m_scenario.outputs.pcap.size();
    if (m_world.options.captureEverything)
    {
        count += m_scenario.nodes.size(); // collectors, at most
        for (const Ptr<EsxHost>& host : m_world.hosts)
        {
            for (const Ptr<EsxVSwitch>& vSwitch : host->GetVSwitches())
            {
                count += vSwitch->GetPorts().size();
            }
        }
    }
    return count;
}

void
Simulation::Builder::AddCaptures()
{
    if (const std::size_t count = CountCaptures(); count > 0)
    {
        ReserveDescriptors(count); // ns-3 holds each file open, and aborts when it cannot
    }
    for (const std::string& name : m_scenario.outputs.pcap)
    {
        std::string file = name + ".pcap";
        std::replace(file.begin(), file.end(), ':', '-');
        const auto capture = EsxHostHelper::CreateCapture(m_world.options.directory + "/" + file);
        EsxHostHelper::Capture(FindDevice(name), "PromiscSniffer", capture);
        m_world.openCaptures[file] = capture;
    }
    if (m_world.options.captureEverything)
    {
        m_world.results.EnableCaptures(m_world.options.directory, [] { ReserveDescriptors(1); });
    }
}

void
Simulation::Builder::AnnotateCollectors()
{
    for (const Node& node : m_scenario.nodes)
    {
        const NetDeviceContainer devices = PhysicalDevices(m_world.nodes.at(node.name));
        if (node.kind == NodeKind::Collector && devices.GetN() > 0)
        {
            m_world.annotated[node.name + ".pcapng"] =
                std::make_unique<AnnotatedCapture>(m_world.books.GetLedger(),
                                                   node.name,
                                                   node.address->address,
                                                   node.listen,
                                                   devices.Get(0));
        }
    }
}

/// \param name a link, or an interface as esx1:vmnic0, esx1:vmk0, web1:eth0, nf-collector1:eth0
Ptr<NetDevice>
Simulation::Builder::FindDevice(const std::string& name) const
{
    const auto cable = m_world.cables.find(name);
    if (cable != m_world.cables.end())
    {
        return cable->second->GetDevice(0);
    }
    const std::string owner = name.substr(0, name.find(':'));
    const std::string interface = name.substr(name.find(':') + 1);
    const auto host = m_world.hostsByName.find(owner);
    if (host == m_world.hostsByName.end())
    {
        const std::size_t number = std::stoul(interface.substr(3)); // ethN
        for (const Ptr<EsxHost>& anyHost : m_world.hosts)
        {
            if (const EsxHost::Guest* guest = anyHost->GetGuest(owner))
            {
                return guest->vnics.at(number);
            }
        }
        return FindEnd(owner, interface).first;
    }
    for (const EsxHost::Vmknic& vmknic : host->second->GetVmknics())
    {
        if (vmknic.name == interface)
        {
            return vmknic.device;
        }
    }
    return host->second->GetUplink(interface)->GetDevice();
}

void
Simulation::CloseCaptures() const
{
    std::vector<std::string> failed = m_world->results.CloseCaptures();
    for (const auto& [name, file] : m_world->openCaptures)
    {
        file->Close();
        if (file->Fail())
        {
            failed.push_back(name);
        }
    }
    m_world->openCaptures.clear();
    if (!failed.empty())
    {
        throw UserError(fmt::format("{}: the capture cannot be written whole: is the disk full, "
                                    "or a limit reached?",
                                    failed.front()));
    }
}

} // namespace esxnf
