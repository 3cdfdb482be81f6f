// SPDX-License-Identifier: GPL-2.0-only
#include "tests/model/traffic-fixture.h"

#include "ns3/data-rate.h"
#include "ns3/esx-udp-cbr.h"
#include "ns3/inet-socket-address.h"
#include "ns3/uinteger.h"

using namespace ns3;

namespace
{

class EsxUdpCbrTest : public TrafficTest
{
  protected:
    /// 100 bytes of payload each 100 ms from 1 s to 2 s
    Ptr<EsxUdpCbr> Send(const Ptr<Node>& from, const char* to)
    {
        const auto cbr = CreateObject<EsxUdpCbr>();
        cbr->SetAttribute("Remote", AddressValue(InetSocketAddress(to, 5060)));
        cbr->SetAttribute("DataRate", DataRateValue(DataRate("8kb/s")));
        cbr->SetAttribute("PacketSize", UintegerValue(100));
        cbr->SetStartTime(Seconds(1));
        cbr->SetStopTime(Seconds(2));
        from->AddApplication(cbr);
        return cbr;
    }
};

TEST_F(EsxUdpCbrTest, FirstPacketAtStartLastBeforeStopAllAtEqualDistances)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    const auto cbr = Send(nodes.Get(0), "10.0.0.2");
    Simulator::Run(); // ends by itself: nothing is scheduled after the stop

    std::vector<Sent> sent;
    std::copy_if(m_sent.begin(), m_sent.end(), std::back_inserter(sent), [](const Sent& s) {
        return s.ip.GetProtocol() == 17;
    });
    ASSERT_EQ(sent.size(), 10U);
    EXPECT_EQ(cbr->GetSent(), 10U);
    for (size_t i = 0; i < sent.size(); ++i)
    {
        EXPECT_EQ(sent[i].at, Seconds(1) + MilliSeconds(100) * i) << i;
        EXPECT_EQ(sent[i].ip.GetPayloadSize(), 108U); // with the UDP header
    }
}

TEST_F(EsxUdpCbrTest, DscpIsOnTheWire)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    Send(nodes.Get(0), "10.0.0.2")->SetAttribute("Dscp", UintegerValue(46));
    Simulator::Run();
    EXPECT_EQ(Count([](const Sent& s) { return s.ip.GetTos() == 46 << 2; }), 10U);
}

TEST_F(EsxUdpCbrTest, PacketsWithoutARouteAreCountedAndNotRepeated)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    const auto cbr = Send(nodes.Get(0), "192.168.7.7");
    Simulator::Run();
    EXPECT_EQ(cbr->GetSent(), 0U);
    EXPECT_EQ(cbr->GetRefused(), 10U);
    EXPECT_TRUE(m_sent.empty());
}

TEST_F(EsxUdpCbrTest, RateZeroIsTheUsersMistake)
{
    const auto nodes = MakeNodes(2);
    Join(nodes, "10.0.0.0");
    Send(nodes.Get(0), "10.0.0.2")->SetAttribute("DataRate", DataRateValue(DataRate(0)));
    EXPECT_DEATH(Simulator::Run(), "DataRate must be more than 0");
}

TEST_F(EsxUdpCbrTest, AttributesOutOfRangeAreRefused)
{
    const auto cbr = CreateObject<EsxUdpCbr>();
    EXPECT_FALSE(cbr->SetAttributeFailSafe("PacketSize", UintegerValue(0)));
    EXPECT_FALSE(cbr->SetAttributeFailSafe("PacketSize", UintegerValue(65508)));
    EXPECT_FALSE(cbr->SetAttributeFailSafe("Dscp", UintegerValue(64)));
}

} // namespace
