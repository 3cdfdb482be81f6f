// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Any text as lines typed at the service console of a host with two vSwitches: each line ends with
 * an exit status, and what it prints are whole lines.
 */
#include "check.h"

#include "ns3/esx-console.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/simulator.h"

#include <sstream>
#include <string>

namespace
{

void
CheckLines(const std::string& text)
{
    FUZZ_CHECK(text.empty() || text.back() == '\n');
}

void
Type(ns3::EsxConsole& console, const std::string& text)
{
    std::istringstream lines(text);
    std::string line;
    while (std::getline(lines, line))
    {
        const ns3::EsxConsoleResult result = console.Execute(line);
        FUZZ_CHECK(result.exitStatus >= 0 && result.exitStatus <= 255);
        CheckLines(result.output);
        CheckLines(result.errors);
    }
}

} // namespace

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size)
{
    using namespace ns3;
    EsxHostHelper helper;
    Ptr<EsxHost> host = helper.CreateHost("esx1");
    for (const char* name : {"vSwitch0", "vSwitch1"})
    {
        helper.AddVSwitch(host, name)->AddPortGroup(std::string("Group of ") + name);
    }
    helper.AddVmknic(host,
                     "vmk0",
                     "Group of vSwitch0",
                     Ipv4InterfaceAddress(Ipv4Address("10.0.0.5"), Ipv4Mask("/24")));
    EsxNetflowHelper().Install(host);
    const Ptr<EsxConsole> console = CreateObject<EsxConsole>();
    console->SetHost(host);
    console->AddName("collector", Ipv4Address("10.0.0.9"));
    Type(*console, std::string(data, data + size));
    Simulator::Stop(Seconds(2));
    Simulator::Run();
    Simulator::Destroy();
    return 0;
}
