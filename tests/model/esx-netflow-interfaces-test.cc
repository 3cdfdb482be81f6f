// SPDX-License-Identifier: GPL-2.0-only
// Flow records agree with the ports and octets of the frames: failover in the middle of a flow,
// promiscuous listener, flood, drops, tags, padding, jumbo frames.
#include "netflow-fixture.h"

#include "ns3/esx-vlan-header.h"
#include "ns3/simple-channel.h"
#include "ns3/simple-net-device.h"

using namespace ns3;

namespace
{

const Mac48Address OUTSIDE("02:00:00:00:00:99");

class EsxNetflowInterfacesTest : public NetflowTest
{
  protected:
    EsxNetflowInterfacesTest()
    {
        const Ptr<SimpleChannel> channel = CreateObject<SimpleChannel>();
        station = MakeNic(CreateObject<Node>(), channel);
        second = host->AddUplink(vSwitch, MakeNic(host->GetVmkernelNode(), channel));
        vSwitch->AddPortGroup("Prod");
        vSwitch->AddPortGroup("Trunk", ESX_VLAN_GUEST);
        vSwitch->SetPolicy(Explicit("vmnic0", "vmnic1"));
        vSwitch->SetPortGroupPolicy("Prod", Explicit("vmnic1", "vmnic0"));
        esx.AddVm(host, "c");
        c = esx.AddVnic(host, "c", "Prod", Address("10.0.0.13"));
        AddExport();
        Start();
    }

    static Ptr<SimpleNetDevice> MakeNic(const Ptr<Node>& node, const Ptr<SimpleChannel>& channel)
    {
        const Ptr<SimpleNetDevice> nic = CreateObject<SimpleNetDevice>();
        nic->SetAddress(Mac48Address::Allocate());
        nic->SetChannel(channel);
        node->AddDevice(nic);
        return nic;
    }

    static Ptr<EsxPortPolicy> Explicit(const std::string& active, const std::string& standby)
    {
        const Ptr<EsxPortPolicy> policy = CreateObject<EsxPortPolicy>();
        policy->SetAttribute("Teaming", StringValue("Explicit"));
        policy->SetAttribute("ActiveUplinks", StringValue(active));
        policy->SetAttribute("StandbyUplinks", StringValue(standby));
        return policy;
    }

    void SendFrom(Time at, const Ptr<NetDevice>& from, const Mac48Address& to, uint16_t port)
    {
        At(at, [=] { from->Send(MakePacket(port, 100), to, IPV4); });
    }

    /// \return the records of a source port, in order of reading
    std::vector<ReadDatagram::Record> RecordsOf(uint16_t port) const
    {
        std::vector<ReadDatagram::Record> records;
        for (const ReadDatagram& datagram : read)
        {
            for (const ReadDatagram::Record& record : datagram.records)
            {
                if (record.sourcePort == port)
                {
                    records.push_back(record);
                }
            }
        }
        return records;
    }

    ReadDatagram::Record OnlyRecordOf(uint16_t port) const
    {
        const auto records = RecordsOf(port);
        EXPECT_EQ(records.size(), 1u) << port;
        return records.empty() ? ReadDatagram::Record{} : records[0];
    }

    Ptr<SimpleNetDevice> station; //!< at the far end of vmnic1
    Ptr<EsxUplink> second;        //!< vmnic1
    Ptr<EsxVnic> c;               //!< leaves by vmnic1 while that is up
};

} // namespace

TEST_F(EsxNetflowInterfacesTest, FailoverInTheMiddleOfAFlowKeepsTheRecordsFirstOutput)
{
    SendFrom(Seconds(1), c, OUTSIDE, 1);
    At(Seconds(2), [this] { second->SetDown(true); });
    SendFrom(Seconds(3), c, OUTSIDE, 1);
    SendFrom(Seconds(30), c, OUTSIDE, 1); // a new record, after the idle timeout
    RunUntil(Seconds(60));
    const auto records = RecordsOf(1);
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].packets, 2u);
    EXPECT_EQ(records[0].output, second->GetPortId());
    EXPECT_EQ(records[0].input, c->GetPortId());
    EXPECT_EQ(records[1].packets, 1u);
    EXPECT_EQ(records[1].output, host->GetUplink("vmnic0")->GetPortId());
}

TEST_F(EsxNetflowInterfacesTest, PromiscuousListenerIsNoOutput)
{
    const Ptr<EsxPortPolicy> policy = Explicit("vmnic0", "vmnic1");
    policy->SetAttribute("Promiscuous", BooleanValue(true));
    vSwitch->SetPolicy(policy);
    esx.AddVm(host, "spy");
    const Ptr<EsxVnic> spy = esx.AddVnic(host, "spy", "VM Network", Address("10.0.0.14"));
    spy->SetPromiscuous(true);
    SendFrom(Seconds(1), a, b->GetMac(), 1);
    RunUntil(Seconds(30));
    const ReadDatagram::Record record = OnlyRecordOf(1);
    EXPECT_EQ(record.output, b->GetPortId());
    EXPECT_EQ(record.packets, 1u) << "a copy is not metered again";
    EXPECT_GT(vSwitch->GetPort(spy->GetPortId())->GetCounters().framesOut, 0u);
}

TEST_F(EsxNetflowInterfacesTest, FloodUnknownAndDropHaveOutput0)
{
    SendFrom(Seconds(1), a, Mac48Address::GetBroadcast(), 1);
    SendFrom(Seconds(1), station, OUTSIDE, 2);
    SendFrom(Seconds(1), a, a->GetMac(), 3);
    RunUntil(Seconds(30));
    EXPECT_EQ(OnlyRecordOf(1).output, 0u) << "flood";
    EXPECT_EQ(OnlyRecordOf(2).output, 0u) << "unknown";
    EXPECT_EQ(OnlyRecordOf(2).input, second->GetPortId());
    EXPECT_EQ(OnlyRecordOf(3).output, 0u) << "drop";
}

TEST_F(EsxNetflowInterfacesTest, WhatDiesBeforeTheTapHasNoRecord)
{
    const Ptr<EsxPortPolicy> policy = Explicit("vmnic1", "vmnic0");
    policy->SetAttribute("ForgedTransmits", BooleanValue(false));
    vSwitch->SetPortGroupPolicy("Prod", policy);
    At(Seconds(1), [this] { c->SendFrom(MakePacket(1, 100), OUTSIDE, b->GetMac(), IPV4); });
    SendFrom(Seconds(1), c, b->GetMac(), 2);
    RunUntil(Seconds(30));
    EXPECT_TRUE(RecordsOf(1).empty());
    EXPECT_EQ(OnlyRecordOf(2).packets, 1u);
}

TEST_F(EsxNetflowInterfacesTest, TaggedFramesCountLayer3Octets)
{
    esx.AddVm(host, "router");
    const Ptr<EsxVnic> router = esx.AddVnic(host, "router", "Trunk", Address("10.0.0.15"));
    At(Seconds(1), [this, router] {
        Ptr<Packet> packet = MakePacket(1, 100);
        packet->AddHeader(EsxVlanHeader(77, IPV4));
        router->Send(packet, OUTSIDE, ESX_TPID);
    });
    RunUntil(Seconds(30));
    const ReadDatagram::Record record = OnlyRecordOf(1);
    EXPECT_EQ(record.octets, 100u);
    EXPECT_EQ(record.output, host->GetUplink("vmnic0")->GetPortId());
}

TEST_F(EsxNetflowInterfacesTest, PaddedFramesCountLayer3Octets)
{
    At(Seconds(1), [this] {
        Ptr<Packet> packet = MakePacket(1, 30);
        packet->AddPaddingAtEnd(16); // to Ethernet's 46 octets
        station->Send(packet, b->GetMac(), IPV4);
    });
    RunUntil(Seconds(30));
    EXPECT_EQ(OnlyRecordOf(1).octets, 30u);
}

TEST_F(EsxNetflowInterfacesTest, JumboFramesCountLayer3Octets)
{
    vSwitch->SetAttribute("Mtu", UintegerValue(9000));
    At(Seconds(1), [this] { a->Send(MakePacket(1, 9000), b->GetMac(), IPV4); });
    At(Seconds(1), [this] { a->Send(MakePacket(2, 9001), b->GetMac(), IPV4); });
    RunUntil(Seconds(30));
    EXPECT_EQ(OnlyRecordOf(1).octets, 9000u);
    EXPECT_TRUE(RecordsOf(2).empty()) << "longer than the MTU";
}

TEST_F(EsxNetflowInterfacesTest, NotificationOfPhysicalSwitchesIsNotMetered)
{
    uint64_t before = 0;
    At(Seconds(20), [&] { before = Moved(netflow::Move::OFFERED).packets; });
    At(Seconds(21), [this] { second->SetDown(true); });
    RunUntil(Seconds(22));
    EXPECT_EQ(Moved(netflow::Move::OFFERED).packets, before);
    EXPECT_EQ(vSwitch->GetPort(host->GetUplink("vmnic0")->GetPortId())
                  ->GetCounters()
                  .Drops(EsxDropCause::UPLINK_REFUSED),
              0u);
}
