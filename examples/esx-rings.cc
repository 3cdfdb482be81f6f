// SPDX-License-Identifier: GPL-2.0-only
// Rings of vNICs and esxtop: a guest with an old vlance card takes 1 Mbit/s and is sent 4 Mbit/s.
// Its receive ring of 32 frames runs over, which esxtop calls %DRPRX; a guest that sends faster
// than it is waits in its queue disc instead (backpressure).
//
//   "esx1"
//   +--------------------------------------------------+
//   |  sender 10.0.0.1       old 10.0.0.2               |
//   |   |  2 Mbit/s           |  1 Mbit/s, vlance       |
//   |  =+=====================+= vSwitch0               |   no uplink
//   +--------------------------------------------------+
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
    const Ipv4Mask mask("255.255.255.0");
    Ptr<Node> sender = esx.AddVm(host, "sender");
    Ptr<Node> old = esx.AddVm(host, "old");
    Ptr<EsxVnic> fast =
        esx.AddVnic(host, "sender", "VM Network", Ipv4InterfaceAddress("10.0.0.1", mask));
    Ptr<EsxVnic> slow =
        esx.AddVnic(host, "old", "VM Network", Ipv4InterfaceAddress("10.0.0.2", mask));
    slow->SetAttribute("Type", StringValue("Vlance"));
    esx.SetGuestRate(fast, DataRate("2Mbps"));
    esx.SetGuestRate(slow, DataRate("1Mbps"));

    EsxUdpCbrOptions flood;
    flood.start = Seconds(1);
    flood.stop = Seconds(9);
    flood.rate = DataRate("4Mbps");
    EsxTrafficHelper().UdpCbr(sender, old, flood);
    uint64_t overruns = 0;
    uint64_t refused = 0; // at a full transmit ring: the queue disc does not let it come so far
    vSwitch->TraceConnectWithoutContext("Drop",
                                        Callback<void, Ptr<const Packet>, uint16_t, EsxDropCause>(
                                            [&](Ptr<const Packet>, uint16_t, EsxDropCause cause) {
                                                overruns += cause == EsxDropCause::RX_RING;
                                                refused += cause == EsxDropCause::TX_RING;
                                            }));
    EsxTop top(*host);
    Simulator::Stop(Seconds(10));
    Simulator::Run();

    std::cout << EsxTop::Format(top.Sample());
    std::cout << overruns << " frames found a full receive ring, " << refused
              << " a full transmit ring\n";
    const bool pass = overruns > 0 && refused == 0;
    Simulator::Destroy();
    return pass ? 0 : 1;
}
