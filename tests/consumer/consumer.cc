// SPDX-License-Identifier: GPL-2.0-only
// A script outside of the repository, as a user of an installed esx-netflow writes it: a host, two
// guests, and every flow record as it ends. tests/e2e/test_install.py builds and runs it.
#include <ns3/esx-netflow-module.h>
#include <ns3/simulator.h>

#include <iostream>
#include <netflow/flow-record.h>
#include <netflow/ledger.h>

using namespace ns3;

int
main()
{
    const Ipv4Mask mask("255.255.255.0");
    EsxHostHelper esx;
    Ptr<EsxHost> host = esx.CreateHost("esx1");
    esx.AddVSwitch(host, "vSwitch0")->AddPortGroup("VM Network");
    esx.AddVmknic(host, "vmk0", "VM Network", Ipv4InterfaceAddress("10.0.0.5", mask));
    Ptr<Node> a = esx.AddVm(host, "a");
    Ptr<Node> b = esx.AddVm(host, "b");
    esx.AddVnic(host, "a", "VM Network", Ipv4InterfaceAddress("10.0.0.11", mask));
    esx.AddVnic(host, "b", "VM Network", Ipv4InterfaceAddress("10.0.0.12", mask));

    EsxUdpCbrOptions stream;
    stream.start = Seconds(1);
    stream.stop = Seconds(2);
    stream.rate = DataRate("40960bps"); // ten packets of 512 octets
    EsxTrafficHelper().UdpCbr(a, b, stream);
    EsxNetflowHelper().InstallNetNetflow(host, "vSwitch0", "10.0.0.12");
    host->GetObject<EsxNetflow>()->TraceConnectWithoutContext(
        "RecordEnded",
        Callback<void, const netflow::FlowRecord&, netflow::Move>(
            [](const netflow::FlowRecord& record, netflow::Move) {
                if (record.key.destinationPort == 9)
                {
                    std::cout << record.packets << " packets, " << record.octets << " octets\n";
                }
            }));
    EsxLedgerHelper books;
    books.InstallAll();
    Simulator::Stop(Seconds(30));
    Simulator::Run();
    const uint64_t residual = books.GetLedger()->GetResidual().packets;
    Simulator::Destroy();
    return residual == 0 ? 0 : 1;
}
