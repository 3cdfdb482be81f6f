// SPDX-License-Identifier: GPL-2.0-only
// Losses at a physical switch on the way to the collector.
#include "netflow-fixture.h"

#include "ns3/esx-physical-switch.h"

using namespace ns3;
using netflow::Move;

namespace
{

/// vmk1 in VLAN 101 of a second vSwitch; its uplink is port 1 of a switch, the collector's second
/// NIC port 2.
class EsxExportTrackerSwitchTest : public NetflowTest
{
  protected:
    EsxExportTrackerSwitchTest()
    {
        const Ptr<EsxVSwitch> export1 = esx.AddVSwitch(host, "export");
        export1->AddPortGroup("Export", 101);
        const Ptr<Node> node = CreateObject<Node>();
        physicalSwitch = CreateObject<EsxPhysicalSwitch>();
        node->AggregateObject(physicalSwitch);
        const NetDeviceContainer toHost =
            csma.Install(NodeContainer(host->GetVmkernelNode(), node));
        const NetDeviceContainer toCollector = csma.Install(NodeContainer(collectorNode, node));
        host->AddUplink(export1, toHost.Get(0));
        physicalSwitch->AddPort(1, toHost.Get(1));
        physicalSwitch->AddPort(2, toCollector.Get(1));
        physicalSwitch->SetTrunk(1, {101});
        physicalSwitch->SetAccess(2, 101);
        Ipv4AddressHelper("10.0.9.0", "255.255.255.0", "0.0.0.9").Assign(toCollector.Get(0));
        AddVmknic();
        esx.AddVmknic(host, "vmk1", "Export", Address("10.0.9.5"));
        AddCollector();
        netflow.Install(host);
        Start("vSwitch0", "10.0.9.9");
        Send(Seconds(1), 1);
        Send(Seconds(25), 2);
    }

    /// \param place of the second datagram's end, empty: the switch
    void ExpectFates(Move second, std::string place = "")
    {
        place = place.empty() ? EsxNodeName(physicalSwitch->GetObject<Node>()) : place;
        RunUntil(Seconds(60));
        ASSERT_EQ(Datagrams().size(), 2u);
        EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
        EXPECT_EQ(Datagrams()[1].fate, second);
        if (second != Move::RECEIVED)
        {
            EXPECT_EQ(Datagrams()[1].place, place);
        }
    }

    Ptr<EsxPhysicalSwitch> physicalSwitch;
};

} // namespace

TEST_F(EsxExportTrackerSwitchTest, ExportCrossesATrunk)
{
    ExpectFates(Move::RECEIVED);
}

TEST_F(EsxExportTrackerSwitchTest, TrunkThatLosesTheVlanIsTheCause)
{
    At(Seconds(40), [this] { physicalSwitch->SetTrunk(1, {102}); });
    ExpectFates(Move::LOST_VLAN);
}

TEST_F(EsxExportTrackerSwitchTest, NoOtherPortInTheVlanIsTheCause)
{
    At(Seconds(40), [this] { physicalSwitch->SetAccess(2, 7); });
    ExpectFates(Move::LOST_VLAN);
}

TEST_F(EsxExportTrackerSwitchTest, VlanThatAnotherHostIsNotInIsTheCauseIfNobodyElseGetsIt)
{
    const Ptr<EsxHost> other = esx.CreateHost("esx2");
    const Ptr<EsxVSwitch> second = esx.AddVSwitch(other, "vSwitch0");
    second->AddPortGroup("VM Network", 102);
    const NetDeviceContainer toOther =
        csma.Install(NodeContainer(other->GetVmkernelNode(), physicalSwitch->GetObject<Node>()));
    other->AddUplink(second, toOther.Get(0));
    physicalSwitch->AddPort(3, toOther.Get(1));
    physicalSwitch->SetTrunk(3, {101, 102});
    At(Seconds(40),
       [this] { physicalSwitch->SetAccess(2, 7); }); // what is flooded goes to esx2 only
    ExpectFates(Move::LOST_VLAN, "esx2/vSwitch0");
}

TEST_F(EsxExportTrackerSwitchTest, PortThatASpanningTreeBlocksIsTheNetwork)
{
    At(Seconds(40), [this] { physicalSwitch->SetBlocked(1, true); });
    ExpectFates(Move::LOST_NETWORK);
}

TEST_F(EsxExportTrackerSwitchTest, PortWithoutLinkIsACutLink)
{
    At(Seconds(40), [this] { physicalSwitch->SetDown(1, true); });
    ExpectFates(Move::LOST_LINK_DOWN);
}

TEST_F(EsxExportTrackerSwitchTest, CollectorsPortWithoutLinkIsACutLink)
{
    At(Seconds(40), [this] { physicalSwitch->SetDown(2, true); });
    ExpectFates(Move::LOST_LINK_DOWN);
}
