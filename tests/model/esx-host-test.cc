// SPDX-License-Identifier: GPL-2.0-only
#include "esx-fixture.h"

#include "ns3/config.h"
#include "ns3/uinteger.h"

using namespace ns3;

using EsxHostTest = EsxTest;
using EsxHostDeathTest = EsxTest;

namespace
{

Ptr<EsxVSwitch>
SwitchOf(uint32_t ports)
{
    return CreateObjectWithAttributes<EsxVSwitch>("Ports", UintegerValue(ports));
}

} // namespace

TEST_F(EsxHostTest, IsFoundOnItsNode)
{
    EXPECT_EQ(host->GetVmkernelNode()->GetObject<EsxHost>(), host);
    EXPECT_EQ(vSwitch->GetHost(), host);
    EXPECT_EQ(host->GetName(), "esx");
    EXPECT_EQ(host->GetEdition(), EsxHost::ESX35);
    host->SetAttribute("Edition", StringValue("Esx3i"));
    EXPECT_EQ(host->GetEdition(), EsxHost::ESX3I);
}

TEST_F(EsxHostTest, SwitchIdsCountFromPortsetBaseInOrderOfCreationAndAreNotUsedAgain)
{
    EXPECT_EQ(vSwitch->GetId(), 1u);
    EXPECT_EQ(host->AddVSwitch("prod1")->GetId(), 2u);
    host->RemoveVSwitch("prod1");
    EXPECT_EQ(host->AddVSwitch("prod1")->GetId(), 3u);
    host->RemoveVSwitch("vSwitch0");
    EXPECT_EQ(host->GetNVSwitches(), 1u);
    EXPECT_EQ(host->GetVSwitches()[0]->GetId(), 3u);

    Ptr<EsxHost> other = CreateObjectWithAttributes<EsxHost>("PortsetBase", UintegerValue(32));
    CreateObject<Node>()->AggregateObject(other);
    EXPECT_EQ(other->AddVSwitch("vSwitch0")->GetId(), 32u);
}

TEST_F(EsxHostTest, ThingsAreFoundByNameAndUnknownOnesAreNull)
{
    auto a = AddVm("a");
    AddUplink();
    auto vmk0 = host->AddVmknic("vmk0", "VM Network");
    EXPECT_EQ(host->GetVSwitch("vSwitch0"), vSwitch);
    EXPECT_EQ(host->GetVSwitch("vSwitch9"), nullptr);
    EXPECT_EQ(host->FindPortGroup("VM Network"), vSwitch);
    EXPECT_EQ(host->FindPortGroup("Nowhere"), nullptr);
    EXPECT_EQ(host->GetUplink("vmnic0")->GetVSwitch(), vSwitch);
    EXPECT_EQ(host->GetUplink("vmnic1"), nullptr);
    EXPECT_EQ(host->GetVmknic("vmk0"), vmk0);
    EXPECT_EQ(host->GetVmknic("vmk1"), nullptr);
    ASSERT_NE(host->GetGuest("a"), nullptr);
    EXPECT_EQ(host->GetGuest("a")->vnics[0], a);
    EXPECT_EQ(host->GetGuest("b"), nullptr);
}

TEST_F(EsxHostTest, TraceSourcesAreReachedByConfigPaths)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    int frames = 0;
    int lines = 0;
    Config::ConnectWithoutContext(
        "/NodeList/*/$ns3::EsxHost/VSwitchList/*/PortList/*/Ingress",
        Callback<void, Ptr<const Packet>>([&frames](Ptr<const Packet>) { ++frames; }));
    Config::ConnectWithoutContext(
        "/NodeList/*/$ns3::EsxHost/Log/Line",
        Callback<void, const std::string&>([&lines](const std::string&) { ++lines; }));
    Send(a, b->GetAddress());
    Send(b, a->GetAddress());
    host->GetLog()->Log("NetFlow", 1, "x");
    EXPECT_EQ(frames, 2);
    EXPECT_EQ(lines, 1);
}

TEST_F(EsxHostTest, ClocksFollowSimulationTimeOnly)
{
    host->SetAttribute("UptimeAtStart", TimeValue(Seconds(100)));
    host->SetAttribute("Epoch", UintegerValue(1000));
    Simulator::Schedule(NanoSeconds(5), [this] {
        EXPECT_EQ(host->GetUptime(), Seconds(100) + NanoSeconds(5));
        EXPECT_EQ(host->GetUnixTimeNs(), 1005u);
    });
    Simulator::Run();
}

TEST_F(EsxHostTest, WorldIdsCountUpFromTheVmkernels)
{
    EXPECT_EQ(host->AllocateWorldId(), 1025u);
    EXPECT_EQ(host->AllocateWorldId(), 1026u);
}

TEST_F(EsxHostDeathTest, AtMost127SwitchesAreAHosts)
{
    for (uint32_t i = host->GetNVSwitches(); i < 127; ++i)
    {
        host->AddVSwitch("s" + std::to_string(i), SwitchOf(8));
    }
    EXPECT_EQ(host->GetVSwitches().back()->GetId(), 127u);
    EXPECT_DEATH(host->AddVSwitch("one more", SwitchOf(8)), "at most 127 vSwitches");
}

TEST_F(EsxHostDeathTest, AtMost4096PortsAreAHosts)
{
    host->RemoveVSwitch("vSwitch0");
    for (int i = 0; i < 4; ++i) // 4 x (1016 + 8) = 4096
    {
        host->AddVSwitch("s" + std::to_string(i), SwitchOf(1016));
    }
    EXPECT_DEATH(host->AddVSwitch("one more", SwitchOf(8)), "at most 4096");
    host->RemoveVSwitch("s2");
    host->AddVSwitch("another", SwitchOf(1016));
}

TEST_F(EsxHostDeathTest, AtMost512PortGroupsAreAHosts)
{
    for (int i = 1; i < 512; ++i)
    {
        vSwitch->AddPortGroup("pg" + std::to_string(i));
    }
    EXPECT_DEATH(host->AddVSwitch("prod1")->AddPortGroup("one more"), "at most 512 port groups");
}

TEST_F(EsxHostDeathTest, NamesAreNeitherEmptyNorUsedTwice)
{
    AddVm("a");
    host->AddVmknic("vmk0", "VM Network");
    EXPECT_DEATH(host->AddVSwitch(""), "needs a name");
    EXPECT_DEATH(host->AddVSwitch("vSwitch0"), "has a vSwitch vSwitch0 already");
    EXPECT_DEATH(host->AddVSwitch("prod1")->AddPortGroup("VM Network"),
                 "has a port group \"VM Network\" already");
    EXPECT_DEATH(vSwitch->AddPortGroup(""), "a port group needs a name");
    EXPECT_DEATH(host->AddGuest("a", CreateObject<Node>()), "has a guest a already");
    EXPECT_DEATH(host->AddGuest("", CreateObject<Node>()), "needs a name and a node");
    EXPECT_DEATH(host->AddGuest("b", host->GetVmkernelNode()), "needs a node of its own");
    EXPECT_DEATH(host->AddVmknic("vmk0", "VM Network"), "has a vmknic vmk0 already");
}

TEST_F(EsxHostDeathTest, UnknownNamesAreRefused)
{
    EXPECT_DEATH(host->RemoveVSwitch("vSwitch9"), "host esx has no vSwitch vSwitch9");
    EXPECT_DEATH(host->AddVmknic("vmk0", "Nowhere"), "host esx has no port group \"Nowhere\"");
    EXPECT_DEATH(host->AddVnic("nobody", "VM Network"), "host esx has no guest nobody");
}

TEST_F(EsxHostDeathTest, ASwitchObjectServesOneHostOnce)
{
    EXPECT_DEATH(host->AddVSwitch("again", vSwitch), "is or was a vSwitch of a host already");
    host->RemoveVSwitch("vSwitch0");
    EXPECT_DEATH(host->AddVSwitch("again", vSwitch), "is or was a vSwitch of a host already");
    EXPECT_DEATH(vSwitch->AddPortGroup("more"), "belongs to no host");
}
