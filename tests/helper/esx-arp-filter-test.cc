// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/arp-cache.h"
#include "ns3/boolean.h"
#include "ns3/data-rate.h"
#include "ns3/esx-host-helper.h"
#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/simulator.h"
#include "ns3/socket.h"
#include "ns3/udp-socket-factory.h"

#include <gtest/gtest.h>

using namespace ns3;

namespace
{

constexpr uint32_t GUESTS = 16;
constexpr uint16_t PORT = 9;

class EsxArpFilterTest : public ::testing::Test
{
  protected:
    EsxArpFilterTest()
    {
        host = esx.CreateHost("esx1");
        esx.AddVSwitch(host, "vSwitch0")->AddPortGroup("VM Network");
        for (uint32_t i = 0; i < GUESTS; ++i)
        {
            const std::string name = "vm" + std::to_string(i);
            esx.AddVm(host, name);
            vnics.push_back(esx.AddVnic(host, name, "VM Network", {Address(i), "255.255.255.0"}));
        }
        const auto receiver =
            Socket::CreateSocket(vnics[1]->GetNode(), UdpSocketFactory::GetTypeId());
        receiver->Bind(InetSocketAddress(Ipv4Address::GetAny(), PORT)); // no ICMP error comes back
    }

    void TearDown() override
    {
        Simulator::Destroy();
    }

    static Ipv4Address Address(uint32_t guest)
    {
        return Ipv4Address(Ipv4Address("10.0.0.1").Get() + guest);
    }

    static Ptr<Ipv4Interface> InterfaceOf(const Ptr<EsxVnic>& vnic)
    {
        const auto ipv4 = vnic->GetNode()->GetObject<Ipv4L3Protocol>();
        return ipv4->GetInterface(ipv4->GetInterfaceForDevice(vnic));
    }

    /// Guest 0 sends a datagram to guest 1. \return events that this took
    uint64_t Ask()
    {
        Simulator::Run(); // the nodes' initialization
        const uint64_t before = Simulator::GetEventCount();
        const auto socket =
            Socket::CreateSocket(vnics[0]->GetNode(), UdpSocketFactory::GetTypeId());
        socket->SendTo(Create<Packet>(100), 0, InetSocketAddress(Address(1), PORT));
        Simulator::Stop(MilliSeconds(500));
        Simulator::Run();
        ArpCache::Entry* const entry = InterfaceOf(vnics[0])->GetArpCache()->Lookup(Address(1));
        EXPECT_TRUE(entry && entry->IsAlive()) << "guest 1 answered";
        return Simulator::GetEventCount() - before;
    }

    /// \return the sum of frames that went out of the guests' ports
    uint64_t FramesOut() const
    {
        uint64_t frames = 0;
        for (const Ptr<EsxVnic>& vnic : vnics)
        {
            frames += vnic->GetVSwitch()->GetPort(vnic->GetPortId())->GetCounters().framesOut;
        }
        return frames;
    }

    EsxHostHelper esx;
    Ptr<EsxHost> host;
    std::vector<Ptr<EsxVnic>> vnics;
};

} // namespace

TEST_F(EsxArpFilterTest, AFloodIsOneEventForAllGuestsThatAreNotAskedFor)
{
    uint32_t seen = 0;
    vnics[5]->TraceConnectWithoutContext(
        "MacRx",
        Callback<void, Ptr<const Packet>>([&seen](Ptr<const Packet>) { ++seen; }));
    const uint64_t filtered = Ask();
    const uint64_t framesOut = FramesOut();
    EXPECT_EQ(seen, 1u) << "its adapter received the request";

    InterfaceOf(vnics[0])->GetArpCache()->Flush();
    for (const Ptr<EsxVnic>& vnic : vnics)
    {
        vnic->SetAttribute("FilterArp", BooleanValue(false));
    }
    EXPECT_EQ(Ask() - filtered, GUESTS - 2 - 1) << "those neither asking nor asked for, in one";
    EXPECT_EQ(FramesOut() - framesOut, framesOut) << "the ports count the same";
    EXPECT_EQ(seen, 2u);
}

TEST_F(EsxArpFilterTest, WhatTheNodeHasOrWantsIsNotFiltered)
{
    const Ptr<EsxVnic> vnic = vnics[2];
    const auto second = Ipv4Address("10.0.0.222");
    EXPECT_TRUE(vnic->Filters(Address(3)));
    EXPECT_TRUE(vnic->Filters(Ipv4Address::GetZero())) << "reverse ARP";
    EXPECT_FALSE(vnic->Filters(Address(2)));
    EXPECT_TRUE(vnic->Filters(second));
    InterfaceOf(vnic)->AddAddress({second, "255.255.255.0"});
    EXPECT_FALSE(vnic->Filters(second)) << "an address that it got since";

    const Ptr<EsxVnic> ringed = vnics[3];
    ringed->SetGuestRate(DataRate("1Mbps"));
    EXPECT_FALSE(ringed->Filters(second)) << "the frame takes a place of its ring";
    const Ptr<EsxVnic> open = vnics[4];
    open->SetPromiscReceiveCallback([](Ptr<NetDevice>,
                                       Ptr<const Packet>,
                                       uint16_t,
                                       const ns3::Address&,
                                       const ns3::Address&,
                                       NetDevice::PacketType) { return true; });
    EXPECT_FALSE(open->Filters(second)) << "its node listens to everything";
    vnics[5]->Silence();
    EXPECT_FALSE(vnics[5]->Filters(second)) << "its node may be none that answers";
    esx.AddVm(host, "bare");
    const Ptr<EsxVnic> bare = host->AddVnic("bare", "VM Network");
    bare->SetAttribute("FilterArp", BooleanValue(true));
    EXPECT_FALSE(bare->Filters(second)) << "no stack: another handler may want it";
}
