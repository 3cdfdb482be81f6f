// SPDX-License-Identifier: GPL-2.0-only
// Outbound shaping and power: a guest that may send 256 kbit/s on average sends 1 Mbit/s; at 20 s
// it is switched off, and at 25 s on again, with a new port.
//
//   "esx1"
//   +--------------------------------------+
//   |  bulk 10.0.0.1          sink 10.0.0.2 |
//   |   | "Shaped"              | "VM Network"
//   |  =+=======================+= vSwitch0 |   no uplink
//   +--------------------------------------+
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
    vSwitch->AddPortGroup("Shaped");
    Ptr<EsxPortPolicy> shaped = CreateObject<EsxPortPolicy>();
    shaped->SetAttribute("Shaping", BooleanValue(true));
    shaped->SetAttribute("AverageRate", DataRateValue(DataRate("256kbps")));
    shaped->SetAttribute("PeakRate", DataRateValue(DataRate("512kbps")));
    shaped->SetAttribute("BurstSize", UintegerValue(10000));
    vSwitch->SetPortGroupPolicy("Shaped", shaped);

    const Ipv4Mask mask("255.255.255.0");
    Ptr<Node> bulk = esx.AddVm(host, "bulk");
    Ptr<Node> sink = esx.AddVm(host, "sink");
    esx.AddVnic(host, "bulk", "Shaped", Ipv4InterfaceAddress("10.0.0.1", mask));
    esx.AddVnic(host, "sink", "VM Network", Ipv4InterfaceAddress("10.0.0.2", mask));
    EsxUdpCbrOptions options;
    options.start = Seconds(1);
    options.stop = Seconds(31);
    options.rate = DataRate("1Mbps");
    EsxTrafficHelper().UdpCbr(bulk, sink, options);
    uint64_t octets[31] = {}; // that the vSwitch took, by second
    uint64_t dropped = 0;
    const auto port = [&](uint16_t number) {
        vSwitch->GetPort(number)->TraceConnectWithoutContext(
            "Ingress",
            Callback<void, Ptr<const Packet>>([&](Ptr<const Packet> frame) {
                octets[static_cast<int>(Simulator::Now().GetSeconds()) % 31] += frame->GetSize();
            }));
    };
    port(2);
    vSwitch->TraceConnectWithoutContext("Drop",
                                        Callback<void, Ptr<const Packet>, uint16_t, EsxDropCause>(
                                            [&](Ptr<const Packet>, uint16_t, EsxDropCause cause) {
                                                dropped += cause == EsxDropCause::SHAPING;
                                            }));
    Simulator::Schedule(Seconds(20), [&] { host->PowerOff("bulk"); });
    Simulator::Schedule(Seconds(25), [&] {
        host->PowerOn("bulk");
        port(4); // numbers are not used again
    });
    Simulator::Stop(Seconds(31));
    Simulator::Run();

    std::cout << "kbit/s in the 10th second " << octets[10] * 8 / 1000 << ", off "
              << octets[22] * 8 / 1000 << ", on again " << octets[28] * 8 / 1000 << "; " << dropped
              << " frames dropped\n";
    const auto isAverage = [](uint64_t inSecond) {
        return inSecond * 8 > 240000 && inSecond * 8 < 272000;
    };
    const bool pass =
        isAverage(octets[10]) && octets[22] == 0 && isAverage(octets[28]) && dropped > 0;
    Simulator::Destroy();
    return pass ? 0 : 1;
}
