// SPDX-License-Identifier: GPL-2.0-only
// Teaming of uplinks: load balancing, failover, failback, notification, reverse filter.
#include "esx-fixture.h"

#include "ns3/boolean.h"
#include "ns3/esx-vlan-header.h"
#include "ns3/ipv4-header.h"

using namespace ns3;

namespace
{

const Mac48Address OUTSIDE("02:00:00:00:00:99");
constexpr uint16_t RARP = 0x8035;

class EsxVSwitchTeamingTest : public EsxTest
{
  protected:
    /// Uplinks first, so that vmnicN has local port N + 2 and the guests follow.
    void AddUplinks(int n)
    {
        for (int i = 0; i < n; ++i)
        {
            stations.push_back(AddUplink());
        }
        vSwitch->SetTap(&tap);
    }

    static Ptr<EsxPortPolicy> Policy(const std::string& teaming,
                                     const std::string& active = "",
                                     const std::string& standby = "")
    {
        Ptr<EsxPortPolicy> policy = CreateObject<EsxPortPolicy>();
        policy->SetAttribute("Teaming", StringValue(teaming));
        policy->SetAttribute("ActiveUplinks", StringValue(active));
        policy->SetAttribute("StandbyUplinks", StringValue(standby));
        return policy;
    }

    void SetDown(const std::string& uplink, bool down)
    {
        host->GetUplink(uplink)->SetDown(down);
        Simulator::Run();
        arrivals.clear(); // notifications
    }

    /// \return where a frame from a guest to outside comes out
    std::string WayOut(const Ptr<EsxVnic>& vnic)
    {
        Send(vnic, OUTSIDE);
        return Where();
    }

    std::string SendIp(const Ptr<EsxVnic>& vnic, const std::string& from, const std::string& to)
    {
        Ipv4Header header;
        header.SetSource(Ipv4Address(from.c_str()));
        header.SetDestination(Ipv4Address(to.c_str()));
        Ptr<Packet> packet = Create<Packet>(100);
        packet->AddHeader(header);
        vnic->Send(packet, OUTSIDE, IPV4);
        Simulator::Run();
        return Where();
    }

    std::vector<Ptr<SimpleNetDevice>> stations;
};

} // namespace

TEST_F(EsxVSwitchTeamingTest, OriginatingPortIdSpreadsPortsOverUplinks)
{
    AddUplinks(2);
    auto a = AddVm("a"); // local port 4
    auto b = AddVm("b");
    auto c = AddVm("c");
    EXPECT_EQ(WayOut(a), "wire0");
    EXPECT_EQ(WayOut(b), "wire1");
    EXPECT_EQ(WayOut(c), "wire0");
    EXPECT_EQ(WayOut(a), "wire0") << "whatever it sends";
}

TEST_F(EsxVSwitchTeamingTest, VmToVmNeverTouchesAnUplink)
{
    AddUplinks(2);
    auto a = AddVm("a");
    auto b = AddVm("b");
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b");
    for (const char* name : {"vmnic0", "vmnic1"})
    {
        EXPECT_EQ(Counters(host->GetUplink(name)->GetPortId()).framesOut, 0u);
    }
}

TEST_F(EsxVSwitchTeamingTest, FailoverMovesOnlyThePortsOfTheFailedUplink)
{
    AddUplinks(3);
    std::vector<Ptr<EsxVnic>> vms;
    std::vector<std::string> before;
    for (const char* name : {"a", "b", "c", "d"})
    {
        vms.push_back(AddVm(name));
    }
    for (const auto& vm : vms)
    {
        before.push_back(WayOut(vm));
    }
    SetDown("vmnic0", true);
    for (std::size_t i = 0; i < vms.size(); ++i)
    {
        EXPECT_EQ(WayOut(vms[i]), before[i] == "wire0" ? "wire1" : before[i]);
    }
}

TEST_F(EsxVSwitchTeamingTest, FailbackReturnsToThePreferredUplink)
{
    AddUplinks(2);
    auto a = AddVm("a");
    SetDown("vmnic0", true);
    EXPECT_EQ(WayOut(a), "wire1");
    SetDown("vmnic0", false);
    EXPECT_EQ(WayOut(a), "wire0");
}

TEST_F(EsxVSwitchTeamingTest, WithoutFailbackAnUplinkComesBackOnlyWhenNeeded)
{
    AddUplinks(2);
    auto a = AddVm("a");
    vSwitch->SetPolicy(CreateObjectWithAttributes<EsxPortPolicy>("Failback", BooleanValue(false)));
    SetDown("vmnic0", true);
    SetDown("vmnic0", false);
    EXPECT_EQ(WayOut(a), "wire1");
    SetDown("vmnic1", true);
    EXPECT_EQ(WayOut(a), "wire0") << "the other one failed";
    SetDown("vmnic1", false);
    EXPECT_EQ(WayOut(a), "wire0");
}

TEST_F(EsxVSwitchTeamingTest, StandbyUplinkIsUsedWhenNoActiveOneIsUp)
{
    AddUplinks(3);
    auto a = AddVm("a");
    auto b = AddVm("b");
    vSwitch->SetPolicy(Policy("PortId", "vmnic0,vmnic1", "vmnic2"));
    SetDown("vmnic0", true);
    EXPECT_EQ(WayOut(a), "wire1");
    EXPECT_EQ(WayOut(b), "wire1");
    SetDown("vmnic1", true);
    EXPECT_EQ(WayOut(a), "wire2");
    SetDown("vmnic2", true);
    EXPECT_EQ(WayOut(a), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::NO_UPLINK);
}

TEST_F(EsxVSwitchTeamingTest, ExplicitFailoverUsesTheFirstOfTheOrder)
{
    AddUplinks(3);
    auto a = AddVm("a");
    auto b = AddVm("b");
    vSwitch->SetPolicy(Policy("Explicit", "vmnic2,vmnic0", "vmnic1"));
    EXPECT_EQ(WayOut(a), "wire2");
    EXPECT_EQ(WayOut(b), "wire2");
    SetDown("vmnic2", true);
    EXPECT_EQ(WayOut(a), "wire0");
    SetDown("vmnic0", true);
    EXPECT_EQ(WayOut(b), "wire1");
}

TEST_F(EsxVSwitchTeamingTest, SourceMacHashFollowsTheSourceAddress)
{
    AddUplinks(2);
    auto a = AddVm("a");
    vSwitch->SetPolicy(Policy("MacHash"));
    for (int last : {0x10, 0x11, 0x12, 0x13})
    {
        uint8_t octets[6] = {2, 0, 0, 0, 0, static_cast<uint8_t>(last)};
        Mac48Address source;
        source.CopyFrom(octets);
        a->SendFrom(Create<Packet>(100), source, OUTSIDE, IPV4);
        Simulator::Run();
        EXPECT_EQ(Where(), "wire" + std::to_string(last % 2));
    }
}

TEST_F(EsxVSwitchTeamingTest, IpHashIsSourceXorDestinationModuloUplinks)
{
    AddUplinks(2);
    auto a = AddVm("a");
    vSwitch->SetPolicy(Policy("IpHash"));
    EXPECT_EQ(SendIp(a, "10.0.0.1", "10.0.0.3"), "wire0"); // 1 ^ 3 = 2
    EXPECT_EQ(SendIp(a, "10.0.0.1", "10.0.0.4"), "wire1"); // 1 ^ 4 = 5
    EXPECT_EQ(SendIp(a, "10.0.0.2", "10.0.0.4"), "wire0"); // 2 ^ 4 = 6
    SetDown("vmnic0", true);
    EXPECT_EQ(SendIp(a, "10.0.0.1", "10.0.0.3"), "wire1");
}

TEST_F(EsxVSwitchTeamingTest, IpHashTakesWhateverIsThereInOtherFrames)
{
    AddUplinks(2);
    auto a = AddVm("a");
    vSwitch->SetPolicy(Policy("IpHash"));
    uint8_t octets[20] = {};
    octets[15] = 1;
    a->Send(Create<Packet>(octets, 20), OUTSIDE, 0x0806);
    a->Send(Create<Packet>(octets, 16), OUTSIDE, 0x0806); // too short: the rest counts as 0
    octets[19] = 1;
    a->Send(Create<Packet>(octets, 20), OUTSIDE, 0x0806);
    Simulator::Run();
    EXPECT_EQ(Where(), "wire0 wire1 wire1");
}

TEST_F(EsxVSwitchTeamingTest, IpHashDropsWhatComesOverAnInactiveUplink)
{
    AddUplinks(2);
    auto a = AddVm("a");
    vSwitch->SetPolicy(Policy("IpHash", "vmnic0", "vmnic1"));
    Send(stations[1], a->GetAddress());
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::INACTIVE_UPLINK);
    Send(stations[0], a->GetAddress());
    EXPECT_EQ(Where(), "a");
}

TEST_F(EsxVSwitchTeamingTest, UnicastComesInOverEveryUplinkOfTheTeam)
{
    AddUplinks(3);
    auto a = AddVm("a");
    vSwitch->SetPolicy(Policy("PortId", "vmnic0", "vmnic1"));
    Send(stations[0], a->GetAddress());
    Send(stations[1], a->GetAddress());
    EXPECT_EQ(Where(), "a a");
    Send(stations[2], a->GetAddress());
    EXPECT_EQ(Where(), "") << "an unused uplink";
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::INACTIVE_UPLINK);
}

TEST_F(EsxVSwitchTeamingTest, PortGroupHasATeamOfItsOwn)
{
    vSwitch->AddPortGroup("Backup");
    AddUplinks(2);
    auto a = AddVm("a");
    auto b = AddVm("b", "Backup");
    auto c = AddVm("c", "Backup");
    vSwitch->SetPortGroupPolicy("Backup", Policy("Explicit", "vmnic1", "vmnic0"));
    EXPECT_EQ(WayOut(a), "wire0");
    EXPECT_EQ(WayOut(b), "wire1");
    EXPECT_EQ(WayOut(c), "wire1");
}

TEST_F(EsxVSwitchTeamingTest, BroadcastLeavesByOneUplink)
{
    AddUplinks(2);
    auto a = AddVm("a");
    AddVm("b");
    Send(a, Mac48Address::GetBroadcast());
    EXPECT_EQ(Where(), "b wire0");
}

TEST_F(EsxVSwitchTeamingTest, ReverseFilterDropsOwnFramesThatComeBack)
{
    AddUplinks(2);
    auto a = AddVm("a");
    AddVm("b");
    stations[1]->SendFrom(Create<Packet>(100), a->GetAddress(), Mac48Address::GetBroadcast(), IPV4);
    Simulator::Run();
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::REVERSE_FILTER);
    ASSERT_EQ(tap.notes.size(), 1u);
    EXPECT_EQ(tap.notes[0].output, 0u);
}

TEST_F(EsxVSwitchTeamingTest, ReverseFilterDeliversABroadcastOverTwoUplinksOnce)
{
    AddUplinks(2);
    AddVm("a");
    AddVm("b");
    for (const auto& station : stations)
    {
        station->SendFrom(Create<Packet>(100), OUTSIDE, Mac48Address::GetBroadcast(), IPV4);
    }
    Simulator::Run();
    EXPECT_EQ(Where(), "a b");
    EXPECT_TRUE(drops.empty()) << "each uplink had a receiver";
}

TEST_F(EsxVSwitchTeamingTest, ReverseFilterTellsABroadcastThatNobodyTook)
{
    AddUplinks(2);
    AddVm("a"); // uses vmnic0
    Send(stations[1], Mac48Address::GetBroadcast());
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::REVERSE_FILTER);
}

TEST_F(EsxVSwitchTeamingTest, FailoverNotifiesPhysicalSwitches)
{
    vSwitch->AddPortGroup("Prod-101", 101);
    AddUplinks(2);
    auto a = AddVm("a", "Prod-101");
    Simulator::Run();
    tap.notes.clear();
    host->GetUplink("vmnic0")->SetDown(true);
    Simulator::Run();
    ASSERT_EQ(arrivals.size(), 1u);
    EXPECT_EQ(arrivals[0].where, "wire1");
    EXPECT_EQ(arrivals[0].protocol, ESX_TPID) << "in the VLAN of the port";
    Ptr<Packet> frame = arrivals[0].packet->Copy();
    EsxVlanHeader tag;
    frame->RemoveHeader(tag);
    EXPECT_EQ(tag.GetVlan(), 101u);
    EXPECT_EQ(tag.GetProtocol(), RARP);
    uint8_t octets[28];
    ASSERT_EQ(frame->CopyData(octets, 28), 28u);
    EXPECT_EQ(octets[7], 3u) << "request reverse";
    uint8_t address[6];
    a->GetMac().CopyTo(address);
    EXPECT_TRUE(std::equal(address, address + 6, octets + 18));
    EXPECT_TRUE(tap.notes.empty()) << "it enters no port";
}

TEST_F(EsxVSwitchTeamingTest, ConnectionDuringTheRunNotifiesPhysicalSwitches)
{
    AddUplinks(1);
    auto a = AddVm("a");
    Simulator::Run();
    EXPECT_EQ(Where(), "") << "not before the run";
    vSwitch->Disconnect(a->GetPortId());
    vSwitch->Connect(a, "VM Network", "a.eth0");
    Simulator::Run();
    ASSERT_EQ(arrivals.size(), 1u);
    EXPECT_EQ(arrivals[0].protocol, RARP);
}

TEST_F(EsxVSwitchTeamingTest, AConfiguredMacThatChangesIsNotified)
{
    AddUplinks(1);
    auto a = AddVm("a");
    Simulator::Run();
    EXPECT_EQ(Where(), "");
    a->SetConfiguredMac("00:50:56:00:00:07");
    Simulator::Run();
    ASSERT_EQ(arrivals.size(), 1u);
    EXPECT_EQ(arrivals[0].protocol, RARP);
    uint8_t octets[14];
    arrivals[0].packet->CopyData(octets, sizeof(octets));
    EXPECT_EQ(octets[13], 7) << "the new address is told";
}

TEST_F(EsxVSwitchTeamingTest, AVnicCanBePluggedInWithItsMac)
{
    AddUplinks(1);
    AddVm("a");
    Simulator::Run();
    const auto second =
        CreateObjectWithAttributes<EsxVnic>("Address", Mac48AddressValue("00:50:56:00:00:08"));
    host->AddVnic("a", "VM Network", second);
    EXPECT_EQ(second->GetMac(), Mac48Address("00:50:56:00:00:08"));
    EXPECT_EQ(second->GetConfiguredMac(), second->GetMac());
    Simulator::Run();
    ASSERT_EQ(arrivals.size(), 1u) << "one notification, with that address";
    uint8_t octets[14];
    arrivals[0].packet->CopyData(octets, sizeof(octets));
    EXPECT_EQ(octets[13], 8);
}

TEST_F(EsxVSwitchTeamingTest, NotificationCanBeSwitchedOff)
{
    AddUplinks(2);
    auto a = AddVm("a");
    vSwitch->SetPolicy(
        CreateObjectWithAttributes<EsxPortPolicy>("NotifySwitches", BooleanValue(false)));
    Simulator::Run();
    host->GetUplink("vmnic0")->SetDown(true);
    Simulator::Run();
    EXPECT_EQ(Where(), "");
    EXPECT_EQ(WayOut(a), "wire1");
}

TEST_F(EsxVSwitchTeamingTest, TapSeesTheUplinkThatWasReallyUsed)
{
    AddUplinks(2);
    auto a = AddVm("a");
    Send(a, OUTSIDE);
    SetDown("vmnic0", true);
    Send(a, OUTSIDE);
    ASSERT_EQ(tap.notes.size(), 2u);
    EXPECT_EQ(tap.notes[0].output, host->GetUplink("vmnic0")->GetPortId());
    EXPECT_EQ(tap.notes[1].output, host->GetUplink("vmnic1")->GetPortId());
}

TEST_F(EsxVSwitchTeamingTest, InternalVSwitchHasNoWayOut)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    EXPECT_EQ(WayOut(a), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::NO_UPLINK);
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b");
}

using EsxVSwitchTeamingDeathTest = EsxVSwitchTeamingTest;

TEST_F(EsxVSwitchTeamingDeathTest, UplinksAreLimited)
{
    AddUplinks(32);
    EXPECT_DEATH(AddUplink(), "vmnic32: vSwitch vSwitch0 has 32 uplinks already");
}

TEST_F(EsxVSwitchTeamingDeathTest, UplinksThatDoNotExistAreToldWhenTheRunBegins)
{
    AddUplinks(2);
    vSwitch->AddPortGroup("Other");
    vSwitch->SetPolicy(Policy("PortId", "vmnic0"));
    const auto run = [this](const std::string& active, const std::string& standby) {
        vSwitch->SetPortGroupPolicy("Other", Policy("PortId", active, standby));
        Simulator::Run();
    };
    EXPECT_DEATH(
        run("vmnic0,vmnic7", ""),
        "vSwitch vSwitch0 of host esx: the policy names an uplink \"vmnic7\"; did you mean "
        "'vmnic0'");
    EXPECT_DEATH(run("", "eth0"), "the policy names an uplink \"eth0\"; allowed: vmnic0, vmnic1");
    Simulator::Run();
    EXPECT_DEATH(run("vmnic7", ""), "the policy names an uplink \"vmnic7\"") << "and in the run";
    vSwitch->SetAttribute("AllowUnknownUplinks", BooleanValue(true));
    run("vmnic7", "");
}

TEST_F(EsxVSwitchTeamingDeathTest, PoliciesThatMakeNoSenseAreRefused)
{
    EXPECT_DEATH(vSwitch->SetPolicy(Policy("PortId", "vmnic0", "vmnic0")),
                 "uplink vmnic0 is listed twice");
}
