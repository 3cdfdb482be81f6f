// SPDX-License-Identifier: GPL-2.0-only
// Security policies: a sniffer hears what others say only where its port group accepts promiscuous
// mode, and a guest that forges its source address is not heard where that is rejected.
//
//   "esx1"
//   +-----------------------------------------------------------------+
//   |  a 10.0.0.1      b 10.0.0.2      sniffer          liar           |
//   |   |  "VM Network" |               | "Monitor"      | "Strict"    |
//   |  =+===============+===============+================+= vSwitch0   |   no uplink
//   +-----------------------------------------------------------------+
#include "ns3/core-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

using namespace ns3;

int
main(int argc, char* argv[])
{
    CommandLine cmd(__FILE__);
    cmd.Parse(argc, argv);

    EsxHostHelper esx;
    Ptr<EsxHost> host = esx.CreateHost("esx1");
    Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
    vSwitch->AddPortGroup("VM Network");
    vSwitch->AddPortGroup("Monitor");
    vSwitch->AddPortGroup("Strict");
    Ptr<EsxPortPolicy> monitor = CreateObject<EsxPortPolicy>();
    monitor->SetAttribute("Promiscuous", BooleanValue(true));
    vSwitch->SetPortGroupPolicy("Monitor", monitor);
    Ptr<EsxPortPolicy> strict = CreateObject<EsxPortPolicy>();
    strict->SetAttribute("ForgedTransmits", BooleanValue(false));
    vSwitch->SetPortGroupPolicy("Strict", strict);

    const Ipv4Mask mask("255.255.255.0");
    Ptr<Node> a = esx.AddVm(host, "a");
    Ptr<Node> b = esx.AddVm(host, "b");
    esx.AddVm(host, "sniffer");
    esx.AddVm(host, "liar");
    esx.AddVnic(host, "a", "VM Network", Ipv4InterfaceAddress("10.0.0.1", mask));
    Ptr<EsxVnic> deaf =
        esx.AddVnic(host, "b", "VM Network", Ipv4InterfaceAddress("10.0.0.2", mask));
    Ptr<EsxVnic> ear =
        esx.AddVnic(host, "sniffer", "Monitor", Ipv4InterfaceAddress("10.0.0.3", mask));
    Ptr<EsxVnic> liar = esx.AddVnic(host, "liar", "Strict", Ipv4InterfaceAddress("10.0.0.4", mask));
    ear->SetPromiscuous(true);
    deaf->SetPromiscuous(true); // its port group rejects it

    EsxUdpCbrOptions voice;
    voice.start = Seconds(1);
    voice.stop = Seconds(5);
    EsxTrafficHelper().UdpCbr(a, b, voice);
    Simulator::Schedule(Seconds(2), [liar] {
        liar->SendFrom(Create<Packet>(100),
                       Mac48Address("00:50:56:00:00:99"),
                       Mac48Address::GetBroadcast(),
                       0x0800);
    });
    uint32_t forged = 0;
    vSwitch->TraceConnectWithoutContext(
        "Drop",
        Callback<void, Ptr<const Packet>, uint16_t, EsxDropCause>(
            [&forged](Ptr<const Packet>, uint16_t, EsxDropCause cause) {
                forged += cause == EsxDropCause::FORGED_TRANSMIT;
            }));
    Simulator::Stop(Seconds(6));
    Simulator::Run();

    const uint64_t spoken = vSwitch->GetPort(2)->GetCounters().framesIn;
    const uint64_t heard = vSwitch->GetPort(4)->GetCounters().framesOut;
    std::cout << "a sent " << spoken << " frames, the sniffer was given " << heard
              << "; forged and dropped: " << forged << "\n";
    const bool pass = heard >= spoken && forged == 1;
    Simulator::Destroy();
    return pass ? 0 : 1;
}
