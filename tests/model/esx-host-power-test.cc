// SPDX-License-Identifier: GPL-2.0-only
// Virtual machines that are switched on and off, and vNICs that are connected and disconnected,
// during the run.
#include "esx-fixture.h"

#include "ns3/uinteger.h"

using namespace ns3;

using EsxHostPowerTest = EsxTest;

TEST_F(EsxHostPowerTest, MachineThatIsOffNeitherSendsNorReceives)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    Send(a, b->GetAddress());
    Where();
    const uint32_t connected = vSwitch->GetNConnected();
    const uint16_t port = b->GetPortId();
    host->PowerOff("b");
    EXPECT_EQ(vSwitch->GetNConnected(), connected - 1) << "its port is free";
    EXPECT_FALSE(host->GetGuest("b")->isOn);
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "");
    EXPECT_FALSE(b->Send(Create<Packet>(10), a->GetAddress(), IPV4));
    EXPECT_EQ(Counters(port).framesIn, 0u) << "who is off sends nothing, not even into the void";
}

TEST_F(EsxHostPowerTest, MachineThatIsOnAgainHasNewPortsOfTheSameNames)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    const uint16_t before = b->GetPortId();
    host->PowerOff("b");
    EXPECT_EQ(host->PowerOn("b"), "");
    EXPECT_GT(b->GetPortId(), before);
    EXPECT_EQ(vSwitch->GetPortName(b->GetPortId()), "b.eth0");
    EXPECT_EQ(vSwitch->GetPortName(before), "b.eth0");
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b");
    Send(b, a->GetAddress());
    EXPECT_EQ(Where(), "a");
}

TEST_F(EsxHostPowerTest, DisconnectedVnicCountsWhatItIsGiven)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    host->SetConnected("a", 0, false);
    EXPECT_FALSE(a->IsLinkUp());
    EXPECT_FALSE(a->Send(Create<Packet>(10), b->GetAddress(), IPV4));
    EXPECT_EQ(Counters(2).Drops(EsxDropCause::DISCONNECTED), 1u);
    EXPECT_EQ(host->SetConnected("a", 0, true), "");
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b");
}

TEST_F(EsxHostPowerTest, DisconnectedVnicStaysSoThroughAPowerCycle)
{
    auto a = AddVm("a");
    auto second = host->AddVnic("a", "VM Network");
    host->SetConnected("a", 1, false);
    host->PowerOff("a");
    EXPECT_EQ(host->SetConnected("a", 0, true), "") << "nothing happens while it is off";
    EXPECT_FALSE(a->IsLinkUp());
    EXPECT_EQ(host->PowerOn("a"), "");
    EXPECT_TRUE(a->IsLinkUp());
    EXPECT_FALSE(second->IsLinkUp());
    EXPECT_EQ(host->PowerOn("a"), "") << "already on";
}

TEST_F(EsxHostPowerTest, MachineOfSeveralVnicsHasAPortForEach)
{
    vSwitch->AddPortGroup("Prod-101", 101);
    AddVm("a");
    auto second = host->AddVnic("a", "Prod-101");
    auto b = AddVm("b", "Prod-101");
    Send(second, b->GetAddress());
    EXPECT_EQ(Where(), "b");
    EXPECT_EQ(vSwitch->GetPortName(second->GetPortId()), "a.eth1");
}

TEST_F(EsxHostPowerTest, PowerOnTellsOfWhatCannotBeConnected)
{
    auto small = CreateObjectWithAttributes<EsxVSwitch>("Ports", UintegerValue(8));
    host->AddVSwitch("small", small)->AddPortGroup("Small");
    AddVm("a", "Small");
    AddVm("b", "Small");
    host->PowerOff("a");
    while (small->GetNConnected() < small->GetCapacity())
    {
        host->AddVnic("b", "Small");
    }
    EXPECT_EQ(host->PowerOn("a"), "a.eth0: vSwitch small has no free port");
    EXPECT_TRUE(host->GetGuest("a")->isOn);
    host->PowerOff("a");
    host->RemoveVSwitch("small");
    EXPECT_EQ(host->PowerOn("a"), "a.eth0: there is no port group \"Small\"");
}

TEST_F(EsxHostPowerTest, NewPortIsToldToWhoWatchesTheVSwitch)
{
    std::vector<std::string> ports;
    vSwitch->TraceConnectWithoutContext("Connected",
                                        Callback<void, Ptr<EsxPort>>([&ports](Ptr<EsxPort> port) {
                                            ports.push_back(port->GetName() + " " +
                                                            std::to_string(port->GetLocalId()));
                                        }));
    AddUplink();
    AddVm("a");
    host->PowerOff("a");
    host->PowerOn("a");
    EXPECT_EQ(ports, (std::vector<std::string>{"vmnic0 2", "a.eth0 3", "a.eth0 4"}));
}

using EsxHostPowerDeathTest = EsxTest;

TEST_F(EsxHostPowerDeathTest, UnknownMachineOrVnicIsAMistake)
{
    AddVm("a");
    EXPECT_DEATH(host->PowerOff("nobody"), "has no guest nobody");
    EXPECT_DEATH(host->SetConnected("a", 1, true), "guest a has no vNIC 1");
}
