// SPDX-License-Identifier: GPL-2.0-only
// Frames from VM to VM, for bench/switching.sh, which counts instructions inside Simulator::Run():
//   --way=esx     vNIC -> EsxVSwitch -> vNIC, all policies at their defaults
//   --way=bridge  CsmaNetDevice -> BridgeNetDevice -> CsmaNetDevice
//   --way=csma    CsmaNetDevice -> CsmaNetDevice, pairs of nodes
//   --way=ethernet  the same over full-duplex links, EsxEthernetNetDevice
//   --way=none    the sender's event, the packet and the receiving node's part alone
// The nodes have no IP stack: less the cost of "none", what is left is the switching path. Prints
// frames received.
#include "ns3/bridge-helper.h"
#include "ns3/command-line.h"
#include "ns3/csma-helper.h"
#include "ns3/esx-ethernet-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/node-container.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <iostream>
#include <vector>

using namespace ns3;

namespace
{

constexpr uint16_t IPV4 = 0x0800;
constexpr uint32_t OCTETS = 512;

uint64_t g_received = 0;

void
Count(Ptr<NetDevice>,
      Ptr<const Packet>,
      uint16_t,
      const Address&,
      const Address&,
      NetDevice::PacketType)
{
    ++g_received;
}

/// Devices of VMs at one vSwitch.
std::vector<Ptr<NetDevice>>
BuildEsx(const NodeContainer& nodes)
{
    EsxHostHelper helper;
    helper.SetVSwitchAttribute("Ports", UintegerValue(120)); // room for 64 VMs
    const Ptr<EsxHost> host = helper.CreateHost("esx1");
    helper.AddVSwitch(host, "vSwitch0")->AddPortGroup("VM Network");
    std::vector<Ptr<NetDevice>> devices;
    for (uint32_t i = 0; i < nodes.GetN(); ++i)
    {
        const std::string name = "vm" + std::to_string(i);
        host->AddGuest(name, nodes.Get(i));
        devices.push_back(host->AddVnic(name, "VM Network"));
    }
    return devices;
}

/// The same behind a bridge, each at a cable of its own.
std::vector<Ptr<NetDevice>>
BuildBridge(const NodeContainer& nodes)
{
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", StringValue("10Gbps"));
    csma.SetChannelAttribute("Delay", StringValue("500ns"));
    const Ptr<Node> bridge = CreateObject<Node>();
    NetDeviceContainer ports;
    std::vector<Ptr<NetDevice>> devices;
    for (uint32_t i = 0; i < nodes.GetN(); ++i)
    {
        const NetDeviceContainer ends = csma.Install(NodeContainer(nodes.Get(i), bridge));
        devices.push_back(ends.Get(0));
        ports.Add(ends.Get(1));
    }
    BridgeHelper().Install(bridge, ports);
    return devices;
}

/// Pairs of nodes, each at a link of its own.
template <typename Helper>
std::vector<Ptr<NetDevice>>
BuildPairs(const NodeContainer& nodes, const Helper& helper)
{
    std::vector<Ptr<NetDevice>> devices;
    for (uint32_t i = 0; i + 1 < nodes.GetN(); i += 2)
    {
        const NetDeviceContainer ends =
            helper.Install(NodeContainer(nodes.Get(i), nodes.Get(i + 1)));
        devices.insert(devices.end(), ends.Begin(), ends.End());
    }
    return devices;
}

std::vector<Ptr<NetDevice>>
Build(const std::string& way, const NodeContainer& nodes)
{
    if (way == "bridge")
    {
        return BuildBridge(nodes);
    }
    if (way == "csma")
    {
        CsmaHelper csma;
        csma.SetChannelAttribute("DataRate", StringValue("10Gbps"));
        csma.SetChannelAttribute("Delay", StringValue("500ns"));
        return BuildPairs(nodes, csma);
    }
    if (way == "ethernet")
    {
        EsxEthernetHelper ethernet;
        ethernet.SetDeviceAttribute("DataRate", StringValue("10Gbps"));
        ethernet.SetDeviceAttribute("Delay", StringValue("500ns"));
        return BuildPairs(nodes, ethernet);
    }
    return BuildEsx(nodes);
}

/// Each sends to its right-hand neighbour (or within its pair) in turn, at the same total rate
/// whatever their number.
class Senders
{
  public:
    Senders(const std::vector<Ptr<NetDevice>>& devices, uint64_t frames, const std::string& way)
        : m_devices(devices),
          m_frames(frames),
          m_direct(way == "none"),
          m_pairs(way == "csma" || way == "ethernet")
    {
    }

    void Send()
    {
        const std::size_t from = m_sent % m_devices.size();
        const Ptr<NetDevice>& to = m_devices[m_pairs ? from ^ 1 : (from + 1) % m_devices.size()];
        const Ptr<Packet> packet = Create<Packet>(OCTETS);
        const Address address = to->GetAddress();
        if (m_direct)
        {
            const Mac48Address destination = Mac48Address::ConvertFrom(address);
            static_cast<EsxVnic&>(*to).Receive(packet, destination, destination, IPV4);
        }
        else
        {
            m_devices[from]->Send(packet, address, IPV4);
        }
        if (++m_sent < m_frames)
        {
            Simulator::Schedule(MicroSeconds(5), &Senders::Send, this);
        }
    }

  private:
    const std::vector<Ptr<NetDevice>>& m_devices;
    uint64_t m_frames;
    bool m_direct;
    bool m_pairs;
    uint64_t m_sent{0};
};

} // namespace

int
main(int argc, char** argv)
{
    uint32_t vms = 8;
    uint64_t frames = 2000;
    std::string way = "esx";
    CommandLine cmd(__FILE__);
    cmd.AddValue("vms", "VMs", vms);
    cmd.AddValue("frames", "frames to send", frames);
    cmd.AddValue("way", "esx, bridge, csma, ethernet or none", way);
    cmd.Parse(argc, argv);

    NodeContainer nodes(vms);
    const auto devices = Build(way, nodes);
    for (uint32_t i = 0; i < vms; ++i)
    {
        nodes.Get(i)->RegisterProtocolHandler(MakeCallback(&Count), IPV4, devices[i]);
    }
    Senders senders(devices, frames, way);
    Simulator::Schedule(Seconds(1), &Senders::Send, &senders);
    Simulator::Run();
    std::cout << "received " << g_received << '\n';
    Simulator::Destroy();
}
