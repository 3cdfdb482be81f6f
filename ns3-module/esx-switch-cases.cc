// SPDX-License-Identifier: GPL-2.0-only
// Rules of the switches: forwarding, VLANs, security, teaming, shaping, rings, the physical switch.
#include "esx-switch-lab.h"
#include "esx-test-case.h"

#include "ns3/boolean.h"
#include "ns3/data-rate.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-vlan-header.h"
#include "ns3/ipv4-header.h"
#include "ns3/uinteger.h"

using namespace ns3;

namespace
{

const Mac48Address OUTSIDE("02:00:00:00:00:99"); // nobody's

/// A switch lab with what the cases have in common.
class Lab : public EsxSwitchLab
{
  public:
    Lab()
    {
        vSwitch->AddPortGroup("Prod-101", 101);
        vSwitch->AddPortGroup("Prod-102", 102);
        vSwitch->SetTap(&tap);
    }

    /// Arrivals, then causes of drops: "b wire0", "drop vlan". Forgets both.
    std::string Fate()
    {
        std::string text = Where();
        for (const Drop& drop : drops)
        {
            text += std::string(text.empty() ? "" : " ") + "drop " + EsxDropCauseName(drop.cause);
        }
        drops.clear();
        return text;
    }

    std::string FateOf(const Ptr<NetDevice>& from, const Address& to, uint32_t octets = 100)
    {
        Send(from, to, octets);
        return Fate();
    }

    std::string FateOfForged(const Ptr<NetDevice>& from, const Address& to)
    {
        from->SendFrom(Create<Packet>(100), OUTSIDE, to, IPV4);
        Simulator::Run();
        return Fate();
    }

    std::string FateOfTagged(const Ptr<NetDevice>& from, const Address& to, uint16_t vlan)
    {
        Ptr<Packet> packet = Create<Packet>(100);
        packet->AddHeader(EsxVlanHeader(vlan, IPV4));
        from->Send(packet, to, ESX_TPID);
        Simulator::Run();
        return Fate();
    }

    std::string FateOfIp(const Ptr<NetDevice>& from, const char* source, const char* destination)
    {
        Ipv4Header header;
        header.SetSource(Ipv4Address(source));
        header.SetDestination(Ipv4Address(destination));
        Ptr<Packet> packet = Create<Packet>(100);
        packet->AddHeader(header);
        from->Send(packet, OUTSIDE, IPV4);
        Simulator::Run();
        return Fate();
    }

    void SetDown(const std::string& uplink, bool down)
    {
        host->GetUplink(uplink)->SetDown(down);
        Simulator::Run();
        arrivals.clear(); // notifications of the physical switches
    }

    static Ptr<EsxPortPolicy> Policy(const std::string& attribute, const AttributeValue& value)
    {
        Ptr<EsxPortPolicy> policy = CreateObject<EsxPortPolicy>();
        policy->SetAttribute(attribute, value);
        return policy;
    }
};

ESX_CASE(Lab, UnicastReachesItsPort, "Unicast reaches the port that has the address, and no other")
{
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    lab.AddVm("c");
    lab.AddUplink();
    ESX_SAME(lab.FateOf(a, b->GetAddress()), "b");
    ESX_SAME(lab.FateOf(a, a->GetAddress()), "drop own_port");
}

ESX_CASE(Lab, BroadcastIsFlooded, "Broadcast reaches all ports but its own, and one uplink")
{
    auto a = lab.AddVm("a");
    lab.AddVm("b");
    auto station = lab.AddUplink();
    lab.AddVm("c");
    ESX_SAME(lab.FateOf(station, Mac48Address::GetBroadcast()), "a b c");
    lab.AddUplink();
    Simulator::Run(); // it notifies the physical switches
    lab.arrivals.clear();
    ESX_SAME(lab.FateOf(a, Mac48Address::GetBroadcast()), "b c wire0");
}

ESX_CASE(Lab,
         NothingIsLearned,
         "Unknown unicast goes from inside to the uplink, from an uplink nowhere")
{
    auto a = lab.AddVm("a");
    auto station = lab.AddUplink();
    lab.AddUplink();
    ESX_SAME(lab.FateOf(a, OUTSIDE), "wire0");
    ESX_SAME(lab.FateOfForged(station, a->GetAddress()), "a");
    ESX_SAME(lab.FateOf(station, OUTSIDE), "drop unknown_unicast");
}

ESX_CASE(Lab, MtuIsALimit, "A frame that is longer than the MTU is dropped before the tap")
{
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    ESX_SAME(lab.FateOf(a, b->GetAddress(), 1500), "b");
    ESX_SAME(lab.FateOf(a, b->GetAddress(), 1501), "drop oversize");
    ESX_SAME(lab.tap.notes.size(), 1U);
}

ESX_CASE(Lab, TapSeesFramesOnce, "The tap sees an accepted frame once, with both its ports")
{
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    lab.AddUplink();
    lab.FateOf(a, b->GetAddress());
    lab.FateOf(a, Mac48Address::GetBroadcast());
    NS_TEST_ASSERT_MSG_EQ(lab.tap.notes.size(), 2U, "one for each frame");
    ESX_SAME(lab.tap.notes[0].input, a->GetPortId());
    ESX_SAME(lab.tap.notes[0].output, b->GetPortId());
    ESX_SAME(lab.tap.notes[1].output, 0);
}

ESX_CASE(Lab,
         VlanIsATagOnTheWire,
         "A port group's VLAN is a tag on the uplink and none at the guest")
{
    auto a = lab.AddVm("a", "Prod-101");
    auto station = lab.AddUplink();
    lab.Send(a, OUTSIDE);
    NS_TEST_ASSERT_MSG_EQ(lab.arrivals.size(), 1U, "at the wire");
    ESX_SAME(lab.arrivals[0].protocol, ESX_TPID);
    ESX_SAME(EsxReadVlan(lab.arrivals[0].packet), 101);
    lab.arrivals.clear();
    ESX_SAME(lab.FateOfTagged(station, a->GetAddress(), 101), "a");
    lab.Send(station, a->GetAddress());
    ESX_SAME(lab.Fate(), "drop unknown_unicast");
}

ESX_CASE(Lab, VlansAreApart, "Guests of different VLANs do not meet; a guest's own tag is dropped")
{
    auto a = lab.AddVm("a", "Prod-101");
    auto b = lab.AddVm("b", "Prod-102");
    lab.AddVm("c", "Prod-101");
    ESX_SAME(lab.FateOf(a, Mac48Address::GetBroadcast()), "c");
    ESX_SAME(lab.FateOf(a, b->GetAddress()), "drop no_uplink");
    ESX_SAME(lab.FateOfTagged(a, b->GetAddress(), 102), "drop vlan");
}

ESX_CASE(Lab,
         PromiscuousModeIsRejected,
         "Promiscuous mode hears others only where the policy accepts it")
{
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    Ptr<Node> spy = CreateObject<Node>();
    lab.host->AddGuest("spy", spy);
    lab.host->AddVnic("spy", "VM Network");
    lab.Note(spy, "spy", true);
    ESX_SAME(lab.FateOf(a, b->GetAddress()), "b");
    lab.vSwitch->SetPolicy(Lab::Policy("Promiscuous", BooleanValue(true)));
    ESX_SAME(lab.FateOf(a, b->GetAddress()), "b spy");
}

ESX_CASE(Lab, ForgedTransmits, "A forged transmit passes by default and is dropped where rejected")
{
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    ESX_SAME(lab.FateOfForged(a, b->GetAddress()), "b");
    lab.vSwitch->SetPolicy(Lab::Policy("ForgedTransmits", BooleanValue(false)));
    ESX_SAME(lab.FateOfForged(a, b->GetAddress()), "drop forged_transmit");
    ESX_SAME(lab.tap.notes.size(), 1U);
}

ESX_CASE(Lab,
         MacChanges,
         "An adapter that changed its MAC address hears nothing where that is rejected")
{
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    lab.vSwitch->SetPolicy(Lab::Policy("MacChanges", BooleanValue(false)));
    const Mac48Address configured = b->GetMac();
    b->SetAddress(OUTSIDE);
    ESX_SAME(lab.FateOf(a, OUTSIDE), "drop mac_change");
    b->SetAddress(configured);
    ESX_SAME(lab.FateOf(a, configured), "b");
}

ESX_CASE(Lab, PortGroupOverrides, "A port group's policy goes before that of the vSwitch")
{
    auto a = lab.AddVm("a", "Prod-101");
    auto b = lab.AddVm("b", "Prod-101");
    lab.vSwitch->SetPolicy(Lab::Policy("ForgedTransmits", BooleanValue(false)));
    lab.vSwitch->SetPortGroupPolicy("Prod-101", Lab::Policy("ForgedTransmits", BooleanValue(true)));
    ESX_SAME(lab.FateOfForged(a, b->GetAddress()), "b");
    lab.vSwitch->SetPortGroupPolicy("Prod-101", nullptr);
    ESX_SAME(lab.FateOfForged(a, b->GetAddress()), "drop forged_transmit");
}

ESX_CASE(Lab,
         TeamingByPort,
         "Ports are spread over uplinks; those of a failed one move, and come back")
{
    lab.AddUplink(); // local ports 2 and 3
    lab.AddUplink();
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    ESX_SAME(lab.FateOf(a, OUTSIDE), "wire0");
    ESX_SAME(lab.FateOf(b, OUTSIDE), "wire1");
    lab.SetDown("vmnic0", true);
    ESX_SAME(lab.FateOf(a, OUTSIDE), "wire1");
    ESX_SAME(lab.FateOf(b, OUTSIDE), "wire1");
    lab.SetDown("vmnic0", false);
    ESX_SAME(lab.FateOf(a, OUTSIDE), "wire0");
}

ESX_CASE(Lab, StandbyUplink, "A standby uplink is used when no active one is up, then none")
{
    lab.AddUplink();
    lab.AddUplink();
    auto a = lab.AddVm("a");
    Ptr<EsxPortPolicy> policy = Lab::Policy("ActiveUplinks", StringValue("vmnic1"));
    policy->SetAttribute("StandbyUplinks", StringValue("vmnic0"));
    lab.vSwitch->SetPolicy(policy);
    ESX_SAME(lab.FateOf(a, OUTSIDE), "wire1");
    lab.SetDown("vmnic1", true);
    ESX_SAME(lab.FateOf(a, OUTSIDE), "wire0");
    lab.SetDown("vmnic0", true);
    ESX_SAME(lab.FateOf(a, OUTSIDE), "drop no_uplink");
}

ESX_CASE(Lab, IpHash, "IP hash takes the uplink of source XOR destination, modulo uplinks")
{
    lab.AddUplink();
    lab.AddUplink();
    auto a = lab.AddVm("a");
    lab.vSwitch->SetPolicy(Lab::Policy("Teaming", StringValue("IpHash")));
    ESX_SAME(lab.FateOfIp(a, "10.0.0.1", "10.0.0.3"), "wire0");
    ESX_SAME(lab.FateOfIp(a, "10.0.0.1", "10.0.0.4"), "wire1");
}

ESX_CASE(Lab,
         ReverseFilter,
         "A guest's own broadcast that comes back over the other uplink is dropped")
{
    lab.AddUplink();
    auto second = lab.AddUplink();
    auto a = lab.AddVm("a");
    second->SendFrom(Create<Packet>(100), a->GetAddress(), Mac48Address::GetBroadcast(), lab.IPV4);
    Simulator::Run();
    ESX_SAME(lab.Fate(), "drop reverse_filter");
}

ESX_CASE(Lab,
         Shaping,
         "A burst goes at the peak rate, the rest at the average; the queue is bounded")
{
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    lab.vSwitch->SetAttribute("Delay", TimeValue(Time(0)));
    Ptr<EsxPortPolicy> policy = Lab::Policy("Shaping", BooleanValue(true));
    policy->SetAttribute("AverageRate", DataRateValue(DataRate("8112kbps"))); // 1014 octets a ms
    policy->SetAttribute("PeakRate", DataRateValue(DataRate("81120kbps")));
    policy->SetAttribute("BurstSize", UintegerValue(3 * 1014));
    policy->SetAttribute("ShaperQueue", UintegerValue(4));
    lab.vSwitch->SetPolicy(policy);
    for (int i = 0; i < 6; ++i)
    {
        a->Send(Create<Packet>(1000), b->GetAddress(), lab.IPV4);
    }
    Simulator::Run();
    std::string times;
    for (const auto& arrival : lab.arrivals)
    {
        times += std::to_string(arrival.at.GetMicroSeconds()) + " ";
    }
    ESX_SAME(times, "0 100 200 1000 2000 ");
    ESX_SAME(lab.Counters(a->GetPortId()).Drops(EsxDropCause::SHAPING), 1U);
}

ESX_CASE(Lab, ReceiveRing, "A slow guest's receive ring is bounded and drops the newest frame")
{
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    b->SetAttribute("Type", StringValue("Vlance"));
    b->SetGuestRate(DataRate("8Mbps"));
    for (int i = 0; i < 40; ++i)
    {
        a->Send(Create<Packet>(986), b->GetAddress(), lab.IPV4);
    }
    Simulator::Run();
    ESX_SAME(lab.arrivals.size(), 32U);
    ESX_SAME(lab.Counters(b->GetPortId()).Drops(EsxDropCause::RX_RING), 8U);
}

ESX_CASE(Lab,
         PowerOff,
         "A guest that is switched off neither sends nor receives until it is on again")
{
    auto a = lab.AddVm("a");
    auto b = lab.AddVm("b");
    lab.host->PowerOff("b");
    ESX_SAME(lab.FateOf(a, b->GetAddress()), "drop no_uplink");
    ESX_SAME(lab.host->PowerOn("b"), "");
    ESX_SAME(lab.FateOf(a, b->GetAddress()), "b");
}

/// A physical switch of four ports, each with a station that notes what it hears.
class PhysicalLab : public EsxSwitchLab
{
  public:
    PhysicalLab()
    {
        Ptr<Node> node = CreateObject<Node>();
        node->AggregateObject(sw);
        for (uint16_t number = 1; number <= 4; ++number)
        {
            Ptr<SimpleChannel> channel = CreateObject<SimpleChannel>();
            sw->AddPort(number, Plug(node, channel));
            Ptr<Node> station = CreateObject<Node>();
            stations.push_back(Plug(station, channel));
            Note(station, std::to_string(number), true);
        }
    }

    static Ptr<SimpleNetDevice> Plug(const Ptr<Node>& node, const Ptr<SimpleChannel>& channel)
    {
        Ptr<SimpleNetDevice> device = CreateObject<SimpleNetDevice>();
        device->SetAddress(Mac48Address::Allocate());
        device->SetChannel(channel);
        node->AddDevice(device);
        return device;
    }

    std::string HeardFrom(std::size_t station, const Address& to)
    {
        Send(stations.at(station - 1), to);
        return Where();
    }

    Ptr<EsxPhysicalSwitch> sw{CreateObject<EsxPhysicalSwitch>()};
    std::vector<Ptr<SimpleNetDevice>> stations;
};

ESX_CASE(PhysicalLab,
         PhysicalSwitchLearns,
         "A physical switch learns addresses and forgets them in time")
{
    const Address second = lab.stations[1]->GetAddress();
    lab.sw->SetAttribute("AgeingTime", TimeValue(Seconds(10)));
    ESX_SAME(lab.HeardFrom(1, second), "2 3 4");
    ESX_SAME(lab.HeardFrom(2, OUTSIDE), "1 3 4");
    ESX_SAME(lab.HeardFrom(1, second), "2");
    Simulator::Stop(Seconds(11));
    Simulator::Run();
    ESX_SAME(lab.HeardFrom(1, second), "2 3 4");
}

ESX_CASE(PhysicalLab,
         PhysicalSwitchVlans,
         "Access ports of different VLANs do not meet, a trunk carries both")
{
    lab.sw->SetAccess(1, 101);
    lab.sw->SetAccess(2, 102);
    lab.sw->SetTrunk(4, {101, 102});
    lab.Send(lab.stations[0], Mac48Address::GetBroadcast());
    NS_TEST_ASSERT_MSG_EQ(lab.arrivals.size(), 1U, "at the trunk");
    ESX_SAME(EsxReadVlan(lab.arrivals[0].packet), 101);
    ESX_SAME(lab.Where(), "4");
}

} // namespace

std::vector<TestCase*>
EsxSwitchCases()
{
    return {new UnicastReachesItsPort, new BroadcastIsFlooded,
            new NothingIsLearned,      new MtuIsALimit,
            new TapSeesFramesOnce,     new VlanIsATagOnTheWire,
            new VlansAreApart,         new PromiscuousModeIsRejected,
            new ForgedTransmits,       new MacChanges,
            new PortGroupOverrides,    new TeamingByPort,
            new StandbyUplink,         new IpHash,
            new ReverseFilter,         new Shaping,
            new ReceiveRing,           new PowerOff,
            new PhysicalSwitchLearns,  new PhysicalSwitchVlans};
}
