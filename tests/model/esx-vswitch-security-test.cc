// SPDX-License-Identifier: GPL-2.0-only
// Security policies of vSwitch and port group: promiscuous mode, MAC address changes, forged
// transmits.
#include "esx-fixture.h"

#include "ns3/boolean.h"

using namespace ns3;

namespace
{

const Mac48Address FORGED("02:00:00:00:00:66");

class EsxVSwitchSecurityTest : public EsxTest
{
  protected:
    EsxVSwitchSecurityTest()
    {
        vSwitch->AddPortGroup("Prod-101", 101);
        vSwitch->AddPortGroup("Lab");
        vSwitch->SetTap(&tap);
    }

    static Ptr<EsxPortPolicy> Policy(const std::string& attribute, bool accept)
    {
        return CreateObjectWithAttributes<EsxPortPolicy>(attribute, BooleanValue(accept));
    }

    /// \return the vNIC of a new guest that listens in promiscuous mode
    Ptr<EsxVnic> AddSpy(const std::string& portGroup = "VM Network")
    {
        Ptr<Node> node = CreateObject<Node>();
        host->AddGuest("spy", node);
        Ptr<EsxVnic> vnic = host->AddVnic("spy", portGroup);
        Note(node, "spy", true);
        return vnic;
    }

    void SendFrom(const Ptr<NetDevice>& from, const Address& source, const Address& to)
    {
        from->SendFrom(Create<Packet>(100), source, to, IPV4);
        Simulator::Run();
    }
};

} // namespace

TEST_F(EsxVSwitchSecurityTest, PromiscuousModeIsRejectedByDefault)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    auto spy = AddSpy();
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b");
    Send(a, spy->GetAddress());
    EXPECT_EQ(Where(), "spy");
}

TEST_F(EsxVSwitchSecurityTest, PromiscuousListenerHearsAllOfItsVlanOnce)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    auto c = AddVm("c", "Prod-101");
    auto d = AddVm("d", "Prod-101");
    auto station = AddUplink();
    auto spy = AddSpy();
    vSwitch->SetPolicy(Policy("Promiscuous", true));
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b spy");
    Send(c, d->GetAddress());
    EXPECT_EQ(Where(), "d") << "another VLAN";
    Send(station, b->GetAddress());
    EXPECT_EQ(Where(), "b spy");
    Send(a, Mac48Address::GetBroadcast());
    EXPECT_EQ(Where(), "b spy wire0") << "once";
    Send(a, spy->GetAddress());
    EXPECT_EQ(Where(), "spy") << "once";
    Send(spy, b->GetAddress());
    EXPECT_EQ(Where(), "b") << "not its own";
    Send(station, FORGED);
    EXPECT_EQ(Where(), "spy") << "an address that nobody has";
}

TEST_F(EsxVSwitchSecurityTest, ListenerDoesNotChangeTheOutputThatIsMetered)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    AddSpy();
    vSwitch->SetPolicy(Policy("Promiscuous", true));
    Send(a, b->GetAddress());
    ASSERT_EQ(tap.notes.size(), 1u);
    EXPECT_EQ(tap.notes[0].output, b->GetPortId());
}

TEST_F(EsxVSwitchSecurityTest, AdapterMustBeInPromiscuousModeItself)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    auto c = AddVm("c");
    vSwitch->SetPolicy(Policy("Promiscuous", true));
    Send(a, b->GetAddress());
    EXPECT_EQ(Counters(c->GetPortId()).framesOut, 0u);
    c->SetPromiscuous(true);
    Send(a, b->GetAddress());
    EXPECT_EQ(Counters(c->GetPortId()).framesOut, 1u);
    c->SetPromiscuous(false);
    Send(a, b->GetAddress());
    EXPECT_EQ(Counters(c->GetPortId()).framesOut, 1u);
}

TEST_F(EsxVSwitchSecurityTest, PortGroupOverridesTheVSwitch)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    auto lab = AddVm("lab", "Lab");
    AddSpy("Lab");
    vSwitch->SetPortGroupPolicy("Lab", Policy("Promiscuous", true));
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b spy") << "the same VLAN";
    vSwitch->SetPortGroupPolicy("Lab", nullptr);
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b");
    vSwitch->SetPolicy(Policy("ForgedTransmits", false));
    vSwitch->SetPortGroupPolicy("Lab", Policy("ForgedTransmits", true));
    SendFrom(lab, FORGED, b->GetAddress());
    EXPECT_EQ(Where(), "b");
    SendFrom(a, FORGED, b->GetAddress());
    EXPECT_EQ(Where(), "");
}

TEST_F(EsxVSwitchSecurityTest, ForgedTransmitsAreAcceptedByDefault)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    SendFrom(a, FORGED, b->GetAddress());
    EXPECT_EQ(Where(), "b");
}

TEST_F(EsxVSwitchSecurityTest, ForgedTransmitsAreDroppedBeforeTheTapWhereRejected)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    vSwitch->SetPolicy(Policy("ForgedTransmits", false));
    SendFrom(a, FORGED, b->GetAddress());
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::FORGED_TRANSMIT);
    EXPECT_TRUE(tap.notes.empty());
    a->SetAddress(FORGED);
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b") << "the adapter's own address is not forged";
}

TEST_F(EsxVSwitchSecurityTest, MacAddressChangesAreAcceptedByDefault)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    b->SetAddress(FORGED);
    Send(a, FORGED);
    EXPECT_EQ(Where(), "b");
}

TEST_F(EsxVSwitchSecurityTest, ChangedAddressGetsNothingWhereRejectedUntilChangedBack)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    vSwitch->SetPolicy(Policy("MacChanges", false));
    const Mac48Address configured = b->GetMac();
    b->SetAddress(FORGED);
    EXPECT_EQ(b->GetConfiguredMac(), configured);
    Send(a, FORGED);
    Send(a, Mac48Address::GetBroadcast());
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 2u);
    for (const Drop& drop : drops)
    {
        EXPECT_EQ(drop.cause, EsxDropCause::MAC_CHANGE);
        EXPECT_EQ(drop.port, b->GetPortId());
    }
    ASSERT_EQ(tap.notes.size(), 2u) << "after the tap";
    EXPECT_EQ(tap.notes[0].output, 0u);
    b->SetAddress(configured);
    Send(a, configured);
    EXPECT_EQ(Where(), "b");
}

TEST_F(EsxVSwitchSecurityTest, ConfiguredAddressIsNoChange)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    vSwitch->SetPolicy(Policy("MacChanges", false));
    b->SetConfiguredMac(FORGED);
    Send(a, FORGED);
    EXPECT_EQ(Where(), "b");
}

TEST_F(EsxVSwitchSecurityTest, PolicyCountsFromWhenItIsGiven)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    Ptr<EsxPortPolicy> policy = CreateObject<EsxPortPolicy>();
    vSwitch->SetPolicy(policy);
    policy->SetAttribute("ForgedTransmits", BooleanValue(false));
    SendFrom(a, FORGED, b->GetAddress());
    EXPECT_EQ(Where(), "b");
    vSwitch->SetPolicy(policy);
    SendFrom(a, FORGED, b->GetAddress());
    EXPECT_EQ(Where(), "");
}
