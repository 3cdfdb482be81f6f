// SPDX-License-Identifier: GPL-2.0-only
#include "tests/scratch-folder.h"

#include "ns3/csma-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-ledger-helper.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-address-helper.h"
#include "ns3/simulator.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace ns3;

namespace
{

/// The example esx-first, shorter: what a script does from start to end.
TEST(EsxLedgerHelperTest, ScriptInstallsRunsAndSerializes)
{
    EsxHostHelper esx;
    const Ptr<EsxHost> host = esx.CreateHost("esx1");
    const Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
    vSwitch->AddPortGroup("VM Network");
    NodeContainer collector(1);
    InternetStackHelper().Install(collector);
    NetDeviceContainer wire =
        CsmaHelper().Install(NodeContainer(host->GetVmkernelNode(), collector.Get(0)));
    host->AddUplink(vSwitch, wire.Get(0));
    Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.9").Assign(wire.Get(1));
    const Ptr<Node> web = esx.AddVm(host, "web");
    const Ptr<Node> app = esx.AddVm(host, "app");
    const auto address = [](const char* text) {
        return Ipv4InterfaceAddress(text, Ipv4Mask("/24"));
    };
    esx.AddVnic(host, "web", "VM Network", address("10.0.0.11"));
    esx.AddVnic(host, "app", "VM Network", address("10.0.0.12"));
    esx.AddVmknic(host, "vmk0", "VM Network", address("10.0.0.5"));
    EsxUdpCbrOptions cbr;
    cbr.start = Seconds(1);
    cbr.stop = Seconds(3);
    EsxTrafficHelper().UdpCbr(web, app, cbr);
    EsxNetflowHelper netflow;
    netflow.InstallCollector(collector.Get(0));
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");

    EsxLedgerHelper books;
    EXPECT_FALSE(books.GetLedger());
    const Ptr<EsxLedger> ledger = books.InstallAll();
    EXPECT_EQ(books.GetLedger(), ledger);
    books.GetExpectations()->AtLeast({"collector.packets.received"}, 200);
    Simulator::Stop(Seconds(30));
    Simulator::Run();

    EXPECT_TRUE(books.GetExpectations()->AllPass());
    const esxnf::ScratchFolder scratch;
    const std::string path = scratch.Path("ledger.xml");
    books.SerializeToXmlFile(path);
    std::ifstream file(path);
    std::ostringstream written;
    written << file.rdbuf();
    std::ostringstream expected;
    ledger->SerializeToXmlStream(expected);
    EXPECT_EQ(written.str(), expected.str());
    EXPECT_NE(written.str().find("<Collected packets="), std::string::npos);
    Simulator::Destroy();
}

TEST(EsxCheckDeterministicTest, EqualTextsOfBothRunsPass)
{
    int runs = 0;
    const EsxVerdict verdict = EsxCheckDeterministic([&runs] {
        ++runs;
        return std::string("one\ntwo\n");
    });
    EXPECT_EQ(runs, 2);
    EXPECT_TRUE(verdict.pass);
    EXPECT_EQ(verdict.measured, 0);
}

TEST(EsxCheckDeterministicTest, LinesThatDifferAreCounted)
{
    int runs = 0;
    const EsxVerdict verdict = EsxCheckDeterministic([&runs] {
        return ++runs == 1 ? std::string("one\ntwo\n") : std::string("one\n2\nthree\n");
    });
    EXPECT_FALSE(verdict.pass);
    EXPECT_EQ(verdict.measured, 2);
}

TEST(EsxLedgerHelperDeathTest, WrongOrderIsTold)
{
    EsxLedgerHelper books;
    EXPECT_DEATH(books.GetExpectations(), "InstallAll.. comes first");
    EXPECT_DEATH(books.SerializeToXmlFile("x"), "InstallAll.. comes first");
    books.InstallAll();
    EXPECT_DEATH(books.InstallAll(), "installed already");
    EXPECT_DEATH(books.SerializeToXmlFile("/nonexistent/x.xml"), "cannot write");
    Simulator::Destroy();
}

} // namespace
