// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-vlan-header.h"
#include "ns3/node.h"
#include "ns3/simple-channel.h"
#include "ns3/simple-net-device.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

using namespace ns3;

namespace
{

constexpr uint16_t IPV4 = 0x0800;
const Mac48Address NOBODY("02:00:00:00:00:99");

/// A switch of five ports with a station at each, named by its port.
class EsxPhysicalSwitchTest : public ::testing::Test
{
  protected:
    EsxPhysicalSwitchTest()
    {
        node = CreateObject<Node>();
        sw = CreateObject<EsxPhysicalSwitch>();
        node->AggregateObject(sw);
        for (uint16_t number = 1; number <= 5; ++number)
        {
            Ptr<SimpleChannel> channel = CreateObject<SimpleChannel>();
            sw->AddPort(number, Plug(node, channel));
            Ptr<Node> station = CreateObject<Node>();
            stations.push_back(Plug(station, channel));
            station->RegisterProtocolHandler(
                Node::ProtocolHandler([this, number](Ptr<NetDevice>,
                                                     Ptr<const Packet> packet,
                                                     uint16_t protocol,
                                                     const Address&,
                                                     const Address&,
                                                     NetDevice::PacketType) {
                    const bool tagged = protocol == ESX_TPID;
                    heard.push_back(std::to_string(number) +
                                    (tagged ? "/" + std::to_string(EsxReadVlan(packet)) : ""));
                    last = packet;
                }),
                0,
                stations.back(),
                true);
        }
        sw->TraceConnectWithoutContext(
            "Drop",
            Callback<void, Ptr<const Packet>, uint16_t, EsxPhysicalSwitchDrop>(
                [this](Ptr<const Packet>, uint16_t port, EsxPhysicalSwitchDrop cause) {
                    drops.emplace_back(port, cause);
                }));
    }

    void TearDown() override
    {
        last = nullptr;
        Simulator::Destroy();
    }

    static Ptr<SimpleNetDevice> Plug(const Ptr<Node>& node, const Ptr<SimpleChannel>& channel)
    {
        Ptr<SimpleNetDevice> device = CreateObject<SimpleNetDevice>();
        device->SetAddress(Mac48Address::Allocate());
        device->SetChannel(channel);
        node->AddDevice(device);
        return device;
    }

    Ptr<SimpleNetDevice> Station(int number) const
    {
        return stations[number - 1];
    }

    /// \return who heard it: "2 3/101", sorted
    std::string Send(int from, const Address& to, int tag = -1, uint8_t priority = 0)
    {
        heard.clear();
        Ptr<Packet> packet = Create<Packet>(100);
        if (tag >= 0)
        {
            packet->AddHeader(EsxVlanHeader(tag, IPV4, priority));
        }
        Station(from)->Send(packet, to, tag >= 0 ? ESX_TPID : IPV4);
        Simulator::Run();
        std::sort(heard.begin(), heard.end());
        std::string text;
        for (const std::string& name : heard)
        {
            text += (text.empty() ? "" : " ") + name;
        }
        return text;
    }

    std::string SendTo(int from, int to, int tag = -1)
    {
        return Send(from, Station(to)->GetAddress(), tag);
    }

    Ptr<Node> node;
    Ptr<EsxPhysicalSwitch> sw;
    std::vector<Ptr<SimpleNetDevice>> stations;
    std::vector<std::string> heard;
    std::vector<std::pair<uint16_t, EsxPhysicalSwitchDrop>> drops;
    Ptr<const Packet> last;
};

} // namespace

TEST_F(EsxPhysicalSwitchTest, PortIsAnAccessPortOfVlan1UnlessToldOtherwise)
{
    EXPECT_EQ(Send(1, NOBODY), "2 3 4 5") << "unknown: flooded";
    EXPECT_TRUE(sw->IsMember(1, 1));
    EXPECT_FALSE(sw->IsMember(1, 2));
}

TEST_F(EsxPhysicalSwitchTest, LearnsFromSourceAddresses)
{
    Send(2, NOBODY);
    EXPECT_EQ(sw->GetPortOf(Mac48Address::ConvertFrom(Station(2)->GetAddress()), 1), 2u);
    EXPECT_EQ(SendTo(1, 2), "2");
}

TEST_F(EsxPhysicalSwitchTest, AddressThatMovesIsLearnedAnew)
{
    const Address mobile = Station(2)->GetAddress();
    Send(2, NOBODY);
    Station(3)->SendFrom(Create<Packet>(50), mobile, NOBODY, IPV4);
    Simulator::Run();
    EXPECT_EQ(Send(1, mobile), "3");
}

TEST_F(EsxPhysicalSwitchTest, AnAddressThatWasEnteredIsKnownWhileItIsSilentAndMovesWhenItSpeaks)
{
    const Mac48Address silent = Mac48Address::ConvertFrom(Station(3)->GetAddress());
    sw->Enter(silent, *node->GetDevice(2), 0);
    Simulator::Schedule(Hours(1), [] {});
    Simulator::Run();
    EXPECT_EQ(Send(1, silent), "3") << "long after the ageing time";
    Station(4)->SendFrom(Create<Packet>(50), silent, NOBODY, IPV4);
    Simulator::Schedule(Hours(2), [] {});
    Simulator::Run();
    EXPECT_EQ(Send(1, silent), "4");
    sw->SetAccess(5, 20);
    sw->Enter(silent, *node->GetDevice(4), 0);
    EXPECT_EQ(sw->GetPortOf(silent, 20), 5u) << "tables are of one VLAN each";
    EXPECT_EQ(sw->GetPortOf(silent, 1), 4u);
}

TEST_F(EsxPhysicalSwitchTest, AnAddressIsEnteredInAllSwitchesThatItsFramesGetTo)
{
    const auto other = CreateObject<EsxPhysicalSwitch>();
    Station(5)->GetNode()->AggregateObject(other);
    other->AddPort(9, Station(5));
    sw->SetTrunk(5, {1, 20});
    other->SetTrunk(9, {1, 20});
    sw->SetAccess(2, 20);
    const Mac48Address mac = Mac48Address::ConvertFrom(Station(2)->GetAddress());
    sw->Enter(mac, *node->GetDevice(1), 0);
    EXPECT_EQ(other->GetPortOf(mac, 20), 9u);
    EXPECT_EQ(other->GetPortOf(mac, 1), 0u);
    sw->SetAccess(1, 30);
    const Mac48Address apart = Mac48Address::ConvertFrom(Station(1)->GetAddress());
    sw->Enter(apart, *node->GetDevice(0), 0);
    EXPECT_EQ(other->GetPortOf(apart, 30), 0u) << "the trunk is not in its VLAN";
    sw->Enter(NOBODY, *node->GetDevice(0), 20);
    EXPECT_EQ(sw->GetPortOf(NOBODY, 20), 0u) << "nor is the port that it would come in by";
}

TEST_F(EsxPhysicalSwitchTest, ForgetsAfterTheAgeingTime)
{
    sw->SetAttribute("AgeingTime", TimeValue(Seconds(10)));
    Send(2, NOBODY);
    std::string young;
    std::string old;
    Simulator::Schedule(Seconds(10), [&] {
        young = sw->GetPortOf(Mac48Address::ConvertFrom(Station(2)->GetAddress()), 1) == 2 ? "known"
                                                                                           : "";
    });
    Simulator::Schedule(Seconds(10.1), [&] {
        old = sw->GetPortOf(Mac48Address::ConvertFrom(Station(2)->GetAddress()), 1) == 0
                  ? "forgotten"
                  : "";
    });
    Simulator::Run();
    EXPECT_EQ(young, "known");
    EXPECT_EQ(old, "forgotten");
    EXPECT_EQ(SendTo(1, 2), "2 3 4 5");
}

TEST_F(EsxPhysicalSwitchTest, AccessPortsOfDifferentVlansDoNotMeet)
{
    sw->SetAccess(1, 101);
    sw->SetAccess(2, 101);
    EXPECT_EQ(Send(1, Mac48Address::GetBroadcast()), "2");
    EXPECT_EQ(Send(3, Mac48Address::GetBroadcast()), "4 5");
}

TEST_F(EsxPhysicalSwitchTest, TrunkTagsAllButTheNativeVlan)
{
    sw->SetAccess(1, 101);
    sw->SetTrunk(2, {}, 1);
    EXPECT_EQ(Send(1, NOBODY), "2/101");
    EXPECT_EQ(last->GetSize(), 104u);
    EXPECT_EQ(Send(3, NOBODY), "2 4 5") << "native: untagged";
    EXPECT_EQ(Send(2, NOBODY, 101), "1");
    EXPECT_EQ(last->GetSize(), 100u);
    EXPECT_EQ(Send(2, NOBODY), "3 4 5") << "untagged is native";
    EXPECT_EQ(Send(2, NOBODY, 1), "3 4 5") << "and so is the native tag";
}

TEST_F(EsxPhysicalSwitchTest, TrunkCarriesAllowedVlansOnly)
{
    sw->SetTrunk(1, {101, 102}, 1);
    sw->SetTrunk(2, {101}, 101);
    EXPECT_EQ(Send(1, NOBODY, 101), "2") << "its native VLAN";
    EXPECT_EQ(Send(1, NOBODY, 102), "");
    EXPECT_EQ(drops.back().second, EsxPhysicalSwitchDrop::NO_PORT);
    EXPECT_EQ(Send(1, NOBODY, 103), "");
    EXPECT_EQ(drops.back().second, EsxPhysicalSwitchDrop::VLAN);
    EXPECT_EQ(drops.back().first, 1u);
    EXPECT_EQ(Send(1, NOBODY), "") << "the native VLAN is not allowed";
    EXPECT_EQ(drops.back().second, EsxPhysicalSwitchDrop::VLAN);
}

TEST_F(EsxPhysicalSwitchTest, AccessPortTakesTagsOfItsOwnVlanOnly)
{
    EXPECT_EQ(Send(1, NOBODY, 1), "2 3 4 5");
    EXPECT_EQ(Send(1, NOBODY, 0), "2 3 4 5") << "a priority tag is none";
    EXPECT_EQ(Send(1, NOBODY, 7), "");
    EXPECT_EQ(drops.back().second, EsxPhysicalSwitchDrop::VLAN);
}

TEST_F(EsxPhysicalSwitchTest, PriorityOutlivesTheWayThroughTheSwitch)
{
    sw->SetTrunk(1, {});
    sw->SetTrunk(2, {});
    EXPECT_EQ(Send(1, NOBODY, 55, 6), "2/55");
    EsxVlanHeader tag;
    last->PeekHeader(tag);
    EXPECT_EQ(tag.GetPriority(), 6u);
}

TEST_F(EsxPhysicalSwitchTest, LearnsPerVlan)
{
    sw->SetTrunk(1, {});
    sw->SetTrunk(2, {});
    sw->SetTrunk(3, {});
    const Address twin = Station(4)->GetAddress();
    for (int port : {2, 3})
    {
        Ptr<Packet> packet = Create<Packet>(10);
        packet->AddHeader(EsxVlanHeader(100 + port, IPV4));
        Station(port)->SendFrom(packet, twin, NOBODY, ESX_TPID);
        Simulator::Run();
    }
    EXPECT_EQ(Send(1, twin, 102), "2/102");
    EXPECT_EQ(Send(1, twin, 103), "3/103");
}

TEST_F(EsxPhysicalSwitchTest, FrameForItsOwnPortIsFiltered)
{
    const Mac48Address neighbour("02:00:00:00:00:05");
    Station(1)->SendFrom(Create<Packet>(10), neighbour, NOBODY, IPV4);
    Simulator::Run();
    EXPECT_EQ(Send(1, neighbour), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].second, EsxPhysicalSwitchDrop::SAME_PORT);
}

TEST_F(EsxPhysicalSwitchTest, BlockedPortTakesAndGivesNothing)
{
    Send(2, NOBODY);
    sw->SetBlocked(2, true);
    EXPECT_EQ(SendTo(1, 2), "3 4 5") << "what was learned there is forgotten";
    EXPECT_EQ(Send(2, NOBODY), "");
    EXPECT_EQ(drops.back().second, EsxPhysicalSwitchDrop::BLOCKED);
    EXPECT_EQ(sw->GetPortOf(Mac48Address::ConvertFrom(Station(2)->GetAddress()), 1), 0)
        << "nothing is learned, either";
    sw->SetBlocked(2, false);
    EXPECT_EQ(Send(2, NOBODY), "1 3 4 5");
}

TEST_F(EsxPhysicalSwitchTest, PortWithoutLinkIsPassedOver)
{
    Send(2, NOBODY);
    sw->SetDown(2, true);
    EXPECT_EQ(SendTo(1, 2), "3 4 5") << "there may be another way";
    EXPECT_EQ(drops.back().second, EsxPhysicalSwitchDrop::PORT_DOWN);
    EXPECT_EQ(Send(2, NOBODY), "");
    EXPECT_EQ(drops.back().second, EsxPhysicalSwitchDrop::PORT_DOWN);
    sw->SetDown(2, false);
    EXPECT_EQ(SendTo(1, 2), "2");
}

TEST_F(EsxPhysicalSwitchTest, GroupAddressesAreFloodedAndNeverLearned)
{
    const Mac48Address group("01:00:5e:00:00:05");
    Station(1)->SendFrom(Create<Packet>(10), group, NOBODY, IPV4);
    Simulator::Run();
    EXPECT_EQ(Send(2, group), "1 3 4 5");
}

using EsxPhysicalSwitchDeathTest = EsxPhysicalSwitchTest;

TEST_F(EsxPhysicalSwitchDeathTest, MistakesAreToldWithThePort)
{
    EXPECT_DEATH(sw->SetAccess(9, 1), "no port 9");
    EXPECT_DEATH(sw->SetAccess(1, 0), "switch port 1: VLAN 0 is not one of 1 to 4094");
    EXPECT_DEATH(sw->SetTrunk(1, {4095}), "VLAN 4095 is not one of");
    EXPECT_DEATH(sw->AddPort(1, Station(2)), "switch port 1 has a device already");
    EXPECT_DEATH(sw->AddPort(6, nullptr), "switch port 6: no device of a node");
}
