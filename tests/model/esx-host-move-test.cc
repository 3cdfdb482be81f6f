// SPDX-License-Identifier: GPL-2.0-only
// Virtual machines that move from host to host while they run.
#include "esx-fixture.h"

#include "ns3/esx-host-memory.h"
#include "ns3/node.h"
#include "ns3/uinteger.h"

using namespace ns3;

namespace
{

class EsxHostMoveTest : public EsxTest
{
  protected:
    EsxHostMoveTest()
        : other(MakeHost())
    {
    }

    static Ptr<EsxHost> MakeHost()
    {
        const auto made = CreateObject<EsxHost>();
        CreateObject<Node>()->AggregateObject(made);
        made->AddVSwitch("vSwitch0")->AddPortGroup("VM Network");
        return made;
    }

    static Ptr<EsxHostMemory> GiveMemory(const Ptr<EsxHost>& to, uint64_t octets)
    {
        const auto memory = CreateObject<EsxHostMemory>();
        memory->SetAttribute("Total", UintegerValue(octets));
        memory->SetAttribute("Kernel", UintegerValue(0));
        to->AggregateObject(memory);
        return memory;
    }

    Ptr<EsxHost> other;
};

TEST_F(EsxHostMoveTest, MachineIsOnNeitherHostDuringTheDowntimeAndThenInAPortOfTheOther)
{
    const auto vnic = AddVm("a");
    const uint32_t connected = vSwitch->GetNConnected();
    EXPECT_EQ(host->MoveGuest("a", other, MilliSeconds(300)), "");
    EXPECT_EQ(vSwitch->GetNConnected(), connected - 1);
    EXPECT_EQ(vSwitch->GetPort(2)->GetDisconnectedAt(), Time(0));
    EXPECT_EQ(host->GetGuest("a"), nullptr);
    EXPECT_FALSE(vnic->Send(Create<Packet>(10), vnic->GetBroadcast(), IPV4));
    Simulator::Stop(MilliSeconds(299));
    Simulator::Run();
    EXPECT_FALSE(vnic->IsLinkUp());
    Simulator::Stop(MilliSeconds(1));
    Simulator::Run();
    ASSERT_TRUE(vnic->IsLinkUp());
    EXPECT_EQ(vnic->GetVSwitch(), other->GetVSwitch("vSwitch0"));
    EXPECT_EQ(vnic->GetVSwitch()->GetPort(vnic->GetPortId())->GetConnectedAt(), MilliSeconds(300));
    EXPECT_TRUE(vnic->Send(Create<Packet>(10), vnic->GetBroadcast(), IPV4));
    ASSERT_NE(other->GetGuest("a"), nullptr);
    EXPECT_EQ(other->GetGuest("a")->node, vnic->GetNode());
}

TEST_F(EsxHostMoveTest, MachineComesBackAndIsListedOnceAtEachHost)
{
    const auto vnic = AddVm("a");
    host->MoveGuest("a", other, MilliSeconds(1));
    Simulator::Run();
    other->MoveGuest("a", host, MilliSeconds(1));
    Simulator::Run();
    EXPECT_EQ(vnic->GetVSwitch(), vSwitch);
    ASSERT_EQ(host->GetGuests().size(), 1u);
    ASSERT_EQ(other->GetGuests().size(), 1u);
    EXPECT_TRUE(host->GetGuests()[0].isHere);
    EXPECT_FALSE(other->GetGuests()[0].isHere);
}

TEST_F(EsxHostMoveTest, MachineStaysWhereItIsIfTheTargetLacksAPortGroupOrAPort)
{
    const auto vnic = AddVm("a");
    vSwitch->AddPortGroup("Backup");
    host->AddVnic("a", "Backup");
    EXPECT_NE(host->MoveGuest("a", other, Time(0)).find("no port group \"Backup\""),
              std::string::npos);
    other->GetVSwitch("vSwitch0")->AddPortGroup("Backup");
    other->AddGuest("many", CreateObject<Node>());
    const auto target = other->GetVSwitch("vSwitch0");
    while (target->GetNConnected() + 1 < target->GetCapacity())
    {
        other->AddVnic("many", "Backup");
    }
    EXPECT_NE(host->MoveGuest("a", other, Time(0)).find("no free port"), std::string::npos)
        << "two ports are needed, and one is free";
    EXPECT_TRUE(vnic->IsLinkUp());
    EXPECT_NE(host->GetGuest("a"), nullptr);
}

TEST_F(EsxHostMoveTest, MachineThatIsSwitchedOffOnItsWayStaysOffAndOneThatWasOffToo)
{
    const auto a = AddVm("a");
    const auto b = AddVm("b");
    host->PowerOff("b");
    host->MoveGuest("a", other, MilliSeconds(1));
    host->MoveGuest("b", other, MilliSeconds(1));
    other->PowerOff("a");
    Simulator::Run();
    EXPECT_FALSE(a->IsLinkUp());
    EXPECT_FALSE(b->IsLinkUp());
}

TEST_F(EsxHostMoveTest, MemoryMovesWithTheMachineUnlessItsReservationIsNotFreeThere)
{
    AddVm("a");
    const auto own = GiveMemory(host, 1000);
    const auto theirs = GiveMemory(other, 500);
    own->AddVirtualMachine("a", 800, 600, 400);
    EXPECT_NE(host->MoveGuest("a", other, Time(0)), "");
    EXPECT_EQ(own->GetVirtualMachines().size(), 1u);
    const auto larger = MakeHost();
    const auto much = GiveMemory(larger, 1000);
    EXPECT_EQ(host->MoveGuest("a", larger, Time(0)), "");
    EXPECT_TRUE(own->GetVirtualMachines().empty());
    ASSERT_EQ(much->GetVirtualMachines().size(), 1u);
    EXPECT_EQ(much->GetVirtualMachines()[0].touched, 400u);
    EXPECT_EQ(theirs->GetVirtualMachines().size(), 0u);
}

} // namespace
