// SPDX-License-Identifier: GPL-2.0-only
// VLANs of port groups: EST, VST and VGT.
#include "esx-fixture.h"

#include "ns3/esx-vlan-header.h"
#include "ns3/uinteger.h"

using namespace ns3;

namespace
{

const Mac48Address OUTSIDE("02:00:00:00:00:99");

class EsxVSwitchVlanTest : public EsxTest
{
  protected:
    EsxVSwitchVlanTest()
    {
        vSwitch->AddPortGroup("Prod-101", 101);
        vSwitch->AddPortGroup("Prod-102", 102);
        vSwitch->AddPortGroup("Trunk", ESX_VLAN_GUEST);
        vSwitch->SetTap(&tap);
    }

    static Ptr<Packet> Tagged(uint16_t vlan, uint32_t octets = 100)
    {
        Ptr<Packet> packet = Create<Packet>(octets);
        packet->AddHeader(EsxVlanHeader(vlan, IPV4));
        return packet;
    }

    void SendTagged(const Ptr<NetDevice>& from,
                    const Address& to,
                    uint16_t vlan,
                    uint32_t octets = 100)
    {
        from->Send(Tagged(vlan, octets), to, ESX_TPID);
        Simulator::Run();
    }

    /// \return "where" or "where/vlan" for each arrival, sorted; forgets them
    std::string WhereTagged()
    {
        for (Arrival& arrival : arrivals)
        {
            if (arrival.protocol == ESX_TPID)
            {
                arrival.where += "/" + std::to_string(EsxReadVlan(arrival.packet));
            }
        }
        return Where();
    }

    void ExpectDrop(EsxDropCause cause)
    {
        ASSERT_EQ(drops.size(), 1u);
        EXPECT_EQ(drops[0].cause, cause);
        drops.clear();
    }
};

} // namespace

TEST_F(EsxVSwitchVlanTest, EstLeavesFramesUntouched)
{
    auto a = AddVm("a");
    auto station = AddUplink();
    Send(a, OUTSIDE);
    EXPECT_EQ(WhereTagged(), "wire0");
    Send(station, a->GetAddress());
    EXPECT_EQ(WhereTagged(), "a");
}

TEST_F(EsxVSwitchVlanTest, VstTagsOnTheUplinkAndStripsOnDelivery)
{
    auto a = AddVm("a", "Prod-101");
    auto station = AddUplink();
    Send(a, OUTSIDE);
    ASSERT_EQ(arrivals.size(), 1u);
    EXPECT_EQ(arrivals[0].packet->GetSize(), 104u);
    EsxVlanHeader tag;
    arrivals[0].packet->PeekHeader(tag);
    EXPECT_EQ(tag.GetProtocol(), IPV4);
    EXPECT_EQ(WhereTagged(), "wire0/101");
    SendTagged(station, a->GetAddress(), 101);
    ASSERT_EQ(arrivals.size(), 1u);
    EXPECT_EQ(arrivals[0].packet->GetSize(), 100u);
    EXPECT_EQ(arrivals[0].protocol, IPV4);
    EXPECT_EQ(WhereTagged(), "a");
}

TEST_F(EsxVSwitchVlanTest, VmsOfOneVlanMeetUntaggedInsideTheVSwitch)
{
    auto a = AddVm("a", "Prod-101");
    auto b = AddVm("b", "Prod-101");
    AddUplink();
    Send(a, b->GetAddress());
    EXPECT_EQ(WhereTagged(), "b") << "no uplink is touched";
}

TEST_F(EsxVSwitchVlanTest, VmsOfDifferentVlansDoNotMeetInsideTheVSwitch)
{
    auto a = AddVm("a", "Prod-101");
    auto b = AddVm("b", "Prod-102");
    auto station = AddUplink();
    Send(a, b->GetAddress());
    EXPECT_EQ(WhereTagged(), "wire0/101") << "a router outside may know the way";
    SendTagged(station, a->GetAddress(), 102);
    EXPECT_EQ(WhereTagged(), "");
    ExpectDrop(EsxDropCause::UNKNOWN_UNICAST);
}

TEST_F(EsxVSwitchVlanTest, GuestsTagIsDroppedUnderVst)
{
    auto a = AddVm("a", "Prod-101");
    auto b = AddVm("b", "Prod-102");
    AddUplink();
    SendTagged(a, b->GetAddress(), 102);
    EXPECT_EQ(WhereTagged(), "");
    ExpectDrop(EsxDropCause::VLAN);
    EXPECT_TRUE(tap.notes.empty()) << "before the tap";
}

TEST_F(EsxVSwitchVlanTest, GuestsTagIsPayloadUnderEst)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    auto c = AddVm("c", "Prod-101");
    AddUplink();
    SendTagged(a, b->GetAddress(), 101);
    EXPECT_EQ(WhereTagged(), "b/101");
    SendTagged(a, c->GetAddress(), 101);
    EXPECT_EQ(WhereTagged(), "wire0/101") << "no way into a VLAN of the vSwitch";
}

TEST_F(EsxVSwitchVlanTest, EstSeesUntaggedFramesOnly)
{
    auto a = AddVm("a");
    auto station = AddUplink();
    SendTagged(station, a->GetAddress(), 101);
    EXPECT_EQ(WhereTagged(), "");
    ExpectDrop(EsxDropCause::UNKNOWN_UNICAST);
}

TEST_F(EsxVSwitchVlanTest, PriorityTagIsNoVlan)
{
    auto a = AddVm("a");
    auto b = AddVm("b", "Prod-101");
    auto station = AddUplink();
    SendTagged(station, a->GetAddress(), 0);
    EXPECT_EQ(WhereTagged(), "a/0");
    SendTagged(station, b->GetAddress(), 0);
    EXPECT_EQ(WhereTagged(), "");
}

TEST_F(EsxVSwitchVlanTest, VgtLetsGuestsTag)
{
    auto router = AddVm("router", "Trunk");
    auto b = AddVm("b", "Prod-102");
    auto c = AddVm("c");
    auto station = AddUplink();
    SendTagged(router, b->GetAddress(), 102);
    EXPECT_EQ(WhereTagged(), "b") << "stripped for a VST port";
    SendTagged(router, OUTSIDE, 77);
    EXPECT_EQ(WhereTagged(), "wire0/77");
    Send(router, c->GetAddress());
    EXPECT_EQ(WhereTagged(), "c");
    Send(b, router->GetAddress());
    EXPECT_EQ(WhereTagged(), "router/102") << "tagged for a VGT port";
    SendTagged(station, router->GetAddress(), 77);
    EXPECT_EQ(WhereTagged(), "router/77");
    Send(station, router->GetAddress());
    EXPECT_EQ(WhereTagged(), "router");
}

TEST_F(EsxVSwitchVlanTest, Vlan4095IsNoneOnTheWire)
{
    auto router = AddVm("router", "Trunk");
    auto station = AddUplink();
    SendTagged(router, OUTSIDE, 4095);
    SendTagged(station, router->GetAddress(), 4095);
    EXPECT_EQ(WhereTagged(), "");
    EXPECT_EQ(vSwitch->GetTotals().Drops(EsxDropCause::VLAN), 2u);
}

TEST_F(EsxVSwitchVlanTest, BroadcastStaysInItsVlan)
{
    auto a = AddVm("a", "Prod-101");
    AddVm("b", "Prod-101");
    AddVm("c", "Prod-102");
    AddVm("d");
    AddVm("router", "Trunk");
    auto station = AddUplink();
    Send(a, Mac48Address::GetBroadcast());
    EXPECT_EQ(WhereTagged(), "b router/101 wire0/101");
    SendTagged(station, Mac48Address::GetBroadcast(), 102);
    EXPECT_EQ(WhereTagged(), "c router/102");
    Send(station, Mac48Address("01:00:5e:00:00:05"));
    EXPECT_EQ(WhereTagged(), "d router");
}

TEST_F(EsxVSwitchVlanTest, FrameOfAVlanWithoutPortGroupIsDroppedAtTheUplink)
{
    Ptr<EsxVSwitch> second = host->AddVSwitch("vSwitch1");
    second->AddPortGroup("Only-7", 7);
    auto station = AddUplink();
    const Ptr<NetDevice> nic = host->GetUplink("vmnic0")->GetDevice();
    vSwitch->Disconnect(host->GetUplink("vmnic0")->GetPortId());
    host->AddUplink(second, nic);
    second->SetTap(&tap);
    SendTagged(station, OUTSIDE, 8);
    Send(station, OUTSIDE);
    EXPECT_EQ(second->GetTotals().Drops(EsxDropCause::VLAN), 2u);
    EXPECT_TRUE(tap.notes.empty()) << "before the tap";
    SendTagged(station, OUTSIDE, 7);
    EXPECT_EQ(tap.notes.size(), 1u);
}

TEST_F(EsxVSwitchVlanTest, TagsCountNeitherAsOctetsNorAgainstTheMtu)
{
    auto router = AddVm("router", "Trunk");
    auto a = AddVm("a", "Prod-101");
    AddUplink();
    SendTagged(router, OUTSIDE, 5, 1500);
    EXPECT_EQ(WhereTagged(), "wire0/5");
    Send(a, OUTSIDE, 1500);
    EXPECT_EQ(WhereTagged(), "wire0/101");
    SendTagged(router, OUTSIDE, 5, 1501);
    ExpectDrop(EsxDropCause::OVERSIZE);
    const EsxPortCounters uplink = Counters(host->GetUplink("vmnic0")->GetPortId());
    EXPECT_EQ(uplink.octetsOut, 3000u);
    EXPECT_EQ(Counters(router->GetPortId()).octetsIn, 3001u);
    EXPECT_EQ(Counters(router->GetPortId()).octetsAccepted, 1500u);
}

TEST_F(EsxVSwitchVlanTest, PortTellsItsVlan)
{
    EXPECT_EQ(vSwitch->GetPort(AddVm("a")->GetPortId())->GetVlan(), 0u);
    EXPECT_EQ(vSwitch->GetPort(AddVm("b", "Prod-102")->GetPortId())->GetVlan(), 102u);
    EXPECT_EQ(vSwitch->GetPort(AddVm("c", "Trunk")->GetPortId())->GetVlan(), ESX_VLAN_GUEST);
}

TEST(EsxVlanHeaderTest, KeepsVlanProtocolAndPriority)
{
    Ptr<Packet> packet = Create<Packet>(10);
    packet->AddHeader(EsxVlanHeader(4094, 0x0806, 7));
    EXPECT_EQ(EsxReadVlan(packet), 4094u);
    EsxVlanHeader tag;
    EXPECT_EQ(packet->RemoveHeader(tag), 4u);
    EXPECT_EQ(tag.GetVlan(), 4094u);
    EXPECT_EQ(tag.GetProtocol(), 0x0806u);
    EXPECT_EQ(tag.GetPriority(), 7u);
    EXPECT_EQ(EsxReadVlan(Create<Packet>(1)), 0u) << "too short for a tag";
}
