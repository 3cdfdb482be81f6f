// SPDX-License-Identifier: GPL-2.0-only
// Losses on a full-duplex link to the collector.
#include "netflow-fixture.h"

#include "ns3/double.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/esx-router-helper.h"
#include "ns3/esx-router.h"

using namespace ns3;

namespace
{

/// netflow-fixture's lab with a full-duplex link.
class EthernetLab : public NetflowLab
{
  protected:
    using Move = netflow::Move;

    EthernetLab()
        : NetflowLab("", StringValue(), true)
    {
    }

    Ptr<EsxEthernetNetDevice> End(uint32_t end) const
    {
        return DynamicCast<EsxEthernetNetDevice>(wire.Get(end));
    }

    void SetDown(bool down) const
    {
        EsxEthernetHelper::GetLink(wire.Get(0))->SetDown(down);
    }

    /// Datagrams are sent at 16 s or later, at 41 s and at 71 s.
    void SendThree()
    {
        AddExport();
        Start();
        Send(Seconds(1), 1);
        Send(Seconds(25), 2);
        Send(Seconds(55), 3);
    }

    void ExpectSecondDied(Move cause, const std::string& place)
    {
        ASSERT_EQ(Datagrams().size(), 3U);
        EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
        EXPECT_EQ(Datagrams()[1].fate, cause);
        EXPECT_EQ(Datagrams()[1].place, place);
        EXPECT_EQ(Datagrams()[2].fate, Move::RECEIVED);
    }
};

/// A router to which every packet has DF: ns3's sockets set none.
class DfRouter : public EsxRouter
{
  public:
    bool RouteInput(Input::Packet packet,
                    const Ipv4Header& header,
                    Input::Device device,
                    Input::Unicast forward,
                    Input::Multicast multicast,
                    Input::Local local,
                    Input::Error error) override
    {
        Ipv4Header withDf = header;
        withDf.SetDontFragment();
        return EsxRouter::RouteInput(packet, withDf, device, forward, multicast, local, error);
    }
};

using EsxExportTrackerEthernetTest = LabTest<EthernetLab>;

TEST_F(EsxExportTrackerEthernetTest, ARouterLosesToTheMtuWhatItMayNotFragment)
{
    collectorNode->GetObject<Ipv4>()->SetRoutingProtocol(CreateObject<DfRouter>());
    const Ptr<Node> far = CreateObject<Node>();
    EsxRouterHelper::InstallServer(far);
    const auto link = EsxEthernetHelper().Install(collectorNode, far);
    EsxRouterHelper::AddInterface(link.Get(0), Address("10.1.0.1"));
    EsxRouterHelper::AddInterface(link.Get(1), Address("10.1.0.9"), "10.1.0.1");
    link.Get(0)->SetMtu(99); // a datagram with one record has 100 octets
    esx.AddVmknic(host, "vmk0", "VM Network", Address("10.0.0.5"), "10.0.0.9");
    netflow.Install(host);
    netflow.InstallCollector(far);
    Start("vSwitch0", "10.1.0.9");
    Send(Seconds(1), 1);
    At(Seconds(40), [&link] { link.Get(0)->SetMtu(1500); });
    Send(Seconds(41), 2);
    RunUntil(Seconds(90));
    ASSERT_GE(Datagrams().size(), 2U); // what the router says of it is metered, too
    EXPECT_EQ(Datagrams().front().fate, Move::LOST_MTU);
    EXPECT_EQ(Datagrams().front().place, "node1");
    EXPECT_EQ(Datagrams().back().fate, Move::RECEIVED);
}

TEST_F(EsxExportTrackerEthernetTest, ACutLinkLosesAtTheVSwitchWithoutAnUplink)
{
    SendThree();
    At(Seconds(40), [this] { SetDown(true); });
    At(Seconds(50), [this] { SetDown(false); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_LINK_DOWN, "esx1/vSwitch0");
}

TEST_F(EsxExportTrackerEthernetTest, ADatagramThatIsOnTheLinkWhenItIsCutDiesOfTheCut)
{
    EsxEthernetHelper::GetLink(wire.Get(0))->SetDelay(MilliSeconds(100));
    SendThree();
    unsigned sent = 0;
    End(0)->TraceConnectWithoutContext(
        "PhyTxBegin",
        Callback<void, Ptr<const Packet>>([this, &sent](Ptr<const Packet> frame) {
            if (frame->GetSize() > 100 && ++sent == 2) // an ARP frame has 42 octets
            {
                Simulator::Schedule(MilliSeconds(50), [this] { SetDown(true); });
                Simulator::Schedule(MilliSeconds(60), [this] { SetDown(false); });
            }
        }));
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_LINK_DOWN, "node1");
}

TEST_F(EsxExportTrackerEthernetTest, AnErrorModelLosesToTheChannel)
{
    const auto impairment = CreateObject<EsxLinkImpairment>();
    impairment->Install(End(1));
    SendThree();
    At(Seconds(40), [&impairment] { impairment->SetAttribute("Loss", DoubleValue(1)); });
    At(Seconds(50), [&impairment] { impairment->SetAttribute("Loss", DoubleValue(0)); });
    RunUntil(Seconds(90));
    ExpectSecondDied(Move::LOST_CHANNEL_ERROR, "node1");
}

TEST_F(EsxExportTrackerEthernetTest, AFullQueueLosesToTheDevice)
{
    AddExport();
    Start();
    EsxEthernetHelper::GetLink(wire.Get(0))->SetQueueSize(QueueSize("3p"));
    EsxEthernetHelper::GetLink(wire.Get(0))->SetDataRate(DataRate("1Mbps"));
    Send(Seconds(1), 1);
    Burst(Seconds(20), 101, 300); // ten datagrams at once: one is sent, three wait
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_DEVICE_QUEUE), 6U * 30);
    EXPECT_EQ(Records(Move::RECEIVED), 4U * 30 + 1);
}

} // namespace
