// SPDX-License-Identifier: GPL-2.0-only
// The builder's part that opens capture files.
#include "runner/base/process.h"
#include "runner/base/user-error.h"
#include "runner/simulation/simulation-world.h"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>

namespace esxnf
{

using namespace ns3;

NetDeviceContainer
PhysicalDevices(const Ptr<ns3::Node>& node)
{
    NetDeviceContainer devices;
    for (uint32_t i = 0; i < node->GetNDevices(); ++i)
    {
        if (DynamicCast<CsmaNetDevice>(node->GetDevice(i)))
        {
            devices.Add(node->GetDevice(i));
        }
    }
    return devices;
}

/// Of a frame that enters a port, headers are all that anybody looks at: Ethernet, two VLAN tags,
/// and IPv4 and TCP at their longest are 14 + 8 + 60 + 60 octets.
static constexpr uint32_t PORT_SNAP_LENGTH = 256;

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
        CaptureFile capture;
        capture.kind = "device";
        capture.file = name + ".pcap";
        std::replace(capture.file.begin(), capture.file.end(), ':', '-');
        CaptureDevice(FindDevice(name), capture);
    }
    if (!m_world.options.captureEverything)
    {
        return;
    }
    for (const Ptr<EsxHost>& host : m_world.hosts)
    {
        CaptureHost(host);
    }
    for (const Node& node : m_scenario.nodes)
    {
        const NetDeviceContainer devices = PhysicalDevices(m_world.nodes.at(node.name));
        if (node.kind == NodeKind::Collector && devices.GetN() > 0)
        {
            CaptureFile capture;
            capture.kind = "collector";
            capture.file = node.name + ".pcap";
            capture.node = node.name;
            capture.address = node.address->address;
            capture.udpPort = node.listen;
            CaptureDevice(devices.Get(0), capture);
        }
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
        return PhysicalDevices(m_world.nodes.at(owner)).Get(number);
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
Simulation::Builder::CaptureHost(const Ptr<EsxHost>& host)
{
    for (const Ptr<EsxVSwitch>& vSwitch : host->GetVSwitches())
    {
        for (const Ptr<EsxPort>& port : vSwitch->GetPorts())
        {
            CapturePort(host, vSwitch, port);
        }
        // Ports that appear during the run: VMs that are switched on.
        World* world = &m_world;
        vSwitch->TraceConnectWithoutContext(
            "Connected",
            Callback<void, Ptr<EsxPort>>(
                [world, host = PeekPointer(host), vSwitch = PeekPointer(vSwitch)](
                    Ptr<EsxPort> port) { Builder(*world).CapturePort(host, vSwitch, port); }));
    }
}

void
Simulation::Builder::CapturePort(const Ptr<EsxHost>& host,
                                 const Ptr<EsxVSwitch>& vSwitch,
                                 const Ptr<EsxPort>& port)
{
    CaptureFile capture;
    capture.kind = "port";
    capture.host = host->GetName();
    capture.vSwitch = vSwitch->GetName();
    capture.port = port->GetLocalId();
    capture.isUplink = port->GetKind() == EsxPortKind::UPLINK;
    if (const Ptr<EsxVirtualNetDevice> adapter = port->GetDevice())
    {
        std::ostringstream mac;
        mac << adapter->GetMac();
        capture.mac = mac.str();
    }
    capture.file = fmt::format("{}-{}-{}.pcap", capture.host, capture.vSwitch, capture.port);
    ReserveDescriptors(1);
    m_world.openCaptures[capture.file] =
        m_helper.EnablePcap(m_world.options.directory + "/" + capture.file,
                            vSwitch,
                            capture.port,
                            EsxPcapDirection::INGRESS,
                            true,
                            PORT_SNAP_LENGTH);
    m_world.captures.push_back(capture);
}

void
Simulation::Builder::CaptureDevice(Ptr<NetDevice> device, CaptureFile capture)
{
    const Ptr<PcapFileWrapper> file =
        EsxHostHelper::CreateCapture(m_world.options.directory + "/" + capture.file);
    EsxHostHelper::Capture(device, "PromiscSniffer", file);
    m_world.openCaptures[capture.file] = file;
    m_world.captures.push_back(std::move(capture));
}

void
Simulation::CloseCaptures() const
{
    for (const auto& [name, file] : m_world->openCaptures)
    {
        file->Close();
        if (file->Fail())
        {
            throw UserError(fmt::format("{}: the capture cannot be written whole: is the disk "
                                        "full, or a limit reached?",
                                        name));
        }
    }
    m_world->openCaptures.clear();
}

} // namespace esxnf
