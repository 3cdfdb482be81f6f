// SPDX-License-Identifier: GPL-2.0-only
#include "tests/scratch-folder.h"

#include "ns3/csma-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-ledger-helper.h"
#include "ns3/esx-netflow-collector.h"
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

/// A lab like that of the script above. \return its ledger, installed at the point of the script
/// that \p first says
Ptr<EsxLedger>
RunLab(bool first)
{
    EsxLedgerHelper books; // a local variable: ledger and expectations live on
    EsxHostHelper esx;
    const Ptr<EsxHost> host = esx.CreateHost("esx1");
    const Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
    vSwitch->AddPortGroup("VM Network");
    NodeContainer collector(1);
    InternetStackHelper().Install(collector);
    if (first)
    {
        books.InstallAll();
    }
    NetDeviceContainer wire =
        CsmaHelper().Install(NodeContainer(host->GetVmkernelNode(), collector.Get(0)));
    host->AddUplink(vSwitch, wire.Get(0));
    Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.9").Assign(wire.Get(1));
    const auto address = [](const char* text) {
        return Ipv4InterfaceAddress(text, Ipv4Mask("/24"));
    };
    esx.AddVm(host, "web");
    esx.AddVm(host, "app");
    esx.AddVnic(host, "web", "VM Network", address("10.0.0.11"));
    esx.AddVnic(host, "app", "VM Network", address("10.0.0.12"));
    esx.AddVmknic(host, "vmk0", "VM Network", address("10.0.0.5"));
    EsxUdpCbrOptions cbr;
    cbr.start = Seconds(1);
    cbr.stop = Seconds(3);
    EsxTrafficHelper().UdpCbr(host->GetGuest("web")->node, host->GetGuest("app")->node, cbr);
    EsxNetflowHelper netflow;
    netflow.InstallCollector(collector.Get(0));
    netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");
    esx.AssignStreams(EsxHostContainer(host), 1);
    if (!first)
    {
        books.InstallAll();
    }
    books.GetExpectations()->AtLeast({"collector.packets.received"}, 200);
    return books.GetLedger();
}

void
RunLabFor30s()
{
    Simulator::Stop(Seconds(30));
    Simulator::Run();
}

double
Measure(const Ptr<EsxLedger>& ledger, const EsxMetric& metric)
{
    return EsxReadMetric(*ledger, metric).counter;
}

std::string
Xml(const Ptr<EsxLedger>& ledger)
{
    std::ostringstream text;
    ledger->SerializeToXmlStream(text);
    return text.str();
}

TEST(EsxLedgerHelperTest, WhatIsMadeAfterTheLedgerIsFoundAllTheSame)
{
    const Ptr<EsxLedger> late = RunLab(true);
    RunLabFor30s();
    const std::string xml = Xml(late);
    EXPECT_EQ(late->GetHosts().size(), 1u);
    EXPECT_EQ(late->GetCollectors().size(), 1u);
    EXPECT_GT(Measure(late, {"collector.packets.received"}), 200);
    EXPECT_EQ(Measure(late, {"netflow.residual"}), 0);
    Simulator::Destroy();
    const Ptr<EsxLedger> early = RunLab(false);
    RunLabFor30s();
    EXPECT_EQ(Xml(early), xml);
    Simulator::Destroy();
}

TEST(EsxLedgerHelperTest, WhatIsMadeDuringTheRunIsFound)
{
    const Ptr<EsxLedger> ledger = RunLab(false);
    Ptr<EsxHost> other;
    EsxHostHelper esx;
    Simulator::Schedule(Seconds(5), [&] {
        other = esx.CreateHost("esx2");
        esx.AddVSwitch(other, "vSwitch0")->AddPortGroup("VMkernel");
        esx.AddVmknic(other, "vmk0", "VMkernel", {"10.0.1.5", "255.255.255.0"});
        EsxNetflowHelper().InstallNetNetflow(other, "vSwitch0", "10.0.1.9");
    });
    RunLabFor30s();
    ASSERT_EQ(ledger->GetHosts().size(), 2u);
    EXPECT_EQ(ledger->GetHosts()[1], other);
    EXPECT_EQ(Measure(ledger, {"netflow.residual"}), 0);
    Simulator::Destroy();
}

TEST(EsxLedgerHelperTest, MetricsAndResultsCanBeReadWhenTheSimulationIsOver)
{
    const std::vector<EsxMetric> metrics = {{"netflow.residual"},
                                            {"netflow.packets.metered"},
                                            {"netflow.packets.metered", "", "esx1", "vSwitch0"},
                                            {"netflow.records.received"},
                                            {"netflow.cache.high_water", "", "esx1"},
                                            {"vswitch.frames.in", "", "esx1"},
                                            {"vmkernel.log.lines", "", "esx1"},
                                            {"collector.records.lost_ratio"},
                                            {"collector.packets.received"},
                                            {"collector.complaints"}};
    const Ptr<EsxLedger> ledger = RunLab(false);
    RunLabFor30s();
    std::vector<double> before;
    for (const EsxMetric& metric : metrics)
    {
        before.push_back(Measure(ledger, metric));
    }
    const std::string collector = EsxNodeName(ledger->GetCollectors().at(0)->GetNode());
    const double ofNode =
        EsxReadMetric(*ledger, {"collector.records.lost_ratio", "", "", "", collector}).base;
    const std::string xml = Xml(ledger);
    Simulator::Destroy();
    for (std::size_t i = 0; i < metrics.size(); ++i)
    {
        EXPECT_EQ(Measure(ledger, metrics[i]), before[i]) << metrics[i].name;
    }
    EXPECT_GT(before[5], 0);
    EXPECT_GT(ofNode, 0);
    EXPECT_EQ(EsxReadMetric(*ledger, {"collector.records.lost_ratio", "", "", "", collector}).base,
              ofNode);
    EXPECT_EQ(Xml(ledger), xml);
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

TEST(EsxCheckDeterministicTest, EmptyTextsProveNothing)
{
    const EsxVerdict verdict = EsxCheckDeterministic([] { return ""; });
    EXPECT_FALSE(verdict.pass);
    EXPECT_EQ(verdict.why, "there is nothing to compare");
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

TEST(EsxLedgerHelperDeathTest, ASimulationHasOneLedger)
{
    const Ptr<EsxLedger> ledger = RunLab(false);
    EsxLedgerHelper second;
    EXPECT_DEATH(second.InstallAll(), "the simulation has a ledger already");
    Simulator::Destroy();
    second.InstallAll(); // of the next simulation
    Simulator::Destroy();
}

TEST(EsxLedgerHelperDeathTest, AMisspeltMetricOrNameIsToldWithWhatWasMeant)
{
    const Ptr<EsxLedger> ledger = RunLab(false);
    EXPECT_DEATH(Measure(ledger, {"netflow.records.droped"}),
                 "unknown metric 'netflow.records.droped'; did you mean 'netflow.records.dropped'");
    EXPECT_DEATH(Measure(ledger, {"netflow.records.dropped", "", "exs1"}),
                 "no host exs1 with NetFlow; did you mean 'esx1'");
    EXPECT_DEATH(Measure(ledger, {"netflow.records.dropped", "", "", "vSwich0"}),
                 "no vSwitch vSwich0; did you mean 'vSwitch0'");
    EXPECT_DEATH(Measure(ledger, {"collector.packets.received", "", "", "", "node99"}),
                 "no collector on node99");
    const auto expectations = CreateObject<EsxExpectations>();
    EXPECT_DEATH(expectations->Conservation(), "expectations need a ledger");
    Simulator::Destroy();
}

} // namespace
