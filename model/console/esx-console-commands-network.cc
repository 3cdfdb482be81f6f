// SPDX-License-Identifier: GPL-2.0-only
// Commands about the host's network: esxcfg-vswitch, esxcfg-vmknic, esxcfg-nics, vmkping, esxtop.

#include "esx-console-commands.h"
#include "model/console/esx-console-top.h"
#include "model/console/esx-options.h"
#include "model/host/esx-vmkping.h"

#include "ns3/channel.h"
#include "ns3/data-rate.h"
#include "ns3/esx-host.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-table.h"
#include "ns3/ipv4.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <locale>
#include <sstream>

namespace ns3
{

namespace esxconsole
{

namespace
{

/// A cell of a table, padded to a width; at least one blank follows.
std::string
Cell(std::string text, std::size_t width)
{
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
}

std::string
Text(Mac48Address value)
{
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << value;
    return text.str();
}

/// \return false, after a message, unless the only word behind the command is -l
bool
IsListing(Context& context, const EsxWords& words)
{
    if (words.size() == 2 && (words[1] == "-l" || words[1] == "--list"))
    {
        return true;
    }
    context.err(UsageOf(words[0].substr(words[0].rfind('/') + 1)));
    return false;
}

/// Names of a vSwitch's uplinks, separated by commas.
std::string
UplinksOf(const EsxVSwitch& vSwitch)
{
    std::string names;
    for (const Ptr<EsxPort>& port : vSwitch.GetPorts())
    {
        if (port->GetUplink())
        {
            names += (names.empty() ? "" : ",") + port->GetName();
        }
    }
    return names;
}

uint32_t
UsedPorts(const EsxVSwitch& vSwitch, const std::string& portGroup)
{
    uint32_t used = 0;
    for (const Ptr<EsxPort>& port : vSwitch.GetPorts())
    {
        used += port->GetDevice() && port->GetPortGroup() == portGroup ? 1 : 0;
    }
    return used;
}

void
ListVSwitch(Context& context, const EsxVSwitch& vSwitch)
{
    UintegerValue mtu;
    vSwitch.GetAttribute("Mtu", mtu);
    const std::string ports = std::to_string(vSwitch.GetCapacity());
    const std::string uplinks = UplinksOf(vSwitch);
    context.out("Switch Name    Num Ports   Used Ports  Configured Ports  MTU     Uplinks");
    context.out(Cell(vSwitch.GetName(), 15) + Cell(ports, 12) +
                Cell(std::to_string(vSwitch.GetNConnected()), 12) + Cell(ports, 18) +
                Cell(std::to_string(mtu.Get()), 8) + uplinks);
    context.out("");
    context.out("  PortGroup Name        VLAN ID  Used Ports  Uplinks");
    for (const EsxVSwitch::PortGroup& group : vSwitch.GetPortGroups())
    {
        context.out("  " + Cell(group.name, 22) + Cell(std::to_string(group.vlan), 9) +
                    Cell(std::to_string(UsedPorts(vSwitch, group.name)), 12) + uplinks);
    }
    context.out("");
}

int
DeleteVSwitch(Context& context, const std::string& name)
{
    const Ptr<EsxVSwitch> vSwitch = context.host.GetVSwitch(name);
    if (!vSwitch)
    {
        return context.Fail(EXIT_FAILED, "esxcfg-vswitch: no such virtual switch: " + name);
    }
    const Ptr<EsxNetflow> module = context.host.GetObject<EsxNetflow>();
    if (module && module->IsRegistered(vSwitch->GetId()))
    {
        if (context.console.IsStrict())
        {
            return context.Fail(EXIT_FAILED,
                                "esxcfg-vswitch: NetFlow is activated on " + name +
                                    ": kill net-netflow before deleting it");
        }
        context.err("esxcfg-vswitch: WARNING: NetFlow is activated on " + name +
                    ": deleting it may cause ESX Server to become unstable");
    }
    context.host.RemoveVSwitch(name);
    return EXIT_GOOD;
}

/// \return the rate of a device or of its channel in Mbit/s, 0 if it tells none
uint64_t
MegabitsOf(NetDevice& device)
{
    DataRateValue rate(DataRate(0));
    const Ptr<Channel> channel = device.GetChannel();
    if (!device.GetAttributeFailSafe("DataRate", rate) && channel)
    {
        channel->GetAttributeFailSafe("DataRate", rate);
    }
    return rate.Get().GetBitRate() / 1000000;
}

} // namespace

int
EsxcfgVswitch(Context& context, const EsxWords& words)
{
    if (words.size() == 3 && (words[1] == "-d" || words[1] == "--delete"))
    {
        return DeleteVSwitch(context, words[2]);
    }
    if (!IsListing(context, words))
    {
        return EXIT_USAGE;
    }
    for (const Ptr<EsxVSwitch>& vSwitch : context.host.GetVSwitches())
    {
        ListVSwitch(context, *vSwitch);
    }
    return EXIT_GOOD;
}

int
EsxcfgVmknic(Context& context, const EsxWords& words)
{
    if (!IsListing(context, words))
    {
        return EXIT_USAGE;
    }
    context.out("Interface  Port Group          IP Address      Netmask         Broadcast       "
                "MAC Address       MTU     Enabled");
    const Ptr<Ipv4> ipv4 = context.host.GetVmkernelNode()->GetObject<Ipv4>();
    for (const EsxHost::Vmknic& vmknic : context.host.GetVmknics())
    {
        const Ptr<EsxVSwitch> vSwitch = vmknic.device->GetVSwitch();
        const Ptr<EsxPort> port = vSwitch ? vSwitch->GetPort(vmknic.device->GetPortId()) : nullptr;
        const int32_t interface = ipv4 ? ipv4->GetInterfaceForDevice(vmknic.device) : -1;
        const bool hasAddress = interface >= 0 && ipv4->GetNAddresses(interface) > 0;
        const Ipv4InterfaceAddress address =
            hasAddress ? ipv4->GetAddress(interface, 0) : Ipv4InterfaceAddress();
        const bool enabled = hasAddress && ipv4->IsUp(interface) && vSwitch;
        context.out(Cell(vmknic.name, 11) + Cell(port ? port->GetPortGroup() : "", 20) +
                    Cell(hasAddress ? EsxDotted(address.GetLocal()) : "N/A", 16) +
                    Cell(hasAddress ? EsxDotted(address.GetMask().Get()) : "N/A", 16) +
                    Cell(hasAddress ? EsxDotted(address.GetBroadcast()) : "N/A", 16) +
                    Cell(Text(Mac48Address::ConvertFrom(vmknic.device->GetAddress())), 18) +
                    Cell(std::to_string(vmknic.device->GetMtu()), 8) +
                    (enabled ? "true" : "false"));
    }
    return EXIT_GOOD;
}

int
EsxcfgNics(Context& context, const EsxWords& words)
{
    if (!IsListing(context, words))
    {
        return EXIT_USAGE;
    }
    context.out("Name    PCI      Driver      Link Speed    Duplex MTU    Description");
    for (const Ptr<EsxUplink>& uplink : context.host.GetUplinks())
    {
        const Ptr<NetDevice> device = uplink->GetDevice();
        const bool up = uplink->IsLinkUp();
        std::ostringstream pci; // ns-3's device number stands for the bus address (our choice)
        pci.imbue(std::locale::classic());
        pci << "00:" << (device->GetIfIndex() < 16 ? "0" : "") << std::hex << device->GetIfIndex()
            << ".00";
        context.out(Cell(uplink->GetName(), 8) + Cell(pci.str(), 9) + Cell("ns3", 12) +
                    Cell(up ? "Up" : "Down", 5) +
                    Cell(std::to_string(up ? MegabitsOf(*device) : 0) + "Mbps", 9) +
                    Cell(up && device->IsPointToPoint() ? "Full" : "Half", 7) +
                    Cell(std::to_string(device->GetMtu()), 7) +
                    device->GetInstanceTypeId().GetName());
    }
    return EXIT_GOOD;
}

int
Vmkping(Context& context, const EsxWords& words)
{
    constexpr uint64_t MAX_COUNT = 1'000'000;
    constexpr uint64_t MAX_SIZE = 65507; // what an IPv4 packet holds behind IP and ICMP headers
    const EsxOptions options = EsxOptions::Parse(words, "c:s:h");
    uint64_t count = 3;
    uint64_t size = 56;
    std::string error = options.error;
    if (error.empty() && !options.Has('h') && options.operands.size() != 1)
    {
        error = "one host to ping";
    }
    if (error.empty() && !ParseNumber(options.Get('c', "3"), 1, MAX_COUNT, count))
    {
        error = "bad count '" + options.Get('c') + "': 1 to " + std::to_string(MAX_COUNT);
    }
    if (error.empty() && !ParseNumber(options.Get('s', "56"), 0, MAX_SIZE, size))
    {
        error = "bad size '" + options.Get('s') + "': 0 to " + std::to_string(MAX_SIZE) + " octets";
    }
    if (!error.empty())
    {
        context.err("vmkping: " + error);
        return context.Fail(EXIT_USAGE, UsageOf("vmkping"));
    }
    if (options.Has('h'))
    {
        context.out(UsageOf("vmkping"));
        return EXIT_GOOD;
    }
    Ipv4Address address;
    if (!context.console.Resolve(options.operands[0], address))
    {
        return context.Fail(EXIT_FAILED, "vmkping: unknown host " + options.operands[0]);
    }
    if (context.host.GetVmknics().empty())
    {
        return context.Fail(EXIT_FAILED,
                            "vmkping: no VMkernel interface (vmknic): configure the VMkernel "
                            "TCP/IP stack first");
    }
    const Ptr<EsxVmkping> ping = CreateObject<EsxVmkping>();
    context.console.Add(ping, &context.session, context.commandLine);
    context.process = ping;
    ping->Run(
        context.host.GetVmkernelNode(),
        {options.operands[0], address, static_cast<uint32_t>(count), static_cast<uint32_t>(size)});
    return EXIT_GOOD;
}

int
Esxtop(Context& context, const EsxWords& words)
{
    constexpr uint64_t MAX_SCREENS = 1'000'000;
    constexpr uint64_t LEAST_DELAY = 2; // seconds, as the default of 5 documented
    constexpr uint64_t MAX_DELAY = 86'400;
    const EsxOptions options = EsxOptions::Parse(words, "bd:n:h");
    uint64_t delay = 0;
    uint64_t screens = 0;
    std::string error = options.error;
    if (error.empty() && options.Has('h'))
    {
        context.out(UsageOf("esxtop"));
        return EXIT_GOOD;
    }
    if (error.empty() && !options.operands.empty())
    {
        error = "what is '" + options.operands[0] + "'?";
    }
    if (error.empty() && !ParseNumber(options.Get('d', "5"), LEAST_DELAY, MAX_DELAY, delay))
    {
        error = "bad delay '" + options.Get('d') + "': " + std::to_string(LEAST_DELAY) + " to " +
                std::to_string(MAX_DELAY) + " s";
    }
    if (error.empty() && options.Has('n') &&
        !ParseNumber(options.Get('n'), 1, MAX_SCREENS, screens))
    {
        error = "bad number '" + options.Get('n') + "': 1 to " + std::to_string(MAX_SCREENS);
    }
    if (error.empty() && !options.Has('b'))
    {
        error = "there is no screen to draw on: -b prints it line by line";
    }
    if (!error.empty())
    {
        context.err("esxtop: " + error);
        return context.Fail(EXIT_USAGE, UsageOf("esxtop"));
    }
    const Ptr<EsxConsoleTop> top = CreateObject<EsxConsoleTop>();
    context.console.Add(top, &context.session, context.commandLine);
    context.process = top;
    top->Run(&context.host, Seconds(static_cast<double>(delay)), screens);
    return EXIT_GOOD;
}

} // namespace esxconsole

} // namespace ns3
