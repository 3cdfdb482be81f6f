// SPDX-License-Identifier: GPL-2.0-only
#include "esx-fixture.h"

#include "ns3/ethernet-header.h"
#include "ns3/nstime.h"
#include "ns3/uinteger.h"

#include <set>

using namespace ns3;

using EsxVSwitchTest = EsxTest;
using EsxVSwitchDeathTest = EsxTest;

namespace
{

const Mac48Address UNKNOWN("02:00:00:00:00:99");

} // namespace

TEST_F(EsxVSwitchTest, UnicastReachesTheRegisteredPortOnly)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    AddVm("c");
    AddUplink();
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b");
    EXPECT_TRUE(drops.empty());
}

TEST_F(EsxVSwitchTest, UnicastIsOneEventAndNoCopy)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    Simulator::Run(); // the nodes' and devices' initialization
    const uint64_t before = Simulator::GetEventCount();
    Ptr<Packet> packet = Send(a, b->GetAddress());
    EXPECT_EQ(Simulator::GetEventCount() - before, 1u);
    ASSERT_EQ(arrivals.size(), 1u);
    EXPECT_EQ(PeekPointer(arrivals[0].packet), PeekPointer(packet));
}

TEST_F(EsxVSwitchTest, DeliveryComesDelayLater)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    vSwitch->SetAttribute("Delay", TimeValue(MicroSeconds(7)));
    Send(a, b->GetAddress());
    ASSERT_EQ(arrivals.size(), 1u);
    EXPECT_EQ(arrivals[0].at, MicroSeconds(7));
    EXPECT_EQ(arrivals[0].protocol, IPV4);
}

TEST_F(EsxVSwitchTest, VmToVmNeverTouchesAnUplink)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    AddUplink();
    Send(a, b->GetAddress());
    Send(b, a->GetAddress());
    EXPECT_EQ(Where(), "a b");
    EXPECT_EQ(Counters(host->GetUplink("vmnic0")->GetPortId()).framesOut, 0u);
}

TEST_F(EsxVSwitchTest, BroadcastReachesAllButItsSourceAndOneUplink)
{
    auto a = AddVm("a");
    AddVm("b");
    AddUplink();
    AddVm("c");
    AddUplink();
    Send(a, Mac48Address::GetBroadcast());
    EXPECT_EQ(Where(), "b c wire0");
}

TEST_F(EsxVSwitchTest, BroadcastFromAnUplinkReachesNoUplink)
{
    AddVm("a");
    auto station = AddUplink();
    AddVm("b");
    AddUplink();
    Send(station, Mac48Address::GetBroadcast());
    EXPECT_EQ(Where(), "a b");
}

TEST_F(EsxVSwitchTest, MulticastGoesWhereBroadcastGoes)
{
    auto a = AddVm("a");
    AddVm("b");
    AddUplink();
    Send(a, Mac48Address::GetMulticast(Ipv4Address("224.0.0.5")));
    EXPECT_EQ(Where(), "b wire0");
}

TEST_F(EsxVSwitchTest, UnknownUnicastFromInsideGoesToTheUplink)
{
    auto a = AddVm("a");
    AddVm("b");
    AddUplink();
    Send(a, UNKNOWN);
    EXPECT_EQ(Where(), "wire0");
}

TEST_F(EsxVSwitchTest, UnknownUnicastFromInsideWithoutUplinkIsDropped)
{
    auto a = AddVm("a");
    AddVm("b");
    Send(a, UNKNOWN);
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::NO_UPLINK);
    EXPECT_EQ(drops[0].port, a->GetPortId());
}

TEST_F(EsxVSwitchTest, UnknownUnicastFromAnUplinkIsDropped)
{
    AddVm("a");
    auto station = AddUplink();
    AddUplink();
    Send(station, UNKNOWN);
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::UNKNOWN_UNICAST);
    EXPECT_EQ(drops[0].port, host->GetUplink("vmnic0")->GetPortId());
}

TEST_F(EsxVSwitchTest, FrameToItsOwnPortIsDropped)
{
    auto a = AddVm("a");
    AddUplink();
    Send(a, a->GetAddress());
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::OWN_PORT);
}

TEST_F(EsxVSwitchTest, NothingIsLearnedFromTheWire)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    AddUplink();
    b->SendFrom(Create<Packet>(100), UNKNOWN, a->GetAddress(), IPV4);
    Simulator::Run();
    EXPECT_EQ(Where(), "a");
    Send(a, UNKNOWN);
    EXPECT_EQ(Where(), "wire0");
}

TEST_F(EsxVSwitchTest, ChangedAddressTakesTheOldOnesPlace)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    AddUplink();
    const Address old = b->GetAddress();
    b->SetAddress(UNKNOWN);
    Send(a, UNKNOWN);
    EXPECT_EQ(Where(), "b");
    Send(a, old);
    EXPECT_EQ(Where(), "wire0");
}

TEST_F(EsxVSwitchTest, FramesUpToTheMtuPassAndLongerOnesAreDropped)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    vSwitch->SetAttribute("Mtu", UintegerValue(1000));
    vSwitch->SetTap(&tap);
    Send(a, b->GetAddress(), 1000);
    EXPECT_EQ(Where(), "b");
    Send(a, b->GetAddress(), 1001);
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::OVERSIZE);
    EXPECT_EQ(tap.notes.size(), 1u);
}

TEST_F(EsxVSwitchTest, TapSeesEachAcceptedFrameOnceWithItsReceiver)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    AddVm("c");
    auto station = AddUplink();
    const uint16_t uplink = host->GetUplink("vmnic0")->GetPortId();
    vSwitch->SetTap(&tap);
    const uint64_t uid = Send(a, b->GetAddress())->GetUid();
    Send(a, UNKNOWN);
    Send(a, Mac48Address::GetBroadcast());
    Send(a, a->GetAddress());
    Send(station, b->GetAddress());
    Send(station, UNKNOWN);
    ASSERT_EQ(tap.notes.size(), 6u);
    EXPECT_EQ(tap.notes[0].uid, uid);
    EXPECT_EQ(tap.notes[0].protocol, IPV4);
    EXPECT_EQ(tap.notes[0].input, a->GetPortId());
    EXPECT_EQ(tap.notes[0].output, b->GetPortId());
    EXPECT_EQ(tap.notes[1].output, uplink);
    EXPECT_EQ(tap.notes[2].output, 0u) << "flood";
    EXPECT_EQ(tap.notes[3].output, 0u) << "drop";
    EXPECT_EQ(tap.notes[4].input, uplink);
    EXPECT_EQ(tap.notes[4].output, b->GetPortId());
    EXPECT_EQ(tap.notes[5].output, 0u) << "unknown";
}

TEST_F(EsxVSwitchTest, LawL0FramesInAreOfferedOrDroppedBefore)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    auto station = AddUplink();
    vSwitch->SetTap(&tap);
    Send(a, b->GetAddress());
    Send(a, b->GetAddress(), 1501);
    Send(b, UNKNOWN);
    Send(b, b->GetAddress());
    Send(station, a->GetAddress());
    host->GetUplink("vmnic0")->SetDown(true);
    Send(station, a->GetAddress());
    vSwitch->Disconnect(a->GetPortId());
    EXPECT_FALSE(a->Send(Create<Packet>(10), b->GetAddress(), IPV4));
    uint64_t offered = 0;
    for (const auto& port : vSwitch->GetPorts())
    {
        const EsxPortCounters& counters = port->GetCounters();
        EXPECT_EQ(counters.framesIn, counters.framesAccepted + counters.DropsBeforeTap())
            << port->GetName();
        offered += counters.framesAccepted;
    }
    EXPECT_EQ(offered, tap.notes.size());
    EXPECT_EQ(offered, 4u);
    const EsxPortCounters totals = vSwitch->GetTotals();
    EXPECT_EQ(totals.framesIn, 7u);
    EXPECT_EQ(totals.octetsIn, 5 * 100u + 1501u + 10u);
    EXPECT_EQ(totals.octetsAccepted, 400u);
    EXPECT_EQ(totals.Drops(EsxDropCause::OVERSIZE), 1u);
    EXPECT_EQ(totals.Drops(EsxDropCause::LINK_DOWN), 1u);
    EXPECT_EQ(totals.Drops(EsxDropCause::DISCONNECTED), 1u);
    EXPECT_EQ(totals.Drops(EsxDropCause::OWN_PORT), 1u);
    EXPECT_EQ(totals.framesOut, 3u);
    EXPECT_EQ(totals.octetsOut, 300u);
}

TEST_F(EsxVSwitchTest, WhatComesIntoAPortThatIsGoneIsDisconnected)
{
    const Ptr<EsxVnic> a = AddVm("a");
    const Ptr<EsxVnic> b = AddVm("b");
    const uint16_t port = a->GetPortId();
    vSwitch->Disconnect(a->GetPortId());
    vSwitch->Input(port, Create<Packet>(100), a->GetMac(), b->GetMac(), IPV4);
    Simulator::Run();
    EXPECT_EQ(Where(), "");
    EXPECT_EQ(vSwitch->GetTotals().Drops(EsxDropCause::DISCONNECTED), 1u);
    EXPECT_EQ(vSwitch->GetTotals().Drops(EsxDropCause::OVERSIZE), 0u);
}

TEST_F(EsxVSwitchTest, PortTracesHoldEthernetFrames)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    std::vector<Ptr<const Packet>> in;
    std::vector<Ptr<const Packet>> out;
    using Sink = Callback<void, Ptr<const Packet>>;
    vSwitch->GetPort(a->GetPortId())
        ->TraceConnectWithoutContext("Ingress",
                                     Sink([&in](Ptr<const Packet> p) { in.push_back(p); }));
    vSwitch->GetPort(b->GetPortId())
        ->TraceConnectWithoutContext("Egress",
                                     Sink([&out](Ptr<const Packet> p) { out.push_back(p); }));
    Send(a, b->GetAddress(), 1501); // not accepted, so not captured
    Send(a, b->GetAddress(), 40);
    ASSERT_EQ(in.size(), 1u);
    ASSERT_EQ(out.size(), 1u);
    for (const auto& frame : {in[0], out[0]})
    {
        EthernetHeader header;
        EXPECT_EQ(frame->GetSize(), 14u + 40u) << "neither padding nor FCS";
        frame->PeekHeader(header);
        EXPECT_EQ(header.GetSource(), Mac48Address::ConvertFrom(a->GetAddress()));
        EXPECT_EQ(header.GetDestination(), Mac48Address::ConvertFrom(b->GetAddress()));
        EXPECT_EQ(header.GetLengthType(), IPV4);
    }
    EXPECT_EQ(arrivals.at(0).packet->GetSize(), 40u) << "the frame itself has no header";
}

TEST_F(EsxVSwitchTest, LocalPort1IsInternalAndOthersFollowInOrderOfConnection)
{
    EXPECT_EQ(vSwitch->GetPortName(1), "internal");
    AddUplink();
    host->AddVmknic("vmk0", "VM Network");
    AddVm("web1");
    host->AddVnic("web1", "VM Network");
    EXPECT_EQ(vSwitch->GetPortName(2), "vmnic0");
    EXPECT_EQ(vSwitch->GetPortName(3), "vmk0");
    EXPECT_EQ(vSwitch->GetPortName(4), "web1.eth0");
    EXPECT_EQ(vSwitch->GetPortName(5), "web1.eth1");
    EXPECT_EQ(vSwitch->GetPortName(6), "");
    EXPECT_EQ(vSwitch->GetPort(0), nullptr);
    EXPECT_EQ(vSwitch->GetPort(4)->GetKind(), EsxPortKind::VNIC);
    EXPECT_EQ(vSwitch->GetPort(4)->GetShownId(), 1u << 24 | 4u);
}

TEST_F(EsxVSwitchTest, PortIdsAreNotUsedAgain)
{
    auto a = AddVm("a");
    EXPECT_EQ(a->GetPortId(), 2u);
    vSwitch->Disconnect(2);
    EXPECT_EQ(vSwitch->Connect(a, "VM Network", "a.eth0"), 3u);
    EXPECT_FALSE(vSwitch->GetPort(2)->IsConnected());
    EXPECT_EQ(vSwitch->GetNConnected(), 2u);
}

TEST_F(EsxVSwitchTest, FrameInFlightToADetachedVnicIsCounted)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    const uint16_t port = b->GetPortId();
    Simulator::Schedule(MicroSeconds(1), [&] { vSwitch->Disconnect(port); });
    Simulator::Schedule(MicroSeconds(2), [&] { vSwitch->Connect(b, "VM Network", "b.eth0"); });
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "");
    ASSERT_EQ(drops.size(), 1u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::RECEIVER_GONE);
    EXPECT_EQ(drops[0].port, port) << "the old port, not the new one";
}

TEST_F(EsxVSwitchTest, DeletionInFlightIsSafeAndCounted)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    auto station = AddUplink();
    vSwitch->SetTap(&tap);
    Simulator::Schedule(MicroSeconds(1), [&] {
        host->RemoveVSwitch("vSwitch0");
        station->Send(Create<Packet>(100), a->GetAddress(), IPV4);
        EXPECT_FALSE(b->Send(Create<Packet>(100), a->GetAddress(), IPV4));
    });
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "");
    EXPECT_EQ(tap.deleted, 1);
    EXPECT_EQ(tap.connectedWhenDeleted, 4u) << "the tap is told while the vSwitch is whole";
    EXPECT_EQ(vSwitch->GetTap(), nullptr);
    EXPECT_EQ(vSwitch->GetHost(), nullptr);
    EXPECT_EQ(vSwitch->GetNConnected(), 0u);
    EXPECT_FALSE(a->IsLinkUp());
    ASSERT_EQ(drops.size(), 2u);
    EXPECT_EQ(drops[0].cause, EsxDropCause::DISCONNECTED);
    EXPECT_EQ(drops[1].cause, EsxDropCause::RECEIVER_GONE);
}

TEST_F(EsxVSwitchTest, ReceiverMayDeleteItsSwitch)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    b->TraceConnectWithoutContext("MacRx",
                                  Callback<void, Ptr<const Packet>>([this](Ptr<const Packet>) {
                                      host->RemoveVSwitch("vSwitch0");
                                  }));
    Send(a, b->GetAddress());
    EXPECT_EQ(Where(), "b");
}

TEST_F(EsxVSwitchTest, EveryDropCauseHasItsOwnName)
{
    std::set<std::string> names;
    for (std::size_t i = 0; i < ESX_DROP_CAUSES; ++i)
    {
        names.insert(EsxDropCauseName(static_cast<EsxDropCause>(i)));
    }
    EXPECT_EQ(names.size(), ESX_DROP_CAUSES);
    EXPECT_EQ(names.count("unknown"), 0u);
}

TEST_F(EsxVSwitchDeathTest, PortsAreLimitedToTheConfiguredAndReservedOnes)
{
    auto small = CreateObjectWithAttributes<EsxVSwitch>("Ports", UintegerValue(8));
    host->AddVSwitch("small", small)->AddPortGroup("Small");
    AddVm("a", "Small");
    for (int i = 1; i < 15; ++i) // 8 + 8 reserved, one of them the internal port
    {
        host->AddVnic("a", "Small");
    }
    EXPECT_EQ(small->GetNConnected(), 16u);
    EXPECT_DEATH(host->AddVnic("a", "Small"), "vSwitch small has no free port");
    small->Disconnect(5);
    host->AddVnic("a", "Small");
}

TEST_F(EsxVSwitchDeathTest, OnlyDocumentedNumbersOfPorts)
{
    EXPECT_DEATH(CreateObjectWithAttributes<EsxVSwitch>("Ports", UintegerValue(57)),
                 "cannot have 57 ports");
    EXPECT_FALSE(vSwitch->SetAttributeFailSafe("Ports", UintegerValue(120))) << "fixed at creation";
}

TEST_F(EsxVSwitchDeathTest, VlansAreThoseOf8021q)
{
    EXPECT_DEATH(vSwitch->AddPortGroup("Prod", 4096), "VLAN 4096 is not one of 0 to 4095");
}

TEST_F(EsxVSwitchDeathTest, AddressesAreUnicastAndUnique)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    EXPECT_DEATH(b->SetAddress(a->GetAddress()), "is in use on vSwitch vSwitch0");
    EXPECT_DEATH(b->SetAddress(Mac48Address::GetBroadcast()), "no station's MAC address");
    EXPECT_DEATH(b->SetAddress(Mac48Address("00:00:00:00:00:00")), "no station's MAC address");
}

TEST_F(EsxVSwitchDeathTest, ConnectingTwiceOrToNoPortGroupIsRefused)
{
    auto a = AddVm("a");
    EXPECT_DEATH(vSwitch->Connect(a, "VM Network", "a.eth0"), "connected already");
    vSwitch->Disconnect(a->GetPortId());
    EXPECT_DEATH(vSwitch->Connect(a, "Nowhere", "a.eth0"), "no port group");
    EXPECT_DEATH(vSwitch->Disconnect(1), "nothing can be detached from port 1");
    EXPECT_DEATH(vSwitch->Disconnect(99), "nothing can be detached from port 99");
}
