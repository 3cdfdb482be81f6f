// SPDX-License-Identifier: GPL-2.0-only
#include "tests/model/traffic-fixture.h"

#include "ns3/boolean.h"
#include "ns3/esx-tcp-request-server.h"
#include "ns3/esx-tcp-syn-scan.h"
#include "ns3/global-value.h"
#include "ns3/uinteger.h"

using namespace ns3;

namespace
{

class EsxTcpSynScanTest : public TrafficTest
{
  protected:
    void TearDown() override
    {
        GlobalValue::Bind("ChecksumEnabled", BooleanValue(false));
        TrafficTest::TearDown();
    }

    Ptr<EsxTcpSynScan> Scan(const Ptr<Node>& from, const char* to, uint16_t first, uint16_t last)
    {
        const auto scan = CreateObject<EsxTcpSynScan>();
        scan->SetAttribute("Remote", Ipv4AddressValue(to));
        scan->SetAttribute("FirstPort", UintegerValue(first));
        scan->SetAttribute("LastPort", UintegerValue(last));
        scan->SetAttribute("Interval", TimeValue(MilliSeconds(2)));
        scan->SetStartTime(Seconds(1));
        from->AddApplication(scan);
        return scan;
    }

    std::vector<Sent> Syns() const
    {
        std::vector<Sent> syns;
        std::copy_if(m_sent.begin(), m_sent.end(), std::back_inserter(syns), [](const Sent& s) {
            return s.IsFirstSyn();
        });
        return syns;
    }

    size_t Resets() const
    {
        return Count([](const Sent& s) { return s.Has(TcpHeader::RST); });
    }
};

TEST_F(EsxTcpSynScanTest, CoversEachPortOnceAtTheIntervalAndEnds)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    const auto scan = Scan(nodes.Get(0), "10.0.0.2", 100, 199);
    Simulator::Run();

    const auto syns = Syns();
    ASSERT_EQ(syns.size(), 100U);
    EXPECT_EQ(scan->GetSent(), 100U);
    for (size_t i = 0; i < syns.size(); ++i)
    {
        EXPECT_EQ(syns[i].tcp.GetDestinationPort(), 100 + i);
        EXPECT_EQ(syns[i].tcp.GetSourcePort(), 40000);
        EXPECT_EQ(syns[i].ip.GetSource(), Ipv4Address("10.0.0.1"));
        EXPECT_EQ(syns[i].ip.GetPayloadSize(), 20U);
    }
    // The first SYNs wait for ARP.
    EXPECT_EQ(syns.back().at, Seconds(1) + MilliSeconds(2) * 99);
    EXPECT_EQ(Resets(), 100U) << "the target answers each, the scanner none";
}

TEST_F(EsxTcpSynScanTest, EndsAtThePort65535)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    const auto scan = Scan(nodes.Get(0), "10.0.0.2", 65534, 65535);
    Simulator::Run();
    EXPECT_EQ(scan->GetSent(), 2U);
}

TEST_F(EsxTcpSynScanTest, ScannersStackResetsAnOpenPort)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    const auto server = CreateObject<EsxTcpRequestServer>();
    server->SetAttribute("Port", UintegerValue(81));
    nodes.Get(1)->AddApplication(server);
    Scan(nodes.Get(0), "10.0.0.2", 80, 82);
    Simulator::Run();

    EXPECT_EQ(Count([](const Sent& s) {
                  return s.Has(TcpHeader::SYN | TcpHeader::ACK) && s.tcp.GetSourcePort() == 81;
              }),
              1U);
    EXPECT_EQ(Count([](const Sent& s) {
                  return s.Has(TcpHeader::RST) && s.ip.GetSource() == Ipv4Address("10.0.0.1") &&
                         s.tcp.GetDestinationPort() == 81;
              }),
              1U);
    EXPECT_EQ(server->GetAccepted(), 0U);
    EXPECT_EQ(TcpSockets(nodes.Get(1)), 1U) << "the listener alone is left";
}

TEST_F(EsxTcpSynScanTest, RisingSourcePortBeginsAgainAfter65535)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    const auto scan = Scan(nodes.Get(0), "10.0.0.2", 1, 4);
    scan->SetAttribute("SourcePort", UintegerValue(65534));
    scan->SetAttribute("SourcePortRises", BooleanValue(true));
    Simulator::Run();
    std::vector<uint16_t> ports;
    for (const auto& syn : Syns())
    {
        ports.push_back(syn.tcp.GetSourcePort());
    }
    EXPECT_EQ(ports, (std::vector<uint16_t>{65534, 65535, 65534, 65535}));
}

TEST_F(EsxTcpSynScanTest, TargetsAreScannedOneAfterTheOther)
{
    const auto nodes = MakeNodes(3);
    Join(nodes, "10.0.0.0");
    const auto scan = Scan(nodes.Get(0), "10.0.0.2", 7, 8);
    scan->AddRemote("10.0.0.3");
    std::vector<std::pair<Ipv4Address, uint16_t>> probed;
    using Tx = Callback<void, Ipv4Address, uint16_t, uint16_t>;
    scan->TraceConnectWithoutContext("Tx", Tx([&](Ipv4Address target, uint16_t port, uint16_t) {
                                         probed.emplace_back(target, port);
                                     }));
    Simulator::Run();
    const std::vector<std::pair<Ipv4Address, uint16_t>> expected{{"10.0.0.2", 7},
                                                                 {"10.0.0.2", 8},
                                                                 {"10.0.0.3", 7},
                                                                 {"10.0.0.3", 8}};
    EXPECT_EQ(probed, expected);
}

TEST_F(EsxTcpSynScanTest, StopTimeEndsIt)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    const auto scan = Scan(nodes.Get(0), "10.0.0.2", 1, 65535);
    scan->SetStopTime(Seconds(1) + MilliSeconds(20));
    Simulator::Run();
    EXPECT_EQ(scan->GetSent(), 10U);
}

TEST_F(EsxTcpSynScanTest, PortsWithoutARouteAreLeftOutAndCounted)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    const auto scan = Scan(nodes.Get(0), "192.168.7.7", 1, 5);
    Simulator::Run();
    EXPECT_EQ(scan->GetSent(), 0U);
    EXPECT_EQ(scan->GetUnroutable(), 5U);
}

TEST_F(EsxTcpSynScanTest, ChecksumIsRightWhenChecksumsAreOn)
{
    GlobalValue::Bind("ChecksumEnabled", BooleanValue(true));
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    Scan(nodes.Get(0), "10.0.0.2", 1, 20);
    Simulator::Run();
    EXPECT_EQ(Resets(), 20U) << "a SYN with a wrong checksum gets no answer";
}

TEST_F(EsxTcpSynScanTest, ReversedRangeIsTheUsersMistake)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    Scan(nodes.Get(0), "10.0.0.2", 10, 9);
    EXPECT_DEATH(Simulator::Run(), "FirstPort is higher than LastPort");
}

} // namespace
