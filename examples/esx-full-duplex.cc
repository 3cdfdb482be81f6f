// SPDX-License-Identifier: GPL-2.0-only
// A full-duplex cable: two streams of 90 Mbit/s in opposite directions over 100 Mbit/s lose
// nothing. Between two servers, without an ESX host: the link is for any ns3::Node.
//
//   +---------------+                                +----------------+
//   | left 10.0.0.1 |===== 100 Mbit/s, full duplex ==| right 10.0.0.2 |
//   +---------------+                                +----------------+
#include "ns3/core-module.h"
#include "ns3/esx-netflow-module.h"
#include "ns3/internet-module.h"

using namespace ns3;

int
main(int argc, char* argv[])
{
    CommandLine cmd(__FILE__);
    cmd.Parse(argc, argv);

    NodeContainer servers;
    servers.Create(2);
    EsxEthernetHelper cable;
    cable.SetDeviceAttribute("DataRate", DataRateValue(DataRate("100Mbps")));
    cable.SetDeviceAttribute("Delay", TimeValue(MicroSeconds(5)));
    const NetDeviceContainer ends = cable.Install(servers);
    EsxRouterHelper::InstallServer(servers);
    EsxRouterHelper::AddInterface(ends.Get(0), {"10.0.0.1", "255.255.255.0"});
    EsxRouterHelper::AddInterface(ends.Get(1), {"10.0.0.2", "255.255.255.0"});
    EsxHostHelper::FillArp(servers);

    EsxUdpCbrOptions stream; // 15 000 datagrams, one each 120 us
    stream.start = Seconds(1);
    stream.stop = Seconds(2.8);
    stream.rate = DataRate("90Mbps");
    stream.packetSize = 1350;
    const EsxTrafficHelper traffic;
    traffic.UdpCbr(servers.Get(0), servers.Get(1), stream);
    traffic.UdpCbr(servers.Get(1), servers.Get(0), stream);

    const Ptr<EsxEthernetChannel> link = EsxEthernetHelper::GetLink(ends.Get(0));
    bool pass = true;
    Simulator::Stop(Seconds(3));
    Simulator::Run();
    for (const std::size_t end : {0, 1})
    {
        const Ptr<EsxEthernetNetDevice> device = link->GetEnd(end);
        std::cout << (end == 0 ? "left" : "right") << " sent " << device->GetSentFrames()
                  << " frames, " << device->GetSentOctets() << " octets, and dropped "
                  << device->GetDropped() << "\n";
        pass = pass && device->GetSentFrames() == 15000 && device->GetDropped() == 0;
    }
    Simulator::Destroy();
    return pass ? 0 : 1;
}
